//! How things stand, in figures for whoever watches the service.
//!
//! Every figure is read from rows of what is still going on, at most [`GAUGE_ROWS_MAX`] of a table:
//! the history may be as long as it likes. No figure names an alert.

use balefire_domain::limits::GAUGE_ROWS_MAX;
use balefire_domain::time::Timestamp;

use crate::probes::Probe;
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// How things stand at one instant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Deliveries by provider and state: of live alerts, and of lanes that have not settled.
    pub deliveries: Vec<(String, String, u32)>,
    /// Lanes that have not settled, by provider.
    pub lanes_waiting: Vec<(String, u32)>,
    /// Deliveries that nobody has taken yet, by kind, and when the oldest was approved or
    /// cancelled.
    pub unacknowledged: Vec<Waiting>,
    /// Jobs that have not ended, by kind, and when the oldest was enqueued.
    pub jobs: Vec<Waiting>,
    /// Open duty items, by kind.
    pub duty_items: Vec<(String, u32)>,
    /// When a provider last took something, by provider.
    pub carried_at: Vec<(String, Timestamp)>,
    /// Providers whose alerts are held.
    pub paused: Vec<String>,
    /// Link tests, heartbeats and the canary, with their latest answers.
    pub probes: Vec<Probe>,
}

/// How many of a kind wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Of which kind, as the tables spell it.
    pub kind: String,
    /// How many.
    pub count: u32,
    /// Since when the oldest of them waits.
    pub since: Timestamp,
}

statements! {
    // CROSS JOIN: SQLite, which has no statistics, begins with what is on the left, so that a long
    // history is never walked through. To PostgreSQL it is a join like any other.
    DELIVERIES: "SELECT provider, state, COUNT(*) AS n FROM (
            SELECT d.provider, d.state FROM alerts a CROSS JOIN deliveries d
            WHERE a.status = 'broadcasting' AND d.alert_id = a.id
            UNION ALL
            SELECT d.provider, d.state FROM lanes l CROSS JOIN alerts a CROSS JOIN deliveries d
            WHERE l.wake_at IS NOT NULL AND a.id = l.alert_id AND a.status <> 'broadcasting'
                AND d.alert_id = l.alert_id AND d.provider = l.provider
            LIMIT $1
        ) AS going_on GROUP BY provider, state ORDER BY provider, state";
    LANES: "SELECT provider, COUNT(*) AS n FROM (
            SELECT provider FROM lanes WHERE wake_at IS NOT NULL LIMIT $1
        ) AS waiting GROUP BY provider ORDER BY provider";
    UNACKNOWLEDGED: "SELECT kind, COUNT(*) AS n, MIN(sent_at) AS since FROM (
            SELECT d.kind, d.sent_at FROM lanes l CROSS JOIN deliveries d
            WHERE l.wake_at IS NOT NULL AND d.alert_id = l.alert_id
                AND d.provider = l.provider AND d.ended_at IS NULL LIMIT $1
        ) AS waiting GROUP BY kind ORDER BY kind";
    JOBS: "SELECT kind, COUNT(*) AS n, MIN(created_at) AS since FROM (
            SELECT kind, created_at FROM jobs WHERE done_at IS NULL ORDER BY due_at LIMIT $1
        ) AS waiting GROUP BY kind ORDER BY kind";
    DUTY_ITEMS: "SELECT kind, COUNT(*) AS n FROM (
            SELECT kind FROM duty_items WHERE closed_at IS NULL LIMIT $1
        ) AS open_items GROUP BY kind ORDER BY kind";
    CARRIED: "SELECT provider, MAX(carried_at) AS carried_at FROM route_results
        WHERE carried_at IS NOT NULL GROUP BY provider ORDER BY provider";
}

impl Tx {
    /// Reads every figure: for a transaction that only reads, which sees one instant.
    pub async fn read_gauges(&mut self) -> Result<Gauges, StoreError> {
        let limit = i64::try_from(GAUGE_ROWS_MAX).unwrap_or(i64::MAX);
        let deliveries = fetch_all!(self, read_deliveries, DELIVERIES, limit)?;
        let lanes_waiting = fetch_all!(self, |row| read_count(row, "provider"), LANES, limit)?;
        let unacknowledged = fetch_all!(self, read_waiting, UNACKNOWLEDGED, limit)?;
        let jobs = fetch_all!(self, read_waiting, JOBS, limit)?;
        let duty_items = fetch_all!(self, |row| read_count(row, "kind"), DUTY_ITEMS, limit)?;
        let carried_at = fetch_all!(self, read_carried, CARRIED)?;
        let paused = self.list_provider_pauses().await?;
        Ok(Gauges {
            deliveries,
            lanes_waiting,
            unacknowledged,
            jobs,
            duty_items,
            carried_at,
            paused: paused
                .into_iter()
                .map(|pause| pause.provider.to_string())
                .collect(),
            probes: self.list_probes().await?,
        })
    }
}

fn read_deliveries(row: &impl Row) -> Result<(String, String, u32), StoreError> {
    Ok((row.text("provider")?, row.text("state")?, row.count("n")?))
}

fn read_count(row: &impl Row, of: &str) -> Result<(String, u32), StoreError> {
    Ok((row.text(of)?, row.count("n")?))
}

fn read_waiting(row: &impl Row) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        kind: row.text("kind")?,
        count: row.count("n")?,
        since: row.instant("since")?,
    })
}

fn read_carried(row: &impl Row) -> Result<(String, Timestamp), StoreError> {
    Ok((row.text("provider")?, row.instant("carried_at")?))
}
