//! People: made, read, changed. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), where there is one
//! 4. its schema (400)
//! 5. the person exists (404)
//! 6. who changes them is they or manages the users of a service of theirs (403)
//! 7. name, address, number, password (400)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_app::accounts::{AccountChange, NewAccount};
use balefire_domain::alert::Mode;
use balefire_domain::ids::UserId;
use balefire_domain::sign_in::{AccountState, AuthType};
use serde_json::{Value, json};
use uuid::Uuid;

use super::view::render_person;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, Source, UserPath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
const WORD: Schema = Schema::Nullable(&Schema::Word(&["sms_auth", "email_auth", "webauthn_auth"]));

pub(crate) const NEW: Schema = Schema::Object(&[
    required("name", Schema::Text),
    required("email_address", Schema::Text),
    required("password", Schema::Text),
    optional("mobile_number", TEXT),
    optional("auth_type", WORD),
    optional("state", TEXT),
    // Accepted and dropped: nobody signs in, or becomes administrator, by being made.
    optional("logged_in_at", Schema::Any),
    optional("failed_login_count", Schema::Any),
    optional("permissions", Schema::Any),
    optional("platform_admin", Schema::Any),
]);

pub(crate) const CHANGE: Schema = Schema::Object(&[
    optional("name", TEXT),
    optional("email_address", TEXT),
    optional("mobile_number", TEXT),
    optional("auth_type", WORD),
    optional("current_session_id", Schema::Nullable(&Schema::Id)),
    optional(
        "email_access_validated_at",
        Schema::Nullable(&Schema::Instant),
    ),
    optional("updated_by", Schema::Nullable(&Schema::Id)),
]);

/// What `organisations-and-services` answers.
pub(crate) const PLACES: Schema = Schema::Object(&[
    required(
        "organisations",
        Schema::List(&Schema::Object(&[
            required("name", Schema::Text),
            required("id", Schema::Id),
            required("count_of_live_services", Schema::Integer),
        ])),
    ),
    required(
        "services",
        Schema::List(&Schema::Object(&[
            required("id", Schema::Id),
            required("name", Schema::Text),
            required("restricted", Schema::Bool),
            required("organisation", Schema::Nullable(&Schema::Id)),
        ])),
    ),
]);

pub(crate) async fn create(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &NEW)?;
    let name = fields.filled_text("name", None);
    let email = fields.filled_text("email_address", None);
    let password = fields.filled_text("password", None);
    let mobile = fields.filled_text("mobile_number", None);
    let auth_type = auth_type(&mut fields).unwrap_or(AuthType::Sms);
    let state = match fields.filled_text("state", None).as_deref() {
        Some("active") => AccountState::Active,
        _ => AccountState::Pending,
    };
    fields.finish()?;
    let new = NewAccount {
        name: name.unwrap_or_default(),
        email: email.unwrap_or_default(),
        password: password.unwrap_or_default(),
        mobile,
        auth_type,
        state,
    };
    let person = app
        .create_account(new)
        .await
        .map_err(Problem::account_made)?;
    let mut shown = render_person(&person);
    shown["user_name"] = person.account.name.into();
    Ok(answer::json(StatusCode::CREATED, &json!({ "data": shown })))
}

pub(crate) async fn read(
    _admin: Admin,
    UserPath(user): UserPath,
    Source(address): Source,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .read_person(user, &address)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "data": render_person(&person) }),
    ))
}

pub(crate) async fn list(_admin: Admin, State(app): State<App>) -> Result<Response, Problem> {
    let people = app
        .list_people()
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let people: Vec<Value> = people.iter().map(render_person).collect();
    Ok(answer::json(StatusCode::OK, &json!({ "data": people })))
}

pub(crate) async fn update(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &CHANGE)?;
    let session: Option<Uuid> = fields.id("current_session_id");
    let mobile = fields.bounded_text("mobile_number", 100);
    let change = AccountChange {
        name: fields.filled_text("name", None),
        email: fields.filled_text("email_address", None),
        mobile: is_named(&body, "mobile_number").then_some(mobile),
        auth_type: auth_type(&mut fields),
        session_id: is_named(&body, "current_session_id").then_some(session),
        email_validated_at: fields.instant("email_access_validated_at"),
        updated_by: fields.id::<UserId>("updated_by"),
    };
    fields.finish()?;
    let person = app
        .change_account(user, &change)
        .await
        .map_err(Problem::account_changed)?;
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "data": render_person(&person) }),
    ))
}

pub(crate) async fn list_places(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let person = app
        .read_person(user, "")
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let services: Vec<Value> = person
        .active()
        .map(|of| {
            json!({
                "id": of.service_id, "name": of.name,
                "restricted": of.mode == Mode::Training, "organisation": of.organisation_id,
            })
        })
        .collect();
    let organisations: Vec<Value> = person
        .organisations
        .iter()
        .map(|own| {
            json!({
                "id": own.organisation.id, "name": own.organisation.name,
                "count_of_live_services": own.live_services,
            })
        })
        .collect();
    let places = json!({ "organisations": organisations, "services": services });
    Ok(answer::json(StatusCode::OK, &places))
}

/// Whether a field is there, null or not.
fn is_named(body: &Value, name: &str) -> bool {
    body.get(name).is_some()
}

fn auth_type(fields: &mut Fields<'_>) -> Option<AuthType> {
    let word = fields.filled_text("auth_type", None)?;
    let auth_type = AuthType::parse(&word);
    if auth_type.is_none() {
        fields.refuse("auth_type is not one of [sms_auth, email_auth, webauthn_auth]");
    }
    auth_type
}
