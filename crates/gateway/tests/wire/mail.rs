//! E-mail behind TLS: no password and no message is said where somebody could read it, whatever
//! the mail server, or who stands in its place, offers.

use std::net::SocketAddr;
use std::time::Duration;

use balefire_gateway::{Mail, MailError, SmtpClient, SmtpSecurity, SmtpServer};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use crate::support::*;
use crate::tls::{Authority, VALID};

/// What a server answers to each command, in this order; what comes then ends the talk.
type Script<'a> = &'a [(&'a str, &'a str)];

const USER: &str = "dXNlcg==";
const PASSWORD: &str = "cGFzcw==";

/// Everything after the proof of who we are.
const TAKEN: [(&str, &str); 5] = [
    ("MAIL FROM:<alerts@example.org>", "250 fine"),
    ("RCPT TO:<ann@example.org>", "250 fine"),
    ("DATA", "354 go on"),
    (".", "250 taken"),
    ("QUIT", "221 bye"),
];

fn server(address: SocketAddr, security: SmtpSecurity) -> SmtpServer {
    SmtpServer {
        host: address.ip().to_string(),
        port: address.port(),
        security,
        credentials: Some(("user".to_owned(), "pass".to_owned())),
    }
}

async fn send(server: &SmtpServer, authority: Option<&Authority>) -> Result<(), MailError> {
    let ca_file = authority.map(|authority| authority.file.path());
    let client = SmtpClient::new(Duration::from_secs(5), ca_file).unwrap();
    let mail = Mail {
        from: "Alerts <alerts@example.org>",
        to: "ann@example.org",
        subject: "A link",
        body: "https://admin.example/t/s3cret\n",
        at: START,
        id: OURS,
    };
    client.send(server, &mail, LONG).await
}

/// Plays a script, and hears what is said until it ends or the other side goes.
async fn play<S>(stream: &mut BufReader<S>, greeting: &str, script: Script<'_>) -> Vec<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut heard = Vec::new();
    let mut script = script.iter();
    if !greeting.is_empty() {
        let greeting = format!("{greeting}\r\n");
        stream.write_all(greeting.as_bytes()).await.unwrap();
    }
    let mut next = script.next();
    while let Some((command, answer)) = next {
        let mut line = String::new();
        // Who breaks off has heard enough.
        if !matches!(stream.read_line(&mut line).await, Ok(1..)) {
            break;
        }
        let line = line.trim_end().to_owned();
        if line == *command {
            let answer = format!("{answer}\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
            stream.flush().await.unwrap();
            next = script.next();
        }
        heard.push(line);
    }
    heard
}

/// Everything that still comes.
async fn rest(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    drop(tokio::io::AsyncReadExt::read_to_end(&mut stream, &mut bytes).await);
    bytes
}

fn has(heard: &[String], line: &str) -> bool {
    heard.iter().any(|said| said == line)
}

#[tokio::test]
async fn a_message_goes_by_tls_from_the_first_byte_to_a_server_that_wants_login() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", VALID);
    let (listener, address) = listen().await;
    let script = [
        ("EHLO example.org", "250-here\r\n250 AUTH LOGIN"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        (USER, "334 UGFzc3dvcmQ6"),
        (PASSWORD, "235 you are"),
    ];
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let session = acceptor.accept(stream).await.unwrap();
        let script: Vec<_> = script.into_iter().chain(TAKEN).collect();
        play(&mut BufReader::new(session), "220 hello", &script).await
    };
    let server = server(address, SmtpSecurity::Tls);
    let (sent, heard) = tokio::join!(send(&server, Some(&authority)), soon(serve));
    assert_eq!(sent, Ok(()));
    for line in [USER, PASSWORD, "https://admin.example/t/s3cret", "QUIT"] {
        assert!(has(&heard, line), "{line} is not in {heard:#?}");
    }
}

#[tokio::test]
async fn what_a_server_offers_before_tls_is_forgotten() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", VALID);
    let (listener, address) = listen().await;
    let open = [
        (
            "EHLO example.org",
            "250-here\r\n250-AUTH PLAIN\r\n250 STARTTLS",
        ),
        ("STARTTLS", "220 go on"),
    ];
    let secret = [
        ("EHLO example.org", "250-here\r\n250 AUTH LOGIN"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        (USER, "334 UGFzc3dvcmQ6"),
        (PASSWORD, "235 you are"),
    ];
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let in_the_open = play(&mut stream, "220 hello", &open).await;
        let session = acceptor.accept(stream.into_inner()).await.unwrap();
        let script: Vec<_> = secret.into_iter().chain(TAKEN).collect();
        let under_tls = play(&mut BufReader::new(session), "", &script).await;
        (in_the_open, under_tls)
    };
    let server = server(address, SmtpSecurity::StartTls);
    let (sent, (in_the_open, under_tls)) =
        tokio::join!(send(&server, Some(&authority)), soon(serve));
    assert_eq!(sent, Ok(()), "{under_tls:#?}");
    assert_eq!(in_the_open, ["EHLO example.org", "STARTTLS"]);
    assert!(has(&under_tls, PASSWORD), "{under_tls:#?}");
}

