//! `cargo xtask setup`: the programs that the tests need beside Rust and a C compiler.
//!
//! It installs packages and does nothing else: no service is started, stopped or configured. The
//! one file it writes keeps Debian's PostgreSQL package from making a server that nobody asked
//! for, and only where that package isn't installed yet.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{machine, python, say};

/// Debian's own settings for new servers. The package keeps a file that is already there.
const CLUSTER_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

struct Need {
    name: &'static str,
    package: &'static str,
    is_here: fn() -> bool,
}

const NEEDS: [Need; 9] = [
    Need {
        name: "PostgreSQL (initdb, pg_ctl, postgres, psql)",
        package: "postgresql",
        is_here: || machine::find_programs().is_some(),
    },
    Need {
        name: "xmllint",
        package: "libxml2-utils",
        is_here: || runs("xmllint", "--version"),
    },
    Need {
        name: "tshark",
        package: "tshark",
        is_here: || runs("tshark", "--version"),
    },
    Need {
        name: "xmlsec1",
        package: "xmlsec1",
        is_here: || runs("xmlsec1", "--version"),
    },
    Need {
        name: "sqlite3",
        package: "sqlite3",
        is_here: || runs("sqlite3", "--version"),
    },
    // The page for developers of clients uses these three, and is run.
    Need {
        name: "curl",
        package: "curl",
        is_here: || runs("curl", "--version"),
    },
    Need {
        name: "jq",
        package: "jq",
        is_here: || runs("jq", "--version"),
    },
    Need {
        name: "openssl",
        package: "openssl",
        is_here: || runs("openssl", "version"),
    },
    Need {
        name: "Python with venv",
        package: "python3-venv",
        is_here: || runs_with("python3", &["-c", "import ensurepip, venv"]),
    },
];

/// Makes sure that all is here. `false` when something is missing and can't be installed.
pub fn run(root: &Path) -> Result<bool> {
    if !install_missing()? {
        return Ok(false);
    }
    python::MOTO.make(root)?;
    python::CONTRACT.make(root)?;
    say("setup: moto and schemathesis are here");
    Ok(true)
}

fn install_missing() -> Result<bool> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_here)()).collect();
    if missing.is_empty() {
        let names: Vec<&str> = NEEDS.iter().map(|need| need.name).collect();
        say(&format!("setup: {} are here", names.join(", ")));
        return Ok(true);
    }
    for need in &missing {
        say(&format!("setup: missing: {}", need.name));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    if !is_root() || !runs("apt-get", "--version") {
        say(&format!(
            "setup: install it as root, and run this again:\n  apt-get update && apt-get install \
             -y --no-install-recommends {}",
            packages.join(" ")
        ));
        return Ok(false);
    }
    install(&packages)?;
    let still_missing: Vec<&str> = missing
        .iter()
        .filter(|need| !(need.is_here)())
        .map(|need| need.name)
        .collect();
    ensure!(
        still_missing.is_empty(),
        "apt-get installed {} and this is still missing: {}",
        packages.join(" "),
        still_missing.join(", ")
    );
    say(&format!("setup: installed {}", packages.join(" ")));
    Ok(true)
}

fn install(packages: &[&str]) -> Result<()> {
    if packages.contains(&"postgresql") && !Path::new(CLUSTER_SETTINGS).exists() {
        let folder = Path::new(CLUSTER_SETTINGS)
            .parent()
            .expect("the path has a folder");
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(CLUSTER_SETTINGS, "create_main_cluster = false\n"))
            .with_context(|| format!("couldn't write {CLUSTER_SETTINGS}"))?;
    }
    apt_get(&["update"])?;
    let options = ["install", "-y", "--no-install-recommends"];
    // A settings file that is there already is kept, without a question.
    let keep = ["-o", "Dpkg::Options::=--force-confold"];
    apt_get(&[&options[..], &keep[..], packages].concat())
}

fn apt_get(args: &[&str]) -> Result<()> {
    say(&format!("setup: apt-get {}", args.join(" ")));
    let status = Command::new("apt-get")
        .args(args)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .status()
        .context("couldn't run apt-get")?;
    ensure!(
        status.success(),
        "apt-get {} failed: {status}",
        args.join(" ")
    );
    Ok(())
}

fn is_root() -> bool {
    machine::current_uid() == 0
}

/// Whether `program` can be run at all.
fn runs(program: &str, arg: &str) -> bool {
    runs_with(program, &[arg])
}

fn runs_with(program: &str, args: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
