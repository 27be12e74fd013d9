//! Making and changing services as an author application does: its trusted client names the person
//! who acts, or none.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::broadcast_settings::{
    BroadcastSettings, change_mode, permissions_at_going_live,
};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::limits::AUDIT_HISTORY_PAGE_MAX;
use balefire_domain::organisation::BROADCAST_ORGANISATION;
use balefire_domain::permission::{Deed, Denial, Permission};
use balefire_domain::provider::ProviderName;
use balefire_store::api_keys::ApiKey;
use balefire_store::services::{About, Service, ServiceVersion};
use balefire_store::templates::Template;
use balefire_store::{StoreError, Tx};
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::audit_chain::HistoryEntry;
use crate::refused::{check_manager, is_present};
use crate::services::{keep_version, snapshot};
use crate::{App, Failure, repeat};

/// Who acts where the author application names nobody.
pub const ADMIN_CLIENT: Actor = Actor::Client("notify-admin");
/// Versions of a service that its history shows.
const VERSIONS_SHOWN_MAX: u32 = 500;
/// What the person holds who makes a service. Rights to alert are given one by one.
const FIRST_MEMBER: [Permission; 4] = [
    Permission::ManageUsers,
    Permission::ManageTemplates,
    Permission::ManageApiKeys,
    Permission::ViewActivity,
];

/// A service that somebody begins. It trains, and has no channel yet.
#[derive(Clone, Debug)]
pub struct NewTeam {
    /// Its name: no other has it.
    pub name: String,
    /// `central`, `local`, …
    pub organisation_type: Option<String>,
    /// Whether it may act.
    pub is_active: bool,
    /// Who becomes its first member.
    pub user_id: UserId,
    /// Who makes it.
    pub created_by: UserId,
}

/// What somebody changes of a service; what is absent stays.
#[derive(Clone, Debug, Default)]
pub struct ServiceChange {
    /// Its name.
    pub name: Option<String>,
    /// Notes of administrators; empty: none.
    pub notes: Option<String>,
    /// Whether it may act.
    pub is_active: Option<bool>,
    /// `central`, `local`, …
    pub organisation_type: Option<String>,
    /// What it may.
    pub permissions: Option<ServicePermissions>,
    /// Whether it trains. It must be what is: another mode is set elsewhere.
    pub is_restricted: Option<bool>,
    /// Who changes it, where the client says so.
    pub by: Option<UserId>,
}

/// What a service may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServicePermissions {
    /// Broadcast alerts.
    pub may_broadcast: bool,
    /// Let its members sign in by e-mail.
    pub has_email_auth: bool,
}

/// What became of a service.
#[derive(Clone, Debug)]
pub struct ServiceHistory {
    /// The service as it is.
    pub service: Service,
    /// Its versions, newest first.
    pub versions: Vec<ServiceVersion>,
    /// Its keys, oldest first.
    pub keys: Vec<ApiKey>,
    /// Its templates that are not put away.
    pub templates: Vec<Template>,
    /// What the audit trail has of it, newest first.
    pub events: Vec<HistoryEntry>,
}

/// Why a service was not made or changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsRefusal {
    /// There is no such service.
    NotFound,
    /// There is no such person.
    UserNotFound,
    /// Another service has this name.
    NameTaken(String),
    /// It is archived, and stays so.
    Archived,
    /// The mode is not changed this way.
    ModeUnchangeable,
    /// The person may not.
    Denied(UserId, Denial),
}

impl App {
    /// Begins a service, of which one person is a member.
    pub async fn begin_service(&self, new: &NewTeam) -> Result<Service, Failure<SettingsRefusal>> {
        repeat(|| self.try_begin_service(new)).await
    }

