//! Link tests, heartbeats, the canary, and pauses: what is known of the ways to a network, and what
//! follows.

use serde_json::{Value, json};

use crate::support::evidence::gather;
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{SOON, instant, now, poll_until};

on_both_engines!(
    a_test_by_command_asks_every_route_once_and_shows_what_it_said,
    a_test_by_command_orders_the_routes_of_a_running_server,
    a_test_by_command_wakes_what_waits_for_a_network,
    routes_are_tested_by_one_of_two_servers_at_their_period,
    a_network_that_comes_back_is_found_by_a_test,
    a_hung_test_delays_no_alert,
    tests_wait_while_an_alert_is_due,
    proxies_of_ours_say_their_clocks_to_heartbeats,
    the_canary_is_sent_where_one_is_configured,
    with_the_proxies_disabled_nothing_is_asked,
    a_pause_holds_alerts_and_no_cancels_and_its_end_sends_them,
    a_dry_run_of_a_pause_changes_nothing,
);

/// The figures of a test in which routes are tested each second.
fn each_second() -> Figures {
    Figures {
        link_test_period_seconds: 1,
        ..Figures::default()
    }
}

async fn routes(sandbox: &Sandbox, provider: &str) -> Vec<Value> {
    let list = sandbox.json(&["provider", "list"]).await;
    let list = list.as_array().expect("a list").clone();
    let found = list.into_iter().find(|p| p["name"] == provider);
    let found = found.expect("it is configured");
    found["routes"].as_array().expect("routes").clone()
}

/// The requests of this type that came to functions that begin so.
async fn asked(sandbox: &Sandbox, message_type: &str, function: &str) -> Vec<Value> {
    let fits = |request: &Value| {
        let name = request["function"].as_str().unwrap_or_default();
        request["payload"]["message_type"] == message_type && name.starts_with(function)
    };
    let requests = sandbox.networks.requests().await;
    requests
        .into_iter()
        .filter(|request| fits(request))
        .collect()
}

async fn a_test_by_command_asks_every_route_once_and_shows_what_it_said(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let want = json!({ "name": "ee", "paused": false, "routes": [
        { "proxy": "ee-1-proxy", "site": null, "last_link_test": null },
        { "proxy": "ee-2-proxy", "site": null, "last_link_test": null },
    ]});
    assert_eq!(sandbox.json(&["provider", "list"]).await[0], want);

    sandbox
        .networks
        .fail(&fault("o2-2-proxy", "test", "kind = \"refuse\""))
        .await;
    let began = now();
    let ran = sandbox.run(&["provider", "link-test", "--json"]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let tests = ran.json();
    let ok = tests
        .as_array()
        .expect("a list")
        .iter()
        .filter(|t| t["ok"] == true);
    assert_eq!(
        (tests.as_array().map(Vec::len), ok.count()),
        (Some(8), 7),
        "{tests}"
    );

    // R86: eight requests, eight identifiers, and a number for each of the two that need one.
    let requests = asked(&sandbox, "test", "").await;
    assert_eq!(requests.len(), 8);
    let distinct = |key: &str| {
        let texts = requests.iter().filter_map(|r| r["payload"][key].as_str());
        texts.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!((distinct("identifier"), distinct("message_number")), (8, 2));
    for (provider, format) in PROVIDERS {
        for request in asked(&sandbox, "test", provider).await {
            assert_eq!(request["payload"]["message_format"], format);
            assert_eq!(request["applied"], false);
        }
        for route in routes(&sandbox, provider).await {
            let test = &route["last_link_test"];
            assert_eq!(test["ok"], route["proxy"] != "o2-2-proxy", "{route}");
            assert!(instant(&test["at"]) >= began, "{route}");
            assert!(test["detail"].is_string(), "{route}");
        }
    }
    // R87: a test is no delivery.
    assert_eq!(gather(&sandbox).await.alerts.len(), 0);

    sandbox.networks.fail("").await;
    let ran = sandbox.run(&["provider", "link-test", "o2"]).await;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.stdout.contains("o2-2-proxy") && !ran.stdout.contains("ee-"),
        "{ran:?}"
    );
    assert_eq!(
        routes(&sandbox, "o2").await[1]["last_link_test"]["ok"],
        true
    );
    let ran = sandbox.run(&["provider", "link-test", "o3"]).await;
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains("o3") && ran.stderr.contains("ee, o2, three, vodafone"),
        "{ran:?}"
    );
    let plain = sandbox
        .run(&["provider", "list"])
        .await
        .must_succeed()
        .stdout;
    assert!(
        plain.contains("ee-1-proxy") && plain.contains("link test ok"),
        "{plain}"
    );
}

