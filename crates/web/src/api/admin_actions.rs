//! `/admin-action`: what one administrator asks for and another approves. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the body is read (413) and is JSON (400); its schema (400)
//! 3. in `app`: the person, the service and the action exist (404)
//! 4. who asks may manage what it is about in the service, or is an administrator (403)
//! 5. of a new action: none about the same waits (409)
//! 6. of a review: the action waits, and has not lapsed (400); who asked for it does not approve
//!    it, and who decides is an administrator (403)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use balefire_app::admin_actions::{ActionRefusal, NewAction};
use balefire_app::elevation::ElevateRefusal;
use balefire_app::{AdminAction, App, Failure};
use balefire_domain::admin_action::{ActionStatus, ReviewRefusal};
use balefire_domain::limits::ADMIN_ACTION_DATA_BYTES_MAX;
use balefire_domain::permission::Denial;
use balefire_domain::time::Timestamp;
use serde_json::{Map, Value, json};

use super::service::{render_short, store};
use crate::answer;
use crate::extract::{Admin, AdminActionPath, Fields, JsonBody, UserPath};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

/// Characters of an action's kind.
const KIND_CHARS_MAX: usize = 60;
const DECISIONS: [&str; 3] = ["approved", "rejected", "invalidated"];

const ACTION: Schema = Schema::Named(
    "AdminAction",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("service_id", Schema::Nullable(&Schema::Id)),
        required("action_type", Schema::Text),
        required("action_data", Schema::Map(&Schema::Any)),
        required("created_by", Schema::Id),
        required("created_at", Schema::Instant),
        required(
            "status",
            Schema::Word(&["pending", "approved", "rejected", "invalidated"]),
        ),
        required("reviewed_by", Schema::Nullable(&Schema::Id)),
        required("reviewed_at", Schema::Nullable(&Schema::Instant)),
    ]),
);

const PENDING: Schema = Schema::Object(&[
    required("pending", Schema::List(&ACTION)),
    required("services", Schema::Map(&Schema::Map(&Schema::Any))),
    required("users", Schema::Map(&Schema::Map(&Schema::Any))),
]);

const NEW: Schema = Schema::Object(&[
    required("created_by", Schema::Id),
    required("action_type", Schema::Bounded(1, KIND_CHARS_MAX)),
    required("action_data", Schema::Map(&Schema::Any)),
    optional("service_id", Schema::Nullable(&Schema::Id)),
]);

const REVIEW: Schema = Schema::Object(&[
    required("reviewed_by", Schema::Id),
    required("status", Schema::Word(&DECISIONS)),
]);

const LIST: Route = Route {
    method: "GET",
    path: "/admin-action/pending",
    operation: "list_pending_admin_actions",
    caller: Caller::Admin,
    summary: "What waits for a second administrator",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(PENDING))],
    handler: || get(list),
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        path: "/admin-action",
        operation: "create_admin_action",
        refusals: &[404, 409],
        summary: "Ask for something that takes a second administrator",
        body: Body::Json(NEW),
        answers: &[(201, Some(ACTION))],
        handler: || post(create),
        ..LIST
    },
    Route {
        path: "/admin-action/{action}",
        operation: "read_admin_action",
        summary: "What somebody asked for",
        answers: &[(200, Some(ACTION))],
        handler: || get(show),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/admin-action/{action}/review",
        operation: "review_admin_action",
        summary: "Approve or reject what another administrator asked for",
        body: Body::Json(REVIEW),
        answers: &[(200, Some(ACTION))],
        handler: || post(review),
        ..LIST
    },
];

pub(crate) const TEST_ROUTES: &[Route] = &[Route {
    method: "DELETE",
    path: "/admin-action/purge/{user}",
    operation: "purge_admin_actions",
    summary: "Remove what a person asked for",
    answers: &[(
        200,
        Some(Schema::Object(&[required("message", Schema::Text)])),
    )],
    handler: || delete(purge),
    ..LIST
}];

async fn list(_admin: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let pending = app.list_pending_actions().await.map_err(store)?;
    let actions: Vec<Value> = pending.actions.iter().map(render).collect();
    let services: Map<String, Value> = pending
        .services
        .iter()
        .map(|service| (service.id.to_string(), render_short(service)))
        .collect();
    let users: Map<String, Value> = pending
        .users
        .iter()
        .map(|user| {
            let shown = json!({
                "id": user.id, "name": user.name, "email_address": user.email,
            });
            (user.id.to_string(), shown)
        })
        .collect();
    let shown = json!({ "pending": actions, "services": services, "users": users });
    Ok(answer::json(StatusCode::OK, &shown))
}