#[tokio::test]
async fn without_tls_nothing_secret_is_said() {
    let both = "250-here\r\n250-AUTH PLAIN LOGIN\r\n250 STARTTLS";
    // What is answered to EHLO and to STARTTLS, what is said of it
    let rows = [
        (
            "250-here\r\n250 AUTH PLAIN LOGIN",
            "",
            "it does not offer STARTTLS",
        ),
        (both, "454 not now", "answered 454 to STARTTLS"),
        (
            both,
            "220 go on\r\n250-here\r\n250 AUTH PLAIN",
            "it spoke before TLS began",
        ),
        (both, "220 go on", "TLS: "),
    ];
    for (can, start, why) in rows {
        let (listener, address) = listen().await;
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let script = [("EHLO example.org", can), ("STARTTLS", start)];
            let heard = play(&mut stream, "220 hello", &script).await;
            // A server that goes on in the clear, as if TLS were there.
            let _ = stream.write_all(b"250-here\r\n250 AUTH PLAIN\r\n").await;
            (heard, rest(stream).await)
        };
        let server = server(address, SmtpSecurity::StartTls);
        let (sent, (heard, rest)) = tokio::join!(send(&server, None), soon(serve));
        let Err(MailError::NotSent(words)) = sent else {
            panic!("{why}: {sent:?}");
        };
        assert!(words.contains(why), "{words}");
        let expected: &[&str] = if start.is_empty() {
            &["EHLO example.org"]
        } else {
            &["EHLO example.org", "STARTTLS"]
        };
        assert_eq!(heard, expected, "{why}");
        let rest = String::from_utf8_lossy(&rest);
        for secret in ["AUTH", "MAIL", "AHVzZXIAcGFzcw==", PASSWORD] {
            assert!(!rest.contains(secret), "{why}: {rest}");
        }
    }
}

#[tokio::test]
async fn a_mail_server_that_can_not_be_trusted_is_told_nothing() {
    let ours = Authority::new();
    let name = "127.0.0.1";
    // The certificate's name and years, whether its authority is trusted, what is said
    let rows = [
        (name, (2001, 2002), true, "its certificate has expired"),
        (
            "mail.test",
            VALID,
            true,
            "its certificate is for another name",
        ),
        (
            name,
            VALID,
            false,
            "its certificate is signed by nobody we trust",
        ),
    ];
    for (name, years, is_trusted, why) in rows {
        let acceptor = ours.acceptor(name, years);
        for security in [SmtpSecurity::Tls, SmtpSecurity::StartTls] {
            let (listener, address) = listen().await;
            let serve = async {
                let (stream, _) = listener.accept().await.unwrap();
                let stream = open_to_tls(stream, security).await;
                match acceptor.accept(stream).await {
                    Ok(session) => rest(session).await,
                    Err(_) => Vec::new(),
                }
            };
            let server = server(address, security);
            let trusted = is_trusted.then_some(&ours);
            let (sent, said) = tokio::join!(send(&server, trusted), soon(serve));
            let Err(MailError::NotSent(words)) = sent else {
                panic!("{why}: {sent:?}");
            };
            assert!(words.contains(why), "{words}");
            assert_eq!(said, b"", "{why}");
        }
    }
}

/// The connection at the point where TLS begins.
async fn open_to_tls(stream: TcpStream, security: SmtpSecurity) -> TcpStream {
    if security == SmtpSecurity::Tls {
        return stream;
    }
    let script = [
        ("EHLO example.org", "250-here\r\n250 STARTTLS"),
        ("STARTTLS", "220 go on"),
    ];
    let mut stream = BufReader::new(stream);
    play(&mut stream, "220 hello", &script).await;
    stream.into_inner()
}

#[tokio::test]
async fn without_tls_no_other_machine_is_spoken_to() {
    // An address for documentation (RFC 5737): it is refused before anybody connects to it.
    let elsewhere = "192.0.2.1:25".parse().unwrap();
    let sent = send(&server(elsewhere, SmtpSecurity::Loopback), None).await;
    let Err(MailError::Refused(words)) = sent else {
        panic!("{sent:?}");
    };
    assert!(words.contains("not on this machine"), "{words}");
}
