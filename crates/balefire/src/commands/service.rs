//! `service create|list|set-up|suspend|resume|archive|set-mode|allow|disallow`.

use std::process::ExitCode;

use balefire_app::service_settings::SettingsRefusal;
use balefire_app::services::{ModeRefusal, NewService};
use balefire_app::{App, Contact, ContactKind, Failure};
use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::broadcast_settings::BroadcastSettings;
use balefire_domain::ids::ServiceId;
use balefire_domain::provider::ProviderName;
use balefire_store::services::Service;
use serde_json::{Value, json};

use super::{Session, service_trust};
use crate::cli::{Contacts, ServiceCommand};

const NOT_SET_UP: &str = "nobody chose a channel for this service yet, so it can't go live: choose \
    mode, channel and networks with `balefire service set-up`";

pub(super) async fn run(session: &Session, command: ServiceCommand) -> anyhow::Result<ExitCode> {
    let app = session.open().await?;
    let actor = session.operator(&app).await?;
    let set_state = |state, id| app.set_service_state(actor, id, state);
    let (id, changed) = match command {
        ServiceCommand::Create {
            name,
            mode,
            channel,
            provider,
        } => {
            let new = NewService {
                name,
                mode,
                channel,
                providers: provider.0,
            };
            return create(session, &app, actor, new).await;
        }
        ServiceCommand::List => {
            let services = app.list_services().await?;
            let list: Vec<Value> = services.iter().map(shown).collect();
            session.print(&json!(list), || plain(&services));
            return Ok(ExitCode::SUCCESS);
        }
        ServiceCommand::SetUp {
            id,
            mode,
            channel,
            provider,
        } => {
            let settings = BroadcastSettings {
                mode,
                channel,
                providers: provider.0,
            };
            return set_up(session, &app, actor, id, &settings).await;
        }
        ServiceCommand::Trust { .. }
        | ServiceCommand::Untrust { .. }
        | ServiceCommand::DemandSignature { .. } => {
            return service_trust::run(session, &app, actor, command).await;
        }
        ServiceCommand::Suspend { id } => (id, set_state(ServiceState::Suspended, id).await?),
        ServiceCommand::Resume { id } => (id, set_state(ServiceState::Active, id).await?),
        ServiceCommand::Archive { id } => (id, set_state(ServiceState::Archived, id).await?),
        ServiceCommand::SetMode { id, mode } => match app.set_service_mode(actor, id, mode).await {
            Ok(service) => (id, Some(service)),
            Err(Failure::Refused(ModeRefusal::NotFound)) => (id, None),
            Err(Failure::Refused(ModeRefusal::NotSetUp)) => {
                return Ok(session.refuse(NOT_SET_UP));
            }
            Err(Failure::Store(error)) => return Err(error.into()),
        },
        // The list is printed in any case; --list says so for those who only want to look.
        ServiceCommand::Allow {
            id,
            contacts,
            list: _,
        } => return change_contacts(session, &app, actor, id, contacts, true).await,
        ServiceCommand::Disallow { id, contacts } => {
            return change_contacts(session, &app, actor, id, contacts, false).await;
        }
    };
    Ok(finish(session, id, changed))
}

async fn create(
    session: &Session,
    app: &App,
    actor: Actor,
    new: NewService,
) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = unknown_provider(session, new.providers.as_deref()) {
        return Ok(session.refuse(&format!("no provider is named `{unknown}`")));
    }
    let service = app.create_service(actor, new).await?;
    session.print(&shown(&service), || service.id.to_string());
    Ok(ExitCode::SUCCESS)
}

async fn set_up(
    session: &Session,
    app: &App,
    actor: Actor,
    id: ServiceId,
    settings: &BroadcastSettings,
) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = unknown_provider(session, settings.providers.as_deref()) {
        return Ok(session.refuse(&format!("no provider is named `{unknown}`")));
    }
    match app.set_up_service_by_command(actor, id, settings).await {
        Ok(service) => Ok(finish(session, id, Some(service))),
        Err(Failure::Refused(SettingsRefusal::Archived)) => {
            Ok(session.refuse("the service is archived, and stays so"))
        }
        // Nothing else is asked of whoever works this machine.
        Err(Failure::Refused(_)) => Ok(finish(session, id, None)),
        Err(Failure::Store(error)) => Err(error.into()),
    }
}

async fn change_contacts(
    session: &Session,
    app: &App,
    actor: Actor,
    id: ServiceId,
    contacts: Contacts,
    is_allowed: bool,
) -> anyhow::Result<ExitCode> {
    let of = |kind: ContactKind| move |value: String| Contact { kind, value };
    let numbers = contacts.number.into_iter().map(of(ContactKind::Number));
    let hosts = contacts.host.into_iter().map(of(ContactKind::Host));
    let contacts: Vec<Contact> = numbers.chain(hosts).collect();
    match app.change_contacts(actor, id, &contacts, is_allowed).await {
        Ok(list) => {
            let shown: Vec<Value> = list
                .iter()
                .map(|own| json!({ "kind": own.kind.as_str(), "value": own.value }))
                .collect();
            session.print(&json!(shown), || plain_contacts(&list));
            Ok(ExitCode::SUCCESS)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&refusal.to_string())),
    }
}

fn plain_contacts(list: &[Contact]) -> String {
    if list.is_empty() {
        return "the list is empty: every number and link is a warning to the approver".to_owned();
    }
    let line = |own: &Contact| format!("{:<6}  {}", own.kind.as_str(), own.value);
    list.iter().map(line).collect::<Vec<_>>().join("\n")
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

pub(super) fn shown(service: &Service) -> Value {
    json!({
        "id": service.id, "name": service.name, "state": service.state.as_str(),
        "mode": service.mode.as_str(), "channel": service.channel.as_str(),
        "providers": service.providers, "demands_signature": service.demands_signature,
        "is_set_up": service.is_set_up, "organisation": service.about.organisation_id,
        "organisation_type": service.about.organisation_type,
        "created_at": service.created_at.to_json_style(),
    })
}

fn plain(services: &[Service]) -> String {
    let line = |s: &Service| {
        let (state, mode) = (s.state.as_str(), s.mode.as_str());
        let channel = if s.is_set_up {
            s.channel.as_str()
        } else {
            "none yet"
        };
        let networks = s.providers.as_ref().map_or_else(
            || "all networks".to_owned(),
            |names| {
                names
                    .iter()
                    .map(ProviderName::as_str)
                    .collect::<Vec<_>>()
                    .join(",")
            },
        );
        let kind = s.about.organisation_type.as_deref().unwrap_or("-");
        format!(
            "{}  {state:<9}  {mode:<8}  {channel:<10}  {networks:<12}  {kind:<7}  {}",
            s.id, s.name
        )
    };
    services.iter().map(line).collect::<Vec<_>>().join("\n")
}
