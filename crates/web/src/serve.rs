//! The listening socket: bounded connections, bounded heads, an orderly end.
//!
//! A connection is closed when the head of a request takes longer than [`REQUEST_HEAD_TIME_MAX`],
//! the wait for it included. After its last answer what the client still sends is read and thrown
//! away for a moment: closing with unread bytes would reset the connection, and the client would
//! never read why its body was refused.
//!
//! Not done here: a bound on how long a client may take to read an answer.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use balefire_domain::limits::{
    LINGER_BYTES_MAX, LINGER_TIME_MAX, REQUEST_HEAD_BYTES_MAX, REQUEST_HEAD_TIME_MAX,
};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::middleware::Peer;

/// How long to wait after the kernel had no connection to give, for example for want of file
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Bytes thrown away at a time.
const LINGER_CHUNK_BYTES: usize = 16 * 1024;

/// How long requests that are under way at the end may take. A verb takes five seconds; a body
/// that does not come is not waited for.
const END_TIME_MAX: Duration = Duration::from_secs(10);

type Answering = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

/// Serves until `shutdown` comes; then takes no more connections, lets every request that is under
/// way finish (ten seconds at most), and returns. It has `connections_max` connections at most;
/// further ones wait with the kernel.
///
/// # Errors
///
/// None today: a listener that gives no connections is asked again.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    connections_max: usize,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let permits = Arc::new(Semaphore::new(connections_max));
    let (ending, is_ending) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, permit) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = &mut shutdown => break,
        };
        while connections.try_join_next().is_some() {}
        let (router, is_ending) = (router.clone(), is_ending.clone());
        connections.spawn(async move {
            serve_connection(stream, router, is_ending).await;
            drop(permit);
        });
    }
    drop(listener);
    ending.send_replace(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(END_TIME_MAX, drained).await.is_err() {
        tracing::warn!(
            event = "http.cut_off",
            "requests were still under way at the end"
        );
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned();
    let permit = permit.await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                tracing::warn!(event = "http.accept_failed", error = %error, "no connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router, mut is_ending: watch::Receiver<bool>) {
    // Answers are small and written at once: waiting to fill a packet only delays them.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        if let Some(peer) = peer {
            request.extensions_mut().insert(Peer(peer));
        }
        let answering: Answering = Box::pin(router.clone().oneshot(request));
        answering
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_HEAD_TIME_MAX)
        .max_buf_size(REQUEST_HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut asked_to_end = pin!(is_ending.wait_for(|ending| *ending));
    let mut is_told = false;
    let ended = poll_fn(|cx| {
        if !is_told && asked_to_end.as_mut().poll(cx).is_ready() {
            is_told = true;
            Pin::new(&mut connection).graceful_shutdown();
        }
        connection.poll_without_shutdown(cx)
    })
    .await;
    if let Err(error) = ended {
        tell_end(peer, &error);
    }
    linger(connection.into_parts().io.into_inner()).await;
}

/// Clients that send no HTTP, or go away in the middle, are their own affair: worth a line only to
/// who looks for it.
fn tell_end(peer: Option<SocketAddr>, error: &hyper::Error) {
    let peer = peer.map(|peer| peer.to_string()).unwrap_or_default();
    tracing::debug!(event = "http.connection_ended", peer, error = %error, "a connection broke");
}

/// Says that nothing more is coming, and reads on for a moment.
async fn linger(mut stream: TcpStream) {
    let reading = async {
        stream.shutdown().await?;
        let mut chunk = vec![0; LINGER_CHUNK_BYTES];
        let mut left = LINGER_BYTES_MAX;
        while left > 0 {
            match stream.read(&mut chunk).await? {
                0 => break,
                bytes => left = left.saturating_sub(bytes),
            }
        }
        io::Result::Ok(())
    };
    // Nobody is left to be told how this went.
    let _ = tokio::time::timeout(LINGER_TIME_MAX, reading).await;
}
