//! What goes wrong at an import: hostile rows, kills, people who are here already.

use std::sync::Arc;

use balefire_app::authenticate::make_token;
use balefire_test_support::postgres::Database;
use serde_json::{Value, json};

use super::{ALERT, BOB, LIVE, NEW, Old, ROWS, SAME, SERVICE, counts};
use crate::support::api::call;
use crate::support::documents;
use crate::support::process::Process;
use crate::support::sandbox::{CLIENT_SECRET, Engine, Sandbox};
use crate::support::server::Server;
use crate::support::team::{Key, Person, Team};
use crate::support::{SOON, now, on_both_engines, poll_until};

const HOSTILE: &str = include_str!("hostile.sql");
/// The password of everybody in `rows.sql`.
const PASSWORD: &str = "correct horse battery";

on_both_engines!(
    hostile_rows_are_refused_by_name_and_hold_up_nothing,
    an_import_that_was_killed_goes_on_where_it_was,
    people_and_keys_work_as_they_did,
    somebody_who_is_here_already_stays_who_they_are,
    a_text_that_was_never_made_for_a_network_with_numbers_gets_one,
    a_cancel_that_was_noted_and_never_made_goes_out_and_no_text_does,
    an_alert_on_the_air_that_is_another_here_is_told_apart_from_all_else,
);

async fn hostile_rows_are_refused_by_name_and_hold_up_nothing(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[ROWS, HOSTILE]);
    let tried = old.import(&sandbox, &["--dry-run"]).await;
    let done = old.import(&sandbox, &[]).await;
    assert_eq!((tried.code, done.code), (Some(1), Some(1)), "{done:?}");
    let mut want = NEW;
    want[3] = 18;
    assert_eq!(counts(&done.json()), want, "{done:?}");
    assert_eq!(counts(&tried.json()), want, "a dry run refuses the same");
    let told = done.json()["told"].clone();
    let told = told.as_array().expect("a list").iter();
    let refused: Vec<String> = told
        .filter(|one| one["what"] == "refused")
        .map(|one| {
            let row = one["row"].as_str().expect("a name");
            format!("{} {}: {}", one["table"], &row[..2], one["why"]).replace('"', "")
        })
        .collect();
    for (table, why) in [
        ("users a9", "state is `blocked`, which nobody knows"),
        ("users a9", "name is empty"),
        (
            "users a9",
            "created_at is no date between the years 1 and 9999",
        ),
        (
            "services 59",
            "created_by names a9000000-0000-4000-8000-000000000001",
        ),
        ("services 59", "channel is `loudest`, which nobody knows"),
        (
            "user_to_service a9",
            "user_id names a9000000-0000-4000-8000-000000000001",
        ),
        (
            "api_keys c9",
            "secret is not signed by the given secret key and salt",
        ),
        (
            "template_folder f9",
            "parent_id leads back to the folder itself",
        ),
        ("broadcast_message b9", "content "),
        ("broadcast_message b9", "areas can't be sent: polygon 1"),
        (
            "broadcast_message b9",
            "areas have polygons that are no list",
        ),
        (
            "broadcast_message b9",
            "status is `approved`, which nobody knows",
        ),
        ("broadcast_message b9", "service_id is absent"),
        ("broadcast_message b9", "created_by_id is absent"),
        ("broadcast_message b9", "finishes_at is absent"),
        (
            "broadcast_message b9",
            "event d9000000-0000-4000-8000-000000000008 was sent in the",
        ),
        (
            "broadcast_message b9",
            "status is `mislaid`, which nobody knows",
        ),
    ] {
        let line = format!("{table}: {why}");
        assert!(
            refused.iter().any(|one| one.starts_with(&line)),
            "{line}: {refused:#?}"
        );
    }
    assert!(
        !done.stderr.contains("import.row_refused"),
        "each was seen before: {}",
        done.stderr
    );
    let server = Server::start(&sandbox).await;
    let waiting = "b0000000-0000-4000-8000-00000000000c";
    sandbox
        .json(&["alert", "approve", waiting, "--as", BOB])
        .await;
    sandbox.acknowledged(waiting, 4).await;
    let requests = sandbox.networks.requests().await;
    assert_eq!(
        requests.len(),
        4,
        "nothing of what was refused reaches a network"
    );
    drop(server);

    // A number that would use ours up.
    old.0
        .run_as_superuser("SELECT setval('broadcast_provider_message_number_seq', 2147483648)");
    let high = old.import(&sandbox, &[]).await;
    assert_eq!(high.code, Some(1));
    assert!(
        high.stderr.contains("message number 2147483648"),
        "{high:?}"
    );

    let url = "postgres://reader:hush-hush@127.0.0.1:1/old";
    let away = sandbox.run(&["import", "--from", url]).await;
    assert_eq!(away.code, Some(1));
    assert!(!format!("{away:?}").contains("hush-hush"), "{away:?}");
}

