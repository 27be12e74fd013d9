//! A cancel is always possible, never overtakes its alert, and goes wherever the alert may be.

use serde_json::{Value, json};

use crate::support::api::{ONE_OF_TWENTY, words};
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{CLOCK_SKEW_SECONDS, Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, instant, now, poll_until};

on_both_engines!(
    approved_and_cancelled_while_no_server_runs_is_never_sent,
    cancelled_after_the_acknowledgement_names_what_was_sent,
    cancelled_while_all_routes_refuse_ends_with_nothing_on_the_air,
    cancelled_while_the_outcome_is_unknown_waits_for_the_drain,
    a_cancel_that_is_refused_is_tried_until_it_is_taken,
    a_suspended_service_still_cancels,
    an_alert_of_an_archived_service_is_cancelled_by_command,
    twenty_cancels_at_once_make_one_event,
);

async fn approved_and_cancelled_while_no_server_runs_is_never_sent(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let withdrawn = sandbox.submit(&team, "flood-1").await;
    sandbox.act(&team, "approve", &withdrawn).await;
    let cancelled = sandbox.act(&team, "cancel", &withdrawn).await;
    assert_eq!(cancelled["status"], "cancelled");

    let server = Server::start(&sandbox).await;
    // A later alert goes through, so the dispatcher has looked at everything by then.
    let other = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&other, 4).await;
    for delivery in sandbox.settled(&withdrawn, 8).await {
        let is_alert = delivery["kind"] == "alert";
        let want = if is_alert { "superseded" } else { "moot" };
        assert_eq!(delivery["state"], want, "{delivery}");
        assert_eq!(delivery["attempts"], json!([]));
        if !is_alert {
            assert_eq!(delivery["reason"], "never_sent");
        }
    }
    assert_eq!(server.statuses(&team, &withdrawn).await, json!({}));
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4, "all of them the other alert's");
}

async fn cancelled_after_the_acknowledgement_names_what_was_sent(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    // `sent` has whole seconds: the cancel's must be another one than the alert's.
    let approved_at = instant(&server.read(&team, &alert).await["approved_at"]);
    poll_until(SOON, "another second begins", async || {
        (now().seconds() > approved_at.seconds()).then_some(())
    })
    .await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;

    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 8);
    let state = sandbox.networks.state().await;
    let statuses = server.statuses(&team, &alert).await;
    for (provider, format) in PROVIDERS {
        let sent = evidence.delivery(&alert, provider, "alert");
        let sent = evidence.requests_of(&sent.id)[0];
        let cancel = evidence.delivery(&alert, provider, "cancel");
        let cancel = evidence.requests_of(&cancel.id)[0];
        let mut reference = json!({
            "message_id": sent.payload["identifier"],
            "sent": sent.payload["sent"],
        });
        if format == "ibag" {
            reference["message_number"] = sent.payload["message_number"].clone();
            assert_ne!(
                cancel.payload["message_number"],
                sent.payload["message_number"]
            );
        }
        assert_eq!(cancel.payload["references"], json!([reference]));
        assert_eq!(state[provider]["live"], json!({}));
        assert_eq!(state[provider]["cancelled"], json!([sent.identifier()]));
        for kind in ["alert", "cancel"] {
            assert_eq!(
                words(&statuses, provider, kind),
                ["sending", "returned-ack"]
            );
        }
    }
    server.end().await;
}

async fn cancelled_while_all_routes_refuse_ends_with_nothing_on_the_air(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 2,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail("[[fault]]\nkind = \"refuse\"\n")
        .await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.networks.wait_for("alert", "vodafone", 2).await;
    sandbox.networks.wait_for("alert", "ee", 2).await;
    server.cancel(&team, "flood-1").await;
    // The cancel is refused as well, for as long as the networks do.
    sandbox.networks.wait_for("cancel", "ee", 2).await;
    sandbox.networks.fail("").await;

    let deliveries = sandbox.settled(&alert, 8).await;
    for delivery in &deliveries {
        let want = if delivery["kind"] == "alert" {
            ("superseded", Value::Null)
        } else {
            ("moot", json!("unknown_reference"))
        };
        assert_eq!(
            (&delivery["state"], &delivery["reason"]),
            (&json!(want.0), &want.1)
        );
    }
    let evidence = judge(&sandbox, &server).await;
    assert!(
        evidence
            .requests
            .iter()
            .all(|request| request.applied.is_none())
    );
    let statuses = server.statuses(&team, &alert).await;
    for (provider, _) in PROVIDERS {
        let last = statuses[provider]["cancel"]
            .as_array()
            .and_then(|c| c.last());
        let exception = &last.expect("an entry")["error_detail"]["exception"];
        assert_eq!(exception, "nothing to cancel at this provider");
    }
}

