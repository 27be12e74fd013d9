//! The audit trail. It only grows: the schema refuses changes.

use std::time::Duration;

use balefire_domain::audit::{Actor, Change, Whence};
use balefire_domain::audit_chain::AuditRow;
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
    /// Did what: `alert.approve`, …; stored as `alert.approve.refused` where it was not done.
    pub action: &'static str,
    /// To what: `alert <id>`, …
    pub object: String,
    /// Of which service.
    pub service_id: Option<ServiceId>,
    /// With which particulars: a JSON object without secrets.
    pub details: serde_json::Value,
    /// What it changed.
    pub change: Change,
    /// From where.
    pub whence: Whence,
    /// Why it was not done, in one word; absent: it was.
    pub refusal: Option<&'static str>,
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
    /// Why it was not done.
    pub refusal: Option<String>,
}

statements! {
    INSERT: "INSERT INTO audit_entries (id, at, actor, action, object, service_id, details,
            state_before, state_after, asserted_by, source, request_id, refusal)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    LIST: "SELECT * FROM audit_entries ORDER BY at, id LIMIT $1";
    COUNT_REFUSED: "SELECT COUNT(*) AS n FROM (SELECT id FROM audit_entries
        WHERE actor = $1 AND at > $2 AND refusal IS NOT NULL LIMIT $3) AS refused";
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
            entry.refusal.map_or_else(
                || entry.action.to_owned(),
                |_| format!("{}.refused", entry.action)
            ),
            entry.object.clone(),
            entry.service_id.map(|id| id.to_string()),
            entry.details.to_string(),
            entry.change.before.as_ref().map(ToString::to_string),
            entry.change.after.as_ref().map(ToString::to_string),
            entry.whence.asserted_by.clone(),
            entry.whence.source.clone(),
            entry.whence.request_id.clone(),
            entry.refusal,
        )
    }

    /// How many refused attempts of an actor were kept within the last `period`; counts to `max`.
    pub async fn count_refused(
        &mut self,
        actor: Actor,
        period: Duration,
        max: u32,
    ) -> Result<u32, StoreError> {
        let since = (self.now - period).micros();
        let counted = fetch_optional!(
            self,
            |row| row.count("n"),
            COUNT_REFUSED,
            actor.describe(),
            since,
            i64::from(max)
        );
        Ok(counted?.unwrap_or_default())
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
        refusal: row.opt_text("refusal")?,
    })
}

/// Every column as it is stored.
pub(crate) fn read_row(row: &impl Row) -> Result<AuditRow, StoreError> {
    Ok(AuditRow {
        id: row.text("id")?,
        at_us: row.int("at")?,
        actor: row.text("actor")?,
        asserted_by: row.opt_text("asserted_by")?,
        action: row.text("action")?,
        object: row.text("object")?,
        service_id: row.opt_text("service_id")?,
        details: row.text("details")?,
        before: row.opt_text("state_before")?,
        after: row.opt_text("state_after")?,
        source: row.opt_text("source")?,
        request_id: row.opt_text("request_id")?,
        refusal: row.opt_text("refusal")?,
    })
}
