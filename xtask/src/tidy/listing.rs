//! Which files of the repository tidy reads.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

use crate::say;

/// What git knows of, and what is new and not ignored. Without git (an unpacked archive), every
/// file outside of `target` and hidden folders.
pub fn list_files(root: &Path) -> Result<BTreeSet<String>> {
    let args = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let listed = Command::new("git")
        .args(args)
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    match listed {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8_lossy(&output.stdout).into_owned();
            let names = names.split('\0').filter(|name| !name.is_empty());
            Ok(names
                .filter(|name| root.join(name).is_file())
                .map(str::to_owned)
                .collect())
        }
        _ => {
            say("tidy: git doesn't list this folder; reading all of it");
            let mut paths = BTreeSet::new();
            walk(root, "", &mut paths)?;
            Ok(paths)
        }
    }
}

fn walk(root: &Path, below: &str, paths: &mut BTreeSet<String>) -> Result<()> {
    let folder = root.join(below);
    let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() && !matches!(name.as_str(), "target" | ".git") {
            walk(root, &path, paths)?;
        } else if kind.is_file() {
            paths.insert(path);
        }
    }
    Ok(())
}
