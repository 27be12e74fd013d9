//! What only a person can mend (D19). `GET /v3/services/{service}/alerts/{alert}/duty-items` lists
//! those of an alert, `POST /v3/duty-items/{item}/close` closes one. Order of the checks: 1. as
//! `extract::Asked`; 2. the person may see the alert (404), or close the item (404, 403); 3. it is
//! open (409).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::duty_items::CloseRefusal;
use balefire_app::{App, DutyItem};
use balefire_domain::limits::DUTY_NOTE_CHARS_MAX;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::{BASE, check_view};
use crate::answer;
use crate::extract::{AlertPath, Asked, DutyItemPath, Fields};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const ITEM: Schema = Schema::Named(
    "DutyItem",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("kind", Schema::Text),
        required("subject", Schema::Text),
        required("network", TEXT),
        required("opened_at", Schema::Instant),
        required("closed_at", Schema::Nullable(&Schema::Instant)),
        required("closed_by", TEXT),
    ]),
);
const NOTE: Schema = Schema::Object(&[optional(
    "note",
    Schema::Nullable(&Schema::Bounded(0, DUTY_NOTE_CHARS_MAX)),
)]);

pub(super) const LIST: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}/duty-items",
    operation: "list_duty_items",
    caller: Caller::Person,
    summary: "What only a person can mend of an alert",
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "duty_items",
            Schema::List(&ITEM),
        )])),
    )],
    handler: || get(list),
    ..BASE
};

pub(super) const CLOSE: Route = Route {
    method: "POST",
    path: "/v3/duty-items/{item}/close",
    operation: "close_duty_item",
    refusals: &[409],
    caller: Caller::Person,
    summary: "Say that what a duty item tells of is mended",
    body: Body::Json(NOTE),
    answers: &[(200, Some(ITEM))],
    handler: || post(close),
    ..BASE
};

async fn list(path: AlertPath, State(app): State<App>, asked: Asked) -> Result<Response, Problem> {
    check_view(&app, asked.by, path.service).await?;
    let failed = |error| Problem::store(Shape::Current, &error);
    let alert = app.load_alert(path.service, path.alert).await;
    let Some(alert) = alert.map_err(failed)? else {
        return Err(Problem::not_found(Shape::Current));
    };
    let items = app.list_duty_items(alert.id).await.map_err(failed)?;
    let items: Vec<Value> = items.iter().map(render).collect();
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "duty_items": items }),
    ))
}

async fn close(
    DutyItemPath(item): DutyItemPath,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&asked.body, &NOTE)?;
    let note = fields.bounded_text("note", DUTY_NOTE_CHARS_MAX);
    fields.finish()?;
    let closed = app.close_duty_item(item, asked.by, note.as_deref()).await;
    let closed =
        closed.map_err(|failure| Problem::of_failure(Shape::Current, failure, |r| refused(&r)))?;
    Ok(answer::json(StatusCode::OK, &render(&closed)))
}

fn refused(refusal: &CloseRefusal) -> Problem {
    let say = |status, message: &str| Problem::message(status, message);
    match refusal {
        CloseRefusal::NotFound | CloseRefusal::NotAMember => Problem::not_found(Shape::Current),
        CloseRefusal::AlreadyClosed(_) => {
            say(StatusCode::CONFLICT, "The duty item was closed before")
        }
        CloseRefusal::NotAnAdministrator => say(
            StatusCode::FORBIDDEN,
            "The duty item is about no alert: only a platform administrator may close it",
        ),
        CloseRefusal::NoteTooLong => say(StatusCode::BAD_REQUEST, "note is too long"),
    }
}

fn render(item: &DutyItem) -> Value {
    json!({
        "id": item.id,
        "kind": item.kind,
        "subject": item.subject,
        "network": item.provider,
        "opened_at": item.opened_at.to_json_style(),
        "closed_at": item.closed_at.map(Timestamp::to_json_style),
        "closed_by": item.closed_by,
    })
}
