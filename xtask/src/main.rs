//! The project's own chores: `cargo xtask ci`, `setup`, `tidy`, `contract`, `postgres`,
//! `load`, `fuzz`, `torture`, `sim`.
//!
//! In Rust rather than shell, so that they run the same everywhere and are tested like the rest.
//! Exit codes are those of the product: 0 done, 1 refused or failed, 2 wrong usage.

mod bans;
mod ci;
#[path = "../../crates/test-support/src/postgres/cluster.rs"]
mod cluster;
mod contract;
mod countries;
mod fuzz;
mod load;
#[path = "../../crates/test-support/src/postgres/machine.rs"]
mod machine;
mod postgres;
mod python;
mod setup;
mod sim;
mod tidy;
mod torture;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

const HELP: &str = "\
cargo xtask: the chores of this repository

  cargo xtask ci                    everything that must hold before a commit; the same in CI
  cargo xtask ci --only tidy,fmt    some of its steps, in its own order
  cargo xtask setup                 make sure that the tests' PostgreSQL, xmllint and moto are
                                    here; installs packages on Debian when run as root
  cargo xtask tidy                  the rules of this project that no other tool checks
  cargo xtask tidy --rules          what those rules are, and how to make an exception
  cargo xtask postgres start        start the tests' private PostgreSQL and print its URL
  cargo xtask postgres stop         stop it; tests start it by themselves and leave it running
  cargo xtask countries             make the built-in library of countries anew, by npm
  cargo xtask contract              hold the running service against docs/openapi.json
                                    --seed N, --good N and --bad N requests per operation
  cargo xtask load                  measure speed and memory of the release build; some minutes
  cargo xtask load --into FOLDER    put the figures there; also --only PARTS, --engine NAME
  cargo xtask fuzz                  read hostile documents for a minute per target; also
                                    --target NAME, --seconds N
  cargo xtask sim                   run dispatch through 10,000 seeds of trouble; also --runs N,
                                    --seed S, --only-seed X --trace, --planted, --threads N
  cargo xtask torture --short       kill the service at every named place and at random; minutes
  cargo xtask torture               the same 20 times each and 500 times: an hour
                                    --engine sqlite|postgres, --kills N, --each N, --point NAME,
                                    --jobs N, --seed S

A first visit: `cargo xtask setup`, then `cargo xtask ci`.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match args[..] {
        [] | ["help" | "--help" | "-h", ..] | [_, "--help" | "-h"] => {
            say(HELP);
            Ok(true)
        }
        ["ci"] => Ok(ci::run(workspace_root(), None)),
        ["ci", "--only", steps] => match ci::parse_steps(steps) {
            Ok(steps) => Ok(ci::run(workspace_root(), Some(&steps))),
            Err(error) => return wrong_usage(&error.to_string()),
        },
        ["setup"] => setup::run(workspace_root()),
        ["tidy"] => tidy::run(workspace_root()),
        ["tidy", "--rules"] => {
            say(tidy::RULES);
            Ok(true)
        }
        ["postgres", "start"] => postgres::start(workspace_root()),
        ["countries"] => countries::run(workspace_root()),
        ["contract", ref args @ ..] => contract::run(workspace_root(), args),
        ["load", ref args @ ..] => load::run(workspace_root(), args),
        ["fuzz", ref args @ ..] => fuzz::run(workspace_root(), args),
        ["sim", ref args @ ..] => sim::run(workspace_root(), args),
        ["torture", ref args @ ..] => torture::run(workspace_root(), args),
        ["postgres", "stop"] => postgres::stop(workspace_root()),
        _ => return wrong_usage(&format!("there is no `cargo xtask {}`", args.join(" "))),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            complain(&format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn wrong_usage(complaint: &str) -> ExitCode {
    complain(complaint);
    say(&format!("\n{HELP}"));
    ExitCode::from(2)
}

/// Prints to the standard output. Whoever reads it may stop reading: that is no failure of ours.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{}", text.trim_end_matches('\n'));
}

fn complain(text: &str) {
    let _ = writeln!(std::io::stderr(), "xtask: {text}");
}

fn workspace_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}
