//! Starting, being ready, ending; expiry; several processes on one database.

use std::collections::BTreeSet;

use serde_json::json;

use crate::support::api::words;
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::{self, judge};
use crate::support::process::Signal;
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::{END_MAX, Server};
use crate::support::{SOON, instant, now, poll_until};

on_both_engines!(
    a_server_says_when_it_is_ready,
    a_server_ends_at_either_signal,
    an_alert_that_nobody_took_expires_and_is_not_sent_afterwards,
    an_alert_that_was_taken_completes_at_its_end,
    a_wrong_configuration_names_everything_that_is_wrong,
    the_schema_must_be_current_before_anything_starts,
    roles_may_be_split_over_processes,
);

async fn a_server_says_when_it_is_ready(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let ready = server.open("GET", "/_api_status/ready").await.must_be(200);
    let want = json!({ "status": "ok", "database": "ok", "dispatcher": "ok", "clock": "ok" });
    assert_eq!(ready, want);
    let alive = server.open("GET", "/_api_status").await.must_be(200);
    assert_eq!(alive, json!({ "status": "ok" }));
    // A process that only answers is ready without a dispatcher of its own.
    let api_only = ["serve", "--roles", "api"];
    let api = Server::start_as(&sandbox, &api_only, "the api").await;
    assert_eq!(api.open("GET", "/_api_status/ready").await.status, 200);
    api.end().await;
    server.end().await;
}

async fn a_server_ends_at_either_signal(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let mut server = Server::start(&sandbox).await;
        server.process.signal(signal).await;
        let code = server.process.ended_within(END_MAX).await;
        assert_eq!(code, Some(0), "{signal:?}");
    }
    oracle::nothing_was_sent(&sandbox).await;
}

/// The author's web application sets the times just before the approval.
async fn approve_until(server: &Server, team: &crate::support::team::Team, alert: &str, end: i64) {
    let start = now();
    let finish = balefire_domain::time::Timestamp::from_micros(start.micros() + end * 1_000_000);
    let times = json!({
        "starts_at": start.to_json_style(),
        "finishes_at": finish.to_json_style(),
    });
    server
        .admin("POST", team, &format!("/{alert}"), Some(&times))
        .await
        .must_be(200);
    server
        .move_to(team, alert, "broadcasting")
        .await
        .must_be(200);
}

async fn an_alert_that_nobody_took_expires_and_is_not_sent_afterwards(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let faults = [
        fault("ee-*", "alert", "kind = \"unavailable\""),
        fault("o2-*", "alert", "kind = \"hang\"\nms = 20000"),
        fault("three-*", "alert", "kind = \"refuse\""),
    ];
    sandbox.networks.fail(&faults.concat()).await;
    let alert = server.submit(&team, "flood-1").await;
    approve_until(&server, &team, &alert, 4).await;

    let deliveries = sandbox.settled(&alert, 4).await;
    for delivery in &deliveries {
        let is_taken = delivery["provider"] == "vodafone";
        let want = if is_taken { "acknowledged" } else { "expired" };
        assert_eq!(delivery["state"], want, "{delivery}");
    }
    poll_until(SOON, "the alert is completed", async || {
        (server.read(&team, &alert).await["status"] == "completed").then_some(())
    })
    .await;
    let finishes_at = instant(&server.read(&team, &alert).await["finishes_at"]);
    // The next sweeps find nothing to do, although the networks would take it now.
    sandbox.networks.fail("").await;
    let other = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&other, 4).await;
    let evidence = judge(&sandbox, &server).await;
    for delivery in evidence.deliveries_of(&alert) {
        for request in evidence.requests_of(&delivery.id) {
            assert!(
                request.at_ms <= finishes_at.micros() / 1_000 + 100,
                "{request:?}"
            );
            let not_after = instant(&request.payload["not_after"]);
            assert!(not_after <= finishes_at, "{request:?}");
        }
    }
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let items = shown["duty_items"].as_array().expect("a list");
    assert!(!items.is_empty(), "somebody must hear of it: {shown:#}");
    let statuses = server.statuses(&team, &alert).await;
    let course = words(&statuses, "ee", "alert");
    assert_eq!(course[..2], ["sending", "returned-error"]);
}

async fn an_alert_that_was_taken_completes_at_its_end(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;
    approve_until(&server, &team, &alert, 3).await;
    sandbox.acknowledged(&alert, 4).await;
    poll_until(SOON, "the alert is completed", async || {
        (server.read(&team, &alert).await["status"] == "completed").then_some(())
    })
    .await;
    assert!(now() >= instant(&server.read(&team, &alert).await["finishes_at"]));
    server
        .move_to(&team, &alert, "cancelled")
        .await
        .must_be(400);
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(
        evidence.requests.len(),
        4,
        "what ends by itself is not cancelled"
    );
}

