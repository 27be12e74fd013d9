//! Making and revoking keys, by command.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{ApiKeyId, ServiceId};
use balefire_store::StoreError;
use balefire_store::api_keys::{ApiKey, KeyKind};
use serde_json::json;

use crate::App;

/// A new key. Its secret is shown this once.
#[derive(Clone)]
pub struct NewKey {
    /// The key as stored.
    pub key: ApiKey,
    /// The plain secret that signs tokens: 36 characters (D38).
    pub secret: String,
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
        };
        tx.insert_api_key(&key).await?;
        let details = json!({ "name": key.name, "kind": key.kind.as_str() });
        let object = format!("api key {}", key.id);
        self.audit(
            &mut tx,
            actor,
            "key.create",
            object,
            Some(service_id),
            details,
        )
        .await?;
        tx.commit().await?;
        Ok(Some(NewKey { key, secret }))
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
        let details = json!({ "was_revoked_before": !is_new });
        self.audit(
            &mut tx,
            actor,
            "key.revoke",
            format!("api key {id}"),
            service,
            details,
        )
        .await?;
        tx.commit().await?;
        Ok(key)
    }
}
