//! Events: frozen instructions about an alert (D2).

use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, DeliveryId, EventId};
use balefire_domain::lane::Kind;
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;

use crate::alerts::{read_second, write_second};
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// The alert it is about.
    pub alert_id: AlertId,
    /// Its place among the alert's events, from 1 (D3).
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// Its time, which goes out as `sent`.
    pub created_at: Timestamp,
    /// The alert's end.
    pub finishes_at: Timestamp,
    /// The channel.
    pub channel: Channel,
    /// The normalised text.
    pub text: String,
    /// The same in a second language, where there is one.
    pub second: Option<SecondText>,
    /// The areas.
    pub areas: serde_json::Value,
    /// The hash of what was approved (D51).
    pub content_hash: String,
}

statements! {
    INSERT: "INSERT INTO events (id, alert_id, seq, kind, created_at, finishes_at, channel, text,
            areas, content_hash, second_text)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SAVE_TRACEPARENT: "UPDATE events SET traceparent = $2 WHERE id = $1";
    LOAD_TRACEPARENT: "SELECT e.traceparent FROM deliveries d JOIN events e ON e.id = d.event_id
        WHERE d.id = $1";
    LIST: "SELECT * FROM events WHERE alert_id = $1 ORDER BY seq";
}

impl Tx {
    /// Stores a new event.
    pub async fn insert_event(&mut self, event: &Event) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT,
            event.id.to_string(),
            event.alert_id.to_string(),
            i64::from(event.seq),
            event.kind.as_str(),
            event.created_at.micros(),
            event.finishes_at.micros(),
            event.channel.as_str(),
            event.text.clone(),
            event.areas.to_string(),
            event.content_hash.clone(),
            event.second.as_ref().map(write_second),
        )
    }

    /// Remembers the trace in which an event began, in the words of W3C Trace Context.
    pub async fn save_traceparent(
        &mut self,
        event: EventId,
        traceparent: &str,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            SAVE_TRACEPARENT,
            event.to_string(),
            traceparent.to_owned()
        )
    }

    /// The trace in which the event of a delivery began, where it is known.
    pub async fn load_traceparent(
        &mut self,
        delivery: DeliveryId,
    ) -> Result<Option<String>, StoreError> {
        let id = delivery.to_string();
        let found = fetch_optional!(
            self,
            |row| row.opt_text("traceparent"),
            LOAD_TRACEPARENT,
            id
        )?;
        Ok(found.flatten())
    }

    /// An alert's events by `seq`.
    pub async fn list_events(&mut self, alert: AlertId) -> Result<Vec<Event>, StoreError> {
        fetch_all!(self, read, LIST, alert.to_string())
    }
}

fn read(row: &impl Row) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.id("id", EventId::new)?,
        alert_id: row.id("alert_id", AlertId::new)?,
        seq: row.count("seq")?,
        kind: row.word("kind", Kind::parse)?,
        created_at: row.instant("created_at")?,
        finishes_at: row.instant("finishes_at")?,
        channel: row.word("channel", Channel::parse)?,
        text: row.text("text")?,
        second: read_second(row)?,
        areas: row.json("areas")?,
        content_hash: row.text("content_hash")?,
    })
}
