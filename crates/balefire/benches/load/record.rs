//! What the database knows of the alerts, read after a load and never during one.

use anyhow::{Context as _, Result};
use balefire_domain::ids::AlertId;
use balefire_domain::lane::{Kind, State};
use balefire_domain::time::Timestamp;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::{DatabaseUrl, Store};
use tokio::runtime::{Builder, Runtime};

use crate::figures::{ms_between, now};
use crate::scene::Scene;

/// A scene's database, open for reading.
pub(crate) struct Record {
    runtime: Runtime,
    store: Store,
}

/// One delivery of an event that was accepted.
pub(crate) struct Accepted {
    pub(crate) provider: String,
    /// The instant of the approval's or cancel's transaction.
    pub(crate) event_at: Timestamp,
    /// When the attempt that got through, or the last one, began.
    pub(crate) intent_at: Timestamp,
    /// When it was accepted.
    pub(crate) at: Timestamp,
    pub(crate) attempts: usize,
}

impl Record {
    /// Opens a scene's database beside the service.
    pub(crate) fn open(scene: &Scene) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let url: DatabaseUrl = scene.database.parse()?;
        let store = runtime.block_on(Store::open(&url))?;
        Ok(Self { runtime, store })
    }

    /// The deliveries of an alert's event (`Kind::Alert` or its cancel) that were accepted.
    pub(crate) fn accepted(&self, alert: &str, kind: Kind) -> Result<Vec<Accepted>> {
        let id: AlertId = alert.parse().ok().context("no id")?;
        let found: Vec<DeliveryHistory> = self.runtime.block_on(async {
            let mut tx = self.store.begin_read("load_bench", now()).await?;
            tx.list_delivery_histories(id).await
        })?;
        let of_kind = found.into_iter().filter(|one| one.delivery.kind == kind);
        Ok(of_kind.filter_map(|history| accepted(&history)).collect())
    }
}

fn accepted(history: &DeliveryHistory) -> Option<Accepted> {
    let State::Acknowledged { at } = history.delivery.state else {
        return None;
    };
    let (attempt, _) = history.attempts.last()?;
    Some(Accepted {
        provider: history.provider.as_str().to_owned(),
        event_at: history.delivery.created_at,
        intent_at: attempt.opened_at,
        at,
        attempts: history.attempts.len(),
    })
}

/// Milliseconds from `since` to the latest acceptance.
pub(crate) fn last_ms(accepted: &[Accepted], since: Timestamp) -> f64 {
    let each = accepted.iter();
    each.map(|one| ms_between(since, one.at))
        .fold(f64::MIN, f64::max)
}

/// Milliseconds from `since` to the earliest acceptance.
pub(crate) fn first_ms(accepted: &[Accepted], since: Timestamp) -> f64 {
    let each = accepted.iter();
    each.map(|one| ms_between(since, one.at))
        .fold(f64::MAX, f64::min)
}
