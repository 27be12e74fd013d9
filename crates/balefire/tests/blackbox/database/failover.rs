//! A standby that lags is promoted: the database forgets an attempt whose bytes had left.

use std::collections::BTreeSet;

use balefire_test_support::postgres::own::{OwnServer, StopMode};
use serde_json::{Value, json};

use super::{Own, blocking};
use crate::support::forwarder::Forwarder;
use crate::support::networks::fault;
use crate::support::sandbox::{self, Engine, Figures, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until};

/// The database that goes on knows of no attempt at `ee`, where the alert is on the air. Without
/// the taint its cancel would end as "never sent"; without the quarantine it could overtake the
/// alert.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_cancel_reaches_a_network_whose_attempt_the_failover_forgot() {
    let primary = Own::new("");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let standby = blocking(|| primary.server.make_standby(folder.path(), "laggard"));
    let way = Forwarder::to(primary.server.port()).await;
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::on(primary.server.url_through(way.port()), figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let person = sandbox.administrator().await;
    let person = person.as_str();
    sandbox
        .json(&["provider", "pause", "ee", "--as", person])
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    leave_behind(&primary, &standby).await;
    let lost = fault("ee-*", "alert", "kind = \"drop-answer\"");
    sandbox.networks.fail(&lost).await;
    sandbox
        .json(&["provider", "resume", "ee", "--as", person])
        .await;
    sandbox.networks.wait_for("alert", "ee-", 1).await;
    blocking(|| primary.server.stop(StopMode::Immediate));
    let applied = of_ee(&sandbox).await;
    assert!(
        applied
            .iter()
            .any(|request| request["applied"] == json!(true))
    );
    blocking(|| standby.promote());
    way.lead_to(standby.port());
    way.cut();
    poll_until(SOON, "the failover is told of", async || {
        let items = sandbox.json(&["item", "list"]).await;
        let kinds: Vec<&Value> = items.as_array()?.iter().map(|item| &item["kind"]).collect();
        kinds
            .contains(&&json!("database_failed_over"))
            .then_some(())
    })
    .await;
    let forgotten = &sandbox.deliveries(&alert).await[0];
    assert_eq!(forgotten["provider"], "ee");
    assert_eq!(forgotten["attempts"], json!([]), "the database forgot it");
    sandbox.networks.fail("").await;
    server.cancel(&team, "flood-1").await;
    let settled = sandbox.settled(&alert, 8).await;
    for delivery in settled
        .iter()
        .filter(|delivery| delivery["kind"] == "cancel")
    {
        assert_eq!(delivery["state"], "acknowledged", "{delivery}");
    }
    let sent = of_ee(&sandbox).await;
    let types: Vec<&Value> = sent
        .iter()
        .filter(|request| request["applied"] == json!(true))
        .map(|request| &request["payload"]["message_type"])
        .collect();
    assert_eq!(types, ["alert", "cancel"], "{sent:#?}");
    server.end().await;
}

/// The database that goes on knows nothing of the approval either: who was answered says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_alert_on_the_air_that_the_failover_forgot_is_told_to_a_person() {
    let primary = Own::new("");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let standby = blocking(|| primary.server.make_standby(folder.path(), "laggard"));
    let way = Forwarder::to(primary.server.port()).await;
    let sandbox = Sandbox::on(primary.server.url_through(way.port()), Figures::default()).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    leave_behind(&primary, &standby).await;
    let slow = fault("*", "alert", "kind = \"slow\"\nms = 4000");
    sandbox.networks.fail(&slow).await;
    let alert = server.broadcast(&team, "flood-1").await;
    for network in ["ee-", "o2-", "three-", "vodafone-"] {
        sandbox.networks.wait_for("alert", network, 1).await;
    }
    blocking(|| primary.server.stop(StopMode::Immediate));
    blocking(|| standby.promote());
    way.lead_to(standby.port());
    way.cut();
    poll_until(SOON, "each network's acceptance is told of", async || {
        let items = sandbox.json(&["item", "list"]).await;
        let of_attempts = items.as_array()?.iter().filter(|item| {
            let subject = item["subject"].as_str().unwrap_or_default();
            item["kind"] == "database_failed_over" && subject.starts_with("attempt ")
        });
        let networks: BTreeSet<&str> = of_attempts.filter_map(|i| i["provider"].as_str()).collect();
        (networks.len() == 4).then_some(())
    })
    .await;
    let alerts = sandbox
        .json(&["alert", "list", "--service", &team.service])
        .await;
    assert!(
        !alerts.to_string().contains(&alert),
        "it was to be forgotten"
    );
    server.end().await;
}

/// A cancel that comes before anybody has noticed the failover waits; it never ends as "never
/// sent".
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_cancel_straight_after_the_failover_waits_until_lanes_are_tainted() {
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(Engine::Postgresql, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let person = sandbox.administrator().await;
    let person = person.as_str();
    sandbox
        .json(&["provider", "pause", "ee", "--as", person])
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    server.end().await;
    // Whoever dispatches is away: nobody enters the new history.
    sandbox.pretend_another_timeline();
    let api = Server::start_as(&sandbox, &["serve", "--roles", "api"], "an api").await;
    api.cancel(&team, "flood-1").await;
    let of_ee = async || {
        let deliveries = sandbox.deliveries(&alert).await;
        let is_cancel = |d: &&Value| d["provider"] == "ee" && d["kind"] == "cancel";
        deliveries.iter().find(is_cancel).cloned()
    };
    let waits = of_ee().await.expect("it was issued");
    assert_eq!(
        (&waits["state"], &waits["reason"]),
        (&json!("held"), &json!("quarantine"))
    );
    let server = Server::start(&sandbox).await;
    poll_until(SOON, "the cancel was sent", async || {
        let cancel = of_ee().await?;
        (cancel["reason"] == "unknown_reference").then_some(())
    })
    .await;
    api.end().await;
    server.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_standby_is_not_worked_on() {
    let primary = Own::new("");
    let sandbox = primary.sandbox().await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let standby = blocking(|| primary.server.make_standby(folder.path(), "second"));
    let mut command = sandbox.command(&["service", "list"]);
    command.env("BALEFIRE__DATABASE__URL", standby.url());
    let ran = sandbox::run(command).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("database.url"), "{ran:?}");
}

/// The standby has everything up to now, and hears nothing more.
async fn leave_behind(primary: &Own, standby: &OwnServer) {
    poll_until(SOON, "the standby has everything", async || {
        let lag = "SELECT count(*) FROM pg_stat_replication \
                   WHERE replay_lsn = pg_current_wal_lsn()";
        (blocking(|| primary.server.sql(lag)) == "1").then_some(())
    })
    .await;
    for sql in [
        "ALTER SYSTEM SET primary_conninfo = ''",
        "SELECT pg_reload_conf()",
    ] {
        blocking(|| standby.sql(sql));
    }
    poll_until(SOON, "the standby hears nothing more", async || {
        let listening = "SELECT count(*) FROM pg_stat_replication";
        (blocking(|| primary.server.sql(listening)) == "0").then_some(())
    })
    .await;
}

/// The alerts and cancels that came to `ee`.
async fn of_ee(sandbox: &Sandbox) -> Vec<Value> {
    let mut requests = sandbox.networks.requests().await;
    requests.retain(|request| {
        let function = request["function"].as_str().unwrap_or_default();
        let message = request["payload"]["message_type"].as_str();
        function.starts_with("ee-") && matches!(message, Some("alert" | "cancel"))
    });
    requests
}
