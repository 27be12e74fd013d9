//! Every pair of faults on every two of a provider's four routes, for alerts and for cancels.
//!
//! One server has many providers with four routes each: two proxies times two sites. Each provider
//! plays one row of a covering array ([`pairs`]): a fault for alerts and one for cancels on every
//! route. One approval plays all of them at once. What must hold: a row in which one route works
//! ends acknowledged while the faults last; every row ends when they are over; and the oracle finds
//! nothing.

mod pairs;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;
use tokio::time::interval;

use self::pairs::cover_pairs;
use crate::support::evidence::{Evidence, gather};
use crate::support::forwarder::Forwarder;
use crate::support::history::must_hold;
use crate::support::poll_until;
use crate::support::sandbox::{Engine, Figures, Sandbox};
use crate::support::say;
use crate::support::server::Server;

/// The routes of every provider, in their order.
const ROUTES: [(&str, &str); 4] = [
    ("1", "cbc_a"),
    ("1", "cbc_b"),
    ("2", "cbc_a"),
    ("2", "cbc_b"),
];
/// An attempt takes a second at most: what is late comes after it.
const DEADLINE_SECONDS: u64 = 1;
/// Providers that play at once: with 8 faults each they fill a faults file.
const PROVIDERS_MAX: usize = 100;
/// How long a round may take until all that can arrive has: every route in turn takes its whole
/// time, and its drain where the provider knows no identifier again.
const ARRIVED_MAX: Duration = Duration::from_secs(60);
/// The provider of row n of a kind is called by the kind and n.
const DIGITS: usize = 3;

/// What a route does.
struct Level {
    /// The fault; empty: none.
    fault: &'static str,
    /// Whether what comes this way is accepted and said to be.
    works: bool,
}

const fn broken(fault: &'static str) -> Level {
    Level {
        fault,
        works: false,
    }
}

/// Answers that say nothing of worth come both ways: after the message was applied, so that it must
/// not be applied again, and without, so that it must not pass for accepted.
const LEVELS: [Level; 15] = [
    Level {
        fault: "",
        works: true,
    },
    Level {
        fault: "kind = \"slow\"\nms = 150",
        works: true,
    },
    broken("kind = \"refuse\""),
    broken("kind = \"unavailable\""),
    broken("kind = \"unavailable\"\napplied = true"),
    broken("kind = \"function-error\""),
    broken("kind = \"function-error\"\napplied = true"),
    broken("kind = \"hang\"\nms = 4000"),
    broken("kind = \"late\"\nms = 1500"),
    broken("kind = \"slow\"\nms = 1500"),
    broken("kind = \"drop-answer\""),
    broken("kind = \"drop-answer\"\napplied = false"),
    broken("kind = \"wrong-identifier\"\napplied = false"),
    broken("kind = \"truncated\""),
    broken("kind = \"not-json\"\napplied = false"),
];