    async fn try_begin_service(&self, new: &NewTeam) -> Result<Service, Failure<SettingsRefusal>> {
        let mut tx = self.store.begin("begin_service", self.clock.now()).await?;
        refuse_unknown(&mut tx, new.user_id).await?;
        refuse_unknown(&mut tx, new.created_by).await?;
        let id = ServiceId::new(self.entropy.uuid_v7(tx.now));
        refuse_taken_name(&mut tx, &new.name, id).await?;
        let service = Service {
            id,
            name: new.name.clone(),
            state: state(new.is_active),
            mode: Mode::Training,
            // Means nothing until somebody chooses one.
            channel: Channel::Test,
            providers: None,
            may_broadcast: true,
            demands_signature: false,
            created_at: tx.now,
            is_set_up: false,
            about: About {
                version: 1,
                organisation_type: new.organisation_type.clone(),
                created_by: Some(new.created_by),
                ..About::default()
            },
        };
        tx.insert_service(&service).await?;
        let first = FIRST_MEMBER.into_iter().collect();
        tx.insert_membership(new.user_id, id, &first).await?;
        let actor = Actor::User(new.created_by);
        keep_version(&mut tx, actor, &service).await?;
        let details = json!({ "after": snapshot(&service), "first_member": new.user_id });
        self.audit_service(&mut tx, actor, "service.create", id, details)
            .await?;
        tx.commit().await?;
        Ok(service)
    }

    /// Changes what `change` names of a service.
    pub async fn change_service(
        &self,
        id: ServiceId,
        change: &ServiceChange,
    ) -> Result<Service, Failure<SettingsRefusal>> {
        let changed = repeat(|| self.try_change_service(id, change)).await;
        self.note_settings_denied(id, "service.change", &changed)
            .await;
        changed
    }

