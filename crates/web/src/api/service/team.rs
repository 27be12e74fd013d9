//! A service's members. Order of the checks: 1. token (401, 403); 2. the body is read (413) and is
//! JSON (400), where there is one; 3. its schema (400); 4. in `app`: the service and the person
//! exist (404); 5. of a new member: they are none yet (400); of who leaves: they are one (404), and
//! not the only one (400).

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::team::TeamRefusal;
use balefire_app::{App, Failure};
use balefire_domain::ids::UserId;
use balefire_domain::limits::FOLDERS_PER_MEMBER_MAX;
use balefire_domain::permission::{Permission, Permissions};
use serde_json::{Value, json};
use uuid::Uuid;

use super::read::store;
use super::view;
use crate::answer;
use crate::api::users::render_person;
use crate::extract::{Admin, Fields, JsonBody, MemberPath, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

/// A permission, in the object in which clients send it.
pub(crate) const PERMISSION: Schema =
    Schema::Object(&[required("permission", Schema::Word(&PERMISSION_WORDS))]);

pub(crate) const PERMISSION_WORDS: [&str; 8] = [
    "manage_users",
    "manage_templates",
    "manage_api_keys",
    "view_activity",
    "create_broadcasts",
    "approve_broadcasts",
    "cancel_broadcasts",
    "reject_broadcasts",
];

pub(crate) const NEW: Schema = Schema::Object(&[
    required("permissions", Schema::List(&PERMISSION)),
    optional(
        "folder_permissions",
        Schema::Nullable(&Schema::List(&Schema::Id)),
    ),
]);

pub(crate) async fn list(
    _admin: Admin,
    ServicePath(id): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let people = app.list_people_of_service(id).await.map_err(store)?;
    let people = people.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let shown: Vec<Value> = people.iter().map(render_person).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": shown })))
}

pub(crate) async fn add(
    _admin: Admin,
    path: MemberPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &NEW)?;
    let permissions = read_permissions(&mut fields);
    let folders = read_folders(&mut fields).unwrap_or_default();
    fields.finish()?;
    let service = app
        .add_member(path.service, path.user, &permissions, &folders)
        .await
        .map_err(|failure| problem(path.user, failure))?;
    let shown = json!({ "data": view::render(&app, &service) });
    Ok(answer::json(StatusCode::CREATED, &shown))
}

pub(crate) async fn remove(
    _admin: Admin,
    path: MemberPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.remove_member(path.service, path.user)
        .await
        .map_err(|failure| problem(path.user, failure))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `permissions`: a list of `{"permission": "…"}`.
pub(crate) fn read_permissions(fields: &mut Fields<'_>) -> Permissions {
    let mut permissions = Permissions::new();
    let list = match fields.value("permissions") {
        None => return permissions,
        Some(Value::Array(list)) => list,
        Some(_) => {
            fields.refuse("permissions is not of type array");
            return permissions;
        }
    };
    for entry in list {
        let word = entry.get("permission").and_then(Value::as_str);
        if let Some(permission) = word.and_then(Permission::parse) {
            permissions.insert(permission);
        } else {
            let known = PERMISSION_WORDS.join(", ");
            fields.refuse(format!("permissions: permission is not one of [{known}]"));
        }
    }
    permissions
}

/// `folder_permissions`: a list of ids; absent where it says nothing.
pub(crate) fn read_folders(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let ids = fields.ids::<Uuid>("folder_permissions", FOLDERS_PER_MEMBER_MAX)?;
    Some(ids.iter().map(Uuid::to_string).collect())
}

fn problem(user: UserId, failure: Failure<TeamRefusal>) -> Problem {
    let bad = StatusCode::BAD_REQUEST;
    Problem::of_failure(Shape::Internal, failure, |refusal| match refusal {
        TeamRefusal::NotFound => Problem::not_found(Shape::Internal),
        TeamRefusal::NotAMember => Problem::message(StatusCode::NOT_FOUND, "User not found"),
        TeamRefusal::AlreadyMember(service) => Problem::message(
            bad,
            format!("User id: {user} already part of service id: {service}"),
        ),
        TeamRefusal::OnlyMember => {
            Problem::message(bad, "You cannot remove the only user for a service")
        }
    })
}
