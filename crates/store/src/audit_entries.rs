//! The audit trail. It only grows: the schema refuses changes.

use balefire_domain::audit::Actor;
use balefire_domain::ids::{AuditEntryId, ServiceId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// One line of the trail.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its id.
    pub id: AuditEntryId,
    /// Who.
    pub actor: Actor,
    /// Did what: `alert.approve`, …
    pub action: &'static str,
    /// To what: `alert <id>`, …
    pub object: String,
    /// Of which service.
    pub service_id: Option<ServiceId>,
    /// With which particulars: a JSON object without secrets.
    pub details: serde_json::Value,
}

/// A line as it was read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditLine {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// Did what.
    pub action: String,
    /// To what.
    pub object: String,
    /// With which particulars.
    pub details: serde_json::Value,
}

statements! {
    INSERT: "INSERT INTO audit_entries (id, at, actor, action, object, service_id, details)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST: "SELECT * FROM audit_entries ORDER BY at, id LIMIT $1";
}

impl Tx {
    /// Adds a line, at the transaction's instant.
    pub async fn insert_audit_entry(&mut self, entry: &AuditEntry) -> Result<(), StoreError> {
        let now = self.now.micros();
        self.witness = Some(entry.id);
        execute_one!(
            self,
            INSERT,
            entry.id.to_string(),
            now,
            entry.actor.describe(),
            entry.action,
            entry.object.clone(),
            entry.service_id.map(|id| id.to_string()),
            entry.details.to_string(),
        )
    }

    /// The first `limit` lines.
    pub async fn list_audit_entries(&mut self, limit: u32) -> Result<Vec<AuditLine>, StoreError> {
        fetch_all!(self, read, LIST, i64::from(limit))
    }
}

fn read(row: &impl Row) -> Result<AuditLine, StoreError> {
    Ok(AuditLine {
        at: row.instant("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        object: row.text("object")?,
        details: row.json("details")?,
    })
}
