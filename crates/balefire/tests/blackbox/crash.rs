//! Processes that die, freeze, end in the middle, or share their work.

use serde_json::Value;
use tokio::task::JoinSet;

use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::{judge, judge_without_server};
use crate::support::process::Signal;
use crate::support::sandbox::{Engine, Figures, Sandbox};
use crate::support::server::{END_MAX, Server};
use crate::support::{SOON, poll_until};

on_both_engines!(
    killed_between_intent_and_answer_it_is_applied_once,
    killed_before_anything_left_it_is_sent_by_the_next,
    a_cancel_after_a_kill_waits_for_the_drain,
    killed_again_and_again_every_alert_arrives_once,
    told_to_end_it_waits_for_the_answer,
    a_process_that_froze_sends_nothing_late,
    two_processes_under_one_name_do_no_harm,
);

const ALERTS_LATE: &str =
    "[[fault]]\nfunction = \"*\"\nmessage_type = \"alert\"\nkind = \"late\"\nms = 4000\n";

/// The networks applied the alert and were about to say so when the process died.
async fn killed_between_intent_and_answer_it_is_applied_once(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    sandbox.networks.fail(ALERTS_LATE).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    server.kill().await;
    let open = sandbox.deliveries(&alert).await;
    assert!(
        open.iter().all(|delivery| delivery["state"] == "in_flight"),
        "{open:#?}"
    );
    sandbox.networks.fail("").await;

    let server = Server::start(&sandbox).await;
    let deliveries = sandbox.acknowledged(&alert, 4).await;
    for delivery in &deliveries {
        assert_eq!(outcomes(delivery), ["unknown", "duplicate"], "{delivery}");
    }
    assert_eq!(server.process.events("attempt.orphaned").len(), 4);
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 8);
    let state = sandbox.networks.state().await;
    for network in state.as_object().expect("an object").values() {
        assert_eq!(network["applied"], 1, "{state}");
    }
}

/// The approval was committed, and no dispatcher lived to see it.
async fn killed_before_anything_left_it_is_sent_by_the_next(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let api_only = ["serve", "--roles", "api"];
    let server = Server::start_as(&sandbox, &api_only, "the api").await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    server.kill().await;
    assert!(sandbox.networks.requests().await.is_empty());

    let server = Server::start(&sandbox).await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4);
}

/// What the dead process sent may still be applied: the cancel must not overtake it.
async fn a_cancel_after_a_kill_waits_for_the_drain(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 3,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    // Applied late, but before `not_after`.
    let slow = fault("ee-*", "alert", "kind = \"slow\"\nms = 2000");
    sandbox.networks.fail(&slow).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "ee", 1).await;
    server.kill().await;
    sandbox.act(&team, "cancel", &alert).await;

    let server = Server::start(&sandbox).await;
    sandbox.settled(&alert, 8).await;
    let evidence = judge(&sandbox, &server).await;
    let sent = evidence.delivery(&alert, "ee", "alert");
    let sent = evidence.requests_of(&sent.id);
    assert_eq!(sent.len(), 1, "the alert is not sent again");
    assert!(sent[0].applied.is_some());
    assert_eq!(
        evidence.delivery(&alert, "ee", "cancel").state,
        "acknowledged"
    );
    let state = sandbox.networks.state().await;
    assert_eq!(state["ee"]["live"], serde_json::json!({}), "{state}");
}

async fn killed_again_and_again_every_alert_arrives_once(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let slow = "[[fault]]\nkind = \"slow\"\nms = 40\n";
    sandbox.networks.fail(slow).await;
    let mut alerts = Vec::new();
    for round in 0..4_u64 {
        let server = Server::start(&sandbox).await;
        for n in 0..2 {
            alerts.push(server.broadcast(&team, &format!("flood-{round}-{n}")).await);
        }
        // A little further into the course of things each time.
        let wanted = usize::try_from(round).expect("small");
        sandbox.networks.wait_for("alert", "", 8 * wanted).await;
        server.kill().await;
    }
    let server = Server::start(&sandbox).await;
    for alert in &alerts {
        sandbox.acknowledged(alert, 4).await;
    }
    let evidence = judge(&sandbox, &server).await;
    let applied = evidence
        .requests
        .iter()
        .filter(|request| request.applied.is_some());
    assert_eq!(applied.count(), 4 * alerts.len());
}

async fn told_to_end_it_waits_for_the_answer(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let mut server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail(&ALERTS_LATE.replace("4000", "1500"))
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    server.process.signal(Signal::Terminate).await;
    assert_eq!(server.process.ended_within(END_MAX).await, Some(0));
    let deliveries = sandbox.deliveries(&alert).await;
    for delivery in &deliveries {
        assert_eq!(outcomes(delivery), ["accepted"], "{delivery}");
        assert_eq!(delivery["state"], "acknowledged");
    }
    judge_without_server(&sandbox).await;
}

