//! What Cargo.toml files may say: who depends on whom (D58), and on which crates of others.

use super::{Finding, TextFile};

/// What each of our crates may build on, in what it ships. Tests may use more.
const MATRIX: [(&str, &[&str]); 16] = [
    ("domain", &[]),
    ("cap", &["domain"]),
    ("cell-broadcast", &["domain"]),
    ("geometry", &["domain"]),
    ("signature", &["domain", "cap"]), // ADR 19
    ("store", &["domain"]),
    ("gateway", &["domain"]),
    ("aws", &["domain", "gateway"]), // ADR 10
    (
        "app",
        &[
            "domain",
            "cap",
            "cell-broadcast",
            "geometry",
            "signature",
            "store",
        ],
    ),
    ("web", &["app", "domain", "cap"]),
    ("dispatcher", &["domain", "store", "gateway"]),
    ("sim", &["domain", "dispatcher"]),
    ("provider-sim", &["domain"]),
    ("test-support", EVERYTHING),
    ("balefire", EVERYTHING),
    ("xtask", &[]),
];

/// All that ships. Nobody ships the crates that are made for tests.
const EVERYTHING: &[&str] = &[
    "domain",
    "cap",
    "cell-broadcast",
    "geometry",
    "signature",
    "store",
    "gateway",
    "aws",
    "app",
    "web",
    "dispatcher",
    "provider-sim",
];

/// Crates of others that only some of ours may ship.
struct Reserved {
    names: &'static [&'static str],
    rule: &'static str,
    owners: &'static [&'static str],
}

const RESERVED: [Reserved; 5] = [
    Reserved {
        names: &["sqlx"],
        rule: "sql",
        owners: &["store"],
    },
    Reserved {
        names: &["axum", "axum-extra", "utoipa-axum", "tower-http"],
        rule: "axum",
        owners: &["web", "provider-sim", "test-support"],
    },
    Reserved {
        names: &[
            "reqwest",
            "ureq",
            "hyper",
            "hyper-util",
            "socket2",
            "tokio-rustls",
            "rustls",
        ],
        rule: "outbound",
        owners: &["gateway", "aws", "web", "provider-sim", "test-support"],
    },
    Reserved {
        names: &["aws-config", "aws-sdk-lambda", "aws-sdk-sqs"],
        rule: "outbound",
        owners: &["aws"],
    },
    Reserved {
        names: &["getrandom", "rand", "fastrand"],
        rule: "clock",
        owners: &["balefire"],
    },
];

/// What the crates without I/O can't need.
const IMPURE: [&str; 4] = ["tokio", "futures-util", "tower", "async-trait"];
const PURE: [&str; 4] = ["domain", "cap", "cell-broadcast", "geometry"];

/// One line below `[dependencies]` or `[build-dependencies]`, also of a target.
struct Dependency<'a> {
    line: usize,
    name: &'a str,
}

pub fn check(file: &TextFile, findings: &mut Vec<Finding>) {
    let owner = file.crate_name();
    let is_member = ["crates", "xtask"]
        .iter()
        .any(|folder| file.path.starts_with(folder))
        && file.path.ends_with("/Cargo.toml");
    if !is_member {
        return;
    }
    let dependencies = shipped_dependencies(&file.text);
    check_matrix(file, owner, &dependencies, findings);
    for dependency in &dependencies {
        let reserved = RESERVED.iter().filter(|reserved| {
            reserved.names.contains(&dependency.name) && !reserved.owners.contains(&owner)
        });
        findings.extend(reserved.map(|reserved| {
            let owners = reserved.owners.join(", ");
            let words = format!("{} is for {owners} only, or for tests", dependency.name);
            file.finding(dependency.line, reserved.rule, words)
        }));
        if PURE.contains(&owner) && IMPURE.contains(&dependency.name) {
            let words = format!(
                "{owner} does no I/O and awaits nothing: no {}",
                dependency.name
            );
            findings.push(file.finding(dependency.line, "pure", words));
        }
    }
    let mut lines = file
        .text
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "[lints]");
    if !lines.any(|line| line == "workspace = true") {
        let words = "take the workspace's lints: [lints] with workspace = true";
        findings.push(file.finding(1, "lints", words));
    }
}

