//! Deploying: a process ends in good order while another of the same service goes on.

use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::{judge, judge_without_server};
use crate::support::process::Signal;
use crate::support::sandbox::{Engine, Sandbox};
use crate::support::server::{END_MAX, Server};
use crate::support::{SOON, api, poll_until};

on_both_engines!(told_to_end_it_is_not_ready_and_awaits_what_is_open);

/// A load balancer sees it go before it is gone; what was on its way is not sent again.
async fn told_to_end_it_is_not_ready_and_awaits_what_is_open(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let mut server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let late = fault("*", "alert", "kind = \"late\"\nms = 3000");
    sandbox.networks.fail(&late).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "", 4).await;
    server.process.signal(Signal::Terminate).await;
    let url = format!("{}/_api_status/ready", server.url);
    poll_until(SOON, "it says that it is not ready", async || {
        let answer = api::try_call("GET", &url, &[], String::new()).await;
        (answer
            .expect("it is there until its attempts are over")
            .status
            == 503)
            .then_some(())
    })
    .await;
    let refused = server.open("POST", "/v2/broadcast").await;
    assert_eq!(
        refused.status,
        503,
        "it takes nothing in: {}",
        refused.text()
    );
    assert_eq!(server.process.ended_within(END_MAX).await, Some(0));
    let evidence = judge_without_server(&sandbox).await;
    assert_eq!(evidence.requests.len(), 4);
    for delivery in evidence.deliveries_of(&alert) {
        assert_eq!(delivery.state, "acknowledged");
        assert_eq!(delivery.attempts.len(), 1, "{delivery:?}");
    }
}

/// Old and new on one database, under load from both sides: nothing is sent twice.
#[tokio::test]
async fn the_old_process_ends_under_load_and_nothing_is_sent_twice() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let mut old = Server::start_as(&sandbox, &["serve"], "old").await;
    let team = sandbox.live_team().await;
    let late = "[[fault]]\nkind = \"late\"\nms = 300\n";
    sandbox.networks.fail(late).await;
    let mut alerts = Vec::new();
    for n in 0..4 {
        alerts.push(old.broadcast(&team, &format!("old-{n}")).await);
    }
    let new = Server::start_as(&sandbox, &["serve"], "new").await;
    for n in 0..4 {
        alerts.push(old.broadcast(&team, &format!("both-{n}")).await);
        alerts.push(new.broadcast(&team, &format!("new-{n}")).await);
    }
    old.process.signal(Signal::Terminate).await;
    for n in 4..8 {
        alerts.push(new.broadcast(&team, &format!("new-{n}")).await);
    }
    assert_eq!(old.process.ended_within(END_MAX).await, Some(0));
    for alert in &alerts {
        sandbox.acknowledged(alert, 4).await;
    }
    let evidence = judge(&sandbox, &new).await;
    for (_, delivery) in evidence.deliveries() {
        assert_eq!(evidence.requests_of(&delivery.id).len(), 1, "{delivery:?}");
    }
    assert_eq!(evidence.requests.len(), 4 * alerts.len());
    new.end().await;
}