async fn create(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let new = read_new(&body)?;
    let made = app.ask_for_action(&new).await.map_err(problem)?;
    Ok(answer::json(StatusCode::CREATED, &render(&made)))
}

async fn show(
    _admin: Admin,
    path: AdminActionPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let action = app.load_action(path.action).await.map_err(store)?;
    let action = action.ok_or_else(not_found)?;
    Ok(answer::json(StatusCode::OK, &render(&action)))
}

async fn review(
    _admin: Admin,
    path: AdminActionPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &REVIEW)?;
    let by = fields.id("reviewed_by");
    let status = fields.word("status", &DECISIONS);
    fields.finish()?;
    let (Some(by), Some(status)) = (by, status.and_then(ActionStatus::parse)) else {
        // Both were required above.
        return Err(not_found());
    };
    let reviewed = app.review_action(path.action, status, by).await;
    let reviewed = reviewed.map_err(problem)?;
    Ok(answer::json(StatusCode::OK, &render(&reviewed)))
}

async fn purge(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let count = app.purge_actions(user).await.map_err(store)?;
    let message = format!("Purged {count} admin actions created by {user}");
    Ok(answer::json(StatusCode::OK, &json!({ "message": message })))
}

fn read_new(body: &Value) -> Result<NewAction, Problem> {
    let mut fields = Fields::of(body, &NEW)?;
    fields.check_object("action_data");
    let created_by = fields.id("created_by");
    let kind = fields.filled_text("action_type", Some(KIND_CHARS_MAX));
    let service = fields.id("service_id");
    let data = fields.value("action_data").cloned().unwrap_or(Value::Null);
    if data.to_string().len() > ADMIN_ACTION_DATA_BYTES_MAX {
        let max = ADMIN_ACTION_DATA_BYTES_MAX;
        fields.refuse(format!("action_data is too long: at most {max} bytes"));
    }
    fields.finish()?;
    match (created_by, kind) {
        (Some(created_by), Some(kind)) => Ok(NewAction {
            kind,
            service,
            data,
            created_by,
        }),
        // Both were required above.
        _ => Err(not_found()),
    }
}

fn render(action: &AdminAction) -> Value {
    json!({
        "id": action.id,
        "service_id": action.service_id,
        "action_type": action.kind,
        "action_data": action.data,
        "created_by": action.created_by,
        "created_at": action.created_at.to_json_style(),
        "status": action.status.as_str(),
        "reviewed_by": action.reviewed_by,
        "reviewed_at": action.reviewed_at.map(Timestamp::to_json_style),
    })
}

fn not_found() -> Problem {
    Problem::not_found(Shape::Internal)
}

/// What is said of a refusal, here and on `/v3`.
pub(super) fn problem(failure: Failure<ActionRefusal>) -> Problem {
    let (bad, forbidden) = (StatusCode::BAD_REQUEST, StatusCode::FORBIDDEN);
    Problem::of_failure(Shape::Internal, failure, |refusal| match refusal {
        ActionRefusal::NotFound => not_found(),
        ActionRefusal::Denied(Denial::NotAMember) => Problem::plain(
            forbidden,
            "Who asks neither belongs to the service nor is a platform administrator",
        ),
        ActionRefusal::Denied(denial) => {
            Problem::plain(forbidden, format!("Who asks may not do it: {denial}"))
        }
        ActionRefusal::SimilarPending => {
            Problem::plain(StatusCode::CONFLICT, "A similar action is already pending")
        }
        ActionRefusal::Review(ReviewRefusal::NotPending) => {
            Problem::plain(bad, "The action is not pending")
        }
        ActionRefusal::Review(ReviewRefusal::NoDecision) => {
            Problem::plain(bad, "A review approves, rejects or invalidates")
        }
        ActionRefusal::Review(ReviewRefusal::OwnAction) => {
            Problem::plain(forbidden, "You cannot approve your own action")
        }
        ActionRefusal::Review(ReviewRefusal::NotAnAdministrator) => Problem::plain(
            forbidden,
            "Only a platform administrator can review an action",
        ),
        ActionRefusal::Plan(fault) => Problem::plain(bad, fault.to_string()),
        ActionRefusal::AskerMayNot(denial) => Problem::plain(
            bad,
            format!("Who asked for it may not do it any more: {denial}"),
        ),
        ActionRefusal::Archived => Problem::plain(bad, "The service is archived"),
        ActionRefusal::Invitation(refusal) => Problem::invitation(Failure::Refused(refusal)),
        ActionRefusal::NoSuchMember => Problem::plain(
            bad,
            "Who is to have other permissions does not belong to the service",
        ),
        ActionRefusal::Elevation(refusal) => {
            Problem::elevation(forbidden, Failure::Refused(ElevateRefusal::Rule(refusal)))
        }
    })
}
