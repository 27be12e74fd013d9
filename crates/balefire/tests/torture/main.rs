//! Kill -9, again and again: the real binary with crash points compiled in, the real `provider-sim`
//! as another process, both databases. `cargo xtask torture` runs it; docs/reliability/kill.md says
//! what it does and what came of it.
//!
//! A *unit* is one world (a database, networks, a team) in which the service is killed many times:
//! at one named place, or at random moments, under a load of approvals, edits and cancels and with
//! networks that refuse, lie, hang and lose answers. After each kill the service starts again and
//! the time is taken until everything that was open has moved. At the end of a unit the networks
//! are well again; everything must come to its end, `balefire history verify` must find nothing,
//! and whatever a client was told must be so.
//!
//! It is a program of its own (no test harness), because a run takes from minutes to an hour.

#[path = "../blackbox/support/mod.rs"]
#[expect(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "shared with the black-box tests, which use all of it"
)]
mod support;

mod client;
mod judge;
mod options;
mod plan;
mod table;
mod unit;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::options::Options;
use crate::plan::Unit;
use crate::table::Row;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    // Only `cargo xtask torture` says this: runners that start every test torture nothing.
    if args.first().is_none_or(|arg| arg != "--torture") {
        table::say("this takes from minutes to an hour: `cargo xtask torture` runs it");
        return ExitCode::SUCCESS;
    }
    let options = match Options::parse(&args[1..]) {
        Ok(options) => options,
        Err(complaint) => {
            table::say(&format!("{complaint}\n{}", options::HELP));
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads can be started");
    let binaries = tempfile::tempdir().expect("a temporary folder");
    let own = binaries.path().join("balefire");
    std::fs::copy(env!("CARGO_BIN_EXE_balefire"), &own).expect("the binary was built");
    support::sandbox::use_binary(own);
    let rows = runtime.block_on(run(&options));
    table::print(&rows, options.seed);
    if rows.iter().all(Row::is_clean) && table::is_quick(&rows) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Runs every unit, some at a time; what came of each, in the order of the plan.
async fn run(options: &Options) -> Vec<Row> {
    let plan = plan::make(options);
    table::say(&format!(
        "torture: {} units, {} kills, {} at a time, seed {}",
        plan.len(),
        plan.iter().map(|unit| unit.kills).sum::<u32>(),
        options.jobs,
        options.seed
    ));
    let places = Arc::new(Semaphore::new(options.jobs));
    let mut running = JoinSet::new();
    for (number, unit) in plan.iter().cloned().enumerate() {
        let places = Arc::clone(&places);
        running.spawn(async move {
            let _place = places.acquire_owned().await.expect("it is never closed");
            let row = tokio::task::spawn_blocking(move || alone(unit)).await;
            (number, row.expect("a unit catches its own panics"))
        });
    }
    let mut rows = Vec::new();
    while let Some(ended) = running.join_next().await {
        let (number, row) = ended.expect("it only waits for a unit");
        table::say(&format!(
            "{:>4}/{} {}",
            rows.len() + 1,
            plan.len(),
            row.line()
        ));
        rows.push((number, row));
    }
    rows.sort_by_key(|(number, _)| *number);
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A unit on a thread of its own, so that none waits for what another does.
fn alone(unit: Unit) -> Row {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a thread can be used");
    runtime.block_on(unit::run(unit))
}
