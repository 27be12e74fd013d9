//! Words that are not to stand in this repository.

use super::source::{Source, has_word};
use super::{Finding, TextFile, extension};

/// Notes of unfinished work. Put together here so that this file doesn't contain them.
const NOTES: [&str; 3] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
];
const UNFINISHED: [&str; 2] = ["todo!", "unimplemented!"];

/// Where the checkout of one machine is.
const MACHINE_PATHS: [&str; 3] = [
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
];

const REGISTRIES: [&str; 8] = [
    concat!("crates", ".io"),
    concat!("pypi", ".org"),
    concat!("npmjs", ".org"),
    concat!("npmjs", ".com"),
    concat!("rubygems", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("docker", ".io"),
    concat!("deb.debian", ".org"),
];

/// The one place that waits by the clock, because it has a deadline.
const WAITING_ROOM: &str = "crates/test-support/src/poll.rs";

pub fn check(file: &TextFile, findings: &mut Vec<Finding>) {
    if file.path == "Cargo.lock" {
        return;
    }
    check_places(file, findings);
    match &file.source {
        Some(source) => {
            for comment in &source.comments {
                check_notes(file, comment.line, &comment.text, findings);
            }
            check_code(file, source, findings);
        }
        None if matches!(extension(&file.path), "md" | "toml" | "sql" | "yml") => {
            for (at, line) in file.text.lines().enumerate() {
                check_notes(file, at + 1, line, findings);
            }
        }
        None => {}
    }
}

fn check_notes(file: &TextFile, line: usize, text: &str, findings: &mut Vec<Finding>) {
    if let Some(note) = NOTES.iter().find(|note| has_word(text, note)) {
        let words = format!("{note}: do it, or write an issue and name it in plain words");
        findings.push(file.finding(line, "todo", words));
    }
}

fn check_code(file: &TextFile, source: &Source, findings: &mut Vec<Finding>) {
    for word in UNFINISHED {
        let words = format!("`{word}`: this stops the process of whoever calls it");
        let lines = source.lines_with(word);
        findings.extend(lines.map(|line| file.finding(line, "todo", words.clone())));
    }
    for word in ["#[ignore", "#[cfg_attr(test, ignore"] {
        let words = "a test that is switched off proves nothing: mend it or remove it";
        findings.extend(
            source
                .lines_with(word)
                .map(|line| file.finding(line, "ignore", words)),
        );
    }
    let is_test_crate = file.crate_name() == "test-support";
    for word in ["sleep(", "sleep_until("] {
        let words = "tests don't sleep: wait with balefire_test_support::poll::poll_until";
        let lines = source.lines_with(word);
        let lines = lines.filter(|line| is_test_crate || file.is_test_line(*line));
        let lines = lines.filter(|_| file.path != WAITING_ROOM);
        findings.extend(lines.map(|line| file.finding(line, "sleep", words)));
    }
}

fn check_places(file: &TextFile, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.lines().enumerate() {
        for path in MACHINE_PATHS
            .iter()
            .filter(|path| begins_with_path(line, path))
        {
            let words = format!("{path} is a place on one machine: start from the workspace root");
            findings.push(file.finding(at + 1, "machine-path", words));
        }
        for host in REGISTRIES.iter().filter(|host| has_word(line, host)) {
            let words = format!("{host}: only Cargo.lock names a registry");
            findings.push(file.finding(at + 1, "registry", words));
        }
    }
}

/// Whether an absolute path in `line` begins with `path`. Within a longer path or a web address it
/// is something else.
fn begins_with_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric() && !"_-.*~)}>".contains(c))
    })
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    const PATH: &str = "crates/app/src/a.rs";

    #[test]
    fn unfinished_work_is_found_in_comments_code_and_pages() {
        let note = concat!("// TO", "DO: later");
        assert_eq!(findings_in(&[(PATH, note)]), [format!("{PATH}:1 todo")]);
        assert_eq!(findings_in(&[("README.md", note)]), ["README.md:1 todo"]);
        assert_eq!(
            findings_in(&[(PATH, "fn f() {\n    todo!()\n}")]),
            [format!("{PATH}:2 todo")]
        );
        for fine in [
            "fn todo() {}",
            "let a = \"todo!\";",
            "// mktemp -d balefire.XXXXXX",
        ] {
            assert_eq!(findings_in(&[(PATH, fine)]), Vec::<String>::new(), "{fine}");
        }
    }

    #[test]
    fn tests_are_neither_switched_off_nor_asleep() {
        let test = |line: &str| {
            let text = format!("#[cfg(test)]\nmod tests {{\n    {line}\n}}\n");
            findings_in(&[(PATH, &text)])
        };
        assert_eq!(
            test("#[ignore = \"slow\"] fn f() {}"),
            [format!("{PATH}:3 ignore")]
        );
        assert_eq!(
            test("tokio::time::sleep(pause).await;"),
            [format!("{PATH}:3 sleep")]
        );
        assert_eq!(test("thread::sleep(pause);"), [format!("{PATH}:3 sleep")]);
        assert!(test("poll_until(deadline, what, probe).await;").is_empty());
        let pause = "tokio::time::sleep(pause).await;";
        assert!(
            findings_in(&[(PATH, pause)]).is_empty(),
            "production code may pause"
        );
        for (path, count) in [
            ("crates/app/tests/a.rs", 1),
            ("crates/test-support/src/app.rs", 1),
            ("crates/test-support/src/poll.rs", 0),
        ] {
            assert_eq!(findings_in(&[(path, pause)]).len(), count, "{path}");
        }
    }

    #[test]
    fn places_of_one_machine_are_found_in_any_text() {
        for (text, is_wrong) in [
            (concat!("cd /wo", "rk/main"), true),
            (concat!("\"/ro", "ot/.cargo\""), true),
            (concat!("file = '/fa", "rm/x'"), true),
            (concat!("../wo", "rk/main and frame", "wo", "rk/x"), false),
            (concat!("https://example.org/wo", "rk/1"), false),
        ] {
            let want = if is_wrong {
                vec!["notes.txt:1 machine-path"]
            } else {
                vec![]
            };
            assert_eq!(findings_in(&[("notes.txt", text)]), want, "{text}");
        }
        let host = concat!("see https://crates", ".io/x");
        assert_eq!(
            findings_in(&[("notes.txt", host)]),
            ["notes.txt:1 registry"]
        );
        assert!(findings_in(&[("Cargo.lock", host)]).is_empty());
    }
}
