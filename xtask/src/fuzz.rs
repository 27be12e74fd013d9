//! `cargo xtask fuzz`: runs the fuzz targets longer than the tests do.
//!
//! The targets are ordinary tests (`crates/cap/tests/fuzz.rs`) on stable Rust, so this needs no
//! other compiler; the crate is optimised in test builds too. Inputs are drawn at random; one that
//! fails is made smaller and printed with its seed, and `BOLERO_RANDOM_SEED=… cargo test` brings
//! it back.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::say;

/// The targets: names of tests.
const TARGETS: [&str; 3] = [
    "any_bytes_are_read_or_refused",
    "damaged_documents_are_read_or_refused",
    "what_reads_is_written_and_reads_the_same",
];

/// Seconds that each target runs unless told.
const SECONDS: u64 = 60;
/// Seconds between two lines about progress.
const ROUND_SECONDS: u64 = 10;

/// Runs one target or all of them, one after the other; whether nothing was found.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    let (targets, seconds) = parse(args)?;
    for target in targets {
        let mut left = seconds;
        while left > 0 {
            let round = left.min(ROUND_SECONDS);
            let Some(line) = round_of(root, target, round)? else {
                return Ok(false);
            };
            left -= round;
            say(&format!(
                "{target}: {} of {seconds} s, {line}",
                seconds - left
            ));
        }
    }
    Ok(true)
}

fn parse(args: &[&str]) -> Result<(Vec<&'static str>, u64)> {
    let (mut targets, mut seconds) = (TARGETS.to_vec(), SECONDS);
    let mut rest = args;
    loop {
        match rest {
            [] => return Ok((targets, seconds)),
            ["--target", name, after @ ..] => {
                let known = TARGETS.iter().find(|target| **target == *name);
                let Some(known) = known else {
                    bail!(
                        "there is no target {name}; there are {}",
                        TARGETS.join(", ")
                    );
                };
                targets = vec![*known];
                rest = after;
            }
            ["--seconds", number, after @ ..] => {
                seconds = number.parse().context("--seconds wants a number")?;
                rest = after;
            }
            [other, ..] => bail!("`cargo xtask fuzz` knows --target and --seconds, not {other}"),
        }
    }
}

/// One run of a target: what it looked at, or nothing when it failed.
fn round_of(root: &Path, target: &str, seconds: u64) -> Result<Option<String>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["test", "--quiet", "--locked", "--package", "balefire-cap"])
        .args(["--test", "fuzz", "--", "--exact", "--nocapture", target])
        .env("BOLERO_RANDOM_TEST_TIME_MS", (seconds * 1_000).to_string())
        .env("BOLERO_RANDOM_ITERATIONS", usize::MAX.to_string())
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("couldn't run cargo")?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().find_map(|line| line.strip_prefix("fuzz: "));
    if !output.status.success() {
        say(&said);
        return Ok(None);
    }
    // A name that no test has runs nothing, and cargo calls that a success.
    let Some(line) = line else {
        say(&format!(
            "{target}: nothing was looked at; is it still a test of crates/cap/tests/fuzz.rs?"
        ));
        return Ok(None);
    };
    Ok(Some(line.to_owned()))
}
