//! The command line: exit codes, `--json`, and what a running server sees of what it changes.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::on_both_engines;
use crate::support::oracle::{self, judge};
use crate::support::sandbox::{CLIENT_SECRET, Engine, Ran, Sandbox, balefire, run};
use crate::support::server::Server;
use crate::support::{documents, poll_until};

/// How soon a running server sees what a command changed (D50).
const SEEN_WITHIN: Duration = Duration::from_secs(1);

on_both_engines!(
    an_alert_goes_its_whole_way_by_commands_alone,
    who_acts_must_be_named_and_known,
    what_is_refused_ends_with_1_and_says_why,
    json_stands_anywhere_on_the_line,
    a_running_server_sees_keys_and_services_at_once,
    a_service_is_set_up_and_a_switch_set_by_command,
    an_approval_of_what_was_not_seen_is_refused,
    a_command_logs_nothing_beside_its_answer_unless_it_is_asked_to,
);

/// With a server that only sends: everything a person does goes through commands.
async fn an_alert_goes_its_whole_way_by_commands_alone(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let server = Server::start(&sandbox).await;
    let alert = sandbox.submit(&team, "flood-1").await;
    let listed = sandbox
        .json(&["alert", "list", "--service", &team.service])
        .await;
    assert_eq!(listed[0]["id"], json!(alert));
    assert_eq!(listed[0]["status"], "pending-approval");
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    assert_eq!(shown["text"], documents::TEXT);
    assert_eq!(shown["channel"], "severe");
    assert_eq!(shown["networks"], json!(["ee", "o2", "three", "vodafone"]));
    assert_eq!(shown["duty_items"], json!([]));
    let page = sandbox.run(&["alert", "show", &alert]).await.must_succeed();
    for part in [
        "channel   severe",
        "networks  ee, o2, three, vodafone",
        "approver  nobody yet",
        "duty items: none",
        &team.author.email,
        &team.service,
        documents::TEXT,
    ] {
        assert!(page.stdout.contains(part), "{part}\n{}", page.stdout);
    }
    let (version, hash) = (shown["version"].to_string(), shown["hash"].as_str());
    let approve = ["alert", "approve", &alert, "--version", &version, "--hash"];
    let who = [hash.expect("a hash"), "--as", &team.approver.email];
    let approved = sandbox.json(&[approve.as_slice(), &who].concat()).await;
    assert_eq!(approved["status"], "broadcasting");
    let shown = sandbox.json(&["alert", "show", &alert]).await;
    assert_eq!(shown["author"], team.author.email);
    assert_eq!(shown["approver"], team.approver.email);

    let watched = sandbox
        .run(&["alert", "watch", &alert])
        .await
        .must_succeed();
    let lines = watched.stdout.lines();
    assert_eq!(
        lines.filter(|line| line.contains("acknowledged")).count(),
        4
    );
    sandbox.act(&team, "cancel", &alert).await;
    let watched = sandbox
        .run(&["alert", "watch", &alert, "--json"])
        .await
        .must_succeed();
    let last: Vec<Value> = watched
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .filter(|delivery: &Value| delivery["state"] == "acknowledged")
        .collect();
    assert_eq!(last.len(), 8, "{}", watched.stdout);
    let plain = sandbox.run(&["delivery", "list", &alert]).await;
    assert!(plain.must_succeed().stdout.contains("vodafone-1-proxy"));
    judge(&sandbox, &server).await;
}

async fn who_acts_must_be_named_and_known(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let alert = sandbox.submit(&team, "flood-1").await;
    let file = sandbox.path("flood-1.xml").display().to_string();
    for args in [
        ["alert", "approve", &alert].as_slice(),
        &["alert", "cancel", &alert],
        &["alert", "submit", &file, "--service", &team.service],
        &["alert", "aprove", &alert],
        &["alert", "approve", "no-id", "--as", &team.approver.email],
        &[
            "service",
            "create",
            "--name",
            "N",
            "--mode",
            "lively",
            "--channel",
            "severe",
        ],
        &["nonsense"],
        &["serve", "--roles", "cook"],
    ] {
        let ran = sandbox.run(args).await;
        assert_eq!(ran.code, Some(2), "{args:?}: {ran:?}");
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{ran:?}");
    }
    let ran = sandbox.run(&["alert", "approve", &alert]).await;
    assert!(ran.stderr.contains("--as"), "{ran:?}");

    let stranger = ["alert", "approve", &alert, "--as", "nobody@example.org"];
    let ran = sandbox.run(&stranger).await;
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("nobody@example.org"), "{ran:?}");
    let other = sandbox.live_team().await;
    let ran = sandbox
        .run(&["alert", "approve", &alert, "--as", &other.approver.email])
        .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    oracle::nothing_was_sent(&sandbox).await;
}

