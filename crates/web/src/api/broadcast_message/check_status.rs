//! `POST /service/{service}/broadcast-message/{alert}/check-status`: whether an alert could be
//! moved to a state by somebody now; an author's client asks before it changes anything. Checks
//! and their order are those of `…/status`, as far as person and state go; what is refused is told
//! in a sentence for the person.
//!
//! 200: `{}`. Nothing is stored.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::App;
use serde_json::json;

use super::status::read_move;
use crate::answer;
use crate::extract::{Admin, AlertPath, JsonBody};
use crate::problem::Problem;

pub(crate) async fn check_status(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
    JsonBody(body): JsonBody,
) -> Result<Response, Problem> {
    let asked = read_move(&body)?;
    app.check_move(path.service, path.alert, &asked)
        .await
        .map_err(|failure| Problem::check_status(path.alert, &asked, failure))?;
    Ok(answer::json(StatusCode::OK, &json!({})))
}