async fn a_test_by_command_orders_the_routes_of_a_running_server(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    sandbox
        .networks
        .fail(&fault("ee-1-proxy", "test", "kind = \"unavailable\""))
        .await;
    assert_eq!(
        sandbox.run(&["provider", "link-test", "ee"]).await.code,
        Some(1)
    );
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    let routes_of = |alert: &str| -> Vec<String> {
        let delivery = evidence.delivery(alert, "ee", "alert");
        delivery.attempts.iter().map(|a| a.route.clone()).collect()
    };
    assert_eq!(
        routes_of(&alert),
        ["ee-2-proxy"],
        "the route that failed its test goes last"
    );
    sandbox.networks.fail("").await;
    sandbox
        .run(&["provider", "link-test", "ee"])
        .await
        .must_succeed();
    let second = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&second, 4).await;
    let evidence = judge(&sandbox, &server).await;
    let attempts = &evidence.delivery(&second, "ee", "alert").attempts;
    assert_eq!(
        attempts[0].route, "ee-1-proxy",
        "the configured order stands again"
    );
}

async fn a_test_by_command_wakes_what_waits_for_a_network(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let (server, team, alert) = in_backoff(&sandbox, Figures::default()).await;
    sandbox.networks.fail("").await;
    let tested = now();
    sandbox
        .run(&["provider", "link-test", "ee"])
        .await
        .must_succeed();
    acknowledged_soon_after(&sandbox, &alert, tested).await;
    judge(&sandbox, &server).await;
    drop(team);
}

async fn a_network_that_comes_back_is_found_by_a_test(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let (server, team, alert) = in_backoff(&sandbox, each_second()).await;
    let healed = now();
    sandbox.networks.fail("").await;
    acknowledged_soon_after(&sandbox, &alert, healed).await;
    judge(&sandbox, &server).await;
    drop(team);
}

/// A server with an alert that waits half a minute at `ee` for its next round.
async fn in_backoff(sandbox: &Sandbox, figures: Figures) -> (Server, Team, String) {
    sandbox.configure(figures);
    let faults = [
        fault("ee-*", "alert", "kind = \"refuse\""),
        fault("ee-*", "test", "kind = \"refuse\""),
    ];
    sandbox.networks.fail(&faults.concat()).await;
    let mut command = sandbox.command(&["serve"]);
    command.env("BALEFIRE__DISPATCH__EARLY_BACKOFF_CAP_SECONDS", "600");
    command.env("BALEFIRE__DISPATCH__BACKOFF_CAP_SECONDS", "600");
    let server = Server::start_command("the one", command).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    // Rounds of 1, 2 and 4 s: the next one is 8 s away.
    poll_until(SOON, "four rounds failed at ee", async || {
        let list = sandbox.deliveries(&alert).await;
        let ee = list.iter().find(|delivery| delivery["provider"] == "ee")?;
        (ee["state"] == "backoff" && ee["round"].as_u64()? >= 5).then_some(())
    })
    .await;
    (server, team, alert)
}

async fn acknowledged_soon_after(
    sandbox: &Sandbox,
    alert: &str,
    since: balefire_domain::time::Timestamp,
) {
    sandbox.acknowledged(alert, 4).await;
    let evidence = gather(sandbox).await;
    let delivery = evidence.delivery(alert, "ee", "alert");
    let last = evidence
        .requests_of(&delivery.id)
        .last()
        .map(|request| request.at_ms);
    let waited_ms = last.expect("it was sent") - since.micros() / 1000;
    assert!((0..5_000).contains(&waited_ms), "{waited_ms} ms");
}

