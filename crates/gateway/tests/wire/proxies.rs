//! Proxies that misbehave, on loopback (F11 to F21).

use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::*;
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::Site;
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::{Gateway, ProbeRequest, ProxySays};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_delivery_goes_out_as_the_invoke_api_wants_it_and_its_answer_comes_back() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let body = body_saying("duplicate");
    let answer = answer("200 OK", &body);
    let mut request = delivery(LONG);
    request.route.site = Some(Site::CbcB);
    request.capabilities.own_protocol = true;
    let stored = Arc::clone(&request.stored_payload);
    let (answered, (_stream, wire)) =
        tokio::join!(gateway.send(request), serve_once(&listener, &answer));

    assert_eq!(answered.outcome, Outcome::Duplicate, "{}", answered.detail);
    assert_eq!(answered.http_status, Some(200));
    assert_eq!(answered.answer_sha256.map(|hex| hex.len()), Some(64));
    let not_after = (START + LONG).to_millis_style();
    let added =
        format!(r#","cbc_target":"cbc_b","not_after":"{not_after}","lane":"01a/ee","seq":1}}"#);
    assert_eq!(
        wire.body,
        stored.strip_suffix('}').unwrap().to_owned() + &added
    );
    let mut lines: Vec<_> = wire.head.trim_end().split("\r\n").collect();
    lines.sort_unstable();
    let length = format!("content-length: {}", wire.body.len());
    let host = format!("host: {address}");
    let want = [
        "POST /2015-03-31/functions/ee-1-proxy/invocations HTTP/1.1",
        &length,
        "content-type: application/json",
        &host,
        "x-amz-invocation-type: RequestResponse",
    ];
    assert_eq!(lines, want);
}

#[tokio::test]
async fn a_probe_has_no_place_in_a_lane() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let probe = ProbeRequest {
        route: delivery(LONG).route,
        identifier: ours(),
        capabilities: delivery(LONG).capabilities,
        payload: format!(r#"{{"identifier":"{OURS}"}}"#).into(),
        deadline_at: START + LONG,
    };
    let payload = Arc::clone(&probe.payload);
    let answer = answer("204 No Content", "");
    let (probed, (_stream, wire)) =
        tokio::join!(gateway.probe(probe), serve_once(&listener, &answer));
    assert_eq!(probed.answered.outcome, Outcome::Accepted);
    assert_eq!(probed.proxy, None);
    assert_eq!(wire.body, *payload);
}

