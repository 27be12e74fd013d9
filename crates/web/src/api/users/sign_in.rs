//! Signing in: who has the address, their password, a code. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. the address of the person's machine, and the account, may try again (429)
//! 6. the person exists (404)
//! 7. the password (400), or the code: there is one (404, also of a locked account), it has not
//!    expired and was not used (400)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::sign_in::CodeRequest;
use balefire_app::{App, Failure};
use balefire_domain::ids::UserId;
use balefire_domain::sign_in::CodeKind;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::view::render_person;
use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, Source, UserPath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, optional, required};

/// Characters of an address.
pub(crate) const EMAIL_CHARS_MAX: usize = 320;

pub(crate) const EMAIL: Schema = Schema::Object(&[required("email", Schema::Text)]);
pub(crate) const PASSWORD: Schema = Schema::Object(&[required("password", Schema::Text)]);
const TEXT: Schema = Schema::Nullable(&Schema::Text);
pub(crate) const SMS: Schema = Schema::Object(&[optional("to", TEXT)]);
pub(crate) const SMS_TO: Schema = Schema::Object(&[required("to", Schema::Text)]);
pub(crate) const MAIL_TO: Schema = Schema::Object(&[
    required("to", Schema::Text),
    optional("next", TEXT),
    optional("email_auth_link_host", TEXT),
]);
pub(crate) const FAILURES: Schema = Schema::Object(&[required(
    "data",
    Schema::Object(&[
        required("failed_login_count", Schema::Integer),
        required("attempted_at", Schema::Nullable(&Schema::Instant)),
    ]),
)]);
pub(crate) const MAIL: Schema = Schema::Object(&[
    optional("to", TEXT),
    optional("next", TEXT),
    optional("email_auth_link_host", TEXT),
]);
pub(crate) const CODE: Schema = Schema::Object(&[
    required("code", Schema::Text),
    required("code_type", Schema::Word(&["sms", "email"])),
]);

pub(crate) async fn find(
    _admin: Admin,
    Source(address): Source,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let email = read_email(&body)?;
    let person = app
        .find_to_sign_in(&email, &address)
        .await
        .map_err(Problem::sign_in)?;
    Ok(answer::json(
        StatusCode::OK,
        &json!({ "data": render_person(&person) }),
    ))
}

pub(crate) async fn check_password(
    _admin: Admin,
    UserPath(user): UserPath,
    Source(address): Source,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &PASSWORD)?;
    let password = fields.bounded_text("password", usize::MAX);
    fields.finish()?;
    app.check_person_password(user, &password.unwrap_or_default(), &address)
        .await
        .map_err(Problem::sign_in)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn send(
    app: &App,
    user: UserId,
    body: &Value,
    schema: &Schema,
    kind: CodeKind,
) -> Result<Response, Problem> {
    let request = read_request(body, schema, kind)?;
    app.send_code(user, &request)
        .await
        .map_err(Problem::code_sent)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn send_sms(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    send(&app, user, &body, &SMS, CodeKind::Sms).await
}

pub(crate) async fn send_email(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    send(&app, user, &body, &MAIL, CodeKind::Email).await
}

pub(crate) async fn send_sms_to(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    send(&app, user, &body, &SMS_TO, CodeKind::Sms).await
}

pub(crate) async fn send_email_to(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    send(&app, user, &body, &MAIL_TO, CodeKind::Email).await
}

pub(crate) async fn show_failures(
    _admin: Admin,
    Source(address): Source,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let (failures, _) = app
        .failures_from(&address)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    let shown = json!({ "data": {
        "failed_login_count": failures.count,
        "attempted_at": failures.last_at.map(Timestamp::to_json_style),
    } });
    Ok(answer::json(StatusCode::OK, &shown))
}

pub(crate) async fn check_failures(
    _admin: Admin,
    Source(address): Source,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let (_, admitted) = app
        .failures_from(&address)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?;
    admitted.map_err(|refusal| Problem::sign_in(Failure::Refused(refusal)))?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}

/// Outside of staging and live only, and so without a token.
pub(crate) async fn show_code(
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let code = app
        .newest_code(user)
        .await
        .map_err(|error| Problem::store(Shape::Internal, &error))?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    Ok(answer::plain(StatusCode::OK, code))
}

pub(crate) async fn check_code(
    _admin: Admin,
    UserPath(user): UserPath,
    Source(address): Source,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &CODE)?;
    let code = fields.bounded_text("code", 255);
    let kind = fields.filled_text("code_type", None);
    let kind = kind.and_then(|kind| {
        let known = CodeKind::parse(&kind);
        if known.is_none() {
            fields.refuse("code_type is not one of [sms, email]");
        }
        known
    });
    fields.finish()?;
    let (Some(code), Some(kind)) = (code, kind) else {
        unreachable!("both are required");
    };
    app.check_person_code(user, kind, &code, &address)
        .await
        .map_err(Problem::sign_in)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(crate) fn read_email(body: &Value) -> Result<String, Problem> {
    let mut fields = Fields::of(body, &EMAIL)?;
    let email = fields.filled_text("email", None);
    fields.finish()?;
    Ok(email.unwrap_or_default())
}

pub(crate) fn read_request(
    body: &Value,
    schema: &Schema,
    kind: CodeKind,
) -> Result<CodeRequest, Problem> {
    let mut fields = Fields::of(body, schema)?;
    let request = CodeRequest {
        kind,
        to: fields.filled_text("to", None),
        link_host: fields.filled_text("email_auth_link_host", None),
        next: fields.filled_text("next", None),
    };
    fields.finish()?;
    Ok(request)
}
