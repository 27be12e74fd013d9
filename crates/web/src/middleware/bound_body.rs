//! A body that announces more than the limit is refused before anything else is looked at, and
//! before a byte of it is read (D43). What comes in chunks is cut where it is read.
//!
//! A body that was not read to its end may end its connection, since what is still coming can't be
//! told from the next request. The answer says so (`Connection: close`): a client that believed the
//! connection alive would lose its next request.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};

use crate::WebState;
use crate::problem::{Problem, Shape};

/// 413 for what is announced too large, on every known path.
pub(crate) async fn bound_body(
    State(state): State<WebState>,
    route: Option<MatchedPath>,
    request: Request,
    next: Next,
) -> Response {
    let bytes_max = state.limits.body_bytes_max;
    let is_too_large = announced_bytes(&request).is_some_and(|bytes| bytes > bytes_max as u64);
    match route {
        Some(route) if is_too_large => {
            let shape = Shape::of_route(Some(route.as_str()));
            Problem::body_too_large(shape, bytes_max).into_response()
        }
        Some(_) | None => run(request, next).await,
    }
}

async fn run(request: Request, next: Next) -> Response {
    let is_ended = Arc::new(AtomicBool::new(request.body().is_end_stream()));
    let watch = |body| {
        let is_ended = Arc::clone(&is_ended);
        Body::new(Watched { body, is_ended })
    };
    let mut response = next.run(request.map(watch)).await;
    if !is_ended.load(Ordering::Relaxed) {
        close(response.headers_mut());
    }
    response
}

fn close(headers: &mut HeaderMap) {
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
}

/// A body that tells whether it was read to its end.
struct Watched {
    body: Body,
    is_ended: Arc<AtomicBool>,
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.is_ended.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// What `Content-Length` says; hyper has refused one that is no number.
fn announced_bytes(request: &Request) -> Option<u64> {
    let value = request.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
