//! A body that announces more than the limit is refused before anything else is looked at, and
//! before a byte of it is read (D43). What comes in chunks is cut where it is read.

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::CONTENT_LENGTH;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

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
        Some(_) | None => next.run(request).await,
    }
}

/// What `Content-Length` says; hyper has refused one that is no number.
fn announced_bytes(request: &Request) -> Option<u64> {
    let value = request.headers().get(CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}
