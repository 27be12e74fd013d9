//! Bringing the data of the earlier service (ADR 23): a PostgreSQL database with its tables, read
//! by the real binary into both of our databases, beside the real simulator.

use std::fmt::Write as _;
use std::sync::Arc;

use balefire_test_support::postgres::{Database, Postgres};
use serde_json::{Value, json};

use crate::support::api::call;
use crate::support::on_both_engines;
use crate::support::sandbox::{Engine, Ran, Sandbox};
use crate::support::server::Server;
use crate::support::{SOON, now, poll_until};

mod odd;

const SCHEMA: &str = include_str!("import/schema.sql");
const ROWS: &str = include_str!("import/rows.sql");
const LIVE: &str = include_str!("import/live.sql");
const SERVICE: &str = "50000000-0000-4000-8000-000000000001";
const ALERT: &str = "b1000000-0000-4000-8000-000000000001";
const BOB: &str = "bob@rivers.example.org";

on_both_engines!(
    what_the_earlier_service_held_comes_once_and_stays,
    an_imported_live_alert_is_held_and_its_cancel_names_what_went_out,
    what_is_still_owed_goes_out_after_the_release_alone,
);

/// The earlier service's database.
struct Old(Arc<Database>);

impl Old {
    fn with(rows: &[&str]) -> Self {
        let database = Postgres::shared().new_database();
        let now = now().to_json_style();
        let sql = [&[SCHEMA], rows].concat().join("\n");
        database.run_as_superuser(&sql.replace("@NOW@", now.trim_end_matches('Z')));
        Self(Arc::new(database))
    }

    /// `import` with everything that it needs.
    fn arguments(&self, sandbox: &Sandbox) -> Vec<String> {
        let key = "SECRET_KEY=dev-notify-secret-key\nDANGEROUS_SALT=dev-notify-salt\n";
        let key = sandbox.write("earlier.key", key);
        let key = key.to_str().expect("a path in UTF-8");
        let words = [
            "import",
            "--json",
            "--from",
            self.0.url(),
            "--secret-key-file",
            key,
        ];
        words.map(str::to_owned).to_vec()
    }

    async fn import(&self, sandbox: &Sandbox, more: &[&str]) -> Ran {
        let words = self.arguments(sandbox);
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        sandbox.run(&words).await
    }

    /// The report for people.
    async fn import_plain(&self, sandbox: &Sandbox) -> String {
        let words = self.arguments(sandbox);
        let words = words.iter().map(String::as_str);
        let words: Vec<&str> = words.filter(|word| *word != "--json").collect();
        sandbox.run(&words).await.stdout
    }

    async fn import_whole(&self, sandbox: &Sandbox) -> Value {
        self.import(sandbox, &[]).await.must_succeed().json()
    }
}

async fn what_the_earlier_service_held_comes_once_and_stays(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[ROWS]);
    for _ in 0..2 {
        let tried = old
            .import(&sandbox, &["--dry-run"])
            .await
            .must_succeed()
            .json();
        assert_eq!(counts(&tried), NEW, "a dry run writes nothing: {tried}");
        assert_eq!(tried["dry_run"], true);
        assert_eq!(sandbox.json(&["service", "list"]).await, json!([]));
    }
    let first = old.import_whole(&sandbox).await;
    assert_eq!(counts(&first), NEW, "{first}");
    assert_eq!(first["held"], json!([]), "nothing of it is on the air");
    let second = old.import_whole(&sandbox).await;
    assert_eq!(counts(&second), SAME, "{second}");

    let server = Server::start(&sandbox).await;
    let of = format!("/service/{SERVICE}/broadcast-message");
    let alerts = server.as_client(&of).await;
    let find = |reference: &str| {
        let mut alerts = alerts["broadcast_messages"]
            .as_array()
            .expect("alerts")
            .iter();
        alerts
            .find(|alert| alert["reference"] == reference)
            .cloned()
            .expect(reference)
    };
    let ring = |last: f64| json!([[[53.1, 0.1], [53.2, 0.1], [53.2, last], [53.1, 0.1]]]);
    let waiting = find("c");
    assert_eq!(
        waiting["areas"],
        json!({"ids": ["x"], "simple_polygons": ring(0.244_127)})
    );
    assert_eq!(waiting["status"], "pending-approval");
    let sent = find("d");
    assert_eq!(
        sent["areas"],
        json!({"names": ["River Steeping"], "simple_polygons": ring(0.2)})
    );
    assert_eq!(sent["status"], "completed", "its time was over");
    let deliveries = sandbox
        .deliveries("b0000000-0000-4000-8000-00000000000d")
        .await;
    let states: Vec<(&Value, &Value)> = deliveries
        .iter()
        .map(|one| (&one["provider"], &one["state"]))
        .collect();
    assert_eq!(
        states,
        [
            (&json!("ee"), &json!("acknowledged")),
            (&json!("o2"), &json!("expired"))
        ]
    );
    assert!(sandbox.networks.requests().await.is_empty());
    // What waited for an approval is approved by a person who was brought, and goes out.
    let id = waiting["id"].as_str().expect("an id");
    sandbox.json(&["alert", "approve", id, "--as", BOB]).await;
    sandbox.acknowledged(id, 4).await;
    // Our own change is told as a difference, and not undone.
    let third = old.import(&sandbox, &[]).await;
    assert_eq!(third.code, Some(1), "{third:?}");
    let told = third.json()["told"].clone();
    assert_eq!(
        told[told.as_array().expect("a list").len() - 1]["what"],
        "differs",
        "{told}"
    );
    assert_eq!(
        sandbox.json(&["alert", "show", id]).await["status"],
        "broadcasting"
    );
}

