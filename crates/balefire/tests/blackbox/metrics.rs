//! `/metrics`: what must hold in it after an alert, while a network refuses, and without the
//! database; and that what docs/operations shows and alerts on is there.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::support::api::{Answer, call};
use crate::support::forwarder::Forwarder;
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::{self, judge};
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until};

on_both_engines!(
    an_alert_that_went_through_is_counted,
    what_a_refusing_network_leaves_is_seen,
    every_role_tells_its_metrics_and_none_does_unasked,
);

/// What somebody who watches may have to wait for an answer, on a busy machine.
const TOLD_MAX: Duration = Duration::from_secs(3);

/// A server with `/metrics` on a free port.
struct Watched {
    server: Server,
    url: String,
}

impl Watched {
    async fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        Self::start_on(sandbox, args, &sandbox.database_url()).await
    }

    /// The same on the database at another address, such as a forwarder's.
    async fn start_on(sandbox: &Sandbox, args: &[&str], database: &str) -> Self {
        let mut command = sandbox.command(args);
        command.env("BALEFIRE__METRICS__LISTEN", ":0");
        command.env("BALEFIRE__DATABASE__URL", database);
        let mut server = Server::start_command("the one", command).await;
        let url = server.process.line_after("balefire: metrics on ").await;
        assert!(url.starts_with("http://127.0.0.1:"), "{url}");
        Self { server, url }
    }

    async fn scrape(&self) -> Answer {
        call("GET", &self.url, &[], String::new()).await
    }

    /// An answer, which must come in time whatever becomes of the database.
    async fn scrape_in_time(&self) -> Answer {
        let began = Instant::now();
        let answer = self.scrape().await;
        let took = began.elapsed();
        assert!(took < TOLD_MAX, "it took {took:?}");
        answer
    }

    /// Waits until the metrics say so; all of them.
    async fn tells(&self, what: &str, is_so: impl Fn(&Told) -> bool) -> Told {
        poll_until(SOON, what, async || {
            let told = Told(self.scrape().await.text());
            is_so(&told).then_some(told)
        })
        .await
    }
}

/// The text of one answer.
struct Told(String);

impl Told {
    /// The sum of the samples of this name that carry these labels; none: there is no such sample.
    fn figure(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let fits = |line: &&str| {
            let rest = line.strip_prefix(name).unwrap_or_default();
            let is_name = rest.starts_with([' ', '{']);
            let has =
                |(label, value): &(&str, &str)| rest.contains(&format!("{label}=\"{value}\""));
            is_name && labels.iter().all(has)
        };
        let value = |line: &str| {
            let (_, value) = line.rsplit_once(' ').expect("a sample has a value");
            value.parse::<f64>().expect("a value is a number")
        };
        let found: Vec<f64> = self.0.lines().filter(fits).map(value).collect();
        (!found.is_empty()).then(|| found.iter().sum())
    }

    #[track_caller]
    fn must_be(&self, name: &str, labels: &[(&str, &str)], want: f64) {
        let found = self.figure(name, labels);
        assert_eq!(found, Some(want), "{name} {labels:?}\n{}", self.0);
    }

    #[track_caller]
    fn must_be_above(&self, name: &str, labels: &[(&str, &str)], least: f64) {
        let found = self.figure(name, labels);
        assert!(
            found > Some(least),
            "{name} {labels:?} is {found:?}\n{}",
            self.0
        );
    }

    /// The names of the metrics.
    fn names(&self) -> BTreeSet<String> {
        let types = self
            .0
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE "));
        let name = |line: &str| line.split(' ').next().expect("a name").to_owned();
        types.map(name).collect()
    }
}

