//! The commands of SMTP and what is answered, one at a time, bounded.

use std::time::Duration;

use balefire_domain::limits::ANSWER_BYTES_MAX;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// Bytes of one line of an answer; the standard allows 512.
const LINE_BYTES_MAX: usize = 4 * 1024;
/// Lines of one answer; a real EHLO has under 20.
const LINES_MAX: usize = 100;
/// How long a server may take to say goodbye. What it took it has taken.
const GOODBYE: Duration = Duration::from_millis(500);

/// How a conversation went wrong.
pub(super) enum Fault {
    /// The connection, or sense, was lost: why.
    Lost(String),
    /// The server said no.
    Code {
        /// To which command.
        step: &'static str,
        /// Its code.
        code: u16,
    },
    /// This can't be said to this server: why.
    Never(String),
}

/// A conversation with a mail server.
pub(super) struct Talk<S> {
    stream: S,
    /// What came and was not yet read.
    pending: Vec<u8>,
    /// All that came.
    read_bytes: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Talk<S> {
    pub(super) const fn new(stream: S) -> Self {
        Self {
            stream,
            pending: Vec::new(),
            read_bytes: 0,
        }
    }

    /// Waits for the server's first words.
    pub(super) async fn greet(&mut self) -> Result<(), Fault> {
        self.expect("the connection", 220).await.map(drop)
    }

    /// Says who we are; the words for what the server can, in capitals.
    pub(super) async fn hello(&mut self, own_name: &str) -> Result<Vec<String>, Fault> {
        let lines = self.say("EHLO", &format!("EHLO {own_name}"), 250).await?;
        let words = lines.iter().skip(1);
        Ok(words.map(|line| line.trim().to_uppercase()).collect())
    }

    /// Proves who we are, in the way that the server offers.
    pub(super) async fn sign_in(
        &mut self,
        can: &[String],
        user: &str,
        password: &str,
    ) -> Result<(), Fault> {
        let ways = can.iter().find_map(|word| word.strip_prefix("AUTH "));
        let mut ways = ways.unwrap_or_default().split_whitespace();
        if ways.clone().any(|way| way == "PLAIN") {
            let proof = BASE64_STANDARD.encode(format!("\0{user}\0{password}"));
            self.say("AUTH", &format!("AUTH PLAIN {proof}"), 235)
                .await?;
            return Ok(());
        }
        if !ways.any(|way| way == "LOGIN") {
            return Err(Fault::Lost(
                "it offers neither AUTH PLAIN nor AUTH LOGIN".to_owned(),
            ));
        }
        self.say("AUTH", "AUTH LOGIN", 334).await?;
        self.say("AUTH", &BASE64_STANDARD.encode(user), 334).await?;
        self.say("AUTH", &BASE64_STANDARD.encode(password), 235)
            .await?;
        Ok(())
    }

    /// Gives the message. A line that begins with a dot gets one more (RFC 5321 §4.5.2).
    pub(super) async fn give(&mut self, message: &[u8]) -> Result<(), Fault> {
        let mut bytes = Vec::with_capacity(message.len() + 64);
        let mut begins_line = true;
        for byte in message {
            if begins_line && *byte == b'.' {
                bytes.push(b'.');
            }
            bytes.push(*byte);
            begins_line = *byte == b'\n';
        }
        if !begins_line {
            bytes.extend(b"\r\n");
        }
        bytes.extend(b".\r\n");
        self.write(&bytes).await?;
        self.expect("the message", 250).await.map(drop)
    }

    /// Says goodbye; whatever comes of it.
    pub(super) async fn leave(&mut self) {
        let goodbye = self.say("QUIT", "QUIT", 221);
        let _ = timeout(GOODBYE, goodbye).await;
    }

    /// The stream, for TLS. Who has said more than he was asked may not be who he seems: that
    /// would be read as said under TLS.
    pub(super) fn into_silent(self) -> Result<S, Fault> {
        if self.pending.is_empty() {
            Ok(self.stream)
        } else {
            Err(Fault::Lost(
                "it spoke before TLS began; somebody may be in between".to_owned(),
            ))
        }
    }

    /// Says a command, and waits for this answer; its lines without their codes.
    pub(super) async fn say(
        &mut self,
        step: &'static str,
        command: &str,
        code: u16,
    ) -> Result<Vec<String>, Fault> {
        debug_assert!(!command.contains(['\r', '\n']), "a command is one line");
        self.write(format!("{command}\r\n").as_bytes()).await?;
        self.expect(step, code).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let lost = |_| Fault::Lost("the connection was lost".to_owned());
        self.stream.write_all(bytes).await.map_err(lost)?;
        self.stream.flush().await.map_err(lost)
    }

    async fn expect(&mut self, step: &'static str, wanted: u16) -> Result<Vec<String>, Fault> {
        let senseless = || Fault::Lost(format!("it did not speak SMTP after {step}"));
        let mut lines = Vec::new();
        loop {
            let line = self.line().await?;
            let code = line.get(..3).and_then(|code| code.parse::<u16>().ok());
            let code = code.filter(|code| (200..600).contains(code));
            let code = code.ok_or_else(senseless)?;
            let rest = line.get(3..).unwrap_or_default();
            let is_last = !rest.starts_with('-');
            lines.push(rest.get(1..).unwrap_or_default().to_owned());
            if is_last && code == wanted {
                return Ok(lines);
            }
            if is_last {
                return Err(Fault::Code { step, code });
            }
            if lines.len() >= LINES_MAX {
                return Err(senseless());
            }
        }
    }

    async fn line(&mut self) -> Result<String, Fault> {
        let lost = |why: &str| Fault::Lost(why.to_owned());
        loop {
            if let Some(end) = self.pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.pending.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
            if self.pending.len() > LINE_BYTES_MAX || self.read_bytes > ANSWER_BYTES_MAX {
                return Err(lost("it says more than is listened to"));
            }
            let mut chunk = [0; 1024];
            let read = self.stream.read(&mut chunk).await;
            let read = read.map_err(|_| lost("the connection was lost"))?;
            if read == 0 {
                return Err(lost("it closed the connection"));
            }
            self.read_bytes += read;
            self.pending.extend(&chunk[..read]);
        }
    }
}
