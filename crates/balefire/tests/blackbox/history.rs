//! `history verify`: what it says of a sound record, of a spoilt one, and of logs that are none.

use serde_json::Value;

use crate::support::history::{must_hold, violated};
use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Ran, Sandbox};
use crate::support::server::Server;

on_both_engines!(
    it_says_what_it_checked_and_what_it_cant,
    a_spoilt_log_is_found_out,
);

/// A world in which one alert was sent, acknowledged and cancelled.
async fn world(engine: Engine) -> (Sandbox, Server) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start(&sandbox).await;
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 4).await;
    server.cancel(&team, "flood-1").await;
    sandbox.acknowledged(&alert, 8).await;
    (sandbox, server)
}

async fn verify(sandbox: &Sandbox, log: &str, more: &[&str]) -> Ran {
    let file = sandbox.write("spoilt.jsonl", log).display().to_string();
    let args = ["history", "verify", "--provider-log", &file];
    sandbox.run(&[&args, more].concat()).await
}

fn status<'a>(told: &'a Value, id: &str) -> &'a str {
    let mut invariants = told["invariants"].as_array().expect("a list").iter();
    let found = invariants.find(|invariant| invariant["id"] == id);
    found.expect("it is told")["status"]
        .as_str()
        .expect("a word")
}

async fn it_says_what_it_checked_and_what_it_cant(engine: Engine) {
    let (sandbox, server) = world(engine).await;
    let told = sandbox.json(&["history", "verify"]).await;
    assert_eq!(told["alerts"], 1);
    for (id, want) in [("S1", "not_checkable"), ("S4", "ok_in_part"), ("S7", "ok")] {
        assert_eq!(status(&told, id), want, "{id}");
    }
    let plain = sandbox.run(&["history", "verify"]).await.must_succeed();
    assert!(plain.stdout.contains("not checkable without"), "{plain:?}");

    // With the log everything is checked, and what the simulator tells over HTTP is as good.
    let told = must_hold(&sandbox).await;
    assert_eq!((&told["alerts"], &told["requests"]), (&1.into(), &8.into()));
    for invariant in told["invariants"].as_array().expect("a list") {
        assert_ne!(invariant["facts"], 0, "{invariant}");
    }
    let lines = sandbox.networks.requests().await;
    let lines: Vec<String> = lines.iter().map(|line| format!("{line}\n")).collect();
    let ran = verify(&sandbox, &lines.concat(), &["--json"]).await;
    // Reading it as JSON lost the order of the keys, and so the bytes.
    assert_eq!(violated(&ran.json()), ["S10"], "{ran:?}");

    // What was made before the period is left out, and so are its requests.
    let log = sandbox.networks.logs().concat();
    let later = ["--since", "2100-01-01T00:00:00Z", "--json"];
    let told = verify(&sandbox, &log, &later).await.must_succeed().json();
    assert_eq!(
        (&told["alerts"], &told["requests_before"]),
        (&0.into(), &8.into())
    );
    judge(&sandbox, &server).await;
}

async fn a_spoilt_log_is_found_out(engine: Engine) {
    let (sandbox, server) = world(engine).await;
    let log = sandbox.networks.logs().concat();
    let lines: Vec<&str> = log.lines().collect();
    let first_applied = lines
        .iter()
        .position(|line| line.contains("\"applied\":true"));
    let first_applied = first_applied.expect("something was applied");
    let without = |at: usize| {
        let mut lines = lines.clone();
        lines.remove(at);
        lines.join("\n") + "\n"
    };
    // what stands in the log, and the invariants that must be named
    let twice = format!("{log}{}\n", lines[0].replace("\"n\":1,", "\"n\":99,"));
    let stranger = twice.replacen("\"identifier\":\"", "\"identifier\":\"x", 1);
    let cases: [(String, &[&str]); 3] = [
        (without(first_applied), &["S4"]),
        (twice, &["S6"]),
        (stranger, &["S4", "S6"]),
    ];
    for (log, want) in cases {
        let ran = verify(&sandbox, &log, &["--json"]).await;
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert_eq!(violated(&ran.json()), want, "{ran:?}");
        let plain = verify(&sandbox, &log, &[]).await;
        assert!(plain.stdout.contains("VIOLATED"), "{plain:?}");
        assert!(plain.stdout.contains("what to do: "), "{plain:?}");
    }

    // Still being written: what is there counts, and the rest comes another time.
    let cut = &log[..log.len() - 5];
    let ran = verify(&sandbox, cut, &["--json"]).await;
    assert_eq!(ran.json()["requests"], 8, "{ran:?}");
    let ran = verify(&sandbox, &format!("{log}no line of a log\n"), &[]).await;
    let line = format!("line {}", lines.len() + 1);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains(&line) && ran.stderr.contains("spoilt.jsonl"),
        "{ran:?}"
    );
    let ran = sandbox
        .run(&["history", "verify", "--provider-log", "nowhere"])
        .await;
    assert!(
        ran.code == Some(1) && ran.stderr.contains("nowhere"),
        "{ran:?}"
    );
    judge(&sandbox, &server).await;
}
