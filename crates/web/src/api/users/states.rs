//! Accounts begin, end, are freed of their failures, and get permissions in a service. Order of
//! the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), where there is one
//! 4. its schema (400)
//! 5. the person exists, and belongs to the service of the path (404)
//! 6. they are not in use already, or no service's last member (400)
//!
//! Nobody is named who asks: the client answers for it, and the audit trail says so.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::App;
use balefire_app::accounts::Person;
use balefire_domain::limits::FOLDERS_OF_MEMBER_MAX;
use balefire_domain::permission::{Permission, Permissions};
use serde_json::{Value, json};
use uuid::Uuid;

use super::view::render_person;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, MemberPath, UserPath};
use crate::problem::Problem;
use crate::schema::{Schema, optional, required};

pub(crate) const PERMISSIONS: Schema = Schema::Object(&[
    required(
        "permissions",
        Schema::List(&Schema::Object(&[required(
            "permission",
            Schema::Word(&[
                "manage_users",
                "manage_templates",
                "manage_api_keys",
                "view_activity",
                "create_broadcasts",
                "approve_broadcasts",
                "cancel_broadcasts",
                "reject_broadcasts",
            ]),
        )])),
    ),
    optional(
        "folder_permissions",
        Schema::Nullable(&Schema::List(&Schema::Id)),
    ),
]);

pub(crate) async fn forget_failures(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .forget_failures(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(show(&person))
}

pub(crate) async fn activate(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .activate_account(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(show(&person))
}

pub(crate) async fn archive(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.archive_account(user)
        .await
        .map_err(Problem::account_state)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn set_permissions(
    _admin: Admin,
    MemberPath { user, service }: MemberPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &PERMISSIONS)?;
    let permissions = read_permissions(&mut fields);
    let folders = read_folders(&mut fields);
    fields.finish()?;
    app.set_member_permissions(user, service, &permissions, folders.as_deref())
        .await
        .map_err(Problem::account_state)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read_permissions(fields: &mut Fields<'_>) -> Permissions {
    let Some(list) = fields.value("permissions") else {
        return Permissions::new();
    };
    let one = |given: &Value| {
        let word = given.get("permission").and_then(Value::as_str);
        word.and_then(Permission::parse)
    };
    let read = list
        .as_array()
        .and_then(|list| list.iter().map(one).collect::<Option<Permissions>>());
    if read.is_none() {
        let known = Permission::ALL.map(Permission::as_str).join(", ");
        fields.refuse(format!(
            "permissions is not a list of objects with a permission of [{known}]"
        ));
    }
    // Every member has it.
    let mut permissions = read.unwrap_or_default();
    permissions.insert(Permission::ViewActivity);
    permissions
}

fn read_folders(fields: &mut Fields<'_>) -> Option<Vec<String>> {
    let list = fields.value("folder_permissions")?;
    let one = |given: &Value| {
        let id: Option<Uuid> = given.as_str().and_then(|text| text.parse().ok());
        id.map(|id| id.to_string())
    };
    let read = list
        .as_array()
        .filter(|list| list.len() <= FOLDERS_OF_MEMBER_MAX)
        .and_then(|list| list.iter().map(one).collect::<Option<Vec<_>>>());
    if read.is_none() {
        fields.refuse(format!(
            "folder_permissions is not a list of at most {FOLDERS_OF_MEMBER_MAX} UUIDs"
        ));
    }
    read
}

fn show(person: &Person) -> Response {
    answer::json(StatusCode::OK, &json!({ "data": render_person(person) }))
}