/// What of [`ROWS`] is new, here already, another, refused and left at a first run.
const NEW: [u64; 5] = [18, 0, 0, 0, 1];
/// And at a second.
const SAME: [u64; 5] = [0, 18, 0, 0, 1];

fn counts(report: &Value) -> [u64; 5] {
    ["new", "same", "differs", "refused", "left"].map(|what| {
        let tables = report["tables"].as_object().expect("tables").values();
        tables
            .map(|table| table[what].as_u64().expect("a count"))
            .sum()
    })
}

/// What the earlier service sent to a network, as the network saw it.
async fn send_as_the_earlier_service(sandbox: &Sandbox, function: &str, payload: Value) {
    let url = format!(
        "{}/2015-03-31/functions/{function}/invocations",
        sandbox.networks.url()
    );
    let headers = [("content-type", "application/json")];
    call("POST", &url, &headers, payload.to_string())
        .await
        .must_be(200);
}

async fn a_live_alert(engine: Engine) -> (Sandbox, Old) {
    let sandbox = Sandbox::new(engine).await;
    let old = Old::with(&[ROWS, LIVE]);
    let sent = old.0.run_as_superuser(
        "SELECT to_char(sent_at, 'YYYY-MM-DD\"T\"HH24:MI:SS-00:00') || ' ' ||
            to_char(transmitted_finishes_at, 'YYYY-MM-DD\"T\"HH24:MI:SS-00:00')
        FROM broadcast_event WHERE id = 'd1000000-0000-4000-8000-000000000001'",
    );
    let (sent, expires) = sent.trim().split_once(' ').expect("two instants");
    let area = json!([{"polygon": [[53.1, 0.1], [53.2, 0.1], [53.2, 0.2], [53.1, 0.1]]}]);
    let mut payload = json!({
        "message_type": "alert", "identifier": "f1000000-0000-4000-8000-00000000000e",
        "message_format": "cap", "headline": "GOV.UK Notify Broadcast",
        "description": "Leave the valley", "areas": area, "sent": sent, "expires": expires,
        "language": "en-GB", "channel": "severe",
    });
    send_as_the_earlier_service(&sandbox, "ee-1-proxy", payload.clone()).await;
    payload["identifier"] = json!("f1000000-0000-4000-8000-00000000000f");
    payload["message_format"] = json!("ibag");
    payload["message_number"] = json!("0000004e");
    payload["language"] = json!("English");
    send_as_the_earlier_service(&sandbox, "vodafone-1-proxy", payload).await;
    let report = old.import_whole(&sandbox).await;
    assert_eq!(report["held"], json!([ALERT]), "{report}");
    assert_eq!(report["last_message_number"], 81);
    (sandbox, old)
}

async fn states(sandbox: &Sandbox, kind: &str) -> Vec<String> {
    let deliveries = sandbox.deliveries(ALERT).await;
    let of = deliveries.iter().filter(|one| one["kind"] == kind);
    of.map(|one| format!("{} {}", one["provider"], one["state"]).replace('"', ""))
        .collect()
}

