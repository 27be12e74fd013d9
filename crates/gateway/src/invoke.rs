//! Sends one payload to one proxy through the Lambda Invoke API, once; [`crate::wire`] says in
//! which order things happen.
//!
//! No error escapes: every end is an outcome with a detail for the attempt's row.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use balefire_domain::ids::DeliveryId;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::{Capabilities, Route};
use balefire_domain::time::{Clock, Timestamp};
use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

use crate::classify::{
    Answer, BodyEnd, Failure, NotWritten, ProxySays, classify, classify_failure, proxy_says,
};
use crate::endpoint::{Endpoint, path_segment};
use crate::payload;
use crate::tls::GatewayError;
use crate::wire::Wire;

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
    endpoint: Endpoint,
    wire: Wire,
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

/// A payload that is complete, and what its answer is judged by. Both ways out carry these.
#[derive(Clone, Debug)]
pub struct Invocation {
    /// The way it takes.
    pub route: Route,
    /// The payload as it goes out (D27); `None` when the stored one is no JSON object, and nothing
    /// may be sent.
    pub body: Option<Bytes>,
    /// When waiting ends, and the instant from which nothing may be written.
    pub deadline_at: Timestamp,
    delivery: DeliveryId,
    capabilities: Capabilities,
}

impl From<SendRequest> for Invocation {
    fn from(request: SendRequest) -> Self {
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
        Self {
            route: request.route,
            body: body.map(Bytes::from),
            deadline_at: request.deadline_at,
            delivery: request.delivery,
            capabilities: request.capabilities,
        }
    }
}

impl From<ProbeRequest> for Invocation {
    fn from(request: ProbeRequest) -> Self {
        let body = payload::complete(
            &request.payload,
            &request.route,
            request.capabilities,
            None,
            request.deadline_at,
        );
        Self {
            route: request.route,
            body: body.map(Bytes::from),
            deadline_at: request.deadline_at,
            delivery: request.identifier,
            capabilities: request.capabilities,
        }
    }
}

impl Invocation {
    /// What an end means for it (D23).
    pub fn judge(&self, end: &Result<Answer, Failure>) -> Answered {
        match end {
            Ok(answer) => {
                let (outcome, detail) = classify(answer, self.delivery, self.capabilities);
                Answered {
                    outcome,
                    detail,
                    http_status: Some(answer.status),
                    answer_sha256: match &answer.body {
                        BodyEnd::Complete(bytes) => Some(sha256_hex(bytes)),
                        BodyEnd::EndedByClose | BodyEnd::CutOff | BodyEnd::TooLong => None,
                    },
                }
            }
            Err(failure) => {
                let (outcome, detail) = classify_failure(failure);
                Answered {
                    outcome,
                    detail,
                    http_status: None,
                    answer_sha256: None,
                }
            }
        }
    }

    /// As [`Invocation::judge`], for a probe.
    pub fn judge_probe(&self, end: &Result<Answer, Failure>) -> Probed {
        let answer = end.as_ref().ok();
        Probed {
            answered: self.judge(end),
            proxy: answer
                .filter(|_| self.capabilities.own_protocol)
                .and_then(|answer| proxy_says(answer, self.delivery)),
        }
    }
}

impl Gateway {
    /// Reads the certificate authorities. Opens no connection. Errors when the file of further
    /// authorities can't be used.
    pub fn new(settings: GatewaySettings, clock: Arc<dyn Clock>) -> Result<Self, GatewayError> {
        let ca_file = settings.ca_file.as_deref();
        Ok(Self {
            endpoint: settings.endpoint,
            wire: Wire::new(settings.connect_timeout, ca_file, clock)?,
        })
    }

    /// Sends a delivery over a route and says what became of it, at the deadline at the latest.
    /// Dropping the future resets the connection; whether the proxy got it is then unknown.
    pub async fn send(&self, request: SendRequest) -> Answered {
        let invocation = Invocation::from(request);
        let end = self.carry_out(&invocation).await;
        invocation.judge(&end)
    }

    /// Sends a link test or a heartbeat (D17) or a canary (D20). As [`Gateway::send`], without
    /// `lane` and `seq`.
    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        let invocation = Invocation::from(request);
        let end = self.carry_out(&invocation).await;
        invocation.judge_probe(&end)
    }

    async fn carry_out(&self, invocation: &Invocation) -> Result<Answer, Failure> {
        let request = self.render(invocation);
        let request = request.ok_or(Failure::NotWritten(NotWritten::Payload))?;
        let (route, deadline_at) = (invocation.route.name(), invocation.deadline_at);
        self.wire
            .exchange_at(&self.endpoint, &route, &request, deadline_at)
            .await
    }

    fn render(&self, invocation: &Invocation) -> Option<Request<Full<Bytes>>> {
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
            .body(Full::new(body))
            .ok()
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
