//! `GET /service/{service}/broadcast-message`: the service's alerts, oldest first. Order of the
//! checks:
//!
//! 1. token (401, 403)
//! 2. the service exists (404)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use serde_json::{Value, json};

use super::render_alert;
use crate::answer;
use crate::extract::{Admin, ServicePath};
use crate::problem::{Problem, Shape};

pub(crate) async fn list(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let alerts = app
        .list_alerts(service)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let alerts: Vec<Value> = alerts.iter().map(render_alert).collect();
    let told = json!({ "broadcast_messages": alerts });
    Ok(answer::json(StatusCode::OK, &told))
}
