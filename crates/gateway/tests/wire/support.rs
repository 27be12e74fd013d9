//! Servers on loopback that do exactly what a test says, and clocks that tests set.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use balefire_domain::ids::DeliveryId;
use balefire_domain::provider::{Capabilities, Route};
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::{Gateway, GatewaySettings, SendRequest};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The identifier of every delivery here.
pub const OURS: &str = "0f3f2b9e-6f0e-4d0c-9a3e-5d1f4c2b7a10";
/// The instant at which every clock begins.
pub const START: Timestamp = Timestamp::from_seconds(1_795_406_943);
/// Nothing here takes as long as this.
pub const LONG: Duration = Duration::from_secs(20);

/// Waits for what must come soon: a test that would hang fails instead.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), what)
        .await
        .expect("it never came")
}

/// A clock that stands still until it is set.
pub struct ManualClock(AtomicI64);

impl ManualClock {
    pub fn new() -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(START.micros())))
    }

    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// A clock that shows [`START`] some times and an hour later ever after: a process that is paused.
pub struct PausedAfter {
    pub readings: AtomicUsize,
}

impl Clock for PausedAfter {
    fn now(&self) -> Timestamp {
        let left = self.readings.load(Ordering::SeqCst);
        self.readings
            .store(left.saturating_sub(1), Ordering::SeqCst);
        if left > 0 {
            START
        } else {
            START + Duration::from_secs(3600)
        }
    }
}

/// A clock at [`START`] that does something at each reading, before it answers: the hook is told
/// how often the clock was read before. It puts a peer's act between two lines of the gateway.
pub struct HookClock<F> {
    pub readings: AtomicUsize,
    pub hook: F,
}

impl<F: Fn(usize) + Send + Sync> HookClock<F> {
    pub fn new(hook: F) -> Arc<Self> {
        Arc::new(Self {
            readings: AtomicUsize::new(0),
            hook,
        })
    }
}

impl<F: Fn(usize) + Send + Sync> Clock for HookClock<F> {
    fn now(&self) -> Timestamp {
        (self.hook)(self.readings.fetch_add(1, Ordering::SeqCst));
        START
    }
}

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub fn settings(url: &str) -> GatewaySettings {
    GatewaySettings {
        endpoint: url.parse().unwrap(),
        connect_timeout: Duration::from_secs(5),
        ca_file: None,
    }
}

pub fn gateway(address: SocketAddr, clock: &Arc<impl Clock + 'static>) -> Gateway {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    Gateway::new(settings(&format!("http://{address}")), clock).unwrap()
}

/// A delivery to a proxy of ours, to be answered within `time`.
pub fn delivery(time: Duration) -> SendRequest {
    SendRequest {
        route: Route {
            proxy: "ee-1-proxy".to_owned(),
            site: None,
        },
        delivery: ours(),
        capabilities: Capabilities {
            dedup: true,
            shared_sites: true,
            update: false,
            success_is_accepted: true,
            own_protocol: false,
            second_language: false,
        },
        stored_payload: format!(r#"{{"message_type":"alert","identifier":"{OURS}"}}"#).into(),
        lane: "01a/ee".to_owned(),
        seq: 1,
        deadline_at: START + time,
    }
}

pub fn ours() -> DeliveryId {
    OURS.parse().unwrap()
}

pub fn body_saying(outcome: &str) -> String {
    format!(r#"{{"identifier":"{OURS}","outcome":"{outcome}"}}"#)
}

/// An answer that says how long it is and keeps the connection open.
pub fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A request as it stood on the wire.
pub struct Wire {
    pub head: String,
    pub body: String,
}

/// Reads one whole request.
pub async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> Wire {
    soon(read_request_unbounded(stream)).await
}

async fn read_request_unbounded(stream: &mut (impl AsyncRead + Unpin)) -> Wire {
    let mut bytes = Vec::new();
    let head_length = loop {
        let byte = stream.read_u8().await.unwrap();
        bytes.push(byte);
        if bytes.ends_with(b"\r\n\r\n") {
            break bytes.len();
        }
    };
    let head = String::from_utf8(bytes[..head_length].to_vec()).unwrap();
    let length: usize = head
        .to_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    Wire {
        head,
        body: String::from_utf8(body).unwrap(),
    }
}

/// Takes one connection and one request from it.
pub async fn take_request(listener: &TcpListener) -> (TcpStream, Wire) {
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    let request = read_request(&mut stream).await;
    (stream, request)
}

/// Takes one connection and one request, and writes `answer`.
pub async fn serve_once(listener: &TcpListener, answer: &str) -> (TcpStream, Wire) {
    let (mut stream, request) = take_request(listener).await;
    stream.write_all(answer.as_bytes()).await.unwrap();
    (stream, request)
}

/// How a connection ended for the server.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Closed,
    Reset,
}

/// Reads until the connection ends: how many bytes came, and how it ended.
pub async fn read_to_end(stream: &mut (impl AsyncRead + Unpin)) -> (usize, End) {
    let mut bytes_read = 0;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match soon(stream.read(&mut buffer)).await {
            Ok(0) => return (bytes_read, End::Closed),
            Ok(bytes) => bytes_read += bytes,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                return (bytes_read, End::Reset);
            }
        }
    }
}

/// Nobody else has connected. A connection on loopback is there at once.
pub async fn assert_nobody_waits(listener: &TcpListener) {
    let waiting = tokio::time::timeout(Duration::from_millis(20), listener.accept()).await;
    assert!(waiting.is_err(), "another connection was made");
}
