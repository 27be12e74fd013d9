//! `/service/{service}/template-folder…`: folders of templates. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. in `app`: the service, the folders and the templates exist, and are the service's (404)
//! 6. a folder that goes is empty, and none is moved into itself or what lies in it (400)
//!
//! These routes name no person: the client answers for who may.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use balefire_app::App;
use balefire_app::template_folders::SeenFolder;
use balefire_domain::ids::{FolderId, ServiceId};
use balefire_domain::limits::{FOLDER_NAME_CHARS_MAX, FOLDERS_PER_SERVICE_MAX};
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, Fields, FolderPath, JsonBody, ServicePath};
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, optional, required};

/// Templates, and likewise folders, that one request moves.
const MOVED_MAX: usize = 500;
/// Members whom one request names.
const USERS_MAX: usize = 2_000;
const NAME: Schema = Schema::Bounded(1, FOLDER_NAME_CHARS_MAX);
const FOLDER: Schema = Schema::Named(
    "TemplateFolder",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("name", Schema::Text),
        required("parent_id", Schema::Nullable(&Schema::Id)),
        required("service_id", Schema::Id),
        required("users_with_permission", Schema::List(&Schema::Id)),
    ]),
);
const ONE: Schema = Schema::Object(&[required("data", FOLDER)]);
const NEW: Schema = Schema::Object(&[
    required("name", NAME),
    optional("parent_id", Schema::Nullable(&Schema::Id)),
]);
const CHANGE: Schema = Schema::Object(&[
    required("name", NAME),
    optional(
        "users_with_permission",
        Schema::Nullable(&Schema::List(&Schema::Id)),
    ),
]);
const CONTENTS: Schema = Schema::Object(&[
    required("templates", Schema::List(&Schema::Id)),
    required("folders", Schema::List(&Schema::Id)),
]);
const _: () = assert!(MOVED_MAX >= FOLDERS_PER_SERVICE_MAX);

const LIST: Route = Route {
    method: "GET",
    path: "/service/{service}/template-folder",
    operation: "list_template_folders",
    caller: Caller::Admin,
    summary: "The service's folders of templates, by name",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "template_folders",
            Schema::List(&FOLDER),
        )])),
    )],
    handler: || get(list),
};
const MOVE: Route = Route {
    method: "POST",
    path: "/service/{service}/template-folder/contents",
    operation: "move_to_top_folder",
    summary: "Move templates and folders to the top",
    body: Body::Json(CONTENTS),
    answers: &[(204, None)],
    handler: || post(move_to_top),
    ..LIST
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        operation: "create_template_folder",
        summary: "Make a folder",
        body: Body::Json(NEW),
        answers: &[(201, Some(ONE))],
        handler: || post(create),
        ..LIST
    },
    MOVE,
    Route {
        path: "/service/{service}/template-folder/{folder}/contents",
        operation: "move_to_template_folder",
        summary: "Move templates and folders into a folder",
        handler: || post(move_into),
        ..MOVE
    },
    Route {
        method: "POST",
        path: "/service/{service}/template-folder/{folder}",
        operation: "update_template_folder",
        summary: "Rename a folder, and say who sees it",
        body: Body::Json(CHANGE),
        answers: &[(200, Some(ONE))],
        handler: || post(update),
        ..LIST
    },
    Route {
        method: "DELETE",
        path: "/service/{service}/template-folder/{folder}",
        operation: "delete_template_folder",
        refusals: &[400],
        summary: "Take an empty folder away",
        answers: &[(204, None)],
        handler: || delete(remove),
        ..LIST
    },
];

async fn list(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let folders = app
        .list_folders(service)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let told: Vec<Value> = folders.iter().map(render).collect();
    let told = json!({ "template_folders": told });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn create(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &NEW)?;
    let name = fields.filled_text("name", Some(FOLDER_NAME_CHARS_MAX));
    let parent = fields.id("parent_id");
    fields.finish()?;
    let made = app
        .create_folder(service, &name.unwrap_or_default(), parent)
        .await;
    let told = json!({ "data": render(&made.map_err(Problem::folders)?) });
    Ok(answer::json(StatusCode::CREATED, &told))
}

async fn update(
    _admin: Admin,
    path: FolderPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &CHANGE)?;
    let name = fields.filled_text("name", Some(FOLDER_NAME_CHARS_MAX));
    let users = fields.ids("users_with_permission", USERS_MAX);
    fields.finish()?;
    let name = name.unwrap_or_default();
    let changed = app
        .update_folder(path.service, path.folder, &name, users.as_deref())
        .await;
    let told = json!({ "data": render(&changed.map_err(Problem::folders)?) });
    Ok(answer::json(StatusCode::OK, &told))
}

async fn remove(
    _admin: Admin,
    path: FolderPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let removed = app.delete_folder(path.service, path.folder).await;
    removed.map_err(Problem::folders)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn move_to_top(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    move_contents(&app, service, None, &body).await
}

async fn move_into(
    _admin: Admin,
    path: FolderPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    move_contents(&app, path.service, Some(path.folder), &body).await
}

async fn move_contents(
    app: &App,
    service: ServiceId,
    into: Option<FolderId>,
    body: &Value,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(body, &CONTENTS)?;
    let templates = fields.ids("templates", MOVED_MAX).unwrap_or_default();
    let folders = fields.ids("folders", MOVED_MAX).unwrap_or_default();
    fields.finish()?;
    app.move_into_folder(service, into, &templates, &folders)
        .await
        .map_err(Problem::folders)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn render(seen: &SeenFolder) -> Value {
    let folder = &seen.folder;
    json!({
        "id": folder.id,
        "name": folder.name,
        "parent_id": folder.parent_id,
        "service_id": folder.service_id,
        "users_with_permission": seen.users,
    })
}
