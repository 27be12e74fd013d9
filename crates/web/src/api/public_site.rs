//! `/govuk-alerts`: what the public site reads (R98), and its word that it shows an end. Order of
//! the checks: 1. token of `govuk-alerts` (401, 403).
//!
//! An alert is told of with the channel on which it was sent, whatever its service's is today.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::public_site::Told;
use balefire_app::{Alert, App};
use balefire_domain::channel::Channel;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::PublicSite;
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Property, Schema, optional, required};

const INSTANT: Schema = Schema::Nullable(&Schema::Instant);
const TEXT: Schema = Schema::Nullable(&Schema::Text);
const ALERT: &[Property] = &[
    required("id", Schema::Id),
    required("reference", TEXT),
    required(
        "channel",
        Schema::Word(&["operator", "test", "severe", "government"]),
    ),
    required("content", Schema::Text),
    required("areas", Schema::Any),
    required(
        "status",
        Schema::Word(&["broadcasting", "completed", "cancelled"]),
    ),
    required("starts_at", INSTANT),
    optional("updated_at", INSTANT),
    required("finishes_at", INSTANT),
    required("approved_at", INSTANT),
    required("cancelled_at", INSTANT),
    required("extra_content", TEXT),
];

const LIST: Route = Route {
    method: "GET",
    path: "/govuk-alerts",
    operation: "list_public_alerts",
    caller: Caller::PublicSite,
    summary: "The alerts that the public may read, the newest first",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "alerts",
            Schema::List(&Schema::Object(ALERT)),
        )])),
    )],
    handler: || get(list_for_pages),
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        path: "/govuk-alerts/all",
        operation: "list_all_public_alerts",
        summary: "The same on every channel, however old",
        handler: || get(list_everything),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/govuk-alerts/acknowledge",
        operation: "acknowledge_public_alerts",
        summary: "The site shows the end of every alert that is over",
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || post(acknowledge),
        ..LIST
    },
];

async fn list_for_pages(_site: PublicSite, State(app): State<App>) -> Result<Response, Problem> {
    list(&app, Told::ForPages).await
}

async fn list_everything(_site: PublicSite, State(app): State<App>) -> Result<Response, Problem> {
    list(&app, Told::Everything).await
}

async fn list(app: &App, told: Told) -> Result<Response, Problem> {
    let alerts = app
        .list_public_alerts(told)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let alerts: Vec<Value> = alerts
        .iter()
        .map(|(alert, channel)| {
            let mut shown = render(alert, *channel);
            if told == Told::ForPages {
                shown["updated_at"] = json!(alert.updated_at.map(Timestamp::to_json_style));
            }
            shown
        })
        .collect();
    Ok(answer::json(StatusCode::OK, &json!({ "alerts": alerts })))
}

fn render(alert: &Alert, channel: Channel) -> Value {
    json!({
        "id": alert.id,
        "reference": alert.reference,
        "channel": channel.as_str(),
        "content": alert.content,
        "areas": alert.areas,
        "status": alert.status.as_str(),
        "starts_at": alert.starts_at.map(Timestamp::to_json_style),
        "finishes_at": alert.finishes_at.map(Timestamp::to_json_style),
        "approved_at": alert.approved_at.map(Timestamp::to_json_style),
        "cancelled_at": alert.cancelled_at.map(Timestamp::to_json_style),
        "extra_content": alert.extra_content,
    })
}

async fn acknowledge(_site: PublicSite, State(app): State<App>) -> Result<Response, Problem> {
    app.acknowledge_public_alerts()
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}
