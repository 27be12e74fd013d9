//! `cargo xtask ci`: every check in one order, the same here and in CI.
//!
//! Cheap checks come first. The first failure ends the run, and the table at the end says what ran
//! and for how long. Steps read nothing from the terminal and need nothing from the network beyond
//! what cargo itself fetches.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::{bans, contract, postgres, say, setup, sim, tidy, torture};

/// How a step ended.
enum End {
    Passed,
    Failed(String),
    /// What could be checked here is well; what was checked, and why no more.
    PassedInPart(&'static str),
}

/// One step of CI.
pub struct Step {
    name: &'static str,
    run: fn(&Path) -> Result<End>,
}

/// The features of the packages that have some.
const FEATURES: &str = "balefire/aws,balefire/otlp";
/// The tests that a feature changes; the step before ran the others.
const FEATURE_TESTS: &str =
    "package(balefire-aws) or (package(balefire) and (kind(bin) or test(/^(aws|traces)::/)))";

const STEPS: [Step; 12] = [
    Step {
        name: "setup",
        run: |root| Ok(passed_if(setup::run(root)?, "something is missing")),
    },
    Step {
        name: "fmt",
        run: |root| cargo(root, &["fmt", "--all", "--check"]),
    },
    Step {
        name: "tidy",
        run: |root| Ok(passed_if(tidy::run(root)?, "a rule is broken")),
    },
    Step {
        name: "clippy",
        run: clippy,
    },
    Step {
        name: "doc",
        run: doc,
    },
    Step {
        name: "tests",
        run: tests,
    },
    Step {
        name: "contract",
        run: hold_contract,
    },
    Step {
        name: "explorer",
        run: explorer,
    },
    Step {
        name: "sim",
        run: simulate,
    },
    Step {
        name: "torture",
        run: torture_shortly,
    },
    Step {
        name: "deny",
        run: deny,
    },
    Step {
        name: "features",
        run: features,
    },
];

/// The steps that `--only` names, separated by commas.
pub fn parse_steps(names: &str) -> Result<Vec<&'static str>> {
    let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
    let find = |name: &str| match known.iter().find(|known| **known == name) {
        Some(found) => Ok(*found),
        None => bail!(
            "CI has no step {name:?}; its steps are {}",
            known.join(", ")
        ),
    };
    names.split(',').map(|name| find(name.trim())).collect()
}

/// Runs the steps; `false` when one failed.
pub fn run(root: &Path, only: Option<&[&str]>) -> bool {
    let mut rows = Vec::new();
    let mut failure = None;
    for step in STEPS
        .iter()
        .filter(|step| only.is_none_or(|only| only.contains(&step.name)))
    {
        say(&format!("\nci: {}", step.name));
        let (end, seconds) = timed(|| (step.run)(root));
        let word = match end {
            Ok(End::Passed) => "passed".to_owned(),
            Ok(End::PassedInPart(what)) => format!("passed ({what})"),
            Ok(End::Failed(why)) => {
                failure = Some((step.name, why));
                "FAILED".to_owned()
            }
            Err(error) => {
                failure = Some((step.name, format!("{error:#}")));
                "FAILED".to_owned()
            }
        };
        rows.push((step.name, seconds, word));
        if failure.is_some() {
            break;
        }
    }
    say("");
    if rows
        .iter()
        .any(|(name, ..)| *name == "tests" || *name == "torture")
    {
        postgres::stop_if_unused(root);
    }
    say(&table(&rows));
    if let Some((name, why)) = &failure {
        say(&format!("ci: {name} failed: {why}"));
        say(&format!(
            "ci: this step alone: cargo xtask ci --only {name}"
        ));
    } else {
        say("ci: all is well");
    }
    failure.is_none()
}

fn table(rows: &[(&str, Duration, String)]) -> String {
    let line = |(name, time, word): &(&str, Duration, String)| {
        format!("  {name:<10} {:>8.1} s  {word}\n", time.as_secs_f64())
    };
    let total: Duration = rows.iter().map(|(_, time, _)| *time).sum();
    let total = format!("  {:<10} {:>8.1} s\n", "all", total.as_secs_f64());
    rows.iter().map(line).chain([total]).collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "xtask is outside of invariant 3 (D35)"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = std::time::Instant::now();
    let done = work();
    (done, start.elapsed())
}

fn clippy(root: &Path) -> Result<End> {
    let args = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ];
    cargo(root, &args)
}

