//! `/service/{service}/broadcast-message-history/…` and `…/broadcast-message-edit-reasons/…`: the
//! versions of an alert, and why it was given back to its author. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the alert exists and is this service's, and so does the version or reason (404)
//!
//! Lists have the newest first. The latest reason of an alert that was never given back is `{}`.
//! A version's `id` is made of the alert's id and its number, so that it stays the same.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::read_board::AlertFile;
use balefire_app::{AlertVersion, App, EditReason};
use balefire_domain::ids::AlertId;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::broadcast_message::{name, seconds};
use crate::answer;
use crate::extract::{Admin, AlertPath, ItemPath};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const ID: Schema = Schema::Nullable(&Schema::Id);
const VERSION: Schema = Schema::Named(
    "AlertVersion",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("broadcast_message_id", Schema::Id),
        required("reference", TEXT),
        required("service_id", Schema::Id),
        required("content", Schema::Text),
        required("areas", Schema::Any),
        required("created_at", Schema::Instant),
        required("created_by_id", ID),
        required("duration", Schema::Nullable(&Schema::Number)),
        required("extra_content", TEXT),
        required("created_by", TEXT),
    ]),
);
const REASON: Schema = Schema::Named(
    "EditReason",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("broadcast_message_id", Schema::Id),
        required("service_id", Schema::Id),
        required("created_at", Schema::Instant),
        required("submitted_at", Schema::Nullable(&Schema::Instant)),
        required("created_by_id", Schema::Id),
        required("edit_reason", Schema::Text),
        required("submitted_by_id", ID),
        required("created_by", TEXT),
        required("submitted_by", TEXT),
    ]),
);

const VERSIONS: Route = Route {
    method: "GET",
    path: "/service/{service}/broadcast-message-history/{alert}/versions",
    operation: "list_alert_versions",
    caller: Caller::Admin,
    summary: "The versions of an alert, newest first",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(Schema::List(&VERSION)))],
    handler: || get(list_versions),
};

pub(crate) const ROUTES: &[Route] = &[
    VERSIONS,
    Route {
        path: "/service/{service}/broadcast-message-history/{alert}/version/{item}",
        operation: "read_alert_version",
        summary: "A version of an alert",
        answers: &[(200, Some(VERSION))],
        handler: || get(show_version),
        ..VERSIONS
    },
    Route {
        path: "/service/{service}/broadcast-message-edit-reasons/{alert}/edit-reasons",
        operation: "list_edit_reasons",
        summary: "Why an alert was given back to its author, newest first",
        answers: &[(200, Some(Schema::List(&REASON)))],
        handler: || get(list_reasons),
        ..VERSIONS
    },
    Route {
        path: "/service/{service}/broadcast-message-edit-reasons/{alert}/latest-edit-reason",
        operation: "read_latest_edit_reason",
        summary: "Why an alert was last given back; empty where it never was",
        answers: &[(200, Some(Schema::Either(&[REASON, Schema::Object(&[])])))],
        handler: || get(show_latest_reason),
        ..VERSIONS
    },
    Route {
        path: "/service/{service}/broadcast-message-edit-reasons/{alert}/edit-reason/{item}",
        operation: "read_edit_reason",
        summary: "One reason why an alert was given back",
        answers: &[(200, Some(REASON))],
        handler: || get(show_reason),
        ..VERSIONS
    },
];

async fn list_versions(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = load(&app, &path).await?;
    let versions = file.versions.iter();
    let told: Vec<Value> = versions.map(|one| render_version(&file, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!(told)))
}

async fn show_version(
    _admin: Admin,
    path: ItemPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = load(&app, &path.of).await?;
    let mut versions = file.versions.iter();
    let version = versions.find(|one| version_id(file.alert.id, one.version) == path.item);
    let version = version.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(
        StatusCode::OK,
        &render_version(&file, version),
    ))
}

async fn list_reasons(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = load(&app, &path).await?;
    let reasons = file.reasons.iter();
    let told: Vec<Value> = reasons.map(|one| render_reason(&file, one)).collect();
    Ok(answer::json(StatusCode::OK, &json!(told)))
}

async fn show_latest_reason(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = load(&app, &path).await?;
    let latest = file.reasons.first();
    let told = latest.map_or_else(|| json!({}), |one| render_reason(&file, one));
    Ok(answer::json(StatusCode::OK, &told))
}

async fn show_reason(
    _admin: Admin,
    path: ItemPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let file = load(&app, &path.of).await?;
    let mut reasons = file.reasons.iter();
    let reason = reasons.find(|one| one.id.uuid() == path.item);
    let reason = reason.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(StatusCode::OK, &render_reason(&file, reason)))
}

async fn load(app: &App, path: &AlertPath) -> Result<AlertFile, Problem> {
    app.load_alert_file(path.service, path.alert)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))
}

/// The alert's id with the version's number in its last bits: never the alert's own.
fn version_id(alert: AlertId, version: u32) -> Uuid {
    Uuid::from_u128(alert.uuid().as_u128() ^ u128::from(version))
}

fn render_version(file: &AlertFile, version: &AlertVersion) -> Value {
    json!({
        "id": version_id(file.alert.id, version.version),
        "broadcast_message_id": file.alert.id,
        "reference": version.reference,
        "service_id": file.alert.service_id,
        "content": version.content,
        "areas": version.areas,
        "created_at": version.created_at.to_json_style(),
        "created_by_id": version.created_by,
        "duration": version.duration_us.map(seconds),
        "extra_content": version.extra_content,
        "created_by": name(version.created_by, &file.names),
    })
}

fn render_reason(file: &AlertFile, reason: &EditReason) -> Value {
    json!({
        "id": reason.id,
        "broadcast_message_id": reason.alert_id,
        "service_id": file.alert.service_id,
        "created_at": reason.created_at.to_json_style(),
        "submitted_at": reason.submitted_at.map(Timestamp::to_json_style),
        "created_by_id": reason.created_by,
        "edit_reason": reason.reason,
        "submitted_by_id": reason.submitted_by,
        "created_by": name(Some(reason.created_by), &file.names),
        "submitted_by": name(reason.submitted_by, &file.names),
    })
}
