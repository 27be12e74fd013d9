//! `GET /service/{service}/broadcast-message/{alert}/provider-statuses`: the course of the
//! deliveries (D32). Order of the checks:
//!
//! 1. token (401, 403)
//! 2. the alert exists, and is this service's (404)
//!
//! A provider appears with its first attempt, then with both keys, entries oldest first. Of an
//! alert that was updated it has a third one, `update`, with all that went out for its updates:
//! also the cancel and the alert that a provider without updates gets, since neither ends the
//! alert.

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
use crate::schema::{Schema, optional, required};

const ENTRIES: Schema = Schema::List(&Schema::Object(&[
    required("status", Schema::Text),
    required("created_at", Schema::Text),
    required(
        "error_detail",
        Schema::Nullable(&Schema::Object(&[required("exception", Schema::Text)])),
    ),
]));

/// The course at each provider, by its name.
pub(crate) const STATUSES: Schema = Schema::Map(&Schema::Object(&[
    required("alert", ENTRIES),
    required("cancel", ENTRIES),
    optional("update", ENTRIES),
]));

#[derive(Default)]
struct Course {
    alert: Vec<Status>,
    update: Vec<Status>,
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
        match history.event_kind {
            Kind::Alert => course.alert.extend(told),
            Kind::Update => course.update.extend(told),
            Kind::Cancel => course.cancel.extend(told),
        }
    }
    let is_updated = histories.iter().any(|h| h.event_kind == Kind::Update);
    let rendered = courses.into_iter().map(|(provider, course)| {
        let mut told = json!({
            "alert": render_course(course.alert),
            "cancel": render_course(course.cancel),
        });
        if is_updated {
            told["update"] = json!(render_course(course.update));
        }
        (provider.to_owned(), told)
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

#[cfg(test)]
mod tests {
    use balefire_domain::ids::{AttemptId, DeliveryId, InstanceId};
    use balefire_domain::lane::{Attempt, Closed, Delivery, State};
    use balefire_domain::outcome::Outcome;
    use balefire_domain::provider::ProviderName;
    use balefire_domain::time::Timestamp;
    use uuid::Uuid;

    use super::*;

    /// A delivery that was accepted one second after its attempt opened, at `second`.
    fn accepted(seq: u32, kind: Kind, second: i64) -> DeliveryHistory {
        let at = Timestamp::from_seconds;
        let id = DeliveryId::new(Uuid::from_u128(seq.into()));
        let closed_at = at(second + 1);
        let attempt = Attempt {
            id: AttemptId::new(Uuid::from_u128(seq.into())),
            delivery: id,
            seq,
            slot: 0,
            route: "ee-1-proxy".to_owned(),
            round: 1,
            opened_at: at(second),
            deadline_at: at(second + 20),
            drained_at: at(second + 35),
            opened_by: InstanceId::new(Uuid::nil()),
            closed: Some(Closed {
                at: closed_at,
                outcome: Outcome::Accepted,
            }),
        };
        let delivery = Delivery {
            id,
            seq,
            kind,
            state: State::Acknowledged { at: closed_at },
            round: 1,
            created_at: at(second),
            ends_at: at(second + 3600),
            is_stuck: false,
        };
        DeliveryHistory {
            provider: ProviderName::new("ee").expect("a name"),
            event_kind: kind,
            event_seq: seq,
            delivery,
            attempts: vec![(attempt, String::new())],
        }
    }

    #[test]
    fn the_cancels_of_a_lane_are_told_one_after_the_other() {
        // A cancel that ended moot is made again when the alert turns out to have been accepted.
        let mut never_sent = accepted(4, Kind::Cancel, 40);
        never_sent.attempts.clear();
        let told = render(&[
            accepted(1, Kind::Alert, 0),
            accepted(2, Kind::Cancel, 10),
            accepted(3, Kind::Cancel, 20),
            never_sent,
        ]);
        let times = |course: &Value| -> Vec<String> {
            let entries = course.as_array().expect("a list").iter();
            entries
                .map(|entry| format!("{} {}", entry["status"], &entry["created_at"]))
                .collect()
        };
        let line = |status: &str, second: u32| {
            format!("\"{status}\" \"Thu, 01 Jan 1970 00:00:{second:02} GMT\"")
        };
        assert_eq!(
            times(&told["ee"]["alert"]),
            [line("sending", 0), line("returned-ack", 1)]
        );
        assert_eq!(
            times(&told["ee"]["cancel"]),
            [
                line("sending", 10),
                line("returned-ack", 11),
                line("sending", 20),
                line("returned-ack", 21),
            ]
        );
    }

    #[test]
    fn what_goes_out_for_an_update_is_told_apart_and_only_where_there_is_one() {
        let keys = |told: &Value| -> Vec<String> {
            let courses = told["ee"].as_object().expect("a provider");
            let entries = courses
                .iter()
                .map(|(key, course)| format!("{key} {}", course.as_array().expect("a list").len()));
            entries.collect()
        };
        let alert = accepted(1, Kind::Alert, 0);
        assert_eq!(
            keys(&render(std::slice::from_ref(&alert))),
            ["alert 2", "cancel 0"]
        );
        let by_substitute = [(2, Kind::Cancel), (3, Kind::Alert)].map(|(seq, kind)| {
            let event_kind = Kind::Update;
            let delivery = accepted(seq, kind, i64::from(10 * seq));
            DeliveryHistory {
                event_kind,
                ..delivery
            }
        });
        let [cancel, replacement] = by_substitute;
        let updated = render(&[alert.clone(), cancel, replacement]);
        assert_eq!(keys(&updated), ["alert 2", "cancel 0", "update 4"]);
        let mut waits = accepted(2, Kind::Update, 10);
        waits.attempts.clear();
        assert_eq!(
            keys(&render(&[alert, waits])),
            ["alert 2", "cancel 0", "update 0"]
        );
    }
}
