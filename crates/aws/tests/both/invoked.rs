//! The same against simulated providers: what the functions saw is the same, and said so.

use std::sync::Arc;
use std::time::Duration;

use balefire_domain::outcome::Outcome;
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::{ProbeRequest, SendRequest};
use balefire_provider_sim::{Faults, Simulator};

use crate::courier::{Courier, url};
use crate::support::{OURS, delivery, soon};

/// The simulator has a clock of its own, so these tests have the same.
struct RealClock;

impl Clock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a harness of a real server (D35)"
    )]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap())
    }
}

const FAULTS: &str = r#"
[[fault]]
function = "refuse-1-proxy"
kind = "refuse"
[[fault]]
function = "busy-1-proxy"
kind = "unavailable"
[[fault]]
function = "broken-1-proxy"
kind = "function-error"
[[fault]]
function = "silent-1-proxy"
kind = "hang"
[[fault]]
function = "gone-1-proxy"
kind = "drop-answer"
[[fault]]
function = "stranger-1-proxy"
kind = "wrong-identifier"
[[fault]]
function = "half-1-proxy"
kind = "truncated"
[[fault]]
function = "html-1-proxy"
kind = "not-json"
"#;

fn to(function: &str, not_after: Duration) -> SendRequest {
    let mut request = delivery(Duration::ZERO);
    function.clone_into(&mut request.route.proxy);
    request.capabilities.own_protocol = true;
    request.deadline_at = RealClock.now() + not_after;
    request
}

#[tokio::test]
async fn both_get_the_same_from_providers_that_misbehave() {
    let rows = [
        ("ee-1-proxy", Outcome::Accepted, Some(200)),
        ("ee-1-proxy", Outcome::Duplicate, Some(200)),
        ("ee-2-proxy", Outcome::Duplicate, Some(200)),
        ("refuse-1-proxy", Outcome::Refused, Some(200)),
        ("busy-1-proxy", Outcome::Unknown, Some(503)),
        ("broken-1-proxy", Outcome::Unknown, Some(200)),
        ("silent-1-proxy", Outcome::Unknown, None),
        ("gone-1-proxy", Outcome::Unknown, None),
        ("stranger-1-proxy", Outcome::Unknown, Some(200)),
        ("half-1-proxy", Outcome::Unknown, Some(200)),
        ("html-1-proxy", Outcome::Unknown, Some(200)),
    ];
    for client in ["http", "aws"] {
        let faults = Faults::parse_toml(FAULTS).unwrap();
        let simulator = Simulator::bind("127.0.0.1:0".parse().unwrap(), faults).unwrap();
        let address = simulator.local_addr();
        let (end, ending) = tokio::sync::oneshot::channel::<()>();
        let served = simulator.run_until(async {
            drop(ending.await);
        });
        let clock = Arc::new(RealClock);
        let courier = match client {
            "http" => Courier::http(&url(address), &clock),
            _ => Courier::aws(&url(address), &clock).await,
        };
        let test = async {
            for (function, outcome, status) in rows {
                let time = match function {
                    "silent-1-proxy" => Duration::from_millis(300),
                    _ => Duration::from_secs(10),
                };
                let answered = soon(courier.send(to(function, time))).await;
                let told = format!("{client} {function}: {}", answered.detail);
                assert_eq!(answered.outcome, outcome, "{told}");
                assert_eq!(answered.http_status, status, "{told}");
            }
            let request = to("ee-1-proxy", Duration::from_secs(10));
            let probed = soon(courier.probe(ProbeRequest {
                route: request.route,
                identifier: request.delivery,
                capabilities: request.capabilities,
                payload: format!(r#"{{"message_type":"test","identifier":"{OURS}"}}"#).into(),
                deadline_at: request.deadline_at,
            }))
            .await;
            assert_eq!(probed.answered.outcome, Outcome::Accepted, "{client}");
            assert!(probed.proxy.is_some(), "{client}: the proxy's clock");
            drop(end);
        };
        let (served, ()) = tokio::join!(served, test);
        served.unwrap();
    }
}
