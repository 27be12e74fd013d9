//! Sends one e-mail through a mail server (RFC 5321), over TLS.
//!
//! What is promised: nothing of a password or of a message leaves this machine without TLS; what
//! the server said before TLS is forgotten, and a server that says more than was asked there is
//! not spoken to; everything that it says is bounded, and so is the time; whether the message may
//! have been taken is told apart from what surely was not. What is deliberately not done: no
//! retries, no pool of connections, no addresses that need SMTPUTF8 where the server lacks it.
//!
//! What errors say holds the server's code and never its words: those repeat addresses.

mod talk;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use balefire_domain::limits::ADDRESSES_PER_NAME_MAX;
use balefire_domain::time::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::classify::{Failure, classify_failure};
use crate::connector::{connect_first, tls_words};
use crate::tls::{GatewayError, client_config};
use talk::{Fault, Talk};

/// How the way to the mail server is kept secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// TLS from the first byte; port 465.
    Tls,
    /// TLS by the command STARTTLS, or nothing; port 587.
    StartTls,
    /// No TLS: to this machine itself only.
    Loopback,
}

/// A mail server, and as whom it is spoken to. It has no `Debug`: it holds a password.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way there is kept secret.
    pub security: SmtpSecurity,
    /// User and password, where it wants them.
    pub credentials: Option<(String, String)>,
}

/// One e-mail in plain text. It has no `Debug`: it holds codes and links.
pub struct Mail<'a> {
    /// `alerts@example.org`, or `Alerts <alerts@example.org>`.
    pub from: &'a str,
    /// One address.
    pub to: &'a str,
    /// One line.
    pub subject: &'a str,
    /// Lines that end with `\n`.
    pub body: &'a str,
    /// When it was written.
    pub at: Timestamp,
    /// The same however often it is sent, so that readers can show it once.
    pub id: &'a str,
}

/// Why an e-mail was not sent. The display is a sentence for a person without any address of a
/// person, and nothing that the server said but its code.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum MailError {
    /// It surely was not sent; it may be later.
    #[error("{0}")]
    NotSent(String),
    /// It may have been sent.
    #[error("{0}")]
    Doubtful(String),
    /// It was not sent and never will be.
    #[error("{0}")]
    Refused(String),
}

/// Sends e-mail.
#[derive(Clone)]
pub struct SmtpClient {
    tls: TlsConnector,
    connect_timeout: Duration,
}

impl SmtpClient {
    /// A client that trusts the public authorities and those in `ca_file`, and gives up connecting
    /// after `connect_timeout`.
    pub fn new(connect_timeout: Duration, ca_file: Option<&Path>) -> Result<Self, GatewayError> {
        let mut config = client_config(ca_file)?.as_ref().clone();
        config.alpn_protocols = Vec::new();
        Ok(Self {
            tls: TlsConnector::from(Arc::new(config)),
            connect_timeout,
        })
    }

    /// Sends one e-mail, once, within `time`.
    pub async fn send(
        &self,
        server: &SmtpServer,
        mail: &Mail<'_>,
        time: Duration,
    ) -> Result<(), MailError> {
        let message = Rendered::of(mail)?;
        let is_given = AtomicBool::new(false);
        let sent = timeout(time, self.carry(server, &message, &is_given)).await;
        let fault = match sent {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(fault)) => fault,
            Err(_) => Fault::Lost("it did not answer in time".to_owned()),
        };
        let server = format!("the mail server {}:{}", server.host, server.port);
        Err(match fault {
            Fault::Lost(why) if is_given.load(Ordering::Relaxed) => {
                MailError::Doubtful(format!("{server}: {why}"))
            }
            Fault::Lost(why) => MailError::NotSent(format!("{server}: {why}")),
            Fault::Code { step, code } => {
                let words = format!("{server} answered {code} to {step}{}", hint(step, code));
                if (500..600).contains(&code) {
                    MailError::Refused(words)
                } else {
                    MailError::NotSent(words)
                }
            }
            Fault::Never(why) => MailError::Refused(format!("{server}: {why}")),
        })
    }

    async fn carry(
        &self,
        server: &SmtpServer,
        message: &Rendered,
        is_given: &AtomicBool,
    ) -> Result<(), Fault> {
        let addresses = resolve(server).await?;
        let is_here = addresses.iter().all(|address| address.ip().is_loopback());
        if server.security == SmtpSecurity::Loopback && !is_here {
            return Err(Fault::Never(
                "it is not on this machine, and TLS is off".to_owned(),
            ));
        }
        let stream = connect_first(&addresses, self.connect_timeout).await;
        let stream = stream.map_err(|why| {
            let (_, words) = classify_failure(&Failure::NotWritten(why));
            Fault::Lost(words)
        })?;
        match server.security {
            SmtpSecurity::Loopback => {
                let mut talk = Talk::new(stream);
                talk.greet().await?;
                converse(talk, server, message, is_given).await
            }
            SmtpSecurity::Tls => {
                let mut talk = Talk::new(self.shake_hands(server, stream).await?);
                talk.greet().await?;
                converse(talk, server, message, is_given).await
            }
            SmtpSecurity::StartTls => {
                let mut talk = Talk::new(stream);
                talk.greet().await?;
                let can = talk.hello(&message.own_name).await?;
                if !can.iter().any(|word| word == "STARTTLS") {
                    return Err(Fault::Lost("it does not offer STARTTLS".to_owned()));
                }
                talk.say("STARTTLS", "STARTTLS", 220).await?;
                let stream = self.shake_hands(server, talk.into_silent()?).await?;
                converse(Talk::new(stream), server, message, is_given).await
            }
        }
    }

    async fn shake_hands(
        &self,
        server: &SmtpServer,
        stream: TcpStream,
    ) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Fault> {
        let name = ServerName::try_from(server.host.clone())
            .map_err(|_| Fault::Never("no certificate can name this host".to_owned()))?;
        let shaken = timeout(self.connect_timeout, self.tls.connect(name, stream)).await;
        shaken
            .map_err(|_| Fault::Lost("TLS: it did not answer in time".to_owned()))?
            .map_err(|error| Fault::Lost(format!("TLS: {}", tls_words(&error))))
    }
}

