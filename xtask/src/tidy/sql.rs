//! SQL and migrations: what is a statement, how migrations are named, and that SQL reads no clock.

use super::source::has_word;
use super::{Finding, TextFile, extension};

/// The verb that a statement begins with, and a word that must follow somewhere; prose in small
/// letters is no SQL.
const VERBS: [(&str, &str); 8] = [
    ("SELECT ", " FROM "),
    ("INSERT INTO ", ""),
    ("UPDATE ", " SET "),
    ("DELETE FROM ", ""),
    ("CREATE TABLE ", ""),
    ("ALTER TABLE ", ""),
    ("DROP TABLE ", ""),
    ("BEGIN ", "IMMEDIATE"),
];

/// Spellings of "now" in both engines, in small letters. The probe that compares the database's
/// clock with ours (D35) has `clock_timestamp()` and `unixepoch()`, which stay allowed.
const CLOCKS: [&str; 6] = [
    "now()",
    "current_timestamp",
    "current_date",
    "current_time",
    "localtimestamp",
    "('now'",
];

/// What a version that is still running would miss, or would be refused by, in small letters.
const CONTRACTIONS: [&str; 7] = [
    "drop table",
    "drop column",
    "rename to",
    "rename column",
    "set not null",
    "set data type",
    "drop default",
];

/// Whether a string is, or contains, an SQL statement.
pub fn is_statement(text: &str) -> bool {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    VERBS.iter().any(|(verb, follows)| {
        text.match_indices(verb).any(|(at, _)| {
            let begins = text[..at]
                .chars()
                .next_back()
                .is_none_or(|c| !c.is_alphanumeric());
            begins && text[at + verb.len() - 1..].contains(follows)
        })
    })
}

pub fn check(file: &TextFile, findings: &mut Vec<Finding>) {
    if let Some(source) = &file.source {
        if matches!(file.crate_name(), "store") {
            for string in source
                .strings
                .iter()
                .filter(|string| is_statement(&string.text))
            {
                check_clock(file, string.line, &string.text, findings);
            }
        }
    } else if extension(&file.path) == "sql" {
        check_clock(file, 1, &file.text, findings);
        check_place(file, findings);
        if file.path.starts_with("migrations/") {
            check_expands(file, findings);
        }
    }
}

fn check_clock(file: &TextFile, first_line: usize, text: &str, findings: &mut Vec<Finding>) {
    for (at, line) in text.lines().enumerate() {
        let sql = line.split("--").next().unwrap_or_default().to_lowercase();
        if let Some(clock) = CLOCKS.iter().find(|clock| has_word(&sql, clock)) {
            let words = format!("`{clock}` in SQL: pass the transaction's instant");
            findings.push(file.finding(first_line + at, "sql-clock", words));
        }
    }
}

/// Old and new versions work on one schema during a rolling deploy, so a migration only adds: what
/// it takes away must have been unused by the version before, which an exception has to say.
fn check_expands(file: &TextFile, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.lines().enumerate() {
        let sql = line.split("--").next().unwrap_or_default().to_lowercase();
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let contracts = CONTRACTIONS.iter().find(|words| sql.contains(*words));
        let is_demanding = sql.contains("add column") && sql.contains("not null");
        if let Some(words) = contracts {
            let words = format!("`{words}`: the version before may still use it");
            findings.push(file.finding(at + 1, "migration-expands", words));
        } else if is_demanding && !sql.contains("default") {
            let words = "NOT NULL without DEFAULT: the version before does not fill it";
            findings.push(file.finding(at + 1, "migration-expands", words));
        }
    }
}

fn check_place(file: &TextFile, findings: &mut Vec<Finding>) {
    let Some((folder, name)) = file.path.rsplit_once('/') else {
        return findings.push(file.finding(1, "sql", "SQL files belong into migrations"));
    };
    if folder.split('/').next_back() == Some("migrations") {
        if migration_number(name).is_none() {
            let words = "a migration is named NNNN_verb_noun.sql, with .postgres or .sqlite before \
                         .sql where one engine needs more";
            findings.push(file.finding(1, "migration-name", words));
        }
    } else if !file.is_test && !matches!(file.crate_name(), "store") && !folder.starts_with("docs")
    {
        findings.push(file.finding(1, "sql", "SQL files belong into migrations or crates/store"));
    }
}

/// The number and the name without engine of a rightly named migration.
fn migration_number(file_name: &str) -> Option<(&str, &str)> {
    let stem = file_name.strip_suffix(".sql")?;
    let stem = stem
        .strip_suffix(".postgres")
        .or_else(|| stem.strip_suffix(".sqlite"))
        .unwrap_or(stem);
    let (number, words) = stem.split_once('_')?;
    let is_number = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_named = words.contains('_') && words.split('_').all(is_word);
    (is_number && is_named).then_some((number, words))
}

