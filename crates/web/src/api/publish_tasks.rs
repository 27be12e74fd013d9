//! `/publish_task_progress`: how far the publisher of the public site is. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token of `govuk-alerts-publish` (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. the task exists (404)
//!
//! Dates are as in HTTP, `Mon, 23 Nov 2026 04:09:03 GMT`, unlike everywhere else: so the site reads
//! them. `{days}` is a whole number.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{delete, get, post};
use balefire_app::App;
use balefire_app::public_site::{PublishTask, Report};
use balefire_domain::ids::PublishTaskId;
use balefire_domain::limits::PUBLISHED_NAME_CHARS_MAX;
use balefire_domain::publishing::{Kind, Progress, progress};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{DaysPath, Fields, JsonBody, Publisher};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

const NAME: Schema = Schema::Bounded(1, PUBLISHED_NAME_CHARS_MAX);
const START: Schema = Schema::Object(&[required("task_id", NAME)]);
const NAMED: Schema = Schema::Object(&[required("id", Schema::Id)]);
const FILE: Schema = Schema::Object(&[required("id", Schema::Id), required("file", NAME)]);
const TASK: Schema = Schema::Object(&[
    required("id", Schema::Id),
    required("task_id", Schema::Text),
    required("last_published_file", Schema::Nullable(&Schema::Text)),
    required("started_at", Schema::Text),
    required("last_activity_at", Schema::Text),
    required("finished_at", Schema::Nullable(&Schema::Text)),
]);
const NAMES: Schema = Schema::Object(&[
    optional("publish-all", Schema::List(&Schema::Text)),
    optional("publish-dynamic", Schema::List(&Schema::Text)),
]);
const LISTED: Schema = Schema::Object(&[required("ongoing", NAMES), required("failed", NAMES)]);

const ADD: Route = Route {
    method: "POST",
    path: "/publish_task_progress/add-publish",
    operation: "start_publish_task",
    caller: Caller::Publisher,
    summary: "A task of the publisher starts",
    query: &[],
    body: Body::Json(START),
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(TASK))],
    handler: || post(start),
};

pub(crate) const ROUTES: &[Route] = &[
    ADD,
    Route {
        path: "/publish_task_progress/get-publish",
        operation: "read_publish_task",
        refusals: &[404],
        summary: "A task of the publisher",
        body: Body::Json(NAMED),
        handler: || post(read),
        ..ADD
    },
    Route {
        path: "/publish_task_progress/update-publish",
        operation: "note_published_file",
        refusals: &[404],
        summary: "A task of the publisher has published a file",
        body: Body::Json(FILE),
        handler: || post(note_file),
        ..ADD
    },
    Route {
        path: "/publish_task_progress/finish-publish",
        operation: "finish_publish_task",
        refusals: &[404],
        summary: "A task of the publisher is done",
        body: Body::Json(NAMED),
        handler: || post(finish),
        ..ADD
    },
    Route {
        method: "GET",
        path: "/publish_task_progress/get-publish-tasks",
        operation: "list_publish_tasks",
        summary: "The tasks that go on, and those that fell silent",
        body: Body::None,
        answers: &[(200, Some(LISTED))],
        handler: || get(list),
        ..ADD
    },
];

pub(crate) const TEST_ROUTES: &[Route] = &[Route {
    method: "DELETE",
    path: "/publish_task_progress/purge/{days}",
    operation: "purge_publish_tasks",
    summary: "Remove tasks that started more than so many days ago",
    body: Body::None,
    answers: &[(
        200,
        Some(Schema::Object(&[required("message", Schema::Text)])),
    )],
    handler: || delete(purge),
    ..ADD
}];

async fn start(
    _publisher: Publisher,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &START)?;
    let name = fields.filled_text("task_id", Some(PUBLISHED_NAME_CHARS_MAX));
    fields.finish()?;
    let task = app
        .start_publish_task(&name.unwrap_or_default())
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    Ok(answer::json(StatusCode::OK, &render(&task)))
}

async fn read(
    _publisher: Publisher,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let id = read_id(&body)?;
    found(app.load_publish_task(id).await)
}

async fn note_file(
    _publisher: Publisher,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &FILE)?;
    let id = fields.id("id");
    let file = fields.filled_text("file", Some(PUBLISHED_NAME_CHARS_MAX));
    fields.finish()?;
    let task = match (id, file) {
        (Some(id), Some(file)) => app.report_publish_task(id, &Report::Published(file)).await,
        _ => Ok(None),
    };
    found(task)
}

async fn finish(
    _publisher: Publisher,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let id = read_id(&body)?;
    found(app.report_publish_task(id, &Report::Finished).await)
}

fn read_id(body: &Value) -> Result<PublishTaskId, Problem> {
    let mut fields = Fields::of(body, &NAMED)?;
    let id = fields.id("id");
    fields.finish()?;
    id.ok_or_else(|| Problem::not_found(Shape::Internal))
}

fn found(task: Result<Option<PublishTask>, balefire_app::StoreError>) -> Result<Response, Problem> {
    let task = task
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(StatusCode::OK, &render(&task)))
}

fn render(task: &PublishTask) -> Value {
    json!({
        "id": task.id,
        "task_id": task.task_id,
        "last_published_file": task.last_file,
        "started_at": task.started_at.to_http_date(),
        "last_activity_at": task.active_at.to_http_date(),
        "finished_at": task.finished_at.map(Timestamp::to_http_date),
    })
}

async fn list(_publisher: Publisher, State(app): State<App>) -> Result<Response, Problem> {
    let tasks = app
        .list_publish_tasks()
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let now = app.clock.now();
    let named = |wanted: Progress| {
        let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for task in &tasks {
            let is_wanted = progress(task.active_at, false, now) == wanted;
            if let Some(kind) = Kind::of_task(&task.task_id).filter(|_| is_wanted) {
                names.entry(kind.as_str()).or_default().push(&task.task_id);
            }
        }
        names
    };
    let told = json!({ "ongoing": named(Progress::Ongoing), "failed": named(Progress::Failed) });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn purge(
    _publisher: Publisher,
    State(app): State<App>,
    DaysPath(days): DaysPath,
) -> Result<Response, Problem> {
    let count = app
        .purge_publish_tasks(days)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let told = json!({ "message": format!("Removed {count} tasks of the publisher") });
    Ok(answer::json(StatusCode::OK, &told))
}
