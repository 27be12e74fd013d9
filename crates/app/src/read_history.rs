//! Reading alerts' histories for `domain::history`: page by page, each alert in a read of its own,
//! so that a country's history needs no more memory than its largest alert.

use balefire_domain::history::{AuditFact, EventFact, History};
use balefire_domain::ids::{AlertId, DeliveryId};
use balefire_domain::lane::Kind;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_store::StoreError;
use balefire_store::history::Recorded;
use serde_json::Value;

use crate::approved::Said;
use crate::{App, areas};

impl App {
    /// Alerts after `after`, made at `since` or later, at most `limit`, in the order of their ids.
    pub async fn list_alerts_after(
        &self,
        after: Option<AlertId>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<AlertId>, StoreError> {
        let mut tx = self
            .store
            .begin_read("list_alerts_after", self.clock.now())
            .await?;
        tx.list_alerts_after(after, since, limit).await
    }

    /// An alert's history as of one instant, without the providers' log.
    pub async fn load_history(&self, alert: AlertId) -> Result<Option<History>, StoreError> {
        let mut tx = self
            .store
            .begin_read("load_history", self.clock.now())
            .await?;
        let recorded = tx.load_history(alert).await?;
        drop(tx);
        Ok(recorded.map(|recorded| self.complete(recorded)))
    }

    /// The alert that a delivery is of, where there is such a delivery.
    pub async fn find_delivery(&self, id: DeliveryId) -> Result<Option<AlertId>, StoreError> {
        let mut tx = self
            .store
            .begin_read("find_delivery", self.clock.now())
            .await?;
        tx.find_delivery(id).await
    }

    /// Computes what follows from the rows: polygons, and the hash of what an event holds.
    fn complete(&self, recorded: Recorded) -> History {
        let Recorded {
            mut history,
            areas: all_areas,
            extra_contents,
        } = recorded;
        for (event, stored) in history.events.iter_mut().zip(all_areas) {
            event.polygons = areas::polygons(&stored);
            let Some(details) = approval_of(event, &history.audit) else {
                continue;
            };
            let providers: Option<Vec<ProviderName>> =
                serde_json::from_value(details["providers"].clone()).ok();
            // With the proxies off an approval names no providers, and its hash has them (D16).
            let Some(providers) = providers.filter(|names| !names.is_empty()) else {
                continue;
            };
            let version = details["version"].as_u64();
            let mut extras = extra_contents.iter();
            let extra = extras.find(|(number, _)| Some(u64::from(*number)) == version);
            let said = Said {
                text: &event.text,
                second: event.second.as_ref(),
                areas: &stored,
                extra_content: extra.and_then(|(_, extra)| extra.as_deref()),
            };
            event.frozen_hash = Some(self.hash_of(&said, event.channel, &providers));
        }
        for delivery in &mut history.deliveries {
            let event = history
                .events
                .iter()
                .find(|event| event.id == delivery.event);
            let payload = delivery.payload.as_deref();
            if let (Some(event), Some(payload)) = (event, payload) {
                delivery.covers_approved = areas::is_simpler(payload, &event.polygons);
            }
        }
        history
    }
}

/// What the audit trail has of the approval that made an event.
fn approval_of<'a>(event: &EventFact, audit: &'a [AuditFact]) -> Option<&'a Value> {
    let action = match event.kind {
        Kind::Alert => "alert.approve",
        Kind::Update => "alert.approve_update",
        Kind::Cancel => return None,
    };
    let mut entries = audit.iter();
    let entry = entries.find(|entry| entry.action == action && entry.at == event.created_at);
    entry.map(|entry| &entry.details)
}