/// `ee` applied the alert and never said so; `o2` still holds it in its hands; `three` and
/// `vodafone` acknowledged it. Wherever the outcome is unknown, the cancel waits until the alert
/// can't be applied any more, and is sent then.
async fn cancelled_while_the_outcome_is_unknown_waits_for_the_drain(engine: Engine) {
    let figures = Figures {
        attempt_deadline_seconds: 3,
        ..Figures::default()
    };
    let sandbox = Sandbox::with(engine, figures).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let faults = [
        fault(
            "ee-*",
            "alert",
            "kind = \"hang\"\nms = 20000\napplied = true",
        ),
        fault("o2-*", "alert", "kind = \"slow\"\nms = 3500"),
    ];
    sandbox.networks.fail(&faults.concat()).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 2).await;
    sandbox.networks.wait_for("alert", "ee", 1).await;
    sandbox.networks.wait_for("alert", "o2", 1).await;
    server.cancel(&team, "flood-1").await;
    let is_held = |delivery: &Value| {
        delivery["kind"] == "cancel" && delivery["state"] == "held" && delivery["reason"] == "drain"
    };
    let held = sandbox.deliveries(&alert).await;
    assert_eq!(held.iter().filter(|d| is_held(d)).count(), 2, "{held:#?}");

    let deliveries = sandbox.settled(&alert, 8).await;
    let evidence = judge(&sandbox, &server).await;
    for provider in ["ee", "o2"] {
        let sent = &evidence.delivery(&alert, provider, "alert").id;
        let cancel = &evidence.delivery(&alert, provider, "cancel").id;
        let told = deliveries.iter().find(|d| d["id"] == json!(sent));
        let attempts = told.expect("it is there")["attempts"].as_array();
        let deadlines = attempts.expect("a list").iter();
        let last = deadlines.map(|a| instant(&a["deadline_at"])).max();
        let drained_ms = last.expect("one at least").micros() / 1_000
            + i64::try_from(CLOCK_SKEW_SECONDS).expect("small") * 1_000;
        let came_ms = evidence.requests_of(cancel)[0].at_ms;
        assert!(
            came_ms >= drained_ms,
            "{provider}: {came_ms}, drained at {drained_ms}"
        );
        assert!(
            came_ms < drained_ms + 5_000,
            "{provider}: it waited for no reason"
        );
    }
    let state_of =
        |provider: &str, kind: &str| evidence.delivery(&alert, provider, kind).state.clone();
    assert_eq!(state_of("ee", "cancel"), "acknowledged");
    assert_eq!(
        state_of("o2", "cancel"),
        "moot",
        "its proxy refused the alert after not_after"
    );
    assert_eq!(state_of("three", "cancel"), "acknowledged");
    let state = sandbox.networks.state().await;
    for (provider, _) in PROVIDERS {
        assert!(
            state[provider].is_null() || state[provider]["live"] == json!({}),
            "nothing is on the air: {state}"
        );
    }
}

async fn a_cancel_that_is_refused_is_tried_until_it_is_taken(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    sandbox
        .networks
        .fail(&fault("three-*", "cancel", "kind = \"unavailable\""))
        .await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 7).await;
    // Two rounds of two routes.
    sandbox.networks.wait_for("cancel", "three", 4).await;
    sandbox.networks.fail("").await;
    sandbox.acknowledged(&alert, 8).await;
    let evidence = judge(&sandbox, &server).await;
    let cancel = &evidence.delivery(&alert, "three", "cancel").id;
    assert!(evidence.requests_of(cancel).len() >= 5);
}

async fn a_suspended_service_still_cancels(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let by_key = server.broadcast(&team, "flood-1").await;
    let by_person = server.broadcast(&team, "flood-2").await;
    let waiting = server.submit(&team, "flood-3").await;
    sandbox.acknowledged(&by_key, 4).await;
    sandbox.acknowledged(&by_person, 4).await;
    sandbox
        .run(&["service", "suspend", &team.service])
        .await
        .must_succeed();

    let document = crate::support::documents::alert("flood-4");
    let refused = server.post_cap(&team, &team.key, document).await;
    assert_eq!(refused.must_be(403)["errors"][0]["error"], "AuthError");
    server
        .move_to(&team, &waiting, "broadcasting")
        .await
        .must_be(403);
    server.cancel(&team, "flood-1").await;
    server
        .move_to(&team, &by_person, "cancelled")
        .await
        .must_be(200);
    for alert in [&by_key, &by_person] {
        sandbox.acknowledged(alert, 8).await;
    }
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 16);
    assert!(evidence.deliveries_of(&waiting).is_empty());
}

async fn an_alert_of_an_archived_service_is_cancelled_by_command(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    sandbox
        .run(&["service", "archive", &team.service])
        .await
        .must_succeed();
    let document = crate::support::documents::cancel("flood-1");
    server
        .post_cap(&team, &team.key, document)
        .await
        .must_be(403);
    let cancelled = sandbox.act(&team, "cancel", &alert).await;
    assert_eq!(cancelled["status"], "cancelled");
    sandbox.acknowledged(&alert, 8).await;
    judge(&sandbox, &server).await;
}

async fn twenty_cancels_at_once_make_one_event(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    // While the alert is on its way: the cancels and the dispatcher contend for the lanes.
    let answers = server.move_twenty_times(&team, &alert, "cancelled").await;
    assert_eq!(answers, ONE_OF_TWENTY);
    let deliveries = sandbox.settled(&alert, 8).await;
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery["seq"].as_u64() <= Some(2))
    );
    judge(&sandbox, &server).await;
}
