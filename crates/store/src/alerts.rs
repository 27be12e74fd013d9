//! Alerts and their versions.

use balefire_domain::alert::Status;
use balefire_domain::cap_cancel::{Candidate, NamedMessage};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, ApiKeyId, ServiceId, TemplateId, UserId};
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;

use crate::alert_updates::AlertUpdate;
use crate::sql::{Row, StoreError, unread_json};
use crate::store::Tx;

/// The identity of a CAP document that made an alert (D13).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapIdentity {
    /// Its `sender`.
    pub sender: String,
    /// Its `identifier`.
    pub identifier: String,
    /// Its `sent`, as an instant.
    pub sent: Timestamp,
    /// SHA-256 of what it says, to tell a repetition from a contradiction.
    pub digest: String,
}

/// The template that an alert was made of, as it was then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeOf {
    /// Its id; it may be gone since.
    pub template: TemplateId,
    /// Its version.
    pub version: u32,
    /// What it was called.
    pub name: String,
}

/// An alert as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// Whose it is.
    pub service_id: ServiceId,
    /// Where it stands.
    pub status: Status,
    /// Made in training or by a test key: never sent.
    pub is_stubbed: bool,
    /// Its version, from 1.
    pub version: u32,
    /// The `seq` of its next event.
    pub next_seq: u32,
    /// The author's own name for it.
    pub reference: Option<String>,
    /// The text as written.
    pub content: String,
    /// The text normalised: what is counted, approved and sent (D11).
    pub text: String,
    /// The same in a second language, where there is one.
    pub second: Option<SecondText>,
    /// What the public page shows beside the text.
    pub extra_content: Option<String>,
    /// The areas as they are answered: a JSON object.
    pub areas: serde_json::Value,
    /// How long it lasts, in microseconds.
    pub duration_us: Option<i64>,
    /// Its start.
    pub starts_at: Option<Timestamp>,
    /// Its end.
    pub finishes_at: Option<Timestamp>,
    /// The `event` of the CAP document.
    pub cap_event: Option<String>,
    /// The CAP document it came from.
    pub cap: Option<CapIdentity>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
    /// When it was submitted.
    pub submitted_at: Option<Timestamp>,
    /// When it was approved.
    pub approved_at: Option<Timestamp>,
    /// When it was cancelled.
    pub cancelled_at: Option<Timestamp>,
    /// When it was rejected.
    pub rejected_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<UserId>,
    /// Who changed it last.
    pub updated_by: Option<UserId>,
    /// Who submitted it.
    pub submitted_by: Option<UserId>,
    /// Who approved it.
    pub approved_by: Option<UserId>,
    /// Who cancelled it.
    pub cancelled_by: Option<UserId>,
    /// Who rejected it.
    pub rejected_by: Option<UserId>,
    /// The key that made it.
    pub api_key_id: Option<ApiKeyId>,
    /// The key that cancelled it.
    pub cancelled_by_api_key_id: Option<ApiKeyId>,
    /// The key that rejected it.
    pub rejected_by_api_key_id: Option<ApiKeyId>,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
    /// The template that it was made of, where it was made of one.
    pub made_of: Option<MadeOf>,
    /// The public site has shown that it ended; written by the site's own verb alone.
    pub is_acknowledged: bool,
}

impl Alert {
    /// Takes the content of an update, and its version with it.
    pub fn take(&mut self, update: &AlertUpdate) {
        self.version = update.version;
        self.content.clone_from(&update.content);
        self.text.clone_from(&update.text);
        self.extra_content.clone_from(&update.extra_content);
        self.areas.clone_from(&update.areas);
        self.second.clone_from(&update.second);
        if update.cap_event.is_some() {
            self.cap_event.clone_from(&update.cap_event);
        }
    }
}