/// Two migrations with one number would run in an order that nobody chose.
pub fn check_numbers(files: &[TextFile], findings: &mut Vec<Finding>) {
    let migrations: Vec<_> = files
        .iter()
        .filter_map(|file| {
            let (folder, name) = file.path.rsplit_once('/')?;
            let (number, words) = migration_number(name)?;
            folder
                .ends_with("migrations")
                .then_some((file, folder, number, words))
        })
        .collect();
    for (file, folder, number, words) in &migrations {
        let rival = migrations
            .iter()
            .find(|(_, other_folder, other_number, other_words)| {
                other_folder == folder && other_number == number && other_words < words
            });
        if let Some((rival, ..)) = rival {
            let words = format!("{} has this number already", rival.path);
            findings.push(file.finding(1, "migration-name", words));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    #[test]
    fn migrations_are_named_by_number_verb_and_noun() {
        for (name, is_right) in [
            ("0001_create_alerts.sql", true),
            ("0002_add_lanes.postgres.sql", true),
            ("0002_add_lanes.sqlite.sql", true),
            ("0013_widen_alert_texts.sql", true),
            ("1_create_alerts.sql", false),
            ("0001_alerts.sql", false),
            ("0001-create-alerts.sql", false),
            ("0001_Create_Alerts.sql", false),
            ("0001_create_alerts.mysql.sql", false),
            ("create_alerts.sql", false),
        ] {
            let path = format!("migrations/{name}");
            let want = if is_right {
                vec![]
            } else {
                vec![format!("{path}:1 migration-name")]
            };
            assert_eq!(findings_in(&[(&path, "SELECT 1;")]), want);
        }
    }

    #[test]
    fn a_migration_takes_nothing_away_that_the_version_before_uses() {
        for (sql, is_right) in [
            ("ALTER TABLE a ADD COLUMN b TEXT;", true),
            (
                "ALTER TABLE a ADD COLUMN b BIGINT NOT NULL DEFAULT 0;",
                true,
            ),
            ("ALTER TABLE a ALTER COLUMN b DROP NOT NULL;", true),
            ("CREATE TABLE a (b TEXT NOT NULL); -- no DROP TABLE", true),
            ("ALTER TABLE a ADD COLUMN b TEXT NOT NULL;", false),
            ("ALTER TABLE a ALTER COLUMN b SET NOT NULL;", false),
            ("DROP  TABLE a;", false),
            ("ALTER TABLE a RENAME TO b;", false),
            ("ALTER TABLE a DROP COLUMN b;", false),
        ] {
            let path = "migrations/0002_change_alerts.sql";
            let want = if is_right {
                vec![]
            } else {
                vec![format!("{path}:1 migration-expands")]
            };
            assert_eq!(findings_in(&[(path, sql)]), want, "{sql}");
        }
    }

    #[test]
    fn a_number_is_given_once() {
        let found = findings_in(&[
            ("migrations/0001_create_alerts.sql", ""),
            ("migrations/0001_create_alerts.sqlite.sql", ""),
            ("migrations/0001_create_lanes.sql", ""),
        ]);
        assert_eq!(found, ["migrations/0001_create_lanes.sql:1 migration-name"]);
    }

    #[test]
    fn sql_reads_no_clock() {
        for (path, text, line) in [
            (
                "migrations/0001_create_alerts.sql",
                "--\nat BIGINT DEFAULT CURRENT_TIMESTAMP",
                2,
            ),
            (
                "crates/store/src/a.rs",
                "const A: &str = \"\nUPDATE a SET b = now()\";",
                2,
            ),
            (
                "crates/store/src/a.rs",
                "f(\"DELETE FROM a WHERE b < datetime('now')\")",
                1,
            ),
        ] {
            assert_eq!(
                findings_in(&[(path, text)]),
                [format!("{path}:{line} sql-clock")]
            );
        }
        for (path, text) in [
            (
                "migrations/0001_create_alerts.sql",
                "-- no now() here\nknown_at BIGINT",
            ),
            (
                "crates/store/src/a.rs",
                "f(\"SELECT clock_timestamp() FROM instances\"); now();",
            ),
            (
                "crates/store/src/a.rs",
                "f(\"the clock of now() is wrong\");",
            ),
        ] {
            assert_eq!(findings_in(&[(path, text)]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn sql_files_have_their_place() {
        let found = |path| findings_in(&[(path, "SELECT 1;")]);
        assert_eq!(
            found("crates/web/src/list.sql"),
            ["crates/web/src/list.sql:1 sql"]
        );
        assert_eq!(found("setup.sql"), ["setup.sql:1 sql"]);
        assert!(found("crates/web/tests/data/list.sql").is_empty());
    }
}
