//! `GET /metrics`, for a listener of its own: nobody needs a token, so it stands where only those
//! who watch the service can reach it.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::future::BoxFuture;

/// The format that Prometheus reads.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Who renders the metrics of one instant, in the format that Prometheus reads and within a bounded
/// time.
pub type RenderMetrics = Arc<dyn Fn() -> BoxFuture<'static, String> + Send + Sync>;

/// The one route. It is 200 whatever could be found out: a reader throws the text of any other
/// answer away, and with it what the process knows of itself.
pub fn metrics_router(render: RenderMetrics) -> Router {
    Router::new()
        .route("/metrics", get(show))
        .with_state(render)
}

async fn show(State(render): State<RenderMetrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], render().await)
}
