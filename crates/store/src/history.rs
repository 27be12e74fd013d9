//! The history of alerts, as `domain::history` judges it: read alert by alert, beside a living
//! service, in a transaction that only reads.

use balefire_domain::channel::Channel;
use balefire_domain::history::{
    AlertFact, AttemptFact, AuditFact, DeliveryFact, EventFact, History,
};
use balefire_domain::ids::{AlertId, DeliveryId, EventId, ServiceId, UserId};
use balefire_domain::lane::Kind;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use crate::alerts::read_second;
use crate::lanes::{read_attempt, read_delivery};
use crate::sql::{Row, StoreError, misspelt};
use crate::store::Tx;

/// An event's facts, with what else a hash of it needs.
#[derive(Clone, Debug)]
pub struct EventRow {
    /// Its facts, without polygons and without the hash that is computed now.
    pub fact: EventFact,
    /// The areas as they are stored.
    pub areas: serde_json::Value,
}

/// A version of an alert that somebody may have approved.
#[derive(Clone, Debug)]
pub struct VersionRow {
    /// Its number, from 1.
    pub version: u32,
    /// Who made it; nobody where an API key did.
    pub editor: Option<UserId>,
    /// What the public page shows beside the text.
    pub extra_content: Option<String>,
}

/// One alert's history as the database has it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The facts; of its events everything but polygons and computed hashes, and no requests.
    pub history: History,
    /// The events' areas, in the order of the events.
    pub areas: Vec<serde_json::Value>,
    /// What each version shows beside its text.
    pub extra_contents: Vec<(u32, Option<String>)>,
}

statements! {
    LIST_ALERTS: "SELECT id FROM alerts WHERE id > $1 AND created_at >= $2 ORDER BY id LIMIT $3";
    LOAD_KEY_SERVICE: "SELECT k.service_id AS service_id FROM api_keys k
        JOIN alerts a ON a.api_key_id = k.id WHERE a.id = $1";
    LIST_VERSIONS: "SELECT version, created_by, extra_content FROM alert_versions
        WHERE alert_id = $1 ORDER BY version";
    LIST_EVENTS: "SELECT * FROM events WHERE alert_id = $1 ORDER BY seq";
    LIST_DELIVERIES: "SELECT * FROM deliveries WHERE alert_id = $1 ORDER BY provider, seq";
    LIST_ATTEMPTS: "SELECT * FROM attempts WHERE alert_id = $1 ORDER BY opened_at, id";
    LIST_AUDIT: "SELECT * FROM audit_entries WHERE object = $1 AND refusal IS NULL
        ORDER BY at, id";
    FIND_DELIVERY: "SELECT alert_id FROM deliveries WHERE id = $1";
}

