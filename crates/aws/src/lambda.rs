//! Invokes the functions that stand before the networks.
//!
//! The order of events for one attempt: the deadline is compared; the SDK finds credentials,
//! address and signature; the gateway's connection compares again directly before the first byte,
//! writes, and waits until the deadline at the latest, where it resets. What came back is judged
//! from the raw answer, not from what the SDK makes of it: the SDK's view of an error is finer
//! where we don't need it and coarser where we do.
//!
//! Until the connection has the request nothing was written, and waiting for credentials ends at
//! the deadline with *refused*. From then on the end that the connection reports is the truth.

use std::fmt;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use balefire_domain::time::Timestamp;
use balefire_gateway::classify::{Answer, BodyEnd, Failure, NoAnswer, NotWritten};
use balefire_gateway::{Answered, Invocation, ProbeRequest, Probed, SendRequest, Wire};
use tokio::time::sleep;

use crate::account::{Account, no_retries};
use crate::plain_words::why_not_made;
use crate::sdk_http::whole;

/// The way out to every proxy that is a Lambda function. Clones share the warm connections.
#[derive(Clone)]
pub struct Lambda {
    client: Client,
    wire: Wire,
}

impl Lambda {
    /// A courier that signs as `account` and writes through `wire`. `endpoint_url` stands in for
    /// the region's own address.
    pub fn new(account: &Account, wire: Wire, endpoint_url: Option<&str>) -> Self {
        // The connection holds every bound on time; the SDK's own would only cut an answer off
        // without knowing whether anything was written.
        let mut config = aws_sdk_lambda::config::Builder::from(account.config())
            .retry_config(no_retries())
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(url) = endpoint_url {
            config = config.endpoint_url(url);
        }
        Self {
            client: Client::from_conf(config.build()),
            wire,
        }
    }

    /// Sends a delivery over a route and says what became of it, at the deadline at the latest.
    /// Dropping the future resets the connection; whether the function got it is then unknown.
    pub async fn send(&self, request: SendRequest) -> Answered {
        let invocation = Invocation::from(request);
        let end = self.invoke(&invocation).await;
        invocation.judge(&end)
    }

    /// Sends a link test or a heartbeat (D17) or a canary (D20). As [`Lambda::send`], without
    /// `lane` and `seq`.
    pub async fn probe(&self, request: ProbeRequest) -> Probed {
        let invocation = Invocation::from(request);
        let end = self.invoke(&invocation).await;
        invocation.judge_probe(&end)
    }

    async fn invoke(&self, invocation: &Invocation) -> Result<Answer, Failure> {
        let body = invocation.body.clone();
        let body = body.ok_or(Failure::NotWritten(NotWritten::Payload))?;
        let deadline_at = invocation.deadline_at;
        let now = self.wire.now();
        if now >= deadline_at {
            return Err(Failure::NotWritten(NotWritten::Deadline));
        }
        let exchange = Arc::new(Exchange {
            wire: self.wire.clone(),
            route: invocation.route.name(),
            deadline_at,
            has_begun: AtomicBool::new(false),
            end: Mutex::new(None),
        });
        let only_this = Builder::new().http_client(OneExchange(Arc::clone(&exchange)));
        let call = self
            .client
            .invoke()
            .function_name(&invocation.route.proxy)
            .invocation_type(InvocationType::RequestResponse)
            .payload(Blob::new(body))
            .customize()
            .config_override(only_this)
            .send();
        let mut call = pin!(call);
        let called = tokio::select! {
            biased;
            called = call.as_mut() => called,
            () = sleep(deadline_at.since(now)) => {
                if !exchange.has_begun() {
                    return Err(Failure::NotWritten(NotWritten::Deadline));
                }
                call.await // The connection ends at its deadline, which is this one.
            }
        };
        match exchange.take_end() {
            Some(end) => end,
            None if exchange.has_begun() => Err(Failure::Written(NoAnswer::Closed)),
            None => {
                let why = called
                    .err()
                    .map_or("the AWS request could not be made", |e| why_not_made(&e));
                Err(Failure::NotWritten(NotWritten::Unmade(why.to_owned())))
            }
        }
    }
}

/// One request of one attempt, and how it ended on the wire.
struct Exchange {
    wire: Wire,
    route: String,
    deadline_at: Timestamp,
    has_begun: AtomicBool,
    end: Mutex<Option<Result<Answer, Failure>>>,
}

impl Exchange {
    fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Acquire)
    }

    fn take_end(&self) -> Option<Result<Answer, Failure>> {
        self.end
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }

    async fn carry(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let request = whole(request)?;
        if self.has_begun.swap(true, Ordering::AcqRel) {
            // The SDK was told not to; a request is written at most once whatever it does.
            return Err(ConnectorError::user("an attempt is one request".into()));
        }
        let end = self
            .wire
            .exchange(&self.route, request, self.deadline_at)
            .await;
        let reply = match &end {
            Ok(answer) => reply(answer),
            Err(_) => Err(ConnectorError::io("no answer".into())),
        };
        *self.end.lock().unwrap_or_else(PoisonError::into_inner) = Some(end);
        reply
    }
}

/// What the SDK is shown of an answer.
fn reply(answer: &Answer) -> Result<HttpResponse, ConnectorError> {
    let body = match &answer.body {
        BodyEnd::Complete(bytes) => SdkBody::from(bytes.clone()),
        BodyEnd::EndedByClose | BodyEnd::CutOff | BodyEnd::TooLong => SdkBody::empty(),
    };
    let mut response = http::Response::new(body);
    *response.status_mut() =
        http::StatusCode::from_u16(answer.status).map_err(|e| ConnectorError::io(e.into()))?;
    HttpResponse::try_from(response).map_err(|e| ConnectorError::io(e.into()))
}

/// The SDK's HTTP client for one attempt.
struct OneExchange(Arc<Exchange>);

impl fmt::Debug for OneExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneExchange")
    }
}

impl HttpClient for OneExchange {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Self(Arc::clone(&self.0)))
    }
}

impl HttpConnector for OneExchange {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let exchange = Arc::clone(&self.0);
        HttpConnectorFuture::new(async move { exchange.carry(request).await })
    }
}
