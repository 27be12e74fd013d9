//! Logs: one JSON object a line, on standard error or in a file. docs/logging.md lists the events.
//!
//! Lines go through a thread of their own with a bounded queue. When nobody reads them, or the disk
//! is full, lines are lost and nothing else: no side effect may delay a send (invariant 9).

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// What is logged when `BALEFIRE_LOG` does not say.
const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn,aws_config=warn";
/// Lines that wait to be written at most; more are lost.
const LINES_WAITING_MAX: usize = 50_000;

/// Writes what is left when it is dropped.
#[must_use = "lines are written while this lives"]
pub(crate) struct LogGuard(#[expect(dead_code, reason = "it works by being dropped")] WorkerGuard);

/// Logs to standard error.
pub(crate) fn to_stderr() -> LogGuard {
    start(std::io::stderr())
}

/// Logs to a file.
pub(crate) fn to_file(path: &Path) -> anyhow::Result<LogGuard> {
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    Ok(start(file))
}

fn start(writer: impl Write + Send + 'static) -> LogGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .finish(writer);
    let filter =
        EnvFilter::try_from_env("BALEFIRE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_env_filter(filter)
        .with_writer(writer)
        .finish();
    // A second call changes nothing: the first writer stays.
    let _ = tracing::subscriber::set_global_default(subscriber);
    LogGuard(guard)
}