statements! {
    INSERT: "INSERT INTO alerts (id, service_id, is_stubbed, created_at, created_by, api_key_id,
            cap_event, cap_sender, cap_identifier, cap_sent, cap_digest,
            status, version, next_seq, reference, content, text, extra_content, areas,
            duration_us, starts_at, finishes_at, updated_at, submitted_at, approved_at,
            cancelled_at, rejected_at, updated_by, submitted_by, approved_by, cancelled_by,
            rejected_by, cancelled_by_api_key_id, rejected_by_api_key_id, rejection_reason,
            second_text, template_id, template_version, template_name)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
            $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35,
            $36, $37, $38, $39)";
    UPDATE: "UPDATE alerts SET status = $2, version = $3, next_seq = $4, reference = $5,
            content = $6, text = $7, extra_content = $8, areas = $9, duration_us = $10,
            starts_at = $11, finishes_at = $12, updated_at = $13, submitted_at = $14,
            approved_at = $15, cancelled_at = $16, rejected_at = $17, updated_by = $18,
            submitted_by = $19, approved_by = $20, cancelled_by = $21, rejected_by = $22,
            cancelled_by_api_key_id = $23, rejected_by_api_key_id = $24, rejection_reason = $25,
            second_text = $26, cap_event = $27
        WHERE id = $1";
    LOCK (lock): "SELECT id FROM alerts WHERE id = $1";
    LOAD: "SELECT * FROM alerts WHERE id = $1";
    LIST: "SELECT * FROM alerts WHERE service_id = $1 ORDER BY created_at, id";
    LIST_PUBLIC: "SELECT a.*, e.channel AS frozen_channel
        FROM alerts a JOIN events e ON e.alert_id = a.id AND e.kind = 'alert'
        WHERE a.status IN ('broadcasting', 'completed', 'cancelled') AND NOT a.is_stubbed
        AND a.starts_at >= $1
        AND (e.channel IN ('severe', 'government') OR a.starts_at >= $2)
        ORDER BY a.starts_at DESC, a.id DESC LIMIT $3";
    ACKNOWLEDGE_FINISHED: "UPDATE alerts SET is_acknowledged = TRUE
        WHERE status IN ('completed', 'cancelled') AND NOT is_stubbed AND NOT is_acknowledged
        AND service_id IN
            (SELECT id FROM services WHERE state = 'active' AND mode = 'live')";
    LIST_PAGE: "SELECT * FROM alerts WHERE service_id = $1 AND id < $2
        ORDER BY id DESC LIMIT $3";
    LIST_CANCELLABLE: "SELECT id, status, is_stubbed, reference,
            cap_sender, cap_identifier, cap_sent
        FROM alerts WHERE service_id = $1
        AND status IN ('draft', 'pending-approval', 'returned', 'broadcasting')
        ORDER BY created_at, id";
    LIST_OVER: "SELECT id FROM alerts WHERE status = 'broadcasting' AND finishes_at <= $1
        ORDER BY finishes_at, id LIMIT $2";
    COUNT_BROADCASTING: "SELECT count(*) AS n FROM alerts
        WHERE service_id = $1 AND status = 'broadcasting'";
    LOAD_BY_CAP: "SELECT * FROM alerts WHERE service_id = $1 AND cap_sender = $2
        AND cap_identifier = $3 AND cap_sent = $4 AND is_stubbed = $5";
}

