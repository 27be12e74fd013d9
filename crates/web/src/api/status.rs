//! `GET /`, `GET` and `POST /_api_status`: the process answers, whatever becomes of the database.
//!
//! `GET /_api_status/ready`: 200 when the database answers and this process's dispatcher lives,
//! else 503. `dispatcher` is `ok` or `stopped`; where this process has none, `elsewhere` when
//! another one was seen of late, `none` when not: alerts are approved then, and nobody sends them.
//! `clock` is `ok` or `in doubt`: in doubt nothing is sent and nothing approved, and the rest is
//! answered as ever, so it changes no status. Nobody needs a token for either.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use balefire_app::App;
use balefire_domain::limits::READINESS_TIME_MAX;
use serde_json::json;

use crate::WebState;
use crate::answer;
use crate::extract::Admin;
use crate::problem::{Problem, Shape};
use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

const ALIVE: Schema = Schema::Object(&[required("status", Schema::Word(&["ok"]))]);
const READINESS: Schema = Schema::Object(&[
    required("status", Schema::Word(&["ok", "unavailable"])),
    required("database", Schema::Word(&["ok", "unavailable"])),
    required(
        "dispatcher",
        Schema::Word(&["ok", "stopped", "elsewhere", "none"]),
    ),
    required("clock", Schema::Word(&["ok", "in doubt"])),
]);

const LIVENESS: Route = Route {
    method: "GET",
    path: "/_api_status",
    operation: "check_liveness",
    caller: Caller::Anybody,
    summary: "The process answers, whatever becomes of the database",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(ALIVE))],
    handler: || get(show),
};

pub(crate) const ROUTES: &[Route] = &[
    Route {
        path: "/",
        operation: "check_liveness_at_root",
        ..LIVENESS
    },
    LIVENESS,
    Route {
        method: "POST",
        operation: "check_liveness_by_post",
        handler: || post(show),
        ..LIVENESS
    },
    READINESS_ROUTE,
    VERSIONS_ROUTE,
    COUNTS_ROUTE,
];

const READINESS_ROUTE: Route = Route {
    path: "/_api_status/ready",
    operation: "check_readiness",
    summary: "The database answers and the dispatcher lives",
    answers: &[(200, Some(READINESS)), (503, Some(READINESS))],
    handler: || get(show_readiness),
    ..LIVENESS
};

const VERSIONS: Schema = Schema::Object(&[
    required("status", Schema::Word(&["ok"])),
    required("git_commit", Schema::Nullable(&Schema::Text)),
    required("build_time", Schema::Nullable(&Schema::Text)),
    required("db_version", Schema::Text),
    required("app_version", Schema::Text),
]);

const VERSIONS_ROUTE: Route = Route {
    path: "/_api_status/full",
    operation: "show_versions",
    caller: Caller::Admin,
    summary: "What runs here: the program's version, and its newest migration",
    answers: &[(200, Some(VERSIONS))],
    handler: || get(show_versions),
    ..LIVENESS
};

const COUNTS_ROUTE: Route = Route {
    path: "/_api_status/live-service-and-organisation-counts",
    operation: "count_live_services",
    summary: "How many live services there are, and organisations that have some",
    answers: &[(
        200,
        Some(Schema::Object(&[
            required("organisations", Schema::Integer),
            required("services", Schema::Integer),
        ])),
    )],
    handler: || get(show_counts),
    ..LIVENESS
};

/// Where the build says so: its commit, and when it was made.
const GIT_COMMIT: Option<&str> = option_env!("BALEFIRE_GIT_COMMIT");
const BUILD_TIME: Option<&str> = option_env!("BALEFIRE_BUILD_TIME");

async fn show_versions(_admin: Admin) -> Response {
    let told = json!({
        "status": "ok",
        "git_commit": GIT_COMMIT,
        "build_time": BUILD_TIME,
        "db_version": balefire_app::newest_migration(),
        "app_version": env!("CARGO_PKG_VERSION"),
    });
    answer::json(StatusCode::OK, &told)
}

async fn show_counts(State(app): State<App>) -> Result<Response, Problem> {
    let counts = app.count_live().await;
    let counts = counts.map_err(|error| Problem::store(Shape::Internal, &error))?;
    let told = json!({ "organisations": counts.organisations, "services": counts.services });
    Ok(answer::json(StatusCode::OK, &told))
}

/// What a load balancer asks.
pub(crate) const LOAD_BALANCER_ROUTES: &[Route] = &[LIVENESS, READINESS_ROUTE];

pub(crate) async fn show() -> Response {
    answer::json(StatusCode::OK, &json!({ "status": "ok" }))
}

pub(crate) async fn show_readiness(State(state): State<WebState>) -> Response {
    let probe = tokio::time::timeout(READINESS_TIME_MAX, state.app.probe_database()).await;
    let (has_database, is_seen) = match probe {
        Ok(Ok(is_seen)) => (true, is_seen),
        Ok(Err(_)) | Err(_) => (false, false),
    };
    let has_dispatcher = (state.readiness)();
    let dispatcher = match (state.is_dispatching, has_dispatcher, is_seen) {
        (true, true, _) => "ok",
        (_, false, _) => "stopped",
        (false, true, true) => "elsewhere",
        (false, true, false) => "none",
    };
    let (status, word) = if has_database && has_dispatcher {
        (StatusCode::OK, "ok")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
    };
    let clock = if state.app.clock.is_trusted() {
        "ok"
    } else {
        "in doubt"
    };
    let told = json!({
        "status": word,
        "database": if has_database { "ok" } else { "unavailable" },
        "dispatcher": dispatcher,
        "clock": clock,
    });
    answer::json(status, &told)
}
