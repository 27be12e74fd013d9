//! Reading alerts' histories for `domain::history`: page by page, each alert in a read of its own,
//! so that a country's history needs no more memory than its largest alert.

use balefire_domain::approval::{Content, content_hash};
use balefire_domain::history::History;
use balefire_domain::ids::{AlertId, DeliveryId};
use balefire_domain::lane::Kind;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_store::StoreError;
use balefire_store::history::Recorded;
use serde_json::Value;

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
            seconds,
            extra_contents,
        } = recorded;
        let approval = history.audit.iter().find(|e| e.action == "alert.approve");
        let details = approval.map_or(Value::Null, |entry| entry.details.clone());
        let version = details["version"].as_u64();
        let extra = extra_contents
            .into_iter()
            .find(|(number, _)| Some(u64::from(*number)) == version)
            .and_then(|(_, extra)| extra);
        let providers: Option<Vec<ProviderName>> =
            serde_json::from_value(details["providers"].clone()).ok();
        let frozen = all_areas.into_iter().zip(seconds);
        for (event, (stored, second)) in history.events.iter_mut().zip(frozen) {
            event.polygons = areas::polygons(&stored);
            // With the proxies off an approval names no providers, and its hash has them (D16).
            let known = providers.as_ref().filter(|names| !names.is_empty());
            if let (Kind::Alert, Some(providers)) = (event.kind, known) {
                let language = if self.is_welsh(&event.text) {
                    "welsh"
                } else {
                    "english"
                };
                event.frozen_hash = Some(content_hash(&Content {
                    text: &event.text,
                    polygons: &event.polygons,
                    area_names: &areas::names(&stored),
                    channel: event.channel,
                    providers,
                    language,
                    second: second.as_ref(),
                    extra_content: extra.as_deref(),
                }));
            }
        }
        history
    }
}
