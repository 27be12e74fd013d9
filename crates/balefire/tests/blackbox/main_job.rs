//! From a CAP document to every network.

use serde_json::json;

use crate::support::api::{ONE_OF_TWENTY, words};
use crate::support::on_both_engines;
use crate::support::oracle::{self, judge};
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, poll_until};

on_both_engines!(
    an_alert_is_acknowledged_by_all_four_networks,
    proxies_that_are_not_ours_get_nothing_but_the_stored_payload,
    twenty_approvals_at_once_make_one_event,
    a_training_service_sends_nothing,
    an_alert_of_a_test_key_is_never_sent,
    with_the_proxies_off_an_approval_makes_no_delivery,
);

async fn an_alert_is_acknowledged_by_all_four_networks(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;

    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4, "one request to each network");
    let statuses = server.statuses(&team, &alert).await;
    let state = sandbox.networks.state().await;
    for (provider, _) in PROVIDERS {
        assert_eq!(
            words(&statuses, provider, "alert"),
            ["sending", "returned-ack"]
        );
        assert_eq!(words(&statuses, provider, "cancel"), Vec::<String>::new());
        let id = &evidence.delivery(&alert, provider, "alert").id;
        assert_eq!(state[provider]["live"][id]["times_applied"], 1, "{state}");
        assert_eq!(
            evidence.requests_of(id)[0].function,
            format!("{provider}-1-proxy")
        );
    }
    assert_eq!(server.read(&team, &alert).await["status"], "broadcasting");
    server.end().await;
}

async fn proxies_that_are_not_ours_get_nothing_but_the_stored_payload(engine: Engine) {
    let foreign = Figures {
        own_protocol: false,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, foreign).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.team("live", "government").await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    for (provider, format) in PROVIDERS {
        let id = &evidence.delivery(&alert, provider, "alert").id;
        let payload = &evidence.requests_of(id)[0].payload;
        let mut keys: Vec<&str> = payload
            .as_object()
            .expect("an object")
            .keys()
            .map(String::as_str)
            .collect();
        keys.sort_unstable();
        let mut want = vec![
            "areas",
            "channel",
            "description",
            "expires",
            "headline",
            "identifier",
            "language",
            "message_format",
            "message_type",
            "sent",
        ];
        if format == "ibag" {
            want.insert(8, "message_number");
        }
        assert_eq!(keys, want);
    }
}

async fn twenty_approvals_at_once_make_one_event(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;

    let answers = server
        .move_twenty_times(&team, &alert, "broadcasting")
        .await;
    assert_eq!(answers, ONE_OF_TWENTY);
    let deliveries = sandbox.acknowledged(&alert, 4).await;
    assert_eq!(deliveries.len(), 4, "{deliveries:#?}");
    assert!(deliveries.iter().all(|delivery| delivery["seq"] == 1));
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4);
}

async fn a_training_service_sends_nothing(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let training = sandbox.team("training", "severe").await;
    let stubbed = server.broadcast(&training, "exercise-1").await;
    assert_eq!(
        server.read(&training, &stubbed).await["status"],
        "broadcasting"
    );
    assert_eq!(server.statuses(&training, &stubbed).await, json!({}));
    assert_eq!(sandbox.deliveries(&stubbed).await.len(), 0);

    // What a live alert of another service does meanwhile shows that time for sending has passed.
    let live = sandbox.live_team().await;
    let alert = server.broadcast(&live, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4, "all of them the live alert's");
    assert!(evidence.deliveries_of(&stubbed).is_empty());
}

async fn an_alert_of_a_test_key_is_never_sent(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let key = sandbox.key(&team.service, "test").await;
    let document = crate::support::documents::alert("trial-1");
    let alert = server.post_cap(&team, &key, document).await.must_be(201);
    let alert = alert["id"].as_str().expect("an id").to_owned();
    server
        .move_to(&team, &alert, "broadcasting")
        .await
        .must_be(200);
    assert_eq!(server.statuses(&team, &alert).await, json!({}));
    server
        .move_to(&team, &alert, "cancelled")
        .await
        .must_be(200);
    server.end().await;
    oracle::nothing_was_sent(&sandbox).await;
}

async fn with_the_proxies_off_an_approval_makes_no_delivery(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let mut command = sandbox.command(&["serve"]);
    command.env("BALEFIRE__CBC__ENABLED", "false");
    let mut process = crate::support::process::Process::start("server", command);
    let url = process.line_after("balefire: ready on ").await;
    let server = Server { process, url };
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    poll_until(SOON, "the log says so", async || {
        (!server.process.events("event.not_sent").is_empty()).then_some(())
    })
    .await;
    assert_eq!(server.statuses(&team, &alert).await, json!({}));
    assert_eq!(sandbox.deliveries(&alert).await.len(), 0);
    server.end().await;
    oracle::nothing_was_sent(&sandbox).await;
}
