//! What takes two persons (ADR 25): an invitation, other permissions, a key, an elevation. One asks
//! at `POST /v3/admin-actions`; another, who may act as platform administrator, approves, and in
//! that transaction it is done. On `/v3` there is no other way to any of them. Order of the checks:
//!
//! 1. as `extract::Asked`
//! 2. the schema (400), and the action can be read whole (422)
//! 3. asking: the service exists and the person belongs to it (404), and may do what they ask for
//!    (403); none about the same waits (409)
//! 4. deciding: the person may know of it (404); it waits and has not lapsed (409); who asked for
//!    it does not approve it, and who approves may act as platform administrator (403)
//! 5. approving: who asked still may (409); the rules of what is done (422)
//!
//! A key's secret is in the answer to the approval, and nowhere after that.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::admin_actions::{ActionRefusal, NewAction};
use balefire_app::approve_action::CarriedOut;
use balefire_app::{AdminAction, App, Failure};
use balefire_domain::admin_action::{ActionStatus, ReviewRefusal};
use balefire_domain::admin_plan::KINDS;
use balefire_domain::ids::{AdminActionId, UserId};
use balefire_domain::limits::ADMIN_ACTION_DATA_BYTES_MAX;
use balefire_domain::permission::{Deed, Denial};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::BASE;
use crate::answer;
use crate::api::admin_actions::problem;
use crate::extract::{AdminActionPath, Asked, Fields};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const PERSON: Schema = Schema::Nullable(&Schema::Id);
const INSTANT: Schema = Schema::Nullable(&Schema::Instant);
const ACTION: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("service_id", PERSON),
    required("action_type", Schema::Text),
    required("action_data", Schema::Map(&Schema::Any)),
    required(
        "status",
        Schema::Word(&["pending", "approved", "rejected", "invalidated"]),
    ),
    required("created_by", Schema::Id),
    required("created_at", Schema::Instant),
    required("lapses_at", INSTANT),
    required("reviewed_by", PERSON),
    required("reviewed_at", INSTANT),
]);
const NEW: Schema = Schema::Object(&[
    required("action_type", Schema::Word(&KINDS)),
    required("action_data", Schema::Map(&Schema::Any)),
    optional("service_id", PERSON),
]);
const NOTHING: Schema = Schema::Object(&[]);
const KEY: Schema = Schema::Object(&[required("id", Schema::Id), required("secret", Schema::Text)]);
const DONE: Schema = Schema::Object(&[
    required("admin_action", ACTION),
    required("invitation_id", PERSON),
    required("api_key", Schema::Nullable(&KEY)),
    required("elevation_until", INSTANT),
]);

pub(super) const LIST: Route = Route {
    path: "/v3/admin-actions",
    operation: "list_pending_actions_v3",
    caller: Caller::Person,
    summary: "What waits for a second person, as far as whoever asks may know of it",
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "admin_actions",
            Schema::List(&ACTION),
        )])),
    )],
    handler: || get(list),
    ..BASE
};

pub(super) const ASK: Route = Route {
    method: "POST",
    path: "/v3/admin-actions",
    operation: "ask_for_action_v3",
    refusals: &[404, 409, 422],
    caller: Caller::Person,
    summary: "Ask for an invitation, other permissions, a key or an elevation",
    body: Body::Json(NEW),
    answers: &[(201, Some(ACTION))],
    handler: || post(ask),
    ..BASE
};

pub(super) const READ: Route = Route {
    path: "/v3/admin-actions/{action}",
    operation: "read_action_v3",
    summary: "What somebody asked for",
    answers: &[(200, Some(ACTION))],
    handler: || get(read),
    ..LIST
};

pub(super) const APPROVE: Route = Route {
    path: "/v3/admin-actions/{action}/approve",
    operation: "approve_action_v3",
    summary: "Approve what another person asked for; it is done now, and a secret told this once",
    body: Body::Json(NOTHING),
    answers: &[(200, Some(DONE))],
    handler: || post(approve),
    ..ASK
};

pub(super) const REJECT: Route = Route {
    path: "/v3/admin-actions/{action}/reject",
    operation: "reject_action_v3",
    summary: "Say no to what somebody asked for, or take one's own back",
    body: Body::Json(NOTHING),
    answers: &[(200, Some(ACTION))],
    handler: || post(reject),
    ..ASK
};