/// Holds a table of the earlier service until the import waits for it, and kills the import there.
async fn kill_at(sandbox: &Sandbox, old: &Old, table: &'static str) {
    let database: Arc<Database> = Arc::clone(&old.0);
    let sql = format!("BEGIN; LOCK TABLE {table}; SELECT pg_sleep(30)");
    let holder = Arc::clone(&database);
    let holding = std::thread::spawn(move || {
        // It ends when it is told to, which is a failure to it.
        let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            holder.run_as_superuser(&sql);
        }));
    });
    let asks = |what: &str| database.run_as_superuser(what).trim().to_owned();
    poll_until(SOON, "the table is held", async || {
        let held = "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted \
            AND relation IN (SELECT oid FROM pg_class WHERE relkind = 'r')";
        (asks(held) != "0").then_some(())
    })
    .await;
    let words = old.arguments(sandbox);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut import = Process::start("import", sandbox.command(&words));
    poll_until(SOON, "the import waits for it", async || {
        let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND \
            application_name = 'balefire import' AND wait_event_type = 'Lock'";
        (asks(waits) == "1").then_some(())
    })
    .await;
    import.kill().await;
    asks(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \
        current_database() AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'",
    );
    holding.join().expect("what it panics with is caught");
}

async fn an_import_that_was_killed_goes_on_where_it_was(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[ROWS, LIVE]);
    for table in [
        "services",
        "broadcast_message",
        "broadcast_message_edit_reasons",
    ] {
        kill_at(&sandbox, &old, table).await;
    }
    // The alert that is on the air is here, and so is its hold.
    let shown = sandbox.json(&["database", "show"]).await;
    assert_eq!(shown["waits_for_release"], true, "{shown}");
    let last = old.import_whole(&sandbox).await;
    let mut rest = SAME;
    (rest[0], rest[1]) = (1, SAME[1]); // The reason is new; the live alert is one more.
    assert_eq!(counts(&last), rest, "{last}");
    let again = old.import_whole(&sandbox).await;
    assert_eq!(counts(&again), [0, SAME[1] + 1, 0, 0, 1], "{again}");
    let server = Server::start(&sandbox).await;
    let deliveries = sandbox.deliveries(ALERT).await;
    assert_eq!(deliveries.len(), 4, "each once: {deliveries:?}");
    assert!(
        sandbox.networks.requests().await.is_empty(),
        "nothing is sent before the release"
    );
    drop(server);
}

async fn people_and_keys_work_as_they_did(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[ROWS]);
    old.import_whole(&sandbox).await;
    let server = Server::start(&sandbox).await;
    let team = Team {
        service: SERVICE.to_owned(),
        author: person(1, "ann@rivers.example.org"),
        approver: person(2, BOB),
        key: Key {
            id: "c0000000-0000-4000-8000-000000000001".to_owned(),
            secret: "f5b1e0a8-1111-4c3c-9d3a-0c1f3a7d2b10".to_owned(),
        },
    };
    let alert = server
        .post_cap(&team, &team.key, documents::alert("flood-1"))
        .await;
    alert.must_be(201);
    // The password that they had; afterwards it is kept as argon2id, and still opens.
    for (password, status) in [
        ("wrong horse battery", 400),
        (PASSWORD, 204),
        (PASSWORD, 204),
    ] {
        let answer = sign_in(&server, &team.author, password).await;
        assert_eq!(answer, status, "{password}");
    }
    if engine == Engine::Postgresql {
        let kept = sandbox.sql("SELECT left(password_hash, 8) FROM users ORDER BY email");
        let kept: Vec<&str> = kept.split_whitespace().collect();
        assert_eq!(
            kept,
            ["$argon2i", "$2b$04$2"],
            "hers was looked at, his was not yet"
        );
    }
    let again = old.import_whole(&sandbox).await;
    assert_eq!(counts(&again), SAME, "a sign-in is no difference: {again}");
}

