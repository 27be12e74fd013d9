//! `GET /v3/services/{service}/audit`: what was done to a service and by its leave, the latest
//! first, with each entry's place in the chain (absent for the moment until it is linked). Order of
//! the checks: 1. as `extract::Asked`; 2. the person may see the service (404).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::App;
use balefire_app::audit_chain::HistoryEntry;
use balefire_domain::limits::{AUDIT_HISTORY_PAGE_MAX, PAGE_ROWS_MAX};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::{BASE, check_view};
use crate::answer;
use crate::extract::{Asked, Page, ServicePath};
use crate::problem::{Problem, Shape};
use crate::routes::{Caller, Route};
use crate::schema::{Property, Schema, optional, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const ENTRY: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("position", Schema::Nullable(&Schema::Integer)),
    required("at", Schema::Instant),
    required("actor", Schema::Text),
    required("asserted_by", TEXT),
    required("action", Schema::Text),
    required("object", Schema::Text),
    required("details", Schema::Any),
    required("before", Schema::Any),
    required("after", Schema::Any),
    required("source", TEXT),
    required("request_id", TEXT),
    required("refusal", TEXT),
]);
const PAGE: &[Property] = &[
    optional("after", Schema::Integer),
    optional("limit", Schema::Within(1, PAGE_ROWS_MAX)),
];

pub(super) const LIST: Route = Route {
    path: "/v3/services/{service}/audit",
    operation: "list_audit_entries",
    caller: Caller::Person,
    summary: "A page of what was done to a service, the latest first",
    query: PAGE,
    answers: &[(
        200,
        Some(Schema::Object(&[
            required("entries", Schema::List(&ENTRY)),
            required("next", TEXT),
        ])),
    )],
    handler: || get(list),
    ..BASE
};

async fn list(
    ServicePath(service): ServicePath,
    page: Page,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    check_view(&app, asked.by, service).await?;
    let before: Option<i64> = page.after("the position of an entry")?;
    let limit = page
        .limit
        .map_or(AUDIT_HISTORY_PAGE_MAX, |limit| limit as usize);
    let entries = app
        .service_history(service, before, limit)
        .await
        .map_err(|error| Problem::store(Shape::Current, &error))?;
    let limited = page
        .limit
        .map_or_else(String::new, |limit| format!("&limit={limit}"));
    let last = entries.last().and_then(|entry| entry.position);
    let next = last
        .filter(|position| *position > 1)
        .map(|position| format!("/v3/services/{service}/audit?after={position}{limited}"));
    let entries: Vec<Value> = entries.iter().map(render).collect();
    let told = json!({ "entries": entries, "next": next });
    Ok(answer::json(StatusCode::OK, &told))
}

fn render(entry: &HistoryEntry) -> Value {
    let row = &entry.row;
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    json!({
        "id": row.id,
        "position": entry.position,
        "at": Timestamp::from_micros(row.at_us).to_json_style(),
        "actor": row.actor,
        "asserted_by": row.asserted_by,
        "action": row.action,
        "object": row.object,
        "details": read(&row.details),
        "before": row.before.as_deref().map(read),
        "after": row.after.as_deref().map(read),
        "source": row.source,
        "request_id": row.request_id,
        "refusal": row.refusal,
    })
}
