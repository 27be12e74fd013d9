//! An update of a live alert, from the outside to every network: proposed, approved by a second
//! person, and carried as each network can take it (ADR 17).

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::api::words;
use crate::support::documents::{NEW_TEXT, TEXT, update};
use crate::support::networks::fault;
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Figures, PROVIDERS, Sandbox};
use crate::support::server::Server;
use crate::support::team::Team;
use crate::support::{SOON, poll_until};

on_both_engines!(
    an_update_reaches_every_network_as_it_can_take_it,
    a_cancel_after_an_update_names_every_message,
    updated_while_no_server_runs_only_the_new_text_is_sent,
    an_update_of_what_a_network_never_took_goes_out_as_an_alert,
    killed_between_the_approval_of_an_update_and_its_sending,
    a_cancel_withdraws_the_update_that_waits,
    an_author_proposes_by_command_and_another_person_decides,
    approvals_of_an_update_and_cancels_at_once_end_with_nothing_on_the_air,
);

/// Networks that take updates; the others get a cancel and an alert.
const TAKE_UPDATES: [&str; 2] = ["ee", "vodafone"];

/// A world in which two of the networks take updates.
async fn world(engine: Engine) -> Sandbox {
    let sandbox = Sandbox::new(engine).await;
    let mut providers = String::new();
    for (name, format) in PROVIDERS {
        let takes = TAKE_UPDATES.contains(&name);
        write!(
            providers,
            "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\n\
             routes = [{{ proxy = \"{name}-1-proxy\" }}, {{ proxy = \"{name}-2-proxy\" }}]\n\
             capabilities = {{ dedup = true, shared_sites = true, success_is_accepted = true, \
             own_protocol = true, update = {takes} }}\nupstream_timeout_seconds = 0\n",
        )
        .expect("a text can be written to");
    }
    sandbox.configure_with(Figures::default(), &sandbox.networks.url(), &providers);
    sandbox
}

impl Server {
    /// An update of the alert that `identifier` made, which waits for its approval.
    async fn propose(&self, team: &Team, identifier: &str) {
        let answer = self.post_cap(team, &team.key, update(identifier)).await;
        let told = answer.must_be(201);
        assert_eq!(told["content"], TEXT, "the alert itself stays as it is");
    }

    /// Approves the version of an update, as the approver.
    async fn approve_update(&self, team: &Team, alert: &str, version: u32) {
        let body = json!({ "status": "broadcasting", "created_by": team.approver.id,
            "version": version });
        let path = format!("/{alert}/status");
        let answer = self.admin("POST", team, &path, Some(&body)).await;
        assert_eq!(answer.must_be(200)["content"], NEW_TEXT);
    }
}

/// The texts that a network has on the air.
async fn on_the_air(sandbox: &Sandbox, provider: &str) -> Vec<String> {
    let state = sandbox.networks.state().await;
    // A network that has applied nothing yet is not told of.
    let live = state[provider]["live"].as_object();
    let text = |alert: &Value| alert["description"].as_str().expect("a text").to_owned();
    live.into_iter()
        .flatten()
        .map(|(_, alert)| text(alert))
        .collect()
}

async fn an_update_reaches_every_network_as_it_can_take_it(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.propose(&team, "flood-1").await;
    assert_eq!(
        sandbox.deliveries(&alert).await.len(),
        4,
        "nothing is sent yet"
    );
    server.approve_update(&team, &alert, 2).await;
    sandbox.acknowledged(&alert, 4 + 2 + 2 * 2).await;

    let evidence = judge(&sandbox, &server).await;
    let statuses = server.statuses(&team, &alert).await;
    let twice = ["sending", "returned-ack", "sending", "returned-ack"];
    for (provider, _) in PROVIDERS {
        let kinds: Vec<&str> = evidence
            .requests
            .iter()
            .filter(|request| request.provider() == provider)
            .map(|request| request.payload["message_type"].as_str().expect("a type"))
            .collect();
        let told = words(&statuses, provider, "update");
        if TAKE_UPDATES.contains(&provider) {
            assert_eq!(kinds, ["alert", "update"], "{provider}");
            assert_eq!(told, &twice[..2], "{provider}");
        } else {
            assert_eq!(kinds, ["alert", "cancel", "alert"], "{provider}");
            assert_eq!(told, twice, "{provider}");
        }
        assert_eq!(words(&statuses, provider, "cancel"), Vec::<String>::new());
        assert_eq!(
            on_the_air(&sandbox, provider).await,
            [NEW_TEXT],
            "{provider}"
        );
    }
    server.end().await;
}