async fn a_wrong_configuration_names_everything_that_is_wrong(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let mut command = sandbox.command(&["serve"]);
    command
        .env("BALEFIRE__ENVIRONMENT", "live")
        .env("BALEFIRE__HTTP__LISTEN", "nowhere")
        .env("BALEFIRE__DISPATCH__ATTEMPT_DEADLINE_SECONDS", "200")
        .env("BALEFIRE__TICKETS__KIND", "zendesk");
    let ran = crate::support::sandbox::run(command).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let database = match engine {
        Engine::Sqlite => "database.single_node_is_fine",
        Engine::Postgresql => "secrets.key_file",
    };
    for key in [
        "http.listen",
        "dispatch.attempt_deadline_seconds",
        "dispatch.backoff_cap_seconds",
        "tickets.kind",
        "pages.none_is_fine",
        database,
    ] {
        assert!(
            ran.stderr.contains(key),
            "{key} is not named: {}",
            ran.stderr
        );
    }

    let unknown = sandbox.write("unknown.toml", "[http]\ncolour = \"red\"\n");
    let ran = sandbox
        .run(&["serve", "--config", &unknown.display().to_string()])
        .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("colour") && ran.stderr.contains("unknown.toml"),
        "{ran:?}"
    );
}

/// A file of one's own may be made by starting; a shared database is migrated on purpose.
async fn the_schema_must_be_current_before_anything_starts(engine: Engine) {
    let sandbox = Sandbox::unmigrated(engine, Figures::default()).await;
    if engine == Engine::Sqlite {
        let server = Server::start(&sandbox).await;
        assert_eq!(server.open("GET", "/_api_status/ready").await.status, 200);
        server.end().await;
        return;
    }
    for args in [["serve"].as_slice(), &["service", "list"]] {
        let ran = sandbox.run(args).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("balefire migrate"), "{ran:?}");
    }
    let applied = sandbox.json(&["migrate"]).await;
    assert!(!applied["applied"].as_array().expect("a list").is_empty());
    let again = sandbox.json(&["migrate"]).await;
    assert_eq!(again, json!({ "applied": [] }));
    Server::start(&sandbox).await.end().await;
}

async fn roles_may_be_split_over_processes(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let start =
        async |roles: &str| Server::start_as(&sandbox, &["serve", "--roles", roles], roles).await;
    let (api, dispatch) = (start("api").await, start("dispatch").await);
    let team = sandbox.live_team().await;
    let alert = api.submit(&team, "flood-1").await;
    approve_until(&api, &team, &alert, 4).await;
    sandbox.acknowledged(&alert, 4).await;
    let schedule = start("schedule").await;
    poll_until(SOON, "the alert is completed", async || {
        (api.read(&team, &alert).await["status"] == "completed").then_some(())
    })
    .await;
    judge(&sandbox, &api).await;
    for server in [api, dispatch, schedule] {
        server.end().await;
    }
}

/// Both send, and what both could send is sent once.
#[tokio::test]
async fn two_processes_share_one_postgresql_database() {
    // What a dead process left open is closed at the latest when it can't be applied any more.
    let figures = Figures {
        attempt_deadline_seconds: 4,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(Engine::Postgresql, figures).await;
    let one = Server::start_as(&sandbox, &["serve"], "one").await;
    let two = Server::start_as(&sandbox, &["serve"], "two").await;
    let team = sandbox.live_team().await;
    let mut alerts = Vec::new();
    for n in 0..4 {
        alerts.push(one.broadcast(&team, &format!("flood-a{n}")).await);
        alerts.push(two.broadcast(&team, &format!("flood-b{n}")).await);
    }
    for alert in &alerts {
        sandbox.acknowledged(alert, 4).await;
    }
    let sent = |server: &Server| -> BTreeSet<String> {
        let closed = server.process.events("attempt.closed");
        closed
            .iter()
            .map(|event| event["delivery.id"].to_string())
            .collect()
    };
    poll_until(SOON, "both logged what they sent", async || {
        (sent(&one).len() + sent(&two).len() >= 32).then_some(())
    })
    .await;
    assert!(
        !sent(&one).is_empty() && !sent(&two).is_empty(),
        "both send"
    );
    assert!(
        sent(&one).is_disjoint(&sent(&two)),
        "nothing is sent by both"
    );
    let evidence = judge(&sandbox, &one).await;
    assert_eq!(evidence.requests.len(), 32);

    // What one dies over, the other takes up.
    sandbox
        .networks
        .fail("[[fault]]\nkind = \"late\"\nms = 3000\nmessage_type = \"cancel\"\n")
        .await;
    one.cancel(&team, "flood-a0").await;
    sandbox.networks.wait_for("cancel", "", 4).await;
    one.kill().await;
    sandbox.networks.fail("").await;
    poll_until(SOON, "the other finishes the cancel", async || {
        let list = sandbox.deliveries(&alerts[0]).await;
        let is_done = |delivery: &&serde_json::Value| delivery["state"] == "acknowledged";
        (list.iter().filter(is_done).count() == 8).then_some(())
    })
    .await;
    let evidence = judge(&sandbox, &two).await;
    for (provider, _) in PROVIDERS {
        let cancel = evidence.delivery(&alerts[0], provider, "cancel");
        assert!(cancel.attempts.len() <= 2, "{cancel:?}");
    }
    two.end().await;
}
