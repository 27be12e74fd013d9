//! The routes.
//!
//! | route | answer |
//! |---|---|
//! | `POST /2015-03-31/functions/{name}/invocations` | what the provider says, or the fault |
//! | `GET /_sim/faults` | the faults in place, as TOML |
//! | `PUT /_sim/faults` | 204: the body, as TOML, replaces them; 400: nothing changes |
//! | `GET /_sim/requests` | the log, one line of JSON per request |
//! | `DELETE /_sim/requests` | 204; the log is empty, what was applied stays |
//! | `GET /_sim/state` | what each provider has on the air |
//!
//! Replacing the faults makes every `nth` count from 1 again; a 400 says in plain text what makes
//! no sense. The header `x-dropped` of the log says how many requests it let go because it was
//! full.
//!
//! The Invoke API refuses with 400 what is no JSON object of the right shape or asks for another
//! way of invoking than `RequestResponse`, and with 413 what is over 6 MiB.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use balefire_domain::limits::{INVOKE_PAYLOAD_BYTES_MAX, SIM_FAULTS_BYTES_MAX, SIM_WAITING_MAX};
use bytes::Bytes;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;

use crate::answer;
use crate::controls::{Arrival, Controls, Settled};
use crate::faults::{Faults, Kind};

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    controls: Controls,
    /// Requests that are applied later, whether anybody still waits for the answer or not.
    waiting: Arc<Mutex<JoinSet<()>>>,
    /// Becomes true when the simulator ends.
    ending: watch::Receiver<bool>,
}

impl Shared {
    pub(crate) fn new(controls: Controls, ending: watch::Receiver<bool>) -> Self {
        Self {
            controls,
            waiting: Arc::default(),
            ending,
        }
    }

    /// Gives up the requests that wait.
    pub(crate) fn abort_waiting(&self) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .abort_all();
    }
}

pub(crate) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/2015-03-31/functions/{name}/invocations", post(invoke))
        .route("/_sim/faults", get(show_faults).put(replace_faults))
        .route("/_sim/requests", get(list_requests).delete(clear_requests))
        .route("/_sim/state", get(show_state))
        .with_state(shared)
}

async fn invoke(
    State(shared): State<Shared>,
    Path(function): Path<String>,
    request: Request,
) -> Response {
    let mut ending = shared.ending.clone();
    tokio::select! {
        response = answer_invocation(&shared, &function, request) => response,
        _ = ending.wait_for(|&ending| ending) => answer::nothing(),
    }
}

async fn answer_invocation(shared: &Shared, function: &str, request: Request) -> Response {
    let invocation_type = request.headers().get("x-amz-invocation-type");
    if invocation_type.is_some_and(|wanted| wanted != "RequestResponse") {
        let message = "only the invocation type RequestResponse is simulated";
        return answer::error(StatusCode::BAD_REQUEST, "User", message);
    }
    let Ok(body) = read_body(request, INVOKE_PAYLOAD_BYTES_MAX).await else {
        let message = "the payload is over 6 MiB, or did not come whole";
        return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "User", message);
    };
    let Some(arrival) = shared.controls.arrive(function, &body) else {
        let message = "the payload is no JSON object as proxies are sent it";
        return answer::error(StatusCode::BAD_REQUEST, "User", message);
    };
    let settled = match arrival.effect.kind {
        Kind::Slow => settle_later(shared, arrival).await,
        Kind::Late | Kind::Hang => {
            let settled = shared.controls.settle(&arrival);
            tokio::time::sleep(arrival.effect.wait).await;
            Some(settled)
        }
        Kind::Ok
        | Kind::Refuse
        | Kind::Unavailable
        | Kind::FunctionError
        | Kind::DropAnswer
        | Kind::WrongIdentifier
        | Kind::Truncated
        | Kind::NotJson => Some(shared.controls.settle(&arrival)),
    };
    settled.map_or_else(answer::nothing, answer::render)
}

/// Settles a request after its wait in a task of its own: a network does not stop because the
/// client went away. `None` when too many wait already, or the simulator ends.
async fn settle_later(shared: &Shared, arrival: Arrival) -> Option<Settled> {
    let (tell, told) = oneshot::channel();
    {
        let mut waiting = shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while waiting.try_join_next().is_some() {}
        if waiting.len() >= SIM_WAITING_MAX {
            return None;
        }
        let controls = shared.controls.clone();
        waiting.spawn(async move {
            tokio::time::sleep(arrival.effect.wait).await;
            let settled = controls.settle(&arrival);
            // Nobody may be listening any more, which is the point.
            drop(tell.send(settled));
        });
    }
    told.await.ok()
}

async fn show_faults(State(shared): State<Shared>) -> Response {
    with_type("application/toml", shared.controls.faults_source())
}

async fn replace_faults(State(shared): State<Shared>, request: Request) -> Response {
    let Ok(body) = read_body(request, SIM_FAULTS_BYTES_MAX).await else {
        let message = format!("the faults file has more than {SIM_FAULTS_BYTES_MAX} bytes\n");
        return (StatusCode::PAYLOAD_TOO_LARGE, message).into_response();
    };
    let Ok(source) = std::str::from_utf8(&body) else {
        let message = "the faults file is not in UTF-8\n";
        return (StatusCode::BAD_REQUEST, message).into_response();
    };
    match Faults::parse_toml(source) {
        Ok(faults) => {
            shared.controls.replace_faults(faults);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    }
}

async fn list_requests(State(shared): State<Shared>) -> Response {
    let (lines, dropped) = shared.controls.requests_json_lines();
    let mut response = with_type("application/x-ndjson", lines);
    response
        .headers_mut()
        .insert("x-dropped", HeaderValue::from(dropped));
    response
}

async fn clear_requests(State(shared): State<Shared>) -> StatusCode {
    shared.controls.clear_requests();
    StatusCode::NO_CONTENT
}

async fn show_state(State(shared): State<Shared>) -> Response {
    with_type("application/json", shared.controls.state_json())
}

/// The whole body; an error when more than `bytes_max` are announced or come.
async fn read_body(request: Request, bytes_max: usize) -> Result<Bytes, ()> {
    if announced_bytes(request.headers()).is_some_and(|bytes| bytes > bytes_max as u64) {
        return Err(());
    }
    to_bytes(request.into_body(), bytes_max)
        .await
        .map_err(|_| ())
}

fn announced_bytes(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

fn with_type(content_type: &'static str, body: String) -> Response {
    ([(header::CONTENT_TYPE, content_type)], Body::from(body)).into_response()
}
