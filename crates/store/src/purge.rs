//! Taking old alerts away with all that hangs on them, where tests need it: the routes that do it
//! exist in no environment that the public sees. What is on the air, and what is still being sent,
//! stays; so does the audit trail.

use balefire_domain::ids::ServiceId;
use balefire_domain::time::Timestamp;

use crate::sql::StoreError;
use crate::store::Tx;

/// The alerts that go: the statements below are about these.
macro_rules! of_old_alerts {
    ($before:literal) => {
        concat!(
            $before,
            " (SELECT a.id FROM alerts a WHERE a.service_id = $1 AND a.created_at < $2
            AND a.status <> 'broadcasting' AND NOT EXISTS (SELECT 1 FROM lanes l
                WHERE l.alert_id = a.id AND l.wake_at IS NOT NULL))"
        )
    };
}

statements! {
    ATTEMPTS: of_old_alerts!("DELETE FROM attempts WHERE alert_id IN");
    DELIVERIES: of_old_alerts!("DELETE FROM deliveries WHERE alert_id IN");
    EVENTS: of_old_alerts!("DELETE FROM events WHERE alert_id IN");
    DUTY_ITEMS: of_old_alerts!("DELETE FROM duty_items WHERE alert_id IN");
    UPDATES: of_old_alerts!("DELETE FROM alert_updates WHERE alert_id IN");
    VERSIONS: of_old_alerts!("DELETE FROM alert_versions WHERE alert_id IN");
    REASONS: of_old_alerts!("DELETE FROM edit_reasons WHERE alert_id IN");
    REQUESTS: of_old_alerts!("DELETE FROM repeatable_requests WHERE alert_id IN");
    // Lanes go last but one: whether one is awake says which alerts go. These have none awake.
    LANES: of_old_alerts!("DELETE FROM lanes WHERE alert_id IN");
    ALERTS: of_old_alerts!("DELETE FROM alerts WHERE id IN");
}

impl Tx {
    /// Takes away a service's alerts that were made before an instant; how many alerts, and how
    /// many rows beside them.
    pub async fn purge_alerts(
        &mut self,
        service: ServiceId,
        before: Timestamp,
    ) -> Result<(u64, u64), StoreError> {
        let (service, before) = (service.to_string(), before.micros());
        let mut rows = 0;
        rows += execute!(self, ATTEMPTS, service.clone(), before)?;
        rows += execute!(self, DELIVERIES, service.clone(), before)?;
        rows += execute!(self, EVENTS, service.clone(), before)?;
        rows += execute!(self, DUTY_ITEMS, service.clone(), before)?;
        rows += execute!(self, UPDATES, service.clone(), before)?;
        rows += execute!(self, VERSIONS, service.clone(), before)?;
        rows += execute!(self, REASONS, service.clone(), before)?;
        rows += execute!(self, REQUESTS, service.clone(), before)?;
        rows += execute!(self, LANES, service.clone(), before)?;
        let alerts = execute!(self, ALERTS, service.clone(), before)?;
        Ok((alerts, rows))
    }
}
