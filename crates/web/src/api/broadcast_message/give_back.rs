//! `POST /service/{service}/broadcast-message/{alert}/status-with-reason` and `…/return-for-edit`:
//! rejecting an alert, or giving it back to its author, with the reason that they read. Checks and
//! their order are those of `…/status`; that the reason is there is checked with the schema (400).
//!
//! 200: the alert.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::move_alert::Move;
use balefire_domain::alert::Status;
use balefire_domain::approval::Seen;
use balefire_domain::limits::REJECTION_REASON_CHARS_MAX;

use super::render_alert;
use super::status::read_move;
use crate::answer;
use crate::extract::{Admin, AlertPath, Fields, JsonBody, Repeatable, once};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

pub(crate) const BODY: Schema = Schema::Object(&[
    required(
        "edit_reason",
        Schema::Bounded(0, REJECTION_REASON_CHARS_MAX),
    ),
    required("created_by", Schema::Id),
]);

pub(crate) async fn change_status_with_reason(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = Move {
        request: repeatable.of(&body),
        ..read_move(&body)?
    };
    if asked.to == Status::Rejected && is_blank(asked.reason.as_deref()) {
        let message = "Enter the reason for rejecting the alert.";
        return Err(Problem::message(StatusCode::BAD_REQUEST, message));
    }
    move_alert(&app, &path, &asked).await
}

pub(crate) async fn return_for_edit(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &BODY)?;
    let reason = fields.bounded_text("edit_reason", REJECTION_REASON_CHARS_MAX);
    let by = fields.id("created_by");
    fields.finish()?;
    if is_blank(reason.as_deref()) {
        let message = "Enter the reason for returning the alert for edit.";
        return Err(Problem::message(StatusCode::BAD_REQUEST, message));
    }
    let asked = Move {
        to: Status::Returned,
        // It was required above.
        by: by.ok_or_else(|| Problem::not_found(Shape::Internal))?,
        reason,
        seen: Seen::default(),
        request: repeatable.of(&body),
    };
    move_alert(&app, &path, &asked).await
}

async fn move_alert(app: &App, path: &AlertPath, asked: &Move) -> Result<Response, Problem> {
    let moved = once(
        app,
        asked.by,
        asked.request.as_ref(),
        Box::pin(async {
            let moved = app.move_alert(path.service, path.alert, asked).await;
            moved.map_err(|failure| Problem::change_status(path.alert, asked, failure))
        }),
    )
    .await?;
    Ok(answer::json(StatusCode::OK, &render_alert(&moved.alert)))
}

fn is_blank(reason: Option<&str>) -> bool {
    reason.is_none_or(|reason| reason.trim().is_empty())
}
