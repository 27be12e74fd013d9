//! Hostile documents against the real binary: `balefire cap check` refuses each one in a process
//! that may not use more memory than issue 4 allows, and looks at no file and no address.
//!
//! Memory: the process runs under a limit (`ulimit -d`) on what it may map privately, so an
//! allocation beyond it ends the process and the test. The limit leaves 16 MB of the 64 for the
//! pages of the program itself.
//!
//! Time: `crates/cap/tests/hostile.rs` bounds the same documents in time of the processor; here a
//! deadline catches only what hangs.
//!
//! Outside: the documents name a listener on loopback, which must never hear of them, and a FIFO
//! without writer: a process that opened it would hang until the deadline.

#[path = "../../cap/tests/hostile/attacks.rs"]
mod attacks;

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

/// Private memory of one process, in KiB.
const MEMORY_KIB: usize = 48 * 1024;

/// When a process counts as hanging.
const DEADLINE: Duration = Duration::from_secs(20);

#[test]
fn the_binary_refuses_every_attack_within_its_memory_and_looks_nowhere() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let canary = folder.path().join("canary");
    let made = Command::new("mkfifo").arg(&canary).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo failed");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.set_nonblocking(true).expect("it is a socket");
    let port = listener.local_addr().expect("it is bound").port();
    let file = format!("file://{}", canary.display());
    let web = format!("http://127.0.0.1:{port}/");
    let path = folder.path().join("attack.xml");
    let mut count = 0;
    for (name, document) in attacks::all(&file, &web) {
        std::fs::write(&path, &document).expect("the folder is writable");
        let output = check(&path);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{name}: {:?} {said}",
            output.status
        );
        assert_eq!(said, "", "{name}");
        let list: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
        let verdict = &list[0];
        assert_eq!(verdict["file"], path.display().to_string(), "{name}");
        assert_eq!(verdict["ok"], false, "{name}");
        let findings = verdict["findings"].as_array().expect("a list");
        let is_error = |finding: &Value| finding["severity"] == "error";
        assert!(findings.iter().any(is_error), "{name}: {verdict}");
        count += 1;
    }
    let heard = listener.accept().map_err(|error| error.kind());
    assert_eq!(
        heard.err(),
        Some(ErrorKind::WouldBlock),
        "something was fetched"
    );
    println!("{count} attacks refused, each with at most {MEMORY_KIB} KiB of its own");
}

/// Runs `cap check --json` on a file.
fn check(path: &Path) -> Output {
    let mut command = Command::new("sh");
    command
        .args(["-c", "ulimit -d \"$1\" && shift && exec \"$@\"", "sh"])
        .arg(MEMORY_KIB.to_string())
        .arg(env!("CARGO_BIN_EXE_balefire"))
        .args(["cap", "check", "--json"])
        .arg(path)
        .stdin(Stdio::null());
    let (send, answer) = mpsc::channel();
    std::thread::spawn(move || send.send(command.output()));
    let output = answer.recv_timeout(DEADLINE);
    let output = output.unwrap_or_else(|_| panic!("it hangs on {}", path.display()));
    output.expect("sh runs")
}
