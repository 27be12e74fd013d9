//! Duty items: what only a person on duty can mend (D19).

use balefire_domain::ids::{AlertId, DeliveryId, DutyItemId};
use balefire_domain::lane::{DutyKind, Effect};
use balefire_domain::time::Timestamp;

use crate::lanes::LaneKey;
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// A duty item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DutyItem {
    /// Its id.
    pub id: DutyItemId,
    /// What is wrong, as the text of `DutyKind::as_str`.
    pub kind: String,
    /// With what: `delivery <id>`, `alert <id>`, `provider <name>` and so on.
    pub subject: String,
    /// The alert concerned, where it is one.
    pub alert_id: Option<AlertId>,
    /// The provider concerned.
    pub provider: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
}

statements! {
    OPEN: "INSERT INTO duty_items (id, kind, subject, alert_id, provider, opened_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (subject, kind) WHERE closed_at IS NULL DO NOTHING";
    CLOSE_ANSWERED: "UPDATE duty_items SET closed_at = $2, closed_by = $3
        WHERE subject = $1 AND kind IN ('stuck', 'unroutable') AND closed_at IS NULL";
    CLOSE: "UPDATE duty_items SET closed_at = $3, closed_by = $4
        WHERE subject = $1 AND kind = $2 AND closed_at IS NULL";
    LIST_OF_ALERT: "SELECT * FROM duty_items WHERE alert_id = $1 ORDER BY opened_at, id";
    LIST_OPEN: "SELECT * FROM duty_items WHERE closed_at IS NULL ORDER BY opened_at, id LIMIT $1";
}

impl Tx {
    /// Opens and closes the items that a step of this lane asks for; those that are new.
    pub async fn apply_duties(
        &mut self,
        key: &LaneKey,
        effects: &[Effect],
        mint: &(dyn Fn() -> DutyItemId + Send + Sync),
    ) -> Result<Vec<(DutyKind, DeliveryId)>, StoreError> {
        let mut opened = Vec::new();
        for effect in effects {
            match effect {
                Effect::OpenDutyItem { kind, delivery } => {
                    let subject = format!("delivery {delivery}");
                    let provider = Some(key.provider.as_str());
                    let id = mint();
                    if self
                        .open_duty_item(id, *kind, &subject, Some(key.alert_id), provider)
                        .await?
                    {
                        opened.push((*kind, *delivery));
                    }
                }
                Effect::CloseDutyItems { delivery } => {
                    let subject = format!("delivery {delivery}");
                    self.close_answered_duty_items(&subject, "the delivery's end")
                        .await?;
                }
                Effect::Send(_) | Effect::HealProvider | Effect::RemakeCancel { .. } => {}
            }
        }
        Ok(opened)
    }

    /// Opens an item unless one of its kind is open for its subject; whether it is new.
    pub async fn open_duty_item(
        &mut self,
        id: DutyItemId,
        kind: DutyKind,
        subject: &str,
        alert: Option<AlertId>,
        provider: Option<&str>,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let rows = execute!(
            self,
            OPEN,
            id.to_string(),
            kind.as_str(),
            subject.to_owned(),
            alert.map(|alert| alert.to_string()),
            provider.map(str::to_owned),
            now,
        )?;
        Ok(rows == 1)
    }

    /// Closes the `stuck` and `unroutable` items of a subject whose delivery has ended.
    pub async fn close_answered_duty_items(
        &mut self,
        subject: &str,
        by: &str,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute!(self, CLOSE_ANSWERED, subject.to_owned(), now, by.to_owned()).map(drop)
    }

    /// Closes a subject's open item of this kind, whose cause is gone; whether there was one.
    pub async fn close_duty_item_of(
        &mut self,
        kind: DutyKind,
        subject: &str,
        by: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let subject = subject.to_owned();
        let rows = execute!(self, CLOSE, subject, kind.as_str(), now, by.to_owned())?;
        Ok(rows > 0)
    }

    /// An alert's items, closed ones too, oldest first.
    pub async fn list_duty_items(&mut self, alert: AlertId) -> Result<Vec<DutyItem>, StoreError> {
        fetch_all!(self, read, LIST_OF_ALERT, alert.to_string())
    }

    /// The open items, oldest first, at most `limit`.
    pub async fn list_open_duty_items(&mut self, limit: u32) -> Result<Vec<DutyItem>, StoreError> {
        fetch_all!(self, read, LIST_OPEN, i64::from(limit))
    }
}

fn read(row: &impl Row) -> Result<DutyItem, StoreError> {
    Ok(DutyItem {
        id: row.id("id", DutyItemId::new)?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        alert_id: row.opt_id("alert_id", AlertId::new)?,
        provider: row.opt_text("provider")?,
        opened_at: row.instant("opened_at")?,
        closed_at: row.opt_instant("closed_at")?,
    })
}
