//! What the author's client asks and tells beside its people's work: switches, events, and
//! reports of browsers.

use balefire_domain::ids::UserId;
use balefire_store::StoreError;
use balefire_store::feature_toggles::FeatureToggle;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::CLIENT;
use crate::{App, repeat};

impl App {
    /// The switch of this name.
    pub async fn read_feature_toggle(
        &self,
        name: &str,
    ) -> Result<Option<FeatureToggle>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("feature_toggle", self.clock.now())
                .await?;
            tx.load_feature_toggle(name).await
        })
        .await
    }

    /// Keeps what a client says has happened in the audit trail; the id of its entry's event, and
    /// when it was kept.
    pub async fn note_event(
        &self,
        kind: &str,
        data: &Value,
    ) -> Result<(Uuid, balefire_domain::time::Timestamp), StoreError> {
        let id = self.entropy.uuid_v7(self.clock.now());
        repeat(|| async {
            let mut tx = self.store.begin("note_event", self.clock.now()).await?;
            let user = data.get("user_id").and_then(Value::as_str);
            let user: Option<UserId> = user.and_then(|user| user.parse().ok());
            let object = user.map_or_else(|| "client".to_owned(), crate::accounts::object);
            let details = json!({ "event_id": id, "type": kind, "data": data });
            self.audit(&mut tx, CLIENT, "client.event", object, None, details)
                .await?;
            let now = tx.now;
            tx.commit().await?;
            Ok((id, now))
        })
        .await
    }
}
