//! `balefire demo`: what a newcomer sees first must be true, and what it prints must work.

use std::fmt::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tokio::process::Command;

use crate::support::process::{Process, Signal};
use crate::support::sandbox::{balefire, run};
use crate::support::server::END_MAX;
use crate::support::{SOON, poll_until};

const NETWORKS: [&str; 4] = ["ee", "o2", "three", "vodafone"];

#[tokio::test]
async fn once_it_shows_four_acknowledgements_and_ends() {
    let mut command = balefire();
    command.args(["demo", "--once"]);
    let ran = run(command).await.must_succeed();
    for network in NETWORKS {
        let line = ran
            .stdout
            .lines()
            .find(|line| line.trim().starts_with(network));
        let line = line.unwrap_or_else(|| panic!("{network} is not there: {}", ran.stdout));
        assert!(line.contains(" acknowledged "), "{line}");
        let attempts = if network == "three" {
            " 2 attempt(s)"
        } else {
            " 1 attempt(s)"
        };
        assert!(line.contains(attempts), "{line}");
    }
    assert!(ran.stderr.is_empty(), "{}", ran.stderr);
}

/// Copies every line that the demo prints for copying into a shell, in the order in which a person
/// would, and ends the demo with Ctrl-C.
#[tokio::test]
async fn the_lines_for_copying_work_as_printed() {
    let mut command = balefire();
    command.arg("demo");
    let mut demo = Process::start("demo", command);
    demo.line_after("Ctrl-C ends the demo.").await;
    let lines = demo.lines();
    let is_copied = |line: &&String| {
        [
            "export ",
            "b64()",
            "token()",
            "curl ",
            "printf ",
            "$BALEFIRE ",
            "ID=",
        ]
        .iter()
        .any(|start| line.starts_with(start))
    };
    let copied: Vec<&String> = lines.iter().filter(is_copied).collect();
    assert!(copied.len() >= 15, "{lines:#?}");
    let line = |word: &str| -> &str {
        let found = copied.iter().find(|line| line.contains(word));
        found.unwrap_or_else(|| panic!("no line has {word}: {copied:#?}"))
    };
    let folder = line("BALEFIRE_CONFIG=").split_once('=').expect("one").1;
    let folder = std::path::Path::new(folder)
        .parent()
        .expect("a folder")
        .to_owned();
    assert!(folder.is_dir());

    let has_tools = has("curl").await && has("openssl").await;
    let mut script = String::from("set -e\n");
    let mut say = |heading: &str, line: &str| {
        writeln!(script, "echo '## {heading}'\n{line}\necho").expect("a text can be written to");
    };
    for setting in copied.iter().take_while(|line| !line.starts_with("curl ")) {
        say("setting", setting);
    }
    if has_tools {
        say("posted", line("/v2/broadcast"));
    }
    // Posting it twice makes one alert, so that this is right with and without curl.
    say("submitted", line("alert submit"));
    say("listed", line("$BALEFIRE alert list"));
    say("id", line("ID="));
    say("id is", "echo $ID");
    if has_tools {
        say("approved", line("/status"));
    } else {
        say("approved", line("alert approve"));
    }
    say("watched", line("alert watch"));
    say("deliveries", line("delivery list"));
    say("cancelled", line("alert cancel"));
    say("watched again", line("alert watch"));
    if has_tools {
        say("fault", line("printf '[[fault]]"));
        say("requests", line("/_sim/requests"));
    }
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).kill_on_drop(true);
    let ran = run(shell).await;
    assert_eq!(
        ran.code,
        Some(0),
        "{script}\n{}\n{}",
        ran.stdout,
        ran.stderr
    );
    let part = |heading: &str| -> &str {
        let from = ran.stdout.split(&format!("## {heading}\n")).nth(1);
        let from = from.unwrap_or_else(|| panic!("no {heading}: {}", ran.stdout));
        from.split("## ").next().unwrap_or_default().trim()
    };
    let id = part("id is");
    assert_eq!(id.len(), 36, "{}", ran.stdout);
    assert!(
        part("submitted").starts_with(id) || has_tools,
        "{}",
        ran.stdout
    );
    if has_tools {
        let posted: Value = serde_json::from_str(part("posted")).expect("an alert");
        assert_eq!(posted["id"], id, "{posted}");
        let approved: Value = serde_json::from_str(part("approved")).expect("an alert");
        assert_eq!(approved["status"], "broadcasting", "{approved}");
        let requests = part("requests").lines().count();
        assert!(requests >= 13, "{}", ran.stdout);
    }
    assert!(part("cancelled").contains("cancelled"), "{}", ran.stdout);
    assert_eq!(
        part("watched").matches(" acknowledged ").count(),
        4,
        "{}",
        ran.stdout
    );
    let again = part("watched again").matches(" acknowledged ").count();
    assert_eq!(again, 8, "{}", ran.stdout);
    // The demo shows on its own terminal what was done by hand.
    poll_until(SOON, "the demo shows the alert made by hand", async || {
        let shown = demo.lines();
        let own = shown
            .iter()
            .filter(|line| line.contains(id) && line.contains("acknowledged"));
        (own.count() >= 8).then_some(())
    })
    .await;

    demo.signal(Signal::Interrupt).await;
    assert_eq!(demo.ended_within(END_MAX).await, Some(0));
    poll_until(
        Duration::from_secs(5),
        "the folder is removed",
        async || (!folder.exists()).then_some(()),
    )
    .await;
}

#[tokio::test]
async fn told_to_end_while_it_plays_it_ends() {
    let mut command = balefire();
    command.arg("demo");
    let mut demo = Process::start("demo", command);
    demo.line_after("Balefire demo").await;
    demo.signal(Signal::Terminate).await;
    assert_eq!(demo.ended_within(END_MAX).await, Some(0));
}

async fn has(tool: &str) -> bool {
    let mut command = Command::new(tool);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let version = command.status().await;
    // `openssl --version` is refused by old versions, and still the tool is there.
    version.is_ok()
}