/// From EHLO to the end, on a connection that may carry secrets.
async fn converse<S>(
    mut talk: Talk<S>,
    server: &SmtpServer,
    message: &Rendered,
    is_given: &AtomicBool,
) -> Result<(), Fault>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let can = talk.hello(&message.own_name).await?;
    if let Some((user, password)) = &server.credentials {
        talk.sign_in(&can, user, password).await?;
    }
    let is_odd = !message.to.is_ascii() || !message.from.is_ascii();
    if is_odd && !can.iter().any(|word| word == "SMTPUTF8") {
        return Err(Fault::Never(
            "it takes no addresses beyond ASCII".to_owned(),
        ));
    }
    let utf8 = if is_odd { " SMTPUTF8" } else { "" };
    let from = format!("MAIL FROM:<{}>{utf8}", message.from);
    talk.say("MAIL", &from, 250).await?;
    let to = format!("RCPT TO:<{}>", message.to);
    talk.say("RCPT", &to, 250).await?;
    talk.say("DATA", "DATA", 354).await?;
    is_given.store(true, Ordering::Relaxed);
    talk.give(&message.bytes).await?;
    talk.leave().await;
    Ok(())
}

async fn resolve(server: &SmtpServer) -> Result<Vec<SocketAddr>, Fault> {
    let addresses: Vec<_> = tokio::net::lookup_host((server.host.as_str(), server.port))
        .await
        .map_err(|_| Fault::Lost("its name leads nowhere".to_owned()))?
        .take(ADDRESSES_PER_NAME_MAX)
        .collect();
    if addresses.is_empty() {
        return Err(Fault::Lost("its name leads nowhere".to_owned()));
    }
    Ok(addresses)
}

const fn hint(step: &str, code: u16) -> &'static str {
    match (step.as_bytes(), code) {
        (b"AUTH", 500..=599) => ": look at notifications.smtp.user and password",
        (b"MAIL", 500..=599) => ": look at notifications.from",
        _ => "",
    }
}

/// An e-mail as bytes, and its envelope.
struct Rendered {
    from: String,
    to: String,
    /// What we call ourselves: the domain that we write from.
    own_name: String,
    bytes: Vec<u8>,
}

impl Rendered {
    fn of(mail: &Mail<'_>) -> Result<Self, MailError> {
        let refused = |what: &str| MailError::Refused(format!("{what} is no e-mail address"));
        let from: Mailbox = mail
            .from
            .parse()
            .map_err(|_| refused("notifications.from"))?;
        let to: lettre::Address = mail
            .to
            .parse()
            .map_err(|_| refused("the person's address"))?;
        let micros = u64::try_from(mail.at.micros()).unwrap_or(0);
        let domain = from.email.domain().to_owned();
        let mut message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to.clone()))
            .subject(mail.subject)
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
            .message_id(Some(format!("<{}@{domain}>", mail.id)))
            .header(ContentType::TEXT_PLAIN)
            .body(mail.body.to_owned())
            .map_err(|_| MailError::Refused("the message can't be written".to_owned()))?;
        // Nobody's holiday notice answers it (RFC 3834).
        let name = HeaderName::new_from_ascii_str("Auto-Submitted");
        let value = HeaderValue::new(name, "auto-generated".to_owned());
        message.headers_mut().insert_raw(value);
        Ok(Self {
            from: from.email.to_string(),
            to: to.to_string(),
            own_name: domain,
            bytes: message.formatted(),
        })
    }
}
