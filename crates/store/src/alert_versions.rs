//! The versions of alerts: what each said, and who made it so.

use std::collections::BTreeSet;

use balefire_domain::ids::{AlertId, UserId};
use balefire_domain::second_text::SecondText;
use balefire_domain::time::Timestamp;

use crate::alerts::{Alert, write_second};
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// What a version of an alert says.
pub(crate) struct Said<'a> {
    pub(crate) alert_id: AlertId,
    pub(crate) version: u32,
    pub(crate) editor: Option<UserId>,
    pub(crate) reference: Option<&'a str>,
    pub(crate) content: &'a str,
    pub(crate) text: &'a str,
    pub(crate) extra_content: Option<&'a str>,
    pub(crate) areas: &'a serde_json::Value,
    pub(crate) duration_us: Option<i64>,
    pub(crate) second: Option<&'a SecondText>,
}

/// A version of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it; nobody where a key did.
    pub created_by: Option<UserId>,
    /// The author's own name for the alert.
    pub reference: Option<String>,
    /// The text as written.
    pub content: String,
    /// What the public page shows beside the text.
    pub extra_content: Option<String>,
    /// The areas as they are answered.
    pub areas: serde_json::Value,
    /// How long it was to last, in microseconds.
    pub duration_us: Option<i64>,
}

statements! {
    INSERT_VERSION: "INSERT INTO alert_versions (alert_id, version, created_at, created_by,
            reference, content, text, extra_content, areas, second_text, duration_us)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    SET_VERSION_DURATION: "UPDATE alert_versions SET duration_us = $3
        WHERE alert_id = $1 AND version = $2";
    LIST_EDITORS: "SELECT DISTINCT created_by FROM alert_versions
        WHERE alert_id = $1 AND created_by IS NOT NULL";
    LIST_VERSIONS: "SELECT * FROM alert_versions WHERE alert_id = $1 ORDER BY version DESC";
}

impl Tx {
    /// Stores the alert's present version, with who made it so.
    pub async fn insert_alert_version(
        &mut self,
        alert: &Alert,
        editor: Option<UserId>,
    ) -> Result<(), StoreError> {
        self.insert_version(&Said {
            alert_id: alert.id,
            version: alert.version,
            editor,
            reference: alert.reference.as_deref(),
            content: &alert.content,
            text: &alert.text,
            extra_content: alert.extra_content.as_deref(),
            areas: &alert.areas,
            duration_us: alert.duration_us,
            second: alert.second.as_ref(),
        })
        .await
    }

    /// Stores what a version says.
    pub(crate) async fn insert_version(&mut self, said: &Said<'_>) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(
            self,
            INSERT_VERSION,
            said.alert_id.to_string(),
            i64::from(said.version),
            now,
            said.editor.map(|id| id.to_string()),
            said.reference.map(str::to_owned),
            said.content.to_owned(),
            said.text.to_owned(),
            said.extra_content.map(str::to_owned),
            said.areas.to_string(),
            said.second.map(write_second),
            said.duration_us,
        )
    }

    /// Says of the alert's present version how long it is to last: that alone is no new version.
    pub async fn set_version_duration(&mut self, alert: &Alert) -> Result<(), StoreError> {
        execute_one!(
            self,
            SET_VERSION_DURATION,
            alert.id.to_string(),
            i64::from(alert.version),
            alert.duration_us,
        )
    }

    /// Everybody who made a version of the alert (D8).
    pub async fn list_editors(&mut self, alert: AlertId) -> Result<BTreeSet<UserId>, StoreError> {
        let editors = fetch_all!(
            self,
            |row| row.id("created_by", UserId::new),
            LIST_EDITORS,
            alert.to_string()
        )?;
        Ok(editors.into_iter().collect())
    }

    /// An alert's versions, proposed ones too, the newest first.
    pub async fn list_alert_versions(
        &mut self,
        alert: AlertId,
    ) -> Result<Vec<AlertVersion>, StoreError> {
        fetch_all!(self, read, LIST_VERSIONS, alert.to_string())
    }
}

fn read(row: &impl Row) -> Result<AlertVersion, StoreError> {
    Ok(AlertVersion {
        version: row.count("version")?,
        created_at: row.instant("created_at")?,
        created_by: row.opt_id("created_by", UserId::new)?,
        reference: row.opt_text("reference")?,
        content: row.text("content")?,
        extra_content: row.opt_text("extra_content")?,
        areas: row.json("areas")?,
        duration_us: row.opt_int("duration_us")?,
    })
}
