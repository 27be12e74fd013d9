//! Reading alerts and their course.

use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, ServiceId};
use balefire_domain::lane::Kind;
use balefire_domain::limits::UNSEEN_MAX;
use balefire_domain::provider::ProviderName;
use balefire_store::StoreError;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::duty_items::DutyItem;
use balefire_store::events::Event;
use balefire_store::route_results::RouteResult;
use balefire_store::services::Service;
use balefire_store::users::User;

use crate::{App, repeat};

/// Who stands behind an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct People {
    /// Who made it, where a person did.
    pub author: Option<User>,
    /// The name of the key that made it, where a key did.
    pub author_key: Option<String>,
    /// Who approved it.
    pub approver: Option<User>,
}

/// Where an alert goes, or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// On which channel.
    pub channel: Channel,
    /// To which networks.
    pub networks: Vec<ProviderName>,
    /// The hash of what was approved, or would be now (D51).
    pub hash: String,
}

impl App {
    /// Where an alert went, as its approval froze it; where nothing was approved, where it would go
    /// now.
    pub async fn load_setting(
        &self,
        alert: &Alert,
        service: &Service,
    ) -> Result<Setting, StoreError> {
        let events = repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_setting", now).await?;
            let events = tx.list_events(alert.id).await?;
            let lanes = tx.list_lanes(alert.id).await?;
            Ok::<_, StoreError>((events, lanes))
        });
        let (events, lanes) = events.await?;
        let says = |event: &Event| event.kind != Kind::Cancel;
        Ok(match events.into_iter().rfind(says) {
            Some(event) => Setting {
                channel: event.channel,
                networks: lanes.into_iter().map(|lane| lane.provider).collect(),
                hash: event.content_hash,
            },
            None => Setting {
                channel: service.channel,
                networks: self.settings.providers_of(service),
                hash: self.content_hash(alert, service),
            },
        })
    }

    /// A service's alerts, oldest first; `None` when there is no such service.
    pub async fn list_alerts(&self, service: ServiceId) -> Result<Option<Vec<Alert>>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_alerts", self.clock.now())
                .await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            tx.list_alerts(service).await.map(Some)
        })
        .await
    }

    /// A page of a service's alerts, the latest first.
    pub async fn list_alerts_before(
        &self,
        service: ServiceId,
        before: Option<AlertId>,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_alerts_before", now).await?;
            tx.list_alerts_before(service, before, limit).await
        })
        .await
    }

    /// An alert of this service.
    pub async fn load_alert(
        &self,
        service: ServiceId,
        alert: AlertId,
    ) -> Result<Option<Alert>, StoreError> {
        Ok(self
            .find_alert(alert)
            .await?
            .filter(|found| found.service_id == service))
    }

    /// An alert of any service, for the command line.
    pub async fn find_alert(&self, alert: AlertId) -> Result<Option<Alert>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("load_alert", self.clock.now())
                .await?;
            tx.load_alert(alert).await
        })
        .await
    }

    /// An alert's deliveries with every attempt, by provider and order.
    pub async fn list_deliveries(
        &self,
        alert: AlertId,
    ) -> Result<Vec<DeliveryHistory>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_deliveries", self.clock.now())
                .await?;
            tx.list_delivery_histories(alert).await
        })
        .await
    }

    /// An alert's duty items, closed ones too.
    pub async fn list_duty_items(&self, alert: AlertId) -> Result<Vec<DutyItem>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_duty_items", self.clock.now())
                .await?;
            tx.list_duty_items(alert).await
        })
        .await
    }

    /// Who made an alert and who approved it, where people or keys did, for the command line.
    pub async fn load_people(&self, alert: &Alert) -> Result<People, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_people", now).await?;
            Ok(People {
                author: match alert.created_by {
                    Some(id) => tx.load_user(id).await?,
                    None => None,
                },
                author_key: match alert.api_key_id {
                    Some(id) => tx.load_api_key(id).await?.map(|key| key.name),
                    None => None,
                },
                approver: match alert.approved_by {
                    Some(id) => tx.load_user(id).await?,
                    None => None,
                },
            })
        })
        .await
    }

    /// Asks the database, for a load balancer's question (D48): whether a process that dispatches
    /// was seen of late.
    pub async fn probe_database(&self) -> Result<bool, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("probe_database", self.clock.now())
                .await?;
            let since = tx.now - UNSEEN_MAX;
            tx.is_instance_seen_since(since).await
        })
        .await
    }

    /// The latest that is known of every route.
    pub async fn list_route_results(&self) -> Result<Vec<RouteResult>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_route_results", self.clock.now())
                .await?;
            tx.list_route_results().await
        })
        .await
    }
}
