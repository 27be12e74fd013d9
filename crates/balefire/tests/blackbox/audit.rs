//! The audit trail from outside: what `audit verify` says of a trail that grew under load, and of
//! one that somebody changed; the export, recomputed by another program; and a role of PostgreSQL
//! that can't change the trail.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use crate::support::history::must_hold;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Ran, Sandbox, run};
use crate::support::server::Server;
use crate::support::{SOON, on_both_engines, poll_until};

on_both_engines!(
    the_trail_is_exported_as_anybody_can_check_it,
    sec_49_whoever_changes_the_trail_is_found_out,
    processes_that_link_at_once_make_one_chain,
);

/// Runs SQL as whoever has the database in hand: PostgreSQL's superuser, or an editor of the file.
/// Neither is held up by triggers.
async fn tamper(sandbox: &Sandbox, engine: Engine, sql: &str) {
    match engine {
        Engine::Postgresql => {
            sandbox.sql(&format!("SET session_replication_role = replica; {sql}"));
        }
        Engine::Sqlite => {
            let triggers = [
                "entries_no_update",
                "entries_no_delete",
                "links_no_update",
                "links_no_delete",
            ];
            let dropped = triggers.map(|name| format!("DROP TRIGGER IF EXISTS audit_{name};"));
            let mut editor = Command::new("sqlite3");
            editor.arg("-bail").arg(sandbox.path("balefire.db"));
            editor.arg(format!("{}{sql}", dropped.concat()));
            run(editor).await.must_succeed();
        }
    }
}

async fn verify(sandbox: &Sandbox, more: &[&str]) -> Ran {
    sandbox
        .run(&[&["audit", "verify", "--json"], more].concat())
        .await
}

/// The trail is sound and all of it is linked; what was told.
async fn must_be_sound(sandbox: &Sandbox) -> Value {
    let told = verify(sandbox, &[]).await.must_succeed().json();
    assert_eq!(
        (&told["ok"], &told["wrong"]),
        (&json!(true), &json!(0)),
        "{told:#}"
    );
    assert_eq!(told["unlinked"], 0, "{told:#}");
    told
}

/// A world in which an alert was approved by whoever may, sent and cancelled, and its author tried
/// in vain to approve it. The server has ended.
async fn world(engine: Engine) -> (Sandbox, String) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;
    let stranger = sandbox.live_team().await.author;
    let body = json!({ "status": "broadcasting", "created_by": stranger.id });
    let path = format!("/{alert}/status");
    server
        .admin("POST", &team, &path, Some(&body))
        .await
        .must_be(400);
    server
        .move_to(&team, &alert, "broadcasting")
        .await
        .must_be(200);
    sandbox.acknowledged(&alert, 4).await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;
    judge(&sandbox, &server).await;
    server.end().await;
    (sandbox, alert)
}

/// Another program, which knows the rule of docs/audit.md and nothing of ours.
const RECOMPUTE: &str = "
import hashlib, json, sys
before = bytes(32)
for position, line in enumerate(sys.stdin, 1):
    link = json.loads(line)
    text = json.dumps(link['entry'], sort_keys=True, separators=(',', ':'), ensure_ascii=False)
    before = hashlib.sha256(before + text.encode()).digest()
    assert link['position'] == position, link
    assert link['hash'] == before.hex(), link
print(before.hex())
";

async fn the_trail_is_exported_as_anybody_can_check_it(engine: Engine) {
    let (sandbox, alert) = world(engine).await;
    let told = must_be_sound(&sandbox).await;
    let exported = sandbox
        .run(&["audit", "export"])
        .await
        .must_succeed()
        .stdout;

    let mut python = Command::new("python3");
    python.args(["-c", RECOMPUTE]);
    python
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut python = python.spawn().expect("python3 is here (cargo xtask setup)");
    let mut input = python.stdin.take().expect("it is piped");
    input
        .write_all(exported.as_bytes())
        .await
        .expect("it reads");
    drop(input);
    let ended = python.wait_with_output().await.expect("it ends");
    let told_by_python = String::from_utf8_lossy(&ended.stdout).trim().to_owned();
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(told["head"]["hash"], json!(told_by_python));

    let links: Vec<Value> = exported
        .lines()
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect();
    assert_eq!(told["linked"], links.len());
    let of = |action: &str| -> Vec<&Value> {
        let object = json!(format!("alert {alert}"));
        let entries = links.iter().map(|link| &link["entry"]);
        let is_it = |e: &&Value| e["action"] == action && e["object"] == object;
        entries.filter(is_it).collect()
    };
    let [approved] = of("alert.approve")[..] else {
        panic!("one approval: {exported}")
    };
    assert_eq!(approved["asserted_by"], "notify-admin");
    assert_eq!(approved["source"], "127.0.0.1");
    assert_eq!(approved["before"], json!({ "status": "pending-approval" }));
    assert_eq!(approved["after"], json!({ "status": "broadcasting" }));
    assert!(approved["request_id"].is_string() && approved["actor"].is_string());
    let [refused] = of("alert.approve.refused")[..] else {
        panic!("one refused approval: {exported}")
    };
    assert_eq!(refused["refusal"], "not_a_member");
    let commands = links
        .iter()
        .filter(|l| l["entry"]["source"] == "command line");
    assert!(commands.count() > 0, "{exported}");

    // By service and by time.
    let service = approved["service_id"].as_str().expect("an id");
    let args = ["audit", "export", "--service", service];
    let of_service = sandbox.run(&args).await.must_succeed().stdout;
    let want = links.iter().filter(|l| l["entry"]["service_id"] == service);
    assert_eq!(of_service.lines().count(), want.count());
    assert!(of_service.lines().count() < links.len());
    for (args, want) in [
        (["--since", "2100-01-01T00:00:00Z"], 0),
        (["--until", "2100-01-01T00:00:00Z"], links.len()),
        (["--until", "2000-01-01T00:00:00Z"], 0),
    ] {
        let ran = sandbox
            .run(&[&["audit", "export"][..], &args].concat())
            .await;
        assert_eq!(ran.must_succeed().stdout.lines().count(), want, "{args:?}");
    }
    must_hold(&sandbox).await;
}

