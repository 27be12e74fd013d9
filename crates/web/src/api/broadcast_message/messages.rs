//! `GET /service/{service}/broadcast-message/messages` and `…/message={alert}`: what an author's
//! client shows, with the names of people. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the service, or the alert in it, exists (404)
//!
//! An alert with its names has the keys of an alert and more; a name is null where no person did
//! that. The list begins with what needs somebody: live, returned, pending approval, draft, then
//! the rest; within each by reference. `sending_error`: some network did not take the alert.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::{Alert, App};
use balefire_domain::alert::Status;
use balefire_domain::ids::UserId;
use serde_json::{Value, json};

use super::render_alert;
use super::view::ALERT_PROPERTIES;
use crate::answer;
use crate::extract::{Admin, AlertPath, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Property, Schema, join, required};

const NAME: Schema = Schema::Nullable(&Schema::Text);
const ON_BOARD: [Property; ALERT_PROPERTIES.len() + 6] = join(
    ALERT_PROPERTIES,
    &[
        required("created_by", NAME),
        required("rejected_by", NAME),
        required("approved_by", NAME),
        required("cancelled_by", NAME),
        required("submitted_by", NAME),
        required("sending_error", Schema::Bool),
    ],
);
const ON_PAGE: [Property; ALERT_PROPERTIES.len() + 7] = join(
    ALERT_PROPERTIES,
    &[
        required("created_by", NAME),
        required("rejected_by", NAME),
        required("approved_by", NAME),
        required("cancelled_by", NAME),
        required("submitted_by", NAME),
        required("updated_by", NAME),
        required("edit_reason", NAME),
    ],
);

/// What the list is.
pub(crate) const BOARD: Schema = Schema::Object(&[required(
    "broadcast_messages",
    Schema::List(&Schema::Object(&ON_BOARD)),
)]);
/// What one alert is.
pub(crate) const PAGE: Schema = Schema::Object(&ON_PAGE);

pub(crate) async fn show_board(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let board = app
        .load_board(service)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let mut alerts = board.alerts;
    // Stable: of one reference the oldest first.
    alerts.sort_by_cached_key(|alert| (rank(alert.status), alert.reference.clone()));
    let shown: Vec<Value> = alerts
        .iter()
        .map(|alert| {
            let mut shown = render_named(alert, &board.names);
            shown["sending_error"] = json!(board.in_trouble.contains(&alert.id));
            shown
        })
        .collect();
    let told = json!({ "broadcast_messages": shown });
    Ok(answer::json(StatusCode::OK, &told))
}

pub(crate) async fn show_page(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = app
        .load_alert_file(path.service, path.alert)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let mut shown = render_named(&file.alert, &file.names);
    shown["updated_by"] = json!(name(file.alert.updated_by, &file.names));
    shown["edit_reason"] = json!(file.reasons.first().map(|latest| &latest.reason));
    Ok(answer::json(StatusCode::OK, &shown))
}

fn render_named(alert: &Alert, names: &BTreeMap<UserId, String>) -> Value {
    let mut shown = render_alert(alert);
    for (key, person) in [
        ("created_by", alert.created_by),
        ("rejected_by", alert.rejected_by),
        ("approved_by", alert.approved_by),
        ("cancelled_by", alert.cancelled_by),
        ("submitted_by", alert.submitted_by),
    ] {
        shown[key] = json!(name(person, names));
    }
    shown
}

/// The name of a person, where there is one.
pub(crate) fn name(person: Option<UserId>, names: &BTreeMap<UserId, String>) -> Option<&str> {
    names.get(&person?).map(String::as_str)
}

const fn rank(status: Status) -> u8 {
    match status {
        Status::Broadcasting => 0,
        Status::Returned => 1,
        Status::PendingApproval => 2,
        Status::Draft => 3,
        Status::Rejected | Status::Completed | Status::Cancelled | Status::TechnicalFailure => 4,
    }
}
