//! `/feature-toggle`, `/events` and `/reports`: what the author's client asks and tells beside its
//! people's work. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema, and how large it is (400)
//!
//! An event goes into the audit trail; a browser's report goes into the log.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::App;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, Query};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

/// Characters of the name of a switch or of an event.
const NAME_CHARS_MAX: usize = 255;
/// Bytes of what an event carries.
const EVENT_BYTES_MAX: usize = 16 * 1024;
/// Characters of each field of a report that the log shows.
const REPORT_CHARS_SHOWN: usize = 500;

const EVENT: Schema = Schema::Object(&[
    required("event_type", Schema::Bounded(1, NAME_CHARS_MAX)),
    required("data", Schema::Map(&Schema::Any)),
]);
const NOTED: Schema = Schema::Object(&[required(
    "data",
    Schema::Object(&[
        required("id", Schema::Id),
        required("event_type", Schema::Text),
        required("data", Schema::Map(&Schema::Any)),
        required("created_at", Schema::Instant),
    ]),
)]);
const REPORT: Schema = Schema::Object(&[
    optional("type", Schema::Any),
    optional("url", Schema::Any),
    optional("user_agent", Schema::Any),
    optional("age", Schema::Any),
    optional("body", Schema::Any),
]);
const TOGGLE: Schema = Schema::Object(&[
    optional("name", Schema::Text),
    optional("is_enabled", Schema::Bool),
    optional("display_html", Schema::Nullable(&Schema::Text)),
]);

const TOGGLE_ROUTE: Route = Route {
    method: "GET",
    path: "/feature-toggle",
    operation: "read_feature_toggle",
    caller: Caller::Admin,
    summary: "A switch of the author's client, or nothing",
    query: &[required("feature_toggle_name", Schema::Text)],
    body: Body::None,
    refusals: &[400],
    is_repeatable: false,
    answers: &[(200, Some(TOGGLE))],
    handler: || get(read_toggle),
};

pub(crate) const ROUTES: &[Route] = &[
    TOGGLE_ROUTE,
    Route {
        method: "POST",
        path: "/events",
        operation: "note_event",
        summary: "Keep in the audit trail what happened in the client",
        query: &[],
        refusals: &[],
        body: Body::Json(EVENT),
        answers: &[(201, Some(NOTED))],
        handler: || post(note_event),
        ..TOGGLE_ROUTE
    },
    Route {
        method: "POST",
        path: "/reports",
        operation: "note_reports",
        summary: "Log what a browser refused to run",
        query: &[],
        refusals: &[],
        body: Body::Json(REPORT),
        answers: &[(201, Some(Schema::Object(&[])))],
        handler: || post(note_report),
        ..TOGGLE_ROUTE
    },
];

async fn read_toggle(
    _admin: Admin,
    query: Query,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let name = query.value("feature_toggle_name").unwrap_or_default();
    if name.is_empty() || name.chars().count() > NAME_CHARS_MAX || name.contains('\0') {
        let message = "feature_toggle_name is missing: name the switch";
        return Err(Problem::message(StatusCode::BAD_REQUEST, message));
    }
    let toggle = app
        .read_feature_toggle(name)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let shown = toggle.map_or_else(
        || json!({}),
        |toggle| {
            json!({
                "name": toggle.name, "is_enabled": toggle.is_enabled,
                "display_html": toggle.display_html,
            })
        },
    );
    Ok(answer::json(StatusCode::OK, &shown))
}

async fn note_event(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &EVENT)?;
    let kind = fields.filled_text("event_type", Some(NAME_CHARS_MAX));
    fields.check_object("data");
    let data = fields.value("data").cloned().unwrap_or_default();
    if data.to_string().len() > EVENT_BYTES_MAX {
        fields.refuse(format!("data is over {EVENT_BYTES_MAX} bytes"));
    }
    fields.finish()?;
    let kind = kind.unwrap_or_default();
    let (id, at) = app
        .note_event(&kind, &data)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let noted = json!({ "data": {
        "id": id, "event_type": kind, "data": data, "created_at": at.to_json_style(),
    } });
    Ok(answer::json(StatusCode::CREATED, &noted))
}

async fn note_report(_admin: Admin, JsonBody(body): JsonBody) -> Result<Response, Problem> {
    Fields::of(&body, &REPORT)?.finish()?;
    let shown = |name: &str| -> String {
        let value = body.get(name).map(Value::to_string).unwrap_or_default();
        value.chars().take(REPORT_CHARS_SHOWN).collect()
    };
    tracing::warn!(
        event = "client.report",
        kind = shown("type"),
        url = shown("url"),
        report = shown("body"),
        "a browser refused to run something of the author's client"
    );
    Ok(answer::json(StatusCode::CREATED, &json!({})))
}
