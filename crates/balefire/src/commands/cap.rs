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
use balefire_cap::rules::{Country, Use};
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
    /// Whether the rules for dispatch take it too.
    #[serde(skip)]
    is_dispatched: bool,
    findings: Vec<Finding>,
}

pub(super) fn run(command: &CapCommand, json: bool) -> anyhow::Result<ExitCode> {
    match command {
        CapCommand::Check {
            files,
            structure_only,
            used_for,
            country,
        } => {
            let asked = if *structure_only {
                Asked::Structure
            } else {
                Asked::Rules(*used_for, *country)
            };
            Ok(check(files, asked, json))
        }
        CapCommand::Sign {
            file,
            key,
            certificate,
        } => cap_sign::sign(file, key, certificate, json),
        CapCommand::Verify { file, trust } => cap_sign::check(file.as_deref(), trust, json),
        CapCommand::Write { .. } => unreachable!("it has a database: commands/mod.rs"),
    }
}

/// What documents are checked for.
#[derive(Clone, Copy)]
enum Asked {
    Structure,
    Rules(Use, Option<Country>),
}

fn check(files: &[PathBuf], asked: Asked, json: bool) -> ExitCode {
    let mut verdicts = Vec::with_capacity(files.len());
    for file in files {
        let verdict = judge(file, asked);
        if !json {
            tell(&verdict, asked);
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

fn judge(path: &Path, asked: Asked) -> Verdict {
    let mut is_dispatched = false;
    let findings = match (read_at_most(path, BODY_BYTES_MAX + 1), asked) {
        (Ok(bytes), Asked::Structure) => balefire_cap::check_structure(&bytes).findings,
        (Ok(bytes), Asked::Rules(used_for, country)) => {
            is_dispatched = balefire_cap::check_as(&bytes, Use::Dispatch, None).is_accepted;
            balefire_cap::check_as(&bytes, used_for, country).findings
        }
        (Err(error), _) => {
            let message = format!("the file can't be read: {error}");
            vec![Finding::error("unreadable", "", message)]
        }
    };
    Verdict {
        file: path.display().to_string(),
        ok: !findings.iter().any(Finding::is_error),
        is_dispatched,
        findings,
    }
}

fn tell(verdict: &Verdict, asked: Asked) {
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
    let said = match asked {
        _ if !verdict.ok => return,
        Asked::Structure => "its structure is right",
        Asked::Rules(Use::Dispatch, _) => "can be taken",
        Asked::Rules(Use::Check, _) if verdict.is_dispatched => "can be taken",
        Asked::Rules(Use::Check, _) => {
            "no errors, but it does not go to phones: `--for dispatch` says why"
        }
        Asked::Rules(Use::Send, _) => "could be sent by us",
    };
    say!("{file}: {said}");
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
