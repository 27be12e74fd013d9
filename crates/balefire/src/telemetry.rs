//! Logs: one JSON object a line, on standard error or in a file. docs/logging.md lists the events.

use std::fs::File;
use std::path::Path;
use std::sync::Mutex;

use anyhow::Context;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What is logged when `BALEFIRE_LOG` does not say.
const DEFAULT_FILTER: &str = "info,sqlx=warn,hyper=warn";

/// Logs to standard error.
pub(crate) fn to_stderr() {
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let layer = layer.with_current_span(false).with_writer(std::io::stderr);
    // A second call changes nothing: the first writer stays.
    let _ = tracing_subscriber::registry()
        .with(filter())
        .with(layer)
        .try_init();
}

/// Logs to a file.
pub(crate) fn to_file(path: &Path) -> anyhow::Result<()> {
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    let layer = tracing_subscriber::fmt::layer().json().flatten_event(true);
    let layer = layer.with_current_span(false).with_writer(Mutex::new(file));
    let _ = tracing_subscriber::registry()
        .with(filter())
        .with(layer)
        .try_init();
    Ok(())
}

fn filter() -> EnvFilter {
    EnvFilter::try_from_env("BALEFIRE_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER))
}
