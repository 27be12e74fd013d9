//! What an author's client shows: all alerts of a service with the names of people, one alert with
//! everything beside it, its versions, and why it was given back.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::ids::{AlertId, ServiceId, UserId};
use balefire_store::alert_versions::AlertVersion;
use balefire_store::alerts::Alert;
use balefire_store::edit_reasons::EditReason;
use balefire_store::{StoreError, Tx};

use crate::{App, repeat};

/// A service's alerts.
#[derive(Clone, Debug)]
pub struct Board {
    /// All of them, oldest first.
    pub alerts: Vec<Alert>,
    /// The names of who did something to them.
    pub names: BTreeMap<UserId, String>,
    /// Those that some network did not take.
    pub in_trouble: BTreeSet<AlertId>,
}

/// One alert with what stands beside it.
#[derive(Clone, Debug)]
pub struct AlertFile {
    /// The alert.
    pub alert: Alert,
    /// The names of who did something to it.
    pub names: BTreeMap<UserId, String>,
    /// Its versions, the newest first.
    pub versions: Vec<AlertVersion>,
    /// Why it was given back, the newest reason first.
    pub reasons: Vec<EditReason>,
}

impl App {
    /// A service's alerts; `None` when there is no such service.
    pub async fn load_board(&self, service: ServiceId) -> Result<Option<Board>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_board", now).await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            Ok(Some(Board {
                alerts: tx.list_alerts(service).await?,
                names: tx.list_alert_people(service).await?,
                in_trouble: tx.list_alerts_in_trouble(service).await?,
            }))
        })
        .await
    }

    /// An alert of this service with its versions and the reasons why it was given back.
    pub async fn load_alert_file(
        &self,
        service: ServiceId,
        alert: AlertId,
    ) -> Result<Option<AlertFile>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_alert_file", now).await?;
            let found = tx.load_alert(alert).await?;
            match found.filter(|found| found.service_id == service) {
                None => Ok(None),
                Some(alert) => load_file(&mut tx, alert).await.map(Some),
            }
        })
        .await
    }
}

async fn load_file(tx: &mut Tx, alert: Alert) -> Result<AlertFile, StoreError> {
    Ok(AlertFile {
        names: tx.list_people_of_alert(alert.id).await?,
        versions: tx.list_alert_versions(alert.id).await?,
        reasons: tx.list_edit_reasons(alert.id).await?,
        alert,
    })
}
