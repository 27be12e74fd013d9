//! What the author's client asks and tells beside its people's work: switches, events, and
//! reports of browsers.

use balefire_domain::audit::Actor;
use balefire_domain::ids::UserId;
use balefire_store::StoreError;
use balefire_store::feature_toggles::FeatureToggle;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::accounts::CLIENT;
use crate::{Act, App, repeat};

/// Switches that a list shows.
const TOGGLES_MAX: u32 = 1_000;

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

    /// The switches by name, 1,000 at most.
    pub async fn list_feature_toggles(&self) -> Result<Vec<FeatureToggle>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("feature_toggles", now).await?;
            tx.list_feature_toggles(TOGGLES_MAX).await
        })
        .await
    }

    /// Turns a switch on or off; a new one is made. What the client shows with it stays where
    /// `display_html` says nothing else.
    pub async fn set_feature_toggle(
        &self,
        actor: Actor,
        name: &str,
        is_enabled: bool,
        display_html: Option<&str>,
    ) -> Result<FeatureToggle, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("set_feature_toggle", now).await?;
            let before = tx.load_feature_toggle(name).await?;
            let shown = before.as_ref().and_then(|one| one.display_html.clone());
            let after = FeatureToggle {
                name: name.to_owned(),
                is_enabled,
                display_html: display_html.map(str::to_owned).or(shown),
            };
            tx.save_feature_toggle(&after).await?;
            let said = |one: Option<&FeatureToggle>| {
                json!({
                    "is_enabled": one.map(|one| one.is_enabled),
                    "display_html": one.and_then(|one| one.display_html.as_ref()),
                })
            };
            let act = Act::new(actor, "toggle.set", format!("toggle {name}"))
                .changing(said(before.as_ref()), said(Some(&after)));
            self.audit_act(&mut tx, act).await?;
            tx.commit().await?;
            Ok(after)
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
