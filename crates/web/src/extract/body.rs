//! Bodies: what they must be called, how much is read of them, and, for JSON, what they say.

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use balefire_app::submit_cap::SubmitRefusal;
use balefire_cap::check_charset_utf8;
use bytes::Bytes;
use http_body_util::LengthLimitError;
use serde_json::Value;

use super::strict_json;
use crate::WebState;
use crate::problem::{Name, Problem, Shape};

const CAP: &str = "application/cap+xml";
/// Characters of a foreign content type that an answer shows.
const SHOWN_CHARS_MAX: usize = 100;

/// A body that calls itself CAP: 1. content type (415); 2. read, at most the limit (413); 3. not
/// called UTF-8 when it says itself that it is something else (400).
pub(crate) struct CapBody(pub(crate) Bytes);

/// A body of JSON, whatever it calls itself: 1. read, at most the limit (413); 2. JSON without
/// doubled keys, not too deep (400).
pub(crate) struct JsonBody(pub(crate) Value);

impl FromRequest<WebState> for CapBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let has_charset = check_content_type(request.headers())?;
        let bytes = read(request.into_body(), state, Shape::Public).await?;
        if has_charset && let Err(finding) = check_charset_utf8(&bytes) {
            return Err(Problem::submit(SubmitRefusal::NotCap(vec![finding])));
        }
        Ok(Self(bytes))
    }
}

impl FromRequest<WebState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &WebState) -> Result<Self, Problem> {
        let bytes = read(request.into_body(), state, Shape::Internal).await?;
        match strict_json::parse(&bytes) {
            Ok(value) => Ok(Self(value)),
            Err(error) => {
                let message = format!("The body is not JSON: {error}");
                Err(Problem::invalid(Name::BadRequest, [message]))
            }
        }
    }
}

pub(super) async fn read(body: Body, state: &WebState, shape: Shape) -> Result<Bytes, Problem> {
    let bytes_max = state.limits.body_bytes_max;
    to_bytes(body, bytes_max).await.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            Problem::body_too_large(shape, bytes_max)
        } else {
            Problem::body_incomplete(shape)
        }
    })
}

/// `application/cap+xml`, with nothing but `charset=utf-8` behind it; whether that is there.
fn check_content_type(headers: &HeaderMap) -> Result<bool, Problem> {
    let mut given = headers.get_all(header::CONTENT_TYPE).iter();
    let (value, next) = (given.next(), given.next());
    let Some(value) = value else {
        return Err(Problem::content_type("None"));
    };
    let text = String::from_utf8_lossy(value.as_bytes());
    if next.is_none() && is_cap(&text) {
        return Ok(text.contains('='));
    }
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    Err(Problem::content_type(&shown))
}

fn is_cap(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    let is_named = parts
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(CAP));
    is_named
        && parts
            .filter(|parameter| !parameter.is_empty())
            .all(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    name.trim().eq_ignore_ascii_case("charset")
                        && value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
                })
            })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_calls_itself_cap_in_utf_8() {
        for (content_type, want) in [
            ("application/cap+xml", true),
            ("Application/CAP+XML", true),
            ("application/cap+xml; charset=utf-8", true),
            ("application/cap+xml;charset=UTF-8", true),
            ("application/cap+xml; charset=\"utf-8\"", true),
            ("application/cap+xml;", true),
            ("application/cap+xml; charset=iso-8859-1", false),
            ("application/cap+xml; charset", false),
            ("application/cap+xml; version=1.2", false),
            ("application/cap+xml, text/plain", false),
            ("application/xml", false),
            ("text/xml", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(is_cap(content_type), want, "{content_type}");
        }
    }
}
