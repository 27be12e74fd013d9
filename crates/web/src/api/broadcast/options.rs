//! `OPTIONS /v2/broadcast`: 1. token; 2. the methods, with an empty body.

use axum::http::{HeaderName, StatusCode, header};

use crate::extract::Holder;

type Headers = [(HeaderName, &'static str); 2];

pub(crate) async fn options(_holder: Holder) -> (StatusCode, Headers) {
    let headers = [
        (header::ALLOW, "OPTIONS, POST"),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    (StatusCode::OK, headers)
}