async fn what_is_refused_ends_with_1_and_says_why(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let alert = sandbox.submit(&team, "flood-1").await;
    let nobody = "00000000-0000-4000-8000-000000000000";
    let own = ["alert", "approve", &alert, "--as", &team.author.email];
    let broken = sandbox.write("broken.xml", "<alert>").display().to_string();
    let email = team.author.email.as_str();
    // the command, and what must be said
    let cases: [(&[&str], &str); 9] = [
        (&own, "second person"),
        (&["alert", "show", nobody], nobody),
        (&["alert", "cancel", nobody, "--as", email], nobody),
        (&["service", "suspend", nobody], nobody),
        (&["key", "revoke", nobody], nobody),
        (
            &[
                "alert",
                "submit",
                &broken,
                "--service",
                &team.service,
                "--as",
                email,
            ],
            "",
        ),
        (&["cap", "check", &broken], ""),
        (
            &["user", "create", "--name", "Again", "--email", email],
            "address",
        ),
        (
            &["check-config", "--config", "nowhere.toml"],
            "nowhere.toml",
        ),
    ];
    for (args, word) in cases {
        let ran = sandbox.run(args).await;
        assert_eq!(ran.code, Some(1), "{args:?}: {ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.is_empty() && said.contains(word), "{args:?}: {ran:?}");
        assert!(
            !said.contains("panicked") && !said.contains("RUST_BACKTRACE"),
            "{ran:?}"
        );
    }
    oracle::nothing_was_sent(&sandbox).await;
}

async fn json_stands_anywhere_on_the_line(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let service = json!(team.service);
    for args in [
        ["--json", "service", "list"],
        ["service", "--json", "list"],
        ["service", "list", "--json"],
    ] {
        let list = sandbox.run(&args).await.must_succeed().json();
        assert_eq!(list[0]["id"], service, "{args:?}");
    }
    // So does --config; here the environment names none.
    let config = sandbox.path("balefire.toml").display().to_string();
    for args in [
        ["--config", &config, "--json", "provider", "list"],
        ["provider", "--config", &config, "list", "--json"],
        ["provider", "list", "--json", "--config", &config],
    ] {
        let mut command = balefire();
        command.args(args);
        let list = run(command).await.must_succeed().json();
        assert_eq!(list[3]["name"], "vodafone", "{args:?}");
        assert_eq!(list[3]["routes"][0]["proxy"], "vodafone-1-proxy");
    }
    let refused: Ran = sandbox
        .run(&["key", "revoke", "--json", &team.service])
        .await;
    assert_eq!(refused.code, Some(1));
    assert!(refused.json()["error"].is_string(), "{refused:?}");
}

async fn a_service_is_set_up_and_a_switch_set_by_command(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let networks = ["--provider", "ee,o2"];
    let set_up = async |mode: &str, channel: &str| {
        let place = ["service", "set-up", team.service.as_str(), "--mode", mode];
        let args = [&place[..], &["--channel", channel], &networks[..]].concat();
        sandbox.json(&args).await
    };
    let shown = set_up("training", "government").await;
    let list = sandbox.json(&["service", "list"]).await;
    assert_eq!(list[0], shown);
    assert_eq!(
        json!([
            shown["mode"],
            shown["channel"],
            shown["providers"],
            shown["is_set_up"]
        ]),
        json!(["training", "government", ["ee", "o2"], true])
    );
    assert_eq!(shown["organisation_type"], "central");
    let plain = sandbox.run(&["service", "list"]).await.must_succeed();
    for word in ["active", "training", "government", "ee,o2", "central"] {
        assert!(plain.stdout.contains(word), "{plain:?}");
    }
    // It stays whole where a network is not known.
    let wrong = [
        "service",
        "set-up",
        &team.service,
        "--mode",
        "live",
        "--channel",
        "test",
    ];
    let refused = sandbox
        .run(&[&wrong[..], &["--provider", "five"]].concat())
        .await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(sandbox.json(&["service", "list"]).await, list);

    let none = sandbox.run(&["toggle", "list"]).await.must_succeed();
    assert!(none.stdout.contains("toggle set"), "{none:?}");
    let name = "service_is_not_live";
    let set = ["toggle", "set", name, "on", "--html", "Training today"];
    let on = sandbox.json(&set).await;
    let want = json!({ "name": name, "is_enabled": true, "display_html": "Training today" });
    assert_eq!(on, want);
    let off = sandbox.json(&["toggle", "set", name, "off"]).await;
    assert_eq!(off["is_enabled"], false);
    assert_eq!(off["display_html"], "Training today", "it stays");
    assert_eq!(sandbox.json(&["toggle", "list"]).await, json!([off]));
    let wrong = sandbox.run(&["toggle", "set", name, "maybe"]).await;
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
}

async fn a_running_server_sees_keys_and_services_at_once(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    // All of this is made while the server runs.
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;
    let fresh = sandbox.key(&team.service, "normal").await;
    let document = documents::alert("flood-2");
    server.post_cap(&team, &fresh, document).await.must_be(201);

    let revoked = sandbox.json(&["key", "revoke", &team.key.id]).await;
    assert!(revoked["revoked_at"].is_string());
    let refused = poll_until(SEEN_WITHIN, "the revoked key is refused", async || {
        let document = documents::alert("flood-3");
        let answer = server.post_cap(&team, &team.key, document).await;
        (answer.status == 403).then_some(answer.json())
    })
    .await;
    assert_eq!(
        refused["errors"][0]["message"],
        "Invalid token: API key revoked"
    );
    // The other key goes on.
    let document = documents::alert("flood-4");
    server.post_cap(&team, &fresh, document).await.must_be(201);

    let service = team.service.as_str();
    sandbox
        .run(&["service", "suspend", service])
        .await
        .must_succeed();
    poll_until(
        SEEN_WITHIN,
        "the suspended service is refused",
        async || {
            let answer = server.move_to(&team, &alert, "broadcasting").await;
            (answer.status == 403).then_some(())
        },
    )
    .await;
    sandbox
        .run(&["service", "resume", service])
        .await
        .must_succeed();
    sandbox
        .run(&["service", "set-mode", service, "--mode", "training"])
        .await
        .must_succeed();
    // The alert is real, the service trains by now (D40).
    server
        .move_to(&team, &alert, "broadcasting")
        .await
        .must_be(400);
    sandbox
        .run(&["service", "archive", service])
        .await
        .must_succeed();
    let document = documents::alert("flood-5");
    let refused = server.post_cap(&team, &fresh, document).await.must_be(403);
    assert_eq!(refused["errors"][0]["error"], "AuthError");
    oracle::nothing_was_sent(&sandbox).await;
}

async fn an_approval_of_what_was_not_seen_is_refused(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;
    let seen = sandbox.json(&["alert", "show", &alert]).await;
    let edit = json!({ "reference": "another name", "created_by": team.author.id });
    server
        .admin("POST", &team, &format!("/{alert}"), Some(&edit))
        .await
        .must_be(200);
    let version = seen["version"].to_string();
    let approve = ["alert", "approve", &alert, "--as", &team.approver.email];
    let stale = [approve.as_slice(), &["--version", &version]].concat();
    let ran = sandbox.run(&stale).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("balefire alert show"), "{ran:?}");
    let wrong = [approve.as_slice(), &["--hash", "0000"]].concat();
    assert_eq!(sandbox.run(&wrong).await.code, Some(1));
    assert_eq!(
        server.read(&team, &alert).await["status"],
        "pending-approval"
    );

    let now = sandbox.json(&["alert", "show", &alert]).await;
    let (version, hash) = (now["version"].to_string(), now["hash"].as_str());
    let hash = hash.expect("a hash");
    let right = [approve.as_slice(), &["--version", &version, "--hash", hash]].concat();
    sandbox.run(&right).await.must_succeed();
    sandbox.acknowledged(&alert, 4).await;
    judge(&sandbox, &server).await;
}

