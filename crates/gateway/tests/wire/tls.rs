//! Proxies behind TLS (F13), with certificates that are made here.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use crate::support::*;
use balefire_domain::outcome::Outcome;
use balefire_gateway::{Gateway, GatewayError};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// An authority of our own, and the file that names it.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pub file: NamedTempFile,
}

impl Authority {
    pub fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(certificate.pem().as_bytes()).unwrap();
        Self {
            issuer: Issuer::new(params, key),
            file,
        }
    }

    /// A server that shows a certificate for `name`, valid from and until the first of a year.
    pub fn acceptor(&self, name: &str, years: (i32, i32)) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let leaf = params.signed_by(&key, &self.issuer).unwrap();
        let chain: Vec<CertificateDer<'static>> = vec![leaf.der().clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// A gateway that trusts `authority` beside the public ones.
fn secure(url: &str, authority: Option<&Authority>, clock: &Arc<ManualClock>) -> Gateway {
    let mut settings = settings(url);
    settings.ca_file = authority.map(|authority| authority.file.path().to_owned());
    Gateway::new(settings, Arc::clone(clock) as _).unwrap()
}

pub const VALID: (i32, i32) = (2020, 4000);

#[tokio::test]
async fn a_delivery_goes_over_tls_and_its_connection_is_used_again() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", VALID);
    let (listener, address) = listen().await;
    let gateway = secure(
        &format!("https://{address}"),
        Some(&authority),
        &ManualClock::new(),
    );
    let ok = answer("200 OK", &body_saying("accepted"));
    let serve = async {
        let (stream, _) = listener.accept().await.unwrap();
        let mut session = acceptor.accept(stream).await.unwrap();
        for _ in 0..3 {
            let wire = read_request(&mut session).await;
            assert!(wire.body.contains(OURS));
            session.write_all(ok.as_bytes()).await.unwrap();
            session.flush().await.unwrap();
        }
        assert_nobody_waits(&listener).await;
    };
    let send = async {
        for _ in 0..3 {
            let answered = gateway.send(delivery(LONG)).await;
            assert_eq!(answered.outcome, Outcome::Accepted, "{}", answered.detail);
        }
    };
    tokio::join!(serve, send);
}

#[tokio::test]
async fn without_a_session_that_can_be_trusted_nothing_is_sent() {
    let ours = Authority::new();
    let name = "127.0.0.1";
    // The certificate's name and years, whether its authority is trusted, what is said
    let rows = [
        (name, (2001, 2002), true, "its certificate has expired"),
        (name, (3999, 4000), true, "its certificate is not valid yet"),
        (
            "proxies.test",
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
        let (listener, address) = listen().await;
        let trusted = is_trusted.then_some(&ours);
        let gateway = secure(&format!("https://{address}"), trusted, &ManualClock::new());
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            let session = acceptor.accept(stream).await;
            if let Ok(mut session) = session {
                assert_eq!(count_bytes(&mut session).await, 0);
            }
        };
        let (answered, ()) = tokio::join!(gateway.send(delivery(LONG)), serve);
        assert_eq!(answered.outcome, Outcome::Refused);
        let want = format!("not sent: no secure connection: {why}");
        assert!(answered.detail.starts_with(&want), "{}", answered.detail);
    }
}

/// Reads what a session still brings; how it ends doesn't matter.
async fn count_bytes(session: &mut (impl tokio::io::AsyncRead + Unpin)) -> usize {
    let mut bytes = Vec::new();
    drop(tokio::io::AsyncReadExt::read_to_end(session, &mut bytes).await);
    bytes.len()
}

#[tokio::test]
async fn a_port_that_does_not_speak_tls_is_refused() {
    let (listener, address) = listen().await;
    let gateway = secure(&format!("https://{address}"), None, &ManualClock::new());
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let plain = answer("400 Bad Request", "");
        stream.write_all(plain.as_bytes()).await.unwrap();
        stream
    };
    let (answered, _stream) = tokio::join!(gateway.send(delivery(LONG)), serve);
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(
        answered.detail,
        "not sent: no secure connection: the other side does not speak TLS"
    );
}

