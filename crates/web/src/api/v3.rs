//! `/v3`: what the earlier routes can't say. A person acts, for whom a client vouches with a token
//! for the one request (`domain::assertion`); refusals are problems of RFC 9457; lists have pages.
//!
//! What does not exist, or is not for this person's eyes, is 404. What the rules refuse is 409
//! where the alert stands otherwise than the request takes it to, 403 where the person may not,
//! and 422 where the alert itself is not fit.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::App;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::limits::PAGE_ROWS_MAX;
use balefire_domain::permission::Deed;
use serde_json::{Value, json};

use crate::answer;
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Property, Schema, optional};

mod admin_actions;
mod alerts;
mod audit;
mod deliveries;
mod duty_items;
mod moves;
mod providers;

/// What all have in common.
const BASE: Route = Route {
    method: "GET",
    path: "/v3/openapi.json",
    operation: "read_openapi",
    caller: Caller::Anybody,
    summary: "This interface as an OpenAPI document",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(Schema::Any))],
    handler: || get(show_openapi),
};

/// The parameters of a list.
const PAGE: &[Property] = &[
    optional("after", Schema::Text),
    optional("limit", Schema::Within(1, PAGE_ROWS_MAX)),
];

pub(crate) const ROUTES: &[Route] = &[
    BASE,
    alerts::LIST,
    alerts::READ,
    moves::SUBMIT,
    moves::APPROVE,
    moves::REJECT,
    moves::CANCEL,
    deliveries::LIST,
    duty_items::LIST,
    duty_items::CLOSE,
    providers::LIST,
    audit::LIST,
    admin_actions::LIST,
    admin_actions::ASK,
    admin_actions::READ,
    admin_actions::APPROVE,
    admin_actions::REJECT,
];

async fn show_openapi() -> Response {
    // Anybody may ask: it is made once.
    static DOCUMENT: LazyLock<Value> = LazyLock::new(crate::openapi);
    answer::json(StatusCode::OK, &DOCUMENT)
}

/// 404 for who may not see this service.
async fn check_view(app: &App, by: UserId, service: ServiceId) -> Result<(), Problem> {
    let may = app.check_deed(by, service, Deed::View).await;
    match may.map_err(|error| Problem::store(Shape::Current, &error))? {
        Ok(()) => Ok(()),
        Err(_) => Err(Problem::not_found(Shape::Current)),
    }
}

/// A body of nothing is as good as an empty object.
fn or_empty(body: &Value) -> &Value {
    static EMPTY: LazyLock<Value> = LazyLock::new(|| json!({}));
    if body.is_null() { &EMPTY } else { body }
}
