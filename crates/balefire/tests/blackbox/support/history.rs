//! The product's own judge of its record, with which every test ends: `balefire history verify`.

use serde_json::Value;

use super::sandbox::{Ran, Sandbox};

/// Runs the command with the networks' logs: no invariant is broken, and each was checked.
pub(crate) async fn must_hold(sandbox: &Sandbox) -> Value {
    let told = verify(sandbox).await.must_succeed().json();
    for invariant in told["invariants"].as_array().expect("a list") {
        assert_eq!(invariant["status"], "ok", "{told:#}");
    }
    told
}

/// Runs the command with the networks' logs.
pub(crate) async fn verify(sandbox: &Sandbox) -> Ran {
    let mut args = vec![
        "history".to_owned(),
        "verify".to_owned(),
        "--json".to_owned(),
    ];
    for file in sandbox.networks.log_files() {
        args.extend(["--provider-log".to_owned(), file.display().to_string()]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    sandbox.run(&args).await
}

/// The invariants that the command says are violated.
pub(crate) fn violated(told: &Value) -> Vec<&str> {
    let invariants = told["invariants"].as_array().expect("a list").iter();
    invariants
        .filter(|invariant| invariant["status"] == "violated")
        .map(|invariant| invariant["id"].as_str().expect("an id"))
        .collect()
}
