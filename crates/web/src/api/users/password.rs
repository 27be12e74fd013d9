//! New passwords. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema, and exactly one of `_oldpassword` and `_token` (400)
//! 5. the person exists (404)
//! 6. the old password, as at a sign-in (429, 400), or the link's token (400)
//! 7. the new password: not common, strong, never used before (400)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::change_password::Warrant;
use serde_json::{Value, json};

use super::view::render_person;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, Source, UserPath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

pub(crate) const NEW: Schema = Schema::Object(&[
    required("_password", Schema::Text),
    optional("_oldpassword", Schema::Nullable(&Schema::Text)),
    optional("_token", Schema::Nullable(&Schema::Text)),
]);
pub(crate) const ASKED: Schema = Schema::Object(&[required("_password", Schema::Text)]);

pub(crate) async fn change(
    _admin: Admin,
    UserPath(user): UserPath,
    Source(address): Source,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let (password, warrant) = read_new(&body)?;
    let person = app
        .change_password(user, &password, &warrant, &address)
        .await
        .map_err(Problem::password_changed)?;
    let shown = json!({ "data": render_person(&person) });
    Ok(answer::json(StatusCode::OK, &shown))
}

fn read_new(body: &Value) -> Result<(String, Warrant), Problem> {
    let mut fields = Fields::of(body, &NEW)?;
    let password = fields.bounded_text("_password", usize::MAX);
    let old = fields.filled_text("_oldpassword", None);
    let token = fields.filled_text("_token", None);
    let warrant = match (old, token) {
        (Some(old), None) => Some(Warrant::OldPassword(old)),
        (None, Some(token)) => Some(Warrant::Token(token)),
        _ => {
            fields.refuse("Name exactly one of _oldpassword and _token");
            None
        }
    };
    fields.finish()?;
    let (Some(password), Some(warrant)) = (password, warrant) else {
        unreachable!("what is missing was refused");
    };
    Ok((password, warrant))
}

pub(crate) async fn check(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &ASKED)?;
    let password = fields.bounded_text("_password", usize::MAX);
    fields.finish()?;
    let store = |error| Problem::store(Shape::Internal, &error);
    let person = app.read_person(user, "").await.map_err(store)?;
    if person.is_none() {
        return Err(Problem::not_found(Shape::Internal));
    }
    let checked = app
        .check_new_password(user, &password.unwrap_or_default())
        .await
        .map_err(store)?;
    checked.map_err(|refusal| Problem::plain(StatusCode::BAD_REQUEST, refusal.to_string()))?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}

pub(crate) async fn purge_history(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let is_known = app
        .purge_old_passwords(user)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    if is_known {
        Ok(answer::json(StatusCode::OK, &json!({})))
    } else {
        Err(Problem::not_found(Shape::Internal))
    }
}