impl Tx {
    /// Stores a new alert and its first version.
    pub async fn insert_alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        let cap = alert.cap.as_ref();
        execute_one!(
            self,
            INSERT,
            alert.id.to_string(),
            alert.service_id.to_string(),
            alert.is_stubbed,
            alert.created_at.micros(),
            alert.created_by.map(|id| id.to_string()),
            alert.api_key_id.map(|id| id.to_string()),
            alert.cap_event.clone(),
            cap.map(|cap| cap.sender.clone()),
            cap.map(|cap| cap.identifier.clone()),
            cap.map(|cap| cap.sent.micros()),
            cap.map(|cap| cap.digest.clone()),
            alert.status.as_str(),
            i64::from(alert.version),
            i64::from(alert.next_seq),
            alert.reference.clone(),
            alert.content.clone(),
            alert.text.clone(),
            alert.extra_content.clone(),
            alert.areas.to_string(),
            alert.duration_us,
            alert.starts_at.map(Timestamp::micros),
            alert.finishes_at.map(Timestamp::micros),
            alert.updated_at.map(Timestamp::micros),
            alert.submitted_at.map(Timestamp::micros),
            alert.approved_at.map(Timestamp::micros),
            alert.cancelled_at.map(Timestamp::micros),
            alert.rejected_at.map(Timestamp::micros),
            alert.updated_by.map(|id| id.to_string()),
            alert.submitted_by.map(|id| id.to_string()),
            alert.approved_by.map(|id| id.to_string()),
            alert.cancelled_by.map(|id| id.to_string()),
            alert.rejected_by.map(|id| id.to_string()),
            alert.cancelled_by_api_key_id.map(|id| id.to_string()),
            alert.rejected_by_api_key_id.map(|id| id.to_string()),
            alert.rejection_reason.clone(),
            alert.second.as_ref().map(write_second),
            alert.made_of.as_ref().map(|of| of.template.to_string()),
            alert.made_of.as_ref().map(|of| i64::from(of.version)),
            alert.made_of.as_ref().map(|of| of.name.clone()),
        )?;
        self.insert_alert_version(alert, alert.created_by).await
    }

    /// Stores everything of an alert that may change. The caller holds its lock.
    pub async fn update_alert(&mut self, alert: &Alert) -> Result<(), StoreError> {
        execute_one!(
            self,
            UPDATE,
            alert.id.to_string(),
            alert.status.as_str(),
            i64::from(alert.version),
            i64::from(alert.next_seq),
            alert.reference.clone(),
            alert.content.clone(),
            alert.text.clone(),
            alert.extra_content.clone(),
            alert.areas.to_string(),
            alert.duration_us,
            alert.starts_at.map(Timestamp::micros),
            alert.finishes_at.map(Timestamp::micros),
            alert.updated_at.map(Timestamp::micros),
            alert.submitted_at.map(Timestamp::micros),
            alert.approved_at.map(Timestamp::micros),
            alert.cancelled_at.map(Timestamp::micros),
            alert.rejected_at.map(Timestamp::micros),
            alert.updated_by.map(|id| id.to_string()),
            alert.submitted_by.map(|id| id.to_string()),
            alert.approved_by.map(|id| id.to_string()),
            alert.cancelled_by.map(|id| id.to_string()),
            alert.rejected_by.map(|id| id.to_string()),
            alert.cancelled_by_api_key_id.map(|id| id.to_string()),
            alert.rejected_by_api_key_id.map(|id| id.to_string()),
            alert.rejection_reason.clone(),
            alert.second.as_ref().map(write_second),
            alert.cap_event.clone(),
        )
    }

    /// Locks an alert, then reads it: the read is a statement of its own, so that it sees what the
    /// transaction before us committed (D59).
    pub async fn lock_alert(&mut self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        fetch_optional!(self, |row| row.text("id"), LOCK, id.to_string())?;
        self.load_alert(id).await
    }

    /// The alert with this id.
    pub async fn load_alert(&mut self, id: AlertId) -> Result<Option<Alert>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// A service's alerts, oldest first.
    pub async fn list_alerts(&mut self, service: ServiceId) -> Result<Vec<Alert>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }

    /// What the public may read, the newest first: real alerts that were approved and start at or
    /// after `since`, those of the channels for tests at or after `tests_since`; each with the
    /// channel on which it was sent.
    pub async fn list_public_alerts(
        &mut self,
        since: Timestamp,
        tests_since: Timestamp,
        limit: u32,
    ) -> Result<Vec<(Alert, Channel)>, StoreError> {
        fetch_all!(
            self,
            |row| Ok::<_, StoreError>((read(row)?, row.word("frozen_channel", Channel::parse)?)),
            LIST_PUBLIC,
            since.micros(),
            tests_since.micros(),
            i64::from(limit),
        )
    }

    /// A service's alerts, the latest ids first, before this one; `None`: from the latest.
    pub async fn list_alerts_before(
        &mut self,
        service: ServiceId,
        before: Option<AlertId>,
        limit: u32,
    ) -> Result<Vec<Alert>, StoreError> {
        // Greater than every id: they are hexadecimal.
        let before = before.map_or_else(|| "g".to_owned(), |id| id.to_string());
        fetch_all!(
            self,
            read,
            LIST_PAGE,
            service.to_string(),
            before,
            i64::from(limit),
        )
    }

    /// Notes that the public site shows the end of what is over; how many it had not shown.
    pub async fn acknowledge_finished_alerts(&mut self) -> Result<u64, StoreError> {
        execute!(self, ACKNOWLEDGE_FINISHED)
    }

    /// A service's alerts that a CAP Cancel or Update may mean (D41), oldest first: what finding
    /// one needs, not their texts and areas.
    pub async fn list_cancellable_alerts(
        &mut self,
        service: ServiceId,
    ) -> Result<Vec<Candidate>, StoreError> {
        let mut found = fetch_all!(self, read_candidate, LIST_CANCELLABLE, service.to_string())?;
        let mut updates = self.list_update_messages(service).await?;
        for candidate in &mut found {
            candidate.updates = updates.remove(&candidate.alert).unwrap_or_default();
        }
        Ok(found)
    }

    /// Alerts whose end has come, at most `limit`.
    pub async fn list_alerts_over(&mut self, limit: usize) -> Result<Vec<AlertId>, StoreError> {
        let now = self.now.micros();
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        fetch_all!(
            self,
            |row| row.id("id", AlertId::new),
            LIST_OVER,
            now,
            limit
        )
    }

    /// Whether a service has an alert on the air.
    pub async fn has_broadcasting_alert(&mut self, service: ServiceId) -> Result<bool, StoreError> {
        let n = fetch_optional!(
            self,
            |row| row.int("n"),
            COUNT_BROADCASTING,
            service.to_string()
        )?;
        Ok(n.unwrap_or(0) > 0)
    }

    /// The alert that a CAP document of this identity made.
    pub async fn load_alert_by_cap(
        &mut self,
        service: ServiceId,
        cap: &CapIdentity,
        is_stubbed: bool,
    ) -> Result<Option<Alert>, StoreError> {
        fetch_optional!(
            self,
            read,
            LOAD_BY_CAP,
            service.to_string(),
            cap.sender.clone(),
            cap.identifier.clone(),
            cap.sent.micros(),
            is_stubbed
        )
    }
}

