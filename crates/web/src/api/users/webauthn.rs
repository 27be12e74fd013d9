//! Security keys. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), where there is one
//! 4. its schema, and how long what is kept is (400)
//! 5. signing in: address and account may try again (429); the account is not locked (403)
//! 6. the person exists and the key is theirs (404)
//! 7. it is not their last (400), nor one too many (400); signing in: it succeeded (403)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::credentials::CREDENTIAL_CHARS_MAX;
use balefire_app::{App, Credential};
use balefire_domain::ids::{CredentialId, UserId};
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, CredentialPath, Fields, JsonBody, Source, UserPath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

/// Characters of a key's name.
const NAME_CHARS_MAX: usize = 255;

const NAME: Schema = Schema::Bounded(1, NAME_CHARS_MAX);
const KEPT: Schema = Schema::Bounded(1, CREDENTIAL_CHARS_MAX);
const KEY: Schema = Schema::Named(
    "WebauthnCredential",
    &Schema::Object(&[
        required("id", Schema::Id),
        required("user_id", Schema::Id),
        required("name", Schema::Text),
        required("credential_data", Schema::Text),
        required("created_at", Schema::Instant),
        required("updated_at", Schema::Nullable(&Schema::Instant)),
        required("logged_in_at", Schema::Nullable(&Schema::Instant)),
    ]),
);
pub(crate) const NEW: Schema = Schema::Object(&[
    required("name", NAME),
    required("credential_data", KEPT),
    required("registration_response", KEPT),
]);
pub(crate) const RENAME: Schema = Schema::Object(&[required("name", NAME)]);
pub(crate) const ONE: Schema = Schema::Object(&[required("data", KEY)]);
pub(crate) const LISTED: Schema = Schema::Object(&[required("data", Schema::List(&KEY))]);
pub(crate) const COUNTED: Schema = Schema::Object(&[required("data", Schema::Text)]);
pub(crate) const LOGIN: Schema = Schema::Object(&[
    required("successful", Schema::Bool),
    optional("webauthn_credential_id", Schema::Nullable(&Schema::Id)),
]);

pub(crate) async fn list(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let keys = load(&app, user).await?;
    let keys: Vec<Value> = keys.iter().map(render).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": keys })))
}

pub(crate) async fn count(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let count = load(&app, user).await?.len().to_string();
    Ok(answer::json(StatusCode::OK, &json!({ "data": count })))
}

pub(crate) async fn add(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &NEW)?;
    let name = fields.filled_text("name", Some(NAME_CHARS_MAX));
    let data = fields.filled_text("credential_data", Some(CREDENTIAL_CHARS_MAX));
    let said = fields.filled_text("registration_response", Some(CREDENTIAL_CHARS_MAX));
    fields.finish()?;
    let (Some(name), Some(data), Some(said)) = (name, data, said) else {
        unreachable!("all three are required");
    };
    let key = app
        .add_credential(user, &name, &data, &said)
        .await
        .map_err(Problem::credential)?;
    let shown = json!({ "data": render(&key) });
    Ok(answer::json(StatusCode::CREATED, &shown))
}

pub(crate) async fn rename(
    _admin: Admin,
    CredentialPath { user, credential }: CredentialPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &RENAME)?;
    let name = fields.filled_text("name", Some(NAME_CHARS_MAX));
    fields.finish()?;
    let key = app
        .rename_credential(user, credential, &name.unwrap_or_default())
        .await
        .map_err(Problem::credential)?;
    let shown = json!({ "data": render(&key) });
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(crate) async fn remove(
    _admin: Admin,
    CredentialPath { user, credential }: CredentialPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.delete_credential(user, credential)
        .await
        .map_err(Problem::credential)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn complete(
    _admin: Admin,
    UserPath(user): UserPath,
    Source(address): Source,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &LOGIN)?;
    let is_success = fields.value("successful").and_then(Value::as_bool);
    if is_success.is_none() && fields.value("successful").is_some() {
        fields.refuse("successful is not of type boolean");
    }
    let credential: Option<CredentialId> = fields.id("webauthn_credential_id");
    fields.finish()?;
    app.complete_webauthn(user, is_success.unwrap_or(false), credential, &address)
        .await
        .map_err(Problem::sign_in)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn load(app: &App, user: UserId) -> Result<Vec<Credential>, Problem> {
    app.list_credentials(user)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))
}

fn render(key: &Credential) -> Value {
    json!({
        "id": key.id,
        "user_id": key.user_id,
        "name": key.name,
        "credential_data": key.data,
        "created_at": key.created_at.to_json_style(),
        "updated_at": key.updated_at.map(Timestamp::to_json_style),
        "logged_in_at": key.logged_in_at.map(Timestamp::to_json_style),
    })
}
