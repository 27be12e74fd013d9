//! What the private PostgreSQL asks of the machine: programs, accounts, processes, random bytes.
//!
//! Built into `cargo xtask` as well, like [`super::cluster`].

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

/// What to do when PostgreSQL is missing.
pub const WHAT_TO_DO: &str = "run `cargo xtask setup`";

/// Where Debian puts the server programs; below it one folder for each version.
const DEBIAN_ROOT: &str = "/usr/lib/postgresql";
const PROGRAMS: [&str; 4] = ["initdb", "pg_ctl", "postgres", "psql"];

/// The folder of PostgreSQL's server programs: Debian's newest version, else what PATH has.
pub fn find_programs() -> Option<PathBuf> {
    let version = |bin: &PathBuf| {
        let name = bin.parent()?.file_name()?.to_str()?;
        name.parse::<u32>().ok()
    };
    let debian = fs::read_dir(DEBIAN_ROOT).into_iter().flatten().flatten();
    let mut candidates: Vec<PathBuf> = debian.map(|entry| entry.path().join("bin")).collect();
    candidates.sort_by_key(|bin| std::cmp::Reverse(version(bin)));
    candidates.extend(std::env::split_paths(
        &std::env::var_os("PATH").unwrap_or_default(),
    ));
    candidates
        .into_iter()
        .find(|bin| PROGRAMS.iter().all(|name| bin.join(name).is_file()))
}

/// Unpredictable bytes from the system, for names and passwords.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .expect("every Unix has /dev/urandom");
    bytes
}

/// The account that the server runs as when it can't be ours, as user and group id.
pub fn server_account() -> Result<Option<(u32, u32)>> {
    if current_uid() != 0 {
        return Ok(None);
    }
    for name in ["postgres", "nobody"] {
        if let (Some(uid), Some(gid)) = (id(&["-u", name]), id(&["-g", name])) {
            return Ok(Some((uid, gid)));
        }
    }
    bail!("PostgreSQL refuses to run as root, and there is no account postgres: {WHAT_TO_DO}")
}

/// The command line of a process that lives. Linux has it as a file; elsewhere `ps` is asked.
pub fn arguments_of(process: u32) -> Option<String> {
    let bytes = if Path::new("/proc/self/cmdline").exists() {
        fs::read(format!("/proc/{process}/cmdline")).ok()?
    } else {
        let args = ["-o", "args=", "-p", &process.to_string()];
        Command::new("ps")
            .args(args)
            .stdin(Stdio::null())
            .output()
            .ok()?
            .stdout
    };
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The user that this process acts as; 0 is root.
pub fn current_uid() -> u32 {
    id(&["-u"]).expect("every Unix has `id`")
}

fn id(args: &[&str]) -> Option<u32> {
    let output = Command::new("id")
        .args(args)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// The developer's own PGHOST, PGDATA and the like are for another server.
pub fn forget_connection_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("PG")) {
            command.env_remove(name);
        }
    }
}

/// Runs a program to its end; answers what it printed, or fails with what it complained about.
pub fn run(mut command: Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("couldn't run {name}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{name}: {}: {}",
        output.status,
        complaint.trim()
    );
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
