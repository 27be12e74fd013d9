//! `service create|list|suspend|resume|archive|set-mode`.

use std::process::ExitCode;

use balefire_app::services::NewService;
use balefire_domain::alert::ServiceState;
use balefire_domain::ids::ServiceId;
use balefire_domain::provider::ProviderName;
use balefire_store::services::Service;
use serde_json::{Value, json};

use super::Session;
use crate::cli::ServiceCommand;

pub(super) async fn run(session: &Session, command: ServiceCommand) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    let (id, changed) = match command {
        ServiceCommand::Create {
            name,
            mode,
            channel,
            provider,
        } => {
            if let Some(unknown) = unknown_provider(session, provider.0.as_deref()) {
                return Ok(session.refuse(&format!("no provider is named `{unknown}`")));
            }
            let new = NewService {
                name,
                mode,
                channel,
                providers: provider.0,
            };
            let service = app.create_service(actor, new).await?;
            session.print(&shown(&service), || service.id.to_string());
            return Ok(ExitCode::SUCCESS);
        }
        ServiceCommand::List => {
            let services = app.list_services().await?;
            let list: Vec<Value> = services.iter().map(shown).collect();
            session.print(&json!(list), || plain(&services));
            return Ok(ExitCode::SUCCESS);
        }
        ServiceCommand::Suspend { id } => (
            id,
            app.set_service_state(actor, id, ServiceState::Suspended)
                .await?,
        ),
        ServiceCommand::Resume { id } => (
            id,
            app.set_service_state(actor, id, ServiceState::Active)
                .await?,
        ),
        ServiceCommand::Archive { id } => (
            id,
            app.set_service_state(actor, id, ServiceState::Archived)
                .await?,
        ),
        ServiceCommand::SetMode { id, mode } => (id, app.set_service_mode(actor, id, mode).await?),
    };
    Ok(finish(session, id, changed))
}

fn finish(session: &Session, id: ServiceId, changed: Option<Service>) -> ExitCode {
    let Some(service) = changed else {
        return session.refuse(&format!(
            "there is no service {id}: see `balefire service list`"
        ));
    };
    session.print(&shown(&service), || plain(std::slice::from_ref(&service)));
    ExitCode::SUCCESS
}

fn unknown_provider(session: &Session, names: Option<&[ProviderName]>) -> Option<ProviderName> {
    let is_known = |name: &&ProviderName| {
        session
            .config
            .provider
            .iter()
            .any(|provider| provider.name == **name)
    };
    names?.iter().find(|name| !is_known(name)).cloned()
}

fn shown(service: &Service) -> Value {
    json!({
        "id": service.id, "name": service.name, "state": service.state.as_str(),
        "mode": service.mode.as_str(), "channel": service.channel.as_str(),
        "providers": service.providers,
        "created_at": service.created_at.to_json_style(),
    })
}

fn plain(services: &[Service]) -> String {
    let line = |s: &Service| {
        let (state, mode, channel) = (s.state.as_str(), s.mode.as_str(), s.channel.as_str());
        format!("{}  {state:<9}  {mode:<8}  {channel:<10}  {}", s.id, s.name)
    };
    services.iter().map(line).collect::<Vec<_>>().join("\n")
}