async fn a_cancel_after_an_update_names_every_message(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.propose(&team, "flood-1").await;
    server.approve_update(&team, &alert, 2).await;
    sandbox.acknowledged(&alert, 10).await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 14).await;

    let evidence = judge(&sandbox, &server).await;
    for (provider, _) in PROVIDERS {
        let sent = evidence.requests.iter().rfind(|r| r.provider() == provider);
        let cancel = &sent.expect("it was told").payload;
        assert_eq!(cancel["message_type"], "cancel");
        let count = if TAKE_UPDATES.contains(&provider) {
            2
        } else {
            3
        };
        let named = cancel["references"].as_array().expect("a list").len();
        assert_eq!(named, count, "{provider}");
        assert_eq!(on_the_air(&sandbox, provider).await, Vec::<String>::new());
    }
}

async fn updated_while_no_server_runs_only_the_new_text_is_sent(engine: Engine) {
    let sandbox = world(engine).await;
    let team = sandbox.live_team().await;
    let alert = sandbox.submit(&team, "flood-1").await;
    sandbox.act(&team, "approve", &alert).await;
    let file = sandbox.write("update.xml", &update("flood-1"));
    let file = file.display().to_string();
    let (by, second) = (&team.author.email, &team.approver.email);
    let submit = [
        "alert",
        "submit",
        &file,
        "--service",
        &team.service,
        "--as",
        by,
    ];
    assert_eq!(sandbox.json(&submit).await["proposed_version"], 2);
    let approve = ["alert", "approve", &alert, "--version", "2", "--as", second];
    sandbox.json(&approve).await;

    let server = Server::start(&sandbox).await;
    sandbox.settled(&alert, 4 + 2 + 2 * 2).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 4);
    for request in &evidence.requests {
        assert_eq!(request.payload["message_type"], "alert");
        assert_eq!(request.payload["description"], NEW_TEXT);
    }
}

/// The network refused every attempt of the alert: there is nothing to update there.
async fn an_update_of_what_a_network_never_took_goes_out_as_an_alert(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let refuse = fault("ee-*", "alert", "kind = \"refuse\"");
    sandbox.networks.fail(&refuse).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 3).await;
    sandbox.networks.wait_for("alert", "ee", 2).await;
    server.propose(&team, "flood-1").await;
    server.approve_update(&team, &alert, 2).await;
    sandbox.networks.wait_for("update", "ee", 1).await;
    sandbox.networks.fail("").await;
    poll_until(SOON, "ee has the new text on the air", async || {
        (on_the_air(&sandbox, "ee").await == [NEW_TEXT]).then_some(())
    })
    .await;
    // Everywhere: alert; update, or cancel and alert; at ee also the alert in the update's place.
    sandbox.settled(&alert, 4 + 2 + 2 * 2 + 1).await;
    let evidence = judge(&sandbox, &server).await;
    let update = evidence.delivery(&alert, "ee", "update");
    assert_eq!(update.state, "moot");
}

/// The approval was committed, and no dispatcher lived to see it.
async fn killed_between_the_approval_of_an_update_and_its_sending(engine: Engine) {
    let sandbox = world(engine).await;
    let team = sandbox.live_team().await;
    let server = Server::start(&sandbox).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.end().await;

    let server = Server::start_as(&sandbox, &["serve", "--roles", "api"], "the api").await;
    server.propose(&team, "flood-1").await;
    server.approve_update(&team, &alert, 2).await;
    server.kill().await;
    for (provider, _) in PROVIDERS {
        assert_eq!(on_the_air(&sandbox, provider).await, [TEXT], "{provider}");
    }

    let server = Server::start(&sandbox).await;
    sandbox.acknowledged(&alert, 10).await;
    judge(&sandbox, &server).await;
    for (provider, _) in PROVIDERS {
        assert_eq!(
            on_the_air(&sandbox, provider).await,
            [NEW_TEXT],
            "{provider}"
        );
    }
}

async fn a_cancel_withdraws_the_update_that_waits(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.propose(&team, "flood-1").await;
    server.cancel(&team, "flood-1").await;
    let late = json!({ "status": "broadcasting", "created_by": team.approver.id, "version": 2 });
    let path = format!("/{alert}/status");
    server
        .admin("POST", &team, &path, Some(&late))
        .await
        .must_be(400);
    let again = server
        .post_cap(&team, &team.key, update("flood-1"))
        .await
        .must_be(200);
    assert_eq!(
        again["id"],
        json!(alert),
        "what is known is answered the same"
    );
    sandbox.acknowledged(&alert, 8).await;
    let evidence = judge(&sandbox, &server).await;
    assert_eq!(evidence.requests.len(), 8, "nothing of the update was sent");
}

