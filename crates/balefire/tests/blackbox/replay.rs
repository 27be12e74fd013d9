//! `delivery replay`: a person's "try this now".

use serde_json::json;

use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until};

on_both_engines!(a_delivery_that_waits_can_be_tried_at_once_and_one_that_ended_cannot);

async fn a_delivery_that_waits_can_be_tried_at_once_and_one_that_ended_cannot(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let down = fault("ee-*", "alert", "kind = \"unavailable\"");
    sandbox.networks.fail(&down).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    let of = |deliveries: Vec<serde_json::Value>, provider: &str| {
        let found = deliveries.into_iter().find(|d| d["provider"] == provider);
        found.expect("one each")["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let deliveries = sandbox.deliveries(&alert).await;
    let (waits, ended) = (of(deliveries.clone(), "ee"), of(deliveries, "o2"));
    let email = team.approver.email.as_str();
    poll_until(SOON, "a dry run finds it between two rounds", async || {
        let dry = [
            "delivery",
            "replay",
            &waits,
            "--dry-run",
            "--as",
            email,
            "--json",
        ];
        let ran = sandbox.run(&dry).await;
        let told = ran.json();
        let is_sent = told["sends"] == json!(true);
        assert_eq!(ran.code, Some(i32::from(!is_sent)), "{told}");
        is_sent.then_some(())
    })
    .await;
    let over = ["delivery", "replay", &ended, "--as", email, "--json"];
    let refused = sandbox.run(&over).await;
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.json()["state"], "acknowledged");
    let nameless = sandbox.run(&["delivery", "replay", &waits]).await;
    assert_eq!(nameless.code, Some(2), "it names no person");
    let stranger = sandbox.live_team().await;
    let foreign = [
        "delivery",
        "replay",
        &waits,
        "--as",
        &stranger.approver.email,
    ];
    assert_eq!(
        sandbox.run(&foreign).await.code,
        Some(1),
        "of another service"
    );
    let nowhere = ["delivery", "replay", &alert, "--as", email];
    assert_eq!(
        sandbox.run(&nowhere).await.code,
        Some(1),
        "no such delivery"
    );
    sandbox.networks.fail("").await;
    poll_until(SOON, "the replay is taken", async || {
        let ran = sandbox
            .run(&["delivery", "replay", &waits, "--as", email, "--json"])
            .await;
        let told = ran.json();
        (told["sends"] == json!(true) || told["state"] == "acknowledged").then_some(())
    })
    .await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
}
