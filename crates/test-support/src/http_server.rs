//! A small HTTP server on loopback that answers, or fails to, as a test says.
//!
//! It speaks real HTTP/1.1 over real sockets, one request per connection, and keeps what it was
//! sent.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Bytes of a request; a test's are far smaller.
const REQUEST_BYTES_MAX: usize = 1024 * 1024;

/// A request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// GET, POST and so on.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
    /// The body as it came.
    pub bytes: Vec<u8>,
}

impl Received {
    /// The value of a header, whose name is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let field = self.headers.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What a request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A status and a body.
    Answer(u16, String),
    /// Nothing, for ever.
    Hang,
    /// A status and the first bytes of a body that never ends.
    SlowBody(u16),
    /// Nothing: the connection is closed.
    Close,
}

/// Decides about a request.
pub type Decide = Box<dyn FnMut(&Received) -> Reply + Send>;

/// The server. It ends when this value is dropped.
pub struct HttpServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    _tasks: JoinSet<()>,
}

impl HttpServer {
    /// Starts a server on a free port of 127.0.0.1.
    ///
    /// # Panics
    ///
    /// When no port is free.
    pub async fn start(decide: Decide) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        let received = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(
            listener,
            Arc::new(Mutex::new(decide)),
            Arc::clone(&received),
        ));
        Self {
            address,
            received,
            _tasks: tasks,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it was sent, in the order in which it came.
    pub fn received(&self) -> Vec<Received> {
        let received = self.received.lock();
        received.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    listener: TcpListener,
    decide: Arc<Mutex<Decide>>,
    received: Arc<Mutex<Vec<Received>>>,
) {
    // They end with the server.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (decide, received) = (Arc::clone(&decide), Arc::clone(&received));
        connections.spawn(async move {
            // A client that breaks off is the client's business.
            let _ = answer(stream, &decide, &received).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    mut stream: TcpStream,
    decide: &Mutex<Decide>,
    received: &Mutex<Vec<Received>>,
) -> std::io::Result<()> {
    let Some(request) = read(&mut stream).await? else {
        return Ok(());
    };
    let reply = {
        let mut decide = decide.lock().unwrap_or_else(PoisonError::into_inner);
        let reply = decide(&request);
        let mut received = received.lock().unwrap_or_else(PoisonError::into_inner);
        received.push(request);
        reply
    };
    match reply {
        Reply::Answer(status, body) => {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(body.as_bytes()).await?;
            stream.shutdown().await
        }
        Reply::Hang => wait_for_end(&mut stream).await,
        Reply::SlowBody(status) => {
            let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: 1000\r\n\r\n{{");
            stream.write_all(head.as_bytes()).await?;
            wait_for_end(&mut stream).await
        }
        Reply::Close => Ok(()),
    }
}

/// Waits until the client gives up.
async fn wait_for_end(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut byte = [0];
    while stream.read(&mut byte).await? > 0 {}
    Ok(())
}

async fn read(stream: &mut TcpStream) -> std::io::Result<Option<Received>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = parse(&bytes) {
            return Ok(Some(request));
        }
        let read = stream.read_buf(&mut bytes).await?;
        if read == 0 || bytes.len() > REQUEST_BYTES_MAX {
            return Ok(None);
        }
    }
}

/// The request, once all of it is there.
fn parse(bytes: &[u8]) -> Option<Received> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let field = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_lowercase(), value.trim().to_owned()))
    };
    let headers: Vec<(String, String)> = lines.filter_map(field).collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.map_or(0, |(_, value)| value.parse().unwrap_or(0));
    let body = bytes.get(end + 4..end + 4 + length)?;
    Some(Received {
        method,
        path,
        headers,
        body: String::from_utf8_lossy(body).into_owned(),
        bytes: body.to_vec(),
    })
}
