//! `balefire serve` as a process.

use std::time::Duration;

use tokio::process::Command;

use super::process::{Process, Signal};
use super::sandbox::Sandbox;

/// How long a server may take to end after it was told to: it awaits open attempts.
pub(crate) const END_MAX: Duration = Duration::from_secs(28);

/// A running server.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) url: String,
}

impl Server {
    /// Starts a server with all roles and waits until it is ready.
    pub(crate) async fn start(sandbox: &Sandbox) -> Self {
        Self::start_as(sandbox, &["serve"], "the one").await
    }

    /// The same with other arguments, and a name among the processes of its database.
    pub(crate) async fn start_as(sandbox: &Sandbox, args: &[&str], name: &str) -> Self {
        Self::start_command(name, sandbox.command(args)).await
    }

    /// The same on the database at another address, such as a forwarder's.
    pub(crate) async fn start_on(sandbox: &Sandbox, args: &[&str], name: &str, url: &str) -> Self {
        let mut command = sandbox.command(args);
        command.env("BALEFIRE__DATABASE__URL", url);
        Self::start_command(name, command).await
    }

    /// The same with a command of the test's own.
    pub(crate) async fn start_command(name: &str, mut command: Command) -> Self {
        command.env("BALEFIRE__DISPATCH__INSTANCE_NAME", name);
        let mut process = Process::start(&format!("server {name}"), command);
        let url = process.line_after("balefire: ready on ").await;
        Self { process, url }
    }

    /// Tells it to end, and waits until it has: 0 is its exit code.
    pub(crate) async fn end(mut self) {
        self.process.signal(Signal::Terminate).await;
        assert_eq!(self.process.ended_within(END_MAX).await, Some(0));
    }

    /// Kills it as a power cut would.
    pub(crate) async fn kill(mut self) {
        self.process.kill().await;
    }
}
