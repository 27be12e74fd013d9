//! Taking old alerts of a service away, for tests, where the public sees nothing.

use std::time::Duration;

use balefire_domain::audit::Actor;
use balefire_domain::ids::ServiceId;
use balefire_store::StoreError;
use serde_json::json;

use crate::{App, repeat};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days of a purge; more is as good as all that there is.
const DAYS_MAX: u32 = 366 * 100;

/// What was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purged {
    /// How many alerts.
    pub alerts: u64,
    /// How many rows beside them.
    pub rows: u64,
}

impl App {
    /// Takes away the service's alerts that are older than so many days, unless they are on the
    /// air or on their way; `None` when there is no such service.
    pub async fn purge_alerts(
        &self,
        service: ServiceId,
        days: u32,
    ) -> Result<Option<Purged>, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin("purge_alerts", self.clock.now()).await?;
            if tx.lock_service(service).await?.is_none() {
                return Ok(None);
            }
            let before = tx.now - DAY * days.min(DAYS_MAX);
            let (alerts, rows) = tx.purge_alerts(service, before).await?;
            let details = json!({ "days": days, "alerts": alerts });
            let (actor, object) = (Actor::Client("notify-admin"), format!("service {service}"));
            let owner = Some(service);
            self.audit(&mut tx, actor, "alert.purge", object, owner, details)
                .await?;
            tx.commit().await?;
            Ok(Some(Purged { alerts, rows }))
        })
        .await
    }
}
