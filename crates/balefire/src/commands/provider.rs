//! `provider list`.

use std::process::ExitCode;

use balefire_domain::provider::Route;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use super::Session;
use crate::cli::ProviderCommand;

pub(super) async fn run(session: &Session, command: &ProviderCommand) -> anyhow::Result<ExitCode> {
    let ProviderCommand::List = command;
    let app = session.open().await?;
    let results = app.list_route_results().await?;
    let mut list = Vec::new();
    for provider in &session.config.provider {
        let routes: Vec<Value> = provider
            .routes
            .iter()
            .map(|route| {
                let name = route.name();
                let known = results
                    .iter()
                    .find(|r| r.provider == provider.name.as_str() && r.route == name);
                json!({
                    "route": name,
                    "latest": known.map(|r| if r.is_good { "good" } else { "failed" }),
                    "at": known.map(|r| Timestamp::to_json_style(r.at)),
                    "detail": known.map(|r| r.detail.clone()),
                })
            })
            .collect();
        list.push(json!({
            "name": provider.name, "format": provider.format.as_str(),
            "capabilities": provider.capabilities, "routes": routes,
        }));
    }
    session.print(&json!(list), || plain(session));
    if !session.json {
        for result in &results {
            let state = if result.is_good { "good" } else { "failed" };
            say!(
                "  {:<10} {:<20} {state:<7} {}  {}",
                result.provider,
                result.route,
                result.at,
                result.detail
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(session: &Session) -> String {
    let line = |p: &crate::config::Provider| {
        let routes: Vec<String> = p.routes.iter().map(Route::name).collect();
        format!(
            "{:<10} {:<5} {}",
            p.name.as_str(),
            p.format.as_str(),
            routes.join(", ")
        )
    };
    session
        .config
        .provider
        .iter()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}
