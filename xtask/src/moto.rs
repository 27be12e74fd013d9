//! `moto`, which stands in for AWS in the tests of the feature `aws`: a Python program in a folder
//! of its own under `target`, installed by pip at the versions of `moto-requirements.txt`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::say;

const REQUIREMENTS: &str = include_str!("../moto-requirements.txt");

/// Makes sure that it is here, at the right versions.
pub fn make(root: &Path) -> Result<()> {
    let folder = folder(root);
    let stamp = folder.join("requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|made| made == REQUIREMENTS) {
        return Ok(());
    }
    say(&format!("setup: making {}", folder.display()));
    let python = folder.join("bin/python");
    let mut venv = Command::new("python3");
    run(venv.args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet"])
        .args(["--disable-pip-version-check", "--no-input", "--requirement"])
        .arg(root.join("xtask/moto-requirements.txt"));
    run(&mut pip)?;
    // Last, so that what was interrupted is made again.
    fs::write(&stamp, REQUIREMENTS).with_context(|| format!("couldn't write {}", stamp.display()))
}

fn folder(root: &Path) -> PathBuf {
    root.join("target/moto")
}

fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("couldn't run {shown}"))?;
    ensure!(status.success(), "{shown} failed: {status}");
    Ok(())
}
