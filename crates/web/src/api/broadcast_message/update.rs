//! `POST /service/{service}/broadcast-message/{alert}`: an author's change (R20 to R22, D42).
//! Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. in `app`: the alert exists, and is this service's (404)
//! 6. the service is active (403)
//! 7. the editor, where named, exists (404) and belongs to it (400)
//! 8. the alert may still change (400)
//! 9. the areas are whole and shapes (400)
//! 10. the text (400)
//! 11. an edit of what waits for approval names its editor (400)
//!
//! 200: the alert. A field that is absent or null stays. `personalisation` is accepted and dropped.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::update_alert::AlertChange;
use balefire_domain::limits::{EXTRA_CONTENT_CHARS_MAX, REFERENCE_CHARS_MAX};
use serde_json::Value;

use super::render_alert;
use crate::answer;
use crate::extract::{Admin, AlertPath, Fields, JsonBody};
use crate::problem::Problem;
use crate::schema::{Schema, optional};

pub(crate) const BODY: Schema = Schema::Object(&[
    optional(
        "personalisation",
        Schema::Nullable(&Schema::Map(&Schema::Any)),
    ),
    optional(
        "reference",
        Schema::Nullable(&Schema::Bounded(1, REFERENCE_CHARS_MAX)),
    ),
    optional("content", Schema::Nullable(&Schema::Text)),
    optional("duration", Schema::Nullable(&Schema::Text)),
    optional("starts_at", Schema::Nullable(&Schema::Instant)),
    optional("finishes_at", Schema::Nullable(&Schema::Instant)),
    optional("areas", Schema::Any),
    optional(
        "extra_content",
        Schema::Nullable(&Schema::Bounded(0, EXTRA_CONTENT_CHARS_MAX)),
    ),
    optional("created_by", Schema::Nullable(&Schema::Id)),
]);

pub(crate) async fn update(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let change = read_change(&body)?;
    let alert = app
        .update_alert(path.service, path.alert, &change)
        .await
        .map_err(|failure| Problem::update(path.alert, failure))?;
    Ok(answer::json(StatusCode::OK, &render_alert(&alert)))
}

fn read_change(body: &Value) -> Result<AlertChange, Problem> {
    let mut fields = Fields::of(body, &BODY)?;
    fields.check_object("personalisation");
    let change = AlertChange {
        reference: fields.filled_text("reference", Some(REFERENCE_CHARS_MAX)),
        content: fields.filled_text("content", None),
        areas: fields.value("areas").cloned(),
        extra_content: fields.bounded_text("extra_content", EXTRA_CONTENT_CHARS_MAX),
        duration_us: fields.duration_us("duration"),
        starts_at: fields.instant("starts_at"),
        finishes_at: fields.instant("finishes_at"),
        created_by: fields.id("created_by"),
        is_dry_run: false,
    };
    fields.finish()?;
    Ok(change)
}
