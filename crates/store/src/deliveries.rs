//! Deliveries and attempts as people read them, and what is sent. What `step` needs of them is in
//! `lanes.rs`.

use balefire_domain::ids::{AlertId, DeliveryId, EventId};
use balefire_domain::lane::{Attempt, Delivery, Kind};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use crate::lanes::{LaneKey, read_attempt, read_delivery, read_key};
use crate::sql::{Row, StoreError, inconsistent, misspelt};
use crate::store::Tx;

/// What a delivery's row holds beside what `step` decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The event it delivers.
    pub event_id: EventId,
    /// The event's time, which goes out as `sent`.
    pub sent_at: Timestamp,
    /// Its number at an ibag provider.
    pub message_number: Option<u32>,
    /// What is sent, byte for byte. A cancel's is absent until its first attempt (D29); an update's
    /// is an alert's until then, and may be made an update then (ADR 17).
    pub payload: Option<String>,
}

/// A delivery with all of its attempts and what each was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryHistory {
    /// The provider.
    pub provider: ProviderName,
    /// What its event asks: an update's may be delivered by a cancel and an alert (ADR 17).
    pub event_kind: Kind,
    /// Its event's place among the alert's events.
    pub event_seq: u32,
    /// The delivery.
    pub delivery: Delivery,
    /// Its attempts, oldest first, each with its detail.
    pub attempts: Vec<(Attempt, String)>,
}

statements! {
    INSERT: "INSERT INTO deliveries (id, event_id, alert_id, provider, seq, kind, state, reason,
            due_at, ended_at, round, is_stuck, created_at, ends_at, sent_at, message_number,
            payload)
        VALUES ($1, $2, $3, $4, $5, $6, 'ready', NULL, NULL, NULL, 1, FALSE, $7, $8, $9, $10, $11)";
    LOAD_FROZEN: "SELECT event_id, sent_at, message_number, payload FROM deliveries WHERE id = $1";
    FIND_LANE: "SELECT alert_id, provider FROM deliveries WHERE id = $1";
    SAVE_PAYLOAD: "UPDATE deliveries SET payload = $2 WHERE id = $1 AND payload IS NULL";
    REPLACE_PAYLOAD: "UPDATE deliveries SET payload = $3
        WHERE id = $1 AND kind = 'update' AND payload = $2";
    LIST_OF_ALERT: "SELECT d.*, e.kind AS event_kind, e.seq AS event_seq
        FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE d.alert_id = $1 ORDER BY d.provider, d.seq";
    LIST_ATTEMPTS_OF_ALERT: "SELECT * FROM attempts WHERE alert_id = $1
        ORDER BY opened_at, id";
}

impl Tx {
    /// Stores a new delivery as `ready`; its lane is saved afterwards with what `step` makes of it.
    pub async fn insert_delivery(
        &mut self,
        lane: &LaneKey,
        delivery: &Delivery,
        frozen: &Frozen,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            delivery.id.to_string(),
            frozen.event_id.to_string(),
            lane.alert_id.to_string(),
            lane.provider.as_str().to_owned(),
            i64::from(delivery.seq),
            delivery.kind.as_str(),
            delivery.created_at.micros(),
            delivery.ends_at.micros(),
            frozen.sent_at.micros(),
            frozen.message_number.map(i64::from),
            frozen.payload.clone(),
        )
    }

    /// The lane of a delivery.
    pub async fn find_lane_of(&mut self, id: DeliveryId) -> Result<Option<LaneKey>, StoreError> {
        fetch_optional!(self, read_key, FIND_LANE, id.to_string())
    }

    /// What a delivery's row holds beside what `step` decides.
    pub async fn load_frozen(&mut self, id: DeliveryId) -> Result<Option<Frozen>, StoreError> {
        fetch_optional!(self, read_frozen, LOAD_FROZEN, id.to_string())
    }

    /// Stores a cancel's payload, rendered at its first attempt. It can be stored once.
    pub async fn save_payload(&mut self, id: DeliveryId, payload: &str) -> Result<(), StoreError> {
        execute_one!(self, SAVE_PAYLOAD, id.to_string(), payload.to_owned())
    }

    /// Stores the form in which an update goes out, at its first attempt, in the place of what was
    /// stored at approval (ADR 17).
    pub async fn replace_payload(
        &mut self,
        id: DeliveryId,
        was: &str,
        is: &str,
    ) -> Result<(), StoreError> {
        let (was, is) = (was.to_owned(), is.to_owned());
        execute_one!(self, REPLACE_PAYLOAD, id.to_string(), was, is)
    }

    /// All deliveries of an alert with their attempts, by provider and `seq`.
    pub async fn list_delivery_histories(
        &mut self,
        alert: AlertId,
    ) -> Result<Vec<DeliveryHistory>, StoreError> {
        let mut histories = fetch_all!(self, read_history, LIST_OF_ALERT, alert.to_string())?;
        let attempts = fetch_all!(
            self,
            read_detailed,
            LIST_ATTEMPTS_OF_ALERT,
            alert.to_string()
        )?;
        for (attempt, detail) in attempts {
            if let Some(history) = histories
                .iter_mut()
                .find(|history| history.delivery.id == attempt.delivery)
            {
                history.attempts.push((attempt, detail));
            }
        }
        Ok(histories)
    }
}

fn read_frozen(row: &impl Row) -> Result<Frozen, StoreError> {
    let message_number = match row.opt_int("message_number")? {
        None => None,
        Some(number) => Some(
            u32::try_from(number)
                .map_err(|_| inconsistent("message_number", &number.to_string()))?,
        ),
    };
    Ok(Frozen {
        event_id: row.id("event_id", EventId::new)?,
        sent_at: row.instant("sent_at")?,
        message_number,
        payload: row.opt_text("payload")?,
    })
}

fn read_history(row: &impl Row) -> Result<DeliveryHistory, StoreError> {
    let provider = row.text("provider")?;
    let provider =
        ProviderName::new(provider.clone()).map_err(|_| misspelt("provider", &provider))?;
    Ok(DeliveryHistory {
        provider,
        event_kind: row.word("event_kind", Kind::parse)?,
        event_seq: row.count("event_seq")?,
        delivery: read_delivery(row)?,
        attempts: Vec::new(),
    })
}

fn read_detailed(row: &impl Row) -> Result<(Attempt, String), StoreError> {
    Ok((read_attempt(row)?, row.text("detail")?))
}
