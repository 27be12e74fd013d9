//! A database that is not what it was: a restored copy, a failover.

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Figures, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until};

on_both_engines!(a_restored_copy_sends_nothing_until_a_person_releases_it);

async fn a_restored_copy_sends_nothing_until_a_person_releases_it(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    server.end().await;
    sandbox.make_it_a_copy();
    let server = Server::start(&sandbox).await;
    let alert = server.broadcast(&team, "flood-1").await;
    held_for(&sandbox, &alert, "restored").await;
    assert!(sandbox.networks.requests().await.is_empty());
    let items = sandbox.json(&["item", "list"]).await;
    assert_eq!(items[0]["kind"], json!("database_restored"), "{items}");
    let nameless = sandbox.run(&["database", "release"]).await;
    assert_eq!(nameless.code, Some(2), "it names no person");
    let member = ["database", "release", "--as", &team.approver.email];
    let refused = sandbox.run(&member).await;
    assert_eq!(refused.code, Some(1), "it concerns every service");
    let administrator = sandbox.administrator().await;
    let release = ["database", "release", "--as", &administrator];
    sandbox.json(&release).await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
    let items = sandbox.json(&["item", "list"]).await;
    assert_eq!(items, json!([]), "the release closes it");
    let again = sandbox.run(&release).await;
    assert_eq!(again.code, Some(1), "nothing waits any more");
    // The next start finds nothing new.
    server.end().await;
    let server = Server::start(&sandbox).await;
    let alert = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
}

#[tokio::test]
async fn after_a_failover_nothing_leaves_until_what_was_in_flight_is_over() {
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(Engine::Postgresql, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    server.end().await;
    let api = Server::start_as(&sandbox, &["serve", "--roles", "api"], "an api").await;
    let alert = api.broadcast(&team, "flood-1").await;
    api.end().await;
    sandbox.pretend_another_timeline();
    let server = Server::start(&sandbox).await;
    held_for(&sandbox, &alert, "quarantine").await;
    server.cancel(&team, "flood-1").await;
    let settled = sandbox.settled(&alert, 8).await;
    for cancel in settled
        .iter()
        .filter(|delivery| delivery["kind"] == "cancel")
    {
        // No attempt is known, and yet one may have been made: the cancel is sent.
        assert_eq!(cancel["reason"], "unknown_reference", "{cancel}");
    }
    let items = sandbox.json(&["item", "list"]).await;
    assert_eq!(items[0]["kind"], json!("database_failed_over"), "{items}");
    drop(server);
}

async fn held_for(sandbox: &Sandbox, alert: &str, reason: &str) {
    poll_until(SOON, "every delivery is held", async || {
        let deliveries = sandbox.deliveries(alert).await;
        let is_held =
            |delivery: &Value| delivery["state"] == "held" && delivery["reason"] == reason;
        (deliveries.len() == 4 && deliveries.iter().all(is_held)).then_some(())
    })
    .await;
}
