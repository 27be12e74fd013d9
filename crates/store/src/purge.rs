//! Taking away what tests leave behind, with all that hangs on it: the routes that do it exist in
//! no environment that the public sees. What is on the air, and what is still being sent, stays; so
//! does the audit trail.

use balefire_domain::ids::{ServiceId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row as _, StoreError};
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
    HAS_ALERT: "SELECT id FROM alerts WHERE service_id = $1 LIMIT 1";
    UNUSED_KEYS: "DELETE FROM api_keys WHERE service_id = $1
        AND NOT EXISTS (SELECT 1 FROM alerts a WHERE a.api_key_id = api_keys.id
            OR a.cancelled_by_api_key_id = api_keys.id
            OR a.rejected_by_api_key_id = api_keys.id)
        AND NOT EXISTS (SELECT 1 FROM alert_updates u WHERE u.api_key_id = api_keys.id)";
    INVITATIONS: "DELETE FROM invitations WHERE service_id = $1";
    ACTIONS: "DELETE FROM admin_actions WHERE service_id = $1";
    CONTACTS: "DELETE FROM service_contacts WHERE service_id = $1";
    CERTIFICATES: "DELETE FROM service_certificates WHERE service_id = $1";
    MEMBERSHIPS: "DELETE FROM memberships WHERE service_id = $1";
    SERVICE_VERSIONS: "DELETE FROM service_versions WHERE service_id = $1";
    SERVICE: "DELETE FROM services WHERE id = $1";
    LIST_BEGUN_BY: "SELECT id FROM services WHERE created_by = $1 ORDER BY created_at, id";
    LIST_NAMED: "SELECT id FROM users WHERE email LIKE $1 ORDER BY created_at, id LIMIT $2";
    CODES: "DELETE FROM verify_codes WHERE user_id = $1";
    ADDRESSES: "DELETE FROM known_addresses WHERE user_id = $1";
    CREDENTIALS: "DELETE FROM webauthn_credentials WHERE user_id = $1";
    PLACES: "DELETE FROM organisation_members WHERE user_id = $1";
    FAILURES: "DELETE FROM failed_logins";
    COUNTS: "UPDATE users SET failed_logins = 0, last_failed_at = NULL WHERE failed_logins > 0";
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

    /// The services that a person began, oldest first.
    pub async fn list_services_begun_by(
        &mut self,
        user: UserId,
    ) -> Result<Vec<ServiceId>, StoreError> {
        fetch_all!(
            self,
            |row| row.id("id", ServiceId::new),
            LIST_BEGUN_BY,
            user.to_string()
        )
    }

    /// Takes a service away with all that is its own; false where an alert of it is left, and then
    /// nothing was taken away.
    pub async fn purge_service(&mut self, service: ServiceId) -> Result<bool, StoreError> {
        let id = service.to_string();
        let left = fetch_optional!(self, |row| row.text("id"), HAS_ALERT, id.clone())?;
        if left.is_some() {
            return Ok(false);
        }
        self.purge_templates(service).await?;
        self.purge_folders(service).await?;
        execute!(self, UNUSED_KEYS, id.clone())?;
        execute!(self, INVITATIONS, id.clone())?;
        execute!(self, ACTIONS, id.clone())?;
        execute!(self, CONTACTS, id.clone())?;
        execute!(self, CERTIFICATES, id.clone())?;
        execute!(self, MEMBERSHIPS, id.clone())?;
        execute!(self, SERVICE_VERSIONS, id.clone())?;
        Ok(execute!(self, SERVICE, id.clone())? == 1)
    }

    /// Takes a service's keys away that no alert names; how many.
    pub async fn purge_unused_keys(&mut self, service: ServiceId) -> Result<u64, StoreError> {
        execute!(self, UNUSED_KEYS, service.to_string())
    }

    /// The people whose address begins with `beginning`, oldest first, `max` at most.
    pub async fn list_people_named(
        &mut self,
        beginning: &str,
        max: u32,
    ) -> Result<Vec<UserId>, StoreError> {
        let pattern = format!("{beginning}%");
        fetch_all!(
            self,
            |row| row.id("id", UserId::new),
            LIST_NAMED,
            pattern,
            i64::from(max)
        )
    }

    /// Forgets how a person signed in, and where they belonged.
    pub async fn purge_sign_ins_of(&mut self, user: UserId) -> Result<(), StoreError> {
        let id = user.to_string();
        self.delete_failed_logins_of(user).await?;
        self.delete_old_passwords(user).await?;
        self.delete_memberships_of(user).await?;
        execute!(self, CODES, id.clone())?;
        execute!(self, ADDRESSES, id.clone())?;
        execute!(self, CREDENTIALS, id.clone())?;
        execute!(self, PLACES, id.clone()).map(drop)
    }

    /// Forgets every failure to sign in, and so every lock; how many.
    pub async fn purge_failed_logins(&mut self) -> Result<u64, StoreError> {
        execute!(self, COUNTS)?;
        execute!(self, FAILURES)
    }
}
