//! What requests must not take from alerts, and who looks when nobody dispatches.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use crate::support::on_both_engines;
use crate::support::oracle::judge;
use crate::support::sandbox::{Engine, Sandbox, balefire};
use crate::support::server::Server;
use crate::support::{SOON, api, poll_until};

on_both_engines!(a_flood_of_connections_takes_no_descriptor_of_dispatch);

/// Connections that say nothing, more of them than the process may have files.
async fn a_flood_of_connections_takes_no_descriptor_of_dispatch(engine: Engine) {
    let sandbox = Sandbox::new(engine).await;
    let server = Server::start_command("the one", few_descriptors(&sandbox)).await;
    let team = sandbox.live_team().await;
    let alert = server.submit(&team, "flood-1").await;
    let address = server.url.trim_start_matches("http://").to_owned();
    let flood: Vec<TcpStream> = (0..300)
        .filter_map(|_| TcpStream::connect(&address).ok())
        .collect();
    assert!(flood.len() > 200, "{} connections", flood.len());
    let email = &team.approver.email;
    sandbox
        .json(&["alert", "approve", &alert, "--as", email])
        .await;
    sandbox.acknowledged(&alert, 4).await;
    drop(flood);
    for delivery in judge(&sandbox, &server).await.deliveries_of(&alert) {
        assert_eq!(delivery.attempts.len(), 1, "at once: {delivery:?}");
    }
}

/// The service under a limit that such a flood exceeds.
fn few_descriptors(sandbox: &Sandbox) -> Command {
    let own = balefire();
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg("ulimit -n 200 && exec \"$0\" serve")
        .arg(own.as_std().get_program())
        .kill_on_drop(true);
    for (name, value) in sandbox.command(&[]).as_std().get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.current_dir(sandbox.path(""));
    command
}

/// An approval without a process that dispatches must not be silence.
#[tokio::test]
async fn alerts_that_nobody_dispatches_are_told_of() {
    let sandbox = Sandbox::new(Engine::Postgresql).await;
    let args = ["serve", "--roles", "api,schedule"];
    let server = Server::start_as(&sandbox, &args, "no dispatch").await;
    assert_eq!(readiness(&server).await, "none");
    let team = sandbox.live_team().await;
    let alert = server.broadcast(&team, "flood-1").await;
    let patient = Duration::from_secs(90);
    poll_until(patient, "a person is told", async || {
        let items = sandbox.json(&["item", "list"]).await;
        (items[0]["kind"] == json!("nobody_dispatches")).then_some(())
    })
    .await;
    let args = ["serve", "--roles", "dispatch"];
    let dispatch = Server::start_as(&sandbox, &args, "dispatch").await;
    assert_eq!(readiness(&dispatch).await, "ok", "it can be asked too");
    assert_eq!(readiness(&server).await, "elsewhere");
    sandbox.acknowledged(&alert, 4).await;
    poll_until(SOON, "the item closes by itself", async || {
        (sandbox.json(&["item", "list"]).await == json!([])).then_some(())
    })
    .await;
    judge(&sandbox, &server).await;
    dispatch.end().await;
    server.end().await;
}

/// The word for the dispatcher in the answer to a load balancer, which is 200.
async fn readiness(server: &Server) -> String {
    let url = format!("{}/_api_status/ready", server.url);
    let answer = api::call("GET", &url, &[], String::new()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["dispatcher"]
        .as_str()
        .unwrap_or("")
        .to_owned()
}
