//! Paused providers: their alerts are held, their cancels never (D4).

use balefire_domain::ids::UserId;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError, misspelt};
use crate::store::Tx;

/// A provider that somebody paused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPause {
    /// Which.
    pub provider: ProviderName,
    /// Since when.
    pub paused_at: Timestamp,
    /// By whom.
    pub paused_by: UserId,
    /// Why.
    pub reason: Option<String>,
}

statements! {
    INSERT: "INSERT INTO provider_pauses (provider, paused_at, paused_by, reason)
        VALUES ($1, $2, $3, $4) ON CONFLICT (provider) DO NOTHING";
    DELETE: "DELETE FROM provider_pauses WHERE provider = $1";
    LIST: "SELECT * FROM provider_pauses ORDER BY provider";
    COUNT_HELD: "SELECT count(*) AS held FROM deliveries
        WHERE provider = $1 AND state = 'held' AND reason = 'paused'";
    COUNT_WAITING: "SELECT count(*) AS waiting FROM deliveries
        WHERE provider = $1 AND kind = 'alert' AND ended_at IS NULL";
    WAKE_ALL: "UPDATE lanes SET wake_at = $2 WHERE provider = $1 AND wake_at > $2";
    WAKE_HELD: "UPDATE lanes SET wake_at = $2 WHERE provider = $1 AND wake_at > $2
        AND EXISTS (SELECT 1 FROM deliveries d WHERE d.alert_id = lanes.alert_id
            AND d.provider = lanes.provider AND d.state = 'held' AND d.reason = 'paused')";
}

impl Tx {
    /// Pauses a provider, and has its lanes looked at; false when it was paused already.
    pub async fn pause_provider(
        &mut self,
        provider: &ProviderName,
        by: UserId,
        reason: Option<&str>,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let rows = execute!(
            self,
            INSERT,
            provider.as_str().to_owned(),
            now,
            by.to_string(),
            reason.map(str::to_owned)
        )?;
        // What waits for its next round is held at once, and so goes at once when this ends.
        execute!(self, WAKE_ALL, provider.as_str().to_owned(), now)?;
        Ok(rows == 1)
    }

    /// Ends a pause, and makes the lanes due that it held; false when there was none.
    pub async fn resume_provider(&mut self, provider: &ProviderName) -> Result<bool, StoreError> {
        let name = provider.as_str().to_owned();
        if execute!(self, DELETE, name.clone())? == 0 {
            return Ok(false);
        }
        let now = self.now.micros();
        execute!(self, WAKE_HELD, name, now)?;
        Ok(true)
    }

    /// The providers that are paused now.
    pub async fn list_provider_pauses(&mut self) -> Result<Vec<ProviderPause>, StoreError> {
        fetch_all!(self, read, LIST)
    }

    /// How many alerts a provider's pause holds.
    pub async fn count_held_by_pause(
        &mut self,
        provider: &ProviderName,
    ) -> Result<u32, StoreError> {
        let name = provider.as_str().to_owned();
        let held = fetch_optional!(self, |row| row.count("held"), COUNT_HELD, name)?;
        Ok(held.unwrap_or(0))
    }

    /// How many alerts a provider has not accepted, of those that have not ended.
    pub async fn count_waiting_alerts(
        &mut self,
        provider: &ProviderName,
    ) -> Result<u32, StoreError> {
        let name = provider.as_str().to_owned();
        let waiting = fetch_optional!(self, |row| row.count("waiting"), COUNT_WAITING, name)?;
        Ok(waiting.unwrap_or(0))
    }
}

fn read(row: &impl Row) -> Result<ProviderPause, StoreError> {
    let provider = row.text("provider")?;
    Ok(ProviderPause {
        provider: ProviderName::new(provider.clone())
            .map_err(|_| misspelt("provider", &provider))?,
        paused_at: row.instant("paused_at")?,
        paused_by: row.id("paused_by", UserId::new)?,
        reason: row.opt_text("reason")?,
    })
}
