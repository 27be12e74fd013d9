//! `cargo xtask load`: the speed figures of `docs/performance.md`, measured on this machine.
//!
//! The measuring itself is a bench of `balefire` (`crates/balefire/benches/load`), because it
//! needs what the product is built of and this program is to stay quick to build. A figure is no
//! test: nothing fails because a machine is slow (D57).

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::say;

/// Measures everything, or what `args` ask for; `--into FOLDER` says where the figures go.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    let into = args.iter().position(|arg| *arg == "--into");
    let into = match into.and_then(|at| args.get(at + 1)) {
        // A bench runs in its crate's folder; the person means the one they are in.
        Some(folder) => std::env::current_dir()?.join(folder),
        None => root.join("target/load"),
    };
    fs::create_dir_all(&into).with_context(|| format!("can't make {}", into.display()))?;
    let rest = others(args);
    let folder = into.display().to_string();
    let bench = [
        "bench",
        "--package",
        "balefire",
        "--bench",
        "load",
        "--",
        "--into",
        &folder,
    ];
    let status = cargo(root, &[&bench[..], &rest[..]].concat())
        .status()
        .context("couldn't run cargo")?;
    if status.success() && rest.is_empty() {
        read_cap(root, &into)?;
    }
    Ok(status.success())
}

/// The arguments that are the bench's own business.
fn others<'a>(args: &[&'a str]) -> Vec<&'a str> {
    let at = args.iter().position(|arg| *arg == "--into");
    let is_other = |index: &usize| at.is_none_or(|at| *index != at && *index != at + 1);
    let all = args.iter().enumerate();
    all.filter(|(index, _)| is_other(index))
        .map(|(_, arg)| *arg)
        .collect()
}

/// How many documents a second one core reads and judges.
fn read_cap(root: &Path, into: &Path) -> Result<()> {
    let bench = ["bench", "--package", "balefire-cap", "--bench", "read"];
    let before = load_average();
    let output = cargo(root, &bench).stderr(Stdio::inherit()).output()?;
    ensure!(output.status.success(), "the bench of balefire-cap failed");
    let figures = String::from_utf8_lossy(&output.stdout);
    let text = format!(
        "load average before: {before}\n{}\nload average after: {}\n",
        figures.trim(),
        load_average()
    );
    say(&text);
    let file = into.join("cap-reading.txt");
    fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}

fn cargo(root: &Path, args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(args).current_dir(root).stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::others;

    #[test]
    fn the_folder_is_ours_and_everything_else_the_benchs() {
        for (args, want) in [
            (&[][..], &[][..]),
            (&["--into", "x"], &[]),
            (
                &["--only", "rest", "--into", "x", "--engine", "sqlite"],
                &["--only", "rest", "--engine", "sqlite"],
            ),
        ] {
            assert_eq!(others(args), want, "{args:?}");
        }
    }
}
