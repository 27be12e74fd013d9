//! `import`: the data of the earlier service.

use std::fmt::Write as _;
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use balefire_app::import::{Counts, Earlier, EarlierKey, Report, Wish};

use super::Session;
use crate::FAILED;
use crate::cli::Import;

/// Bytes of a file with a password or a key.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;

pub(super) async fn run(session: &Session, asked: &Import) -> anyhow::Result<ExitCode> {
    let password = match &asked.password_file {
        None => None,
        Some(file) => {
            let text = read_secret(file)?;
            let line = text.lines().next().unwrap_or_default().to_owned();
            anyhow::ensure!(!line.is_empty(), "{} has no password in it", file.display());
            Some(line)
        }
    };
    let key = match &asked.secret_key_file {
        None => None,
        Some(file) => {
            let read = EarlierKey::read(&read_secret(file)?);
            let named = |why: String| anyhow::anyhow!("{}: {why}", file.display());
            Some(read.map_err(named)?)
        }
    };
    // It freezes what the configuration says into what is still to be sent: it must be sound.
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    let mut earlier = Earlier::open(asked.from.reveal(), password.as_deref()).await?;
    let wish = Wish {
        actor,
        is_dry: asked.dry_run,
        key: key.as_ref(),
        progress: &tell_progress,
    };
    let done = app.import_earlier(&mut earlier, &wish).await;
    earlier.close().await;
    let report = done.context(
        "the import did not come to its end: what was brought stays; run it again to go on",
    )?;
    session.print(&report.to_json(), || plain(&report));
    Ok(if report.is_complete() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

fn read_secret(file: &Path) -> anyhow::Result<String> {
    let opened = std::fs::File::open(file);
    let opened = opened.with_context(|| format!("can't read {}", file.display()))?;
    let mut text = String::new();
    let read = opened.take(SECRET_FILE_BYTES_MAX).read_to_string(&mut text);
    read.with_context(|| format!("can't read {}", file.display()))?;
    Ok(text)
}

/// One line on a terminal that says how far it is; nothing elsewhere.
fn tell_progress(table: &str, read: u64) {
    let mut out = std::io::stderr();
    if out.is_terminal() {
        let _ = write!(out, "\r{table}: {read} read\x1b[K");
        let _ = out.flush();
    }
}

fn plain(report: &Report) -> String {
    let mut text = format!(
        "{:<32} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
        "table of the earlier service", "read", "new", "here", "differ", "refused", "left"
    );
    let mut line = |name: &str, counts: &Counts| {
        let _ = write!(
            text,
            "\n{name:<32} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
            counts.read, counts.new, counts.same, counts.differs, counts.refused, counts.left
        );
    };
    for (table, counts) in &report.tables {
        line(table, counts);
    }
    line("together", &report.total());
    for told in &report.told {
        let _ = write!(
            text,
            "\n{} {} {}: {}",
            told.what, told.table, told.name, told.why
        );
    }
    if report.untold > 0 {
        let _ = write!(text, "\nand {} more", report.untold);
    }
    for told in &report.alarms {
        let _ = write!(
            text,
            "\nON THE AIR there, and not here as it is there: {} {} {}: {}",
            told.what, told.table, told.name, told.why
        );
    }
    if report.unalarmed > 0 {
        let _ = write!(text, "\nand {} more ON THE AIR", report.unalarmed);
    }
    let held = report.held.len();
    text.push('\n');
    let end = match (report.is_dry, held) {
        (true, 0) => "nothing was written".to_owned(),
        (true, _) => format!("nothing was written; {held} alert(s) would come held"),
        (false, 0) => "nothing is held by this import".to_owned(),
        (false, _) => format!(
            "{held} alert(s) that are not over came held, and nothing is sent until `balefire \
             database release`"
        ),
    };
    text.push_str(&end);
    text
}
