//! The HTTP interface of existing clients: routes, authentication, and the exact shapes of their
//! answers.
//!
//! [`routes`] is the table of all of them.
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
use balefire_app::App;

mod answer;
mod api;
mod extract;
mod metrics_page;
mod middleware;
mod openapi;
mod problem;
mod rates;
mod routes;
mod schema;
mod serve;

pub use metrics_page::{RenderMetrics, metrics_router};
pub use openapi::{openapi, path_parameters};
pub use rates::Rates;
pub use routes::{Body, Caller, Route, routes, test_routes};
pub use schema::{Property, Schema};
pub use serve::serve;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub struct WebState {
    /// The verbs.
    pub app: App,
    /// What the configuration bounds.
    pub limits: WebLimits,
    /// How often each key has asked of late.
    pub rates: Arc<Rates>,
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
    /// Requests of one key a minute; 0: as many as it likes.
    pub requests_per_minute_per_key: u32,
    /// What `X-Custom-Forwarder` must be one of; empty: the header is not looked at. Never shown.
    pub route_secrets: Vec<String>,
}

impl std::fmt::Debug for WebLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebLimits")
            .field("body_bytes_max", &self.body_bytes_max)
            .field(
                "requests_per_minute_per_key",
                &self.requests_per_minute_per_key,
            )
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
    let routes = api::status::LOAD_BALANCER_ROUTES;
    guarded(routes::table_router(routes.iter()), state)
}

/// Every route, behind what holds for all of them.
pub fn router(state: WebState) -> Router {
    let tests = routes::test_routes().filter(|_| state.app.settings.has_test_routes);
    guarded(routes::table_router(routes::routes().chain(tests)), state)
}

fn guarded(router: Router<WebState>, state: WebState) -> Router {
    router
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed)
        .layer(from_fn_with_state(state.clone(), middleware::bound_body))
        .layer(from_fn_with_state(state.clone(), middleware::guard))
        .with_state(state)
}
