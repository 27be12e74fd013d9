//! Answers in the style of the existing API: compact JSON with sorted keys and a final newline.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// An answer in JSON. An object's keys are sorted, because `serde_json` keeps them in a tree.
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    let mut body = value.to_string();
    body.push('\n');
    let content_type = [(header::CONTENT_TYPE, "application/json")];
    (status, content_type, body).into_response()
}

/// An answer in plain text.
pub(crate) fn plain(status: StatusCode, text: String) -> Response {
    let content_type = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (status, content_type, text).into_response()
}
