//! What imports of areas and of populations have in common: reading a bounded file, telling how
//! far they are, and saying what is wrong with which feature.

use std::fmt;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::Context;
use balefire_app::Imported;
use balefire_app::area_libraries::{FAULTS_TOLD_MAX, Faults};
use balefire_domain::limits::AREA_FILE_BYTES_MAX;
use balefire_domain::shown::shown;
use serde_json::{Value, json};

use super::Session;
use crate::FAILED;

/// Characters of a file's name that a version remembers.
const SOURCE_CHARS_MAX: usize = 255;

/// Reads a file of at most the permitted size.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("can't read {}", path.display()))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(AREA_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .with_context(|| format!("can't read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() <= AREA_FILE_BYTES_MAX,
        "{} is larger than {AREA_FILE_BYTES_MAX} bytes: split it",
        path.display()
    );
    Ok(bytes)
}

/// The name of a file without its folder, as versions remember it.
pub(super) fn source(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    shown(&name.to_string_lossy(), SOURCE_CHARS_MAX)
}

/// One line on a terminal that says how far a long work is; nothing elsewhere.
pub(super) struct Progress {
    what: &'static str,
    of: usize,
    told: Mutex<usize>,
}

impl Progress {
    pub(super) fn new(what: &'static str, of: usize) -> Self {
        Self {
            what,
            of,
            told: Mutex::new(0),
        }
    }

    /// Tells that so many are done: each hundredth part.
    pub(super) fn tell(&self, done: usize) {
        let mut out = std::io::stderr();
        if !out.is_terminal() {
            return;
        }
        let mut told = self.told.lock().expect("nobody panics with the lock");
        let part = done * 100 / self.of.max(1);
        if part > *told || done == self.of {
            *told = part;
            let end = if done == self.of { "\n" } else { "" };
            let _ = write!(out, "\r{}: {done} of {}{end}", self.what, self.of);
            let _ = out.flush();
        }
    }
}

/// What came of an import.
pub(super) enum Outcome {
    /// It was done.
    Done(Imported),
    /// It was only tried.
    Tried(Imported),
}

impl Outcome {
    /// What an import would do, beside the latest version and its digest.
    pub(super) fn of_dry_run(latest: Option<(u32, String)>, digest: &str) -> Self {
        let (version, is_new) = match latest {
            Some((version, known)) if known == digest => (version, false),
            Some((version, _)) => (version + 1, true),
            None => (1, true),
        };
        Self::Tried(Imported { version, is_new })
    }

    /// The version that has what was given, or would have it.
    pub(super) fn version(&self) -> u32 {
        match self {
            Self::Done(imported) | Self::Tried(imported) => imported.version,
        }
    }

    /// Whether something was stored now.
    pub(super) fn is_stored(&self) -> bool {
        matches!(self, Self::Done(imported) if imported.is_new)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.version();
        match self {
            Self::Done(imported) if imported.is_new => {
                write!(f, "imported as version {version}")
            }
            Self::Done(_) => write!(f, "nothing to do: version {version} says the same"),
            Self::Tried(imported) if imported.is_new => {
                write!(
                    f,
                    "would be imported as version {version}; nothing was stored"
                )
            }
            Self::Tried(_) => write!(f, "would change nothing: version {version} says the same"),
        }
    }
}

/// The faults for programs.
pub(super) fn faults_json(faults: &Faults) -> Value {
    let told = faults
        .told
        .iter()
        .map(|fault| json!({ "feature": fault.number, "id": fault.id, "message": fault.what }));
    told.collect()
}

/// The faults for people, a line each.
pub(super) fn fault_lines(faults: &Faults) -> String {
    let mut lines: Vec<String> = faults.told.iter().map(|one| format!("  {one}")).collect();
    if faults.count > FAULTS_TOLD_MAX {
        lines.push(format!("  and {} more", faults.count - FAULTS_TOLD_MAX));
    }
    lines.join("\n")
}

/// Refuses a file for its faults, each named.
pub(super) fn refuse_faulty(session: &Session, path: &str, faults: &Faults) -> ExitCode {
    let why = format!(
        "{path}: {} faulty feature(s), and nothing was imported: mend them, or leave them out with \
         --skip-faulty",
        faults.count
    );
    if session.json {
        say!("{}", json!({ "error": why, "faults": faults_json(faults) }));
    }
    eprintln!("balefire: {why}\n{}", fault_lines(faults));
    ExitCode::from(FAILED)
}
