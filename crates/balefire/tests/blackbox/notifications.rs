//! Messages to people, from outside: a code reaches its carrier, and stays readable nowhere else;
//! and what `notification send-test` says of each carrier.

use balefire_app::authenticate::make_token;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::api::{Answer, call};
use crate::support::sandbox::{CLIENT_SECRET, Engine, Figures, Sandbox, run};
use crate::support::server::Server;
use crate::support::{SOON, now, on_both_engines, poll_until};

on_both_engines!(
    a_code_reaches_its_carrier_and_stays_nowhere_else,
    a_test_message_tells_what_its_carrier_did,
);

const PASSWORD: &str = "a-long-Password-1234";
const MOBILE: &str = "+447700900111";

/// A sandbox whose configuration ends with these lines.
async fn sandbox_with(engine: Engine, lines: &str) -> Sandbox {
    let sandbox = Sandbox::unmigrated(engine, Figures::default()).await;
    configure_more(&sandbox, lines);
    sandbox.run(&["migrate"]).await.must_succeed();
    sandbox
}

fn configure_more(sandbox: &Sandbox, lines: &str) {
    sandbox.configure(Figures::default());
    let written = std::fs::read_to_string(sandbox.path("balefire.toml")).expect("it is written");
    sandbox.write("balefire.toml", &format!("{written}\n{lines}\n"));
}

async fn ask(server: &Server, path: &str, body: Value) -> Answer {
    let token = format!(
        "Bearer {}",
        make_token("notify-admin", CLIENT_SECRET, now())
    );
    let headers = [
        ("authorization", token.as_str()),
        ("content-type", "application/json"),
    ];
    let url = format!("{}{path}", server.url);
    call("POST", &url, &headers, body.to_string()).await
}

/// Every row of every table, as text.
async fn all_rows(sandbox: &Sandbox, engine: Engine) -> String {
    match engine {
        Engine::Postgresql => sandbox.sql("SELECT schema_to_xml('public', true, false, '')"),
        Engine::Sqlite => query(sandbox, ".dump").await,
    }
}

async fn query(sandbox: &Sandbox, sql: &str) -> String {
    let mut shell = Command::new("sqlite3");
    shell.arg("-bail").arg(sandbox.path("balefire.db")).arg(sql);
    run(shell).await.must_succeed().stdout
}

async fn a_code_reaches_its_carrier_and_stays_nowhere_else(engine: Engine) {
    let lines = "[notifications]\nkind = \"file\"\nfile = \"messages.jsonl\"";
    let sandbox = sandbox_with(engine, lines).await;
    let server = Server::start(&sandbox).await;
    let person = json!({
        "name": "alice", "email_address": "alice@agency.example", "password": PASSWORD,
        "mobile_number": MOBILE, "auth_type": "sms_auth",
    });
    let made = ask(&server, "/user", person).await.must_be(201);
    let user = made["data"]["id"].as_str().expect("an id").to_owned();
    let path = format!("/user/{user}/sms-code");
    let told = ask(&server, &path, json!({ "to": null })).await;
    assert_eq!((told.status, told.text()), (204, String::new()));
    let code = server.open("GET", &format!("/verify-code/{user}")).await;
    let code = code.text();
    assert_eq!(code.len(), 7, "{code}");

    let carried = poll_until(SOON, "the code is carried", async || {
        let written = std::fs::read_to_string(sandbox.path("messages.jsonl")).ok()?;
        written.contains(&code).then_some(written)
    })
    .await;
    assert!(carried.contains("447700900111"), "{carried}");

    let open_payloads = "SELECT count(*) FROM jobs WHERE kind = 'sms' AND payload <> '{}'";
    let jobs = "SELECT count(*) FROM jobs WHERE kind = 'sms'";
    poll_until(
        SOON,
        "the job forgets what it had to say",
        async || match engine {
            Engine::Postgresql => (sandbox.sql(open_payloads).trim() == "0").then_some(()),
            Engine::Sqlite => (query(&sandbox, open_payloads).await.trim() == "0").then_some(()),
        },
    )
    .await;
    let count = match engine {
        Engine::Postgresql => sandbox.sql(jobs),
        Engine::Sqlite => query(&sandbox, jobs).await,
    };
    assert_eq!(count.trim(), "1");

    let logged = server.process.lines().join("\n");
    server.end().await;
    let rows = all_rows(&sandbox, engine).await;
    assert!(rows.contains("alice@agency.example"), "all rows are seen");
    for secret in [code.as_str(), PASSWORD, CLIENT_SECRET] {
        assert!(!rows.contains(secret), "the database has {secret}");
        assert!(!logged.contains(secret), "the log has {secret}");
    }
}

async fn a_test_message_tells_what_its_carrier_did(engine: Engine) {
    // What `[notifications]` says, the exit code, what is told
    let rows = [
        (
            "kind = \"file\"\nfile = \"messages.jsonl\"",
            0,
            "sent",
            "file",
        ),
        ("kind = \"log\"", 0, "sent", "log"),
        ("kind = \"none\"", 1, "not_sent", ""),
        (
            "kind = \"smtp\"\nfrom = \"a@example.org\"\n[notifications.sms]\nkind = \"none\"\n\
             [notifications.smtp]\nhost = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"",
            1,
            "failed",
            "127.0.0.1:1",
        ),
    ];
    let sandbox = Sandbox::unmigrated(engine, Figures::default()).await;
    for (lines, code, outcome, word) in rows {
        configure_more(&sandbox, &format!("[notifications]\n{lines}"));
        let args = ["notification", "send-test", "--email", "ann@example.org"];
        let ran = sandbox.run(&[&args[..], &["--json"]].concat()).await;
        assert_eq!(ran.code, Some(code), "{lines}: {ran:?}");
        let told = ran.json();
        assert_eq!(told["outcome"], outcome, "{lines}: {told}");
        let detail = told["detail"].as_str().expect("a text");
        assert!(detail.contains(word), "{lines}: {told}");
        let shown = format!("{told}");
        assert!(!shown.contains("ann@"), "an address is masked: {told}");
    }
    let written = std::fs::read_to_string(sandbox.path("messages.jsonl")).expect("a file");
    assert_eq!(written.lines().count(), 1, "{written}");
    let wrong = ["notification", "send-test", "--email", "ann"];
    assert_eq!(sandbox.run(&wrong).await.code, Some(1));
    let none = ["notification", "send-test"];
    assert_eq!(sandbox.run(&none).await.code, Some(2));
}
