//! Networks that refuse, hang, lie, go away and come back.

use std::fmt::Write as _;

use serde_json::json;

use crate::support::api::words;
use crate::support::evidence::gather;
use crate::support::history;
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, instant, poll_until};

on_both_engines!(
    a_route_that_refuses_is_followed_by_the_other_at_once,
    a_route_that_hangs_is_left_at_the_deadline,
    a_silent_route_gets_another_beside_it,
    both_routes_down_are_tried_until_they_are_healed,
    answers_that_lie_are_no_acknowledgement_and_nothing_is_applied_twice,
    networks_that_were_away_are_reached_when_they_come_back,
    the_oracle_sees_a_network_that_applies_an_alert_twice,
);

async fn a_route_that_refuses_is_followed_by_the_other_at_once(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let faults = [
        fault("ee-1-proxy", "alert", "kind = \"refuse\""),
        fault("o2-1-proxy", "alert", "kind = \"unavailable\""),
        fault("three-1-proxy", "alert", "kind = \"function-error\""),
    ];
    sandbox.networks.fail(&faults.concat()).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    for provider in ["ee", "o2", "three"] {
        let delivery = evidence.delivery(&alert, provider, "alert");
        let routes: Vec<&str> = delivery.attempts.iter().map(|a| a.route.as_str()).collect();
        assert_eq!(
            routes,
            [format!("{provider}-1-proxy"), format!("{provider}-2-proxy")]
        );
        let requests = evidence.requests_of(&delivery.id);
        let gap_ms = requests[1].at_ms - requests[0].at_ms;
        assert!(
            gap_ms < 900,
            "{provider}: no round's wait is between them, {gap_ms} ms"
        );
    }
    let statuses = server.statuses(&team, &alert).await;
    for (provider, _) in PROVIDERS {
        // A round in which one route answered well is no error.
        assert_eq!(
            words(&statuses, provider, "alert"),
            ["sending", "returned-ack"]
        );
    }
    // A route that failed goes last next time.
    let second = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&second, 4).await;
    let evidence = judge(&sandbox, &server).await;
    let routes = &evidence.delivery(&second, "ee", "alert").attempts;
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].route, "ee-2-proxy");
}

async fn a_route_that_hangs_is_left_at_the_deadline(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 1,
        hedging: false,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let hang = fault("vodafone-1-proxy", "alert", "kind = \"hang\"\nms = 20000");
    sandbox.networks.fail(&hang).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    let delivery = evidence.delivery(&alert, "vodafone", "alert");
    let outcomes: Vec<_> = delivery
        .attempts
        .iter()
        .map(|a| a.outcome.as_deref())
        .collect();
    assert_eq!(outcomes, [Some("unknown"), Some("accepted")]);
    let requests = evidence.requests_of(&delivery.id);
    let not_after = instant(&requests[0].payload["not_after"]).micros() / 1_000;
    assert!(requests[1].at_ms >= not_after, "{requests:#?}");
}

async fn a_silent_route_gets_another_beside_it(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 4,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let hang = fault("vodafone-1-proxy", "alert", "kind = \"hang\"\nms = 20000");
    sandbox.networks.fail(&hang).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    let delivery = evidence.delivery(&alert, "vodafone", "alert");
    let requests = evidence.requests_of(&delivery.id);
    let not_after = instant(&requests[0].payload["not_after"]).micros() / 1_000;
    let gap_ms = requests[1].at_ms - requests[0].at_ms;
    assert!(
        gap_ms >= 1_900,
        "half of the deadline is waited: {gap_ms} ms"
    );
    assert!(requests[1].at_ms < not_after, "beside it, not after it");
    poll_until(
        SOON,
        "the silent attempt ends at its deadline",
        async || {
            let evidence = gather(&sandbox).await;
            let delivery = evidence.delivery(&alert, "vodafone", "alert");
            let outcomes: Vec<_> = delivery
                .attempts
                .iter()
                .map(|attempt| attempt.outcome.clone())
                .collect();
            (outcomes == [Some("unknown".to_owned()), Some("accepted".to_owned())]).then_some(())
        },
    )
    .await;
}