async fn routes_are_tested_by_one_of_two_servers_at_their_period(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    sandbox.configure(Figures {
        link_test_period_seconds: 3,
        ..Figures::default()
    });
    let one = Server::start_as(&sandbox, &["serve"], "one").await;
    let other = Server::start_as(&sandbox, &["serve", "--roles", "schedule"], "other").await;
    sandbox.networks.wait_for("test", "ee-1-proxy", 4).await;
    for (provider, _) in PROVIDERS {
        for number in [1, 2] {
            let function = format!("{provider}-{number}-proxy");
            let times: Vec<i64> = asked(&sandbox, "test", &function)
                .await
                .iter()
                .map(|request| request["at_ms"].as_i64().expect("ms"))
                .collect();
            assert!(times.len() >= 2, "{function}: {times:?}");
            // 3 s less a fifth; two servers that both tested would come closer.
            let is_close = |pair: &&[i64]| pair[1] - pair[0] < 2_000;
            assert_eq!(
                times.windows(2).find(is_close),
                None,
                "{function}: {times:?}"
            );
        }
    }
    one.end().await;
    other.end().await;
    judge_sent_nothing(&sandbox).await;
}

async fn judge_sent_nothing(sandbox: &Sandbox) {
    crate::support::oracle::nothing_was_sent(sandbox).await;
}

async fn a_hung_test_delays_no_alert(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    sandbox.configure(each_second());
    sandbox
        .networks
        .fail(&fault("*", "test", "kind = \"hang\""))
        .await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    for (provider, _) in PROVIDERS {
        sandbox
            .networks
            .wait_for("test", &format!("{provider}-2"), 1)
            .await;
    }
    // Every route has a test that hangs.
    let began = now();
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let evidence = judge(&sandbox, &server).await;
    for (provider, _) in PROVIDERS {
        let delivery = evidence.delivery(&alert, provider, "alert");
        let sent = evidence.requests_of(&delivery.id);
        let waited_ms = sent[0].at_ms - began.micros() / 1000;
        assert!(waited_ms < 2_000, "{provider}: {waited_ms} ms");
        assert_eq!(sent.len(), 1, "{provider}");
    }
}

async fn tests_wait_while_an_alert_is_due(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    sandbox.configure(each_second());
    let args = [
        "service",
        "create",
        "--name",
        "One",
        "--mode",
        "live",
        "--channel",
        "severe",
    ];
    let made = sandbox
        .json(&[args.as_slice(), &["--provider", "ee"]].concat())
        .await;
    let service = made["id"].as_str().expect("an id").to_owned();
    let team = Team {
        author: sandbox.person(&service, "author").await,
        approver: sandbox.person(&service, "approver").await,
        key: sandbox.key(&service, "normal").await,
        service,
    };
    // Nobody dispatches yet: the alert stays due.
    let alert = sandbox.submit(&team, "flood-1").await;
    sandbox.act(&team, "approve", &alert).await;
    let tester = Server::start_as(&sandbox, &["serve", "--roles", "schedule"], "tester").await;
    for function in ["o2-1-proxy", "o2-2-proxy", "three-1-proxy"] {
        sandbox.networks.wait_for("test", function, 3).await;
    }
    assert_eq!(asked(&sandbox, "test", "ee").await, Vec::<Value>::new());
    let server = Server::start(&sandbox).await;
    sandbox.acknowledged(&alert, 1).await;
    sandbox.networks.wait_for("test", "ee-1-proxy", 1).await;
    let first = asked(&sandbox, "test", "ee").await[0]["at_ms"].as_i64();
    let sent = asked(&sandbox, "alert", "ee").await[0]["at_ms"].as_i64();
    assert!(first > sent, "the alert went first");
    tester.end().await;
    judge(&sandbox, &server).await;
}