#[tokio::test]
async fn a_proxy_of_ours_says_its_clock_and_its_start_about_this_probe_only() {
    let about = |identifier: &str, rest: &str| {
        format!(r#"{{"identifier":"{identifier}","outcome":"accepted"{rest}}}"#)
    };
    let clock = r#","clock":"2026-11-23T04:09:03.123Z""#;
    let says = |boot_id: Option<&str>| {
        Some(ProxySays {
            clock: Timestamp::parse_iso8601("2026-11-23T04:09:03.123Z").unwrap(),
            boot_id: boot_id.map(str::to_owned),
        })
    };
    let long = "x".repeat(65);
    let another = "00000000-0000-4000-8000-000000000000";
    // whether the proxy is ours, its answer, what it says of itself
    let cases = [
        (
            true,
            about(OURS, &format!(r#"{clock},"boot_id":"b1""#)),
            says(Some("b1")),
        ),
        (true, about(OURS, clock), says(None)),
        (
            true,
            about(OURS, &format!(r#"{clock},"boot_id":"{long}""#)),
            says(None),
        ),
        (
            true,
            about(OURS, &format!(r#"{clock},"boot_id":7"#)),
            says(None),
        ),
        (true, about(OURS, r#","clock":"yesterday""#), None),
        (true, about(OURS, r#","clock":1795406943"#), None),
        (true, about(OURS, ""), None),
        (true, about(another, clock), None),
        (false, about(OURS, clock), None),
    ];
    for (own_protocol, body, want) in cases {
        let (listener, address) = listen().await;
        let gateway = gateway(address, &ManualClock::new());
        let mut capabilities = delivery(LONG).capabilities;
        capabilities.own_protocol = own_protocol;
        let probe = ProbeRequest {
            route: delivery(LONG).route,
            identifier: ours(),
            capabilities,
            payload: format!(r#"{{"identifier":"{OURS}"}}"#).into(),
            deadline_at: START + LONG,
        };
        let answer = answer("200 OK", &body);
        let (probed, _wire) = tokio::join!(gateway.probe(probe), serve_once(&listener, &answer));
        assert_eq!(probed.proxy, want, "{own_protocol} {body}");
    }
}

#[tokio::test]
async fn a_closed_port_is_refused() {
    let (listener, address) = listen().await;
    drop(listener);
    let answered = gateway(address, &ManualClock::new())
        .send(delivery(LONG))
        .await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(answered.detail, "not sent: no connection: refused");
    assert_eq!(answered.http_status, None);
}

#[tokio::test]
async fn a_name_without_an_address_is_refused() {
    let gateway = Gateway::new(settings("http://nowhere.invalid:1"), ManualClock::new()).unwrap();
    let answered = gateway.send(delivery(LONG)).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(answered.detail, "not sent: nowhere.invalid has no address");
}

/// A host that drops what is sent to it: the queue of its listener is full (F12).
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_host_that_never_answers_the_connection_is_refused_after_the_time_to_connect() {
    use socket2::{Domain, SockAddr, Socket, Type};
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let loopback: std::net::SocketAddr = "127.0.0.1:0".parse().unwrap();
    full.bind(&SockAddr::from(loopback)).unwrap();
    full.listen(0).unwrap();
    let address = full.local_addr().unwrap().as_socket().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = tokio::time::timeout(
        Duration::from_millis(50),
        tokio::net::TcpStream::connect(address),
    )
    .await
    {
        waiting.push(stream.unwrap());
        assert!(waiting.len() < 100, "the queue never fills");
    }
    let mut settings = settings(&format!("http://{address}"));
    settings.connect_timeout = Duration::from_millis(50);
    let gateway = Gateway::new(settings, ManualClock::new()).unwrap();
    let answered = gateway.send(delivery(LONG)).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(
        answered.detail,
        "not sent: no connection within the time to connect"
    );
}

/// The table of `answers.rs`.
#[tokio::test]
async fn answers_as_they_come_over_the_wire() {
    let (listener, address) = listen().await;
    for (name, written, outcome, status) in crate::answers::rows() {
        let gateway = gateway(address, &ManualClock::new());
        let serve = async {
            let (mut stream, _) = take_request(&listener).await;
            // The gateway may hang up in the middle of a hostile answer.
            drop(stream.write_all(written.as_bytes()).await);
            drop(stream.shutdown().await);
            stream
        };
        let (answered, _stream) = tokio::join!(gateway.send(delivery(LONG)), serve);
        assert_eq!(answered.outcome, outcome, "{name}: {}", answered.detail);
        assert_eq!(answered.http_status, status, "{name}: {}", answered.detail);
    }
}

#[tokio::test]
async fn a_status_that_decides_does_not_wait_for_a_body_that_never_comes() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let head = "HTTP/1.1 503 Busy\r\nContent-Length: 9\r\n\r\n";
    let (answered, (mut stream, _)) = tokio::join!(
        soon(gateway.send(delivery(LONG))),
        serve_once(&listener, head)
    );
    assert_eq!(answered.http_status, Some(503));
    assert_eq!(answered.answer_sha256, None);
    assert_eq!(read_to_end(&mut stream).await, (0, End::Reset));
}

#[tokio::test]
async fn a_reset_after_the_request_is_unknown_and_nothing_is_sent_again() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let serve = async {
        let (stream, _) = take_request(&listener).await;
        stream.set_zero_linger().unwrap();
        drop(stream);
        assert_nobody_waits(&listener).await;
    };
    let (answered, ()) = tokio::join!(gateway.send(delivery(LONG)), serve);
    assert_eq!(answered.outcome, Outcome::Unknown);
    assert_eq!(
        answered.detail,
        "sent, but the connection ended without an answer"
    );
}

#[tokio::test]
async fn a_request_on_a_warm_connection_that_dies_is_unknown_and_never_sent_again() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let ok = answer("200 OK", "");
    let (first, (mut stream, _)) =
        tokio::join!(gateway.send(delivery(LONG)), serve_once(&listener, &ok));
    assert_eq!(first.outcome, Outcome::Accepted);
    let serve = async {
        read_request(&mut stream).await;
        drop(stream);
        assert_nobody_waits(&listener).await;
    };
    let (second, ()) = tokio::join!(gateway.send(delivery(LONG)), serve);
    assert_eq!(second.outcome, Outcome::Unknown, "{}", second.detail);
}

#[tokio::test]
async fn silence_ends_at_the_deadline_with_a_reset() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let serve = async {
        let (mut stream, _) = take_request(&listener).await;
        read_to_end(&mut stream).await
    };
    let (answered, end) = tokio::join!(gateway.send(delivery(SHORT)), serve);
    assert_eq!(answered.outcome, Outcome::Unknown);
    assert_eq!(answered.detail, "sent, but no answer by the deadline");
    assert_eq!(end, (0, End::Reset));
}

#[tokio::test]
async fn what_the_kernel_still_holds_at_the_deadline_is_thrown_away() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let mut request = delivery(SHORT);
    let bytes = 32 * 1024 * 1024;
    request.stored_payload = format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes)).into();
    let ((mut stream, _), answered) = {
        let (accepted, answered) = tokio::join!(listener.accept(), gateway.send(request));
        (accepted.unwrap(), answered)
    };
    assert_eq!(answered.outcome, Outcome::Unknown);
    // Only now does the proxy read.
    let (bytes_read, end) = read_to_end(&mut stream).await;
    assert_eq!(end, End::Reset);
    assert!(
        bytes_read < bytes,
        "the whole request arrived after its deadline"
    );
}

#[tokio::test]
async fn a_body_that_trickles_is_cut_at_the_deadline() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let begin = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{";
    let serve = async {
        let (mut stream, _) = serve_once(&listener, begin).await;
        read_to_end(&mut stream).await
    };
    let (answered, end) = tokio::join!(gateway.send(delivery(SHORT)), serve);
    assert_eq!(answered.outcome, Outcome::Unknown);
    assert_eq!(answered.detail, "status 200, but the body was cut off");
    assert_eq!(end, (0, End::Reset));
}

#[tokio::test]
async fn a_send_that_is_dropped_resets_its_connection() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let mut stream = tokio::select! {
        answered = gateway.send(delivery(LONG)) => panic!("{}", answered.detail),
        (stream, _) = take_request(&listener) => stream,
    };
    assert_eq!(read_to_end(&mut stream).await, (0, End::Reset));
}

#[tokio::test]
async fn past_the_deadline_no_connection_is_made() {
    let (listener, address) = listen().await;
    let clock = ManualClock::new();
    let gateway = gateway(address, &clock);
    clock.advance(SHORT);
    let answered = gateway.send(delivery(SHORT)).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(answered.detail, "not sent: the deadline had passed");
    assert_nobody_waits(&listener).await;
}

/// A clock that is believed so many times, and then no more (F49: it was set back an hour).
struct SoonInDoubt(Arc<ManualClock>, AtomicUsize);

impl Clock for SoonInDoubt {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn is_trusted(&self) -> bool {
        let left = self.1.load(Ordering::SeqCst);
        self.1.store(left.saturating_sub(1), Ordering::SeqCst);
        left > 0
    }
}

#[tokio::test]
async fn a_clock_in_doubt_writes_nothing() {
    for believed in [0, 1] {
        let (listener, address) = listen().await;
        let clock = SoonInDoubt(ManualClock::new(), AtomicUsize::new(believed));
        let gateway = gateway(address, &Arc::new(clock));
        let answered = gateway.send(delivery(LONG)).await;
        assert_eq!(
            answered.outcome,
            Outcome::Refused,
            "believed {believed} times"
        );
        if believed == 0 {
            assert_nobody_waits(&listener).await;
        } else {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert_eq!(read_to_end(&mut stream).await, (0, End::Reset));
        }
    }
}

/// F8: the process is stopped at any point between the first look at the clock and the first byte.
#[tokio::test]
async fn a_process_that_wakes_past_the_deadline_writes_nothing() {
    let (listener, address) = listen().await;
    let ok = answer("200 OK", "");
    for readings in 1..20 {
        let clock = Arc::new(PausedAfter {
            readings: AtomicUsize::new(readings),
        });
        let gateway = gateway(address, &clock);
        let serve = async {
            let (mut stream, _) = soon(listener.accept()).await.unwrap();
            let bytes = stream.read(&mut [0; 64]).await.unwrap_or(0);
            if bytes > 0 {
                stream.write_all(ok.as_bytes()).await.unwrap();
            }
            bytes
        };
        let (answered, bytes) = tokio::join!(gateway.send(delivery(LONG)), serve);
        if bytes > 0 {
            // This process woke after its last look, and the one before it was stopped there.
            assert_eq!(answered.outcome, Outcome::Accepted);
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

#[tokio::test]
async fn a_proxy_that_hangs_up_before_the_first_byte_is_refused() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let clock = HookClock::new(move |_| drop(listener.accept()));
    let answered = soon(gateway(address, &clock).send(delivery(LONG))).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_eq!(
        answered.detail,
        "not sent: the other side hung up or spoke before the request began"
    );
}

/// What a peer does to a warm connection while the next request is prepared.
#[derive(Clone, Copy, Debug)]
enum Act {
    HangUp,
    SpeakUnasked,
}

/// The act falls before any of the looks at the clock of the second send, the last of which comes
/// directly before the first byte.
#[tokio::test]
async fn a_warm_connection_that_spoils_under_our_hands_is_replaced_and_the_request_goes_once() {
    for act in [Act::HangUp, Act::SpeakUnasked] {
        let mut reading = 0;
        let readings = loop {
            match send_twice(act, reading).await {
                Went::OverANewConnection => reading += 1,
                Went::OverTheWarmOne { readings } => break readings,
            }
        };
        assert_eq!(reading, readings, "{act:?} was not noticed once");
    }
}

/// How the second request went.
enum Went {
    OverANewConnection,
    /// The clock was read so often before its first byte.
    OverTheWarmOne {
        readings: usize,
    },
}

/// Sends twice; the peer acts just before the clock is read in the second send after it was read
/// `reading` times.
async fn send_twice(act: Act, reading: usize) -> Went {
    let ok = answer("200 OK", &body_saying("accepted"));
    let (listener, address) = listen().await;
    let warm: Arc<Mutex<Option<(usize, std::net::TcpStream)>>> = Arc::default();
    let clock = HookClock::new({
        let (warm, ok) = (Arc::clone(&warm), ok.clone());
        move |count| {
            if let Some((_, peer)) = warm.lock().unwrap().take_if(|(at, _)| *at == count) {
                match act {
                    Act::HangUp => peer.shutdown(std::net::Shutdown::Write).unwrap(),
                    Act::SpeakUnasked => (&peer).write_all(ok.as_bytes()).unwrap(),
                }
            }
        }
    });
    let gateway = gateway(address, &clock);
    let (_, (stream, _)) = tokio::join!(gateway.send(delivery(LONG)), serve_once(&listener, &ok));
    let stream = stream.into_std().unwrap();
    let before = clock.readings.load(Ordering::SeqCst);
    *warm.lock().unwrap() = Some((before + reading, stream.try_clone().unwrap()));
    let mut stream = TcpStream::from_std(stream).unwrap();
    let comes_over_warm = async {
        if stream.read(&mut [0; 1]).await.unwrap_or(0) == 0 {
            std::future::pending::<()>().await;
        }
        let readings = clock.readings.load(Ordering::SeqCst) - before;
        stream.write_all(ok.as_bytes()).await.unwrap();
        Went::OverTheWarmOne { readings }
    };
    let serve = async {
        tokio::select! {
            (_, wire) = serve_once(&listener, &ok) => {
                assert!(wire.body.contains(OURS));
                Went::OverANewConnection
            }
            went = comes_over_warm => went,
        }
    };
    let (answered, went) = tokio::join!(gateway.send(delivery(LONG)), serve);
    let told = format!("{act:?} {reading}: {}", answered.detail);
    assert_eq!(answered.outcome, Outcome::Accepted, "{told}");
    assert_nobody_waits(&listener).await;
    went
}

#[tokio::test]
async fn a_server_that_speaks_first_is_not_a_proxy_and_gets_no_request() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = Mutex::new(Vec::new());
    let ok = answer("200 OK", "");
    let clock = HookClock::new(move |_| {
        if let Ok((mut peer, _)) = listener.accept() {
            peer.write_all(ok.as_bytes()).unwrap();
            accepted.lock().unwrap().push(peer);
        }
    });
    let answered = soon(gateway(address, &clock).send(delivery(LONG))).await;
    assert_eq!(answered.outcome, Outcome::Refused, "{}", answered.detail);
}

#[tokio::test]
async fn a_connection_is_kept_and_used_again() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let ok = answer("200 OK", &body_saying("accepted"));
    let (first, (mut stream, _)) =
        tokio::join!(gateway.send(delivery(LONG)), serve_once(&listener, &ok));
    let again = async {
        read_request(&mut stream).await;
        stream.write_all(ok.as_bytes()).await.unwrap();
    };
    let (second, ()) = tokio::join!(gateway.send(delivery(LONG)), again);
    assert_eq!(first.outcome, Outcome::Accepted);
    assert_eq!(second.outcome, Outcome::Accepted);
    assert_nobody_waits(&listener).await;
}

/// How a server spoils a connection that rests; the next request goes over a new one, once.
#[tokio::test]
async fn a_spoilt_connection_is_replaced_before_a_byte_is_written() {
    let ok = answer("200 OK", &body_saying("accepted"));
    let old = balefire_domain::limits::CONNECTION_AGE_MAX;
    for spoiling in [
        "closed",
        "reset",
        "said something",
        "too old",
        "said to close",
    ] {
        let (listener, address) = listen().await;
        let clock = ManualClock::new();
        let gateway = gateway(address, &clock);
        let first = match spoiling {
            "said to close" => ok.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"),
            _ => ok.clone(),
        };
        let (answered, (mut stream, _)) =
            tokio::join!(gateway.send(delivery(LONG)), serve_once(&listener, &first));
        assert_eq!(answered.outcome, Outcome::Accepted, "{spoiling}");
        let kept = match spoiling {
            "closed" => {
                drop(stream);
                None
            }
            "reset" => {
                stream.set_zero_linger().unwrap();
                drop(stream);
                None
            }
            "said something" => {
                stream.write_all(ok.as_bytes()).await.unwrap();
                Some(stream)
            }
            "too old" => {
                clock.advance(old);
                Some(stream)
            }
            _ => Some(stream),
        };
        let mut request = delivery(LONG);
        request.deadline_at = request.deadline_at + old;
        let (answered, (_stream, wire)) =
            tokio::join!(gateway.send(request), serve_once(&listener, &ok));
        assert_eq!(
            answered.outcome,
            Outcome::Accepted,
            "{spoiling}: {}",
            answered.detail
        );
        assert!(wire.body.contains(OURS), "{spoiling}");
        if let Some(mut stream) = kept {
            assert_eq!(
                read_to_end(&mut stream).await.0,
                0,
                "{spoiling}: sent twice"
            );
        }
        assert_nobody_waits(&listener).await;
    }
}

#[tokio::test]
async fn routes_do_not_share_connections() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let ok = answer("200 OK", "");
    let (_, (_first, _)) = tokio::join!(gateway.send(delivery(LONG)), serve_once(&listener, &ok));
    let mut request = delivery(LONG);
    request.route.proxy = "ee-2-proxy".to_owned();
    let (answered, (_second, wire)) =
        tokio::join!(gateway.send(request), serve_once(&listener, &ok));
    assert_eq!(answered.outcome, Outcome::Accepted);
    assert!(
        wire.head
            .starts_with("POST /2015-03-31/functions/ee-2-proxy/invocations ")
    );
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for status in ["301 x", "302 x", "303 x", "307 x", "308 x"] {
        let (listener, address) = listen().await;
        let gateway = gateway(address, &ManualClock::new());
        let redirect = format!(
            "HTTP/1.1 {status}\r\nLocation: http://{address}/elsewhere\r\nContent-Length: 0\r\n\r\n"
        );
        let (answered, _) = tokio::join!(
            gateway.send(delivery(LONG)),
            serve_once(&listener, &redirect)
        );
        assert_eq!(answered.outcome, Outcome::Unknown, "{status}");
        assert_nobody_waits(&listener).await;
    }
}

#[tokio::test]
async fn a_payload_that_is_no_object_never_leaves() {
    let (listener, address) = listen().await;
    let gateway = gateway(address, &ManualClock::new());
    let mut request = delivery(LONG);
    request.stored_payload = "[]".into();
    let answered = gateway.send(request).await;
    assert_eq!(answered.outcome, Outcome::Refused);
    assert_nobody_waits(&listener).await;
}
