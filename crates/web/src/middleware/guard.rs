//! Around every request: its id, its deadline, its panic, its headers, its line in the log.
//!
//! 1. The request gets an id, which stands in the span of everything that is logged meanwhile, and
//!    with the client's address in the audit entry of everything that is done.
//! 2. A process that was told to end takes nothing in any more (503).
//! 3. It runs, for at most [`REQUEST_TIME_MAX`] (503); a panic ends it and nothing else (500).
//! 4. A fault of ours is logged once, at error, with the id; a database that is away, at warn.
//! 5. The answer gets the headers of every answer.
//! 6. One line says what was asked from where and answered: the route's template, never the path,
//!    the token or the body. The metrics are told the same.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use balefire_app::Origin;
use balefire_domain::limits::REQUEST_TIME_MAX;
use futures_util::FutureExt;
use metrics::histogram;
use tracing::Instrument;
use uuid::Uuid;

use super::source;
use crate::WebState;
use crate::problem::{Fault, Problem, Shape, to_rfc_9457};

const TRACE_ID: HeaderName = HeaderName::from_static("x-eas-trace-id");
const TRANSPORT_SECURITY: &str = "max-age=63072000; includeSubdomains; preload";

/// Runs a request.
pub(crate) async fn guard(
    State(state): State<WebState>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let (id, clock) = (state.app.entropy.uuid_v4(), &state.app.clock);
    let (method, started_at) = (request.method().clone(), clock.now());
    let began = clock.monotonic();
    let template = route.as_ref().map(MatchedPath::as_str);
    // Whatever a verb logs meanwhile is told with the request's id.
    let span = tracing::info_span!("http", request.id = %id);
    let shape = Shape::of_route(template);
    let source = source::of(&request);
    let mut response = if !method.is_safe() && (state.is_ending)() {
        Problem::ending(shape).into_response()
    } else {
        let origin = Origin::of_request(&source, id.to_string());
        origin
            .cover(run(shape, request, next).instrument(span))
            .await
    };
    if shape == Shape::Current {
        response = to_rfc_9457(response);
    }
    if let Some(fault) = response.extensions_mut().remove() {
        tell(&fault, id, &method, template.unwrap_or("unknown"));
    }
    stamp(response.headers_mut(), id);
    let took = clock.monotonic().saturating_sub(began);
    note_request(&method, template, response.status(), took);
    let ms = u64::try_from(clock.now().since(started_at).as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        event = "http.request", request.id = %id, method = %method,
        path = template.unwrap_or("unknown"), status = response.status().as_u16(), ms, source,
        "a request was answered"
    );
    response
}

/// Logs why a request could not be served.
fn tell(fault: &Fault, id: Uuid, method: &Method, path: &str) {
    match fault {
        Fault::Ours(error) => tracing::error!(
            event = "http.fault", request.id = %id, method = %method, path, error = %error,
            "a request met a fault of ours"
        ),
        Fault::Unavailable(error) => tracing::warn!(
            event = "http.unavailable", request.id = %id, method = %method, path, error = %error,
            "a request needed the database, which does not serve it"
        ),
        Fault::InDoubt(error) => tracing::warn!(
            event = "http.in_doubt", request.id = %id, method = %method, path, error = %error,
            "the database was lost in a request, and nobody knows whether it was stored"
        ),
    }
}

/// Labels of few values only: no path, and no method or status that a client made up.
fn note_request(method: &Method, template: Option<&str>, status: StatusCode, took: Duration) {
    const METHODS: [&str; 6] = ["GET", "POST", "OPTIONS", "HEAD", "PUT", "DELETE"];
    let known = METHODS.into_iter().find(|known| method.as_str() == *known);
    let class = match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    };
    histogram!(
        "balefire_http_request_duration_seconds",
        "method" => known.unwrap_or("other"),
        "route" => template.unwrap_or("unknown").to_owned(),
        "status" => class
    )
    .record(took.as_secs_f64());
}

async fn run(shape: Shape, request: Request, next: Next) -> Response {
    // The verbs keep nothing between requests but the database, whose transactions end with them:
    // what a panic leaves behind nobody sees.
    let handled = AssertUnwindSafe(async { next.run(request).await }).catch_unwind();
    match tokio::time::timeout(REQUEST_TIME_MAX, handled).await {
        Ok(Ok(response)) => response,
        Ok(Err(panic)) => {
            let fault = format!("a panic: {}", panic_text(&*panic));
            Problem::fault(shape, &fault).into_response()
        }
        Err(_) => Problem::too_slow(shape).into_response(),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without words")
}

/// The headers of every answer.
fn stamp(headers: &mut HeaderMap, id: Uuid) {
    let id = HeaderValue::try_from(id.to_string()).expect("a UUID is a header value");
    headers.insert(TRACE_ID, id);
    headers.insert(header::SERVER, HeaderValue::from_static("balefire"));
    let policy = HeaderValue::from_static("no-referrer");
    headers.insert(header::REFERRER_POLICY, policy);
    let security = HeaderValue::from_static(TRANSPORT_SECURITY);
    headers.insert(header::STRICT_TRANSPORT_SECURITY, security);
}
