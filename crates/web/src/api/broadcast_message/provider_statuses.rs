//! `GET /service/{service}/broadcast-message/{alert}/provider-statuses`: the course of the
//! deliveries (D32). Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the alert exists, and is this service's (404)
//!
//! A provider appears with its first attempt, then with both keys, entries oldest first.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use balefire_app::{App, DeliveryHistory};
use balefire_domain::lane::Kind;
use balefire_domain::lane::statuses::{Status, statuses};
use serde_json::{Value, json};

use crate::answer;
use crate::extract::{Admin, AlertPath};
use crate::problem::{Problem, Shape};

#[derive(Default)]
struct Course {
    alert: Vec<Status>,
    cancel: Vec<Status>,
}

pub(crate) async fn show_provider_statuses(
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
    Ok(answer::json(StatusCode::OK, &render(&histories)))
}

fn render(histories: &[DeliveryHistory]) -> Value {
    let mut courses: BTreeMap<&str, Course> = BTreeMap::new();
    for history in histories {
        let told = statuses(&history.delivery, &history.attempts);
        if told.is_empty() {
            continue;
        }
        let course = courses.entry(history.provider.as_str()).or_default();
        match history.delivery.kind {
            Kind::Alert => course.alert.extend(told),
            Kind::Cancel => course.cancel.extend(told),
        }
    }
    let rendered = courses.into_iter().map(|(provider, course)| {
        let both = json!({
            "alert": render_course(course.alert),
            "cancel": render_course(course.cancel),
        });
        (provider.to_owned(), both)
    });
    Value::Object(rendered.collect())
}

fn render_course(mut course: Vec<Status>) -> Vec<Value> {
    course.sort_by_key(|status| status.created_at);
    course
        .into_iter()
        .map(|status| {
            json!({
                "status": status.status,
                "created_at": status.created_at.to_http_date(),
                "error_detail": status.exception.map(|text| json!({ "exception": text })),
            })
        })
        .collect()
}