async fn sec_49_whoever_changes_the_trail_is_found_out(engine: Engine) {
    // what is done, how it is undone, the places that are named
    type Case = (String, String, &'static [(i64, &'static str)]);
    let (sandbox, _) = world(engine).await;
    let told = must_be_sound(&sandbox).await;
    let head = told["head"]["hash"].as_str().expect("a head").to_owned();
    let last = told["linked"].as_i64().expect("a number");
    assert!(last > 6, "{told}");
    let at =
        |position: i64| format!("(SELECT entry_id FROM audit_links WHERE position = {position})");
    let swap = "UPDATE audit_entries SET id = 'x' WHERE id = (SELECT entry_id FROM audit_links \
         WHERE position = 2); \
         UPDATE audit_entries SET id = (SELECT entry_id FROM audit_links WHERE position = 2) \
         WHERE id = (SELECT entry_id FROM audit_links WHERE position = 5); \
         UPDATE audit_entries SET id = (SELECT entry_id FROM audit_links WHERE position = 5) \
         WHERE id = 'x';";
    let cases: [Case; 4] = [
        (
            format!(
                "UPDATE audit_entries SET actor = actor || 'x' WHERE id = {};",
                at(3)
            ),
            format!(
                "UPDATE audit_entries SET actor = substr(actor, 1, length(actor) - 1) WHERE id = {};",
                at(3)
            ),
            &[(3, "differs")],
        ),
        (
            format!(
                "CREATE TABLE kept AS SELECT * FROM audit_entries WHERE id = {0}; \
                 DELETE FROM audit_entries WHERE id = {0};",
                at(4)
            ),
            "INSERT INTO audit_entries SELECT * FROM kept; DROP TABLE kept;".to_owned(),
            &[(4, "entry_gone")],
        ),
        (
            swap.to_owned(),
            swap.to_owned(),
            &[(2, "differs"), (5, "differs")],
        ),
        (
            // Moved out of the way first: positions are unique at every moment.
            "UPDATE audit_links SET position = position + 1000000 WHERE position > 3; \
             UPDATE audit_links SET position = position - 999999 WHERE position > 3;"
                .to_owned(),
            "UPDATE audit_links SET position = position + 1000000 WHERE position > 3; \
             UPDATE audit_links SET position = position - 1000001 WHERE position > 3;"
                .to_owned(),
            &[(4, "links_gone")],
        ),
    ];
    for (done, undone, want) in &cases {
        tamper(&sandbox, engine, done).await;
        let ran = verify(&sandbox, &[]).await;
        assert_eq!(ran.code, Some(1), "{done}: {ran:?}");
        let told = ran.json();
        let findings = told["findings"].as_array().expect("a list").iter();
        let places: Vec<_> = findings
            .map(|f| {
                (
                    f["position"].as_i64().expect("a number"),
                    f["wrong"].as_str().expect("a word"),
                )
            })
            .collect();
        assert_eq!(places, *want, "{done}: {told:#}");
        let plain = sandbox.run(&["audit", "verify"]).await;
        let (first, _) = want[0];
        assert_eq!(plain.code, Some(1));
        assert!(
            plain
                .stdout
                .contains(&format!("WRONG at position {first}: ")),
            "{plain:?}"
        );
        assert!(plain.stdout.contains("what to do: "), "{plain:?}");
        tamper(&sandbox, engine, undone).await;
        must_be_sound(&sandbox).await;
    }

    // Cut off at its end the chain is sound in itself: only a head that was noted tells.
    let found = verify(&sandbox, &["--head", &head])
        .await
        .must_succeed()
        .json();
    assert_eq!(found["noted_head_position"], last);
    let cut = format!(
        "DELETE FROM audit_entries WHERE id = {}; DELETE FROM audit_links WHERE position = {last};",
        at(last)
    );
    tamper(&sandbox, engine, &cut).await;
    assert_eq!(must_be_sound(&sandbox).await["linked"], last - 1);
    let ran = verify(&sandbox, &["--head", &head]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.json()["noted_head_found"], false);
    let ran = sandbox.run(&["audit", "verify", "--head", "no hash"]).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
}