async fn an_alert_that_went_through_is_counted(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let watched = Watched::start(&sandbox, &["serve"]).await;
    let before = Told(watched.scrape().await.text());
    for (provider, _) in PROVIDERS {
        before.must_be("balefire_lanes_waiting", &[("provider", provider)], 0.0);
    }
    before.must_be(
        "balefire_process_info",
        &[("environment", "development")],
        1.0,
    );
    let team = sandbox.live_team().await;
    let alert = watched.server.broadcast(&team, "counted").await;
    sandbox.settled(&alert, PROVIDERS.len()).await;
    let what = "four deliveries are acknowledged";
    let told = watched
        .tells(what, |told| {
            told.figure("balefire_deliveries", &[("state", "acknowledged")]) == Some(4.0)
        })
        .await;
    for (provider, _) in PROVIDERS {
        let of = [("provider", provider)];
        let accepted = [("provider", provider), ("outcome", "accepted")];
        told.must_be("balefire_attempt_duration_seconds_count", &accepted, 1.0);
        told.must_be("balefire_attempt_duration_seconds_count", &of, 1.0);
        told.must_be("balefire_acceptance_delay_seconds_count", &of, 1.0);
        told.must_be_above("balefire_acceptance_delay_seconds_sum", &of, 0.0);
        told.must_be("balefire_lanes_waiting", &of, 0.0);
        told.must_be_above(
            "balefire_provider_last_acceptance_timestamp_seconds",
            &of,
            told.figure("balefire_process_start_timestamp_seconds", &[])
                .expect("it is told"),
        );
        let routes = ["1", "2"].map(|n| format!("{provider}-{n}-proxy"));
        let by_route = routes.iter().filter_map(|route| {
            let labels = [("outcome", "accepted"), ("route", route)];
            told.figure("balefire_attempt_duration_seconds_count", &labels)
        });
        let by_route: Vec<f64> = by_route.collect();
        assert_eq!(by_route, [1.0], "one route of {provider} carried it");
    }
    told.must_be(
        "balefire_unacknowledged_deliveries",
        &[("kind", "alert")],
        0.0,
    );
    told.must_be(
        "balefire_unacknowledged_oldest_age_seconds",
        &[("kind", "alert")],
        0.0,
    );
    told.must_be("balefire_database_up", &[], 1.0);
    told.must_be("balefire_clock_trusted", &[], 1.0);
    for transaction in ["dispatch.open", "dispatch.settle", "metrics"] {
        let of = [("transaction", transaction)];
        let name = "balefire_database_transaction_duration_seconds";
        told.must_be_above(&format!("{name}_count"), &of, 0.0);
        told.must_be_above(&format!("{name}_sum"), &of, 0.0);
        told.must_be("balefire_database_transaction_failures_total", &of, 0.0);
    }
    let posted = [
        ("method", "POST"),
        ("route", "/v2/broadcast"),
        ("status", "2xx"),
    ];
    told.must_be("balefire_http_request_duration_seconds_count", &posted, 1.0);
    assert!(!told.0.contains(&alert), "no label names an alert");
    judge(&sandbox, &watched.server).await;
    watched.server.end().await;
}