/// A process that is stopped in the middle and goes on when all is over.
async fn a_process_that_froze_sends_nothing_late(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let frozen = Server::start_as(&sandbox, &["serve"], "one").await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail(&ALERTS_LATE.replace("4000", "1000"))
        .await;
    let alert = frozen.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    frozen.process.signal(Signal::Stop).await;
    sandbox.networks.fail("").await;

    let other = Server::start_as(&sandbox, &["serve"], "two").await;
    // The other one closes what the frozen one left open, and finds that it was applied.
    sandbox.acknowledged(&alert, 4).await;
    other.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;
    frozen.process.signal(Signal::Continue).await;
    poll_until(SOON, "the frozen one answers again", async || {
        let url = format!("{}/_api_status/ready", frozen.url);
        let answer = crate::support::api::try_call("GET", &url, &[], String::new()).await;
        answer
            .is_ok_and(|answer| answer.status == 200)
            .then_some(())
    })
    .await;
    let again = frozen.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&again, 4).await;
    let evidence = judge(&sandbox, &frozen).await;
    let cancelled = evidence.deliveries_of(&alert);
    assert_eq!(
        cancelled
            .iter()
            .filter(|d| d.state == "acknowledged")
            .count(),
        8
    );
    frozen.end().await;
    other.end().await;
}

/// A mistake in the configuration: each declares the other dead, again and again.
async fn two_processes_under_one_name_do_no_harm(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let one = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let late = "[[fault]]\nkind = \"late\"\nms = 1500\n";
    sandbox.networks.fail(late).await;
    let alert = one.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    // It takes what the first one sends for orphaned, and sends it again.
    let two = Server::start(&sandbox).await;
    sandbox.acknowledged(&alert, 4).await;
    two.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;
    judge(&sandbox, &two).await;
    one.end().await;
    two.end().await;
}

/// What a network answered while the database was away is a fact all the same.
#[tokio::test]
async fn an_answer_outlives_a_database_that_goes_away() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let late = "[[fault]]\nkind = \"late\"\nms = 1000\n";
    sandbox.networks.fail(late).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    sandbox.take_database_away();
    let told = poll_until(SOON, "the server says that it is not ready", async || {
        let answer = server.open("GET", "/_api_status/ready").await;
        (answer.status == 503).then(|| answer.json())
    })
    .await;
    assert_eq!(told["database"], "unavailable");
    assert_eq!(server.open("GET", "/_api_status").await.status, 200);
    poll_until(SOON, "four answers could not be stored", async || {
        (server.process.events("attempt.not_stored").len() >= 4).then_some(())
    })
    .await;

    sandbox.give_database_back();
    for delivery in sandbox.acknowledged(&alert, 4).await {
        assert_eq!(outcomes(&delivery), ["accepted"], "{delivery}");
    }
    poll_until(SOON, "the server is ready again", async || {
        let answer = server.open("GET", "/_api_status/ready").await;
        (answer.status == 200).then_some(())
    })
    .await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4);
    let next = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&next, 4).await;
    server.end().await;
}

/// Somebody else's transaction holds one network's lanes: the other networks are served.
#[tokio::test]
async fn lanes_that_are_locked_hold_up_no_others() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let api = Server::start_as(&sandbox, &["serve", "--roles", "api"], "the api").await;
    let team = sandbox.live_team().await;
    let alert = api.broadcast(&team, "flood-1").await;
    let mut holding = JoinSet::new();
    holding.spawn_blocking(sandbox.hold_lanes("ee", 4));
    poll_until(SOON, "the lanes of ee are held", async || {
        sandbox.are_lanes_held().then_some(())
    })
    .await;
    let dispatch = Server::start_as(&sandbox, &["serve", "--roles", "dispatch"], "it").await;
    let deliveries = sandbox.acknowledged(&alert, 3).await;
    let waiting = deliveries.iter().find(|d| d["provider"] == "ee");
    assert_eq!(waiting.expect("it is there")["state"], "ready");
    assert!(sandbox.are_lanes_held(), "the others did not wait for it");
    sandbox.acknowledged(&alert, 4).await;
    holding.join_all().await;
    let evidence = judge(&sandbox, &api).await;
    assert_eq!(evidence.requests.len(), 4);
    dispatch.end().await;
}

fn outcomes<'a>(delivery: &'a Value) -> Vec<&'a str> {
    let attempts = delivery["attempts"].as_array().expect("a list");
    let outcome = |attempt: &'a Value| attempt["outcome"].as_str().unwrap_or("open");
    attempts.iter().map(outcome).collect()
}
