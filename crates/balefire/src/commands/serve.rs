//! `serve`: the service itself.

use std::process::ExitCode;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Role;
use crate::config::Config;
use crate::runtime;
use crate::service::Service;

pub(super) async fn run(config: Config, roles: &[Role]) -> anyhow::Result<ExitCode> {
    let config = runtime::checked(config)?;
    runtime::warn_of_development_key(&config);
    let app = runtime::open_app(&config).await?;
    let store = app.store.clone();
    let end = CancellationToken::new();
    let mut signals = JoinSet::new();
    runtime::end_at_signal(&mut signals, end.clone())?;
    let service = Service::start(&config, app, roles, end).await?;
    if service.is_ready().await {
        let metrics = service.metrics_address.map(|address| address.to_string());
        tracing::info!(
            event = "process.ready", http.listen = %service.address, database = store.engine(),
            cbc.enabled = config.cbc.enabled, environment = config.environment.as_str(),
            metrics.listen = metrics, "ready"
        );
        if let Some(address) = metrics {
            eprintln!("balefire: metrics on http://{address}/metrics");
        }
        eprintln!("balefire: ready on http://{}", service.address);
    }
    service.ended().await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
