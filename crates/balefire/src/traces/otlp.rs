//! Spans to an OpenTelemetry collector: OTLP over HTTP, as protocol buffers.
//!
//! Spans wait in a bounded queue for a thread of their own; when nobody takes them, spans are lost
//! and nothing else. They leave through the gateway's client, like everything that leaves
//! (invariant 2), and their ids come from this machine's randomness (invariant 3). Only spans of
//! ours are told, with ids and names, and never the text of an alert.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use balefire_domain::entropy::Entropy as _;
use balefire_gateway::{HttpCall, HttpClient};
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, IdGenerator, SdkTracerProvider,
};
use tokio::runtime::Handle;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use crate::config::Config;
use crate::entropy::SystemEntropy;

/// Spans that wait at most; more are lost.
const SPANS_WAITING_MAX: usize = 16_384;
/// Spans of one request.
const SPANS_PER_REQUEST_MAX: usize = 512;
/// How long spans wait for company.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// How long the collector may take.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the end of the process waits for the last spans.
const END_TIME_MAX: Duration = Duration::from_secs(2);
/// Bytes of the collector's answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// The version of `traceparent` that is written and read (W3C Trace Context, 3.2).
const VERSION: &str = "00";

/// Takes spans in and sends them.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// `None` where the configuration asks for none, or for what can't be.
    pub(super) fn new(config: &Config) -> Option<Self> {
        let endpoint = config.traces.endpoint_url.as_ref()?;
        let connect_timeout = Duration::from_millis(config.dispatch.connect_timeout_ms);
        let ca_file = config.cbc.ca_file.as_deref().map(Path::new);
        let client = HttpClient::new(connect_timeout, ca_file).ok()?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client {
                http: client.with_answer_bytes_max(ANSWER_BYTES_MAX),
                threads: Handle::try_current().ok()?,
                is_failing: Arc::default(),
            })
            .with_endpoint(format!(
                "{}/v1/traces",
                endpoint.reveal().trim_end_matches('/')
            ))
            .with_protocol(Protocol::HttpBinary)
            .with_timeout(REQUEST_TIME_MAX)
            .build()
            .ok()?;
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(SPANS_WAITING_MAX)
            .with_max_export_batch_size(SPANS_PER_REQUEST_MAX)
            .with_scheduled_delay(WAIT_MAX)
            .build();
        let processor = BatchSpanProcessor::builder(exporter);
        let about = Resource::builder_empty().with_attributes([
            KeyValue::new("service.name", "balefire"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
            KeyValue::new("deployment.environment.name", config.environment.as_str()),
        ]);
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor.with_batch_config(batches).build())
            .with_id_generator(Ids)
            .with_resource(about.build());
        Some(Self(provider.build()))
    }

    pub(super) fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let spans = tracing_opentelemetry::layer()
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_tracer(self.0.tracer("balefire"));
        let is_ours = filter_fn(|about| about.is_span() && about.target().starts_with("balefire"));
        Box::new(spans.with_filter(is_ours))
    }

    pub(super) async fn end(self) {
        // It waits for its thread, whose requests need this one.
        let ending = tokio::task::spawn_blocking(move || {
            // What could not be sent is lost; that the collector fails was said.
            let _ = self.0.shutdown_with_timeout(END_TIME_MAX);
        });
        let _ = tokio::time::timeout(END_TIME_MAX, ending).await;
    }
}

/// Names the current span, as W3C Trace Context does.
pub(super) fn current_traceparent() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let about = span.span_context();
    about.is_valid().then(|| {
        let (trace, span, flags) = (about.trace_id(), about.span_id(), about.trace_flags());
        format!("{VERSION}-{trace}-{span}-{:02x}", flags.to_u8())
    })
}

/// Makes `span` a child of the one that `traceparent` names; what can't be read changes nothing.
pub(super) fn adopt(span: &tracing::Span, traceparent: &str) {
    if let Some(parent) = parse(traceparent) {
        // Fails only where no layer takes spans in: then nobody misses it.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
}

fn parse(traceparent: &str) -> Option<SpanContext> {
    let parts: Vec<&str> = traceparent.split('-').collect();
    let [VERSION, trace, span, flags] = parts[..] else {
        return None;
    };
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?);
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let parent = SpanContext::new(trace, span, flags, true, TraceState::default());
    parent.is_valid().then_some(parent)
}

/// Ids of traces and spans.
#[derive(Debug)]
struct Ids;

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        TraceId::from(SystemEntropy.random())
    }

    fn new_span_id(&self) -> SpanId {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of it is random enough"
        )]
        SpanId::from(SystemEntropy.random() as u64)
    }
}

/// The gateway's client, for a thread that is none of the runtime's.
struct Client {
    http: HttpClient,
    threads: Handle,
    /// The latest request failed; said once.
    is_failing: Arc<AtomicBool>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

#[async_trait]
impl opentelemetry_http::HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            let value = value.to_str().unwrap_or_default();
            (name.to_string(), value.to_owned())
        };
        let call = HttpCall {
            method: head.method,
            url: head.uri.to_string(),
            headers: head.headers.iter().map(text).collect(),
            body,
            timeout: REQUEST_TIME_MAX,
        };
        let client = self.http.clone();
        let answered = self.threads.spawn(async move { client.call(call).await });
        let answered = match answered.await {
            Ok(answered) => answered.map_err(|why| why.to_string()),
            Err(ended) => Err(ended.to_string()),
        };
        self.tell(&answered.as_ref().map(|answer| answer.status));
        let answer = answered?;
        Ok(Response::builder()
            .status(answer.status)
            .body(answer.body)?)
    }
}

impl Client {
    /// Says when the collector begins to fail.
    fn tell(&self, answered: &Result<u16, &String>) {
        let why = match answered {
            Ok(200..300) => None,
            Ok(status) => Some(format!("the collector answered {status}")),
            Err(why) => Some((*why).clone()),
        };
        let was_failing = self.is_failing.swap(why.is_some(), Ordering::Relaxed);
        if let (false, Some(error)) = (was_failing, why) {
            tracing::warn!(
                event = "traces.not_sent",
                error,
                "the collector of traces fails; spans are lost until it is back, and nothing else"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_name_that_w3c_knows_is_a_parent() {
        let (trace, span) = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331");
        let parent = parse(&format!("00-{trace}-{span}-01")).expect("it is one");
        assert_eq!(parent.trace_id().to_string(), trace);
        assert_eq!(parent.span_id().to_string(), span);
        assert!(parent.is_sampled() && parent.is_remote());
        let zeros = "0".repeat(32);
        for wrong in [
            String::new(),
            format!("01-{trace}-{span}-01"),
            format!("00-{trace}-{span}"),
            format!("00-{zeros}-{span}-01"),
            format!("00-{trace}-x-01"),
            format!("00-{trace}-{span}-zz"),
        ] {
            assert_eq!(parse(&wrong), None, "{wrong}");
        }
    }
}
