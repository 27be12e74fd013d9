//! Updates of alerts: the proposal beside what is on the air, and the documents that edited what
//! waited (ADR 17). What an update says is a version of the alert.

use std::collections::BTreeMap;

use balefire_domain::cap_cancel::NamedMessage;
use balefire_domain::ids::{AlertId, ApiKeyId, ServiceId, UserId};
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;
use balefire_domain::update::UpdateState;

use crate::alert_versions::Said;
use crate::alerts::{CapIdentity, read_cap, read_message, read_second};
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// An update as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertUpdate {
    /// The alert.
    pub alert_id: AlertId,
    /// The version of the alert that it is, or would be.
    pub version: u32,
    /// Whose it is.
    pub service_id: ServiceId,
    /// The document came in training or by a test key: part of its identity.
    pub is_stubbed: bool,
    /// What has become of it.
    pub state: UpdateState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it, where a person did.
    pub created_by: Option<UserId>,
    /// The key that made it, where one did.
    pub api_key_id: Option<ApiKeyId>,
    /// The text as written.
    pub content: String,
    /// The text normalised.
    pub text: String,
    /// What the public page shows beside the text.
    pub extra_content: Option<String>,
    /// The areas: a JSON object.
    pub areas: serde_json::Value,
    /// The same in a second language, where there is one.
    pub second: Option<SecondText>,
    /// The `event` of the CAP document.
    pub cap_event: Option<String>,
    /// The CAP document it came from.
    pub cap: Option<CapIdentity>,
    /// When it was decided about.
    pub ended_at: Option<Timestamp>,
    /// Who approved or rejected it.
    pub ended_by: Option<UserId>,
    /// Why it was rejected.
    pub rejection_reason: Option<String>,
}

statements! {
    INSERT: "INSERT INTO alert_updates (alert_id, version, service_id, is_stubbed, state,
            created_at, api_key_id, cap_event, cap_sender, cap_identifier, cap_sent, cap_digest,
            ended_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    LOAD_OPEN: "SELECT u.*, v.created_by, v.content, v.text, v.extra_content, v.areas,
            v.second_text
        FROM alert_updates u
            JOIN alert_versions v ON v.alert_id = u.alert_id AND v.version = u.version
        WHERE u.alert_id = $1 AND u.state = 'open'";
    LIST: "SELECT u.*, v.created_by, v.content, v.text, v.extra_content, v.areas,
            v.second_text
        FROM alert_updates u
            JOIN alert_versions v ON v.alert_id = u.alert_id AND v.version = u.version
        WHERE u.alert_id = $1 ORDER BY u.version";
    END: "UPDATE alert_updates SET state = $3, ended_at = $4, ended_by = $5, rejection_reason = $6
        WHERE alert_id = $1 AND version = $2 AND state = 'open'";
    LATEST_VERSION: "SELECT coalesce(max(version), 0) AS version FROM alert_versions
        WHERE alert_id = $1";
    FIND_BY_CAP: "SELECT alert_id, cap_digest FROM alert_updates WHERE service_id = $1
        AND cap_sender = $2 AND cap_identifier = $3 AND cap_sent = $4 AND is_stubbed = $5";
    LIST_MESSAGES: "SELECT u.alert_id AS alert_id, u.cap_sender AS cap_sender,
            u.cap_identifier AS cap_identifier, u.cap_sent AS cap_sent
        FROM alert_updates u JOIN alerts a ON a.id = u.alert_id
        WHERE a.service_id = $1 AND u.cap_identifier IS NOT NULL
            AND a.status IN ('draft', 'pending-approval', 'returned', 'broadcasting')
        ORDER BY u.alert_id, u.version";
}

