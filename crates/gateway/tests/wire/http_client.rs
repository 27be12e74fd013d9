//! The client for commands, tickets and pages.

use std::time::Duration;

use crate::support::*;
use balefire_gateway::{HttpCall, HttpClient, HttpError};
use bytes::Bytes;
use http::Method;
use tokio::io::AsyncWriteExt as _;

fn client() -> HttpClient {
    HttpClient::new(Duration::from_secs(5), None).unwrap()
}

fn call(method: Method, url: String) -> HttpCall {
    HttpCall {
        method,
        url,
        headers: Vec::new(),
        body: Bytes::new(),
        timeout: LONG,
    }
}

#[tokio::test]
async fn a_call_goes_out_as_it_is_written_and_every_status_is_an_answer() {
    let (listener, address) = listen().await;
    for (status, body) in [("200 OK", "{}"), ("404 Not Found", "no"), ("302 Found", "")] {
        let mut call = call(
            Method::POST,
            format!("http://{address}/v2/broadcast?a=b%20c#top"),
        );
        call.headers = vec![("Authorization".to_owned(), "Bearer x".to_owned())];
        call.body = Bytes::from_static(b"<alert/>");
        let answer = answer(status, body).replace("\r\n\r\n", "\r\nX-Kind: test\r\n\r\n");
        let client = client();
        let (answered, (_stream, wire)) =
            tokio::join!(client.call(call), serve_once(&listener, &answer));
        let answered = answered.unwrap();
        assert_eq!(answered.status.to_string(), status[..3]);
        assert_eq!(answered.body, body);
        assert_eq!(answered.headers["x-kind"], "test");
        let mut lines: Vec<_> = wire.head.trim_end().split("\r\n").collect();
        lines.sort_unstable();
        let host = format!("host: {address}");
        let first = "POST /v2/broadcast?a=b%20c HTTP/1.1";
        assert_eq!(
            lines,
            [first, "authorization: Bearer x", "content-length: 8", &host]
        );
        assert_eq!(wire.body, "<alert/>");
        assert_nobody_waits(&listener).await;
    }
}

#[tokio::test]
async fn what_was_surely_not_sent_is_told_apart_from_what_may_have_been() {
    let (listener, address) = listen().await;
    let url = format!("http://{address}/");
    let closed = async {
        drop(take_request(&listener).await);
    };
    let client = client();
    let (answered, ()) = tokio::join!(client.call(call(Method::GET, url.clone())), closed);
    assert!(
        matches!(answered, Err(HttpError::NoAnswer { .. })),
        "{answered:?}"
    );

    let mut quick = call(Method::GET, url.clone());
    quick.timeout = Duration::from_millis(100);
    let hang = async {
        let (mut stream, _) = take_request(&listener).await;
        read_to_end(&mut stream).await
    };
    let (answered, end) = tokio::join!(client.call(quick), hang);
    assert!(
        matches!(answered, Err(HttpError::NoAnswer { .. })),
        "{answered:?}"
    );
    assert_eq!(end, (0, End::Reset));

    drop(listener);
    let answered = client.call(call(Method::GET, url)).await;
    let Err(error @ HttpError::NotSent { .. }) = answered else {
        panic!("{answered:?}");
    };
    let told = format!("http://{address}: not sent: no connection: refused");
    assert_eq!(error.to_string(), told);
}

#[tokio::test]
async fn an_answer_is_read_whole_or_not_at_all() {
    let (listener, address) = listen().await;
    let bytes_max = balefire_domain::limits::CLIENT_ANSWER_BYTES_MAX;
    let announced = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
        bytes_max + 1
    );
    let cut_off = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}".to_owned();
    let endless = "HTTP/1.1 200 OK\r\n\r\n{}".to_owned();
    for (written, is_too_long) in [(announced, true), (cut_off, false), (endless, false)] {
        let serve = async {
            let (mut stream, _) = take_request(&listener).await;
            stream.write_all(written.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            stream
        };
        let client = client();
        let url = format!("http://{address}/");
        let (answered, _stream) = tokio::join!(client.call(call(Method::GET, url)), serve);
        let error = answered.unwrap_err();
        assert_eq!(
            matches!(error, HttpError::TooLong { .. }),
            is_too_long,
            "{error}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_called_is_told_without_showing_secrets() {
    let client = client();
    for url in ["", "nothing", "ftp://a/", "http://me:hush@127.0.0.1/"] {
        let error = client
            .call(call(Method::GET, url.to_owned()))
            .await
            .unwrap_err();
        assert!(matches!(error, HttpError::Url(_)), "{url}: {error}");
        assert!(!error.to_string().contains("hush"), "{error}");
    }
    for (name, value) in [("a b", "c"), ("a", "hush\r\nb: c"), ("", "c")] {
        let mut call = call(Method::GET, "http://127.0.0.1:1/".to_owned());
        call.headers = vec![(name.to_owned(), value.to_owned())];
        let error = client.call(call).await.unwrap_err();
        assert_eq!(error, HttpError::Header(name.to_owned()));
        assert!(!error.to_string().contains("hush"), "{error}");
    }
}