#[tokio::test]
async fn the_example_of_a_configuration_may_start() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../config/example.toml");
    let mut command = balefire();
    command.args(["check-config", "--config", example, "--json"]);
    let shown = run(command).await.must_succeed().json();
    assert_eq!(shown["findings"], json!([]));
    assert_eq!(shown["config"]["clients"]["notify-admin"], json!(["***"]));
    assert_eq!(shown["config"]["provider"][3]["name"], "vodafone");
}

#[tokio::test]
async fn check_config_shows_no_secret_and_every_finding() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("wrong.toml");
    let text = format!(
        "environment = \"live\"\n[clients]\nnotify-admin = [\"{CLIENT_SECRET}\"]\n\
         [database]\nurl = \"postgres://somebody:hush@db.example.org/balefire\"\n\
         [queue]\nkind = \"sqs\"\n"
    );
    std::fs::write(&file, text).expect("the folder is ours");
    for json in [false, true] {
        let mut command = balefire();
        command.arg("check-config").arg("--config").arg(&file);
        if json {
            command.arg("--json");
        }
        let ran = run(command).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(
            !said.contains(CLIENT_SECRET) && !said.contains("hush"),
            "{said}"
        );
        for key in [
            "cbc.endpoint_url",
            "secrets.key_file",
            "pages.none_is_fine",
            "queue.kind",
        ] {
            assert!(said.contains(key), "{key} is not named: {said}");
        }
    }
}

