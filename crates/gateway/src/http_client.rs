//! A small HTTP client for commands and the demo, and for tickets, pages and webhooks.
//!
//! One connection per call, through the same connector as the proxies: no redirect is followed,
//! nothing is sent twice, no header is added but `Host` and `Content-Length`. Answers are bounded,
//! by [`CLIENT_ANSWER_BYTES_MAX`] unless their reader says less; one that ends without having said
//! how long it is counts as cut off.

use std::path::Path;
use std::time::Duration;

use balefire_domain::limits::CLIENT_ANSWER_BYTES_MAX;
use balefire_domain::time::Timestamp;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};
use http_body_util::Full;
use tokio::time::timeout;

use crate::classify::{BodyEnd, Failure, NoAnswer, NotWritten, classify_failure};
use crate::connection::Connection;
use crate::connector::Connector;
use crate::endpoint::{InvalidEndpoint, Target};
use crate::gate::Gate;
use crate::tls::{GatewayError, client_config};

/// Calls HTTP servers.
#[derive(Clone)]
pub struct HttpClient {
    connector: Connector,
    answer_bytes_max: usize,
}

/// One request. It has no `Debug`: headers and bodies carry secrets.
#[derive(Clone)]
pub struct HttpCall {
    /// GET, POST and so on.
    pub method: Method,
    /// The whole `http` or `https` URL.
    pub url: String,
    /// Header names and values, besides `Host` and `Content-Length`.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Bytes,
    /// Bound on everything from the name to the last byte of the answer.
    pub timeout: Duration,
}

/// A complete answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

/// Why there is no answer. The display is a sentence for a person; it never holds a header or a
/// body.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HttpError {
    /// The URL can't be called.
    #[error(transparent)]
    Url(#[from] InvalidEndpoint),
    /// A header's name or value can't be sent.
    #[error("the header `{0}` can't be sent: names are letters, digits and -, values one line")]
    Header(String),
    /// The server surely did not get the request.
    #[error("{server}: {why}")]
    NotSent {
        /// Scheme, host and port.
        server: String,
        /// Why.
        why: String,
    },
    /// The server may have got the request.
    #[error("{server}: {why}")]
    NoAnswer {
        /// Scheme, host and port.
        server: String,
        /// Why.
        why: String,
    },
    /// The answer is longer than is read.
    #[error("{server}: the answer is longer than {bytes_max} bytes")]
    TooLong {
        /// Scheme, host and port.
        server: String,
        /// What is read at most.
        bytes_max: usize,
    },
}

impl HttpClient {
    /// A client that trusts the public authorities and those in `ca_file`, and gives up connecting
    /// after `connect_timeout`.
    pub fn new(connect_timeout: Duration, ca_file: Option<&Path>) -> Result<Self, GatewayError> {
        Ok(Self {
            connector: Connector::new(client_config(ca_file)?, connect_timeout),
            answer_bytes_max: CLIENT_ANSWER_BYTES_MAX,
        })
    }

    /// The same client, which reads at most so many bytes of an answer's body.
    #[must_use]
    pub const fn with_answer_bytes_max(mut self, bytes: usize) -> Self {
        self.answer_bytes_max = bytes;
        self
    }

    /// Sends the request, once, and reads the whole answer. Every status is an answer.
    pub async fn call(&self, call: HttpCall) -> Result<HttpAnswer, HttpError> {
        let target = Target::parse(&call.url)?;
        let request = render(&call, &target)?;
        let server = target.endpoint.without_path();
        let gate = Gate::open();
        let answer = timeout(call.timeout, async {
            let dialled = self.connector.dial(&target.endpoint).await?;
            // Its age is never asked for: it carries one request.
            let mut connection = Connection::open(dialled, Timestamp::default()).await?;
            connection.arm(&gate, call.timeout);
            exchange(&mut connection, request, self.answer_bytes_max).await
        })
        .await
        .unwrap_or(Err(Lost::Answer(NoAnswer::Deadline)));
        let failure = match answer {
            Ok(answer) => return Ok(answer),
            Err(Lost::TooLong) => {
                let bytes_max = self.answer_bytes_max;
                return Err(HttpError::TooLong { server, bytes_max });
            }
            Err(Lost::Connection(why)) => Failure::NotWritten(why),
            Err(Lost::Answer(why)) if gate.has_written() => Failure::Written(why),
            Err(Lost::Answer(NoAnswer::Deadline)) => {
                Failure::NotWritten(NotWritten::ConnectTimeout)
            }
            Err(Lost::Answer(_)) => Failure::NotWritten(NotWritten::Closed),
        };
        let (_, why) = classify_failure(&failure);
        Err(match failure {
            Failure::NotWritten(_) => HttpError::NotSent { server, why },
            Failure::Written(_) => HttpError::NoAnswer { server, why },
        })
    }
}

/// How a call ended without an answer.
enum Lost {
    Connection(NotWritten),
    Answer(NoAnswer),
    TooLong,
}

impl From<NotWritten> for Lost {
    fn from(why: NotWritten) -> Self {
        Self::Connection(why)
    }
}

async fn exchange(
    connection: &mut Connection,
    request: Request<Full<Bytes>>,
    answer_bytes_max: usize,
) -> Result<HttpAnswer, Lost> {
    let (parts, body) = connection
        .send(request)
        .await
        .map_err(Lost::Answer)?
        .into_parts();
    let body = connection
        .read_body(&parts.headers, body, answer_bytes_max)
        .await;
    match body {
        BodyEnd::Complete(body) => Ok(HttpAnswer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body,
        }),
        BodyEnd::EndedByClose | BodyEnd::CutOff => Err(Lost::Answer(NoAnswer::Closed)),
        BodyEnd::TooLong => Err(Lost::TooLong),
    }
}

fn render(call: &HttpCall, target: &Target) -> Result<Request<Full<Bytes>>, HttpError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let invalid = || HttpError::Header(name.clone());
        let key: http::HeaderName = name.parse().map_err(|_| invalid())?;
        headers.append(key, value.parse().map_err(|_| invalid())?);
    }
    let host = target.endpoint.authority();
    let host = host
        .parse()
        .map_err(|_| HttpError::Header("Host".to_owned()))?;
    headers.insert(header::HOST, host);
    let not_a_url = |_| HttpError::Url(InvalidEndpoint::NotAUrl);
    let mut request = Request::builder()
        .method(call.method.clone())
        .uri(&target.path_and_query)
        .body(Full::new(call.body.clone()))
        .map_err(not_a_url)?;
    *request.headers_mut() = headers;
    Ok(request)
}