async fn proxies_of_ours_say_their_clocks_to_heartbeats(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    sandbox.configure(Figures {
        heartbeat_period_seconds: 1,
        ..Figures::default()
    });
    // One second is permitted.
    let faults = "[provider.ee]\nclock_offset_ms = 5000\n[provider.o2]\nclock_offset_ms = -700\n";
    sandbox.networks.fail(faults).await;
    let server = Server::start(&sandbox).await;
    sandbox
        .networks
        .wait_for("heartbeat", "vodafone-2-proxy", 2)
        .await;
    let about_ee = async || {
        let items = sandbox.json(&["item", "list"]).await;
        let items = items.as_array().expect("a list").clone();
        let clocks = items.into_iter().filter(|item| item["kind"] == "clock");
        let subjects = clocks.map(|item| item["subject"].as_str().expect("a text").to_owned());
        let mut subjects: Vec<String> = subjects.collect();
        subjects.sort();
        subjects
    };
    poll_until(SOON, "a duty item for each clock of ee", async || {
        (about_ee().await == ["proxy ee/ee-1-proxy", "proxy ee/ee-2-proxy"]).then_some(())
    })
    .await;
    let warned = |provider: &str| {
        let lines = server.process.events("proxy.clock_differs");
        lines.iter().any(|line| line["provider"] == provider)
    };
    assert!(
        warned("ee") && warned("o2") && !warned("three"),
        "half of it is a warning"
    );
    let plain = sandbox
        .run(&["provider", "list"])
        .await
        .must_succeed()
        .stdout;
    assert!(
        plain.contains("its clock +") && plain.contains("its clock -"),
        "{plain}"
    );
    sandbox.networks.fail("").await;
    poll_until(
        SOON,
        "the duty items are closed by good clocks",
        async || about_ee().await.is_empty().then_some(()),
    )
    .await;
    server.end().await;
    assert_eq!(
        asked(&sandbox, "test", "").await.len(),
        0,
        "a heartbeat is no link test"
    );
    judge_sent_nothing(&sandbox).await;
}

async fn the_canary_is_sent_where_one_is_configured(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let mut command = sandbox.command(&["serve"]);
    command.env("BALEFIRE__CBC__CANARY", "canary");
    let server = Server::start_command("the one", command).await;
    let canaries = async || {
        let requests = sandbox.networks.requests().await;
        let is_canary = |request: &Value| request["function"] == "canary";
        requests.into_iter().filter(is_canary).collect::<Vec<_>>()
    };
    let sent = poll_until(SOON, "the canary came", async || canaries().await.pop()).await;
    let keys: Vec<&String> = sent["payload"]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    assert_eq!(keys, ["identifier"]);
    let answered = poll_until(SOON, "its answer is logged", async || {
        let lines = server.process.events("canary.answered");
        lines.into_iter().find(|line| line["ok"] == true)
    })
    .await;
    assert!(answered["ms"].is_u64(), "a number: {answered}");
    let mut list = sandbox.command(&["provider", "list"]);
    list.env("BALEFIRE__CBC__CANARY", "canary");
    poll_until(SOON, "its answer is shown", async || {
        let mut list = sandbox.command(&["provider", "list"]);
        list.env("BALEFIRE__CBC__CANARY", "canary");
        let shown = crate::support::sandbox::run(list)
            .await
            .must_succeed()
            .stdout;
        let line = shown
            .lines()
            .find(|line| line.starts_with("canary"))?
            .to_owned();
        line.contains(" ok ").then_some(())
    })
    .await;
    server.end().await;
    assert_eq!(canaries().await.len(), 1, "the next is five minutes away");
    judge_sent_nothing(&sandbox).await;
}

async fn with_the_proxies_disabled_nothing_is_asked(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    sandbox.configure(Figures {
        link_test_period_seconds: 1,
        heartbeat_period_seconds: 1,
        ..Figures::default()
    });
    let mut command = sandbox.command(&["serve"]);
    command.env("BALEFIRE__CBC__ENABLED", "false");
    command.env("BALEFIRE__CBC__CANARY", "canary");
    let off = Server::start_command("off", command).await;
    let mut test = sandbox.command(&["provider", "link-test"]);
    test.env("BALEFIRE__CBC__ENABLED", "false");
    let ran = crate::support::sandbox::run(test).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("cbc.enabled"), "{ran:?}");
    off.end().await;
    assert_eq!(sandbox.networks.requests().await, Vec::<Value>::new());
    // The same database with the proxies on: what was off begins.
    let on = Server::start_as(&sandbox, &["serve"], "on").await;
    sandbox.networks.wait_for("test", "ee-1-proxy", 1).await;
    sandbox
        .networks
        .wait_for("heartbeat", "ee-1-proxy", 1)
        .await;
    on.end().await;
}

