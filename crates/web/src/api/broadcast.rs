//! `/v2/broadcast`: the public API of services' keys.

use axum::routing::{options, post};

use crate::api::broadcast_message::ALERT;
use crate::problem::PUBLIC_ROUTE;
use crate::routes::{Body, Caller, Route};

mod options;
mod post;

pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: PUBLIC_ROUTE,
        operation: "post_cap_alert",
        caller: Caller::ServiceKey,
        summary: "Submit, update or cancel an alert by a CAP document",
        query: &[],
        body: Body::Cap,
        refusals: &[],
        is_repeatable: false,
        answers: &[(200, Some(ALERT)), (201, Some(ALERT))],
        handler: || post(post::post),
    },
    Route {
        method: "OPTIONS",
        path: PUBLIC_ROUTE,
        operation: "show_broadcast_methods",
        caller: Caller::ServiceKey,
        summary: "The methods that this address answers to",
        query: &[],
        body: Body::None,
        refusals: &[],
        is_repeatable: false,
        answers: &[(200, None)],
        handler: || options(options::options),
    },
];
