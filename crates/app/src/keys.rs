//! Making and revoking keys, by command.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{ApiKeyId, ServiceId, UserId};
use balefire_store::api_keys::{ApiKey, KeyKind};
use balefire_store::{StoreError, Tx};
use serde_json::{Value, json};

use crate::{Act, App};

/// A new key. Its secret is shown this once.
#[derive(Clone)]
pub struct NewKey {
    /// The key as stored.
    pub key: ApiKey,
    /// The plain secret that signs tokens: 36 characters (D38).
    pub secret: String,
}

/// What a new key is to be.
pub(crate) struct Asked {
    pub(crate) service_id: ServiceId,
    pub(crate) name: String,
    pub(crate) kind: KeyKind,
    pub(crate) created_by: Option<UserId>,
}

impl App {
    /// Makes a key of a service; `None` when there is no such service.
    pub async fn create_key(
        &self,
        actor: Actor,
        service_id: ServiceId,
        name: String,
        kind: KeyKind,
    ) -> Result<Option<NewKey>, StoreError> {
        let mut tx = self.store.begin("create_key", self.clock.now()).await?;
        if tx.load_service(service_id).await?.is_none() {
            return Ok(None);
        }
        let asked = Asked {
            service_id,
            name,
            kind,
            created_by: None,
        };
        let new = self.make_key(&mut tx, asked).await?;
        let details = json!({ "name": new.key.name, "kind": new.key.kind.as_str() });
        self.audit_key(&mut tx, actor, "key.create", &new.key, details)
            .await?;
        tx.commit().await?;
        Ok(Some(new))
    }

    /// Stores a new key.
    pub(crate) async fn make_key(&self, tx: &mut Tx, asked: Asked) -> Result<NewKey, StoreError> {
        let Asked {
            service_id,
            name,
            kind,
            created_by,
        } = asked;
        let secret = self.entropy.uuid_v4().to_string();
        let key = ApiKey {
            id: ApiKeyId::new(self.entropy.uuid_v7(tx.now)),
            service_id,
            name,
            kind,
            secret: self.secret_key.seal(&secret, &*self.entropy),
            created_at: tx.now,
            revoked_at: None,
            is_revoked_by_mode: false,
            created_by,
            updated_at: None,
            version: 1,
        };
        tx.insert_api_key(&key).await?;
        Ok(NewKey { key, secret })
    }

    /// Notes what was done to a key.
    pub(crate) async fn audit_key(
        &self,
        tx: &mut Tx,
        actor: Actor,
        action: &'static str,
        key: &ApiKey,
        details: Value,
    ) -> Result<(), StoreError> {
        let object = format!("api key {}", key.id);
        self.audit(tx, actor, action, object, Some(key.service_id), details)
            .await
    }

    /// Revokes a key at once; `None` when there is none.
    pub async fn revoke_key(
        &self,
        actor: Actor,
        id: ApiKeyId,
    ) -> Result<Option<ApiKey>, StoreError> {
        let mut tx = self.store.begin("revoke_key", self.clock.now()).await?;
        if tx.load_api_key(id).await?.is_none() {
            return Ok(None);
        }
        let is_new = tx.revoke_api_key(id).await?;
        let key = tx.load_api_key(id).await?;
        let service = key.as_ref().map(|key| key.service_id);
        let act = Act::new(actor, "key.revoke", format!("api key {id}"))
            .of(service)
            .with(json!({ "was_revoked_before": !is_new }))
            .changing(json!({ "revoked": !is_new }), json!({ "revoked": true }));
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(key)
    }
}
