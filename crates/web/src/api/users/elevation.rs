//! Becoming administrator for one session. Order of the checks:
//!
//! 1. `Content-Length` over the limit (413)
//! 2. token (401, 403)
//! 3. the body is read (413) and is JSON (400), where there is one
//! 4. its schema (400)
//! 5. the person exists (404)
//! 6. approving: the person may become administrator, and another one who may approves it (422);
//!    redeeming: it was approved, within the hour (403)

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use balefire_domain::ids::UserId;
use serde_json::json;

use crate::answer;
use crate::extract::{Admin, Fields, JsonBody, UserPath};
use crate::problem::Problem;
use crate::schema::{Schema, required};

pub(crate) const APPROVAL: Schema = Schema::Object(&[required("approved_by", Schema::Id)]);

pub(crate) async fn approve(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let mut fields = Fields::of(&body, &APPROVAL)?;
    let by: Option<UserId> = fields.id("approved_by");
    fields.finish()?;
    let Some(by) = by else {
        unreachable!("it is required");
    };
    let until = app
        .approve_elevation(user, by)
        .await
        .map_err(|failure| Problem::elevation(StatusCode::UNPROCESSABLE_ENTITY, failure))?;
    Ok(answer::json(StatusCode::OK, &json!(until.to_json_style())))
}

pub(crate) async fn redeem(
    _admin: Admin,
    UserPath(user): UserPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    app.redeem_elevation(user)
        .await
        .map_err(|failure| Problem::elevation(StatusCode::FORBIDDEN, failure))?;
    Ok(answer::json(StatusCode::OK, &json!(user)))
}
