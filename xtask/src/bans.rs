//! The crates that `deny.toml` bans, checked with nothing but cargo: cargo-deny isn't everywhere.
//!
//! It asks what is really built on this machine. `Cargo.lock` won't do: it also lists crates
//! behind features that nobody turned on.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// The banned crates among the dependencies of the workspace, tests and build scripts included.
pub fn find(root: &Path, mut cargo: Command) -> Result<Vec<String>> {
    let path = root.join("deny.toml");
    let deny = std::fs::read_to_string(&path)
        .with_context(|| format!("couldn't read {}", path.display()))?;
    cargo.args([
        "tree",
        "--workspace",
        "--locked",
        "--all-features",
        "--prefix",
        "none",
    ]);
    let output = cargo.output().context("couldn't run `cargo tree`")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "`cargo tree` failed: {}",
        complaint.trim()
    );
    Ok(banned_in(&deny, &String::from_utf8_lossy(&output.stdout)))
}

/// `tree` has one crate on each line, its name first.
fn banned_in(deny: &str, tree: &str) -> Vec<String> {
    let bans = deny
        .lines()
        .skip_while(|line| line.trim() != "[bans]")
        .skip(1);
    let bans = bans.take_while(|line| !line.starts_with('['));
    let names = bans
        .filter_map(|line| line.trim().strip_prefix('{')?.split_once("name = \""))
        .filter_map(|(_, rest)| rest.split('"').next());
    let is_built = |name: &&str| {
        tree.lines()
            .any(|line| line.split(' ').next() == Some(name))
    };
    names.filter(is_built).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_banned_crate_is_found_among_those_that_are_built() {
        let deny = "[bans]\nallow = []\ndeny = [\n  { name = \"ring\" }, # why\n  \
                    { name = \"openssl-sys\" },\n]\n[sources]\n";
        assert_eq!(
            banned_in(deny, "sqlx v0.9.0\nring v0.17.14 (*)\n"),
            ["ring"]
        );
        assert_eq!(
            banned_in(deny, "string v1.0.0\nring-buffer v1.0.0\n"),
            [""; 0]
        );
    }

    #[test]
    fn the_bans_of_this_repository_are_read() {
        let deny = include_str!("../../deny.toml");
        assert_eq!(banned_in(deny, "openssl-sys v0.9.0\n"), ["openssl-sys"]);
    }
}
