//! Python programs that tests need, each in a folder of its own under `target`, installed by pip at
//! pinned versions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::say;

/// What is to be installed where.
pub struct Environment {
    /// Of the folder under `target`.
    pub name: &'static str,
    /// The file that lists every package with its version, from the repository's root.
    pub requirements_path: &'static str,
    /// What it says.
    pub requirements: &'static str,
}

/// `moto`, which stands in for AWS in the tests of the feature `aws`.
pub const MOTO: Environment = Environment {
    name: "moto",
    requirements_path: "xtask/moto-requirements.txt",
    requirements: include_str!("../moto-requirements.txt"),
};

/// What holds the service against its OpenAPI document.
pub const CONTRACT: Environment = Environment {
    name: "contract",
    requirements_path: "xtask/contract-requirements.txt",
    requirements: include_str!("../contract-requirements.txt"),
};

impl Environment {
    /// Makes sure that it is here, at the right versions.
    pub fn make(&self, root: &Path) -> Result<()> {
        let folder = self.folder(root);
        let stamp = folder.join("requirements.txt");
        if fs::read_to_string(&stamp).is_ok_and(|made| made == self.requirements) {
            return Ok(());
        }
        say(&format!("setup: making {}", folder.display()));
        let mut venv = Command::new("python3");
        run(venv.args(["-m", "venv", "--clear"]).arg(&folder))?;
        let mut pip = Command::new(self.python(root));
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--no-input", "--requirement"])
            .arg(root.join(self.requirements_path));
        run(&mut pip)?;
        // Last, so that what was interrupted is made again.
        fs::write(&stamp, self.requirements)
            .with_context(|| format!("couldn't write {}", stamp.display()))
    }

    /// Its interpreter.
    pub fn python(&self, root: &Path) -> PathBuf {
        self.folder(root).join("bin/python")
    }

    fn folder(&self, root: &Path) -> PathBuf {
        root.join("target").join(self.name)
    }
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