fn person(number: u8, email: &str) -> Person {
    Person {
        id: format!("a0000000-0000-4000-8000-00000000000{number}"),
        email: email.to_owned(),
    }
}

async fn sign_in(server: &Server, person: &Person, password: &str) -> u16 {
    let token = format!(
        "Bearer {}",
        make_token("notify-admin", CLIENT_SECRET, now())
    );
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    let url = format!("{}/user/{}/verify/password", server.url, person.id);
    let body = json!({ "password": password }).to_string();
    call("POST", &url, &headers, body).await.status
}

async fn somebody_who_is_here_already_stays_who_they_are(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let args = ["user", "create", "--name", "Robert", "--email", BOB];
    let here = sandbox.json(&args).await["id"].clone();
    let old = Old::with(&[ROWS]);
    let report = old.import_whole(&sandbox).await;
    assert_eq!(report["tables"]["users"]["same"], 1, "{report}");
    let here = here.as_str().expect("an id");
    let told = report["told"].to_string();
    assert!(
        told.contains(&format!("is here as {here}, who has the same address")),
        "{told}"
    );
    // He may do what he could there: the alert that waited is approved by the person who is here.
    let waiting = "b0000000-0000-4000-8000-00000000000c";
    let approved: Value = sandbox
        .json(&["alert", "approve", waiting, "--as", BOB])
        .await;
    assert_eq!(
        approved["approved_by"].as_str().unwrap_or(here),
        here,
        "{approved}"
    );
    let again = old.import(&sandbox, &[]).await.json();
    assert_eq!(again["tables"]["user_to_service"]["same"], 2, "{again}");
}

/// What networks were sent, as function, message type and number.
async fn sent_to(sandbox: &Sandbox, network: &str) -> Vec<Value> {
    let requests = sandbox.networks.requests().await;
    let of = requests.iter().filter(|request| {
        let function = request["function"].as_str();
        function.is_some_and(|name| name.starts_with(network))
    });
    of.map(|request| request["payload"].clone()).collect()
}

async fn release(sandbox: &Sandbox) {
    let administrator = sandbox.administrator().await;
    let words = ["database", "release", "--as", &administrator];
    sandbox.json(&words).await;
}

async fn a_text_that_was_never_made_for_a_network_with_numbers_gets_one(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    // The earlier service ended before it made Vodafone's message and its number.
    let old = Old::with(&[
        ROWS,
        LIVE,
        "DELETE FROM broadcast_provider_message_number; DELETE FROM broadcast_provider_message
            WHERE provider = 'vodafone' AND broadcast_event_id =
            'd1000000-0000-4000-8000-000000000001'",
    ]);
    old.import_whole(&sandbox).await;
    let again = old.import_whole(&sandbox).await;
    assert_eq!(counts(&again), [0, SAME[1] + 1, 0, 0, 1], "{again}");
    release(&sandbox).await;
    let server = Server::start(&sandbox).await;
    sandbox.networks.wait_for("alert", "vodafone", 1).await;
    sandbox.json(&["alert", "cancel", ALERT, "--as", BOB]).await;
    sandbox.networks.wait_for("cancel", "vodafone", 1).await;
    let sent = sent_to(&sandbox, "vodafone").await;
    let text = sent
        .iter()
        .find(|one| one["message_type"] == "alert")
        .expect("a text");
    assert_eq!(text["message_format"], "ibag");
    assert_eq!(text["message_number"], "00000052", "after 81: {text}");
    let cancel = sent
        .iter()
        .find(|one| one["message_type"] == "cancel")
        .expect("a cancel");
    assert!(cancel["message_number"].is_string(), "{cancel}");
    assert_eq!(
        cancel["references"],
        json!([{"message_id": text["identifier"], "message_number": text["message_number"],
            "sent": text["sent"]}])
    );
    drop(server);
}

