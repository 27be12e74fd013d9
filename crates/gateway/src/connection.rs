//! One HTTP/1.1 connection that we drive ourselves.
//!
//! hyper speaks the protocol; nothing runs in the background. The connection makes progress only
//! while a request is waited for, so dropping that wait drops the connection, and the socket is
//! reset. There is no queue and no retry underneath: a request is handed over once.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use balefire_domain::limits::{ANSWER_HEAD_BYTES_MAX, ANSWER_HEADERS_MAX, CONNECTION_AGE_MAX};
use balefire_domain::time::Timestamp;
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use socket2::SockRef;

use crate::classify::{BodyEnd, NoAnswer, NotWritten};
use crate::connector::{Dialled, WireIo};
use crate::gate::{Gate, SharedSocket, Sight};

/// A connection, in use or warm.
pub(crate) struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: http1::Connection<TokioIo<WireIo>, Full<Bytes>>,
    driver_has_ended: bool,
    socket: Arc<SharedSocket>,
    peer_may_speak: bool,
    opened_at: Timestamp,
}

impl Connection {
    /// Makes an HTTP connection of an open socket. Writes nothing.
    pub(crate) async fn open(dialled: Dialled, now: Timestamp) -> Result<Self, NotWritten> {
        let (sender, driver) = http1::Builder::new()
            .max_headers(ANSWER_HEADERS_MAX)
            .max_header_size(ANSWER_HEAD_BYTES_MAX)
            .handshake(TokioIo::new(dialled.io))
            .await
            .map_err(|_| NotWritten::Closed)?;
        Ok(Self {
            sender,
            driver,
            driver_has_ended: false,
            socket: dialled.socket,
            peer_may_speak: dialled.peer_may_speak,
            opened_at: now,
        })
    }

    /// Binds what is written from now on to `gate`, and lets the kernel give the connection up
    /// when the peer acknowledges nothing for `remaining`: that holds even while this process is
    /// stopped.
    pub(crate) fn arm(&self, gate: &Arc<Gate>, remaining: Duration) {
        self.socket.arm(gate, self.peer_may_speak);
        #[cfg(target_os = "linux")]
        {
            let bound = remaining.max(Duration::from_millis(1));
            // Without the option the deadline still holds while this process runs.
            drop(SockRef::from(self.socket.stream()).set_tcp_user_timeout(Some(bound)));
        }
        #[cfg(not(target_os = "linux"))]
        let _ = remaining;
    }

    /// Sends the request, once, and waits for the head of the answer. Interim answers (1xx other
    /// than 101) are passed over. Whether something was written, the gate knows.
    pub(crate) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, NoAnswer> {
        self.drive_until_ready().await?;
        let answer = self.sender.send_request(request);
        self.drive(answer).await.map_err(|error| no_answer(&error))
    }

    /// A new connection takes a request only once its driver has been polled.
    async fn drive_until_ready(&mut self) -> Result<(), NoAnswer> {
        poll_fn(|cx| {
            self.move_along(cx);
            self.sender.poll_ready(cx)
        })
        .await
        .map_err(|_| NoAnswer::Closed)
    }

    /// Reads the body of an answer, at most `bytes_max` of it.
    pub(crate) async fn read_body(
        &mut self,
        headers: &HeaderMap,
        mut body: Incoming,
        bytes_max: usize,
    ) -> BodyEnd {
        let announced = body.size_hint().exact();
        let is_delimited = announced.is_some() || is_chunked(headers);
        if announced.is_some_and(|length| length > bytes_max as u64) {
            return BodyEnd::TooLong;
        }
        let mut bytes = BytesMut::new();
        loop {
            match self.drive(body.frame()).await {
                None if is_delimited => return BodyEnd::Complete(bytes.freeze()),
                None => return BodyEnd::EndedByClose,
                Some(Err(_)) => return BodyEnd::CutOff,
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        if bytes.len() + data.len() > bytes_max {
                            return BodyEnd::TooLong;
                        }
                        bytes.extend_from_slice(data);
                    }
                }
            }
        }
    }

    /// After a complete answer: ends the request's hold on the connection. `true` when another
    /// request can follow: both sides keep it open and all of this request was written.
    pub(crate) async fn rest(&mut self) -> bool {
        let is_ready = poll_fn(|cx| {
            self.move_along(cx);
            Poll::Ready(!self.driver_has_ended && self.sender.is_ready())
        })
        .await;
        self.socket.disarm();
        self.peer_may_speak = false;
        is_ready
    }

    /// A warm connection can carry a request: young, open, and silent. Asks the kernel itself, as
    /// the end of a connection may not have been reported to us yet. A peer that has said
    /// something unasked is not used again.
    pub(crate) fn is_usable(&self, now: Timestamp) -> bool {
        let is_young = self.opened_at <= now && now.since(self.opened_at) < CONNECTION_AGE_MAX;
        let is_silent = self.socket.look() == Sight::Silent;
        is_young && is_silent && !self.driver_has_ended && !self.sender.is_closed()
    }

    /// Lets hyper read and write what it can. Its end, good or bad, also ends what waits for it.
    fn move_along(&mut self, cx: &mut Context<'_>) {
        if !self.driver_has_ended && Pin::new(&mut self.driver).poll(cx).is_ready() {
            self.driver_has_ended = true;
        }
    }

    /// Waits for `work` while moving the connection along.
    async fn drive<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.move_along(cx);
            work.as_mut().poll(cx)
        })
        .await
    }
}

fn no_answer(error: &hyper::Error) -> NoAnswer {
    if error.is_parse() {
        NoAnswer::NotHttp
    } else {
        NoAnswer::Closed
    }
}

/// The last transfer coding is `chunked` (RFC 9112 §6.3): the body's end can be told from the
/// connection's.
fn is_chunked(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::TRANSFER_ENCODING)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.rsplit(',').next())
        .is_some_and(|coding| coding.trim().eq_ignore_ascii_case("chunked"))
}
