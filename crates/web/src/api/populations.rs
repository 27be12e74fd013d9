//! `POST /populations`: how many phones are within an area, `{"areas": "<WKT>"}`, longitude before
//! latitude. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. `areas` is there and a text (400)
//! 5. it is well-known text (400), of a Polygon or MultiPolygon (400), which is valid (400)
//!
//! 200: a bare number, 0 where nothing is known. Work on an area is bounded by its points and
//! cells, and done apart from the threads that answer; of many requests a few are counted at once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use balefire_app::App;
use balefire_app::people_reached::WktRefusal;
use serde_json::{Number, Value};

use crate::answer;
use crate::extract::{Admin, JsonBody};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

pub(crate) const ROUTES: &[Route] = &[Route {
    method: "POST",
    path: "/populations",
    operation: "count_phones",
    caller: Caller::Admin,
    summary: "How many phones are within an area",
    query: &[],
    body: Body::Json(Schema::Object(&[required("areas", Schema::Text)])),
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(Schema::Number))],
    handler: || post(count),
}];

/// Decimals of the answer: it is an estimate.
const DECIMALS: f64 = 1_000.0;
/// Whole numbers up to here are the same as a float.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

pub(crate) async fn count(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let bad = |message: &str| Problem::message(StatusCode::BAD_REQUEST, message);
    let text = match body.get("areas") {
        Some(Value::String(text)) if !text.trim().is_empty() => text.clone(),
        None | Some(Value::Null | Value::String(_)) => return Err(bad(MISSING)),
        Some(_) => return Err(bad(&WktRefusal::NotWkt.to_string())),
    };
    let count = app.count_people(text).await.map_err(|failure| {
        Problem::of_failure(
            Shape::Internal,
            failure,
            |refusal| bad(&refusal.to_string()),
        )
    })?;
    Ok(answer::json(StatusCode::OK, &Value::Number(number(count))))
}

/// The message where there is no area.
const MISSING: &str = "Area must be provided for population estimation";

/// The shortest number for a count.
fn number(count: f64) -> Number {
    let rounded = (count * DECIMALS).round() / DECIMALS;
    if rounded.fract() == 0.0 && rounded.abs() < WHOLE_MAX {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
        return Number::from(rounded as i64);
    }
    Number::from_f64(rounded).unwrap_or_else(|| Number::from(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_answered_as_the_shortest_number() {
        for (count, want) in [
            (0.0, "0"),
            (250.0, "250"),
            (249.999_999_9, "250"),
            (0.333_333, "0.333"),
            (67_596_281.5, "67596281.5"),
            (f64::NAN, "0"),
        ] {
            assert_eq!(number(count).to_string(), want);
        }
    }
}