async fn list(State(app): State<App>, asked: Asked) -> Result<Response, Problem> {
    let actions = app.see_pending_actions(asked.by).await;
    let actions = actions.map_err(|error| Problem::store(Shape::Current, &error))?;
    let actions: Vec<Value> = actions.iter().map(render).collect();
    let told = json!({ "admin_actions": actions });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn ask(State(app): State<App>, asked: Asked) -> Result<Response, Problem> {
    let new = read_new(&asked)?;
    if let Some(service) = new.service {
        let may_see = app.check_deed(asked.by, service, Deed::View).await;
        let may_see = may_see.map_err(|error| Problem::store(Shape::Current, &error))?;
        let is_administrator = app.may_administer(asked.by).await;
        let is_administrator =
            is_administrator.map_err(|error| Problem::store(Shape::Current, &error))?;
        if may_see.is_err() && !is_administrator {
            return Err(Problem::not_found(Shape::Current));
        }
    }
    let made = app.propose_action(&new).await.map_err(refused)?;
    Ok(answer::json(StatusCode::CREATED, &render(&made)))
}

async fn read(
    path: AdminActionPath,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    let action = see(&app, path.action, asked.by).await?;
    Ok(answer::json(StatusCode::OK, &render(&action)))
}

async fn approve(
    path: AdminActionPath,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    Fields::of(super::or_empty(&asked.body), &NOTHING)?.finish()?;
    see(&app, path.action, asked.by).await?;
    let (action, done) = app
        .approve_action(path.action, asked.by)
        .await
        .map_err(refused)?;
    let mut told = json!({
        "admin_action": render(&action),
        "invitation_id": Value::Null, "api_key": Value::Null, "elevation_until": Value::Null,
    });
    match done {
        CarriedOut::Invitation(id) => told["invitation_id"] = json!(id),
        CarriedOut::Permissions => {}
        CarriedOut::Key { id, secret } => {
            told["api_key"] = json!({ "id": id, "secret": secret });
        }
        CarriedOut::Elevation { until } => {
            told["elevation_until"] = json!(until.to_json_style());
        }
    }
    Ok(answer::json(StatusCode::OK, &told))
}

async fn reject(
    path: AdminActionPath,
    State(app): State<App>,
    asked: Asked,
) -> Result<Response, Problem> {
    Fields::of(super::or_empty(&asked.body), &NOTHING)?.finish()?;
    see(&app, path.action, asked.by).await?;
    let rejected = app
        .review_action(path.action, ActionStatus::Rejected, asked.by)
        .await
        .map_err(refused)?;
    Ok(answer::json(StatusCode::OK, &render(&rejected)))
}

/// The action, where the person may know of it (404).
async fn see(app: &App, id: AdminActionId, by: UserId) -> Result<AdminAction, Problem> {
    let action = app.see_action(id, by).await;
    action
        .map_err(|error| Problem::store(Shape::Current, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Current))
}

fn read_new(asked: &Asked) -> Result<NewAction, Problem> {
    let mut fields = Fields::of(&asked.body, &NEW)?;
    fields.check_object("action_data");
    let kind = fields.word("action_type", &KINDS);
    let service = fields.id("service_id");
    let data = fields.value("action_data").cloned().unwrap_or(Value::Null);
    if data.to_string().len() > ADMIN_ACTION_DATA_BYTES_MAX {
        let max = ADMIN_ACTION_DATA_BYTES_MAX;
        fields.refuse(format!("action_data is too long: at most {max} bytes"));
    }
    fields.finish()?;
    let Some(kind) = kind else {
        unreachable!("it is required");
    };
    Ok(NewAction {
        kind: kind.to_owned(),
        service,
        data,
        created_by: asked.by,
    })
}

fn render(action: &AdminAction) -> Value {
    let is_pending = action.status == ActionStatus::Pending;
    json!({
        "id": action.id,
        "service_id": action.service_id,
        "action_type": action.kind,
        "action_data": action.data,
        "status": action.status.as_str(),
        "created_by": action.created_by,
        "created_at": action.created_at.to_json_style(),
        "lapses_at": is_pending.then(|| action.lapses_at.to_json_style()),
        "reviewed_by": action.reviewed_by,
        "reviewed_at": action.reviewed_at.map(Timestamp::to_json_style),
    })
}

/// The words are those of the earlier routes; the status says of which kind it is.
fn refused(failure: Failure<ActionRefusal>) -> Problem {
    let status = match &failure {
        Failure::Refused(refusal) => Some(status(refusal)),
        Failure::Store(_) => None,
    };
    let problem = problem(failure);
    match status {
        Some(StatusCode::NOT_FOUND) => Problem::not_found(Shape::Current),
        Some(status) => problem.with_status(status),
        None => problem,
    }
}

fn status(refusal: &ActionRefusal) -> StatusCode {
    match refusal {
        ActionRefusal::NotFound | ActionRefusal::Denied(Denial::NotAMember) => {
            StatusCode::NOT_FOUND
        }
        ActionRefusal::Denied(_)
        | ActionRefusal::Review(ReviewRefusal::OwnAction | ReviewRefusal::NotAnAdministrator)
        | ActionRefusal::Elevation(_) => StatusCode::FORBIDDEN,
        ActionRefusal::SimilarPending
        | ActionRefusal::AskerMayNot(_)
        | ActionRefusal::Review(ReviewRefusal::NotPending | ReviewRefusal::NoDecision) => {
            StatusCode::CONFLICT
        }
        ActionRefusal::Plan(_)
        | ActionRefusal::Archived
        | ActionRefusal::Invitation(_)
        | ActionRefusal::NoSuchMember => StatusCode::UNPROCESSABLE_ENTITY,
    }
}
