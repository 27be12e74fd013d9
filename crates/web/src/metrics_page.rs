//! `GET /metrics`, for a listener of its own: nobody needs a token, so it stands where only those
//! who watch the service can reach it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::future::BoxFuture;

/// The format that Prometheus reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The metrics at one instant.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// In the format that Prometheus reads.
    pub text: String,
    /// Whether the database's figures are there.
    pub is_whole: bool,
}

/// Who renders the metrics, within a bounded time.
pub type RenderMetrics = Arc<dyn Fn() -> BoxFuture<'static, Rendered> + Send + Sync>;

/// The one route: 200, or 503 with what there is where the database did not answer.
pub fn metrics_router(render: RenderMetrics) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state(render)
}

async fn show(State(render): State<RenderMetrics>) -> impl IntoResponse {
    let rendered = render().await;
    let status = if rendered.is_whole {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (
        status,
        [(header::CONTENT_TYPE, CONTENT_TYPE)],
        rendered.text,
    )
}
