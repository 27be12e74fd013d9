//! Who has an address, and who is invited to one. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400); of `email-in-use` and `email-in-db` that it is an address (400)
//! 5. somebody is found (404), where the answer has no word for nobody
//!
//! Nothing here counts as a try to sign in: it is for people who are signed in.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::accounts::FOUND_MAX;
use balefire_app::{App, StoreError};
use balefire_domain::notification::Recipient;
use serde_json::{Value, json};

use super::sign_in::{EMAIL_CHARS_MAX, read_email};
use super::view::render_person;
use crate::answer;
use crate::api::invitations::{OF_ORGANISATION, OF_SERVICE, render};
use crate::extract::{Admin, JsonBody, Query};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

/// Whom `find-users-by-email` finds.
pub(crate) const FOUND: Schema = Schema::Object(&[required(
    "data",
    Schema::List(&Schema::Object(&[
        required("id", Schema::Id),
        required("name", Schema::Text),
        required("email_address", Schema::Text),
        required("mobile_number", Schema::Nullable(&Schema::Text)),
    ])),
)]);

/// `{"data": <invitation>}`
pub(crate) const INVITED: Schema = Schema::Object(&[required(
    "data",
    Schema::Either(&[OF_SERVICE, OF_ORGANISATION]),
)]);

const MALFORMED: &str = "Enter a valid email address";

pub(crate) async fn find_or_none(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let email = read_email(&body)?;
    let person = app
        .find_person(&email)
        .await
        .map_err(|error| failed(&error))?;
    let shown = person.as_ref().map(render_person);
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

pub(crate) async fn find_by_query(
    _admin: Admin,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let email = query.value("email").unwrap_or_default();
    if Recipient::email(email).is_err() {
        return Err(Problem::message(StatusCode::BAD_REQUEST, MALFORMED));
    }
    let person = app
        .find_person(email)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let shown = json!({ "data": render_person(&person) });
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(crate) async fn is_in_use(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let email = read_email(&body)?;
    if Recipient::email(&email).is_err() {
        return Err(Problem::plain(StatusCode::BAD_REQUEST, MALFORMED));
    }
    let person = app
        .find_person(&email)
        .await
        .map_err(|error| failed(&error))?;
    let is_in_use = Value::Bool(person.is_some());
    Ok(answer::json(StatusCode::OK, &is_in_use))
}

pub(crate) async fn search(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let part = read_email(&body)?;
    if part.chars().count() > EMAIL_CHARS_MAX {
        return Err(Problem::plain(StatusCode::BAD_REQUEST, MALFORMED));
    }
    let found = app
        .search_people(&part)
        .await
        .map_err(|error| failed(&error))?;
    let shown: Vec<Value> = found
        .iter()
        .take(usize::try_from(FOUND_MAX).unwrap_or(usize::MAX))
        .map(|account| {
            json!({
                "id": account.id, "name": account.name,
                "email_address": account.email, "mobile_number": account.mobile,
            })
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

pub(crate) async fn find_invitation(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let email = read_email(&body)?;
    let invitation = app
        .find_invitation(&email)
        .await
        .map_err(|error| failed(&error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let shown = json!({ "data": render(&invitation) });
    Ok(answer::json(StatusCode::OK, &shown))
}

fn failed(error: &StoreError) -> Problem {
    Problem::store(Shape::Internal, error)
}
