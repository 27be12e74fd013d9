//! `cargo xtask contract`: holds the running service against `docs/openapi.json`.
//!
//! The asking is done by `xtask/contract/main.py`, because schemathesis is a Python library. The
//! service is the product's own binary, without planted faults: a build of the whole workspace has
//! some.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{python, say};

/// Asks, and tells what was found; whether it was nothing. `args` are those of the program.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    python::CONTRACT.make(root)?;
    let binary = build(root)?;
    let mut command = Command::new(python::CONTRACT.python(root));
    command
        // Without its folders of compiled files beside the sources.
        .arg("-B")
        .arg(root.join("xtask/contract/main.py"))
        .arg("--root")
        .arg(root)
        .arg("--binary")
        .arg(binary)
        .args(args)
        .current_dir(root)
        .stdin(Stdio::null());
    let status = command.status().context("couldn't run Python")?;
    Ok(status.success())
}

/// Builds the product; where it is.
fn build(root: &Path) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    say("contract: cargo build --package balefire");
    let mut command = Command::new(cargo);
    let output = command
        .args(["build", "--quiet", "--locked", "--package", "balefire"])
        .args(["--message-format", "json-render-diagnostics"])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("couldn't run cargo")?;
    ensure!(output.status.success(), "balefire doesn't build");
    let told = String::from_utf8_lossy(&output.stdout);
    find_executable(&told).context("cargo did not say where the binary is")
}

/// Of cargo's messages, one a line, what the last says of an executable.
fn find_executable(messages: &str) -> Option<PathBuf> {
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        let path = message.get("executable")?.as_str()?;
        Some(PathBuf::from(path))
    });
    executables.next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_binary_is_where_cargo_says() {
        let told = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
                    {\"reason\":\"compiler-artifact\",\"executable\":\"/a/balefire\"}\n\
                    {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(find_executable(told), Some(PathBuf::from("/a/balefire")));
        assert_eq!(find_executable("no JSON"), None);
    }
}
