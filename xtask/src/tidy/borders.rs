//! What may stand in which crate: invariants 1 to 3 of ARCHITECTURE.md, read in the source.

use super::source::Source;
use super::{Finding, TextFile, sql};

/// A rule about words that only some places may use.
struct Border {
    rule: &'static str,
    words: &'static [&'static str],
    is_allowed: fn(&TextFile) -> bool,
    advice: &'static str,
}

/// The crates that are tests, tools or stand-ins for the outside world.
const OUTSIDE: [&str; 3] = ["provider-sim", "test-support", "xtask"];
const PURE: [&str; 4] = ["domain", "cap", "cell-broadcast", "geometry"];

const BORDERS: [Border; 4] = [
    Border {
        rule: "axum",
        words: &["axum::", "utoipa_axum"],
        is_allowed: |file| matches!(file.crate_name(), "web" | "provider-sim" | "test-support"),
        advice: "only web and provider-sim speak axum",
    },
    Border {
        rule: "outbound",
        words: &[
            "reqwest",
            "ureq",
            "hyper::client",
            "hyper_util::client",
            "HttpConnector",
            "TcpStream::connect",
            "TcpSocket",
            "UnixStream::connect",
            "UdpSocket",
            "socket2",
        ],
        is_allowed: |file| {
            OUTSIDE.contains(&file.crate_name()) || matches!(file.crate_name(), "gateway" | "aws")
        },
        advice: "only gateway and aws open connections; send through them",
    },
    Border {
        rule: "clock",
        words: &[
            "SystemTime::now",
            "Instant::now",
            "Timestamp::now",
            "Zoned::now",
            "Utc::now",
            "getrandom",
            "rand::",
            "fastrand",
            "OsRng",
            "SystemRandom",
            "Uuid::new_v4",
            "Uuid::now_v7",
        ],
        is_allowed: |file| {
            let homes = [
                "crates/balefire/src/clock.rs",
                "crates/balefire/src/entropy.rs",
            ];
            OUTSIDE.contains(&file.crate_name()) || homes.contains(&file.path.as_str())
        },
        advice: "time and randomness are arguments: take a Clock or an Entropy",
    },
    Border {
        rule: "pure",
        words: &[
            "async",
            ".await",
            "tokio",
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "std::thread",
        ],
        is_allowed: |file| !PURE.contains(&file.crate_name()),
        advice: "this crate does no I/O, awaits nothing and starts nothing",
    },
];

pub fn check(file: &TextFile, findings: &mut Vec<Finding>) {
    let Some(source) = &file.source else { return };
    for border in BORDERS.iter().filter(|border| !(border.is_allowed)(file)) {
        for word in border.words {
            let lines = source
                .lines_with(word)
                .filter(|line| !file.is_test_line(*line));
            findings.extend(lines.map(|line| {
                file.finding(
                    line,
                    border.rule,
                    format!("`{word}` here: {}", border.advice),
                )
            }));
        }
    }
    check_sql(file, source, findings);
}

fn check_sql(file: &TextFile, source: &Source, findings: &mut Vec<Finding>) {
    if matches!(file.crate_name(), "store" | "test-support") {
        return;
    }
    for string in &source.strings {
        if sql::is_statement(&string.text) && !file.is_test_line(string.line) {
            let words = "SQL here: only crates/store and migrations speak it";
            findings.push(file.finding(string.line, "sql", words));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    #[test]
    fn what_stands_in_the_wrong_crate_is_found() {
        for (path, line, want) in [
            (
                "crates/app/src/a.rs",
                "let s = \"SELECT id\n FROM alerts\";",
                "sql",
            ),
            (
                "crates/web/src/a.rs",
                "let s = \"INSERT INTO alerts VALUES (1)\";",
                "sql",
            ),
            (
                "crates/dispatcher/src/a.rs",
                "let s = r\"UPDATE lanes SET seq = 1\";",
                "sql",
            ),
            (
                "crates/balefire/src/a.rs",
                "let s = \"DELETE FROM jobs\";",
                "sql",
            ),
            ("crates/app/src/a.rs", "use axum::Router;", "axum"),
            ("crates/app/src/a.rs", "TcpStream::connect(a)", "outbound"),
            (
                "crates/web/src/a.rs",
                "use hyper_util::client::legacy::Client;",
                "outbound",
            ),
            (
                "crates/app/src/a.rs",
                "let now = SystemTime::now();",
                "clock",
            ),
            (
                "crates/store/src/a.rs",
                "let now = jiff::Timestamp::now();",
                "clock",
            ),
            (
                "crates/sim/src/a.rs",
                "let n: u8 = rand::random();",
                "clock",
            ),
            (
                "crates/balefire/src/serve.rs",
                "let t = tokio::time::Instant::now();",
                "clock",
            ),
            ("crates/domain/src/a.rs", "pub async fn f() {}", "pure"),
            (
                "crates/cap/src/a.rs",
                "let text = std::fs::read(path);",
                "pure",
            ),
        ] {
            let found = findings_in(&[(path, line)]);
            assert_eq!(found, [format!("{path}:1 {want}")], "{line}");
        }
    }

    #[test]
    fn what_stands_in_its_place_is_left_alone() {
        for (path, line) in [
            (
                "crates/store/src/a.rs",
                "let s = \"SELECT id FROM alerts\";",
            ),
            (
                "crates/app/src/a.rs",
                "let s = \"Select one from the list, or update the set\";",
            ),
            (
                "crates/app/src/a.rs",
                "// SELECT id FROM alerts, SystemTime::now(), axum::Router",
            ),
            (
                "crates/app/tests/a.rs",
                "let s = \"SELECT id FROM alerts\"; Instant::now();",
            ),
            (
                "crates/app/src/a.rs",
                "#[cfg(test)] mod tests { fn f() { Instant::now() } }",
            ),
            (
                "crates/web/src/a.rs",
                "use axum::Router; use tokio::net::TcpStream;",
            ),
            (
                "crates/provider-sim/src/a.rs",
                "use axum::Router; let t = Instant::now();",
            ),
            (
                "crates/gateway/src/a.rs",
                "TcpStream::connect(a); use hyper_util::client::x;",
            ),
            ("crates/balefire/src/clock.rs", "let t = SystemTime::now();"),
            (
                "crates/balefire/src/entropy.rs",
                "getrandom::fill(&mut bytes);",
            ),
            ("crates/store/benches/a.rs", "let t = Instant::now();"),
            ("crates/geometry/examples/a.rs", "let t = Instant::now();"),
            (
                "crates/app/src/a.rs",
                "pub async fn f() { std::fs::read(path) }",
            ),
            (
                "crates/domain/src/a.rs",
                "let operand::x = strand::y; \"async\"",
            ),
        ] {
            assert_eq!(
                findings_in(&[(path, line)]),
                Vec::<String>::new(),
                "{path}: {line}"
            );
        }
    }
}
