//! `DELETE /service/{service}/broadcast-message/purge/{days}`: what tests left behind goes. It does
//! not exist in staging and live. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. `{days}` is a whole number and the service exists (404)
//!
//! What is on the air or on its way stays, and so does the audit trail.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use serde_json::json;

use crate::answer;
use crate::extract::{Admin, DaysPath, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

pub(crate) const PURGED: Schema = Schema::Object(&[
    required("message", Schema::Text),
    required("additional_db_purge", Schema::Text),
]);

pub(crate) async fn purge(
    _admin: Admin,
    ServicePath(service): ServicePath,
    DaysPath(days): DaysPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let purged = app
        .purge_alerts(service, days)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let (alerts, rows) = (purged.alerts, purged.rows);
    let told = json!({
        "message": format!("Purged {alerts} alerts created more than {days} days ago"),
        "additional_db_purge": format!("Purged {rows} rows that belonged to them"),
    });
    Ok(answer::json(StatusCode::OK, &told))
}
