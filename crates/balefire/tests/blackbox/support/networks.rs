//! The simulated networks as a process, and their log.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::SOON;
use super::api::{Answer, call};
use super::poll_until;
use super::process::Process;
use super::sandbox::balefire;

/// `balefire provider-sim`. It may be stopped and started again at the same address; each start
/// writes a log of its own, and the oracle reads all of them.
pub(crate) struct Networks {
    folder: PathBuf,
    address: SocketAddr,
    starts: u32,
    process: Option<Process>,
}

impl Networks {
    /// Starts them on a free port, without faults.
    pub(crate) async fn start(folder: PathBuf) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut networks = Self {
            folder,
            address,
            starts: 0,
            process: None,
        };
        networks.start_again().await;
        networks
    }

    /// Starts them at the address they had. They have forgotten everything, and have no faults.
    pub(crate) async fn start_again(&mut self) {
        self.starts += 1;
        let mut command = balefire();
        command
            .args(["provider-sim", "--listen", &self.address.to_string()])
            .arg("--log")
            .arg(self.log_of(self.starts));
        let mut process = Process::start("provider-sim", command);
        let url = process
            .line_after("provider-sim: listening on http://")
            .await;
        self.address = url.parse().expect("it prints its address");
        self.process = Some(process);
    }

    /// Ends them at once.
    pub(crate) async fn stop(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().await;
        }
    }

    /// Where they listen.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Puts these faults (TOML) in place of the present ones; empty for none.
    pub(crate) async fn fail(&self, faults: &str) {
        let url = format!("{}/_sim/faults", self.url());
        let answer = call("PUT", &url, &[], faults.to_owned()).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
    }

    /// What each network has on the air.
    pub(crate) async fn state(&self) -> serde_json::Value {
        let url = format!("{}/_sim/state", self.url());
        let answer: Answer = call("GET", &url, &[], String::new()).await;
        answer.json()
    }

    /// The requests that came since the latest start.
    pub(crate) async fn requests(&self) -> Vec<serde_json::Value> {
        let url = format!("{}/_sim/requests", self.url());
        let lines = call("GET", &url, &[], String::new()).await.text();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect()
    }

    /// Waits until `count` requests of this type came to functions that begin with `function`.
    pub(crate) async fn wait_for(&self, message_type: &str, function: &str, count: usize) {
        let what = format!("{count} {message_type}(s) came to {function}*");
        poll_until(SOON, &what, async || {
            let requests = self.requests().await;
            let fits = requests.iter().filter(|request| {
                let name = request["function"].as_str().unwrap_or_default();
                request["payload"]["message_type"] == message_type && name.starts_with(function)
            });
            (fits.count() >= count).then_some(())
        })
        .await;
    }

    /// The log files of every start, oldest first.
    pub(crate) fn logs(&self) -> Vec<String> {
        let files = self.log_files().into_iter();
        files
            .map(|file| std::fs::read_to_string(file).unwrap_or_default())
            .collect()
    }

    /// Where they are.
    pub(crate) fn log_files(&self) -> Vec<PathBuf> {
        (1..=self.starts).map(|start| self.log_of(start)).collect()
    }

    fn log_of(&self, start: u32) -> PathBuf {
        self.folder.join(format!("networks-{start}.jsonl"))
    }
}

/// A fault for every request of this type to these functions.
pub(crate) fn fault(function: &str, message_type: &str, rest: &str) -> String {
    format!("[[fault]]\nfunction = \"{function}\"\nmessage_type = \"{message_type}\"\n{rest}\n")
}
