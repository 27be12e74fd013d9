//! Logs: one JSON object a line, on standard error or in a file. docs/logging.md lists the events.
//!
//! Lines go through a thread of their own with a bounded queue. When nobody reads them, or the disk
//! is full, lines are lost and nothing else: no side effect may delay a send (invariant 9).

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tracing::Subscriber;
use tracing::subscriber::set_global_default;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::traces::Traces;

/// What is logged when `BALEFIRE_LOG` does not say.
const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn,aws_config=warn";
/// Lines that wait to be written at most; more are lost.
const LINES_WAITING_MAX: usize = 50_000;

/// Writes what is left when it is dropped.
#[must_use = "lines are written while this lives"]
pub(crate) struct LogGuard(#[expect(dead_code, reason = "it works by being dropped")] WorkerGuard);

/// Logs to standard error, and tells traces to where they go.
pub(crate) fn to_stderr(traces: &Traces) -> LogGuard {
    start(std::io::stderr(), traces)
}

/// Logs to a file.
pub(crate) fn to_file(path: &Path) -> anyhow::Result<LogGuard> {
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    Ok(start(file, &Traces::default()))
}

fn start(writer: impl Write + Send + 'static, traces: &Traces) -> LogGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .finish(writer);
    let filter =
        EnvFilter::try_from_env("BALEFIRE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    // A second call changes nothing: the first writer stays.
    let _ = match traces.layer() {
        None => {
            let subscriber = Registry::default().with(filter).with(lines(writer));
            set_global_default(subscriber)
        }
        // What is logged is filtered by itself: a quiet log makes no trace incomplete.
        Some(spans) => {
            let lines = lines(writer).with_filter(filter);
            set_global_default(Registry::default().with(spans).with(lines))
        }
    };
    LogGuard(guard)
}

/// Writes a JSON object for each event.
fn lines<S>(writer: NonBlocking) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_writer(writer)
}
