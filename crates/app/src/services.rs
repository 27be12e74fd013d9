//! Making and changing services, by command.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::ids::ServiceId;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_store::services::{About, Service, ServiceVersion};
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::{Act, App, Failure, repeat};

/// A service to make.
#[derive(Clone, Debug)]
pub struct NewService {
    /// Its name.
    pub name: String,
    /// Whether its alerts are real.
    pub mode: Mode,
    /// Its channel.
    pub channel: Channel,
    /// The providers it may use; absent: all.
    pub providers: Option<Vec<ProviderName>>,
}

/// Why a service's mode was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModeRefusal {
    /// There is no such service.
    NotFound,
    /// Nobody chose its channel yet, so that it can't go live.
    NotSetUp,
}

impl App {
    /// Makes a service.
    pub async fn create_service(
        &self,
        actor: Actor,
        new: NewService,
    ) -> Result<Service, StoreError> {
        let mut tx = self.store.begin("create_service", self.clock.now()).await?;
        let service = Service {
            id: ServiceId::new(self.entropy.uuid_v7(tx.now)),
            name: new.name,
            state: ServiceState::Active,
            mode: new.mode,
            channel: new.channel,
            providers: new.providers,
            may_broadcast: true,
            demands_signature: false,
            created_at: tx.now,
            is_set_up: true,
            about: About {
                version: 1,
                went_live_at: (new.mode == Mode::Live).then_some(tx.now),
                ..About::default()
            },
        };
        tx.insert_service(&service).await?;
        keep_version(&mut tx, actor, &service).await?;
        let details = snapshot(&service);
        self.audit_service(&mut tx, actor, "service.create", service.id, details)
            .await?;
        tx.commit().await?;
        Ok(service)
    }

    /// Suspends, resumes or archives a service; `None` when there is none.
    pub async fn set_service_state(
        &self,
        actor: Actor,
        id: ServiceId,
        state: ServiceState,
    ) -> Result<Option<Service>, StoreError> {
        let mut tx = self
            .store
            .begin("set_service_state", self.clock.now())
            .await?;
        let Some(before) = tx.lock_service(id).await? else {
            return Ok(None);
        };
        let after = Service {
            state,
            ..before.clone()
        };
        let after = self
            .save_service(&mut tx, actor, "service.set_state", &before, after)
            .await?;
        tx.commit().await?;
        Ok(Some(after))
    }

    /// Changes a service's mode, and nothing else (D40).
    pub async fn set_service_mode(
        &self,
        actor: Actor,
        id: ServiceId,
        mode: Mode,
    ) -> Result<Service, Failure<ModeRefusal>> {
        let mut tx = self
            .store
            .begin("set_service_mode", self.clock.now())
            .await?;
        let Some(before) = tx.lock_service(id).await? else {
            return Err(Failure::Refused(ModeRefusal::NotFound));
        };
        if mode == Mode::Live && !before.is_set_up {
            return Err(Failure::Refused(ModeRefusal::NotSetUp));
        }
        let after = Service {
            mode,
            ..before.clone()
        };
        let after = self
            .save_service(&mut tx, actor, "service.set_mode", &before, after)
            .await?;
        tx.commit().await?;
        Ok(after)
    }

    /// All services, oldest first.
    pub async fn list_services(&self) -> Result<Vec<Service>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_services", self.clock.now())
                .await?;
            tx.list_services().await
        })
        .await
    }

    /// A service.
    pub async fn load_service(&self, id: ServiceId) -> Result<Option<Service>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("load_service", self.clock.now())
                .await?;
            tx.load_service(id).await
        })
        .await
    }

    /// Stores a changed service as its next version, and notes what it was before. The service is
    /// locked.
    pub(crate) async fn save_service(
        &self,
        tx: &mut Tx,
        actor: Actor,
        action: &'static str,
        before: &Service,
        mut after: Service,
    ) -> Result<Service, StoreError> {
        after.about.version = before.about.version + 1;
        tx.update_service(&after).await?;
        keep_version(tx, actor, &after).await?;
        let act = Act::new(actor, action, format!("service {}", after.id))
            .of(Some(after.id))
            .changing(snapshot(before), snapshot(&after));
        self.audit_act(tx, act).await?;
        Ok(after)
    }

    /// Notes what was done to a service, or by its leave.
    pub(crate) async fn audit_service(
        &self,
        tx: &mut Tx,
        actor: Actor,
        action: &'static str,
        id: ServiceId,
        details: Value,
    ) -> Result<(), StoreError> {
        let object = format!("service {id}");
        self.audit(tx, actor, action, object, Some(id), details)
            .await
    }
}

/// Keeps a service as it is now among its versions.
pub(crate) async fn keep_version(
    tx: &mut Tx,
    actor: Actor,
    service: &Service,
) -> Result<(), StoreError> {
    let version = ServiceVersion {
        version: service.about.version,
        created_at: tx.now,
        changed_by: actor.describe(),
        snapshot: snapshot(service),
    };
    tx.insert_service_version(service.id, &version).await
}

/// A service as the trail and its versions have it.
pub(crate) fn snapshot(service: &Service) -> Value {
    let about = &service.about;
    json!({
        "name": service.name,
        "state": service.state.as_str(),
        "mode": service.mode.as_str(),
        "channel": service.is_set_up.then(|| service.channel.as_str()),
        "providers": service.providers,
        "may_broadcast": service.may_broadcast,
        "has_email_auth": about.has_email_auth,
        "demands_signature": service.demands_signature,
        "notes": about.notes,
        "organisation_id": about.organisation_id,
        "organisation_type": about.organisation_type,
        "went_live_at": about.went_live_at.map(Timestamp::to_json_style),
    })
}