/// A refused address is shown beside its refusal: what of it may be a secret is not.
#[tokio::test]
async fn check_config_shows_no_secret_of_an_address() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("wrong.toml");
    let sections = [
        ("[database]\nurl", "database.url"),
        ("[cbc]\nendpoint_url", "cbc.endpoint_url"),
        (
            "[queue]\nkind = \"sqs\"\nname = \"a\"\nendpoint_url",
            "queue.endpoint_url",
        ),
        ("[traces]\nendpoint_url", "traces.endpoint_url"),
        (
            "[tickets]\nkind = \"zendesk\"\nendpoint_url",
            "tickets.endpoint_url",
        ),
        (
            "[pages]\nkind = \"pagerduty\"\nendpoint_url",
            "pages.endpoint_url",
        ),
    ];
    let urls = [
        "https://me:hush-hush@desk.example",
        "https://desk.example/a?key=hush-hush",
        "https://desk.example#hush-hush",
        "me:hush-hush@desk.example",
    ];
    for url in urls {
        let text: Vec<_> = sections
            .iter()
            .map(|(key, _)| format!("{key} = \"{url}\"\n"))
            .collect();
        std::fs::write(&file, text.concat()).expect("the folder is ours");
        for json in [false, true] {
            let mut command = balefire();
            command.arg("check-config").arg("--config").arg(&file);
            if json {
                command.arg("--json");
            }
            let ran = run(command).await;
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(!said.contains("hush"), "{url}: {said}");
            assert!(said.contains("***"), "{url}: {said}");
            // What follows a # never leaves, and is no reason to refuse.
            if !url.contains('#') {
                assert_eq!(ran.code, Some(1), "{url}: {said}");
                for (_, key) in sections {
                    assert!(said.contains(&format!("{key}: ")), "{key}, {url}: {said}");
                }
            }
        }
    }
}

#[tokio::test]
async fn help_and_version_need_nothing() {
    for args in [
        ["--help"].as_slice(),
        &["--version"],
        &["alert", "--help"],
        &["alert", "approve", "--help"],
    ] {
        let mut command = balefire();
        command.args(args);
        let ran = run(command).await.must_succeed();
        assert!(!ran.stdout.is_empty(), "{args:?}");
    }
}

