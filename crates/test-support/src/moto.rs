//! `moto`, a stand-in for AWS on loopback, started by the test that wants it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

/// Where another than that of `cargo xtask setup` may be named.
const PROGRAM_VARIABLE: &str = "BALEFIRE_MOTO_SERVER";
/// How long it may take to start: an interpreter with many modules, on a busy machine.
const START_MAX: Duration = Duration::from_secs(60);
/// What it says when it listens.
const SAYS: &str = "Running on http://";

/// A running server, which ends with this value.
pub struct Moto {
    url: String,
    child: Child,
    /// Reads what it logs, so that it never waits for a reader.
    _log: JoinSet<()>,
}

impl Moto {
    /// Starts one on a free port.
    ///
    /// # Panics
    ///
    /// When it is not installed, with what to do; when it does not start.
    pub async fn start() -> Self {
        let program = program();
        assert!(
            program.exists(),
            "{} is not there, and the tests of the feature `aws` need it: run `cargo xtask setup`",
            program.display()
        );
        let mut child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", "0"])
            // It believes everybody; its own libraries want some credentials.
            .envs([
                ("AWS_ACCESS_KEY_ID", "dummy"),
                ("AWS_SECRET_ACCESS_KEY", "dummy"),
                ("PYTHONUNBUFFERED", "1"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| panic!("can't run {}: {error}", program.display()));
        let stderr = child.stderr.take().expect("it is piped");
        let mut lines = BufReader::new(stderr).lines();
        let address = tokio::time::timeout(START_MAX, async {
            while let Ok(Some(line)) = lines.next_line().await {
                if let Some((_, address)) = line.split_once(SAYS) {
                    return address.trim().to_owned();
                }
            }
            panic!("{} ended without saying where it is", program.display());
        })
        .await
        .unwrap_or_else(|_| panic!("{} did not start in time", program.display()));
        let mut log = JoinSet::new();
        log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            url: format!("http://{address}"),
            child,
            _log: log,
        }
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Kills it, and waits until it is gone.
    pub async fn kill(mut self) {
        self.child.kill().await.expect("it is ours");
    }
}

fn program() -> PathBuf {
    match std::env::var_os(PROGRAM_VARIABLE) {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/moto/bin/moto_server"),
    }
}
