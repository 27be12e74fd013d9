//! Why alerts were given back to be edited.

use balefire_domain::ids::{AlertId, EditReasonId, UserId};
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Why an alert was given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditReason {
    /// Its id.
    pub id: EditReasonId,
    /// Of which alert.
    pub alert_id: AlertId,
    /// What is to be done.
    pub reason: String,
    /// When it was given back.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: UserId,
    /// When it had been submitted, where a person submitted it.
    pub submitted_at: Option<Timestamp>,
    /// Who had submitted it.
    pub submitted_by: Option<UserId>,
}

statements! {
    INSERT: "INSERT INTO edit_reasons
            (id, alert_id, reason, created_at, created_by, submitted_at, submitted_by)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LIST: "SELECT * FROM edit_reasons WHERE alert_id = $1 ORDER BY created_at DESC, id DESC";
    LATEST: "SELECT * FROM edit_reasons WHERE alert_id = $1
        ORDER BY created_at DESC, id DESC LIMIT 1";
}

impl Tx {
    /// Stores a reason.
    pub async fn insert_edit_reason(&mut self, reason: &EditReason) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            reason.id.to_string(),
            reason.alert_id.to_string(),
            reason.reason.clone(),
            reason.created_at.micros(),
            reason.created_by.to_string(),
            reason.submitted_at.map(Timestamp::micros),
            reason.submitted_by.map(|id| id.to_string()),
        )
    }

    /// Why an alert was given back, the newest reason first.
    pub async fn list_edit_reasons(
        &mut self,
        alert: AlertId,
    ) -> Result<Vec<EditReason>, StoreError> {
        fetch_all!(self, read, LIST, alert.to_string())
    }

    /// Why an alert was last given back.
    pub async fn latest_edit_reason(
        &mut self,
        alert: AlertId,
    ) -> Result<Option<EditReason>, StoreError> {
        fetch_optional!(self, read, LATEST, alert.to_string())
    }
}

fn read(row: &impl Row) -> Result<EditReason, StoreError> {
    Ok(EditReason {
        id: row.id("id", EditReasonId::new)?,
        alert_id: row.id("alert_id", AlertId::new)?,
        reason: row.text("reason")?,
        created_at: row.instant("created_at")?,
        created_by: row.id("created_by", UserId::new)?,
        submitted_at: row.opt_instant("submitted_at")?,
        submitted_by: row.opt_id("submitted_by", UserId::new)?,
    })
}