    async fn try_change_service(
        &self,
        id: ServiceId,
        change: &ServiceChange,
    ) -> Result<Service, Failure<SettingsRefusal>> {
        let mut tx = self.store.begin("change_service", self.clock.now()).await?;
        if let Some(by) = change.by {
            refuse_unknown(&mut tx, by).await?;
        }
        if let Some(name) = &change.name {
            refuse_taken_name(&mut tx, name, id).await?;
        }
        let Some(before) = tx.lock_service(id).await? else {
            return Err(Failure::Refused(SettingsRefusal::NotFound));
        };
        if let Some(by) = change.by {
            let may = check_manager(&mut tx, by, id, Deed::ManageUsers).await?;
            may.map_err(|denial| Failure::Refused(SettingsRefusal::Denied(by, denial)))?;
        }
        let after = apply(&before, change).map_err(Failure::Refused)?;
        let actor = change.by.map_or(ADMIN_CLIENT, Actor::User);
        let after = self
            .save_service(&mut tx, actor, "service.change", &before, after)
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Sets a service up to broadcast, in one transaction (R96): its mode, channel and providers,
    /// its organisation; its keys are revoked; where it goes live, members and invitations keep the
    /// right to view.
    pub async fn set_up_service(
        &self,
        id: ServiceId,
        settings: &BroadcastSettings,
        by: Option<UserId>,
    ) -> Result<Service, Failure<SettingsRefusal>> {
        let actor = by.map_or(ADMIN_CLIENT, Actor::User);
        let set_up = repeat(|| self.try_set_up_service(id, settings, by, actor)).await;
        self.note_settings_denied(id, "service.set_up", &set_up)
            .await;
        set_up
    }

    /// As [`App::set_up_service`], by whoever works this machine.
    pub async fn set_up_service_by_command(
        &self,
        actor: Actor,
        id: ServiceId,
        settings: &BroadcastSettings,
    ) -> Result<Service, Failure<SettingsRefusal>> {
        repeat(|| self.try_set_up_service(id, settings, None, actor)).await
    }

    async fn note_settings_denied(
        &self,
        id: ServiceId,
        action: &'static str,
        done: &Result<Service, Failure<SettingsRefusal>>,
    ) {
        if let Err(Failure::Refused(SettingsRefusal::Denied(by, denial))) = done {
            let object = format!("service {id}");
            self.note_denied(*by, action, object, id, *denial).await;
        }
    }

    async fn try_set_up_service(
        &self,
        id: ServiceId,
        settings: &BroadcastSettings,
        by: Option<UserId>,
        actor: Actor,
    ) -> Result<Service, Failure<SettingsRefusal>> {
        let mut tx = self.store.begin("set_up_service", self.clock.now()).await?;
        if let Some(by) = by {
            refuse_unknown(&mut tx, by).await?;
        }
        let Some(before) = tx.lock_service(id).await? else {
            return Err(Failure::Refused(SettingsRefusal::NotFound));
        };
        if let Some(by) = by
            && !tx.is_administrator(by).await?
        {
            let denial = Denial::NotAnAdministrator;
            return Err(Failure::Refused(SettingsRefusal::Denied(by, denial)));
        }
        if before.state == ServiceState::Archived {
            return Err(Failure::Refused(SettingsRefusal::Archived));
        }
        let organisation = tx.load_organisation(BROADCAST_ORGANISATION).await?;
        let change = change_mode(before.mode, settings.mode);
        let (mut members, mut invitations) = (0, 0);
        if change.goes_live {
            let left = permissions_at_going_live();
            members = tx.set_all_permissions(id, &left).await?;
            invitations = tx.set_invited_permissions(id, &left).await?;
        }
        let keys = tx.revoke_api_keys_by_mode(id).await?;
        let person = match actor {
            Actor::User(id) => Some(id),
            _ => None,
        };
        let mut after = set_up(&before, settings, change.keeps_live_since, person, &tx);
        after.about.organisation_type = organisation.and_then(|own| own.organisation.kind);
        let after = self
            .save_service(&mut tx, actor, "service.set_up", &before, after)
            .await?;
        let details = json!({
            "keys_revoked": keys, "members_reduced_to_view": members,
            "invitations_reduced_to_view": invitations,
        });
        self.audit_service(&mut tx, actor, "service.set_up_effects", id, details)
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Archives a service: its name is marked with the day, its keys and invitations end. One that
    /// is archived stays as it is.
    pub async fn archive_service(&self, id: ServiceId) -> Result<(), Failure<SettingsRefusal>> {
        repeat(|| self.try_archive_service(id)).await
    }

    async fn try_archive_service(&self, id: ServiceId) -> Result<(), Failure<SettingsRefusal>> {
        let mut tx = self
            .store
            .begin("archive_service", self.clock.now())
            .await?;
        let Some(before) = tx.lock_service(id).await? else {
            return Err(Failure::Refused(SettingsRefusal::NotFound));
        };
        if before.state == ServiceState::Archived {
            return Ok(());
        }
        let keys = tx.revoke_api_keys(id).await?;
        let invitations = tx.cancel_invitations(id).await?;
        let templates = tx.archive_templates(id).await?;
        let now = tx.now.to_json_style();
        let day = now.split('T').next().unwrap_or_default();
        let after = Service {
            name: format!("_archived_{day}_{}", before.name),
            state: ServiceState::Archived,
            ..before.clone()
        };
        self.save_service(&mut tx, ADMIN_CLIENT, "service.archive", &before, after)
            .await?;
        let details = json!({ "keys_revoked": keys, "invitations_cancelled": invitations,
            "templates_archived": templates });
        self.audit_service(
            &mut tx,
            ADMIN_CLIENT,
            "service.archive_effects",
            id,
            details,
        )
        .await?;
        tx.commit().await?;
        Ok(())
    }

    /// The services of a member, or all, oldest first.
    pub async fn list_services_of(
        &self,
        member: Option<UserId>,
    ) -> Result<Vec<Service>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_services_of", now).await?;
            match member {
                Some(user) => tx.list_services_of_member(user).await,
                None => tx.list_services().await,
            }
        })
        .await
    }

    /// What became of a service, newest first; `None` where there is no such service.
    pub async fn read_service_history(
        &self,
        id: ServiceId,
    ) -> Result<Option<ServiceHistory>, StoreError> {
        let read = repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("read_service_history", now).await?;
            let Some(service) = tx.load_service(id).await? else {
                return Ok(None);
            };
            Ok(Some(ServiceHistory {
                service,
                versions: tx.list_service_versions(id, VERSIONS_SHOWN_MAX).await?,
                keys: tx.list_api_keys(id).await?,
                templates: tx.list_templates(id).await?,
                events: Vec::new(),
            }))
        });
        match read.await {
            Ok(Some(history)) => {
                let events = self
                    .service_history(id, None, AUDIT_HISTORY_PAGE_MAX)
                    .await?;
                Ok(Some(ServiceHistory { events, ..history }))
            }
            other => other,
        }
    }

    /// The providers that clients are shown: those that the service names, or all there are; none
    /// of a service that was not set up.
    pub fn shown_providers(&self, service: &Service) -> Vec<ProviderName> {
        let mut names = match &service.providers {
            _ if !service.is_set_up => Vec::new(),
            Some(own) => own.clone(),
            None => self
                .settings
                .profiles
                .iter()
                .map(|own| own.name.clone())
                .collect(),
        };
        names.sort();
        names
    }
}

