//! Duty items: what only a person on duty can mend (D19).
//!
//! One statement opens items, and the function around it enqueues the item's page; every statement
//! that closes items answers which, and the page's end is enqueued. So no item is without its page.
//! A subject is "delivery " and its id where it is a delivery: its tenth letter begins the id.

use balefire_domain::ids::{AlertId, DeliveryId, DutyItemId};
use balefire_domain::job::Job;
use balefire_domain::lane::{DutyKind, Effect, Kind};
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
    /// What the delivery concerned asks, where it is one: an alert or a cancel.
    pub about: Option<Kind>,
    /// The delivery concerned, where it is one.
    pub delivery_id: Option<DeliveryId>,
    /// When that delivery is tried again, where it waits for its next round.
    pub next_attempt_at: Option<Timestamp>,
    /// The alert concerned, where it is one.
    pub alert_id: Option<AlertId>,
    /// The provider concerned.
    pub provider: Option<String>,
    /// Since when.
    pub opened_at: Timestamp,
    /// Until when.
    pub closed_at: Option<Timestamp>,
    /// Who closed it: a person, or what answered it.
    pub closed_by: Option<String>,
    /// When its page was sent.
    pub paged_at: Option<Timestamp>,
}

statements! {
    OPEN: "INSERT INTO duty_items (id, kind, subject, alert_id, provider, opened_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (subject, kind) WHERE closed_at IS NULL DO NOTHING";
    CLOSE_ANSWERED: "UPDATE duty_items SET closed_at = $2, closed_by = $3
        WHERE subject = $1 AND kind IN ('stuck', 'unroutable', 'wake_up_given_up')
            AND closed_at IS NULL
        RETURNING id";
    CLOSE_OF_KIND: "UPDATE duty_items SET closed_at = $3, closed_by = $4
        WHERE subject = $1 AND kind = $2 AND closed_at IS NULL
        RETURNING id";
    CLOSE: "UPDATE duty_items SET closed_at = $2, closed_by = $3
        WHERE id = $1 AND closed_at IS NULL
        RETURNING id";
    FIND_OPEN: "SELECT id FROM duty_items WHERE subject = $1 AND kind = $2 AND closed_at IS NULL";
    LIST_OF_ALERT: "SELECT d.*, j.done_at AS paged_at, v.kind AS about, v.id AS delivery_id,
            CASE WHEN v.state = 'backoff' THEN v.due_at END AS next_attempt_at
        FROM duty_items d LEFT JOIN jobs j ON j.id = 'page ' || d.id AND j.result = 'sent'
        LEFT JOIN deliveries v ON v.id = substr(d.subject, 10)
        WHERE d.alert_id = $1 ORDER BY d.opened_at, d.id";
    LIST_OPEN: "SELECT d.*, j.done_at AS paged_at, v.kind AS about, v.id AS delivery_id,
            CASE WHEN v.state = 'backoff' THEN v.due_at END AS next_attempt_at
        FROM duty_items d LEFT JOIN jobs j ON j.id = 'page ' || d.id AND j.result = 'sent'
        LEFT JOIN deliveries v ON v.id = substr(d.subject, 10)
        WHERE d.closed_at IS NULL ORDER BY d.opened_at, d.id LIMIT $1";
    LIST_LATEST: "SELECT d.*, j.done_at AS paged_at, v.kind AS about, v.id AS delivery_id,
            CASE WHEN v.state = 'backoff' THEN v.due_at END AS next_attempt_at
        FROM duty_items d LEFT JOIN jobs j ON j.id = 'page ' || d.id AND j.result = 'sent'
        LEFT JOIN deliveries v ON v.id = substr(d.subject, 10)
        ORDER BY d.opened_at DESC, d.id DESC LIMIT $1";
    LOAD: "SELECT d.*, j.done_at AS paged_at, v.kind AS about, v.id AS delivery_id,
            CASE WHEN v.state = 'backoff' THEN v.due_at END AS next_attempt_at
        FROM duty_items d LEFT JOIN jobs j ON j.id = 'page ' || d.id AND j.result = 'sent'
        LEFT JOIN deliveries v ON v.id = substr(d.subject, 10)
        WHERE d.id = $1";
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
                Effect::Send(_)
                | Effect::HealProvider
                | Effect::RemakeCancel { .. }
                | Effect::AlertInstead { .. } => {}
            }
        }
        Ok(opened)
    }

    /// Opens an item, and enqueues its page, unless one of its kind is open for its subject;
    /// whether it is new.
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
        if rows == 1 {
            self.enqueue_job(&Job::Page { duty_item_id: id }).await?;
        }
        Ok(rows == 1)
    }

    /// Closes the `stuck`, `unroutable` and `wake_up_given_up` items of a subject whose delivery
    /// has ended.
    pub async fn close_answered_duty_items(
        &mut self,
        subject: &str,
        by: &str,
    ) -> Result<(), StoreError> {
        let (now, by) = (self.now.micros(), by.to_owned());
        let closed = fetch_all!(self, read_id, CLOSE_ANSWERED, subject.to_owned(), now, by)?;
        self.enqueue_resolves(&closed).await
    }

    /// Closes an item; false where it is closed, or there is none.
    pub async fn close_duty_item(&mut self, id: DutyItemId, by: &str) -> Result<bool, StoreError> {
        let (now, by) = (self.now.micros(), by.to_owned());
        let closed = fetch_all!(self, read_id, CLOSE, id.to_string(), now, by)?;
        self.enqueue_resolves(&closed).await?;
        Ok(!closed.is_empty())
    }

    async fn enqueue_resolves(&mut self, closed: &[DutyItemId]) -> Result<(), StoreError> {
        for id in closed {
            let resolve = Job::PageResolve { duty_item_id: *id };
            self.enqueue_job(&resolve).await?;
        }
        Ok(())
    }

    /// An item.
    pub async fn load_duty_item(&mut self, id: DutyItemId) -> Result<Option<DutyItem>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// Closes a subject's open item of this kind, whose cause is gone; whether there was one.
    pub async fn close_duty_item_of(
        &mut self,
        kind: DutyKind,
        subject: &str,
        by: &str,
    ) -> Result<bool, StoreError> {
        let (now, by) = (self.now.micros(), by.to_owned());
        let (subject, kind) = (subject.to_owned(), kind.as_str());
        let closed = fetch_all!(self, read_id, CLOSE_OF_KIND, subject, kind, now, by)?;
        self.enqueue_resolves(&closed).await?;
        Ok(!closed.is_empty())
    }

    /// Whether an item of this kind is open for this subject.
    pub async fn has_open_duty_item(
        &mut self,
        kind: DutyKind,
        subject: &str,
    ) -> Result<bool, StoreError> {
        let subject = subject.to_owned();
        let found = fetch_optional!(
            self,
            |row| row.text("id"),
            FIND_OPEN,
            subject,
            kind.as_str()
        )?;
        Ok(found.is_some())
    }

    /// An alert's items, closed ones too, oldest first.
    pub async fn list_duty_items(&mut self, alert: AlertId) -> Result<Vec<DutyItem>, StoreError> {
        fetch_all!(self, read, LIST_OF_ALERT, alert.to_string())
    }

    /// The open items, oldest first, at most `limit`.
    pub async fn list_open_duty_items(&mut self, limit: u32) -> Result<Vec<DutyItem>, StoreError> {
        fetch_all!(self, read, LIST_OPEN, i64::from(limit))
    }

    /// The items opened last, closed ones too, the newest first, at most `limit`.
    pub async fn list_latest_duty_items(
        &mut self,
        limit: u32,
    ) -> Result<Vec<DutyItem>, StoreError> {
        fetch_all!(self, read, LIST_LATEST, i64::from(limit))
    }
}

fn read_id(row: &impl Row) -> Result<DutyItemId, StoreError> {
    row.id("id", DutyItemId::new)
}

fn read(row: &impl Row) -> Result<DutyItem, StoreError> {
    let about = row.opt_text("about")?;
    Ok(DutyItem {
        id: row.id("id", DutyItemId::new)?,
        kind: row.text("kind")?,
        subject: row.text("subject")?,
        about: about.as_deref().and_then(Kind::parse),
        delivery_id: row.opt_id("delivery_id", DeliveryId::new)?,
        next_attempt_at: row.opt_instant("next_attempt_at")?,
        alert_id: row.opt_id("alert_id", AlertId::new)?,
        provider: row.opt_text("provider")?,
        opened_at: row.instant("opened_at")?,
        closed_at: row.opt_instant("closed_at")?,
        closed_by: row.opt_text("closed_by")?,
        paged_at: row.opt_instant("paged_at")?,
    })
}
