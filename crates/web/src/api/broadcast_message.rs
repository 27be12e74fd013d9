//! `/service/{service}/broadcast-message`: an author's and approver's client.

mod create;
mod list;
mod provider_statuses;
mod read;
mod status;
mod update;
mod view;

use axum::routing::{get, post};

use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

pub(crate) use view::{ALERT, render_alert};

const LIST: Route = Route {
    method: "GET",
    path: "/service/{service}/broadcast-message",
    caller: Caller::Admin,
    summary: "The service's alerts, oldest first",
    query: &[],
    body: Body::None,
    answers: &[(
        200,
        Some(Schema::Object(&[required(
            "broadcast_messages",
            Schema::List(&ALERT),
        )])),
    )],
    handler: || get(list::list),
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        summary: "Write a new draft",
        body: Body::Json(create::BODY),
        answers: &[(200, Some(ALERT)), (201, Some(ALERT))],
        handler: || post(create::create),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/{alert}",
        summary: "An alert",
        answers: &[(200, Some(ALERT))],
        handler: || get(read::read),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}",
        summary: "Change an alert that is not yet approved",
        body: Body::Json(update::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(update::update),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/status",
        summary: "Submit, approve, reject or cancel an alert",
        body: Body::Json(status::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(status::change_status),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/{alert}/provider-statuses",
        summary: "What happened to an alert at each network, oldest first",
        answers: &[(200, Some(provider_statuses::STATUSES))],
        handler: || get(provider_statuses::show_provider_statuses),
        ..LIST
    },
];
