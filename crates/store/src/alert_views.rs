//! What an author's client shows of alerts beside the alerts themselves: the names of people, and
//! which alerts some network has not taken.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::ids::{AlertId, ServiceId, UserId};

use crate::sql::{Row, StoreError};
use crate::store::Tx;

statements! {
    LIST_NAMES: "SELECT id, name FROM users WHERE id IN (
            SELECT created_by FROM alerts WHERE service_id = $1
            UNION SELECT updated_by FROM alerts WHERE service_id = $1
            UNION SELECT submitted_by FROM alerts WHERE service_id = $1
            UNION SELECT approved_by FROM alerts WHERE service_id = $1
            UNION SELECT rejected_by FROM alerts WHERE service_id = $1
            UNION SELECT cancelled_by FROM alerts WHERE service_id = $1)";
    LIST_NAMES_OF_ALERT: "SELECT u.id AS id, u.name AS name FROM users u WHERE u.id IN (
            SELECT created_by FROM alert_versions WHERE alert_id = $1
            UNION SELECT created_by FROM edit_reasons WHERE alert_id = $1
            UNION SELECT submitted_by FROM edit_reasons WHERE alert_id = $1
            UNION SELECT updated_by FROM alerts WHERE id = $1
            UNION SELECT created_by FROM alerts WHERE id = $1
            UNION SELECT submitted_by FROM alerts WHERE id = $1
            UNION SELECT approved_by FROM alerts WHERE id = $1
            UNION SELECT rejected_by FROM alerts WHERE id = $1
            UNION SELECT cancelled_by FROM alerts WHERE id = $1)";
    LIST_IN_TROUBLE: "SELECT DISTINCT d.alert_id AS alert_id
        FROM deliveries d JOIN alerts a ON a.id = d.alert_id
        WHERE a.service_id = $1 AND (d.state IN ('backoff', 'held')
            OR (d.is_stuck AND d.state IN ('ready', 'in_flight'))
            OR (d.state = 'expired' AND NOT EXISTS (SELECT 1 FROM attempts t
                WHERE t.delivery_id = d.id AND t.outcome IN ('accepted', 'duplicate'))))";
}

impl Tx {
    /// The names of everybody who did something to an alert of a service.
    pub async fn list_alert_people(
        &mut self,
        service: ServiceId,
    ) -> Result<BTreeMap<UserId, String>, StoreError> {
        let names = fetch_all!(self, read_name, LIST_NAMES, service.to_string())?;
        Ok(names.into_iter().collect())
    }

    /// The names of everybody who did something to an alert.
    pub async fn list_people_of_alert(
        &mut self,
        alert: AlertId,
    ) -> Result<BTreeMap<UserId, String>, StoreError> {
        let names = fetch_all!(self, read_name, LIST_NAMES_OF_ALERT, alert.to_string())?;
        Ok(names.into_iter().collect())
    }

    /// The service's alerts that some network did not take, or has not yet after a whole round.
    pub async fn list_alerts_in_trouble(
        &mut self,
        service: ServiceId,
    ) -> Result<BTreeSet<AlertId>, StoreError> {
        let alerts = fetch_all!(
            self,
            |row| row.id("alert_id", AlertId::new),
            LIST_IN_TROUBLE,
            service.to_string()
        )?;
        Ok(alerts.into_iter().collect())
    }
}

fn read_name(row: &impl Row) -> Result<(UserId, String), StoreError> {
    Ok((row.id("id", UserId::new)?, row.text("name")?))
}
