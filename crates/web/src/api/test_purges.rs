//! `DELETE /service/purge-…` and `…/api-key/purge`: what tests of an author application leave
//! behind goes. In staging and live they do not exist. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the ids of the path are ids, and the service exists (404)
//!
//! The audit trail stays, and so does what is on the air or on its way.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::delete;
use balefire_app::App;
use serde_json::json;

use super::service::store;
use crate::answer;
use crate::extract::{Admin, DaysPath, ServicePath, UserPath};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

const SERVICES: Route = Route {
    method: "DELETE",
    path: "/service/purge-services-created/{user}",
    operation: "purge_services",
    caller: Caller::Admin,
    summary: "Take away the services that a person began",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required("message", Schema::Text)])),
    )],
    handler: || delete(purge_services),
};

pub(crate) const TEST_ROUTES: &[Route] = &[
    SERVICES,
    Route {
        path: "/service/purge-users-created-by-tests",
        operation: "purge_users",
        summary: "End the accounts whose address begins as tests make them up",
        handler: || delete(purge_people),
        ..SERVICES
    },
    Route {
        path: "/service/purge-failed-logins-created-by-tests",
        operation: "purge_failed_logins",
        summary: "Forget every failure to sign in",
        handler: || delete(purge_failures),
        ..SERVICES
    },
    Route {
        path: "/service/{service}/api-key/purge",
        operation: "purge_api_keys",
        summary: "Revoke a service's keys, and remove those that no alert names",
        handler: || delete(purge_keys),
        ..SERVICES
    },
    Route {
        path: "/service/purge-govuk-s3-bucket/{days}",
        operation: "purge_public_files",
        summary: "Nothing: the files of the public site are not kept here",
        handler: || delete(purge_files),
        ..SERVICES
    },
];

async fn purge_services(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let (gone, kept) = app.purge_services_of(user).await.map_err(store)?;
    Ok(told(&format!(
        "Purged {gone} services created by {user}; {kept} stay, of which an alert is on the air \
         or on its way"
    )))
}

async fn purge_people(_admin: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let count = app.purge_test_people().await.map_err(store)?;
    Ok(told(&format!("Purged {count} users created by tests")))
}

async fn purge_failures(_admin: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let count = app.purge_failed_logins().await.map_err(store)?;
    Ok(told(&format!("Purged {count} failed logins")))
}

async fn purge_keys(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let purged = app.purge_keys(service).await.map_err(store)?;
    let count = purged.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(told(&format!("Purged {count} API keys")))
}

async fn purge_files(_admin: Admin, DaysPath(days): DaysPath) -> Response {
    told(&format!(
        "Purged 0 files older than {days} days: the public site's files are not kept here"
    ))
}

fn told(message: &str) -> Response {
    answer::json(StatusCode::OK, &json!({ "message": message }))
}
