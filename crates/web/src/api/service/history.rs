//! `GET /service/{service}/history`: versions of a service, of its keys and its templates, and what
//! the audit trail has of it. Order of the checks: 1. token (401, 403); 2. the service exists
//! (404).
//!
//! A key's secret is nowhere in it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::audit_chain::HistoryEntry;
use balefire_app::service_settings::ServiceHistory;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::keys::render_key;
use super::read::store;
use crate::answer;
use crate::extract::{Admin, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

const ENTRIES: Schema = Schema::List(&Schema::Map(&Schema::Any));

pub(crate) const HISTORY: Schema = Schema::Object(&[required(
    "data",
    Schema::Object(&[
        required("service_history", ENTRIES),
        required("api_key_history", ENTRIES),
        required("template_history", ENTRIES),
        required("events", ENTRIES),
    ]),
)]);

pub(crate) async fn show(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let history = app.read_service_history(id).await.map_err(store)?;
    let history = history.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let shown = json!({ "data": render(&history) });
    Ok(answer::json(StatusCode::OK, &shown))
}

fn render(history: &ServiceHistory) -> Value {
    let versions: Vec<Value> = history
        .versions
        .iter()
        .map(|own| {
            let then = &own.snapshot;
            json!({
                "id": history.service.id,
                "version": own.version,
                "name": then["name"],
                "active": then["state"] == "active",
                "restricted": then["mode"] == "training",
                "broadcast_channel": then["channel"],
                "allowed_broadcast_provider": then["providers"],
                "organisation": then["organisation_id"],
                "organisation_type": then["organisation_type"],
                "notes": then["notes"],
                "created_at": history.service.created_at.to_json_style(),
                "updated_at": own.created_at.to_json_style(),
                "created_by": own.changed_by,
            })
        })
        .collect();
    let keys: Vec<Value> = history.keys.iter().map(render_key).collect();
    let templates: Vec<Value> = history
        .templates
        .iter()
        .map(|own| {
            json!({
                "id": own.id,
                "version": own.version,
                "reference": own.reference,
                "content": own.content,
                "archived": own.is_archived,
                "created_by": own.created_by,
                "created_at": own.created_at.to_json_style(),
            })
        })
        .collect();
    let events: Vec<Value> = history.events.iter().map(render_event).collect();
    json!({
        "service_history": versions,
        "api_key_history": keys,
        "template_history": templates,
        "events": events,
    })
}

/// An entry of the audit trail. A part that is no JSON is left out.
fn render_event(entry: &HistoryEntry) -> Value {
    let row = &entry.row;
    let json = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
    let part = |text: &Option<String>| text.as_deref().map_or(Value::Null, json);
    json!({
        "id": row.id,
        "event_type": row.action,
        "created_at": Timestamp::from_micros(row.at_us).to_json_style(),
        "data": {
            "actor": row.actor,
            "object": row.object,
            "details": json(&row.details),
            "before": part(&row.before),
            "after": part(&row.after),
            "refusal": row.refusal,
        },
    })
}
