//! Mail about an account. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400)
//! 4. its schema (400)
//! 5. the address is one (400), and nobody's where it is to be new (400)
//! 6. the person exists (404); whether an address has an account `reset-password` does not tell

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use balefire_app::account_mail::MailRefusal;
use balefire_app::{App, Failure};
use serde_json::Value;

use crate::extract::{Admin, Fields, JsonBody, UserPath};
use crate::problem::Problem;
use crate::schema::{Schema, optional, required};

const TEXT: Schema = Schema::Nullable(&Schema::Text);
pub(crate) const CONFIRM: Schema =
    Schema::Object(&[optional("to", TEXT), optional("admin_base_url", TEXT)]);
pub(crate) const ADDRESS: Schema = Schema::Object(&[
    required("email", Schema::Text),
    optional("admin_base_url", TEXT),
]);
pub(crate) const RESET: Schema = Schema::Object(&[
    required("email", Schema::Text),
    optional("admin_base_url", TEXT),
    optional("next", TEXT),
]);

/// What such a body says.
struct Asked {
    to: Option<String>,
    email: Option<String>,
    host: Option<String>,
    next: Option<String>,
}

impl Asked {
    fn read(body: &Value, schema: &Schema) -> Result<Self, Problem> {
        let mut fields = Fields::of(body, schema)?;
        let asked = Self {
            to: fields.filled_text("to", None),
            email: fields.filled_text("email", None),
            host: fields.filled_text("admin_base_url", None),
            next: fields.filled_text("next", None),
        };
        fields.finish()?;
        Ok(asked)
    }

    fn email(&self) -> &str {
        self.email.as_deref().unwrap_or_default()
    }
}

pub(crate) async fn confirm(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = Asked::read(&body, &CONFIRM)?;
    let host = asked.host.as_deref();
    sent(app.mail_confirmation(user, asked.to.as_deref(), host).await)
}

pub(crate) async fn confirm_new(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = Asked::read(&body, &ADDRESS)?;
    let host = asked.host.as_deref();
    sent(app.mail_new_address(user, asked.email(), host).await)
}

pub(crate) async fn already_registered(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = Asked::read(&body, &ADDRESS)?;
    let host = asked.host.as_deref();
    sent(app.mail_registered(user, asked.email(), host).await)
}

pub(crate) async fn reset_password(
    _admin: Admin,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = Asked::read(&body, &RESET)?;
    let (host, next) = (asked.host.as_deref(), asked.next.as_deref());
    sent(app.mail_password_reset(asked.email(), host, next).await)
}

fn sent(done: Result<(), Failure<MailRefusal>>) -> Result<Response, Problem> {
    done.map_err(Problem::mail)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