impl Tx {
    /// Stores an update, and what it says as a version of the alert. The caller holds the alert's
    /// lock and has ended the update that was open.
    pub async fn insert_alert_update(
        &mut self,
        update: &AlertUpdate,
        reference: Option<&str>,
    ) -> Result<(), StoreError> {
        self.insert_version(&Said {
            alert_id: update.alert_id,
            version: update.version,
            editor: update.created_by,
            reference,
            content: &update.content,
            text: &update.text,
            extra_content: update.extra_content.as_deref(),
            areas: &update.areas,
            duration_us: None,
            second: update.second.as_ref(),
        })
        .await?;
        let cap = update.cap.as_ref();
        execute_one!(
            self,
            INSERT,
            update.alert_id.to_string(),
            i64::from(update.version),
            update.service_id.to_string(),
            update.is_stubbed,
            update.state.as_str(),
            update.created_at.micros(),
            update.api_key_id.map(|id| id.to_string()),
            update.cap_event.clone(),
            cap.map(|cap| cap.sender.clone()),
            cap.map(|cap| cap.identifier.clone()),
            cap.map(|cap| cap.sent.micros()),
            cap.map(|cap| cap.digest.clone()),
            update.ended_at.map(Timestamp::micros),
        )
    }
    /// The update that waits for a second person, where one does.
    pub async fn load_open_update(
        &mut self,
        alert: AlertId,
    ) -> Result<Option<AlertUpdate>, StoreError> {
        fetch_optional!(self, read, LOAD_OPEN, alert.to_string())
    }

    /// All updates of an alert, oldest first.
    pub async fn list_updates(&mut self, alert: AlertId) -> Result<Vec<AlertUpdate>, StoreError> {
        fetch_all!(self, read, LIST, alert.to_string())
    }

    /// Ends the update that was open, at the transaction's instant. The caller holds the alert's
    /// lock.
    pub async fn end_update(
        &mut self,
        update: &AlertUpdate,
        state: UpdateState,
        by: Option<UserId>,
        rejection_reason: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            END,
            update.alert_id.to_string(),
            i64::from(update.version),
            state.as_str(),
            now,
            by.map(|id| id.to_string()),
            rejection_reason.map(str::to_owned),
        )
    }

    /// The highest version that an alert ever had or was proposed.
    pub async fn latest_version(&mut self, alert: AlertId) -> Result<u32, StoreError> {
        let latest = fetch_optional!(
            self,
            |row| row.count("version"),
            LATEST_VERSION,
            alert.to_string()
        )?;
        Ok(latest.unwrap_or(0))
    }

    /// The alert that a CAP Update of this identity changed or was to change, and the digest of
    /// what that said.
    pub async fn find_update_by_cap(
        &mut self,
        service: ServiceId,
        cap: &CapIdentity,
        is_stubbed: bool,
    ) -> Result<Option<(AlertId, String)>, StoreError> {
        fetch_optional!(
            self,
            |row| Ok((row.id("alert_id", AlertId::new)?, row.text("cap_digest")?)),
            FIND_BY_CAP,
            service.to_string(),
            cap.sender.clone(),
            cap.identifier.clone(),
            cap.sent.micros(),
            is_stubbed
        )
    }

    /// The CAP Updates of a service's alerts that a Cancel or Update may mean.
    pub(crate) async fn list_update_messages(
        &mut self,
        service: ServiceId,
    ) -> Result<BTreeMap<AlertId, Vec<NamedMessage>>, StoreError> {
        let rows = fetch_all!(self, read_named, LIST_MESSAGES, service.to_string())?;
        let mut messages: BTreeMap<AlertId, Vec<NamedMessage>> = BTreeMap::new();
        for (alert, message) in rows {
            messages.entry(alert).or_default().push(message);
        }
        Ok(messages)
    }
}

fn read(row: &impl Row) -> Result<AlertUpdate, StoreError> {
    Ok(AlertUpdate {
        alert_id: row.id("alert_id", AlertId::new)?,
        version: row.count("version")?,
        service_id: row.id("service_id", ServiceId::new)?,
        is_stubbed: row.bool("is_stubbed")?,
        state: row.word("state", UpdateState::parse)?,
        created_at: row.instant("created_at")?,
        created_by: row.opt_id("created_by", UserId::new)?,
        api_key_id: row.opt_id("api_key_id", ApiKeyId::new)?,
        content: row.text("content")?,
        text: row.text("text")?,
        extra_content: row.opt_text("extra_content")?,
        areas: row.json("areas")?,
        second: read_second(row)?,
        cap_event: row.opt_text("cap_event")?,
        cap: read_cap(row)?,
        ended_at: row.opt_instant("ended_at")?,
        ended_by: row.opt_id("ended_by", UserId::new)?,
        rejection_reason: row.opt_text("rejection_reason")?,
    })
}

fn read_named(row: &impl Row) -> Result<(AlertId, NamedMessage), StoreError> {
    Ok((row.id("alert_id", AlertId::new)?, read_message(row)?))
}
