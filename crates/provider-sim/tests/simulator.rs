//! The simulator over real sockets: what each fault looks like from the other end of the wire, and
//! what it does to the provider's memory.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use balefire_domain::time::Timestamp;
use balefire_provider_sim::{Faults, Simulator};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

const DEADLINE: Duration = Duration::from_secs(20);

/// A simulator that runs until it is dropped.
struct Running {
    addr: SocketAddr,
    stop: oneshot::Sender<()>,
    server: JoinSet<std::io::Result<()>>,
}

fn start(faults: &str) -> Running {
    let faults = Faults::parse_toml(faults).expect("the test's faults make sense");
    serve(Simulator::bind(([127, 0, 0, 1], 0).into(), faults).expect("a port is free"))
}

fn serve(simulator: Simulator) -> Running {
    let (stop, stopped) = oneshot::channel();
    let addr = simulator.local_addr();
    let mut server = JoinSet::new();
    server.spawn(simulator.run_until(async move { drop(stopped.await) }));
    Running { addr, stop, server }
}

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it took too long")
}

impl Running {
    /// Sends a request and leaves the answer unread.
    async fn send(&self, method: &str, path: &str, body: &str) -> TcpStream {
        let mut stream = soon(TcpStream::connect(self.addr))
            .await
            .expect("it listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: sim\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        soon(stream.write_all(format!("{head}{body}").as_bytes()))
            .await
            .expect("it reads");
        stream
    }

    /// All bytes that come until the connection ends.
    async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let mut stream = self.send(method, path, body).await;
        read_answer(&mut stream).await
    }

    async fn invoke(&self, function: &str, payload: &Value) -> Answer {
        self.call("POST", &path_of(function), &payload.to_string())
            .await
    }

    async fn outcome(&self, function: &str, payload: &Value) -> String {
        let answer = self.invoke(function, payload).await.json();
        assert_eq!(answer["identifier"], payload["identifier"]);
        answer["outcome"]
            .as_str()
            .expect("our answers have an outcome")
            .to_owned()
    }

    async fn requests(&self) -> Vec<Value> {
        let lines = self.call("GET", "/_sim/requests", "").await.body;
        lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line is JSON"))
            .collect()
    }

    async fn state(&self) -> Value {
        self.call("GET", "/_sim/state", "").await.json()
    }

