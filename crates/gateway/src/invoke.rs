//! Sends one payload to one proxy through the Lambda Invoke API, once.
//!
//! The order of events: the wall clock is compared with the deadline; a warm connection of the
//! route is taken, or a new one opened; directly before the first byte the gate compares again; the
//! answer is awaited until the deadline; at the deadline the connection is reset. No redirect is
//! followed, nothing is sent twice: a request goes to another connection only while the gate says
//! that not one byte of it was written.
//!
//! No error escapes: every end is an outcome with a detail for the attempt's row.

use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use balefire_domain::ids::DeliveryId;
use balefire_domain::limits::{ANSWER_BYTES_MAX, DECIDED_BODY_WAIT};
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::{Capabilities, Route};
use balefire_domain::time::{Clock, Timestamp};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};
use tokio::time::{Sleep, sleep, timeout};

use crate::classify::{
    Answer, BodyEnd, Failure, NoAnswer, NotWritten, ProxySays, classify, classify_failure,
    proxy_says,
};
use crate::connection::Connection;
use crate::connector::Connector;
use crate::endpoint::{Endpoint, path_segment};
use crate::gate::Gate;
use crate::payload;
use crate::pool::Pool;
use crate::tls::{GatewayError, client_config};

/// How the proxies are reached.
#[derive(Clone, Debug)]
pub struct GatewaySettings {
    /// The server of the Invoke API (`cbc.endpoint_url`).
    pub endpoint: Endpoint,
    /// Bound on name, TCP and TLS together (`dispatch.connect_timeout_ms`).
    pub connect_timeout: Duration,
    /// Certificate authorities beside the public ones, in PEM form.
    pub ca_file: Option<PathBuf>,
}

/// The way out to every proxy. Clones share the warm connections.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
}

struct Shared {
    endpoint: Endpoint,
    connector: Connector,
    pool: Pool,
    clock: Arc<dyn Clock>,
}

/// One attempt of one delivery over one route.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// The way it takes.
    pub route: Route,
    /// Whose answer is waited for: the identifier in the payload.
    pub delivery: DeliveryId,
    /// What the provider's profile says.
    pub capabilities: Capabilities,
    /// The payload as stored: a JSON object without `not_after` and `cbc_target` (D27).
    pub stored_payload: Arc<str>,
    /// `<alert id>/<provider>`.
    pub lane: String,
    /// The event's place in its lane.
    pub seq: u32,
    /// When waiting ends, and the instant from which nothing may be written.
    pub deadline_at: Timestamp,
}

/// A link test, a heartbeat or a canary: a payload that belongs to no lane.
#[derive(Clone, Debug)]
pub struct ProbeRequest {
    /// The way it takes.
    pub route: Route,
    /// The fresh identifier in the payload.
    pub identifier: DeliveryId,
    /// What the provider's profile says; a canary's has nothing but `success_is_accepted`.
    pub capabilities: Capabilities,
    /// The payload: a JSON object.
    pub payload: Arc<str>,
    /// When waiting ends, and the instant from which nothing may be written.
    pub deadline_at: Timestamp,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// What is known (D23).
    pub outcome: Outcome,
    /// Why, in plain words: one line of at most 200 characters.
    pub detail: String,
    /// The HTTP status, where an answer came.
    pub http_status: Option<u16>,
    /// SHA-256 of the answer's body in lower-case hex, where all of it came.
    pub answer_sha256: Option<String>,
}

/// What became of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// As of a delivery.
    pub answered: Answered,
    /// What the proxy says of itself, where it is one of ours.
    pub proxy: Option<ProxySays>,
}

/// The place of a payload in its lane.
pub(crate) struct Place {
    pub(crate) lane: String,
    pub(crate) seq: u32,
}

/// What [`Gateway::send`] and [`Gateway::probe`] have in common.
struct Invocation<'a> {
    route: &'a Route,
    delivery: DeliveryId,
    capabilities: Capabilities,
    body: Option<String>,
    deadline_at: Timestamp,
}

impl Gateway {
    /// Reads the certificate authorities. Opens no connection. Errors when the file of further
    /// authorities can't be used.
    pub fn new(settings: GatewaySettings, clock: Arc<dyn Clock>) -> Result<Self, GatewayError> {
        let tls = client_config(settings.ca_file.as_deref())?;
        Ok(Self {
            shared: Arc::new(Shared {
                endpoint: settings.endpoint,
                connector: Connector::new(tls, settings.connect_timeout),
                pool: Pool::default(),
                clock,
            }),
        })
    }

    /// Sends a delivery over a route and says what became of it, at the deadline at the latest.
    /// Dropping the future resets the connection; whether the proxy got it is then unknown.
    pub async fn send(&self, request: SendRequest) -> Answered {
        let place = Place {
            lane: request.lane,
            seq: request.seq,
        };
        let body = payload::complete(
            &request.stored_payload,
            &request.route,
            request.capabilities,
            Some(&place),
            request.deadline_at,
        );
        let invocation = Invocation {
            route: &request.route,
            delivery: request.delivery,
            capabilities: request.capabilities,
            body,
            deadline_at: request.deadline_at,
        };
        self.shared.carry_out(&invocation).await.0
    }

