//! The last gate before the wire: what may still be written, and whether anything was.
//!
//! Every write of a connection passes a [`GuardedSocket`]. While a request has the connection, its
//! [`Gate`] compares the wall clock with the deadline directly before every write, in the same
//! poll as the system call: a process that was paused and wakes late writes nothing (D25). The gate
//! also remembers whether one byte of the request reached the socket, which is what tells *refused*
//! from *unknown* (D23).
//!
//! Before the first byte it also asks the kernel what the peer did: a request is not begun on a
//! connection that has ended, however recently, nor on one that brings bytes nobody asked for,
//! which would be taken for the answer.
//!
//! The gate sits below TLS. Bytes that TLS has taken but not yet written don't count as written,
//! and none of them leaves after the deadline.

use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use balefire_domain::time::{Clock, Timestamp};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// What one request may do on the wire, and what it did.
pub struct Gate {
    rule: Option<(Arc<dyn Clock>, Timestamp)>,
    written: AtomicBool,
    late: AtomicBool,
}

impl Gate {
    /// A gate that shuts at `deadline_at`.
    pub fn until(deadline_at: Timestamp, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self::with(Some((clock, deadline_at))))
    }

    /// A gate that never shuts, for requests that no deadline on the wall clock binds.
    pub fn open() -> Arc<Self> {
        Arc::new(Self::with(None))
    }

    const fn with(rule: Option<(Arc<dyn Clock>, Timestamp)>) -> Self {
        Self {
            rule,
            written: AtomicBool::new(false),
            late: AtomicBool::new(false),
        }
    }

    /// At least one byte of the request was handed to the kernel.
    pub fn has_written(&self) -> bool {
        self.written.load(Ordering::Acquire)
    }

    /// A write was stopped because the deadline had passed, or may have.
    pub fn was_late(&self) -> bool {
        self.late.load(Ordering::Acquire)
    }

    /// Asked directly before a write. Once shut, the gate stays shut, even if the clock is set
    /// back.
    fn admit(&self) -> io::Result<()> {
        let Some((clock, deadline_at)) = &self.rule else {
            return Ok(());
        };
        // A clock in doubt can't say that the deadline has not passed (D35).
        let is_doubtful = !self.has_written() && !clock.is_trusted();
        if self.was_late() || is_doubtful || clock.now() >= *deadline_at {
            self.late.store(true, Ordering::Release);
            return Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "the deadline has passed",
            ));
        }
        Ok(())
    }

    fn note(&self, bytes: usize) {
        if bytes > 0 {
            self.written.store(true, Ordering::Release);
        }
    }
}

/// The request that has the connection.
#[derive(Clone)]
struct Armed {
    gate: Arc<Gate>,
    peer_may_speak: bool,
}

/// A connection's socket, shared by the HTTP layer, which reads and writes, and by the pool, which
/// looks whether it is alive. Closing it sends a reset (see [`crate::connector`]).
pub struct SharedSocket {
    stream: TcpStream,
    armed: Mutex<Option<Armed>>,
}

impl SharedSocket {
    /// A socket without a request: what TLS writes to shake hands passes freely.
    pub fn new(stream: TcpStream) -> Arc<Self> {
        Arc::new(Self {
            stream,
            armed: Mutex::new(None),
        })
    }

    /// The TCP connection, for its options and for looking at it.
    pub const fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// From now on every write belongs to the request behind `gate`. `peer_may_speak`: bytes of the
    /// peer may wait before the first write, as those that end a TLS handshake do.
    pub fn arm(&self, gate: &Arc<Gate>, peer_may_speak: bool) {
        *self.lock() = Some(Armed {
            gate: Arc::clone(gate),
            peer_may_speak,
        });
    }

    /// The request is over and the connection idle.
    pub fn disarm(&self) {
        *self.lock() = None;
    }

    /// Asks the kernel itself: the end of a connection may not have been reported to us yet.
    pub fn look(&self) -> Sight {
        match SockRef::from(&self.stream).peek(&mut [MaybeUninit::uninit()]) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Sight::Silent,
            Ok(0) | Err(_) => Sight::Gone,
            Ok(_) => Sight::Speaking,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that is asked directly before a write.
    fn admit(&self, armed: &Armed) -> io::Result<()> {
        armed.gate.admit()?;
        if armed.gate.has_written() {
            return Ok(());
        }
        match self.look() {
            Sight::Silent => Ok(()),
            Sight::Speaking if armed.peer_may_speak => Ok(()),
            Sight::Speaking | Sight::Gone => Err(io::ErrorKind::ConnectionReset.into()),
        }
    }

    /// Tries `write` once the socket takes bytes, if the gate lets it.
    fn poll_through_gate(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&TcpStream) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            let armed = self.lock().clone();
            if let Some(armed) = &armed {
                self.admit(armed)?;
            }
            match write(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(bytes) => {
                    if let Some(armed) = &armed {
                        armed.gate.note(bytes);
                    }
                    return Poll::Ready(Ok(bytes));
                }
            }
        }
    }
}

/// What a look at a connection shows, without taking anything from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// Open, and nothing to read.
    Silent,
    /// Something to read.
    Speaking,
    /// Ended or reset by the peer.
    Gone,
}

/// Reads and writes a [`SharedSocket`], every write through its gate.
pub struct GuardedSocket(pub Arc<SharedSocket>);

impl AsyncRead for GuardedSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            ready!(self.0.stream.poll_read_ready(cx))?;
            match self.0.stream.try_read(buffer.initialize_unfilled()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
                Ok(bytes) => {
                    buffer.advance(bytes);
                    return Poll::Ready(Ok(()));
                }
            }
        }
    }
}

impl AsyncWrite for GuardedSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_through_gate(cx, |stream| stream.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.0
            .poll_through_gate(cx, |stream| stream.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Nothing is half closed: the end of a connection is its reset.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
