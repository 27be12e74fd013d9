//! The HTTP interface of existing clients: routes, authentication, and the exact shapes of their
//! answers.
//!
//! | route | who | what |
//! |---|---|---|
//! | `GET /`, `GET` and `POST /_api_status` | anybody | the process answers |
//! | `GET /_api_status/ready` | anybody | the database answers and the dispatcher lives |
//! | `POST /v2/broadcast` | a service's key | a CAP document |
//! | `OPTIONS /v2/broadcast` | a service's key | the methods |
//! | `GET`, `POST /service/{sid}/broadcast-message` | `notify-admin` | list, create |
//! | `GET`, `POST /service/{sid}/broadcast-message/{id}` | `notify-admin` | read, change |
//! | `POST …/{id}/status` | `notify-admin` | submit, approve, reject, cancel |
//! | `GET …/{id}/provider-statuses` | `notify-admin` | the course of the deliveries |
//! | `POST /populations` | `notify-admin` | how many phones an area reaches |
//!
//! What it promises: every size is bounded before anything is read; a handler parses, calls one
//! verb of `app`, and renders; whatever a client sends, the answer has one of three shapes
//! (`problem.rs`); a panic ends a request and not the process; every answer of a handler carries
//! the request's id in `X-EAS-Trace-Id`, and so does every line of the log about it. What it does
//! not: TLS, which stands in front, and requests whose head is no HTTP/1.1, which hyper answers
//! itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::FromRef;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use balefire_app::App;

mod answer;
mod api;
mod extract;
mod metrics_page;
mod middleware;
mod problem;
mod serve;

pub use metrics_page::{RenderMetrics, metrics_router};
pub use serve::serve;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    /// The verbs.
    pub app: App,
    /// What the configuration bounds.
    pub limits: WebLimits,
    /// Whether this process dispatches. If not, another one has to.
    pub is_dispatching: bool,
    /// Whether the dispatcher's loops are alive, where this process has them.
    pub readiness: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Whether this process was told to end: it answers questions until it is gone, and takes
    /// nothing in any more.
    pub is_ending: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// What the configuration bounds.
#[derive(Clone)]
pub struct WebLimits {
    /// Bytes of a request body.
    pub body_bytes_max: usize,
    /// What `X-Custom-Forwarder` must be one of; empty: the header is not looked at. Never shown.
    pub route_secrets: Vec<String>,
}

impl std::fmt::Debug for WebLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebLimits")
            .field("body_bytes_max", &self.body_bytes_max)
            .field("route_secrets", &"***")
            .finish()
    }
}

impl FromRef<WebState> for App {
    fn from_ref(state: &WebState) -> Self {
        state.app.clone()
    }
}

/// Only what a load balancer asks, for processes without the role `api`.
pub fn status_router(state: WebState) -> Router {
    use api::status;

    Router::new()
        .route("/_api_status", get(status::show).post(status::show))
        .route("/_api_status/ready", get(status::show_readiness))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), middleware::bound_body))
        .layer(from_fn_with_state(state.clone(), middleware::guard))
        .with_state(state)
}

/// Every route, behind what holds for all of them.
pub fn router(state: WebState) -> Router {
    use api::{broadcast, broadcast_message, populations, status};

    const ALERTS: &str = "/service/{service}/broadcast-message";
    const ALERT: &str = "/service/{service}/broadcast-message/{alert}";
    const STATUS: &str = "/service/{service}/broadcast-message/{alert}/status";
    const STATUSES: &str = "/service/{service}/broadcast-message/{alert}/provider-statuses";

    Router::new()
        .route("/", get(status::show))
        .route("/_api_status", get(status::show).post(status::show))
        .route("/_api_status/ready", get(status::show_readiness))
        .route(
            problem::PUBLIC_ROUTE,
            post(broadcast::post).options(broadcast::options),
        )
        .route(
            ALERTS,
            get(broadcast_message::list).post(broadcast_message::create),
        )
        .route(
            ALERT,
            get(broadcast_message::read).post(broadcast_message::update),
        )
        .route(STATUS, post(broadcast_message::change_status))
        .route("/populations", post(populations::count))
        .route(STATUSES, get(broadcast_message::show_provider_statuses))
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), middleware::bound_body))
        .layer(from_fn_with_state(state.clone(), middleware::guard))
        .with_state(state)
}
