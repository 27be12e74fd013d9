//! A service's keys. Order of the checks: 1. token (401, 403); 2. the body is read (413) and is
//! JSON (400), where there is one; 3. its schema, with the path's service in it (400); 4. in `app`:
//! the service, the person and the key exist, and the key is this service's (404); 5. the person
//! manages the service's keys, or is an administrator (400): an approved action is the second
//! person's yes, and gives nobody a right.
//!
//! A secret is answered once, when it is made: 201, `{"data":"<secret>"}`. A revoked key has its
//! end in `expiry_date`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::service_keys::{KeyOrder, KeyRefusal};
use balefire_app::{ApiKey, App, Failure, KeyKind};
use balefire_domain::ids::ServiceId;
use balefire_domain::limits::KEY_NAME_CHARS_MAX;
use balefire_domain::permission::Denial;
use serde_json::{Value, json};

use super::read::store;
use super::view::whole_seconds;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, KeyPath, ServicePath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

const KINDS: [&str; 3] = ["normal", "team", "test"];
const TEXT: Schema = Schema::Nullable(&Schema::Text);

pub(crate) const NEW: Schema = Schema::Object(&[
    required("name", Schema::Bounded(1, KEY_NAME_CHARS_MAX)),
    required("key_type", Schema::Word(&KINDS)),
    required("created_by", Schema::Id),
    optional("service", Schema::Nullable(&Schema::Id)),
]);

pub(crate) const SECRET: Schema = Schema::Object(&[required("data", Schema::Text)]);

pub(crate) const KEYS: Schema = Schema::Object(&[required(
    "apiKeys",
    Schema::List(&Schema::Object(&[
        required("created_at", Schema::Text),
        required("created_by", Schema::Nullable(&Schema::Id)),
        required("expiry_date", TEXT),
        required("id", Schema::Id),
        required("key_type", Schema::Word(&KINDS)),
        required("name", Schema::Text),
        required("updated_at", TEXT),
        required("version", Schema::Integer),
    ])),
)]);

pub(crate) async fn create(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let order = read_order(service, &body)?;
    let secret = app.order_key(&order).await.map_err(problem)?;
    Ok(answer::json(
        StatusCode::CREATED,
        &json!({ "data": secret }),
    ))
}

pub(crate) async fn revoke(
    _admin: Admin,
    path: KeyPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.revoke_key_of(path.service, path.key)
        .await
        .map_err(problem)?;
    Ok(StatusCode::ACCEPTED.into_response())
}

pub(crate) async fn list(
    _admin: Admin,
    ServicePath(service): ServicePath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let keys = app.list_keys(service).await.map_err(store)?;
    let keys = keys.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(StatusCode::OK, &render(&keys)))
}

pub(crate) async fn show(
    _admin: Admin,
    path: KeyPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let keys = app.list_keys(path.service).await.map_err(store)?;
    let key = keys.into_iter().flatten().find(|key| key.id == path.key);
    let key = key.ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(StatusCode::OK, &render(&[key])))
}

fn render(keys: &[ApiKey]) -> Value {
    let shown: Vec<Value> = keys.iter().map(render_key).collect();
    json!({ "apiKeys": shown })
}

/// A key without its secret.
pub(crate) fn render_key(key: &ApiKey) -> Value {
    json!({
        "created_at": whole_seconds(key.created_at),
        "created_by": key.created_by,
        "expiry_date": key.revoked_at.map(whole_seconds),
        "id": key.id,
        "key_type": key.kind.as_str(),
        "name": key.name,
        "updated_at": key.updated_at.map(whole_seconds),
        "version": key.version,
    })
}

fn read_order(service: ServiceId, body: &Value) -> Result<KeyOrder, Problem> {
    let mut fields = Fields::of(body, &NEW)?;
    let name = fields.filled_text("name", Some(KEY_NAME_CHARS_MAX));
    let kind = fields.word("key_type", &KINDS).and_then(KeyKind::parse);
    let created_by = fields.id("created_by");
    let named: Option<ServiceId> = fields.id("service");
    if named.is_some_and(|named| named != service) {
        fields.refuse("service is not the service of the path");
    }
    fields.finish()?;
    match (name, kind, created_by) {
        (Some(name), Some(kind), Some(created_by)) => Ok(KeyOrder {
            service,
            name,
            kind,
            created_by,
        }),
        // All three were required above.
        _ => Err(Problem::not_found(Shape::Internal)),
    }
}

fn problem(failure: Failure<KeyRefusal>) -> Problem {
    Problem::of_failure(Shape::Internal, failure, |refusal| match refusal {
        KeyRefusal::NotFound => Problem::not_found(Shape::Internal),
        KeyRefusal::Denied(user, Denial::NotAMember) => Problem::message(
            StatusCode::BAD_REQUEST,
            format!("User {user} cannot make a key of another service"),
        ),
        KeyRefusal::Denied(user, denial) => Problem::message(
            StatusCode::BAD_REQUEST,
            format!("User {user} cannot make a key of this service: {denial}"),
        ),
        KeyRefusal::Archived => Problem::message(
            StatusCode::BAD_REQUEST,
            "This service is archived: it can have no new keys",
        ),
    })
}
