//! One request over one connection, once, and what came back.
//!
//! The order of events: the wall clock is compared with the deadline; a warm connection of the
//! route is taken, or a new one opened; directly before the first byte the gate compares again; the
//! answer is awaited until the deadline; at the deadline the connection is reset. No redirect is
//! followed, nothing is sent twice: a request goes to another connection only while the gate says
//! that not one byte of it was written.
//!
//! Both ways out write through here: [`crate::Gateway`] what it renders itself, the AWS adapter
//! what the SDK has signed. So the deadline holds for both in the same way.

use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use balefire_domain::limits::{ANSWER_BYTES_MAX, DECIDED_BODY_WAIT};
use balefire_domain::time::{Clock, Timestamp};
use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::Full;
use tokio::time::{Sleep, sleep, timeout};

use crate::classify::{Answer, BodyEnd, Failure, NoAnswer, NotWritten};
use crate::connection::Connection;
use crate::connector::Connector;
use crate::endpoint::{Endpoint, Target};
use crate::gate::Gate;
use crate::pool::Pool;
use crate::tls::{GatewayError, client_config};

/// Writes requests and reads answers. Clones share the warm connections.
#[derive(Clone)]
pub struct Wire {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Connector,
    pool: Pool,
    clock: Arc<dyn Clock>,
}

impl Wire {
    /// Reads the certificate authorities. Opens no connection. `connect_timeout` bounds name, TCP
    /// and TLS together. Errors when the file of further authorities can't be used.
    pub fn new(
        connect_timeout: Duration,
        ca_file: Option<&Path>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, GatewayError> {
        let tls = client_config(ca_file)?;
        Ok(Self {
            shared: Arc::new(Shared {
                connector: Connector::new(tls, connect_timeout),
                pool: Pool::default(),
                clock,
            }),
        })
    }

    /// The instant that deadlines are compared with.
    pub fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    /// Sends a request that names its whole URL, over a warm connection of `route` where there is
    /// one, and ends at `deadline_at` at the latest. All that is added is `Host` and a length.
    /// Dropping the future resets the connection; whether the server got it is then unknown.
    pub async fn exchange(
        &self,
        route: &str,
        request: Request<Bytes>,
        deadline_at: Timestamp,
    ) -> Result<Answer, Failure> {
        let (endpoint, request) = aim(request).map_err(Failure::NotWritten)?;
        self.exchange_at(&endpoint, route, &request, deadline_at)
            .await
    }

    /// As [`Wire::exchange`], for a request that names its path and its host.
    pub(crate) async fn exchange_at(
        &self,
        endpoint: &Endpoint,
        route: &str,
        request: &Request<Full<Bytes>>,
        deadline_at: Timestamp,
    ) -> Result<Answer, Failure> {
        let Shared { pool, clock, .. } = &*self.shared;
        let now = clock.now();
        if now >= deadline_at || !clock.is_trusted() {
            return Err(Failure::NotWritten(NotWritten::Deadline));
        }
        let mut deadline = pin!(sleep(deadline_at.since(now)));
        // Ends: every turn takes a connection out of the pool, or opens one and returns.
        loop {
            let warm = pool.take(route, clock.now());
            let is_new = warm.is_none();
            let mut connection = match warm {
                Some(connection) => connection,
                None => self.open(endpoint, deadline.as_mut()).await?,
            };
            let gate = Gate::until(deadline_at, Arc::clone(clock));
            connection.arm(&gate, deadline_at.since(clock.now()));
            let head = tokio::select! {
                biased;
                head = connection.send(request.clone()) => head,
                () = deadline.as_mut() => Err(NoAnswer::Deadline),
            };
            let why = match head {
                Ok(head) => {
                    let answer = read_answer(&mut connection, head, deadline.as_mut()).await;
                    if matches!(answer.body, BodyEnd::Complete(_)) && connection.rest().await {
                        pool.put(route, connection, clock.now());
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
    async fn open(
        &self,
        endpoint: &Endpoint,
        deadline: Pin<&mut Sleep>,
    ) -> Result<Connection, Failure> {
        let opened = async {
            let dialled = self.shared.connector.dial(endpoint).await?;
            Connection::open(dialled, self.shared.clock.now()).await
        };
        tokio::select! {
            biased;
            connection = opened => connection.map_err(Failure::NotWritten),
            () = deadline => Err(Failure::NotWritten(NotWritten::Deadline)),
        }
    }
}

/// Takes a request with a whole URL apart: where it goes, and what is written there.
fn aim(request: Request<Bytes>) -> Result<(Endpoint, Request<Full<Bytes>>), NotWritten> {
    let (mut parts, body) = request.into_parts();
    let unusable = |why: String| NotWritten::Unmade(why);
    let target =
        Target::parse(&parts.uri.to_string()).map_err(|error| unusable(error.to_string()))?;
    let host = HeaderValue::from_str(target.endpoint.authority());
    let host = host.map_err(|_| unusable("the host can't be named in a header".to_owned()))?;
    let path = target.path_and_query.parse();
    parts.uri = path.map_err(|_| unusable("the path can't be asked for".to_owned()))?;
    parts.headers.insert(header::HOST, host);
    // The body that is written has the length, not a header that somebody set.
    parts.headers.remove(header::CONTENT_LENGTH);
    Ok((target.endpoint, Request::from_parts(parts, Full::new(body))))
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
