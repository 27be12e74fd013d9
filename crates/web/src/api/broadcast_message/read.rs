//! `GET /service/{service}/broadcast-message/{alert}`: one alert. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the alert exists, and is this service's (404)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;

use super::render_alert;
use crate::answer;
use crate::extract::{Admin, AlertPath};
use crate::problem::{Problem, Shape};

pub(crate) async fn read(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let alert = app
        .load_alert(path.service, path.alert)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(StatusCode::OK, &render_alert(&alert)))
}
