//! Opens connections: name, TCP and TLS, all within one bound on the time to connect.
//!
//! Every socket has zero linger: closing it sends a reset, and what the kernel still holds for the
//! peer is thrown away (D25; a plain close would deliver it after the deadline). Nothing of a
//! request is written here, so every failure here is *refused* (D23).

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use balefire_domain::limits::ADDRESSES_PER_NAME_MAX;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::classify::NotWritten;
use crate::endpoint::{Endpoint, Scheme};
use crate::gate::{GuardedSocket, SharedSocket};

/// Opens connections to endpoints.
#[derive(Clone)]
pub(crate) struct Connector {
    tls: TlsConnector,
    connect_timeout: Duration,
}

/// An open connection that has carried nothing yet.
pub(crate) struct Dialled {
    /// Reads and writes, through TLS where the endpoint wants it.
    pub(crate) io: WireIo,
    /// The socket below.
    pub(crate) socket: Arc<SharedSocket>,
    /// Bytes may come before a request: a TLS server ends its handshake with session tickets.
    pub(crate) peer_may_speak: bool,
}

impl Connector {
    pub(crate) fn new(tls: Arc<ClientConfig>, connect_timeout: Duration) -> Self {
        Self {
            tls: TlsConnector::from(tls),
            connect_timeout,
        }
    }

    /// Connects to `endpoint`. Dropping the future closes what is half open.
    pub(crate) async fn dial(&self, endpoint: &Endpoint) -> Result<Dialled, NotWritten> {
        timeout(self.connect_timeout, self.dial_unbounded(endpoint))
            .await
            .unwrap_or(Err(NotWritten::ConnectTimeout))
    }

    async fn dial_unbounded(&self, endpoint: &Endpoint) -> Result<Dialled, NotWritten> {
        let addresses = resolve(endpoint).await?;
        let stream = connect_first(&addresses, self.connect_timeout).await?;
        let cant_set = |error: io::Error| NotWritten::Connect(plain_words(&error));
        stream.set_nodelay(true).map_err(cant_set)?;
        stream.set_zero_linger().map_err(cant_set)?;
        let socket = SharedSocket::new(stream);
        let guarded = GuardedSocket(Arc::clone(&socket));
        let io = match endpoint.scheme() {
            Scheme::Http => WireIo::Plain(guarded),
            Scheme::Https => WireIo::Tls(Box::new(self.shake_hands(endpoint, guarded).await?)),
        };
        Ok(Dialled {
            io,
            socket,
            peer_may_speak: endpoint.scheme() == Scheme::Https,
        })
    }

    async fn shake_hands(
        &self,
        endpoint: &Endpoint,
        socket: GuardedSocket,
    ) -> Result<TlsStream<GuardedSocket>, NotWritten> {
        let name = ServerName::try_from(endpoint.host().to_owned())
            .map_err(|_| NotWritten::Tls("no certificate can name this host".to_owned()))?;
        self.tls
            .connect(name, socket)
            .await
            .map_err(|error| NotWritten::Tls(tls_words(&error)))
    }
}

async fn resolve(endpoint: &Endpoint) -> Result<Vec<SocketAddr>, NotWritten> {
    let no_address = || NotWritten::Name(endpoint.host().to_owned());
    let addresses: Vec<_> = tokio::net::lookup_host((endpoint.host(), endpoint.port()))
        .await
        .map_err(|_| no_address())?
        .take(ADDRESSES_PER_NAME_MAX)
        .collect();
    if addresses.is_empty() {
        return Err(no_address());
    }
    Ok(addresses)
}

/// Tries the addresses in turn. Each gets its share of the time, so that a silent first address
/// doesn't use up the time of the second.
pub(crate) async fn connect_first(
    addresses: &[SocketAddr],
    whole: Duration,
) -> Result<TcpStream, NotWritten> {
    let share = whole / u32::try_from(addresses.len().max(1)).unwrap_or(u32::MAX);
    let mut failure = NotWritten::ConnectTimeout;
    for address in addresses {
        match timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = NotWritten::Connect(plain_words(&error)),
            Err(_) => {}
        }
    }
    Err(failure)
}

/// What an I/O error says to a person.
fn plain_words(error: &io::Error) -> String {
    let known = match error.kind() {
        io::ErrorKind::ConnectionRefused => "refused",
        io::ErrorKind::ConnectionReset => "reset by the other side",
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "unreachable",
        io::ErrorKind::UnexpectedEof => "closed by the other side",
        _ => "",
    };
    if known.is_empty() {
        error.to_string()
    } else {
        known.to_owned()
    }
}

/// What a failed handshake says to a person.
pub(crate) fn tls_words(error: &io::Error) -> String {
    use rustls::{CertificateError as C, Error as E};
    let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<E>());
    let words = match cause {
        Some(E::InvalidCertificate(C::Expired | C::ExpiredContext { .. })) => {
            "its certificate has expired"
        }
        Some(E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. })) => {
            "its certificate is not valid yet"
        }
        Some(E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. })) => {
            "its certificate is for another name"
        }
        Some(E::InvalidCertificate(C::UnknownIssuer)) => {
            "its certificate is signed by nobody we trust (see the file of authorities)"
        }
        Some(E::InvalidCertificate(_)) => "its certificate is not valid",
        Some(E::InvalidMessage(_)) => "the other side does not speak TLS",
        Some(E::AlertReceived(_)) => "the other side refused the session",
        Some(_) => "the two sides have no common way to speak TLS",
        None => return plain_words(error),
    };
    words.to_owned()
}

/// A connection's reading and writing end.
pub(crate) enum WireIo {
    Plain(GuardedSocket),
    Tls(Box<TlsStream<GuardedSocket>>),
}

impl AsyncRead for WireIo {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_read(cx, buffer),
            Self::Tls(session) => Pin::new(session).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for WireIo {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write(cx, bytes),
            Self::Tls(session) => Pin::new(session).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Self::Tls(session) => Pin::new(session).poll_write_vectored(cx, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(socket) => socket.is_write_vectored(),
            Self::Tls(session) => session.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_flush(cx),
            Self::Tls(session) => Pin::new(session).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(socket) => Pin::new(socket).poll_shutdown(cx),
            Self::Tls(session) => Pin::new(session).poll_shutdown(cx),
        }
    }
}
