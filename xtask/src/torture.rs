//! `cargo xtask torture`: kills the real service again and again and looks what became of its
//! alerts. `docs/reliability/kill.md` tells how, and what came of it.
//!
//! The program itself is `crates/balefire/tests/torture`, because it needs what the product is
//! built of; it and the service are built once, with the feature `crash-points`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// What CI asks for: each named place once and 20 kills at random moments, per database.
pub const SHORT: [&str; 1] = ["--short"];

/// Builds and runs it with `args`; whether nothing was wrong.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let test = [
        "test",
        "--quiet",
        "--locked",
        "--package",
        "balefire",
        "--features",
        "crash-points",
        "--test",
        "torture",
        "--",
        "--torture",
    ];
    let mut command = Command::new(cargo);
    command
        .args(test)
        .args(args)
        .current_dir(root)
        .stdin(Stdio::null());
    let status = command.status().context("couldn't run cargo")?;
    Ok(status.success())
}