#[tokio::test]
async fn documents_are_checked_without_a_database() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (good, bad) = (
        folder.path().join("good.xml"),
        folder.path().join("bad.xml"),
    );
    std::fs::write(&good, documents::alert("flood-1")).expect("the folder is ours");
    let text = documents::alert("flood-1").replace("Actual", "Test");
    std::fs::write(&bad, text).expect("the folder is ours");
    let check = |files: &[&std::path::Path]| {
        let mut command = balefire();
        command.args(["cap", "check"]).args(files);
        run(command)
    };
    let for_dispatch = std::path::Path::new("--for=dispatch");
    let ran = check(&[&good]).await.must_succeed();
    assert!(ran.stdout.contains(": can be taken"), "{ran:?}");
    // Its author may send a test somewhere; phones never get it.
    let ran = check(&[&bad]).await.must_succeed();
    assert!(
        ran.stdout.contains(": warning C5: alert/status: ")
            && ran.stdout.contains("does not go to phones"),
        "{ran:?}"
    );
    let somalia = std::path::Path::new("--country=-2,40,12,52");
    let ran = check(&[somalia, &good]).await.must_succeed();
    assert!(ran.stdout.contains("outside the country"), "{ran:?}");
    let ran = check(&[for_dispatch, &good, &bad]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let text = documents::alert("flood-1");
    let line = text[..text.find("<status>").expect("it has one")]
        .matches('\n')
        .count()
        + 1;
    let place = format!("bad.xml:{line}:");
    assert!(
        ran.stdout.contains(&place) && ran.stdout.contains(": error C5: alert/status: "),
        "{ran:?}"
    );
    check(&[std::path::Path::new("--structure-only"), &good, &bad])
        .await
        .must_succeed();
    // The array is complete although the first file is not there.
    let ran = check(&[
        std::path::Path::new("--json"),
        for_dispatch,
        &folder.path().join("none"),
        &bad,
        &good,
    ])
    .await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let list = ran.json();
    let files: Vec<&str> = list
        .as_array()
        .expect("an array")
        .iter()
        .filter_map(|f| f["file"].as_str())
        .collect();
    assert!(
        files[0].ends_with("none") && files[1] == bad.display().to_string(),
        "{list}"
    );
    let oks = [&list[0]["ok"], &list[1]["ok"], &list[2]["ok"]];
    assert_eq!(oks, [false, false, true]);
    assert_eq!(list[0]["findings"][0]["rule"], "file");
    let finding = &list[1]["findings"][0];
    let keys: Vec<&String> = finding.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["column", "line", "message", "path", "rule", "severity"]
    );
    assert_eq!(
        (&finding["rule"], &finding["line"]),
        (&json!("C5"), &json!(line))
    );
    assert_eq!(list[2]["findings"], json!([]));
}

async fn a_command_logs_nothing_beside_its_answer_unless_it_is_asked_to(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let alert = sandbox.submit(&team, "flood-1").await;
    let quiet = async |args: &[&str]| {
        let mut command = sandbox.command(args);
        command.env_remove("BALEFIRE_LOG");
        run(command).await.must_succeed()
    };
    let approve = ["alert", "approve", &alert, "--as", &team.approver.email];
    let cancel = ["alert", "cancel", &alert, "--as", &team.author.email];
    for args in [
        ["alert", "show", &alert].as_slice(),
        &approve,
        &["delivery", "list", &alert],
        &["item", "list"],
        &["provider", "list"],
        &["history", "verify"],
    ] {
        let ran = quiet(args).await;
        assert_eq!(ran.stderr, "", "{args:?}");
        assert_ne!(ran.stdout, "", "{args:?}");
    }
    // Asked, the same kind of command tells what it did.
    let ran = sandbox.run(&cancel).await.must_succeed();
    assert!(ran.stderr.contains("alert.moved"), "{ran:?}");
    // Who sets the service up is told of the key that everybody knows.
    for args in [["check-config"], ["migrate"]] {
        let told = quiet(&args).await.stderr;
        let is_told = told.contains("secrets.development_key");
        assert_eq!(is_told, matches!(engine, Engine::Postgresql), "{told}");
    }
}