async fn processes_that_link_at_once_make_one_chain(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let team = sandbox.live_team().await;
    let one = Server::start(&sandbox).await;
    let two = Server::start_as(&sandbox, &["serve", "--roles", "api,schedule"], "the other").await;
    for n in 0..6 {
        for (server, name) in [(&one, "one"), (&two, "two")] {
            let id = server.submit(&team, &format!("flood-{n}-{name}")).await;
            server.move_to(&team, &id, "rejected").await.must_be(200);
        }
        // A command links too, beside both.
        let (a, b) = tokio::join!(verify(&sandbox, &[]), verify(&sandbox, &[]));
        for ran in [a, b] {
            assert_eq!(ran.must_succeed().json()["wrong"], 0);
        }
    }
    // The servers link by themselves: nobody asks them to.
    let id = two.submit(&team, "the-last-one").await;
    let count = "SELECT count(*) FROM audit_entries e WHERE NOT EXISTS \
        (SELECT 1 FROM audit_links l WHERE l.entry_id = e.id)";
    poll_until(SOON, "every entry is linked", async || {
        let left = match engine {
            Engine::Postgresql => sandbox.sql(count),
            Engine::Sqlite => {
                let mut editor = Command::new("sqlite3");
                editor.args(["-readonly", "-cmd", ".timeout 5000"]);
                editor.arg(sandbox.path("balefire.db")).arg(count);
                run(editor).await.must_succeed().stdout
            }
        };
        (left.trim() == "0").then_some(())
    })
    .await;
    two.move_to(&team, &id, "rejected").await.must_be(200);
    must_be_sound(&sandbox).await;
    judge(&sandbox, &one).await;
}

/// The statements that `docs/operations/postgres-roles.sql` gives to those who run Balefire.
const ROLES: &str = include_str!("../../../../docs/operations/postgres-roles.sql");

#[tokio::test]
async fn sec_53_a_role_that_cant_change_the_trail_runs_the_service_on_postgresql() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    // Roles belong to the whole server: this test's own names, and the owner that migrated.
    let database = sandbox.sql("SELECT current_database()").trim().to_owned();
    let role = format!("service_of_{database}");
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'audit_entries'";
    let owner = sandbox.sql(owner).trim().to_owned();
    let roles = ROLES
        .replace("balefire_owner", &owner)
        .replace("balefire_service", &role);
    for _ in 0..2 {
        sandbox.sql(&roles);
    }
    sandbox.sql(&format!("ALTER ROLE {role} PASSWORD 'of the service'"));

    let url = sandbox.database_url();
    let (_, place) = url.split_once('@').expect("it has a role");
    let url = format!("postgres://{role}:of%20the%20service@{place}");
    let as_role = |args: &[&str]| {
        let mut command = sandbox.command(args);
        command.env("BALEFIRE__DATABASE__URL", &url);
        command
    };
    let team = sandbox.live_team().await;
    let server = Server::start_command("the service", as_role(&["serve"])).await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;
    let ran = run(as_role(&["audit", "verify", "--json"])).await;
    assert_eq!(ran.must_succeed().json()["unlinked"], 0);
    run(as_role(&["service", "suspend", &team.service]))
        .await
        .must_succeed();

    for sql in [
        "UPDATE audit_entries SET actor = 'nobody'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries, audit_links",
        "UPDATE audit_links SET hash = 'x'",
        "DELETE FROM audit_links",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_entries_no_change ON audit_entries",
        "DROP TABLE audit_links",
        "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RETURN NULL; END'",
        "SET session_replication_role = replica",
        "DELETE FROM _sqlx_migrations",
    ] {
        // Ends in an error unless exactly the missing right stops it.
        let tried = sql.replace('\'', "''");
        sandbox.sql(&format!(
            "SET ROLE {role}; DO $$ BEGIN EXECUTE '{tried}'; RAISE EXCEPTION 'it was allowed'; \
             EXCEPTION WHEN insufficient_privilege THEN NULL; END $$"
        ));
    }
    must_be_sound(&sandbox).await;
    judge(&sandbox, &server).await;
    server.end().await;
    sandbox.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
