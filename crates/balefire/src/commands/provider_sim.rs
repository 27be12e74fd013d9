//! `provider-sim`: the simulated networks as a process of their own.

use std::process::ExitCode;

use anyhow::Context;
use balefire_provider_sim::{Faults, Simulator};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::ProviderSim;
use crate::telemetry::Speaker;
use crate::traces::Traces;
use crate::{runtime, telemetry};

pub(super) async fn run(asked: &ProviderSim) -> anyhow::Result<ExitCode> {
    let _log = telemetry::to_stderr(Speaker::Service, &Traces::default());
    let faults = match &asked.faults {
        None => Faults::default(),
        Some(path) => {
            let text = std::fs::read_to_string(path)
                .with_context(|| format!("can't read {}", path.display()))?;
            Faults::parse_toml(&text).with_context(|| path.display().to_string())?
        }
    };
    let simulator = Simulator::bind(asked.listen, faults)
        .with_context(|| format!("can't listen on {}", asked.listen))?;
    if let Some(path) = &asked.log {
        simulator
            .log_to(path)
            .with_context(|| format!("can't write {}", path.display()))?;
    }
    let end = CancellationToken::new();
    let mut signals = JoinSet::new();
    runtime::end_at_signal(&mut signals, end.clone())?;
    say!(
        "provider-sim: listening on http://{}",
        simulator.local_addr()
    );
    simulator.run_until(end.cancelled_owned()).await?;
    Ok(ExitCode::SUCCESS)
}
