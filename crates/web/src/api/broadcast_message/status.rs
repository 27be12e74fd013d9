//! `POST /service/{service}/broadcast-message/{alert}/status`: submit, approve, reject, give back,
//! cancel (R36 to R41, D8, D9, D40). Of an alert that is broadcasting and has a proposed update
//! `broadcasting` approves that and `rejected` rejects it (ADR 17). `version` and `hash` say what
//! was seen; of an update the approval must name the version. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. in `app`: the alert exists, and is this service's (404)
//! 6. the service is active, or it is a cancel (403)
//! 7. the person exists (404)
//! 8. and belongs to the service, or is a platform administrator who cancels (400)
//! 9. the move is one of D9's table, or decides about a proposed update (400)
//! 10. the version and the hash that were seen are the present ones (409)
//! 11. what a submission or an approval needs (400)
//!
//! With an `Idempotency-Key` a repetition is answered the alert as it now is (200).
//!
//! 200: the alert.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::move_alert::Move;
use balefire_domain::approval::Seen;
use balefire_domain::limits::REJECTION_REASON_CHARS_MAX;
use serde_json::Value;

use super::render_alert;
use super::view::STATUSES;
use crate::answer;
use crate::extract::{Admin, AlertPath, Fields, JsonBody, Repeatable, once};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

pub(crate) const BODY: Schema = Schema::Object(&[
    required("status", Schema::Word(&STATUSES)),
    required("created_by", Schema::Id),
    optional(
        "rejection_reason",
        Schema::Nullable(&Schema::Bounded(0, REJECTION_REASON_CHARS_MAX)),
    ),
    optional("version", Schema::Nullable(&Schema::Integer)),
    optional("hash", Schema::Nullable(&Schema::Bounded(0, HASH_CHARS))),
]);

/// Characters of a version's hash: SHA-256 in hex.
const HASH_CHARS: usize = 64;

pub(crate) async fn change_status(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = read_move(&body)?;
    let asked = Move {
        request: repeatable.of_move(asked.to, &body),
        ..asked
    };
    let moved = once(
        &app,
        asked.by,
        asked.request.as_ref(),
        Box::pin(async {
            let moved = app.move_alert(path.service, path.alert, &asked).await;
            moved.map_err(|failure| Problem::change_status(path.alert, &asked, failure))
        }),
    )
    .await?;
    Ok(answer::json(StatusCode::OK, &render_alert(&moved.alert)))
}

pub(crate) fn read_move(body: &Value) -> Result<Move, Problem> {
    let mut fields = Fields::of(body, &BODY)?;
    let to = fields.status("status");
    let by = fields.id("created_by");
    let rejection_reason = fields.bounded_text("rejection_reason", REJECTION_REASON_CHARS_MAX);
    let seen = Seen {
        version: fields.count("version"),
        hash: fields.bounded_text("hash", HASH_CHARS),
    };
    fields.finish()?;
    match (to, by) {
        (Some(to), Some(by)) => Ok(Move {
            to,
            by,
            reason: rejection_reason,
            seen,
            request: None,
        }),
        // Both were required above.
        _ => Err(Problem::not_found(Shape::Internal)),
    }
}
