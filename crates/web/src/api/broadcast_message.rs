//! `/service/{service}/broadcast-message`: an author's and approver's client.

mod check_status;
mod create;
mod give_back;
mod list;
mod messages;
mod provider_messages;
mod provider_statuses;
mod purge;
mod read;
mod status;
mod summary_email;
mod update;
mod view;

use axum::routing::{delete, get, post};

use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

pub(crate) use messages::name;
pub(crate) use view::{ALERT, STATUSES, render_alert, seconds};

const LIST: Route = Route {
    method: "GET",
    path: "/service/{service}/broadcast-message",
    operation: "list_alerts",
    caller: Caller::Admin,
    summary: "The service's alerts, oldest first",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
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
        operation: "create_alert",
        is_repeatable: true,
        summary: "Write a new draft",
        body: Body::Json(create::BODY),
        answers: &[(200, Some(ALERT)), (201, Some(ALERT))],
        handler: || post(create::create),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/{alert}",
        operation: "read_alert",
        summary: "An alert",
        answers: &[(200, Some(ALERT))],
        handler: || get(read::read),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}",
        operation: "update_alert",
        summary: "Change an alert that is not yet approved",
        body: Body::Json(update::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(update::update),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/status",
        operation: "change_alert_status",
        refusals: &[409],
        is_repeatable: true,
        summary: "Submit, approve, reject or cancel an alert",
        body: Body::Json(status::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(status::change_status),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/{alert}/provider-statuses",
        operation: "list_provider_statuses",
        summary: "What happened to an alert at each network, oldest first",
        answers: &[(200, Some(provider_statuses::STATUSES))],
        handler: || get(provider_statuses::show_provider_statuses),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/{alert}/provider-messages",
        operation: "list_provider_messages",
        summary: "What was sent of an alert, with where it stands at each network",
        answers: &[(200, Some(provider_messages::MESSAGES))],
        handler: || get(provider_messages::show_provider_messages),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/messages",
        operation: "list_alerts_with_names",
        summary: "The service's alerts with the names of people, the live ones first",
        answers: &[(200, Some(messages::BOARD))],
        handler: || get(messages::show_board),
        ..LIST
    },
    Route {
        path: "/service/{service}/broadcast-message/message={alert}",
        operation: "read_alert_with_names",
        summary: "An alert with the names of people, and why it was last given back",
        answers: &[(200, Some(messages::PAGE))],
        handler: || get(messages::show_page),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/check-status",
        operation: "check_alert_status",
        refusals: &[409],
        summary: "Whether an alert could be moved to a state by somebody now",
        body: Body::Json(status::BODY),
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || post(check_status::check_status),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/status-with-reason",
        operation: "change_alert_status_with_reason",
        refusals: &[409],
        is_repeatable: true,
        summary: "Reject an alert and say why",
        body: Body::Json(status::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(give_back::change_status_with_reason),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/return-for-edit",
        operation: "return_alert_for_edit",
        refusals: &[409],
        is_repeatable: true,
        summary: "Give an alert back to its author and say why",
        body: Body::Json(give_back::BODY),
        answers: &[(200, Some(ALERT))],
        handler: || post(give_back::return_for_edit),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/service/{service}/broadcast-message/{alert}/alert-summary-email",
        operation: "send_alert_summary",
        summary: "Send whoever asks the summary of an alert by e-mail",
        body: Body::Json(summary_email::BODY),
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || post(summary_email::send_summary),
        ..LIST
    },
];

pub(crate) const TEST_ROUTES: &[Route] = &[Route {
    method: "DELETE",
    path: "/service/{service}/broadcast-message/purge/{days}",
    operation: "purge_alerts",
    summary: "Take away alerts older than so many days that are not on the air",
    answers: &[(200, Some(purge::PURGED))],
    handler: || delete(purge::purge),
    ..LIST
}];