/// The id by which clients know that a service may use a provider: always the same for the two.
pub fn service_provider_id(service: ServiceId, provider: &ProviderName) -> Uuid {
    let digest = Sha256::digest(format!("{service}/{}", provider.as_str()));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

const fn state(is_active: bool) -> ServiceState {
    if is_active {
        ServiceState::Active
    } else {
        ServiceState::Suspended
    }
}

fn set_up(
    before: &Service,
    settings: &BroadcastSettings,
    keeps_live_since: bool,
    by: Option<UserId>,
    tx: &Tx,
) -> Service {
    let mut after = Service {
        mode: settings.mode,
        channel: settings.channel,
        providers: settings.providers.clone(),
        may_broadcast: true,
        is_set_up: true,
        ..before.clone()
    };
    after.about.organisation_id = Some(BROADCAST_ORGANISATION);
    if settings.mode == Mode::Training {
        (after.about.went_live_at, after.about.went_live_by) = (None, None);
    } else if !keeps_live_since {
        (after.about.went_live_at, after.about.went_live_by) = (Some(tx.now), by);
    }
    after
}

fn apply(before: &Service, change: &ServiceChange) -> Result<Service, SettingsRefusal> {
    let is_restricted = before.mode == Mode::Training;
    if change
        .is_restricted
        .is_some_and(|asked| asked != is_restricted)
    {
        return Err(SettingsRefusal::ModeUnchangeable);
    }
    let mut after = before.clone();
    if let Some(is_active) = change.is_active {
        if before.state == ServiceState::Archived && is_active {
            return Err(SettingsRefusal::Archived);
        }
        if before.state != ServiceState::Archived {
            after.state = state(is_active);
        }
    }
    if let Some(name) = &change.name {
        after.name.clone_from(name);
    }
    if let Some(notes) = &change.notes {
        after.about.notes = (!notes.is_empty()).then(|| notes.clone());
    }
    if let Some(kind) = &change.organisation_type {
        after.about.organisation_type = Some(kind.clone());
    }
    if let Some(permissions) = change.permissions {
        after.may_broadcast = permissions.may_broadcast;
        after.about.has_email_auth = permissions.has_email_auth;
    }
    Ok(after)
}

async fn refuse_unknown(tx: &mut Tx, user: UserId) -> Result<(), Failure<SettingsRefusal>> {
    if is_present(tx, user).await? {
        Ok(())
    } else {
        Err(Failure::Refused(SettingsRefusal::UserNotFound))
    }
}

/// Names are given out one at a time: the organisation's lock makes two that ask for one name wait
/// for each other. It is taken before the service's.
async fn refuse_taken_name(
    tx: &mut Tx,
    name: &str,
    id: ServiceId,
) -> Result<(), Failure<SettingsRefusal>> {
    tx.lock_organisation(BROADCAST_ORGANISATION).await?;
    if tx.has_service_named(name, id).await? {
        return Err(Failure::Refused(SettingsRefusal::NameTaken(
            name.to_owned(),
        )));
    }
    Ok(())
}
