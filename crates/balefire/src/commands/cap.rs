//! `cap check`: everything that is wrong with documents.
//!
//! One line for each finding, `FILE:LINE:COLUMN: error C10: alert/…: what is wrong`, as editors and
//! terminals know them from compilers; or one JSON array. A file that can't be read is a finding
//! too, so that one bad name among many hides nothing.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use balefire_cap::Finding;
use balefire_domain::limits::BODY_BYTES_MAX;
use serde::Serialize;

use super::cap_sign;
use crate::FAILED;
use crate::cli::CapCommand;

/// What is said of one file.
#[derive(Serialize)]
struct Verdict {
    /// The argument as it was given.
    file: String,
    /// Whether no finding is an error.
    ok: bool,
    findings: Vec<Finding>,
}

pub(super) fn run(command: &CapCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        CapCommand::Check {
            files,
            structure_only,
        } => Ok(check(files, *structure_only, json)),
        CapCommand::Sign {
            file,
            key,
            certificate,
        } => cap_sign::sign(file, key, certificate, json),
        CapCommand::Verify { file, trust } => cap_sign::check(file.as_deref(), trust, json),
        CapCommand::Write { .. } => unreachable!("it has a database: commands/mod.rs"),
    }
}

fn check(files: &[PathBuf], structure_only: bool, json: bool) -> ExitCode {
    let mut verdicts = Vec::with_capacity(files.len());
    for file in files {
        let verdict = judge(file, structure_only);
        if !json {
            tell(&verdict, structure_only);
        }
        verdicts.push(verdict);
    }
    if json {
        let text = serde_json::to_string(&verdicts).expect("a verdict is plain data");
        say!("{text}");
    }
    if verdicts.iter().all(|verdict| verdict.ok) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    }
}

fn judge(path: &Path, structure_only: bool) -> Verdict {
    let findings = match read_at_most(path, BODY_BYTES_MAX + 1) {
        Ok(bytes) if structure_only => balefire_cap::check_structure(&bytes).findings,
        Ok(bytes) => balefire_cap::check(&bytes).findings,
        Err(error) => {
            let message = format!("the file can't be read: {error}");
            vec![Finding::error("unreadable", "", message)]
        }
    };
    Verdict {
        file: path.display().to_string(),
        ok: !findings.iter().any(Finding::is_error),
        findings,
    }
}

fn tell(verdict: &Verdict, structure_only: bool) {
    let file = &verdict.file;
    for finding in &verdict.findings {
        let weight = if finding.is_error() {
            "error"
        } else {
            "warning"
        };
        let (line, column, rule) = (finding.line, finding.column, finding.rule);
        let (path, message) = (&finding.path, &finding.message);
        let place = if path.is_empty() {
            String::new()
        } else {
            format!("{path}: ")
        };
        say!("{file}:{line}:{column}: {weight} {rule}: {place}{message}");
    }
    if verdict.ok && structure_only {
        say!("{file}: its structure is right");
    } else if verdict.ok {
        say!("{file}: can be taken");
    }
}

/// The first bytes of a file, at most so many.
pub(super) fn read_at_most(path: &Path, limit: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    std::fs::File::open(path)?
        .take(limit)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads a file of at most the permitted size.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = read_at_most(path, BODY_BYTES_MAX + 1)
        .with_context(|| format!("can't read {}", path.display()))?;
    anyhow::ensure!(
        bytes.len() <= BODY_BYTES_MAX,
        "{} is larger than {BODY_BYTES_MAX} bytes",
        path.display()
    );
    Ok(bytes)
}
