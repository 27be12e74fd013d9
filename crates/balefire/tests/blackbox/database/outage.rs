//! The database can't be reached: what clients are told and when, and what the dispatcher does.

use std::time::Duration;

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Own, TOLD_MAX, every_kind, new_draft};
use crate::support::api::{call, try_call};
use crate::support::evidence::gather;
use crate::support::forwarder::Forwarder;
use crate::support::networks::fault;
use crate::support::oracle::judge;
use crate::support::sandbox::{CLIENT_SECRET, Figures, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{SOON, documents, now, poll_until, say};
use balefire_app::authenticate::make_token;

/// Requests at once.
const CROWD: usize = 100;
/// A busy machine may take so long to hand an answer on.
const HANDED_ON_MAX: Duration = Duration::from_secs(1);

/// How the database goes away.
#[derive(Clone, Copy, Debug)]
enum Away {
    /// Its port is closed.
    Refused,
    /// Its processes hang.
    Frozen,
    /// The network swallows everything.
    Swallowed,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_database_whose_port_is_closed_is_told_of_in_time() {
    told_in_time(Away::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_database_that_hangs_is_told_of_in_time() {
    told_in_time(Away::Frozen).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_network_that_swallows_everything_is_told_of_in_time() {
    told_in_time(Away::Swallowed).await;
}

async fn told_in_time(away: Away) {
    let own = Own::new("");
    let mut way = Forwarder::to(own.server.port()).await;
    let sandbox = Sandbox::on(own.server.url(), Figures::default()).await;
    let through = own.server.url_through(way.port());
    let server = Server::start_on(&sandbox, &["serve"], "the one", &through).await;
    let team = sandbox.live_team().await;
    for (kind, answer) in every_kind(&server, &team, "before", || {}).await {
        assert!(answer.status < 300, "{kind}: {}", answer.text());
    }
    let waiting = server.submit(&team, "waiting").await;
    match away {
        Away::Refused => way.refuse().await,
        Away::Frozen => own.server.freeze(),
        Away::Swallowed => way.fall_silent(),
    }
    // Twice: connections that hang must not take the places of those that come later.
    for crowd in 0..2 {
        let (told, slowest) = ask_in_a_crowd(&server, &team, &waiting, crowd).await;
        say(&format!(
            "{away:?}: {told} requests at once were answered 503, the slowest in {slowest:?}"
        ));
    }
    assert_eq!(
        server.open("GET", "/_api_status").await.status,
        200,
        "the process itself lives"
    );
    match away {
        Away::Refused => way.listen().await,
        Away::Frozen => own.server.thaw(),
        Away::Swallowed => way.speak(),
    }
    let back = Instant::now();
    poll_until(SOON, "the server is ready again", async || {
        let answer = server.open("GET", "/_api_status/ready").await;
        (answer.status == 200).then_some(())
    })
    .await;
    say(&format!(
        "{away:?}: ready again {:?} after the database was",
        back.elapsed()
    ));
    for (kind, answer) in every_kind(&server, &team, "after", || {}).await {
        assert!(answer.status < 300, "{kind}: {}", answer.text());
    }
    let faults = server.process.events("http.fault");
    assert!(
        faults.is_empty(),
        "an outage is no fault of ours: {faults:?}"
    );
    judge(&sandbox, &server).await;
    server.end().await;
}

/// A hundred requests of every kind at once, each of which must be told in time that the database
/// is away; how many, and the slowest answer.
async fn ask_in_a_crowd(
    server: &Server,
    team: &Team,
    alert: &str,
    crowd: u32,
) -> (usize, Duration) {
    let token = format!(
        "Bearer {}",
        make_token("notify-admin", CLIENT_SECRET, now())
    );
    let key_token = format!(
        "Bearer {}",
        make_token(&team.service, &team.key.secret, now())
    );
    let alerts = format!("{}/service/{}/broadcast-message", server.url, team.service);
    let one = format!("{alerts}/{alert}");
    let public = format!("{}/v2/broadcast", server.url);
    let ready = format!("{}/_api_status/ready", server.url);
    let draft = new_draft(team, "a draft in a crowd").to_string();
    let change = json!({ "reference": "changed", "created_by": team.author.id }).to_string();
    let approve = json!({ "status": "broadcasting", "created_by": team.approver.id }).to_string();
    let document = documents::alert(&format!("crowd-{crowd}"));
    let (statuses, status) = (format!("{one}/provider-statuses"), format!("{one}/status"));
    let kinds = [
        ("GET", &alerts, &token, "application/json", String::new()),
        ("POST", &alerts, &token, "application/json", draft),
        ("GET", &one, &token, "application/json", String::new()),
        ("POST", &one, &token, "application/json", change),
        ("GET", &statuses, &token, "application/json", String::new()),
        ("POST", &status, &token, "application/json", approve),
        ("POST", &public, &key_token, "application/cap+xml", document),
        (
            "OPTIONS",
            &public,
            &key_token,
            "application/json",
            String::new(),
        ),
        ("GET", &ready, &token, "application/json", String::new()),
    ];
    let mut asked = JoinSet::new();
    for n in 0..CROWD {
        let (method, url, token, content_type, body) = kinds[n % kinds.len()].clone();
        let (url, token) = (url.clone(), token.clone());
        asked.spawn(async move {
            let mut headers = vec![("authorization", token.as_str())];
            if !body.is_empty() {
                headers.push(("content-type", content_type));
            }
            let begun = Instant::now();
            let answer = try_call(method, &url, &headers, body).await;
            (method, url.clone(), answer, begun.elapsed())
        });
    }
    let mut slowest = Duration::ZERO;
    for (method, url, answer, took) in asked.join_all().await {
        let answer = answer.unwrap_or_else(|why| panic!("{method} {url}: {why}"));
        assert_eq!(answer.status, 503, "{method} {url}: {}", answer.text());
        assert!(
            took <= TOLD_MAX + HANDED_ON_MAX,
            "{method} {url} took {took:?}"
        );
        slowest = slowest.max(took);
    }
    let own = server.process.events("http.request");
    let own_max = own.iter().filter(|line| line["status"] == 503);
    let own_max = own_max
        .filter_map(|line| line["ms"].as_u64())
        .max()
        .unwrap_or(0);
    assert!(
        u128::from(own_max) <= TOLD_MAX.as_millis(),
        "the server took {own_max} ms"
    );
    (CROWD, slowest)
}

/// F39: what the networks answer while the database is away, also after the attempts' own time, is
/// stored when it is back; nothing new is sent meanwhile; the log stays readable.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn answers_outlive_an_outage_that_is_longer_than_their_attempts() {
    let own = Own::new("");
    let mut way = Forwarder::to(own.server.port()).await;
    // Without hedging: a lane that wants another attempt beside the silent one waits for the
    // database before it stores the first one's answer.
    let figures = Figures {
        attempt_deadline_seconds: 1,
        hedging: false,
        ..Figures::default()
    };
    let sandbox = Sandbox::on(own.server.url(), figures).await;
    let through = own.server.url_through(way.port());
    let server = Server::start_on(&sandbox, &["serve"], "the one", &through).await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail(&fault("*", "alert", "kind = \"late\"\nms = 700"))
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    let waiting = server.submit(&team, "flood-2").await;
    sandbox.networks.wait_for("alert", "", super::LANES).await;
    way.refuse().await;
    let (begun, lines) = (Instant::now(), server.process.lines().len());
    let refused = server.move_to(&team, &waiting, "broadcasting").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    // The attempts' time is over after two seconds: a second for the answer, one for the clocks.
    poll_until(SOON, "the outage outlived the attempts", async || {
        (begun.elapsed() > Duration::from_secs(8)).then_some(())
    })
    .await;
    let ready = format!("{}/_api_status/ready", server.url);
    assert_eq!(call("GET", &ready, &[], String::new()).await.status, 503);
    assert_eq!(
        sandbox.networks.requests().await.len(),
        super::LANES,
        "nothing new was sent"
    );
    let outage = begun.elapsed().as_secs();
    let said = server.process.lines().split_off(lines);
    say(&format!(
        "the log of {outage} s without the database, {} lines:\n{}",
        said.len(),
        said.join("\n")
    ));
    let lines_max = usize::try_from(outage * 3).expect("small") + 2 * super::LANES;
    assert!(
        said.len() <= lines_max,
        "{} lines in {outage} s",
        said.len()
    );
    assert_eq!(
        server.process.events("attempt.not_stored").len(),
        super::LANES
    );
    let away = server.process.events("database.away");
    assert_eq!(away.len(), 1, "{away:?}");
    let cause = away[0]["cause"].as_str().expect("a text");
    assert!(cause.contains("Connection refused"), "{cause}");
    for event in [
        "sweep.failed",
        "schedule.failed",
        "jobs.failed",
        "http.unavailable",
    ] {
        let times = server.process.events(event).len();
        assert!(times <= 2, "{event} was said {times} times");
    }
    way.listen().await;
    for delivery in sandbox.acknowledged(&alert, super::LANES).await {
        let attempts = delivery["attempts"].as_array().expect("a list");
        assert_eq!(attempts.len(), 1, "{delivery}");
        assert_eq!(attempts[0]["outcome"], "accepted", "{delivery}");
    }
    server
        .move_to(&team, &waiting, "broadcasting")
        .await
        .must_be(200);
    sandbox.acknowledged(&waiting, super::LANES).await;
    judge(&sandbox, &server).await;
    assert_eq!(gather(&sandbox).await.requests.len(), 2 * super::LANES);
    server.end().await;
}
