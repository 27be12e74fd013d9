//! Making and changing services, by command.

use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::ids::ServiceId;
use balefire_domain::provider::ProviderName;
use balefire_store::services::Service;
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::{App, repeat};

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
        };
        tx.insert_service(&service).await?;
        let details = json!({ "name": service.name, "mode": service.mode.as_str(),
            "channel": service.channel.as_str(), "providers": service.providers });
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
        self.change_service(actor, id, "service.set_state", |service| {
            service.state = state;
        })
        .await
    }

    /// Changes a service's mode, and nothing else (D40); `None` when there is none.
    pub async fn set_service_mode(
        &self,
        actor: Actor,
        id: ServiceId,
        mode: Mode,
    ) -> Result<Option<Service>, StoreError> {
        self.change_service(actor, id, "service.set_mode", |service| service.mode = mode)
            .await
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

    async fn change_service(
        &self,
        actor: Actor,
        id: ServiceId,
        action: &'static str,
        change: impl FnOnce(&mut Service) + Send,
    ) -> Result<Option<Service>, StoreError> {
        let mut tx = self.store.begin("change_service", self.clock.now()).await?;
        let Some(mut service) = tx.lock_service(id).await? else {
            return Ok(None);
        };
        change(&mut service);
        tx.update_service(&service).await?;
        let details = json!({ "state": service.state.as_str(), "mode": service.mode.as_str() });
        self.audit_service(&mut tx, actor, action, id, details)
            .await?;
        tx.commit().await?;
        Ok(Some(service))
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