fn doc(root: &Path) -> Result<End> {
    let mut command = cargo_command(root, &["doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    finish(command)
}

/// nextest where it is installed: it runs test binaries side by side and ends hanging ones. It
/// doesn't know documentation tests, hence the second command.
fn tests(root: &Path) -> Result<End> {
    if !is_installed(root, "nextest") {
        return cargo(root, &["test", "--workspace", "--locked"]);
    }
    match cargo(root, &["nextest", "run", "--workspace", "--locked"])? {
        End::Passed => cargo(
            root,
            &["test", "--quiet", "--doc", "--workspace", "--locked"],
        ),
        end => Ok(end),
    }
}

/// What the default build leaves out (D61): the packages that have features, with all of them, and
/// the tests that say something about them. Last, because it compiles most of the tree again.
fn features(root: &Path) -> Result<End> {
    let with = [
        "-p",
        "balefire",
        "-p",
        "balefire-aws",
        "--features",
        FEATURES,
    ];
    let lint = ["clippy", "--all-targets", "--locked"];
    let deny = ["--", "-D", "warnings"];
    match cargo(root, &[&lint[..], &with[..], &deny[..]].concat())? {
        End::Passed => {}
        end => return Ok(end),
    }
    if is_installed(root, "nextest") {
        let run = ["nextest", "run", "--locked", "-E", FEATURE_TESTS];
        return cargo(root, &[&run[..], &with[..]].concat());
    }
    cargo(root, &[&["test", "--locked"][..], &with[..]].concat())
}

fn explorer(root: &Path) -> Result<End> {
    cargo(
        root,
        &[
            "run",
            "-q",
            "-p",
            "balefire-sim",
            "--bin",
            "explore",
            "--locked",
            "--",
            "--quiet",
        ],
    )
}

/// Every named place once and some random moments, per database; it prints its counts.
fn simulate(root: &Path) -> Result<End> {
    for args in sim::CI {
        if !sim::run(root, args)? {
            return Ok(End::Failed("a promise did not hold".to_owned()));
        }
    }
    Ok(End::Passed)
}

/// The service against its OpenAPI document, and the pages for developers against the service.
fn hold_contract(root: &Path) -> Result<End> {
    Ok(passed_if(
        contract::run(root, &[])?,
        "what is answered is not what docs/openapi.json and docs/api say",
    ))
}

fn torture_shortly(root: &Path) -> Result<End> {
    let lints = [
        "clippy",
        "--locked",
        "--package",
        "balefire",
        "--features",
        "crash-points",
        "--test",
        "torture",
        "--",
        "-D",
        "warnings",
    ];
    match cargo(root, &lints)? {
        End::Passed => Ok(passed_if(
            torture::run(root, &torture::SHORT)?,
            "an alert was lost, doubled, disordered or stuck, or a place was not reached",
        )),
        end => Ok(end),
    }
}

/// Licences, banned crates and sources, by `deny.toml`. Advisories need a network (stack 8). Where
/// cargo-deny isn't installed, the bans are still held.
fn deny(root: &Path) -> Result<End> {
    if is_installed(root, "deny") {
        return cargo(
            root,
            &["deny", "--locked", "check", "bans", "licenses", "sources"],
        );
    }
    let banned = bans::find(root, cargo_command(root, &[]))?;
    match banned.first() {
        None => Ok(End::PassedInPart("bans only: cargo-deny is not installed")),
        Some(name) => Ok(End::Failed(format!(
            "deny.toml bans {}; `cargo tree --workspace --invert {name}` says who wants it",
            banned.join(" and ")
        ))),
    }
}

fn cargo(root: &Path, args: &[&str]) -> Result<End> {
    finish(cargo_command(root, args))
}

fn cargo_command(root: &Path, args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.args(args).current_dir(root).stdin(Stdio::null());
    command
}

fn is_installed(root: &Path, subcommand: &str) -> bool {
    let mut command = cargo_command(root, &[subcommand, "--version"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn finish(mut command: Command) -> Result<End> {
    let args: Vec<_> = command
        .get_args()
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let line = format!("cargo {}", args.join(" "));
    say(&format!("ci: {line}"));
    let status = command
        .status()
        .with_context(|| format!("couldn't run `{line}`"))?;
    Ok(passed_if(
        status.success(),
        &format!("`{line}` ended with {status}"),
    ))
}

fn passed_if(is_well: bool, otherwise: &str) -> End {
    if is_well {
        End::Passed
    } else {
        End::Failed(otherwise.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name_and_a_wrong_name_is_answered_with_the_right_ones() {
        assert_eq!(parse_steps("tidy, fmt").unwrap(), ["tidy", "fmt"]);
        let error = parse_steps("tidy,speed").unwrap_err().to_string();
        assert!(
            error.contains("no step \"speed\"") && error.contains("clippy"),
            "{error}"
        );
    }

    #[test]
    fn the_table_adds_up() {
        let rows = [
            ("fmt", Duration::from_millis(1500), "passed".to_owned()),
            ("tests", Duration::from_secs(61), "FAILED".to_owned()),
        ];
        let table = table(&rows);
        assert!(table.contains("fmt             1.5 s  passed"), "{table}");
        assert!(table.contains("all            62.5 s"), "{table}");
    }
}
