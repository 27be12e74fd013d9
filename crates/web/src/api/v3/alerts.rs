//! `GET /v3/services/{service}/alerts` and `…/alerts/{alert}`: alerts with what an approval names,
//! the version and the hash, of the alert and of an update that waits. Order of the checks: 1. as
//! `extract::Asked`; 2. the person may see the service, and the alert is its own (404).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use balefire_app::propose_update::ProposalView;
use balefire_app::{Alert, App, Service};
use balefire_domain::ids::AlertId;
use balefire_domain::limits::PAGE_ROWS;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::{BASE, PAGE, check_view};
use crate::answer;
use crate::api::broadcast_message::STATUSES;
use crate::extract::{AlertPath, Asked, Page, ServicePath};
use crate::problem::{Problem, Shape};
use crate::routes::{Caller, Route};
use crate::schema::{Schema, required};

const INSTANT: Schema = Schema::Nullable(&Schema::Instant);
const TEXT: Schema = Schema::Nullable(&Schema::Text);
const PERSON: Schema = Schema::Nullable(&Schema::Id);
const PROPOSAL: Schema = Schema::Object(&[
    required("version", Schema::Integer),
    required("hash", Schema::Text),
    required("content", Schema::Text),
    required("text", Schema::Text),
    required("areas", Schema::Any),
    required("networks", Schema::List(&Schema::Text)),
]);
pub(super) const ALERT: Schema = Schema::Named(
    "AlertV3",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("service_id", Schema::Id),
        required("status", Schema::Word(&STATUSES)),
        required("version", Schema::Integer),
        required("hash", Schema::Text),
        required("is_stubbed", Schema::Bool),
        required("channel", Schema::Text),
        required("networks", Schema::List(&Schema::Text)),
        required("reference", TEXT),
        required("content", Schema::Text),
        required("text", Schema::Text),
        required("extra_content", TEXT),
        required("areas", Schema::Any),
        required("starts_at", INSTANT),
        required("finishes_at", INSTANT),
        required("created_at", Schema::Instant),
        required("approved_at", INSTANT),
        required("cancelled_at", INSTANT),
        required("created_by", PERSON),
        required("submitted_by", PERSON),
        required("approved_by", PERSON),
        required("rejection_reason", TEXT),
        required("proposal", Schema::Nullable(&PROPOSAL)),
    ]),
);

pub(super) const LIST: Route = Route {
    path: "/v3/services/{service}/alerts",
    operation: "list_alerts_v3",
    caller: Caller::Person,
    summary: "A page of the service's alerts, the latest first",
    query: PAGE,
    answers: &[(
        200,
        Some(Schema::Object(&[
            required("alerts", Schema::List(&ALERT)),
            required("next", TEXT),
        ])),
    )],
    handler: || get(list),
    ..BASE
};

pub(super) const READ: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}",
    operation: "read_alert_v3",
    caller: Caller::Person,
    summary: "An alert, with the version and hash that an approval names",
    answers: &[(200, Some(ALERT))],
    handler: || get(read),
    ..BASE
};

async fn list(
    ServicePath(service): ServicePath,
    page: Page,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    check_view(&app, asked.by, service).await?;
    let before: Option<AlertId> = page.after("the id of an alert")?;
    let failed = |error| Problem::store(Shape::Current, &error);
    let service = app.load_service(service).await.map_err(failed)?;
    let service = service.ok_or_else(|| Problem::not_found(Shape::Current))?;
    let limit = page.limit.unwrap_or(PAGE_ROWS);
    let alerts = app
        .list_alerts_before(service.id, before, limit)
        .await
        .map_err(failed)?;
    let is_full = alerts.len() == limit as usize;
    let next = alerts.last().filter(|_| is_full).map(|last| {
        let (service, id) = (service.id, last.id);
        format!("/v3/services/{service}/alerts?after={id}&limit={limit}")
    });
    let mut shown: Vec<Value> = Vec::new();
    for alert in &alerts {
        shown.push(render(&app, alert, &service).await?);
    }
    let told = json!({ "alerts": shown, "next": next });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn read(path: AlertPath, State(app): State<App>, asked: Asked) -> Result<Response, Problem> {
    check_view(&app, asked.by, path.service).await?;
    let failed = |error| Problem::store(Shape::Current, &error);
    let alert = app.load_alert(path.service, path.alert).await;
    let service = app.load_service(path.service).await;
    let (Some(alert), Some(service)) = (alert.map_err(failed)?, service.map_err(failed)?) else {
        return Err(Problem::not_found(Shape::Current));
    };
    let told = render(&app, &alert, &service).await?;
    Ok(answer::json(StatusCode::OK, &told))
}

/// The alert as whoever decides must see it.
pub(super) async fn render(app: &App, alert: &Alert, service: &Service) -> Result<Value, Problem> {
    let proposal = app
        .load_proposal(alert, service)
        .await
        .map_err(|error| Problem::store(Shape::Current, &error))?;
    let setting = app
        .load_setting(alert, service)
        .await
        .map_err(|error| Problem::store(Shape::Current, &error))?;
    let instant = |at: Option<Timestamp>| at.map(Timestamp::to_json_style);
    Ok(json!({
        "id": alert.id,
        "service_id": alert.service_id,
        "status": alert.status.as_str(),
        "version": alert.version,
        "hash": setting.hash,
        "is_stubbed": alert.is_stubbed,
        "channel": setting.channel.as_str(),
        "networks": setting.networks,
        "reference": alert.reference,
        "content": alert.content,
        "text": alert.text,
        "extra_content": alert.extra_content,
        "areas": alert.areas,
        "starts_at": instant(alert.starts_at),
        "finishes_at": instant(alert.finishes_at),
        "created_at": alert.created_at.to_json_style(),
        "approved_at": instant(alert.approved_at),
        "cancelled_at": instant(alert.cancelled_at),
        "created_by": alert.created_by,
        "submitted_by": alert.submitted_by,
        "approved_by": alert.approved_by,
        "rejection_reason": alert.rejection_reason,
        "proposal": proposal.as_ref().map(render_proposal),
    }))
}

fn render_proposal(proposal: &ProposalView) -> Value {
    json!({
        "version": proposal.update.version,
        "hash": proposal.hash,
        "content": proposal.update.content,
        "text": proposal.update.text,
        "areas": proposal.update.areas,
        "networks": proposal.providers,
    })
}
