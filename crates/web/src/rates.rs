//! How often each key has asked of late, in this process: with several processes behind a balancer
//! a key gets as much of each. Nothing is stored, so that a restart forgives.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use balefire_domain::ids::ApiKeyId;
use balefire_domain::rate::Allowance;

use crate::WebState;

/// Keys above which those that have rested are forgotten.
const KEYS_KEPT: usize = 1_000;

/// What each key has left.
#[derive(Debug, Default)]
pub struct Rates(Mutex<HashMap<ApiKeyId, Allowance>>);

impl Rates {
    /// Takes one request of a key; `Err`: how long it has to wait.
    pub(crate) fn take(&self, key: ApiKeyId, state: &WebState) -> Result<(), Duration> {
        let per_minute = state.limits.requests_per_minute_per_key;
        if per_minute == 0 {
            return Ok(());
        }
        let now = state.app.clock.monotonic();
        let mut allowances = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if allowances.len() > KEYS_KEPT {
            allowances.retain(|_, allowance| !allowance.is_full(now));
        }
        allowances
            .entry(key)
            .or_insert_with(|| Allowance::full(per_minute, now))
            .take(per_minute, now)
    }
}