/// A kind of provider.
#[derive(Clone, Copy)]
struct Kind {
    /// Its providers' names begin with this.
    prefix: &'static str,
    format: &'static str,
    dedup: bool,
    shared_sites: bool,
    own_protocol: bool,
    engine: Engine,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_faults_at_providers_that_speak_our_protocol() {
    play(Kind {
        prefix: "own",
        format: "cap",
        dedup: true,
        shared_sites: true,
        own_protocol: true,
        engine: Engine::Sqlite,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_faults_at_providers_with_foreign_proxies() {
    play(Kind {
        prefix: "ibag",
        format: "ibag",
        dedup: true,
        shared_sites: true,
        own_protocol: false,
        engine: Engine::Postgresql,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_faults_at_providers_that_know_no_identifier_again() {
    play(Kind {
        prefix: "again",
        format: "cap",
        dedup: false,
        shared_sites: true,
        own_protocol: true,
        engine: Engine::Postgresql,
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pairs_of_faults_at_providers_whose_sites_share_nothing() {
    play(Kind {
        prefix: "sites",
        format: "cap",
        dedup: true,
        shared_sites: false,
        own_protocol: true,
        engine: Engine::Sqlite,
    })
    .await;
}

impl Kind {
    fn name(&self, n: usize) -> String {
        format!("{}{n:0DIGITS$}", self.prefix)
    }

    /// The simulator's rules for these providers.
    fn rules(&self) -> String {
        format!(
            "dedup = {}\nseparate_sites = {}\n",
            self.dedup, !self.shared_sites
        )
    }

    fn configuration(&self, providers: usize) -> String {
        let mut text = String::new();
        for n in 0..providers {
            let name = self.name(n);
            let route = |(proxy, site): &(&str, &str)| {
                format!("{{ proxy = \"{name}-{proxy}-proxy\", site = \"{site}\" }}")
            };
            let routes: Vec<String> = ROUTES.iter().map(route).collect();
            write!(
                text,
                "[[provider]]\nname = \"{name}\"\nformat = \"{}\"\nroutes = [{}]\n\
                 capabilities = {{ dedup = {}, shared_sites = {}, own_protocol = {} }}\n\
                 upstream_timeout_seconds = {}\n",
                self.format,
                routes.join(", "),
                self.dedup,
                self.shared_sites,
                self.own_protocol,
                u64::from(!self.own_protocol),
            )
            .expect("a text can be written to");
        }
        text
    }

    /// The faults of these rows for one type of message.
    fn faults(&self, rows: &[Row], message_type: &str) -> String {
        let mut text = String::new();
        for (n, row) in rows.iter().enumerate() {
            let levels = row.levels(message_type);
            for ((proxy, site), level) in ROUTES.iter().zip(levels) {
                let fault = LEVELS[*level].fault;
                if fault.is_empty() {
                    continue;
                }
                let name = self.name(n);
                write!(
                    text,
                    "[[fault]]\nfunction = \"{name}-{proxy}-proxy\"\nsite = \"{site}\"\n\
                     message_type = \"{message_type}\"\n{fault}\n"
                )
                .expect("a text can be written to");
            }
        }
        text
    }

    /// Whether this row's cancel can be answered wherever it must be.
    fn ends_a_cancel(&self, row: &Row) -> bool {
        let works = |at: usize| LEVELS[row.cancel[at]].works;
        if self.shared_sites {
            (0..ROUTES.len()).any(works)
        } else {
            ["cbc_a", "cbc_b"].iter().all(|wanted| {
                let mut routes = ROUTES.iter().enumerate();
                routes.any(|(at, (_, site))| site == wanted && works(at))
            })
        }
    }
}

/// One combination: what each route does with alerts, and what with cancels.
#[derive(Clone)]
struct Row {
    alert: Vec<usize>,
    cancel: Vec<usize>,
}

impl Row {
    fn levels(&self, message_type: &str) -> &[usize] {
        if message_type == "alert" {
            &self.alert
        } else {
            &self.cancel
        }
    }

    fn carries_an_alert(&self) -> bool {
        self.alert.iter().any(|level| LEVELS[*level].works)
    }
}

/// Every pair of faults on any two routes, of alerts and cancels alike.
fn rows() -> Vec<Row> {
    let rows = cover_pairs(2 * ROUTES.len(), LEVELS.len());
    let split = |row: Vec<usize>| Row {
        alert: row[..ROUTES.len()].to_vec(),
        cancel: row[ROUTES.len()..].to_vec(),
    };
    rows.into_iter().map(split).collect()
}

async fn play(kind: Kind) {
    let rows = rows();
    let rounds = rows.len().div_ceil(PROVIDERS_MAX);
    let providers = rows.len().div_ceil(rounds);
    let sandbox = Sandbox::new(kind.engine).await;
    let port = sandbox
        .networks
        .url()
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok());
    let mut way = Forwarder::to(port.expect("it has a port")).await;
    let figures = Figures {
        attempt_deadline_seconds: DEADLINE_SECONDS,
        ..Figures::default()
    };
    let endpoint = format!("http://127.0.0.1:{}", way.port());
    sandbox.configure_with(figures, &endpoint, &kind.configuration(providers));
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    for (round, rows) in rows.chunks(providers).enumerate() {
        let alerts = kind.faults(rows, "alert");
        let cancels = kind.faults(rows, "cancel");
        sandbox
            .networks
            .fail(&format!("{}{alerts}{cancels}", kind.rules()))
            .await;
        let alert = server.submit(&team, &format!("flood-{round}")).await;
        server
            .move_to(&team, &alert, "broadcasting")
            .await
            .must_be(200);
        if round % 2 == 1 {
            disturb(&mut way).await;
        }
        let carried = |n: usize| rows.get(n).is_none_or(Row::carries_an_alert);
        wait_for(
            &sandbox,
            &alert,
            "alert",
            "acknowledged",
            carried,
            &kind,
            providers,
        )
        .await;
        if round % 2 == 0 {
            // What no route carried goes out when the faults are over.
            sandbox
                .networks
                .fail(&format!("{}{cancels}", kind.rules()))
                .await;
            wait_for(
                &sandbox,
                &alert,
                "alert",
                "acknowledged",
                |_| true,
                &kind,
                providers,
            )
            .await;
        }
        server
            .move_to(&team, &alert, "cancelled")
            .await
            .must_be(200);
        let ended = |n: usize| rows.get(n).is_none_or(|row| kind.ends_a_cancel(row));
        wait_for(&sandbox, &alert, "cancel", "", ended, &kind, providers).await;
        sandbox.networks.fail(&kind.rules()).await;
        wait_for(&sandbox, &alert, "cancel", "", |_| true, &kind, providers).await;
        say(&format!(
            "round {} of {rounds}: {} combinations",
            round + 1,
            rows.len()
        ));
    }
    let evidence = gather(&sandbox).await;
    let findings: Vec<String> = evidence
        .findings()
        .into_iter()
        .filter(|finding| !finding.starts_with("1: "))
        .chain(applied_too_often(&kind, &evidence))
        .collect();
    assert!(
        findings.is_empty(),
        "{} findings: {findings:#?}",
        findings.len()
    );
    nothing_is_live(&sandbox).await;
    must_hold(&sandbox).await;
    say(&format!(
        "{}: {} combinations of faults on four routes, {} requests: no finding",
        kind.prefix,
        rows.len(),
        evidence.requests.len()
    ));
    server.end().await;
}

/// Connections are reset and refused while attempts are under way.
async fn disturb(way: &mut Forwarder) {
    let mut beat = interval(Duration::from_millis(150));
    for _ in 0..6 {
        beat.tick().await;
        way.cut();
    }
    way.refuse().await;
    for _ in 0..4 {
        beat.tick().await;
    }
    way.listen().await;
}

/// Waits until this alert's deliveries of a kind, to those providers that are asked for, are in a
/// state; no state: until they have ended.
async fn wait_for(
    sandbox: &Sandbox,
    alert: &str,
    kind: &str,
    state: &str,
    is_asked: impl Fn(usize) -> bool,
    of: &Kind,
    providers: usize,
) {
    let asked: BTreeSet<String> = (0..providers)
        .filter(|n| is_asked(*n))
        .map(|n| of.name(n))
        .collect();
    let mut late = Vec::new();
    let what = format!("{} {kind}s are {state}", asked.len());
    let waiting = poll_until(2 * ARRIVED_MAX, &what, async || {
        let deliveries = sandbox.deliveries(alert).await;
        let is_there = |delivery: &Value| match state {
            "" => !delivery["ms"].is_null(),
            state => delivery["state"] == state,
        };
        let mut left = asked.clone();
        for delivery in deliveries
            .iter()
            .filter(|delivery| delivery["kind"] == kind)
        {
            if is_there(delivery) {
                left.remove(delivery["provider"].as_str().expect("a name"));
            }
        }
        let left_now = deliveries.iter().filter(|delivery| {
            delivery["provider"]
                .as_str()
                .is_some_and(|name| left.contains(name))
        });
        late = left_now.cloned().collect();
        left.is_empty().then_some(())
    });
    if tokio::time::timeout(ARRIVED_MAX, waiting).await.is_err() {
        late.truncate(4);
        panic!("not within {ARRIVED_MAX:?}: {what}; some of the rest: {late:#?}");
    }
}

/// S2: a provider (or a site of its own) applies an identifier once, unless it knows none again:
/// then once more for every attempt whose outcome nobody knew.
fn applied_too_often(kind: &Kind, evidence: &Evidence) -> Vec<String> {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for request in evidence
        .requests
        .iter()
        .filter(|request| request.applied.is_some())
    {
        let site = request.payload["cbc_target"].as_str().unwrap_or_default();
        let place = if kind.shared_sites { "" } else { site };
        let key = (request.identifier().to_owned(), place.to_owned());
        *counts.entry(key).or_default() += 1;
    }
    let lost: BTreeMap<&str, usize> = evidence
        .deliveries()
        .map(|(_, delivery)| {
            let unknown = delivery.attempts.iter();
            let unknown = unknown.filter(|attempt| attempt.outcome.as_deref() == Some("unknown"));
            (&*delivery.id, unknown.count())
        })
        .collect();
    let allowed = |id: &str| {
        let lost = lost.get(id).copied().unwrap_or_default();
        if kind.dedup { 1 } else { 1 + lost }
    };
    counts
        .into_iter()
        .filter(|((id, _), count)| *count > allowed(id))
        .map(|((id, place), count)| format!("1: {id} was applied {count} times {place}"))
        .collect()
}

/// S13: what was cancelled is on the air nowhere.
async fn nothing_is_live(sandbox: &Sandbox) {
    let state = sandbox.networks.state().await;
    for (place, memory) in state.as_object().expect("an object") {
        assert_eq!(memory["live"], serde_json::json!({}), "{place}");
    }
}

#[test]
fn every_pair_of_a_route_and_a_fault_with_another_occurs() {
    let rows = rows();
    let count = 4 * rows.len();
    assert!(
        count >= 1_000,
        "{count} combinations over the four kinds of providers"
    );
    let mut seen = BTreeSet::new();
    for row in &rows {
        for one in 0..ROUTES.len() {
            for other in (0..ROUTES.len()).filter(|other| *other != one) {
                for message_type in ["alert", "cancel"] {
                    let levels = row.levels(message_type);
                    seen.insert((message_type, one, levels[one], other, levels[other]));
                }
            }
        }
    }
    let pairs = 2 * ROUTES.len() * (ROUTES.len() - 1) * LEVELS.len() * LEVELS.len();
    assert_eq!(seen.len(), pairs);
    assert_eq!(
        LEVELS.len(),
        15,
        "the test of the covering uses this number"
    );
}
