//! Traces: one from the approval or the cancel of an alert to every network's answer.
//!
//! The approval stores the name of its span with the event, and every attempt, in whatever process
//! and however late, is a child of it. Only in a build with the feature `otlp` (D61); without it
//! everything here is nothing, and a configuration that asks for traces is refused.

#[cfg(feature = "otlp")]
mod otlp;

use balefire_dispatcher::Adopt;
use tracing_subscriber::{Layer, Registry};

use crate::config::Config;

/// Where spans go, if anywhere.
#[derive(Default)]
pub(crate) struct Traces {
    #[cfg(feature = "otlp")]
    exporter: Option<otlp::Exporter>,
}

impl Traces {
    /// Prepares what the configuration asks for; a wrong configuration is refused elsewhere.
    #[cfg(feature = "otlp")]
    pub(crate) fn start(config: &Config) -> Self {
        Self {
            exporter: otlp::Exporter::new(config),
        }
    }

    /// Nothing to prepare.
    #[cfg(not(feature = "otlp"))]
    pub(crate) fn start(_: &Config) -> Self {
        Self {}
    }

    /// What takes spans in.
    #[cfg(feature = "otlp")]
    pub(crate) fn layer(&self) -> Option<Box<dyn Layer<Registry> + Send + Sync>> {
        self.exporter.as_ref().map(otlp::Exporter::layer)
    }

    /// Nothing does.
    #[cfg(not(feature = "otlp"))]
    #[expect(
        clippy::unused_self,
        reason = "it has something to say with the feature"
    )]
    pub(crate) fn layer(&self) -> Option<Box<dyn Layer<Registry> + Send + Sync>> {
        None
    }

    /// Sends what is left, within a bounded time.
    #[cfg(feature = "otlp")]
    pub(crate) async fn end(self) {
        if let Some(exporter) = self.exporter {
            exporter.end().await;
        }
    }

    /// Nothing is left.
    #[cfg(not(feature = "otlp"))]
    #[expect(clippy::unused_async, reason = "it waits with the feature")]
    pub(crate) async fn end(self) {}
}

/// Names the current span, where traces are told.
pub(crate) fn reader(config: &Config) -> Option<fn() -> Option<String>> {
    #[cfg(feature = "otlp")]
    if config.traces.endpoint_url.is_some() {
        return Some(otlp::current_traceparent);
    }
    let _ = config;
    None
}

/// Makes a span a child of a named one, where traces are told.
pub(crate) fn adopter(config: &Config) -> Option<Adopt> {
    #[cfg(feature = "otlp")]
    if config.traces.endpoint_url.is_some() {
        return Some(otlp::adopt);
    }
    let _ = config;
    None
}