async fn a_pause_holds_alerts_and_no_cancels_and_its_end_sends_them(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let sent = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&sent, 4).await;

    let by = sandbox.administrator().await;
    let by = by.as_str();
    let member = team.approver.email.as_str();
    let refused = sandbox
        .run(&["provider", "pause", "ee", "--as", member])
        .await;
    assert_eq!(refused.code, Some(1), "a provider serves every service");
    assert!(
        refused.stderr.contains("platform administrator"),
        "{refused:?}"
    );
    let missing = sandbox.run(&["provider", "pause", "ee"]).await;
    assert_eq!(missing.code, Some(2), "{missing:?}");
    let unknown = sandbox.run(&["provider", "pause", "eee", "--as", by]).await;
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("ee, o2, three, vodafone"),
        "{unknown:?}"
    );
    let paused = sandbox
        .json(&[
            "provider",
            "pause",
            "ee",
            "--reason",
            "work on the mast",
            "--as",
            by,
        ])
        .await;
    assert_eq!(
        (&paused["changed"], &paused["paused"]),
        (&json!(true), &json!(true))
    );
    let again = sandbox.json(&["provider", "pause", "ee", "--as", by]).await;
    assert_eq!(again["changed"], false);
    assert_eq!(sandbox.json(&["provider", "list"]).await[0]["paused"], true);
    let plain = sandbox
        .run(&["provider", "list"])
        .await
        .must_succeed()
        .stdout;
    assert!(
        plain.contains("PAUSED") && plain.contains("work on the mast"),
        "{plain}"
    );

    let held = server.broadcast(&team, "flood-2").await;
    sandbox.acknowledged(&held, 3).await;
    poll_until(SOON, "the alert is held at ee", async || {
        let list = sandbox.deliveries(&held).await;
        let ee = list.iter().find(|delivery| delivery["provider"] == "ee")?;
        (ee["state"] == "held" && ee["reason"] == "paused").then_some(())
    })
    .await;
    // The first alert is cancelled at ee all the same.
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&sent, 8).await;
    let is_sent_to_ee = async |alert: &str| {
        let evidence = gather(&sandbox).await;
        let delivery = evidence.delivery(alert, "ee", "alert");
        !evidence.requests_of(&delivery.id).is_empty()
    };
    assert!(!is_sent_to_ee(&held).await);

    let resumed_at = now();
    let resumed = sandbox
        .json(&["provider", "resume", "ee", "--as", by])
        .await;
    assert_eq!(
        resumed,
        json!({ "provider": "ee", "paused": false, "changed": true,
        "waiting_alerts": 1, "dry_run": false })
    );
    acknowledged_soon_after(&sandbox, &held, resumed_at).await;
    assert_eq!(
        sandbox.json(&["provider", "list"]).await[0]["paused"],
        false
    );
    judge(&sandbox, &server).await;
}

async fn a_dry_run_of_a_pause_changes_nothing(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let by = sandbox.administrator().await;
    let by = by.as_str();
    let is_paused = async || sandbox.json(&["provider", "list"]).await[0]["paused"] == true;
    let ran = sandbox
        .run(&["provider", "pause", "ee", "--dry-run", "--as", by])
        .await
        .must_succeed();
    assert!(ran.stdout.contains("would pause ee"), "{ran:?}");
    assert!(!is_paused().await);
    sandbox.json(&["provider", "pause", "ee", "--as", by]).await;
    let ran = sandbox
        .run(&["provider", "resume", "ee", "--dry-run", "--as", by])
        .await
        .must_succeed();
    assert!(ran.stdout.contains("would resume ee"), "{ran:?}");
    assert!(is_paused().await);
}