fn read(row: &impl Row) -> Result<Alert, StoreError> {
    Ok(Alert {
        id: row.id("id", AlertId::new)?,
        service_id: row.id("service_id", ServiceId::new)?,
        status: row.word("status", Status::parse)?,
        is_stubbed: row.bool("is_stubbed")?,
        version: row.count("version")?,
        next_seq: row.count("next_seq")?,
        reference: row.opt_text("reference")?,
        content: row.text("content")?,
        text: row.text("text")?,
        second: read_second(row)?,
        extra_content: row.opt_text("extra_content")?,
        areas: row.json("areas")?,
        duration_us: row.opt_int("duration_us")?,
        starts_at: row.opt_instant("starts_at")?,
        finishes_at: row.opt_instant("finishes_at")?,
        cap_event: row.opt_text("cap_event")?,
        cap: read_cap(row)?,
        created_at: row.instant("created_at")?,
        updated_at: row.opt_instant("updated_at")?,
        submitted_at: row.opt_instant("submitted_at")?,
        approved_at: row.opt_instant("approved_at")?,
        cancelled_at: row.opt_instant("cancelled_at")?,
        rejected_at: row.opt_instant("rejected_at")?,
        created_by: row.opt_id("created_by", UserId::new)?,
        updated_by: row.opt_id("updated_by", UserId::new)?,
        submitted_by: row.opt_id("submitted_by", UserId::new)?,
        approved_by: row.opt_id("approved_by", UserId::new)?,
        cancelled_by: row.opt_id("cancelled_by", UserId::new)?,
        rejected_by: row.opt_id("rejected_by", UserId::new)?,
        api_key_id: row.opt_id("api_key_id", ApiKeyId::new)?,
        cancelled_by_api_key_id: row.opt_id("cancelled_by_api_key_id", ApiKeyId::new)?,
        rejected_by_api_key_id: row.opt_id("rejected_by_api_key_id", ApiKeyId::new)?,
        rejection_reason: row.opt_text("rejection_reason")?,
        made_of: read_made_of(row)?,
        is_acknowledged: row.bool("is_acknowledged")?,
    })
}

fn read_made_of(row: &impl Row) -> Result<Option<MadeOf>, StoreError> {
    let Some(template) = row.opt_id("template_id", TemplateId::new)? else {
        return Ok(None);
    };
    Ok(Some(MadeOf {
        template,
        version: row.count("template_version")?,
        name: row.text("template_name")?,
    }))
}

/// A second language as it is stored.
pub(crate) fn write_second(second: &SecondText) -> String {
    serde_json::to_string(second).expect("texts can be written as JSON")
}

/// A second language, where the row has one.
pub(crate) fn read_second(row: &impl Row) -> Result<Option<SecondText>, StoreError> {
    let Some(json) = row.opt_text("second_text")? else {
        return Ok(None);
    };
    let second = serde_json::from_str(&json);
    second.map(Some).map_err(|_| unread_json("second_text"))
}

fn read_candidate(row: &impl Row) -> Result<Candidate, StoreError> {
    let is_by_cap = row.opt_text("cap_identifier")?.is_some();
    Ok(Candidate {
        alert: row.id("id", AlertId::new)?,
        status: row.word("status", Status::parse)?,
        is_stubbed: row.bool("is_stubbed")?,
        message: is_by_cap.then(|| read_message(row)).transpose()?,
        updates: Vec::new(),
        reference: row.opt_text("reference")?,
    })
}

pub(crate) fn read_message(row: &impl Row) -> Result<NamedMessage, StoreError> {
    Ok(NamedMessage {
        sender: row.text("cap_sender")?,
        identifier: row.text("cap_identifier")?,
        sent: row.instant("cap_sent")?,
    })
}

pub(crate) fn read_cap(row: &impl Row) -> Result<Option<CapIdentity>, StoreError> {
    let Some(identifier) = row.opt_text("cap_identifier")? else {
        return Ok(None);
    };
    Ok(Some(CapIdentity {
        sender: row.text("cap_sender")?,
        identifier,
        sent: row.instant("cap_sent")?,
        digest: row.text("cap_digest")?,
    }))
}
