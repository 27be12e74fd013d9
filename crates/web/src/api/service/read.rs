//! Reading services. Order of the checks, where a service is named: 1. token (401, 403); 2. the
//! service exists (404).
//!
//! `GET /service?only_active=True&user_id=…`: a `user_id` that is none is 400.
//! `GET /service/find-services-by-name?service_name=…`: without a name 400.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::{App, Service};
use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::ids::{ServiceId, UserId};
use serde_json::{Value, json};

use super::view;
use crate::answer;
use crate::extract::{Admin, Query, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

/// What [`find`] answers.
pub(crate) const FOUND: Schema = Schema::Object(&[required("data", SHORT_SERVICES)]);

/// Services as [`render_short`] shows them.
pub(crate) const SHORT_SERVICES: Schema = Schema::List(&Schema::Object(&[
    required("id", Schema::Id),
    required("name", Schema::Text),
    required("active", Schema::Bool),
    required("restricted", Schema::Bool),
]));

/// What [`list_providers`] answers.
pub(crate) const PROVIDERS: Schema = Schema::Object(&[required(
    "data",
    Schema::List(&Schema::Object(&[
        required("service_id", Schema::Id),
        required("provider", Schema::Text),
    ])),
)]);

/// What [`list_email_contacts`] answers.
pub(crate) const EMAIL_CONTACTS: Schema = Schema::Object(&[required(
    "data",
    Schema::List(&Schema::Object(&[
        required("service_id", Schema::Id),
        required("email_address", Schema::Text),
    ])),
)]);

pub(crate) async fn list(
    _admin: Admin,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let member: Option<UserId> = match query.text("user_id").map(str::parse) {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(_)) => {
            let message = "user_id is not a valid UUID";
            return Err(Problem::message(StatusCode::BAD_REQUEST, message));
        }
    };
    let only_active = query.is_true("only_active");
    let services = app.list_services_of(member).await.map_err(store)?;
    let shown: Vec<Value> = services
        .iter()
        .filter(|service| !only_active || service.state == ServiceState::Active)
        .map(|service| view::render(&app, service))
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

pub(crate) async fn find(
    _admin: Admin,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let Some(text) = query.text("service_name") else {
        let status = StatusCode::BAD_REQUEST;
        return Err(Problem::field(status, "service_name", "Can't be empty"));
    };
    let text = text.to_lowercase();
    let services = app.list_services_of(None).await.map_err(store)?;
    let found: Vec<Value> = services
        .iter()
        .filter(|service| service.name.to_lowercase().contains(&text))
        .map(render_short)
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": found })))
}

/// A service in a list of names.
pub(crate) fn render_short(service: &Service) -> Value {
    json!({
        "id": service.id,
        "name": service.name,
        "active": service.state == ServiceState::Active,
        "restricted": service.mode == Mode::Training,
    })
}

pub(crate) async fn show(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let service = load(&app, id).await?;
    let shown = json!({ "data": view::render(&app, &service) });
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(crate) async fn list_providers(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let service = load(&app, id).await?;
    let shown: Vec<Value> = app
        .shown_providers(&service)
        .iter()
        .map(|provider| json!({ "service_id": id, "provider": provider }))
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

pub(crate) async fn list_email_contacts(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    load(&app, id).await?;
    Ok(answer::json(StatusCode::OK, &json!({ "data": [] })))
}

/// The service, or 404.
pub(crate) async fn load(app: &App, id: ServiceId) -> Result<Service, Problem> {
    let service = app.load_service(id).await.map_err(store)?;
    service.ok_or_else(|| Problem::not_found(Shape::Internal))
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
pub(crate) fn store(error: balefire_app::StoreError) -> Problem {
    Problem::store(Shape::Internal, &error)
}