fn check_matrix(
    file: &TextFile,
    owner: &str,
    dependencies: &[Dependency<'_>],
    findings: &mut Vec<Finding>,
) {
    let Some((_, allowed)) = MATRIX.iter().find(|(name, _)| *name == owner) else {
        let words = "this crate is not in the matrix of D58: decide what it may build on, and say \
                     so in xtask/src/tidy/manifests.rs";
        return findings.push(file.finding(1, "dependencies", words));
    };
    for dependency in dependencies {
        let Some(ours) = dependency.name.strip_prefix("balefire-") else {
            continue;
        };
        if !allowed.contains(&ours) {
            let words = match allowed {
                [] => format!("{owner} builds on no crate of ours"),
                _ => format!("{owner} builds on {} only (D58)", allowed.join(", ")),
            };
            findings.push(file.finding(dependency.line, "dependencies", words));
        }
    }
}

fn shipped_dependencies(toml: &str) -> Vec<Dependency<'_>> {
    let mut found = Vec::new();
    let mut is_list = false;
    for (at, text) in toml.lines().enumerate() {
        let text = text.split('#').next().unwrap_or_default().trim();
        let line = at + 1;
        if let Some(header) = text
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            let ships = |part: &str| part == "dependencies" || part == "build-dependencies";
            let (before, last) = header.rsplit_once('.').unwrap_or(("", header));
            is_list = ships(last);
            let table = before.rsplit_once('.').map_or(before, |(_, part)| part);
            if !is_list && ships(table) {
                found.push(Dependency {
                    line,
                    name: last.trim_matches('"'),
                });
            }
        } else if is_list && let Some((key, value)) = text.split_once('=') {
            // `name.workspace = true`, `name = "1"`, `alias = { package = "name", … }`.
            let key = key
                .trim()
                .split('.')
                .next()
                .unwrap_or_default()
                .trim_matches('"');
            let package = value
                .split_once("package")
                .and_then(|(_, rest)| rest.split('"').nth(1));
            found.push(Dependency {
                line,
                name: package.unwrap_or(key),
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    fn manifest(sections: &str) -> String {
        format!("[package]\nname = \"x\"\n{sections}\n[lints]\nworkspace = true\n")
    }

    #[test]
    fn a_crate_builds_only_on_what_the_matrix_gives_it() {
        for (owner, sections, want) in [
            (
                "app",
                "[dependencies]\nbalefire-store.workspace = true",
                None,
            ),
            (
                "app",
                "[dependencies]\nbalefire-web.workspace = true",
                Some("4 dependencies"),
            ),
            (
                "store",
                "[dependencies.balefire-app]\npath = \"../app\"",
                Some("3 dependencies"),
            ),
            (
                "domain",
                "[dependencies]\nb = { package = \"balefire-cap\" }",
                Some("4 dependencies"),
            ),
            (
                "web",
                "[dependencies]\nbalefire-test-support = \"1\"",
                Some("4 dependencies"),
            ),
            (
                "web",
                "[dev-dependencies]\nbalefire-test-support = \"1\"",
                None,
            ),
            (
                "web",
                "[target.'cfg(unix)'.dependencies]\nbalefire-sim = \"1\"",
                Some("4 dependencies"),
            ),
            ("mail", "[dependencies]", Some("1 dependencies")),
        ] {
            let path = format!("crates/{owner}/Cargo.toml");
            let found = findings_in(&[(&path, &manifest(sections))]);
            let want: Vec<String> = want.iter().map(|want| format!("{path}:{want}")).collect();
            assert_eq!(found, want, "{owner}: {sections}");
        }
    }

    #[test]
    fn some_crates_of_others_have_an_owner() {
        for (owner, name, want) in [
            ("web", "axum", None),
            ("app", "axum", Some("axum")),
            ("store", "sqlx", None),
            ("balefire", "sqlx", Some("sql")),
            ("gateway", "hyper-util", None),
            ("dispatcher", "hyper-util", Some("outbound")),
            ("balefire", "getrandom", None),
            ("store", "getrandom", Some("clock")),
            ("cap", "tokio", Some("pure")),
        ] {
            let path = format!("crates/{owner}/Cargo.toml");
            let text = manifest(&format!("[dependencies]\n{name}.workspace = true"));
            let want: Vec<String> = want.iter().map(|want| format!("{path}:4 {want}")).collect();
            assert_eq!(findings_in(&[(&path, &text)]), want, "{owner}: {name}");
            let text = manifest(&format!("[dev-dependencies]\n{name}.workspace = true"));
            assert!(
                findings_in(&[(&path, &text)]).is_empty(),
                "tests of {owner}: {name}"
            );
        }
    }

    #[test]
    fn every_crate_takes_the_lints() {
        let path = "crates/app/Cargo.toml";
        let found = findings_in(&[(path, "[package]\nname = \"x\"\n")]);
        assert_eq!(found, [format!("{path}:1 lints")]);
    }
}