async fn an_imported_live_alert_is_held_and_its_cancel_names_what_went_out(engine: Engine) {
    let (sandbox, old) = a_live_alert(engine).await;
    let server = Server::start(&sandbox).await;
    let want = [
        "ee acknowledged",
        "o2 held",
        "three held",
        "vodafone acknowledged",
    ];
    assert_eq!(states(&sandbox, "alert").await, want);
    let items = sandbox.json(&["item", "list"]).await;
    assert!(items.to_string().contains("alerts_imported"), "{items}");
    let shown = sandbox.json(&["database", "show"]).await;
    assert_eq!(shown["waits_for_release"], true, "{shown}");
    sandbox.json(&["alert", "cancel", ALERT, "--as", BOB]).await;
    // The sweep has looked at every lane: the texts that the cancel took the place of have ended.
    poll_until(SOON, "the cancels are held", async || {
        let held = ["ee held", "o2 held", "three held", "vodafone held"];
        (states(&sandbox, "cancel").await == held).then_some(())
    })
    .await;
    assert_eq!(
        sandbox.networks.requests().await.len(),
        2,
        "nothing of ours"
    );
    let member = ["database", "release", "--as", BOB];
    assert_eq!(
        sandbox.run(&member).await.code,
        Some(1),
        "an import makes no administrator"
    );
    let administrator = sandbox.administrator().await;
    sandbox
        .json(&["database", "release", "--as", &administrator])
        .await;
    for network in ["ee", "o2", "three", "vodafone"] {
        sandbox.networks.wait_for("cancel", network, 1).await;
    }
    let requests = sandbox.networks.requests().await;
    let payload = |network: &str| {
        let of = |request: &&Value| {
            request["payload"]["message_type"] == "cancel"
                && request["function"]
                    .as_str()
                    .is_some_and(|name| name.starts_with(network))
        };
        requests.iter().find(of).expect(network)["payload"].clone()
    };
    let alerts = requests
        .iter()
        .filter(|one| one["payload"]["message_type"] == "alert");
    assert_eq!(alerts.count(), 2, "no text of a cancelled alert goes out");
    let sent = requests[0]["payload"]["sent"].clone();
    for (network, id) in [
        ("ee", "0000000e"),
        ("o2", "00000002"),
        ("three", "00000003"),
    ] {
        let id = format!("f1000000-0000-4000-8000-0000{id}");
        assert_eq!(
            payload(network)["references"],
            json!([{"message_id": id, "sent": sent}])
        );
    }
    let vodafone = payload("vodafone");
    assert_eq!(
        vodafone["message_number"], "00000052",
        "after 81, the highest that was given out"
    );
    let reference = json!([{"message_id": "f1000000-0000-4000-8000-00000000000f",
        "message_number": "0000004e", "sent": sent}]);
    assert_eq!(vodafone["references"], reference);
    poll_until(SOON, "EE and Vodafone took it off the air", async || {
        let states = states(&sandbox, "cancel").await;
        let is_taken = |network: &str| states.contains(&format!("{network} acknowledged"));
        (is_taken("ee") && is_taken("vodafone")).then_some(())
    })
    .await;
    let again = old.import(&sandbox, &[]).await;
    assert_eq!(again.code, Some(1), "its state is another here");
    let shown = sandbox.json(&["database", "show"]).await;
    assert_eq!(
        shown["waits_for_release"], false,
        "a row that is here holds nothing again"
    );
    drop(server);
}

async fn what_is_still_owed_goes_out_after_the_release_alone(engine: Engine) {
    let (sandbox, _old) = a_live_alert(engine).await;
    let administrator = sandbox.administrator().await;
    let server = Server::start(&sandbox).await;
    // An alert of our own is held as well: the whole database is.
    let id = "b0000000-0000-4000-8000-00000000000c";
    sandbox.json(&["alert", "approve", id, "--as", BOB]).await;
    poll_until(SOON, "our own alert is held", async || {
        let deliveries = sandbox.deliveries(id).await;
        let is_held = |one: &Value| one["state"] == "held" && one["reason"] == "restored";
        (deliveries.len() == 4 && deliveries.iter().all(is_held)).then_some(())
    })
    .await;
    assert_eq!(
        sandbox.networks.requests().await.len(),
        2,
        "nothing of ours"
    );
    sandbox
        .json(&["database", "release", "--as", &administrator])
        .await;
    sandbox.acknowledged(id, 4).await;
    sandbox.acknowledged(ALERT, 4).await;
    let mut sent = String::new();
    for request in sandbox.networks.requests().await {
        let payload = &request["payload"];
        if payload["description"] == "Leave the valley" {
            let id = payload["identifier"].as_str().expect("an id");
            writeln!(sent, "{} {id}", request["function"]).expect("a text");
        }
    }
    let mut lines: Vec<&str> = sent.lines().collect();
    lines.sort_unstable();
    let want = [
        "\"ee-1-proxy\" f1000000-0000-4000-8000-00000000000e",
        "\"o2-1-proxy\" f1000000-0000-4000-8000-000000000002",
        "\"three-1-proxy\" f1000000-0000-4000-8000-000000000003",
        "\"vodafone-1-proxy\" f1000000-0000-4000-8000-00000000000f",
    ];
    assert_eq!(
        lines, want,
        "each network has it once, under the identifier that it had"
    );
    drop(server);
}
