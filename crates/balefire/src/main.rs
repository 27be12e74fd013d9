//! The one binary: commands, configuration, the only real clock and the only real randomness.

#![expect(
    clippy::print_stderr,
    reason = "a command-line tool says what is wrong"
)]

#[macro_use]
mod output;

mod audit_chain;
mod certificates;
mod cli;
mod clock;
mod commands;
mod config;
mod descriptors;
mod dispatching;
mod entropy;
mod link_tests;
mod metrics;
mod outage;
#[cfg(feature = "aws")]
mod queue;
mod runtime;
mod service;
mod telemetry;
mod traces;
mod way_out;

use std::process::ExitCode;

use clap::Parser;

/// Exit code of a command that was refused or failed.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("balefire: the threads can't be started: {error}");
            return ExitCode::from(FAILED);
        }
    };
    match runtime.block_on(commands::run(cli)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("balefire: {error:#}");
            ExitCode::from(FAILED)
        }
    }
}
