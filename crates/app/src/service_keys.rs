//! Keys as the author application makes and revokes them.

use balefire_domain::admin_action::{covers_key, subject_of_key};
use balefire_domain::alert::ServiceState;
use balefire_domain::audit::Actor;
use balefire_domain::ids::{ApiKeyId, ServiceId, UserId};
use balefire_domain::permission::{Deed, Denial};
use balefire_store::StoreError;
use balefire_store::api_keys::{ApiKey, KeyKind};
use serde_json::json;

use crate::keys::Asked;
use crate::refused::{check_manager, is_present};
use crate::service_settings::ADMIN_CLIENT;
use crate::{Act, App, Failure, repeat};

/// A key that somebody wants.
#[derive(Clone, Debug)]
pub struct KeyOrder {
    /// Whose it will be.
    pub service: ServiceId,
    /// What people will call it.
    pub name: String,
    /// What it will be for.
    pub kind: KeyKind,
    /// Who makes it.
    pub created_by: UserId,
}

/// Why a key was not made or revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// There is no such service, person or key of this service.
    NotFound,
    /// The person may not manage the service's keys.
    Denied(UserId, Denial),
    /// The service is archived.
    Archived,
}

impl App {
    /// Makes a key; its secret, which is told this once. A second person is not asked for here: the
    /// trail names the approved action that covers the key, or none.
    pub async fn order_key(&self, order: &KeyOrder) -> Result<String, Failure<KeyRefusal>> {
        let ordered = repeat(|| self.try_order_key(order)).await;
        if let Err(Failure::Refused(KeyRefusal::Denied(by, denial))) = &ordered {
            let object = format!("service {}", order.service);
            self.note_denied(*by, "key.create", object, order.service, *denial)
                .await;
        }
        ordered
    }

    async fn try_order_key(&self, order: &KeyOrder) -> Result<String, Failure<KeyRefusal>> {
        let mut tx = self.store.begin("order_key", self.clock.now()).await?;
        let Some(service) = tx.lock_service(order.service).await? else {
            return Err(Failure::Refused(KeyRefusal::NotFound));
        };
        let by = order.created_by;
        if !is_present(&mut tx, by).await? {
            return Err(Failure::Refused(KeyRefusal::NotFound));
        }
        let subject = subject_of_key(order.service, &order.name);
        let covers = |data: &_| covers_key(data, order.kind.as_str());
        let may = check_manager(&mut tx, by, order.service, Deed::ManageKeys).await?;
        may.map_err(|denial| Failure::Refused(KeyRefusal::Denied(by, denial)))?;
        let covered_by = self.carry_out(&mut tx, &subject, covers).await?;
        if service.state == ServiceState::Archived {
            return Err(Failure::Refused(KeyRefusal::Archived));
        }
        let asked = Asked {
            service_id: order.service,
            name: order.name.clone(),
            kind: order.kind,
            created_by: Some(order.created_by),
        };
        let new = self.make_key(&mut tx, asked).await?;
        let details = json!({
            "name": order.name, "kind": order.kind.as_str(), "covered_by": covered_by,
        });
        let actor = Actor::User(order.created_by);
        self.audit_key(&mut tx, actor, "key.create", &new.key, details)
            .await?;
        tx.commit().await?;
        Ok(new.secret)
    }

    /// Revokes a service's key at once; one that is revoked stays so.
    pub async fn revoke_key_of(
        &self,
        service: ServiceId,
        id: ApiKeyId,
    ) -> Result<(), Failure<KeyRefusal>> {
        repeat(|| async {
            let mut tx = self.store.begin("revoke_key_of", self.clock.now()).await?;
            let key = tx.load_api_key(id).await?;
            let Some(key) = key.filter(|key| key.service_id == service) else {
                return Err(Failure::Refused(KeyRefusal::NotFound));
            };
            let is_new = tx.revoke_api_key(id).await?;
            let act = Act::new(ADMIN_CLIENT, "key.revoke", format!("api key {id}"))
                .of(Some(service))
                .with(json!({ "name": key.name, "was_revoked_before": !is_new }))
                .changing(json!({ "revoked": !is_new }), json!({ "revoked": true }));
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    /// A service's keys, oldest first; `None` where there is no such service.
    pub async fn list_keys(&self, service: ServiceId) -> Result<Option<Vec<ApiKey>>, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin_read("list_keys", self.clock.now()).await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            tx.list_api_keys(service).await.map(Some)
        })
        .await
    }
}
