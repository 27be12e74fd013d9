//! `cap check`: everything that is wrong with documents.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use balefire_domain::limits::BODY_BYTES_MAX;
use serde_json::json;

use crate::FAILED;
use crate::cli::CapCommand;

pub(super) fn run(command: &CapCommand, json: bool) -> anyhow::Result<ExitCode> {
    let CapCommand::Check { files } = command;
    let mut is_fine = true;
    for file in files {
        let report = balefire_cap::check(&read(file)?);
        let errors = report
            .findings
            .iter()
            .filter(|finding| finding.is_error())
            .count();
        is_fine &= errors == 0;
        if json {
            say!(
                "{}",
                json!({ "file": file, "errors": errors, "report": report })
            );
            continue;
        }
        for finding in &report.findings {
            let weight = if finding.is_error() {
                "error"
            } else {
                "warning"
            };
            say!("{}: {weight}: {finding} [{}]", file.display(), finding.code);
        }
        if errors == 0 {
            say!("{}: can be taken", file.display());
        }
    }
    Ok(if is_fine {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Reads a file of at most the permitted size.
pub(super) fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path);
    let file = file.with_context(|| format!("can't read {}", path.display()))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(BODY_BYTES_MAX).unwrap_or(u64::MAX);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() <= BODY_BYTES_MAX,
        "{} is larger than {BODY_BYTES_MAX} bytes",
        path.display()
    );
    Ok(bytes)
}
