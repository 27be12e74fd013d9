//! What both promise on the wire.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_credential_types::provider::error::CredentialsError;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::Site;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::courier::{Courier, url};
use crate::support::*;

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn both_understand_the_same_answers_in_the_same_way() {
    let (listener, address) = listen().await;
    for (name, written, outcome, status) in crate::answers::rows() {
        let mut shas = Vec::new();
        // A clock and connections of their own for every row.
        for (client, courier) in Courier::both(&url(address), &ManualClock::new()).await {
            let serve = async {
                let (mut stream, _) = take_request(&listener).await;
                drop(stream.write_all(written.as_bytes()).await);
                drop(stream.shutdown().await);
                stream
            };
            let (answered, _stream) = tokio::join!(courier.send(delivery(LONG)), serve);
            let told = format!("{client}: {name}: {}", answered.detail);
            assert_eq!(answered.outcome, outcome, "{told}");
            assert_eq!(answered.http_status, status, "{told}");
            shas.push((answered.detail, answered.answer_sha256));
        }
        assert_eq!(shas[0], shas[1], "{name}");
    }
}

#[tokio::test]
async fn both_send_the_same_bytes_to_the_same_function() {
    let (listener, address) = listen().await;
    let mut bodies = Vec::new();
    let ok = answer("200 OK", &body_saying("duplicate"));
    for (client, courier) in Courier::both(&url(address), &ManualClock::new()).await {
        let mut request = delivery(LONG);
        request.route.site = Some(Site::CbcB);
        request.capabilities.own_protocol = true;
        let (answered, (_stream, wire)) =
            tokio::join!(courier.send(request), serve_once(&listener, &ok));
        assert_eq!(answered.outcome, Outcome::Duplicate, "{client}");
        let head = wire.head.to_lowercase();
        let first = "post /2015-03-31/functions/ee-1-proxy/invocations http/1.1\r\n";
        assert!(head.starts_with(first), "{client}: {head}");
        assert!(
            head.contains("x-amz-invocation-type: requestresponse\r\n"),
            "{client}: {head}"
        );
        assert_eq!(head.matches("content-length:").count(), 1, "{client}");
        assert_eq!(head.matches("host:").count(), 1, "{client}: {head}");
        let is_signed = head.contains("authorization: aws4-hmac-sha256 credential=dummy/");
        assert_eq!(is_signed, client == "aws", "{client}: {head}");
        bodies.push(wire.body);
    }
    assert_eq!(bodies[0], bodies[1]);
    assert!(bodies[0].contains(r#""cbc_target":"cbc_b","not_after":"#));
}

#[tokio::test]
async fn both_reset_at_the_deadline_and_never_send_again() {
    for client in ["http", "aws"] {
        let (listener, address) = listen().await;
        let courier = only(client, &url(address), &ManualClock::new()).await;
        let serve = async {
            let (mut stream, _) = take_request(&listener).await;
            let end = read_to_end(&mut stream).await;
            assert_nobody_waits(&listener).await;
            end
        };
        let (answered, end) = tokio::join!(courier.send(delivery(SHORT)), serve);
        assert_eq!(answered.outcome, Outcome::Unknown, "{client}");
        assert_eq!(answered.detail, "sent, but no answer by the deadline");
        assert_eq!(end, (0, End::Reset), "{client}");
    }
}

#[tokio::test]
async fn both_reset_when_they_are_dropped() {
    for client in ["http", "aws"] {
        let (listener, address) = listen().await;
        let courier = only(client, &url(address), &ManualClock::new()).await;
        let mut stream = tokio::select! {
            answered = courier.send(delivery(LONG)) => panic!("{}", answered.detail),
            (stream, _) = take_request(&listener) => stream,
        };
        assert_eq!(read_to_end(&mut stream).await, (0, End::Reset), "{client}");
    }
}

#[tokio::test]
async fn a_reset_or_a_failure_of_the_service_is_unknown_for_both_and_comes_once() {
    let rows = [
        (None, None),
        (Some(answer("500 x", "{}")), Some(500)),
        (Some(answer("503 x", "{}")), Some(503)),
    ];
    for client in ["http", "aws"] {
        for (written, status) in rows.clone() {
            let (listener, address) = listen().await;
            let courier = only(client, &url(address), &ManualClock::new()).await;
            let serve = async {
                let (mut stream, _) = take_request(&listener).await;
                if let Some(written) = &written {
                    stream.write_all(written.as_bytes()).await.unwrap();
                }
                stream.set_zero_linger().unwrap();
                drop(stream);
                assert_nobody_waits(&listener).await;
            };
            let (answered, ()) = tokio::join!(courier.send(delivery(LONG)), serve);
            let told = format!("{client} {status:?}: {}", answered.detail);
            assert_eq!(answered.outcome, Outcome::Unknown, "{told}");
        }
    }
}

#[tokio::test]
async fn both_say_refused_where_no_connection_was_made() {
    for client in ["http", "aws"] {
        let (listener, address) = listen().await;
        drop(listener);
        let courier = only(client, &url(address), &ManualClock::new()).await;
        let answered = courier.send(delivery(LONG)).await;
        assert_eq!(answered.outcome, Outcome::Refused, "{client}");
        assert_eq!(answered.detail, "not sent: no connection: refused");
        let courier = only(client, "http://nowhere.invalid:1", &ManualClock::new()).await;
        let answered = courier.send(delivery(LONG)).await;
        assert_eq!(answered.outcome, Outcome::Refused, "{client}");
        assert_eq!(answered.detail, "not sent: nowhere.invalid has no address");
    }
}

/// F8, for both: the process is stopped at any point between the first look at the clock and the
/// first byte, and wakes after the deadline.
#[tokio::test]
async fn both_write_nothing_when_they_wake_past_the_deadline() {
    for client in ["http", "aws"] {
        let mut readings = 1;
        while !Box::pin(sends_after_readings(client, readings)).await {
            readings += 1;
            assert!(readings < 60, "{client} looks at the clock without end");
        }
        assert!(readings > 1, "{client}: the gate was never asked");
    }
}

/// Whether a byte leaves when the clock jumps after it was read so often in a send.
async fn sends_after_readings(client: &str, readings: usize) -> bool {
    let (listener, address) = listen().await;
    let clock = Arc::new(PausedAfter {
        readings: AtomicUsize::new(usize::MAX),
    });
    let courier = only(client, &url(address), &clock).await;
    clock.readings.store(readings, Ordering::SeqCst);
    let mut serve = pin!(async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let bytes = stream.read(&mut [0; 64]).await.unwrap_or(0);
        if bytes > 0 {
            let ok = answer("200 OK", "");
            stream.write_all(ok.as_bytes()).await.unwrap();
        }
        (stream, bytes)
    });
    let mut sent = pin!(soon(courier.send(delivery(LONG))));
    let answered = tokio::select! {
        biased;
        answered = sent.as_mut() => answered,
        (_stream, bytes) = serve.as_mut() => {
            let answered = sent.await;
            let is_sent = answered.outcome == Outcome::Accepted;
            assert_eq!(bytes > 0, is_sent, "{client} {readings}: {}", answered.detail);
            return is_sent;
        }
    };
    assert_eq!(answered.outcome, Outcome::Refused, "{client} {readings}");
    // Whoever comes late finds nothing.
    if let Ok((_, bytes)) = tokio::time::timeout(Duration::from_millis(20), serve).await {
        assert_eq!(bytes, 0, "{client} {readings}: {}", answered.detail);
    }
    false
}

#[tokio::test]
async fn without_credentials_nothing_leaves_and_a_person_is_told() {
    type Make = fn() -> CredentialsError;
    let errors: [(Make, &str); 3] = [
        (
            || CredentialsError::not_loaded("nobody set any"),
            "not sent: there are no AWS credentials",
        ),
        (
            || CredentialsError::invalid_configuration("a loop"),
            "not sent: the configuration of the AWS credentials can't be used",
        ),
        (
            || CredentialsError::provider_error("503"),
            "not sent: the AWS credentials could not be fetched",
        ),
    ];
    for (error, detail) in errors {
        let (listener, address) = listen().await;
        let nobody = provide_credentials_fn(move || async move { Err(error()) });
        let courier = Courier::aws_as(
            &url(address),
            &ManualClock::new(),
            SharedCredentialsProvider::new(nobody),
        )
        .await;
        let answered = soon(courier.send(delivery(LONG))).await;
        assert_eq!(answered.outcome, Outcome::Refused);
        assert_eq!(answered.detail, detail);
        assert_eq!(answered.http_status, None);
        assert_nobody_waits(&listener).await;
    }
}

#[tokio::test]
async fn credentials_that_never_come_cost_no_more_than_the_attempt() {
    let (listener, address) = listen().await;
    let nobody = provide_credentials_fn(std::future::pending::<Result<Credentials, _>>);
    let courier = Courier::aws_as(
        &url(address),
        &ManualClock::new(),
        SharedCredentialsProvider::new(nobody),
    )
    .await;
    let answered = soon(courier.send(delivery(SHORT))).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(answered.detail, "not sent: the deadline had passed");
    assert_nobody_waits(&listener).await;
}

#[tokio::test]
async fn a_warm_connection_is_used_again() {
    let (listener, address) = listen().await;
    let courier = only("aws", &url(address), &ManualClock::new()).await;
    let ok = answer("200 OK", &body_saying("accepted"));
    let (first, (mut stream, _)) =
        tokio::join!(courier.send(delivery(LONG)), serve_once(&listener, &ok));
    let again = async {
        read_request(&mut stream).await;
        stream.write_all(ok.as_bytes()).await.unwrap();
    };
    let (second, ()) = tokio::join!(courier.send(delivery(LONG)), again);
    assert_eq!(first.outcome, Outcome::Accepted);
    assert_eq!(second.outcome, Outcome::Accepted);
    assert_nobody_waits(&listener).await;
}

async fn only(
    client: &str,
    url: &str,
    clock: &Arc<impl balefire_domain::time::Clock + 'static>,
) -> Courier {
    match client {
        "http" => Courier::http(url, clock),
        _ => Courier::aws(url, clock).await,
    }
}