impl Tx {
    /// The alerts after `after` that were made at `since` or later, in the order of their ids, at
    /// most `limit`.
    pub async fn list_alerts_after(
        &mut self,
        after: Option<AlertId>,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<AlertId>, StoreError> {
        let after = after.map(|id| id.to_string()).unwrap_or_default();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        fetch_all!(
            self,
            |row| row.id("id", AlertId::new),
            LIST_ALERTS,
            after.clone(),
            since.micros(),
            limit
        )
    }

    /// Everything that the database knows of an alert.
    pub async fn load_history(&mut self, id: AlertId) -> Result<Option<Recorded>, StoreError> {
        let Some(alert) = self.load_alert(id).await? else {
            return Ok(None);
        };
        let key_service = fetch_optional!(
            self,
            |row| row.id("service_id", ServiceId::new),
            LOAD_KEY_SERVICE,
            id.to_string()
        )?;
        let versions = fetch_all!(self, read_version, LIST_VERSIONS, id.to_string())?;
        let events = fetch_all!(self, read_event, LIST_EVENTS, id.to_string())?;
        let deliveries = fetch_all!(self, read_fact, LIST_DELIVERIES, id.to_string())?;
        let attempts = fetch_all!(self, read_try, LIST_ATTEMPTS, id.to_string())?;
        let object = format!("alert {id}");
        let audit = fetch_all!(self, read_audit, LIST_AUDIT, object.clone())?;
        let fact = AlertFact {
            id,
            service: alert.service_id,
            key_service,
            status: alert.status,
            is_stubbed: alert.is_stubbed,
            next_seq: alert.next_seq,
            finishes_at: alert.finishes_at,
            approved_at: alert.approved_at,
            approved_by: alert.approved_by,
            created_by: alert.created_by,
            submitted_by: alert.submitted_by,
        };
        let history = History {
            alert: fact,
            versions: versions.iter().map(|v| (v.version, v.editor)).collect(),
            events: events.iter().map(|row| row.fact.clone()).collect(),
            deliveries,
            attempts,
            audit,
            requests: Vec::new(),
        };
        Ok(Some(Recorded {
            history,
            areas: events.into_iter().map(|row| row.areas).collect(),
            extra_contents: versions
                .into_iter()
                .map(|v| (v.version, v.extra_content))
                .collect(),
        }))
    }

    /// The alert that a delivery is of.
    pub async fn find_delivery(&mut self, id: DeliveryId) -> Result<Option<AlertId>, StoreError> {
        fetch_optional!(
            self,
            |row| row.id("alert_id", AlertId::new),
            FIND_DELIVERY,
            id.to_string()
        )
    }
}

fn read_version(row: &impl Row) -> Result<VersionRow, StoreError> {
    Ok(VersionRow {
        version: row.count("version")?,
        editor: row.opt_id("created_by", UserId::new)?,
        extra_content: row.opt_text("extra_content")?,
    })
}

fn read_event(row: &impl Row) -> Result<EventRow, StoreError> {
    let fact = EventFact {
        id: row.id("id", EventId::new)?,
        seq: row.count("seq")?,
        kind: row.word("kind", Kind::parse)?,
        created_at: row.instant("created_at")?,
        finishes_at: row.instant("finishes_at")?,
        channel: row.word("channel", Channel::parse)?,
        text: row.text("text")?,
        second: read_second(row)?,
        polygons: Vec::new(),
        content_hash: row.text("content_hash")?,
        frozen_hash: None,
    };
    let areas = row.json("areas")?;
    Ok(EventRow { fact, areas })
}

fn read_provider(row: &impl Row) -> Result<ProviderName, StoreError> {
    let name = row.text("provider")?;
    ProviderName::new(name.clone()).map_err(|_| misspelt("provider", &name))
}

fn read_fact(row: &impl Row) -> Result<DeliveryFact, StoreError> {
    let delivery = read_delivery(row)?;
    Ok(DeliveryFact {
        id: delivery.id,
        event: row.id("event_id", EventId::new)?,
        provider: read_provider(row)?,
        seq: delivery.seq,
        kind: delivery.kind,
        state: delivery.state,
        created_at: delivery.created_at,
        ends_at: delivery.ends_at,
        payload: row.opt_text("payload")?,
        covers_approved: false,
    })
}

fn read_try(row: &impl Row) -> Result<AttemptFact, StoreError> {
    let attempt = read_attempt(row)?;
    Ok(AttemptFact {
        id: attempt.id,
        delivery: attempt.delivery,
        provider: read_provider(row)?,
        seq: attempt.seq,
        slot: row.count("slot")?,
        route: attempt.route,
        opened_at: attempt.opened_at,
        deadline_at: attempt.deadline_at,
        drained_at: attempt.drained_at,
        closed: attempt.closed,
    })
}

fn read_audit(row: &impl Row) -> Result<AuditFact, StoreError> {
    Ok(AuditFact {
        at: row.instant("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        service: row.opt_id("service_id", ServiceId::new)?,
        details: row.json("details")?,
    })
}