    /// Looks until the only request is as `want` says.
    async fn request_becomes(&self, field: &str, want: Value) -> Value {
        soon(async {
            loop {
                if let Some(request) = self.requests().await.pop()
                    && request[field] == want
                {
                    return request;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}

fn path_of(function: &str) -> String {
    format!("/2015-03-31/functions/{function}/invocations")
}

async fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let end = soon(stream.read_to_end(&mut bytes)).await;
    let text = String::from_utf8(bytes).expect("answers are in UTF-8");
    assert!(end.is_ok() || text.is_empty(), "{end:?} after {text}");
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    Answer {
        head: head.to_lowercase(),
        body: body.to_owned(),
    }
}

struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or("none")
    }

    fn json(&self) -> Value {
        assert_eq!(self.status(), "200", "{}", self.body);
        serde_json::from_str(&self.body).expect("the body is JSON")
    }
}

fn alert(identifier: &str) -> Value {
    json!({"message_type": "alert", "identifier": identifier, "message_format": "cap"})
}

fn cancel(identifier: &str, of: &[&str]) -> Value {
    let references: Vec<Value> = of
        .iter()
        .map(|id| json!({"message_id": id, "sent": "2026-11-23T04:09:03-00:00"}))
        .collect();
    json!({"message_type": "cancel", "identifier": identifier, "references": references})
}

fn test(identifier: &str) -> Value {
    json!({"message_type": "test", "identifier": identifier, "message_format": "cap"})
}

#[tokio::test]
async fn a_provider_takes_each_message_once_over_both_its_proxies() {
    let sim = start("");
    // One row per request, in order.
    let cases = [
        ("ee-1-proxy", alert("A"), "accepted", true),
        ("ee-1-proxy", alert("A"), "duplicate", false),
        ("ee-2-proxy", alert("A"), "duplicate", false),
        ("o2-1-proxy", alert("A"), "accepted", true),
        ("ee-1-proxy", alert("B"), "accepted", true),
        (
            "ee-2-proxy",
            cancel("C", &["nobody"]),
            "unknown-reference",
            false,
        ),
        (
            "three-1-proxy",
            cancel("C", &["A"]),
            "unknown-reference",
            false,
        ),
        (
            "ee-2-proxy",
            cancel("C", &["nobody", "A"]),
            "accepted",
            true,
        ),
        (
            "ee-1-proxy",
            cancel("C", &["nobody", "A"]),
            "duplicate",
            false,
        ),
        ("ee-1-proxy", cancel("D", &["A"]), "accepted", true),
        ("ee-1-proxy", test("T"), "accepted", false),
        ("ee-1-proxy", test("T"), "accepted", false),
        ("canary", json!({"identifier": "X"}), "accepted", false),
        ("ee-1-proxy", heartbeat("H"), "accepted", false),
    ];
    for (index, (function, payload, want, _)) in cases.iter().enumerate() {
        assert_eq!(
            sim.outcome(function, payload).await,
            *want,
            "request {}",
            index + 1
        );
    }
    let requests = sim.requests().await;
    assert_eq!(requests.len(), cases.len());
    for (request, (function, payload, outcome, applied)) in requests.iter().zip(&cases) {
        assert_eq!(request["function"], *function);
        assert_eq!(request["payload"], *payload);
        assert_eq!(request["outcome"], *outcome);
        assert_eq!(request["applied"], *applied, "{request}");
        assert_eq!(request["kind"], "ok");
    }
    let state = sim.state().await;
    assert_eq!(
        state["ee"]["live"].as_object().map(serde_json::Map::len),
        Some(1)
    );
    assert_eq!(state["ee"]["live"]["B"]["times_applied"], 1);
    assert_eq!(state["ee"]["cancelled"], json!(["A"]));
    assert_eq!(state["ee"]["applied"], 4);
    assert_eq!(state["o2"]["live"]["A"]["times_applied"], 1);
    assert_eq!(state.get("three"), None);
}

fn update(identifier: &str, of: &[&str], text: &str) -> Value {
    let mut message = cancel(identifier, of);
    message["message_type"] = json!("update");
    message["description"] = json!(text);
    message
}

#[tokio::test]
async fn an_update_takes_the_place_of_what_it_names_on_the_air() {
    let sim = start("[[fault]]\nmessage_type = 'update'\nnth = 6\nkind = 'refuse'\n");
    let cases = [
        (update("U", &["A"], "first"), "unknown-reference", false),
        (alert("A"), "accepted", true),
        (update("U", &["A"], "first"), "accepted", true),
        (update("U", &["A"], "first"), "duplicate", false),
        (update("V", &["A", "U"], "second"), "accepted", true),
        // What was replaced is off the air, and so is what was cancelled.
        (update("W", &["A"], "third"), "unknown-reference", false),
        (update("W", &["V"], "third"), "refused", false),
        (cancel("C", &["V"]), "accepted", true),
        (update("X", &["V"], "fourth"), "unknown-reference", false),
        (alert("B"), "accepted", true),
        (update("Y", &["B"], "fifth"), "accepted", true),
    ];
    for (index, (payload, want, _)) in cases.iter().enumerate() {
        let outcome = sim.outcome("ee-1-proxy", payload).await;
        assert_eq!(outcome, *want, "request {}", index + 1);
    }
    let requests = sim.requests().await;
    for (request, (payload, _, applied)) in requests.iter().zip(&cases) {
        assert_eq!(request["payload"], *payload);
        assert_eq!(request["applied"], *applied, "{request}");
    }
    let state = &sim.state().await["ee"];
    let live = state["live"].as_object().expect("what is on the air");
    assert_eq!(live.keys().collect::<Vec<_>>(), ["Y"]);
    assert_eq!(live["Y"]["description"], "fifth");
    assert_eq!(state["updated"], json!(["A", "B", "U"]));
    assert_eq!(state["cancelled"], json!(["V"]));
}

fn heartbeat(identifier: &str) -> Value {
    json!({"message_type": "heartbeat", "identifier": identifier})
}

#[tokio::test]
async fn a_proxy_says_its_clock_and_its_start_to_who_asks_for_the_way() {
    let sim = start("clock_offset_ms = 3600000\n[provider.o2]\nclock_offset_ms = -3600000\n");
    let hour = 3_600_000;
    let mut starts = Vec::new();
    for (function, payload, ahead_ms) in [
        ("ee-1-proxy", test("T"), hour),
        ("ee-2-proxy", heartbeat("H"), hour),
        ("o2-1-proxy", heartbeat("H"), -hour),
    ] {
        let answer = sim.invoke(function, &payload).await.json();
        let clock = answer["clock"].as_str().expect("a clock");
        let clock = Timestamp::parse_iso8601(clock).expect("a date");
        let log = sim.requests().await;
        let at_ms = log.last().expect("it is logged")["at_ms"]
            .as_i64()
            .expect("ms");
        let ahead = clock.micros() / 1000 - at_ms;
        assert!((ahead_ms..ahead_ms + 10_000).contains(&ahead), "{ahead}");
        starts.push(answer["boot_id"].as_str().expect("a start").to_owned());
    }
    assert!(
        starts[0] == starts[1] && starts[1] == starts[2],
        "{starts:?}"
    );
    let again = start("").invoke("ee-1-proxy", &heartbeat("H")).await.json();
    assert_ne!(again["boot_id"], starts[0]);
    // Who sends an alert is told nothing of the kind, and a proxy goes by its own clock.
    let answer = sim.invoke("o2-1-proxy", &alert("A")).await.json();
    assert!(answer.get("clock").is_none(), "{answer}");
    let at_ms = sim.requests().await.last().expect("it is logged")["at_ms"].clone();
    let in_half_an_hour = at_ms.as_i64().expect("ms") + hour / 2;
    let not_after = Timestamp::from_micros(in_half_an_hour * 1000);
    let mut timely = alert("B");
    timely["not_after"] = json!(not_after.to_millis_style());
    assert_eq!(sim.outcome("ee-1-proxy", &timely).await, "refused");
    assert_eq!(sim.outcome("o2-1-proxy", &timely).await, "accepted");
}

#[tokio::test]
async fn what_proxies_refuse_is_refused_with_the_reason() {
    let sim = start("");
    let with = |key: &str, value: Value| {
        let mut payload = alert("A");
        payload[key] = value;
        payload
    };
    let cases = [
        (
            with("not_after", json!("2020-01-01T00:00:00.000Z")),
            "after not_after",
        ),
        (
            with("not_after", json!("soon")),
            "not_after is no date like 2026-11-23T04:09:03.123Z",
        ),
        (
            with("message_type", json!("replace")),
            "message_type replace is not one of alert, update, cancel, test, heartbeat",
        ),
        (
            with("identifier", json!("")),
            "identifier must have 1 to 128 characters",
        ),
        (
            with("identifier", json!("x".repeat(129))),
            "identifier must have 1 to 128 characters",
        ),
    ];
    for (payload, detail) in cases {
        let answer = sim.invoke("ee-1-proxy", &payload).await.json();
        assert_eq!(answer["outcome"], "refused", "{answer}");
        assert_eq!(answer["detail"], detail);
    }
    let in_time = with("not_after", json!("2999-01-01T00:00:00.000Z"));
    assert_eq!(sim.outcome("ee-1-proxy", &in_time).await, "accepted");
}

#[tokio::test]
async fn each_fault_looks_on_the_wire_as_the_file_says() {
    // Kind, further keys, status, what the body has; what the log says of applied and outcome.
    let cases = [
        (
            "refuse",
            "",
            "200",
            r#""outcome":"refused""#,
            false,
            json!("refused"),
        ),
        ("unavailable", "", "503", "unavailable", false, Value::Null),
        (
            "unavailable",
            "applied = true",
            "503",
            "unavailable",
            true,
            json!("accepted"),
        ),
        (
            "function-error",
            "",
            "200",
            "errorMessage",
            false,
            Value::Null,
        ),
        ("hang", "ms = 20", "none", "", false, Value::Null),
        (
            "late",
            "ms = 20",
            "200",
            r#""outcome":"accepted""#,
            true,
            json!("accepted"),
        ),
        (
            "slow",
            "ms = 20",
            "200",
            r#""outcome":"accepted""#,
            true,
            json!("accepted"),
        ),
        ("drop-answer", "", "none", "", true, json!("accepted")),
        (
            "drop-answer",
            "applied = false",
            "none",
            "",
            false,
            Value::Null,
        ),
        (
            "wrong-identifier",
            "",
            "200",
            "00000000-0000-4000-8000",
            true,
            json!("accepted"),
        ),
        (
            "truncated",
            "",
            "200",
            r#"{"identifier":"A""#,
            true,
            json!("accepted"),
        ),
        ("not-json", "", "200", "<html>", true, json!("accepted")),
    ];
    for (kind, keys, status, body, applied, outcome) in cases {
        let sim = start(&format!("[[fault]]\nnth = 1\nkind = '{kind}'\n{keys}\n"));
        let answer = sim.invoke("ee-1-proxy", &alert("A")).await;
        assert_eq!(answer.status(), status, "{kind} {keys}");
        assert!(answer.body.contains(body), "{kind} {keys}: {}", answer.body);
        let announced = format!("content-length: {}", answer.body.len());
        let is_whole = status == "none" || answer.head.contains(&announced);
        assert_eq!(is_whole, kind != "truncated", "{kind}: {}", answer.head);
        let has_error = answer.head.contains("x-amz-function-error: unhandled");
        assert_eq!(has_error, kind == "function-error");
        let request = sim.requests().await.pop().expect("it is logged");
        assert_eq!(request["kind"], kind);
        assert_eq!(request["applied"], applied, "{kind} {keys}");
        assert_eq!(request["outcome"], outcome, "{kind} {keys}");
        // The second request tells what the provider remembers of the first.
        let want = if applied { "duplicate" } else { "accepted" };
        assert_eq!(
            sim.outcome("ee-2-proxy", &alert("A")).await,
            want,
            "{kind} {keys}"
        );
    }
}

#[tokio::test]
async fn a_late_answer_is_applied_long_before_it_comes() {
    let sim = start("[[fault]]\nkind = 'late'\nms = 600000");
    let _unanswered = sim
        .send("POST", &path_of("ee-1-proxy"), &alert("A").to_string())
        .await;
    let request = sim.request_becomes("applied", json!(true)).await;
    assert_eq!(request["kind"], "late");
}

#[tokio::test]
async fn a_slow_provider_applies_what_nobody_waits_for_any_more() {
    let sim = start("[[fault]]\nkind = 'slow'\nms = 1500");
    let client = sim
        .send("POST", &path_of("ee-1-proxy"), &alert("A").to_string())
        .await;
    let request = sim.request_becomes("n", json!(1)).await;
    assert_eq!(request["applied"], false);
    assert_eq!(request["outcome"], Value::Null);
    // An abort, as the gateway does it at its deadline.
    client.set_zero_linger().expect("the socket is open");
    drop(client);
    sim.request_becomes("applied", json!(true)).await;
    assert_eq!(sim.state().await["ee"]["live"]["A"]["times_applied"], 1);
}

#[tokio::test]
async fn not_after_is_looked_at_when_a_message_is_applied() {
    let sim = start("[[fault]]\nmessage_type = 'alert'\nkind = 'slow'\nms = 400");
    sim.outcome("ee-1-proxy", &test("T")).await;
    let now_ms = sim.requests().await[0]["at_ms"]
        .as_i64()
        .expect("it is a number");
    let not_after = Timestamp::from_micros((now_ms + 200) * 1000);
    let mut payload = alert("A");
    payload["not_after"] = json!(not_after.to_millis_style());
    let answer = sim.invoke("ee-1-proxy", &payload).await.json();
    assert_eq!(
        (&answer["outcome"], &answer["detail"]),
        (&json!("refused"), &json!("after not_after"))
    );
}

#[tokio::test]
async fn providers_without_dedup_apply_twice_and_separate_sites_know_nothing_of_each_other() {
    let sim = start("[provider.ee]\ndedup = false\n[provider.o2]\nseparate_sites = true\n");
    assert_eq!(sim.outcome("ee-1-proxy", &alert("A")).await, "accepted");
    assert_eq!(sim.outcome("ee-2-proxy", &alert("A")).await, "accepted");
    assert_eq!(sim.outcome("o2-1-proxy", &alert("A")).await, "accepted");
    assert_eq!(sim.outcome("o2-2-proxy", &alert("A")).await, "accepted");
    assert_eq!(sim.outcome("o2-1-proxy", &alert("A")).await, "duplicate");
    let at_site = |site: &str| {
        let mut payload = alert("A");
        payload["cbc_target"] = json!(site);
        payload
    };
    // Two proxies lead to the same two sites.
    assert_eq!(
        sim.outcome("o2-1-proxy", &at_site("cbc_a")).await,
        "accepted"
    );
    assert_eq!(
        sim.outcome("o2-2-proxy", &at_site("cbc_a")).await,
        "duplicate"
    );
    assert_eq!(
        sim.outcome("o2-2-proxy", &at_site("cbc_b")).await,
        "accepted"
    );
    let state = sim.state().await;
    assert_eq!(state["ee"]["live"]["A"]["times_applied"], 2);
    let sites: Vec<&String> = state.as_object().expect("it is an object").keys().collect();
    assert_eq!(
        sites,
        [
            "ee",
            "o2/cbc_a",
            "o2/cbc_b",
            "o2/o2-1-proxy",
            "o2/o2-2-proxy"
        ]
    );
}

#[tokio::test]
async fn faults_are_replaced_and_counted_anew() {
    let sim = start("");
    let faults = "[[fault]]\nfunction = 'ee-1-proxy'\nnth = 1\nkind = 'refuse'\n";
    for round in 0..2 {
        assert_eq!(
            sim.call("PUT", "/_sim/faults", faults).await.status(),
            "204"
        );
        assert_eq!(sim.call("GET", "/_sim/faults", "").await.body, faults);
        let payload = alert(&format!("A{round}"));
        assert_eq!(sim.outcome("ee-1-proxy", &payload).await, "refused");
        assert_eq!(sim.outcome("ee-1-proxy", &payload).await, "accepted");
    }
    let refused = sim
        .call("PUT", "/_sim/faults", "[[fault]]\nkind = 'late'")
        .await;
    assert_eq!(refused.status(), "400");
    assert!(
        refused.body.contains("say how long in ms"),
        "{}",
        refused.body
    );
    assert_eq!(sim.call("GET", "/_sim/faults", "").await.body, faults);
}

#[tokio::test]
async fn the_log_can_be_cleared_and_the_providers_still_remember() {
    let sim = start("");
    sim.outcome("ee-1-proxy", &alert("A")).await;
    assert_eq!(
        sim.call("DELETE", "/_sim/requests", "").await.status(),
        "204"
    );
    assert_eq!(sim.requests().await.len(), 0);
    assert_eq!(sim.outcome("ee-1-proxy", &alert("A")).await, "duplicate");
    assert_eq!(sim.requests().await[0]["n"], 2);
}

#[tokio::test]
async fn a_payload_is_logged_character_by_character() {
    let sim = start("");
    let payload = concat!(
        r#"{"message_type":"alert","identifier":"A","#,
        r#""areas":[{"polygon":[[51.50,-1e-1]]}],"description":"caf\u00e9 é"}"#
    );
    sim.call("POST", &path_of("ee-1-proxy"), payload).await;
    let lines = sim.call("GET", "/_sim/requests", "").await.body;
    assert!(
        lines.contains(&format!("\"payload\":{payload},\"kind\":\"ok\"")),
        "{lines}"
    );
}

#[tokio::test]
async fn the_invoke_api_refuses_what_it_can_t_read() {
    let sim = start("");
    for body in [
        "",
        "not json",
        "{\"identifier\":",
        "7",
        "{\"identifier\":7}",
    ] {
        let answer = sim.call("POST", &path_of("ee-1-proxy"), body).await;
        assert_eq!(answer.status(), "400", "{body}");
    }
    assert!(
        sim.requests()
            .await
            .iter()
            .all(|request| request["applied"] == false)
    );
    assert_eq!(
        sim.call("GET", &path_of("ee-1-proxy"), "").await.status(),
        "405"
    );
    assert_eq!(sim.call("POST", "/elsewhere", "").await.status(), "404");
}

#[tokio::test]
async fn a_payload_that_is_announced_too_large_is_not_waited_for() {
    let sim = start("");
    for path in [path_of("ee-1-proxy").as_str(), "/_sim/faults"] {
        let method = if path.ends_with("faults") {
            "PUT"
        } else {
            "POST"
        };
        let mut stream = soon(TcpStream::connect(sim.addr))
            .await
            .expect("it listens");
        let head =
            format!("{method} {path} HTTP/1.1\r\nhost: s\r\ncontent-length: 4000000000\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        let mut answer = [0; 12];
        soon(stream.read_exact(&mut answer))
            .await
            .expect("it answers");
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
}

#[tokio::test]
async fn the_same_message_on_many_connections_at_once_is_applied_once() {
    let sim = start("");
    let payload = alert("A").to_string();
    let mut streams = Vec::new();
    for n in 0..40 {
        let function = if n % 2 == 0 {
            "ee-1-proxy"
        } else {
            "ee-2-proxy"
        };
        streams.push(sim.send("POST", &path_of(function), &payload).await);
    }
    let mut accepted = 0;
    for stream in &mut streams {
        accepted += usize::from(read_answer(stream).await.json()["outcome"] == "accepted");
    }
    assert_eq!(accepted, 1);
    assert_eq!(sim.state().await["ee"]["live"]["A"]["times_applied"], 1);
}

#[tokio::test]
async fn a_log_file_has_each_request_as_it_arrives_and_what_became_of_it() {
    let folder = tempfile::tempdir().expect("there is room");
    let path = folder.path().join("requests.jsonl");
    std::fs::write(&path, "{\"earlier\":true}\n").expect("there is room");
    let faults = Faults::parse_toml("[[fault]]\nnth = 1\nkind = 'hang'").expect("it makes sense");
    let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), faults).expect("a port is free");
    simulator.log_to(&path).expect("the file can be written");
    let sim = serve(simulator);
    let _unanswered = sim
        .send("POST", &path_of("ee-1-proxy"), &alert("A").to_string())
        .await;
    sim.request_becomes("n", json!(1)).await;
    sim.outcome("ee-1-proxy", &alert("B")).await;
    let text = std::fs::read_to_string(&path).expect("the file is there");
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line is JSON"))
        .collect();
    let facts: Vec<(&Value, &Value)> = lines
        .iter()
        .map(|line| (&line["n"], &line["applied"]))
        .collect();
    let (no, yes, null) = (json!(false), json!(true), Value::Null);
    let (one, two) = (json!(1), json!(2));
    assert_eq!(
        facts,
        [
            (&null, &null),
            (&one, &no),
            (&one, &no),
            (&two, &no),
            (&two, &yes)
        ]
    );
    assert_eq!(lines[3]["payload"], alert("B"));
    assert_eq!(lines[4].get("payload"), None);
}

#[tokio::test]
async fn it_ends_at_once_even_while_requests_hang() {
    let mut sim = start("[[fault]]\nkind = 'hang'");
    let mut hanging = sim
        .send("POST", &path_of("ee-1-proxy"), &alert("A").to_string())
        .await;
    sim.request_becomes("n", json!(1)).await;
    sim.stop.send(()).expect("it runs");
    let ended = soon(sim.server.join_next()).await.expect("it was started");
    ended.expect("it did not panic").expect("it ended well");
    assert_eq!(read_answer(&mut hanging).await.head, "");
    assert!(TcpStream::connect(sim.addr).await.is_err());
}

#[test]
fn it_listens_on_this_machine_only() {
    for addr in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = Simulator::bind(addr.parse().unwrap(), Faults::default());
        let message = refused
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            message.contains("use 127.0.0.1 or [::1]"),
            "{addr}: {message}"
        );
    }
}
