//! `cargo xtask tidy`: the rules of this project that neither rustc, clippy nor rustfmt knows.
//!
//! Every finding names the file, the line and the rule in plain words. The checks read text, not
//! types: they catch the honest mistake, and a reviewer catches the rest.

mod borders;
mod exceptions;
mod lexer;
mod listing;
mod manifests;
mod shape;
mod source;
mod sql;
mod words;

use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context as _, Result};

use crate::say;
use source::Source;

/// What `cargo xtask tidy --rules` prints.
pub const RULES: &str = "\
The rules, by the name that a finding shows:

  sql              SQL is written in crates/store and in migrations only; sqlx is store's alone
  axum             axum belongs to web and provider-sim; tests of other crates may use it
  outbound         connections outwards are made in gateway (and aws) only
  clock            the wall clock and randomness are read in crates/balefire/src/clock.rs and
                   entropy.rs; elsewhere they are arguments
  pure             domain, cap, cell-broadcast and geometry: no async, no I/O, no threads
  dependencies     which of our crates may use which (D58)
  lints            every crate takes the workspace's lints
  file-length      at most 500 lines without tests
  function-length  at most 70 lines, from `fn` to the closing brace, outside of tests
  line-length      at most 100 columns; a web address, or a string in a test, may stand out
  crate-docs       the root of every crate and binary begins with //!
  todo             no notes about work to be done: do it, or write an issue
  ignore           no test is switched off
  sleep            tests wait with poll_until, which has a deadline
  machine-path     no paths of one machine
  registry         no host names of package registries outside of Cargo.lock
  migration-name   NNNN_verb_noun.sql, or .postgres.sql or .sqlite.sql beside it
  migration-expands  a migration takes nothing away that the version before still uses: old and new
                   run side by side on one schema while a version is rolled out
  sql-clock        SQL doesn't read the clock: the transaction's instant is an argument
  exception        an exception that nothing needs any more

An exception is a comment on the line, or directly above it, with its reason:

  // tidy-allow(line-length): the standard's own example, unbroken

For file-length it may stand anywhere in the file. In TOML it begins with #, in SQL with --.
";

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    path: String,
    /// From 1.
    line: usize,
    rule: &'static str,
    words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}: {}: {}",
            self.path, self.line, self.rule, self.words
        )
    }
}

/// One text file of the repository.
struct TextFile {
    /// From the root, with `/`.
    path: String,
    text: String,
    /// For Rust only.
    source: Option<Source>,
    /// The whole file is compiled for tests, benches or examples only.
    is_test: bool,
}

impl TextFile {
    fn new(path: &str, text: String) -> Self {
        let source = (extension(path) == "rs").then(|| Source::parse(&text));
        let is_test = path
            .split('/')
            .any(|part| matches!(part, "tests" | "tests.rs" | "benches" | "examples"));
        Self {
            path: path.to_owned(),
            text,
            source,
            is_test,
        }
    }

    fn is_test_line(&self, line: usize) -> bool {
        self.is_test
            || self
                .source
                .as_ref()
                .is_some_and(|source| source.is_test(line))
    }

    /// The crate's folder below `crates`, or `xtask`, or nothing.
    fn crate_name(&self) -> &str {
        match self.path.split('/').collect::<Vec<_>>()[..] {
            ["crates", name, ..] => name,
            ["xtask", ..] => "xtask",
            _ => "",
        }
    }

    fn finding(&self, line: usize, rule: &'static str, words: impl Into<String>) -> Finding {
        Finding {
            path: self.path.clone(),
            line,
            rule,
            words: words.into(),
        }
    }
}

