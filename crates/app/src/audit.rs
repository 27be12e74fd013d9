//! Writing the audit trail: what was done, in the transaction that does it; what was refused, in a
//! transaction of its own afterwards.
//!
//! A refused attempt is an entry where somebody is known to have asked: a person named by a trusted
//! client or a command, or a key. What a stranger asks is logged and never kept, and of one actor
//! only so many attempts are (see [`AUDIT_REFUSALS_MAX`]): nobody fills the disk by being refused.

use balefire_domain::audit::{Actor, Change};
use balefire_domain::ids::{AuditEntryId, ServiceId};
use balefire_domain::limits::{AUDIT_REFUSALS_MAX, AUDIT_REFUSALS_PERIOD};
use balefire_store::audit_entries::AuditEntry;
use balefire_store::{StoreError, Tx};
use serde_json::{Map, Value};

use crate::{App, Origin, repeat};

/// An act, as its entry is to say it.
#[derive(Clone, Debug)]
pub struct Act {
    actor: Actor,
    action: &'static str,
    object: String,
    service_id: Option<ServiceId>,
    details: Value,
    change: Change,
}

impl Act {
    /// Who did what (`alert.approve`) to what (`alert <id>`).
    pub const fn new(actor: Actor, action: &'static str, object: String) -> Self {
        Self {
            actor,
            action,
            object,
            service_id: None,
            details: Value::Null,
            change: Change::NONE,
        }
    }

    /// Of which service: its members may read the entry.
    #[must_use]
    pub const fn of(mut self, service: Option<ServiceId>) -> Self {
        self.service_id = service;
        self
    }

    /// With which particulars: a JSON object without secrets.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    /// What it changed: objects of the same members, without secrets.
    #[must_use]
    pub fn changing(mut self, before: Value, after: Value) -> Self {
        self.change = Change::new(before, after);
        self
    }

    fn into_entry(self, id: AuditEntryId, refusal: Option<&'static str>) -> AuditEntry {
        let details = match self.details {
            Value::Null => Value::Object(Map::new()),
            details => details,
        };
        AuditEntry {
            id,
            actor: self.actor,
            action: self.action,
            object: self.object,
            service_id: self.service_id,
            details,
            change: self.change,
            whence: Origin::whence(self.actor),
            refusal,
        }
    }
}

impl App {
    /// Writes an audit entry in the transaction of the act itself (D53).
    pub(crate) async fn audit(
        &self,
        tx: &mut Tx,
        actor: Actor,
        action: &'static str,
        object: String,
        service_id: Option<ServiceId>,
        details: Value,
    ) -> Result<(), StoreError> {
        let act = Act::new(actor, action, object).of(service_id).with(details);
        self.audit_act(tx, act).await
    }

    /// The same for an act of which more is to be said.
    pub(crate) async fn audit_act(&self, tx: &mut Tx, act: Act) -> Result<(), StoreError> {
        let id = AuditEntryId::new(self.entropy.uuid_v7(tx.now));
        tx.insert_audit_entry(&act.into_entry(id, None)).await
    }

    /// Logs a refused attempt, and keeps it in the trail as `<action>.refused`, with the reason in
    /// one word. Called after the attempt's own transaction was given up. What can't be kept is
    /// logged: the refusal stands all the same.
    pub async fn audit_refusal(&self, act: Act, refusal: &'static str) {
        let (actor, action, object) = (act.actor, act.action, act.object.clone());
        let kept = repeat(|| self.keep_refusal(&act, refusal)).await;
        let (is_kept, error) = match kept {
            Ok(is_kept) => (is_kept, None),
            Err(error) => (false, Some(error)),
        };
        let origin = Origin::current();
        tracing::warn!(
            event = "audit.refused",
            actor = actor.describe(),
            action,
            object,
            refusal,
            source = origin.as_ref().map(Origin::source),
            kept = is_kept,
            error = error.as_ref().map(|error| error as &dyn std::error::Error),
            "an attempt was refused"
        );
    }

    /// Whether there was room for it.
    async fn keep_refusal(&self, act: &Act, refusal: &'static str) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin("audit_refusal", now).await?;
        let kept = tx
            .count_refused(act.actor, AUDIT_REFUSALS_PERIOD, AUDIT_REFUSALS_MAX)
            .await?;
        if kept >= AUDIT_REFUSALS_MAX {
            return Ok(false);
        }
        let id = AuditEntryId::new(self.entropy.uuid_v7(tx.now));
        tx.insert_audit_entry(&act.clone().into_entry(id, Some(refusal)))
            .await?;
        tx.commit().await?;
        Ok(true)
    }
}
