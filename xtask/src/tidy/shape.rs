//! How long things may be, and that every crate says what it is.

use super::source::Source;
use super::{Finding, TextFile, extension};

const FILE_LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;

pub fn check(file: &TextFile, findings: &mut Vec<Finding>) {
    let Some(source) = &file.source else { return };
    check_lines(file, source, findings);
    check_docs(file, findings);
    if !file.is_test {
        check_file(file, findings);
        check_functions(file, source, findings);
    }
}

fn check_lines(file: &TextFile, source: &Source, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.lines().enumerate() {
        let columns = line.chars().count();
        if columns <= LINE_COLUMNS_MAX {
            continue;
        }
        // A web address has no place to break, and a test's data is what it is.
        let has_address = line.split_whitespace().any(|word| word.contains("://"));
        let is_test_data = file.is_test_line(at + 1) && source.has_string(at + 1);
        if !has_address && !is_test_data {
            let words = format!("{columns} columns, and {LINE_COLUMNS_MAX} fit: break the line");
            findings.push(file.finding(at + 1, "line-length", words));
        }
    }
}

fn check_file(file: &TextFile, findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    let code_lines = (1..=lines).filter(|line| !file.is_test_line(*line)).count();
    if code_lines > FILE_LINES_MAX {
        let words = format!(
            "{code_lines} lines without tests, and {FILE_LINES_MAX} is the bound: split it by what \
             it is about"
        );
        findings.push(file.finding(FILE_LINES_MAX + 1, "file-length", words));
    }
}

fn check_functions(file: &TextFile, source: &Source, findings: &mut Vec<Finding>) {
    for function in source
        .functions
        .iter()
        .filter(|f| !source.is_test(*f.lines.start()))
    {
        let lines = function.lines.end() - function.lines.start() + 1;
        if lines > FUNCTION_LINES_MAX {
            let words = format!(
                "{} has {lines} lines, and {FUNCTION_LINES_MAX} is the bound: name its parts",
                function.name
            );
            findings.push(file.finding(*function.lines.start(), "function-length", words));
        }
    }
}

/// The roots of libraries and binaries. Tests, benches and build scripts are roots too, and clippy
/// leaves those alone, so we do.
fn check_docs(file: &TextFile, findings: &mut Vec<Finding>) {
    let parts: Vec<&str> = file.path.split('/').collect();
    let is_root = match parts[..] {
        ["crates", _, "src", name] | ["xtask", "src", name] => {
            matches!(name, "lib.rs" | "main.rs")
        }
        ["crates", _, "src", "bin", name] => extension(name) == "rs",
        ["crates", _, "src", "bin", _, "main.rs"] => true,
        _ => false,
    };
    let mut lines = file.text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with("#!["));
    if is_root && !first.is_some_and(|line| line.starts_with("//! ")) {
        let words = "begin with //! and say what this promises, and what it doesn't do";
        findings.push(file.finding(1, "crate-docs", words));
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    const PATH: &str = "crates/app/src/a.rs";

    #[test]
    fn a_file_may_have_500_lines_beside_its_tests() {
        let file = |lines: usize, tests: usize| {
            let tests = "    // A case.\n".repeat(tests);
            format!(
                "{}#[cfg(test)]\nmod tests {{\n{tests}}}\n",
                "const A: u8 = 1;\n".repeat(lines)
            )
        };
        assert!(findings_in(&[(PATH, &file(500, 400))]).is_empty());
        assert_eq!(
            findings_in(&[(PATH, &file(501, 0))]),
            [format!("{PATH}:501 file-length")]
        );
        assert!(findings_in(&[("crates/app/tests/a.rs", &file(501, 0))]).is_empty());
    }

    #[test]
    fn a_function_may_have_70_lines() {
        let function = |body: usize| format!("\nfn f() {{\n{}}}\n", "    g();\n".repeat(body));
        assert!(findings_in(&[(PATH, &function(68))]).is_empty());
        assert_eq!(
            findings_in(&[(PATH, &function(69))]),
            [format!("{PATH}:2 function-length")]
        );
        let test = format!("#[cfg(test)]\nmod tests {{{}}}\n", function(200));
        assert!(findings_in(&[(PATH, &test)]).is_empty());
    }

    #[test]
    fn a_line_may_have_100_columns() {
        assert!(findings_in(&[(PATH, &"ä".repeat(100))]).is_empty());
        let long = format!("// {}", "word ".repeat(30));
        assert_eq!(
            findings_in(&[(PATH, &long)]),
            [format!("{PATH}:1 line-length")]
        );
        let address = format!("// https://example.org/{}", "a".repeat(100));
        assert!(findings_in(&[(PATH, &address)]).is_empty());
        let data = format!("let a = r\"\n{}\";", "word ".repeat(30));
        assert_eq!(
            findings_in(&[(PATH, &data)]),
            [format!("{PATH}:2 line-length")]
        );
        assert!(findings_in(&[("crates/app/tests/a.rs", &data)]).is_empty());
        assert_eq!(findings_in(&[("crates/app/tests/a.rs", &long)]).len(), 1);
    }

    #[test]
    fn every_root_begins_with_its_documentation() {
        for (path, text, is_right) in [
            ("crates/app/src/lib.rs", "//! What people do.\n", true),
            (
                "crates/app/src/lib.rs",
                "\n#![forbid(unsafe_code)]\n//! What.\n",
                true,
            ),
            ("crates/app/src/lib.rs", "mod a;\n", false),
            ("crates/sim/src/bin/explore.rs", "fn main() {}\n", false),
            ("crates/app/src/a.rs", "mod b;\n", true),
        ] {
            let want = if is_right {
                vec![]
            } else {
                vec![format!("{path}:1 crate-docs")]
            };
            assert_eq!(findings_in(&[(path, text)]), want, "{text}");
        }
    }
}
