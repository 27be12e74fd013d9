//! A child process: what it prints is kept, it can be signalled, and it ends with its test.

use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use super::{SOON, poll_until};

/// The signals that tests send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal {
    Terminate,
    Interrupt,
    Stop,
    Continue,
}

impl Signal {
    const fn flag(self) -> &'static str {
        match self {
            Self::Terminate => "-TERM",
            Self::Interrupt => "-INT",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
        }
    }
}

/// A running program. Dropping it kills it.
pub(crate) struct Process {
    name: String,
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
    _readers: JoinSet<()>,
}

impl Process {
    /// Starts `command`; `name` stands in messages.
    pub(crate) fn start(name: &str, mut command: Command) -> Self {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("can't start {name}: {error}"),
        };
        let lines = Arc::default();
        let mut readers = JoinSet::new();
        let stdout = child.stdout.take().expect("it is piped");
        let stderr = child.stderr.take().expect("it is piped");
        readers.spawn(collect(stdout, Arc::clone(&lines)));
        readers.spawn(collect(stderr, Arc::clone(&lines)));
        Self {
            name: name.to_owned(),
            child,
            lines,
            _readers: readers,
        }
    }

    /// What it printed so far, on both streams, line by line.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for a line with `prefix` and answers the rest of it.
    pub(crate) async fn line_after(&mut self, prefix: &str) -> String {
        let what = format!("{} prints `{prefix}…`", self.name);
        poll_until(SOON, &what, async || {
            let found = self
                .lines()
                .iter()
                .find_map(|line| line.strip_prefix(prefix).map(str::to_owned));
            if found.is_none()
                && let Ok(Some(status)) = self.child.try_wait()
            {
                panic!("{} ended ({status}) before: {what}", self.name);
            }
            found
        })
        .await
    }

    /// Whether it has ended, however it did.
    #[allow(dead_code, reason = "the torture uses it, which shares this module")]
    pub(crate) fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it was not waited for")
    }

    /// Sends a signal.
    pub(crate) async fn signal(&self, signal: Signal) {
        let sent = Command::new("kill")
            .args([signal.flag(), &self.id().to_string()])
            .status()
            .await
            .expect("every Unix has `kill`");
        assert!(sent.success(), "{} got no {signal:?}", self.name);
    }

    /// Kills it as a power cut would: no handler of its own runs.
    pub(crate) async fn kill(&mut self) {
        self.child.kill().await.expect("it was running");
    }

    /// Waits for its end; the exit code, none after a signal.
    pub(crate) async fn ended_within(&mut self, time: Duration) -> Option<i32> {
        let Ok(status) = tokio::time::timeout(time, self.child.wait()).await else {
            panic!("{} did not end within {time:?}", self.name);
        };
        status.expect("it is our child").code()
    }

    /// The events of its log with this name.
    pub(crate) fn events(&self, name: &str) -> Vec<serde_json::Value> {
        let lines = self.lines();
        let events = lines
            .iter()
            .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        events.filter(|event| event["event"] == name).collect()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let lines = self.lines();
            let from = lines.len().saturating_sub(60);
            let _ = std::io::Write::write_all(
                &mut std::io::stderr(),
                format!("--- {}\n{}\n---\n", self.name, lines[from..].join("\n")).as_bytes(),
            );
        }
    }
}

async fn collect(stream: impl AsyncRead + Unpin, lines: Arc<Mutex<Vec<String>>>) {
    let mut reader = BufReader::new(stream).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
    }
}
