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
use tracing_subscriber::filter::FilterExt as _;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::outage::NoConsequences;
use crate::traces::Traces;

/// Who logs: it decides what is logged when `BALEFIRE_LOG` does not say.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Speaker {
    /// What runs until it is told to end: its log is how one learns what it does.
    Service,
    /// What does one thing and prints it: only what is not as it should be is logged beside that.
    Command,
}

impl Speaker {
    const fn filter(self) -> &'static str {
        match self {
            Self::Service => "info,sqlx=warn,hyper=warn,aws_config=warn",
            Self::Command => "warn",
        }
    }
}

/// Lines that wait to be written at most; more are lost.
const LINES_WAITING_MAX: usize = 50_000;

/// Writes what is left when it is dropped.
#[must_use = "lines are written while this lives"]
pub(crate) struct LogGuard(#[expect(dead_code, reason = "it works by being dropped")] WorkerGuard);

/// Logs to standard error, and tells traces to where they go.
pub(crate) fn to_stderr(speaker: Speaker, traces: &Traces) -> LogGuard {
    start(std::io::stderr(), speaker, traces)
}

/// Logs to a file.
pub(crate) fn to_file(path: &Path) -> anyhow::Result<LogGuard> {
    let file = File::create(path).with_context(|| format!("can't write {}", path.display()))?;
    Ok(start(file, Speaker::Service, &Traces::default()))
}

fn start(writer: impl Write + Send + 'static, speaker: Speaker, traces: &Traces) -> LogGuard {
    let (writer, guard) = NonBlockingBuilder::default()
        .lossy(true)
        .buffered_lines_limit(LINES_WAITING_MAX)
        .finish(writer);
    let filter = EnvFilter::try_from_env("BALEFIRE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(speaker.filter()));
    // A second call changes nothing: the first writer stays.
    let _ = match traces.layer() {
        None => {
            let lines = lines(writer).with_filter(NoConsequences);
            let subscriber = Registry::default().with(filter).with(lines);
            set_global_default(subscriber)
        }
        // What is logged is filtered by itself: a quiet log makes no trace incomplete.
        Some(spans) => {
            let lines = lines(writer).with_filter(filter.and(NoConsequences));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    const PAGE: &str = include_str!("../../../docs/logging.md");

    /// Adds the events that the sources in a folder name.
    fn collect(folder: &std::path::Path, events: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("it is there") {
            let path = entry.expect("it can be read").path();
            if path.is_dir() {
                collect(&path, events);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("it is a text");
                let named = text.split("event = \"").skip(1);
                events.extend(named.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }

    #[test]
    fn the_page_of_the_log_lists_every_event() {
        let mut events = BTreeSet::new();
        let crates = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        for entry in std::fs::read_dir(crates).expect("it is there") {
            let sources = entry.expect("it can be read").path().join("src");
            if sources.is_dir() {
                collect(&sources, &mut events);
            }
        }
        let is_event = |name: &&String| {
            name.chars()
                .all(|c| c.is_ascii_lowercase() || "._".contains(c))
        };
        let events: Vec<_> = events.iter().filter(is_event).collect();
        assert!(events.len() > 50, "{events:?}");
        let is_missing = |name: &&&String| !PAGE.contains(&format!("`{name}`"));
        let missing: Vec<_> = events.iter().filter(is_missing).collect();
        assert!(missing.is_empty(), "docs/logging.md lacks {missing:?}");
    }

    #[test]
    fn sec_51_whatever_is_logged_stays_one_object_on_one_line() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let (writer, guard) = NonBlockingBuilder::default()
            .lossy(false)
            .finish(file.reopen().expect("the same file"));
        let forged = "a\r\n{\"event\":\"alert.approved\",\"level\":\"ERROR\"}\u{2028}\u{1b}[2J\0\"";
        tracing::subscriber::with_default(Registry::default().with(lines(writer)), || {
            tracing::info!(event = "audit.refused", path = forged, "{forged}");
            tracing::warn!(event = "audit.refused", path = ?forged, other = %forged);
        });
        drop(guard);
        let text = std::fs::read_to_string(file.path()).expect("what was logged");
        let logged: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("an object on each line"))
            .collect();
        assert_eq!(logged.len(), 2, "{text}");
        for line in &logged {
            assert_eq!(line["event"], "audit.refused", "{line}");
            assert_ne!(line["level"], "ERROR", "{line}");
        }
        assert_eq!(logged[0]["path"], forged);
        assert!(!text.contains('\u{1b}') && !text.contains('\0'), "{text:?}");
    }
}
