//! A client as agencies have one: it keeps its connection, sends at once, and waits for the answer.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

/// Longer than any answer takes that is not lost.
const ANSWER_SECONDS_MAX: u64 = 30;
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One connection to one server.
pub(crate) struct Client {
    address: String,
    stream: BufReader<TcpStream>,
}

impl Client {
    /// Connects to `127.0.0.1:port`.
    pub(crate) fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| format!("no {address}"))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))?;
        Ok(Self {
            address: address.to_owned(),
            stream: BufReader::new(stream),
        })
    }

    /// Sends a request, whole, and reads the answer, whole: its status and body.
    pub(crate) fn call(
        &mut self,
        line: &str,
        token: &str,
        content_type: &str,
        body: &str,
    ) -> Result<(u16, String)> {
        let head = format!(
            "{line} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\ncontent-type: \
             {content_type}\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())?;
        self.read_answer().with_context(|| line.to_owned())
    }

    fn read_answer(&mut self) -> Result<(u16, String)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.with_context(|| format!("no answer: {line:?}"))?;
        let mut bytes = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                bytes = value.trim().parse()?;
            }
        }
        ensure!(bytes <= ANSWER_BYTES_MAX, "an answer of {bytes} bytes");
        let mut body = vec![0; bytes];
        self.stream.read_exact(&mut body)?;
        Ok((status, String::from_utf8_lossy(&body).into_owned()))
    }
}
