//! `GET /v3/services/{service}/alerts/{alert}/deliveries`: what happened at each network, attempt
//! by attempt, oldest first. `outcome` is null while an attempt is open; `unknown` is never
//! success. Order of the checks: 1. as `extract::Asked`; 2. the person may see the service, and
//! the alert is its own (404).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::{App, DeliveryHistory};
use serde_json::{Value, json};

use super::{BASE, check_view};
use crate::answer;
use crate::extract::{AlertPath, Asked};
use crate::problem::{Problem, Shape};
use crate::routes::{Caller, Route};
use crate::schema::{Schema, required};

const ATTEMPT: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("route", Schema::Text),
    required("round", Schema::Integer),
    required("opened_at", Schema::Instant),
    required("closed_at", Schema::Nullable(&Schema::Instant)),
    required("outcome", Schema::Nullable(&Schema::Text)),
    required("detail", Schema::Text),
]);
const DELIVERY: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("network", Schema::Text),
    required("seq", Schema::Integer),
    required("kind", Schema::Word(&["alert", "update", "cancel"])),
    required("event_kind", Schema::Word(&["alert", "update", "cancel"])),
    required("event_seq", Schema::Integer),
    required("state", Schema::Text),
    required("is_stuck", Schema::Bool),
    required("attempts", Schema::List(&ATTEMPT)),
]);

pub(super) const LIST: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}/deliveries",
    operation: "list_deliveries",
    caller: Caller::Person,
    summary: "What happened to an alert at each network, attempt by attempt",
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "deliveries",
            Schema::List(&DELIVERY),
        )])),
    )],
    handler: || get(list),
    ..BASE
};

async fn list(path: AlertPath, State(app): State<App>, asked: Asked) -> Result<Response, Problem> {
    check_view(&app, asked.by, path.service).await?;
    let failed = |error| Problem::store(Shape::Current, &error);
    let alert = app.load_alert(path.service, path.alert).await;
    let Some(alert) = alert.map_err(failed)? else {
        return Err(Problem::not_found(Shape::Current));
    };
    let deliveries = app.list_deliveries(alert.id).await.map_err(failed)?;
    let deliveries: Vec<Value> = deliveries.iter().map(render).collect();
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "deliveries": deliveries }),
    ))
}

fn render(history: &DeliveryHistory) -> Value {
    let delivery = &history.delivery;
    let attempts: Vec<Value> = history
        .attempts
        .iter()
        .map(|(attempt, detail)| {
            json!({
                "id": attempt.id,
                "route": attempt.route,
                "round": attempt.round,
                "opened_at": attempt.opened_at.to_json_style(),
                "closed_at": attempt.closed.map(|closed| closed.at.to_json_style()),
                "outcome": attempt.closed.map(|closed| closed.outcome.as_str()),
                "detail": detail,
            })
        })
        .collect();
    json!({
        "id": delivery.id,
        "network": history.provider,
        "seq": delivery.seq,
        "kind": delivery.kind.as_str(),
        "event_kind": history.event_kind.as_str(),
        "event_seq": history.event_seq,
        "state": delivery.state.as_str(),
        "is_stuck": delivery.is_stuck,
        "attempts": attempts,
    })
}
