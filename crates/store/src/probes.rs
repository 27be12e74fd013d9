//! Link tests, heartbeats and the canary: when each is due, and what it was answered last (D17).
//!
//! Any number of processes look for what is due; who moves `due_at` on has taken the question.

use balefire_domain::link_test::ProbeKind;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// Names a question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProbeKey {
    /// What is asked.
    pub kind: ProbeKind,
    /// The provider; empty for the canary.
    pub provider: String,
    /// The route (link test), the proxy (heartbeat) or the function (canary).
    pub target: String,
}

/// A question that is asked again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Which.
    pub key: ProbeKey,
    /// When it is asked next.
    pub due_at: Timestamp,
    /// What it was answered last; absent before the first answer.
    pub latest: Option<ProbeResult>,
}

/// What a question was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeResult {
    /// When.
    pub at: Timestamp,
    /// Whether the way is open.
    pub is_good: bool,
    /// Why, in plain words.
    pub detail: String,
    /// Microseconds by which the proxy's clock is ahead of ours, where it is one of ours.
    pub skew_us: Option<i64>,
    /// Which start of the proxy answered.
    pub boot_id: Option<String>,
}

statements! {
    LIST: "SELECT * FROM probes ORDER BY kind, provider, target";
    PLAN: "INSERT INTO probes (kind, provider, target, due_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, provider, target) DO NOTHING";
    CLAIM: "UPDATE probes SET due_at = $5
        WHERE kind = $1 AND provider = $2 AND target = $3 AND due_at = $4";
    SAVE: "INSERT INTO probes (kind, provider, target, due_at, at, is_good, detail, skew_us,
            boot_id)
        VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8)
        ON CONFLICT (kind, provider, target) DO UPDATE
        SET at = excluded.at, is_good = excluded.is_good, detail = excluded.detail,
            skew_us = excluded.skew_us, boot_id = excluded.boot_id
        WHERE probes.at IS NULL OR probes.at <= excluded.at";
}

impl Tx {
    /// All questions that were ever planned: a handful for each provider.
    pub async fn list_probes(&mut self) -> Result<Vec<Probe>, StoreError> {
        fetch_all!(self, read, LIST)
    }

    /// Plans a question that nobody has planned yet.
    pub async fn plan_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            PLAN,
            key.kind.as_str(),
            key.provider.clone(),
            key.target.clone(),
            due_at.micros()
        )
        .map(drop)
    }

    /// Moves a question on that was due at `due_at`; whether nobody else did.
    pub async fn claim_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
        next_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let rows = execute!(
            self,
            CLAIM,
            key.kind.as_str(),
            key.provider.clone(),
            key.target.clone(),
            due_at.micros(),
            next_at.micros()
        )?;
        Ok(rows == 1)
    }

    /// Remembers what a question was answered, at `result.at`.
    pub async fn save_probe_result(
        &mut self,
        key: &ProbeKey,
        result: &ProbeResult,
    ) -> Result<(), StoreError> {
        execute!(
            self,
            SAVE,
            key.kind.as_str(),
            key.provider.clone(),
            key.target.clone(),
            result.at.micros(),
            result.is_good,
            result.detail.clone(),
            result.skew_us,
            result.boot_id.clone()
        )
        .map(drop)
    }
}

fn read(row: &impl Row) -> Result<Probe, StoreError> {
    let latest = match row.opt_instant("at")? {
        None => None,
        Some(at) => Some(ProbeResult {
            at,
            is_good: row.bool("is_good")?,
            detail: row.text("detail")?,
            skew_us: row.opt_int("skew_us")?,
            boot_id: row.opt_text("boot_id")?,
        }),
    };
    Ok(Probe {
        key: ProbeKey {
            kind: row.word("kind", ProbeKind::parse)?,
            provider: row.text("provider")?,
            target: row.text("target")?,
        },
        due_at: row.instant("due_at")?,
        latest,
    })
}
