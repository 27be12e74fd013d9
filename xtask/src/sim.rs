//! `cargo xtask sim`: the seeded simulator. `docs/reliability/simulator.md` tells what it runs.
//!
//! The program itself is `crates/sim/src/bin/simulate.rs`; it explains its arguments with `--help`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// What CI asks for: each planted fault until it is noticed, and 10,000 runs.
pub const CI: [&[&str]; 2] = [&["--planted"], &["--runs", "10000"]];

/// Builds and runs it with `args`; whether every promise held.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let simulate = [
        "run",
        "--quiet",
        "--locked",
        "--package",
        "balefire-sim",
        "--bin",
        "simulate",
        "--",
    ];
    let mut command = Command::new(cargo);
    command
        .args(simulate)
        .args(args)
        .current_dir(root)
        .stdin(Stdio::null());
    let status = command.status().context("couldn't run cargo")?;
    Ok(status.success())
}
