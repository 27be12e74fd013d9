//! Answers, the broken ones included.
//!
//! A body that fails makes hyper close the connection: before it has written anything when it fails
//! at once, in the middle when something came before.

use std::io;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use serde::Serialize;

use crate::controls::Settled;
use crate::faults::Kind;
use crate::protocol::{Outcome, Verdict};

/// The identifier that `wrong-identifier` names.
const ANOTHER_IDENTIFIER: &str = "00000000-0000-4000-8000-000000000000";

/// The answer to a request that met `settled`.
pub(crate) fn render(settled: Settled) -> Response {
    let Settled { verdict, effect } = settled;
    match effect.kind {
        Kind::Ok | Kind::Late | Kind::Slow => json(&verdict),
        Kind::Refuse => json(&Verdict {
            outcome: Outcome::Refused,
            detail: "refused by a fault".to_owned(),
            ..verdict
        }),
        Kind::Unavailable => {
            let message = "the simulated proxy is unavailable";
            error(StatusCode::SERVICE_UNAVAILABLE, "Service", message)
        }
        Kind::FunctionError => function_error(),
        Kind::Hang | Kind::DropAnswer => nothing(),
        Kind::WrongIdentifier => json(&Verdict {
            identifier: ANOTHER_IDENTIFIER.to_owned(),
            ..verdict
        }),
        Kind::Truncated => truncated(&verdict),
        Kind::NotJson => {
            let page = "<html><body>200 OK</body></html>";
            with_type(StatusCode::OK, "text/html", Body::from(page))
        }
    }
}

/// An error of the Invoke API itself.
pub(crate) fn error(status: StatusCode, kind: &'static str, message: &str) -> Response {
    #[derive(Serialize)]
    struct Error<'a> {
        #[serde(rename = "Type")]
        kind: &'static str,
        message: &'a str,
    }
    with_type(
        status,
        "application/json",
        Body::from(to_bytes(&Error { kind, message })),
    )
}

/// Closes the connection without a byte.
pub(crate) fn nothing() -> Response {
    Response::new(Body::from_stream(stream::once(async {
        Err::<Bytes, _>(cut_off())
    })))
}

fn json(verdict: &Verdict) -> Response {
    with_type(
        StatusCode::OK,
        "application/json",
        Body::from(to_bytes(verdict)),
    )
}

fn function_error() -> Response {
    let body = r#"{"errorMessage":"the simulated function failed","errorType":"Error"}"#;
    let mut response = with_type(StatusCode::OK, "application/json", Body::from(body));
    let name = HeaderName::from_static("x-amz-function-error");
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static("Unhandled"));
    response
}

/// Announces the whole answer, sends the first half, and closes the connection.
fn truncated(verdict: &Verdict) -> Response {
    let whole = to_bytes(verdict);
    let half = whole.slice(..whole.len() / 2);
    let body = stream::unfold(Some(half), |half| async {
        if half.is_none() {
            // hyper writes what it has only when the body makes it wait.
            tokio::task::yield_now().await;
        }
        Some((half.ok_or_else(cut_off), None))
    });
    let mut response = with_type(StatusCode::OK, "application/json", Body::from_stream(body));
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(whole.len()));
    response
}

fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

fn cut_off() -> io::Error {
    io::Error::other("a fault cuts this answer off")
}

fn to_bytes(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("it has text keys and plain values only"))
}