#[tokio::test]
async fn a_port_that_says_nothing_to_the_handshake_is_refused_after_the_time_to_connect() {
    let (_listener, address) = listen().await;
    let mut settings = settings(&format!("https://{address}"));
    settings.connect_timeout = Duration::from_millis(50);
    let gateway = Gateway::new(settings, ManualClock::new()).unwrap();
    let answered = gateway.send(delivery(LONG)).await;
    assert_eq!(answered.outcome, Outcome::Refused, "{}", answered.detail);
}

#[tokio::test]
async fn silence_over_tls_ends_at_the_deadline_with_a_reset() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", VALID);
    let (listener, address) = listen().await;
    let gateway = secure(
        &format!("https://{address}"),
        Some(&authority),
        &ManualClock::new(),
    );
    let serve = async {
        let mut session = take_session(&listener, &acceptor).await;
        read_request(&mut session).await;
        read_to_end(session.get_mut().0).await
    };
    let request = delivery(Duration::from_millis(400));
    let (answered, end) = tokio::join!(gateway.send(request), serve);
    assert_eq!(answered.outcome, Outcome::Unknown);
    assert_eq!(answered.detail, "sent, but no answer by the deadline");
    assert_eq!(end, (0, End::Reset));
}

async fn take_session(
    listener: &TcpListener,
    acceptor: &TlsAcceptor,
) -> tokio_rustls::server::TlsStream<tokio::net::TcpStream> {
    let (stream, _) = listener.accept().await.unwrap();
    acceptor.accept(stream).await.unwrap()
}

/// F8 below TLS: not one record of the request leaves.
#[tokio::test]
async fn a_process_that_wakes_past_the_deadline_writes_nothing_into_its_session() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", VALID);
    let (listener, address) = listen().await;
    let ok = answer("200 OK", "");
    for readings in 1..20 {
        let mut settings = settings(&format!("https://{address}"));
        settings.ca_file = Some(authority.file.path().to_owned());
        let clock = Arc::new(PausedAfter {
            readings: readings.into(),
        });
        let gateway = Gateway::new(settings, clock).unwrap();
        let serve = async {
            let (stream, _) = listener.accept().await.unwrap();
            // The reset may come while the server still shakes hands.
            let Ok(mut session) = acceptor.accept(stream).await else {
                return false;
            };
            let mut first = [0; 1];
            let read = tokio::io::AsyncReadExt::read(&mut session, &mut first).await;
            let was_sent = matches!(read, Ok(1));
            if was_sent {
                session.write_all(ok.as_bytes()).await.unwrap();
                session.flush().await.unwrap();
            }
            was_sent
        };
        let (answered, was_sent) = tokio::join!(gateway.send(delivery(LONG)), serve);
        if was_sent {
            assert_eq!(answered.outcome, Outcome::Accepted, "{}", answered.detail);
            assert!(readings > 1, "the gate was never asked");
            return;
        }
        assert_eq!(
            answered.outcome,
            Outcome::Refused,
            "after {readings} readings"
        );
        assert_eq!(answered.detail, "not sent: the deadline had passed");
    }
    panic!("the gateway looks at the clock without end");
}

#[test]
fn a_file_that_names_no_authority_is_told_at_the_start() {
    let mut settings = settings("https://127.0.0.1:1");
    settings.ca_file = Some("/nowhere/authorities.pem".into());
    let missing = Gateway::new(settings.clone(), ManualClock::new())
        .err()
        .unwrap();
    assert!(matches!(missing, GatewayError::CaFile { .. }));
    assert!(missing.to_string().contains("/nowhere/authorities.pem"));
    let pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let too_long = pem.repeat(40_000);
    for content in ["", "not PEM", pem, &too_long] {
        let mut file = NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        settings.ca_file = Some(file.path().to_owned());
        let error = Gateway::new(settings.clone(), ManualClock::new())
            .err()
            .unwrap();
        assert!(matches!(error, GatewayError::CaContent { .. }), "{error}");
    }
}
