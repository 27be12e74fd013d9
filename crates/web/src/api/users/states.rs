//! Accounts begin, end, are freed of their failures, and get permissions in a service. Order of
//! the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), where there is one
//! 4. its schema (400)
//! 5. the person exists, and belongs to the service of the path (404)
//! 6. they are not in use already, or no service's last member (400)
//!
//! Nobody is named who asks: the client answers for it, and the audit trail says so.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::App;
use balefire_app::accounts::Person;
use balefire_domain::permission::Permission;
use serde_json::json;

use super::view::render_person;
use crate::answer;
use crate::api::service::{MEMBER_RIGHTS, read_folders, read_permissions};
use crate::extract::{Admin, Fields, JsonBody, MemberPath, UserPath};
use crate::problem::Problem;
use crate::schema::Schema;

pub(crate) const PERMISSIONS: Schema = MEMBER_RIGHTS;

pub(crate) async fn forget_failures(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .forget_failures(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(show(&person))
}

pub(crate) async fn activate(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .activate_account(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(show(&person))
}

pub(crate) async fn archive(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.archive_account(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn set_permissions(
    _admin: Admin,
    MemberPath { user, service }: MemberPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &PERMISSIONS)?;
    let mut permissions = read_permissions(&mut fields);
    // Every member has it.
    permissions.insert(Permission::ViewActivity);
    let folders = read_folders(&mut fields);
    fields.finish()?;
    app.set_member_permissions(user, service, &permissions, folders.as_deref())
        .await
        .map_err(Problem::account_state)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn show(person: &Person) -> Response {
    answer::json(StatusCode::OK, &json!({ "data": render_person(person) }))
}