/// What follows the last dot of a file's name.
fn extension(path: &str) -> &str {
    path.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// Checks the repository at `root` and prints what is wrong; `false` when something is.
pub fn run(root: &Path) -> Result<bool> {
    let paths = listing::list_files(root)?;
    let mut files = Vec::new();
    for path in &paths {
        let bytes = match fs::read(root.join(path)) {
            Ok(bytes) => bytes,
            // Deleted and not committed yet, or a link to nowhere: no text to check.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("couldn't read {path}")),
        };
        if let Ok(text) = String::from_utf8(bytes) {
            files.push(TextFile::new(path, text));
        }
    }
    let findings = check(files);
    for finding in &findings {
        say(&finding.to_string());
    }
    match findings.len() {
        0 => say(&format!("tidy: {} files keep the rules", paths.len())),
        n => say(&format!(
            "tidy: {n} to mend; `cargo xtask tidy --rules` explains the rules"
        )),
    }
    Ok(findings.is_empty())
}

/// All checks over all files: what is wrong, in order of place.
fn check(mut files: Vec<TextFile>) -> Vec<Finding> {
    mark_test_modules(&mut files);
    let mut findings = Vec::new();
    for file in &files {
        borders::check(file, &mut findings);
        manifests::check(file, &mut findings);
        shape::check(file, &mut findings);
        sql::check(file, &mut findings);
        words::check(file, &mut findings);
    }
    sql::check_numbers(&files, &mut findings);
    let mut findings = exceptions::settle(&files, findings);
    findings.sort();
    findings.dedup();
    findings
}

/// `#[cfg(test)] mod table;` makes the file `table.rs` beside it a test.
fn mark_test_modules(files: &mut [TextFile]) {
    let mut test_folders = Vec::new();
    for file in files.iter() {
        let Some(source) = &file.source else { continue };
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let folder = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
        };
        test_folders.extend(
            source
                .test_modules
                .iter()
                .map(|module| format!("{folder}/{module}")),
        );
    }
    for file in files {
        let module = file.path.trim_end_matches(".rs");
        file.is_test |= test_folders.iter().any(|folder| {
            module
                .strip_prefix(folder)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
    }
}

/// For the tests of the rules: what tidy says about these files, as `path:line rule`.
#[cfg(test)]
fn findings_in(files: &[(&str, &str)]) -> Vec<String> {
    let files = files
        .iter()
        .map(|(path, text)| TextFile::new(path, (*text).to_owned()))
        .collect();
    check(files)
        .iter()
        .map(|f| format!("{}:{} {}", f.path, f.line, f.rule))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_for_tests_is_a_test_in_its_own_file() {
        let files = |declaration: &str| {
            let root = format!("//! Docs.\n{declaration}\n");
            findings_in(&[
                ("crates/app/src/lib.rs", &root),
                ("crates/app/src/table.rs", "fn f() { Instant::now(); }"),
                ("crates/app/src/table/rows.rs", "fn f() { Instant::now(); }"),
            ])
        };
        assert_eq!(files("#[cfg(test)] mod table;"), Vec::<String>::new());
        assert_eq!(files("mod table;").len(), 2);
    }

    #[test]
    fn a_finding_shows_where_and_what() {
        let file = TextFile::new("crates/app/src/lib.rs", String::new());
        let shown = file.finding(3, "clock", "take a Clock").to_string();
        assert_eq!(shown, "crates/app/src/lib.rs:3: clock: take a Clock");
    }

    #[test]
    fn every_rule_of_the_help_is_checked_somewhere() {
        let checks = [
            include_str!("tidy.rs"),
            include_str!("tidy/borders.rs"),
            include_str!("tidy/exceptions.rs"),
            include_str!("tidy/manifests.rs"),
            include_str!("tidy/shape.rs"),
            include_str!("tidy/sql.rs"),
            include_str!("tidy/words.rs"),
        ];
        let names: Vec<&str> = RULES
            .lines()
            .filter_map(|line| {
                line.strip_prefix("  ")?
                    .split_once("  ")
                    .map(|(name, _)| name)
            })
            .filter(|name| !name.is_empty() && !name.contains(' '))
            .collect();
        assert!(
            names.contains(&"sql") && names.contains(&"exception"),
            "{names:?}"
        );
        for name in names {
            let quoted = format!("\"{name}\"");
            assert!(
                checks.iter().any(|text| text.contains(&quoted)),
                "nothing checks {name}"
            );
        }
    }
}