    /// Sends a link test or a heartbeat (D17) or a canary (D20). As [`Gateway::send`], without
    /// `lane` and `seq`.
    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        let body = payload::complete(
            &request.payload,
            &request.route,
            request.capabilities,
            None,
            request.deadline_at,
        );
        let invocation = Invocation {
            route: &request.route,
            delivery: request.identifier,
            capabilities: request.capabilities,
            body,
            deadline_at: request.deadline_at,
        };
        let (answered, answer) = self.shared.carry_out(&invocation).await;
        let proxy = answer
            .filter(|_| request.capabilities.own_protocol)
            .and_then(|answer| proxy_says(&answer, request.identifier));
        Probed { answered, proxy }
    }
}

impl Shared {
    /// What became of it, and the answer where one came.
    async fn carry_out(&self, invocation: &Invocation<'_>) -> (Answered, Option<Answer>) {
        match self.exchange(invocation).await {
            Ok(answer) => {
                let (outcome, detail) =
                    classify(&answer, invocation.delivery, invocation.capabilities);
                let answered = Answered {
                    outcome,
                    detail,
                    http_status: Some(answer.status),
                    answer_sha256: match &answer.body {
                        BodyEnd::Complete(bytes) => Some(sha256_hex(bytes)),
                        BodyEnd::EndedByClose | BodyEnd::CutOff | BodyEnd::TooLong => None,
                    },
                };
                (answered, Some(answer))
            }
            Err(failure) => {
                let (outcome, detail) = classify_failure(&failure);
                let answered = Answered {
                    outcome,
                    detail,
                    http_status: None,
                    answer_sha256: None,
                };
                (answered, None)
            }
        }
    }

    async fn exchange(&self, invocation: &Invocation<'_>) -> Result<Answer, Failure> {
        let request = self
            .render(invocation)
            .ok_or(Failure::NotWritten(NotWritten::Payload))?;
        let now = self.clock.now();
        if now >= invocation.deadline_at {
            return Err(Failure::NotWritten(NotWritten::Deadline));
        }
        let route = invocation.route.name();
        let mut deadline = pin!(sleep(invocation.deadline_at.since(now)));
        // Ends: every turn takes a connection out of the pool, or opens one and returns.
        loop {
            let warm = self.pool.take(&route, self.clock.now());
            let is_new = warm.is_none();
            let mut connection = match warm {
                Some(connection) => connection,
                None => self.open(deadline.as_mut()).await?,
            };
            let gate = Gate::until(invocation.deadline_at, Arc::clone(&self.clock));
            connection.arm(&gate, invocation.deadline_at.since(self.clock.now()));
            let head = tokio::select! {
                biased;
                head = connection.send(request.clone()) => head,
                () = deadline.as_mut() => Err(NoAnswer::Deadline),
            };
            let why = match head {
                Ok(head) => {
                    let answer = read_answer(&mut connection, head, deadline.as_mut()).await;
                    if matches!(answer.body, BodyEnd::Complete(_)) && connection.rest().await {
                        self.pool.put(&route, connection, self.clock.now());
                    }
                    return Ok(answer);
                }
                Err(why) => why,
            };
            drop(connection);
            if gate.has_written() {
                let is_late = gate.was_late();
                return Err(Failure::Written(if is_late {
                    NoAnswer::Deadline
                } else {
                    why
                }));
            }
            if gate.was_late() || why == NoAnswer::Deadline {
                return Err(Failure::NotWritten(NotWritten::Deadline));
            }
            if is_new {
                return Err(Failure::NotWritten(NotWritten::Closed));
            }
        }
    }

    /// A new connection, or why there is none; waits until the deadline at most.
    async fn open(&self, deadline: Pin<&mut Sleep>) -> Result<Connection, Failure> {
        let opened = async {
            let dialled = self.connector.dial(&self.endpoint).await?;
            Connection::open(dialled, self.clock.now()).await
        };
        tokio::select! {
            biased;
            connection = opened => connection.map_err(Failure::NotWritten),
            () = deadline => Err(Failure::NotWritten(NotWritten::Deadline)),
        }
    }

    fn render(&self, invocation: &Invocation<'_>) -> Option<Request<Full<Bytes>>> {
        let body = invocation.body.clone()?;
        let path = format!(
            "{}/2015-03-31/functions/{}/invocations",
            self.endpoint.path(),
            path_segment(&invocation.route.proxy)
        );
        Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(header::HOST, self.endpoint.authority())
            .header(header::CONTENT_TYPE, "application/json")
            .header("x-amz-invocation-type", "RequestResponse")
            .body(Full::new(Bytes::from(body)))
            .ok()
    }
}

/// The rest of an answer. Where the status decides alone, the body is not waited for: the next
/// route is.
async fn read_answer(
    connection: &mut Connection,
    head: http::Response<hyper::body::Incoming>,
    deadline: Pin<&mut Sleep>,
) -> Answer {
    let (parts, body) = head.into_parts();
    let status = parts.status.as_u16();
    let function_error = parts.headers.contains_key("x-amz-function-error");
    let read = connection.read_body(&parts.headers, body, ANSWER_BYTES_MAX);
    let read = async {
        if Answer::is_decided_without_body(status, function_error) {
            timeout(DECIDED_BODY_WAIT, read)
                .await
                .unwrap_or(BodyEnd::CutOff)
        } else {
            read.await
        }
    };
    let body = tokio::select! {
        biased;
        body = read => body,
        () = deadline => BodyEnd::CutOff,
    };
    Answer {
        status,
        function_error,
        body,
    }
}

fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        write!(hex, "{byte:02x}").expect("a String takes every write");
    }
    hex
}