async fn an_author_proposes_by_command_and_another_person_decides(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    let (author, approver) = (team.author.email.as_str(), team.approver.email.as_str());
    let ring = json!([[0.2, 53.1], [0.3, 53.1], [0.3, 53.2], [0.2, 53.1]]);
    let areas = json!({ "type": "Feature", "properties": { "name": "The whole valley" },
        "geometry": { "type": "Polygon", "coordinates": [ring] } });
    let areas = sandbox.write("areas.geojson", &areas.to_string());
    let areas = areas.display().to_string();
    let change = |text: &'static str| {
        [
            "alert",
            "update",
            &alert,
            "--content",
            text,
            "--areas",
            &areas,
            "--as",
            author,
        ]
    };

    let dry = sandbox
        .json(&[&change("Go.")[..], &["--dry-run"]].concat())
        .await;
    assert_eq!(
        (&dry["version"], &dry["dry_run"]),
        (&json!(2), &json!(true))
    );
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    assert_eq!(
        shown["proposed_update"],
        Value::Null,
        "a dry run leaves nothing behind"
    );

    sandbox.json(&change("Go.")).await;
    sandbox.json(&change(NEW_TEXT)).await;
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    let proposal = &shown["proposed_update"];
    assert_eq!(shown["text"], TEXT);
    assert_eq!(proposal["text"], NEW_TEXT);
    assert_eq!(proposal["version"], 3, "the newer one took the place");
    assert_eq!(proposal["author"], author);
    assert_eq!(proposal["differs_in"], json!(["text", "areas"]));
    assert_eq!(proposal["areas"]["names"], json!(["The whole valley"]));
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    for line in [format!("- {TEXT}"), format!("+ {NEW_TEXT}")] {
        assert!(page.stdout.contains(&line), "{}", page.stdout);
    }

    let hash = proposal["hash"].as_str().expect("a hash");
    let approve = |version: &'static str, hash: &str, by: &str| {
        let line = [
            "alert",
            "approve",
            &alert,
            "--version",
            version,
            "--hash",
            hash,
            "--as",
            by,
        ];
        line.map(str::to_owned)
    };
    for (what, line) in [
        ("the proposer", approve("3", hash, author)),
        ("a stale version", approve("2", hash, approver)),
        ("another hash", approve("3", &"0".repeat(64), approver)),
    ] {
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        let refused = sandbox.run(&line).await;
        assert_eq!(refused.code, Some(1), "{what}: {refused:?}");
    }
    let unnamed = ["alert", "approve", &alert, "--as", approver];
    let unnamed = sandbox.run(&unnamed).await;
    assert_eq!(unnamed.code, Some(1), "{unnamed:?}");
    assert!(
        unnamed.stderr.contains("balefire alert show"),
        "{unnamed:?}"
    );

    let no = [
        "alert",
        "reject",
        &alert,
        "--version",
        "3",
        "--reason",
        "no",
        "--as",
        approver,
    ];
    let rejected = sandbox.json(&no).await;
    assert_eq!(rejected["status"], "broadcasting");
    assert_eq!(sandbox.deliveries(&alert).await.len(), 4);

    sandbox.json(&change(NEW_TEXT)).await;
    let line = approve("4", hash, approver);
    let line: Vec<&str> = line.iter().map(String::as_str).collect();
    let approved = sandbox.json(&line).await;
    assert_eq!(
        (&approved["text"], &approved["version"]),
        (&json!(NEW_TEXT), &json!(4))
    );
    sandbox.acknowledged(&alert, 10).await;
    judge(&sandbox, &server).await;
}

async fn approvals_of_an_update_and_cancels_at_once_end_with_nothing_on_the_air(engine: Engine) {
    let sandbox = world(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.propose(&team, "flood-1").await;
    let ask = async |status: &'static str| {
        let body = json!({ "status": status, "created_by": team.approver.id, "version": 2 });
        let path = format!("/{alert}/status");
        server.admin("POST", &team, &path, Some(&body)).await.status
    };
    let yes = || ask("broadcasting");
    let no = || ask("cancelled");
    let asked = tokio::join!(yes(), no(), yes(), no(), yes(), no());
    let (approvals, cancels) = ([asked.0, asked.2, asked.4], [asked.1, asked.3, asked.5]);
    let count = |statuses: [u16; 3], status| statuses.iter().filter(|s| **s == status).count();
    assert_eq!((count(cancels, 200), count(cancels, 400)), (1, 2));
    let approved = count(approvals, 200);
    assert_eq!(approved + count(approvals, 400), 3);
    assert!(approved <= 1);
    let deliveries = if approved == 1 { 14 } else { 8 };
    sandbox.settled(&alert, deliveries).await;
    judge(&sandbox, &server).await;
    for (provider, _) in PROVIDERS {
        assert_eq!(on_the_air(&sandbox, provider).await, Vec::<String>::new());
    }
}