async fn what_a_refusing_network_leaves_is_seen(engine: Engine) {
    let figures = Figures {
        heartbeat_period_seconds: 180,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let watched = Watched::start(&sandbox, &["serve"]).await;
    let team = sandbox.live_team().await;
    let refusing = fault("ee-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&refusing).await;
    let alert = watched.server.broadcast(&team, "refused").await;
    sandbox.acknowledged(&alert, PROVIDERS.len() - 1).await;
    let heartbeat = [("kind", "heartbeat")];
    let told = watched
        .tells(
            "ee refused and every proxy was asked whether it is there",
            |told| {
                let refused = [("provider", "ee"), ("outcome", "unknown")];
                let acknowledged = [("state", "acknowledged")];
                told.figure("balefire_attempt_duration_seconds_count", &refused) > Some(1.0)
                    && told.figure("balefire_deliveries", &acknowledged) == Some(3.0)
                    && told.figure("balefire_link_test_ok", &heartbeat) == Some(8.0)
            },
        )
        .await;
    told.must_be("balefire_lanes_waiting", &[("provider", "ee")], 1.0);
    told.must_be("balefire_lanes_waiting", &[("provider", "o2")], 0.0);
    told.must_be(
        "balefire_unacknowledged_deliveries",
        &[("kind", "alert")],
        1.0,
    );
    told.must_be_above(
        "balefire_unacknowledged_oldest_age_seconds",
        &[("kind", "alert")],
        0.0,
    );
    told.must_be(
        "balefire_unacknowledged_deliveries",
        &[("kind", "cancel")],
        0.0,
    );
    let last = "balefire_provider_last_acceptance_timestamp_seconds";
    assert_eq!(
        told.figure(last, &[("provider", "ee")]),
        None,
        "it never took anything"
    );
    told.must_be_above(last, &[("provider", "o2")], 1.0);
    told.must_be("balefire_link_test_duration_seconds_count", &heartbeat, 8.0);
    let skew = told.figure("balefire_proxy_clock_skew_seconds", &heartbeat);
    assert!(skew.is_some_and(|skew| skew.abs() < 8.0), "{skew:?}");
    told.must_be("balefire_job_tries_total", &[("result", "failed")], 0.0);
    the_papers_agree(&told);

    sandbox.networks.fail("").await;
    sandbox.settled(&alert, PROVIDERS.len()).await;
    let over = [("provider", "ee")];
    watched
        .tells("nothing waits at ee", |told| {
            told.figure("balefire_lanes_waiting", &over) == Some(0.0)
        })
        .await;
    judge(&sandbox, &watched.server).await;
    watched.server.end().await;
}

/// What the dashboard, the alert rules and their page name is told, and all that is told is on the
/// page.
#[track_caller]
fn the_papers_agree(told: &Told) {
    const PAGE: &str = include_str!("../../../../docs/operations/README.md");
    const DASHBOARD: &str = include_str!("../../../../docs/operations/dashboard.json");
    const RULES: &str = include_str!("../../../../docs/operations/alerts.yml");
    let there = told.names();
    for (paper, text) in [("dashboard.json", DASHBOARD), ("alerts.yml", RULES)] {
        let named = names_in(text);
        assert!(named.len() > 8, "{paper} names {named:?}");
        let unknown: Vec<_> = named.difference(&there).collect();
        assert!(
            unknown.is_empty(),
            "{paper} names {unknown:?}, which nobody tells"
        );
    }
    assert_eq!(names_in(PAGE), there, "README.md of docs/operations");
    let rules = RULES
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "));
    let explained = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| `Balefire"));
    let explained = explained.filter_map(|rest| rest.split_once('`'));
    let explained: BTreeSet<String> = explained
        .map(|(name, _)| format!("Balefire{name}"))
        .collect();
    let rules: BTreeSet<String> = rules.map(str::to_owned).collect();
    assert_eq!(explained, rules, "every rule is explained");
}

/// The metrics that a text names, without what a histogram adds to its name.
fn names_in(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_part(c));
    let ours = words.filter(|word| word.starts_with("balefire_"));
    let base = |word: &str| {
        let suffixes = ["_seconds_bucket", "_seconds_sum", "_seconds_count"];
        let suffix = suffixes.into_iter().find(|suffix| word.ends_with(suffix));
        match suffix.and_then(|suffix| word.strip_suffix(suffix)) {
            Some(base) => format!("{base}_seconds"),
            None => word.to_owned(),
        }
    };
    ours.map(base).collect()
}

async fn every_role_tells_its_metrics_and_none_does_unasked(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    for role in ["api", "dispatch", "schedule"] {
        let watched = Watched::start(&sandbox, &["serve", "--roles", role]).await;
        let told = Told(watched.scrape().await.text());
        told.must_be("balefire_database_up", &[], 1.0);
        let elsewhere = format!("{}/metrics", watched.server.url);
        if role == "api" {
            let answer = call("GET", &elsewhere, &[], String::new()).await;
            assert_eq!(answer.status, 404, "only its own listener tells");
        }
        watched.server.end().await;
    }
    let server = Server::start(&sandbox).await;
    let lines = server.process.lines();
    assert!(
        !lines.iter().any(|line| line.contains("metrics on")),
        "{lines:?}"
    );
    server.end().await;
    oracle::nothing_was_sent(&sandbox).await;
}

#[tokio::test]
async fn without_the_database_the_process_still_tells_what_it_measured() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let watched = Watched::start(&sandbox, &["serve"]).await;
    let team = sandbox.live_team().await;
    let alert = watched.server.broadcast(&team, "before").await;
    sandbox.settled(&alert, PROVIDERS.len()).await;
    sandbox.take_database_away();
    let told = poll_until(
        SOON,
        "the metrics say that the database is away",
        async || {
            let answer = watched.scrape_in_time().await;
            assert_eq!(answer.status, 200, "what it measured itself is read");
            let told = Told(answer.text());
            (told.figure("balefire_database_up", &[]) == Some(0.0)).then_some(told)
        },
    )
    .await;
    told.must_be("balefire_process_info", &[], 1.0);
    told.must_be("balefire_clock_trusted", &[], 1.0);
    told.must_be(
        "balefire_attempt_duration_seconds_count",
        &[("outcome", "accepted")],
        4.0,
    );
    let failures = "balefire_database_transaction_failures_total";
    told.must_be_above(failures, &[("transaction", "metrics")], 0.0);
    assert_eq!(
        told.figure("balefire_lanes_waiting", &[]),
        None,
        "nobody knows"
    );
    let log = &watched.server.process;
    let away = poll_until(SOON, "the log says so too", async || {
        log.events("database.away").pop()
    })
    .await;
    let cause = away["cause"].as_str().expect("a text");
    assert!(cause.contains("too many connections"), "{away}");
    assert_eq!(away["level"], "ERROR");
    let lines = log.lines().len();
    // A look of its own says what fails while the database is away.
    for _ in 0..3 {
        watched.scrape_in_time().await;
    }
    let said = log.lines().split_off(lines);
    let repeated = |line: &&String| {
        [
            "metrics.not_read",
            "sweep.failed",
            "epoch.failed",
            "schedule.failed",
        ]
        .iter()
        .any(|event| line.contains(event))
    };
    assert_eq!(said.iter().find(repeated), None, "the outage was told of");
    sandbox.give_database_back();
    let back = poll_until(SOON, "the log says that it is back", async || {
        log.events("database.back").pop()
    })
    .await;
    assert_eq!(back["cause"], cause);
    assert!(back["seconds"].is_u64(), "{back}");
    assert_eq!(log.events("database.away").len(), 1, "it is said once");
    poll_until(SOON, "the database's figures are back", async || {
        let told = Told(watched.scrape().await.text());
        (told.figure("balefire_database_up", &[]) == Some(1.0)).then_some(())
    })
    .await;
    judge(&sandbox, &watched.server).await;
    watched.server.end().await;
}

#[tokio::test]
async fn who_watches_is_told_in_time_that_the_network_swallows_everything() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let database = sandbox.database_url();
    let (before, name) = database.rsplit_once('/').expect("an address has a path");
    let (before, port) = before.rsplit_once(':').expect("and a port");
    let way = Forwarder::to(port.parse().expect("a number")).await;
    let through = format!("{before}:{}/{name}", way.port());
    let watched = Watched::start_on(&sandbox, &["serve"], &through).await;
    assert_eq!(watched.scrape().await.status, 200);
    way.fall_silent();
    poll_until(SOON, "the latest look is too old", async || {
        let (one, other) = tokio::join!(watched.scrape_in_time(), watched.scrape_in_time());
        let up = [one, other].map(|answer| {
            assert_eq!(answer.status, 200);
            Told(answer.text()).figure("balefire_database_up", &[])
        });
        (up == [Some(0.0), Some(0.0)]).then_some(())
    })
    .await;
    way.speak();
    poll_until(SOON, "the database's figures are back", async || {
        let told = Told(watched.scrape().await.text());
        (told.figure("balefire_database_up", &[]) == Some(1.0)).then_some(())
    })
    .await;
    watched.server.end().await;
    oracle::nothing_was_sent(&sandbox).await;
}
