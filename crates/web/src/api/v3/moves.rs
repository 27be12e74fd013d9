//! `POST /v3/services/{service}/alerts/{alert}/submit|approve|reject|cancel`. An approval names the
//! version and the hash that were read, of the alert or of the update that waits. Order of the
//! checks: 1. as `extract::Asked`; 2. the schema (400); 3. as the status route's, in `app`.
//!
//! 200: the alert as it now is.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use balefire_app::move_alert::{Move, MoveRefusal};
use balefire_app::{App, Failure};
use balefire_domain::alert::Status;
use balefire_domain::approval::{ApprovalRefusal, Seen};
use balefire_domain::limits::REJECTION_REASON_CHARS_MAX;
use balefire_domain::permission::Denial;

use super::{BASE, alerts, or_empty};
use crate::answer;
use crate::extract::{AlertPath, Asked, Fields, Repeatable, once};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

/// Characters of a version's hash: SHA-256 in hex.
const HASH_CHARS: usize = 64;
const NOTHING: Schema = Schema::Object(&[]);
const SEEN: Schema = Schema::Object(&[
    required("version", Schema::Integer),
    required("hash", Schema::Bounded(HASH_CHARS, HASH_CHARS)),
]);
const REASON: Schema = Schema::Object(&[
    required("reason", Schema::Bounded(1, REJECTION_REASON_CHARS_MAX)),
    optional("version", Schema::Integer),
]);

pub(super) const SUBMIT: Route = Route {
    method: "POST",
    path: "/v3/services/{service}/alerts/{alert}/submit",
    operation: "submit_alert",
    refusals: &[409],
    is_repeatable: true,
    caller: Caller::Person,
    summary: "Submit an alert for approval",
    body: Body::Json(NOTHING),
    answers: &[(200, Some(alerts::ALERT))],
    handler: || post(submit),
    ..BASE
};

pub(super) const APPROVE: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}/approve",
    operation: "approve_alert",
    summary: "Approve the version of an alert, or of its update, that was read",
    body: Body::Json(SEEN),
    handler: || post(approve),
    ..SUBMIT
};

pub(super) const REJECT: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}/reject",
    operation: "reject_alert",
    summary: "Reject an alert, or its update, and say why",
    body: Body::Json(REASON),
    handler: || post(reject),
    ..SUBMIT
};

pub(super) const CANCEL: Route = Route {
    path: "/v3/services/{service}/alerts/{alert}/cancel",
    operation: "cancel_alert",
    summary: "Take an alert off the air",
    handler: || post(cancel),
    ..SUBMIT
};

async fn submit(
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    asked: Asked,
) -> Result<Response, Problem> {
    Fields::of(or_empty(&asked.body), &NOTHING)?.finish()?;
    make(
        &app,
        path,
        repeatable,
        &asked,
        Status::PendingApproval,
        None,
        Seen::default(),
    )
    .await
}

async fn approve(
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    asked: Asked,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&asked.body, &SEEN)?;
    let seen = Seen {
        version: fields.count("version"),
        hash: fields.filled_text("hash", Some(HASH_CHARS)),
    };
    fields.finish()?;
    make(
        &app,
        path,
        repeatable,
        &asked,
        Status::Broadcasting,
        None,
        seen,
    )
    .await
}

async fn reject(
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    asked: Asked,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&asked.body, &REASON)?;
    let reason = fields.filled_text("reason", Some(REJECTION_REASON_CHARS_MAX));
    let seen = Seen {
        version: fields.count("version"),
        hash: None,
    };
    fields.finish()?;
    make(
        &app,
        path,
        repeatable,
        &asked,
        Status::Rejected,
        reason,
        seen,
    )
    .await
}

async fn cancel(
    path: AlertPath,
    State(app): State<App>,
    repeatable: Repeatable,
    asked: Asked,
) -> Result<Response, Problem> {
    Fields::of(or_empty(&asked.body), &NOTHING)?.finish()?;
    make(
        &app,
        path,
        repeatable,
        &asked,
        Status::Cancelled,
        None,
        Seen::default(),
    )
    .await
}

async fn make(
    app: &App,
    path: AlertPath,
    repeatable: Repeatable,
    asked: &Asked,
    to: Status,
    reason: Option<String>,
    seen: Seen,
) -> Result<Response, Problem> {
    let asked = Move {
        to,
        by: asked.by,
        reason,
        seen,
        request: repeatable.of_person(asked.by, &asked.body),
    };
    let moved = once(
        app,
        asked.by,
        asked.request.as_ref(),
        Box::pin(async {
            let moved = app.move_alert(path.service, path.alert, &asked).await;
            moved.map_err(|failure| refused(&path, &asked, failure))
        }),
    )
    .await?;
    let service = app.load_service(path.service).await;
    let service = service
        .map_err(|error| Problem::store(Shape::Current, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Current))?;
    let told = alerts::render(app, &moved.alert, &service).await?;
    Ok(answer::json(StatusCode::OK, &told))
}

/// The words are those of the earlier routes; the status says of which kind it is.
fn refused(path: &AlertPath, asked: &Move, failure: Failure<MoveRefusal>) -> Problem {
    let status = match &failure {
        Failure::Refused(refusal) => status(refusal),
        Failure::Store(_) => None,
    };
    let problem = Problem::change_status(path.alert, asked, failure);
    match status {
        Some(StatusCode::NOT_FOUND) => Problem::not_found(Shape::Current),
        Some(status) => problem.with_status(status),
        None => problem,
    }
}

fn status(refusal: &MoveRefusal) -> Option<StatusCode> {
    match refusal {
        MoveRefusal::NotFound
        | MoveRefusal::UserNotFound
        | MoveRefusal::Denied(Denial::NotAMember) => Some(StatusCode::NOT_FOUND),
        MoveRefusal::Denied(_)
        | MoveRefusal::ServiceInactive
        | MoveRefusal::Approval(ApprovalRefusal::OwnAlert | ApprovalRefusal::OwnSubmission) => {
            Some(StatusCode::FORBIDDEN)
        }
        MoveRefusal::IllegalMove { .. }
        | MoveRefusal::Approval(ApprovalRefusal::Stale | ApprovalRefusal::VersionUnnamed) => {
            Some(StatusCode::CONFLICT)
        }
        MoveRefusal::NoAreas
        | MoveRefusal::Text(_)
        | MoveRefusal::Approval(_)
        | MoveRefusal::Unfit { .. } => Some(StatusCode::UNPROCESSABLE_ENTITY),
        MoveRefusal::ClockInDoubt => None,
    }
}
