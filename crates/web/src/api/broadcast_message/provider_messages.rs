//! `GET /service/{service}/broadcast-message/{alert}/provider-messages`: what was sent of an alert,
//! one line for each delivery that was tried. Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the alert exists, and is this service's (404)
//!
//! `id` is the identifier that the network knows, `status` the latest of `…/provider-statuses`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::{App, DeliveryHistory};
use balefire_domain::lane::statuses::statuses;
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, AlertPath};
use crate::problem::{Problem, Shape};
use crate::schema::{Schema, required};

pub(crate) const MESSAGES: Schema = Schema::Object(&[required(
    "messages",
    Schema::List(&Schema::Object(&[
        required("id", Schema::Id),
        required("provider", Schema::Text),
        required("status", Schema::Text),
    ])),
)]);

pub(crate) async fn show_provider_messages(
    _admin: Admin,
    path: AlertPath,
    State(app): State<App>,
) -> Result<Response, Problem> {
    let failed = |error| Problem::store(Shape::Internal, &error);
    let alert = app
        .load_alert(path.service, path.alert)
        .await
        .map_err(failed)?
        .ok_or_else(|| Problem::not_found(Shape::Internal))?;
    let histories = app.list_deliveries(alert.id).await.map_err(failed)?;
    let messages: Vec<Value> = histories.iter().filter_map(render).collect();
    let told = json!({ "messages": messages });
    Ok(answer::json(StatusCode::OK, &told))
}

fn render(history: &DeliveryHistory) -> Option<Value> {
    let latest = statuses(&history.delivery, &history.attempts).pop()?;
    Some(json!({
        "id": history.delivery.id,
        "provider": history.provider.as_str(),
        "status": latest.status,
    }))
}