async fn a_cancel_that_was_noted_and_never_made_goes_out_and_no_text_does(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[
        ROWS,
        LIVE,
        "UPDATE broadcast_message SET status = 'cancelled', cancelled_at = starts_at +
            interval '5 minutes' WHERE reference = 'valley'",
    ]);
    let report = old.import_whole(&sandbox).await;
    assert_eq!(report["held"], json!([ALERT]), "{report}");
    let again = old.import_whole(&sandbox).await;
    assert_eq!(counts(&again), [0, SAME[1] + 1, 0, 0, 1], "{again}");
    release(&sandbox).await;
    let server = Server::start(&sandbox).await;
    for network in ["ee", "o2", "three", "vodafone"] {
        sandbox.networks.wait_for("cancel", network, 1).await;
        let sent = sent_to(&sandbox, network).await;
        let is_text = |one: &Value| one["message_type"] == "alert";
        assert!(!sent.iter().any(is_text), "{network}: {sent:?}");
    }
    let vodafone = sent_to(&sandbox, "vodafone").await;
    assert!(vodafone[0]["message_number"].is_string(), "{vodafone:?}");
    let reference = &vodafone[0]["references"][0];
    assert_eq!(reference["message_number"], "0000004e", "{vodafone:?}");
    drop(server);
}

async fn an_alert_on_the_air_that_is_another_here_is_told_apart_from_all_else(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    // More rows are refused than are told by name, and an alert on the air was never sent.
    let old = Old::with(&[
        ROWS,
        LIVE,
        "INSERT INTO users (id, name, email_address, created_at, _password, password_changed_at,
            state, auth_type, email_access_validated_at) SELECT CAST('a9000000-0000-4000-8000-' ||
            lpad(CAST(n AS TEXT), 12, '0') AS UUID), 'Zed', n || '@rivers.example.org',
            '2020-01-01', 'x', '2020-01-01', 'blocked', 'sms_auth', '2020-01-01'
            FROM generate_series(1, 201) AS n;",
        "INSERT INTO broadcast_message (id, service_id, content, areas, status, starts_at,
            finishes_at, created_at, approved_at, created_by_id, reference, stubbed)
            SELECT 'b9000000-0000-4000-8000-000000000001', service_id, content, areas, status,
            starts_at, finishes_at, created_at, approved_at, created_by_id, 'unsent', FALSE
            FROM broadcast_message WHERE reference = 'valley';",
        // What was sent of this one crosses itself, whatever the alert says by now.
        "INSERT INTO broadcast_message (id, service_id, content, areas, status, starts_at,
            finishes_at, created_at, approved_at, created_by_id, reference, stubbed)
            SELECT 'b9000000-0000-4000-8000-000000000002', service_id, content, areas, status,
            starts_at, finishes_at, created_at, approved_at, created_by_id, 'crossed', FALSE
            FROM broadcast_message WHERE reference = 'valley';
        INSERT INTO broadcast_event SELECT 'd9000000-0000-4000-8000-000000000002', service_id, id,
            approved_at, 'alert', NULL,
            '{\"simple_polygons\": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]}', 'x', starts_at,
            finishes_at FROM broadcast_message WHERE reference = 'crossed';",
    ]);
    let first = old.import(&sandbox, &[]).await;
    assert_eq!(first.code, Some(1), "{first:?}");
    let first = first.json();
    let why = "status says that it is on the air, and no event says that it was sent";
    let unsent = json!({ "table": "broadcast_message", "what": "refused", "why": why,
        "row": "b9000000-0000-4000-8000-000000000001" });
    assert_eq!(first["on_air"][0], unsent, "{first}");
    let crossed = first["on_air"][1]["why"].as_str().expect("a reason");
    assert!(crossed.starts_with("areas can't be sent"), "{first}");
    assert_eq!(first["on_air"].as_array().map(Vec::len), Some(2), "{first}");
    assert_eq!(first["held"], json!([ALERT]));
    // The earlier service lived on, and cancelled there what is on the air here.
    old.0.run_as_superuser(
        "UPDATE broadcast_message SET status = 'cancelled', cancelled_at = starts_at +
            interval '5 minutes' WHERE reference = 'valley'",
    );
    let later = old.import(&sandbox, &[]).await.json();
    let told = later["on_air"].as_array().expect("a list");
    let differs = told.iter().find(|one| one["row"] == ALERT).expect("told");
    assert_eq!(differs["what"], "differs", "{later}");
    let plain = old.import_plain(&sandbox).await;
    let line =
        format!("ON THE AIR there, and not here as it is there: differs broadcast_message {ALERT}");
    assert!(plain.contains(&line), "{plain}");
}