async fn both_routes_down_are_tried_until_they_are_healed(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail(&fault("ee-*", "alert", "kind = \"unavailable\""))
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    let statuses = poll_until(SOON, "two rounds at ee have failed", async || {
        let statuses = server.statuses(&team, &alert).await;
        let is_ready = words(&statuses, "ee", "alert").len() >= 3;
        is_ready.then_some(statuses)
    })
    .await;
    assert_eq!(
        words(&statuses, "ee", "alert")[..3],
        ["sending", "returned-error", "returned-error"]
    );
    let exception = statuses["ee"]["alert"][1]["error_detail"]["exception"].as_str();
    let exception = exception.expect("an error says what went wrong");
    assert!(
        exception.contains("ee-1-proxy") && exception.contains("ee-2-proxy"),
        "{exception}"
    );
    for provider in ["o2", "three", "vodafone"] {
        assert_eq!(
            words(&statuses, provider, "alert"),
            ["sending", "returned-ack"]
        );
    }

    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
    let statuses = server.statuses(&team, &alert).await;
    assert_eq!(
        words(&statuses, "ee", "alert").last().map(String::as_str),
        Some("returned-ack")
    );
}

async fn answers_that_lie_are_no_acknowledgement_and_nothing_is_applied_twice(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    // Each of these was applied, and the answer says nothing of worth.
    let lies = ["drop-answer", "truncated", "not-json", "wrong-identifier"];
    let mut faults = String::new();
    for ((provider, _), lie) in PROVIDERS.into_iter().zip(lies) {
        let function = format!("{provider}-1-proxy");
        write!(
            faults,
            "{}",
            fault(&function, "alert", &format!("kind = \"{lie}\""))
        )
        .expect("a text can be written to");
    }
    sandbox.networks.fail(&faults).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    for (provider, _) in PROVIDERS {
        let delivery = evidence.delivery(&alert, provider, "alert");
        let outcomes: Vec<_> = delivery
            .attempts
            .iter()
            .map(|a| a.outcome.as_deref())
            .collect();
        assert_eq!(outcomes, [Some("unknown"), Some("duplicate")], "{provider}");
    }
    let state = sandbox.networks.state().await;
    let live = state["ee"]["live"].as_object().expect("an object");
    assert_eq!(live.len(), 1);
}

async fn networks_that_were_away_are_reached_when_they_come_back(engine: Engine) {
    let mut sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let first = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&first, 4).await;
    sandbox.networks.stop().await;

    let second = server.broadcast(&team, "flood-2").await;
    poll_until(SOON, "every network was tried in vain", async || {
        let list = sandbox.deliveries(&second).await;
        let is_tried = |delivery: &&serde_json::Value| {
            delivery["round"].as_u64().is_some_and(|round| round >= 2)
        };
        (list.iter().filter(is_tried).count() == 4).then_some(())
    })
    .await;
    assert_eq!(server.open("GET", "/_api_status/ready").await.status, 200);

    sandbox.networks.start_again().await;
    let deliveries = sandbox.acknowledged(&second, 4).await;
    for delivery in deliveries {
        let first = &delivery["attempts"][0];
        assert_eq!(
            first["outcome"],
            json!("refused"),
            "nothing was written: {first}"
        );
    }
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(
        evidence.requests.len(),
        8,
        "the first alert was not sent again"
    );
}

/// A planted fault: the configuration says that networks know an identifier again, and they don't.
async fn the_oracle_sees_a_network_that_applies_an_alert_twice(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let silent = fault("ee-1-proxy", "alert", "kind = \"drop-answer\"");
    sandbox
        .networks
        .fail(&format!("dedup = false\n{silent}"))
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = gather(&sandbox).await;
    let id = &evidence.delivery(&alert, "ee", "alert").id;
    let want = format!("1: ee applied {id} 2 times");
    assert_eq!(evidence.findings(), [want]);
    let ran = history::verify(&sandbox).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(history::violated(&ran.json()), ["S2"], "{ran:?}");
}
