//! What only a real socket shows: sizes, chunks, early answers, an orderly end.

use std::net::SocketAddr;
use std::time::Duration;

/// More than a test opens.
const CONNECTIONS: usize = 64;

use balefire_domain::time::Clock as _;
use balefire_web::serve;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::documents::alert;
use crate::support::*;

/// Longer than anything here takes; a test that needs it has failed.
const PATIENCE: Duration = Duration::from_secs(20);

struct Served {
    web: TestWeb,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinSet<std::io::Result<()>>,
}

impl Served {
    async fn start() -> Self {
        let web = TestWeb::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, web.router.clone(), CONNECTIONS, async {
            let _ = stopped.await;
        }));
        Self {
            web,
            address,
            stop: Some(stop),
            serving,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn head(&self, extra: &str) -> String {
        let token = self.web.live.normal.token(self.web.clock.now());
        format!(
            "POST /v2/broadcast HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/cap+xml\r\n{extra}\r\n"
        )
    }

    /// Sends bytes and reads until the other end closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        read_all(&mut stream).await
    }
}

async fn read_all(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .expect("an answer and an end")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

fn assert_too_large(answer: &str) {
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(json["status_code"], 413);
    assert_eq!(json["errors"][0]["error"], "BadRequestError");
    assert!(
        json["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("262144")
    );
}

#[tokio::test]
async fn a_body_that_is_announced_too_large_is_refused_before_it_is_sent() {
    let served = Served::start().await;
    // Nothing of the body is ever sent, and no interim answer asks for it.
    for extra in [
        "Content-Length: 262145\r\n",
        "Content-Length: 4000000000\r\n",
        "Content-Length: 262145\r\nExpect: 100-continue\r\n",
    ] {
        let answer = served.exchange(served.head(extra).as_bytes()).await;
        assert_too_large(&answer);
    }
    let without_token = "POST /v2/broadcast HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n\r\n";
    assert_too_large(&served.exchange(without_token.as_bytes()).await);
    assert_eq!(served.web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn who_is_refused_before_the_body_was_read_is_told_that_the_connection_ends() {
    let served = Served::start().await;
    for path in ["/v2/broadcast", "/events", "/admin-action"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n");
        let answer = served.exchange(head.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 401 "), "{path}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{path}: {answer}");
    }
    // One that was read keeps it.
    let document = alert("kept");
    let head = served.head(&format!("Content-Length: {}\r\n", document.len()));
    let last = served.head("Content-Length: 0\r\nConnection: close\r\n");
    let answers = served
        .exchange(format!("{head}{document}{last}").as_bytes())
        .await;
    let (first, second) = answers.split_once("}\nHTTP/1.1 ").unwrap_or((&answers, ""));
    assert!(first.starts_with("HTTP/1.1 201 "), "{answers}");
    assert!(!first.contains("connection: close"), "{answers}");
    assert!(second.starts_with("400 "), "{answers}");
}

#[tokio::test]
async fn a_client_that_sends_a_refused_body_to_its_end_still_reads_why() {
    let served = Served::start().await;
    let mut stream = served.connect().await;
    let length = 5 << 20;
    let head = served.head(&format!("Content-Length: {length}\r\n"));
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; length]).await.unwrap();
    assert_too_large(&read_all(&mut stream).await);

    // The same for a body that is refused for its token.
    let mut stream = served.connect().await;
    let head = "POST /v2/broadcast HTTP/1.1\r\nHost: a\r\nContent-Length: 250000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![b'x'; 250_000]).await.unwrap();
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 401");
}

#[tokio::test]
async fn a_body_in_chunks_is_cut_at_the_limit() {
    let served = Served::start().await;
    let stored = served.web.stored().await;
    let mut stream = served.connect().await;
    let head = served.head("Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 65_536, "x".repeat(65_536));
    for _ in 0..5 {
        stream.write_all(chunk.as_bytes()).await.unwrap();
    }
    // The body never ends; the answer comes all the same.
    assert_too_large(&read_all(&mut stream).await);
    assert_eq!(served.web.stored().await, stored);
    assert_eq!(served.web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let served = Served::start().await;
    let document = alert("full");
    let padding = BODY_BYTES_MAX - document.len();
    let document = document.replace("</alert>", &format!("{}</alert>", " ".repeat(padding)));
    assert_eq!(document.len(), BODY_BYTES_MAX);
    let close = "Connection: close\r\n";
    let head = served.head(&format!("Content-Length: {BODY_BYTES_MAX}\r\n{close}"));
    let answer = served
        .exchange(format!("{head}{document}").as_bytes())
        .await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    let size = format!("{:x}", document.len());
    let chunked = document.replace("full", "chnk");
    let head = served.head(&format!("Transfer-Encoding: chunked\r\n{close}"));
    let answer = served
        .exchange(format!("{head}{size}\r\n{chunked}\r\n0\r\n\r\n").as_bytes())
        .await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_400_or_nothing_and_stores_nothing() {
    let served = Served::start().await;
    let stored = served.web.stored().await;
    let mut stream = served.connect().await;
    let head = served.head("Transfer-Encoding: chunked\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"this is no chunk\r\n").await.unwrap();
    let answer = read_all(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let mut stream = served.connect().await;
    let head = served.head("Content-Length: 1000\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"<alert").await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = read_all(&mut stream).await;
    assert_eq!(served.web.stored().await, stored);
    assert_eq!(served.web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_http_is_refused_and_the_next_is_served() {
    let served = Served::start().await;
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut stream = served.connect().await;
        stream.write_all(bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = read_all(&mut stream).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
            "{answer}"
        );
    }
    let long = format!(
        "GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    let answer = served.exchange(long.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    let good = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = served.exchange(good.as_bytes()).await;
    assert!(answer.ends_with("{\"status\":\"ok\"}\n"), "{answer}");
    assert_eq!(served.web.log.errors(), [""; 0]);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let served = Served::start().await;
    let mut stream = served.connect().await;
    for _ in 0..3 {
        stream
            .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            .await
            .unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"{\"status\":\"ok\"}\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).await.unwrap();
            answer.push(byte[0]);
        }
    }
}

#[tokio::test]
async fn at_the_end_requests_finish_and_idle_connections_close() {
    let mut served = Served::start().await;
    let mut idle = served.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    let document = alert("last");
    let mut busy = served.connect().await;
    let head = served.head(&format!("Content-Length: {}\r\n", document.len()));
    busy.write_all(head.as_bytes()).await.unwrap();
    // Half of it is on its way when the end comes.
    busy.write_all(&document.as_bytes()[..100]).await.unwrap();
    let mut answered = served.connect().await;
    answered
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    answered.read_exact(&mut first).await.unwrap();
    served.stop.take().unwrap().send(()).unwrap();
    read_all(&mut idle).await;
    busy.write_all(&document.as_bytes()[100..]).await.unwrap();
    let answer = read_all(&mut busy).await;
    assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    drop((idle, busy, answered));
    let ended = tokio::time::timeout(PATIENCE, served.serving.join_next()).await;
    ended.expect("an end").unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}
