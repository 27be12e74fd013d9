//! How quickly each provider accepts, of late, in this process: what a hedge's wait follows.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use balefire_domain::lane::Hedge;
use balefire_domain::lane::hedge::BUDGET_PERIOD;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

/// Acceptances that are remembered of one provider.
const ACCEPTS_MAX: usize = 200;
/// Attempts that are remembered of one provider; a busier budget's period is shorter.
const ATTEMPTS_MAX: usize = 2_000;

/// The tempo of every provider.
#[derive(Default)]
pub(crate) struct Tempo {
    by_provider: Mutex<BTreeMap<ProviderName, Seen>>,
}

#[derive(Default)]
struct Seen {
    accepts: VecDeque<Duration>,
    /// When an attempt was opened, and whether it was a hedge.
    attempts: VecDeque<(Timestamp, bool)>,
}

impl Tempo {
    /// An attempt was opened.
    pub(crate) fn note_attempt(&self, provider: &ProviderName, now: Timestamp, is_hedge: bool) {
        self.with(provider, |seen| {
            push_bounded(&mut seen.attempts, (now, is_hedge), ATTEMPTS_MAX);
        });
    }

    /// An attempt was accepted after so long.
    pub(crate) fn note_acceptance(&self, provider: &ProviderName, took: Duration) {
        self.with(provider, |seen| {
            push_bounded(&mut seen.accepts, took, ACCEPTS_MAX);
        });
    }

    /// How silence at this provider is answered now.
    pub(crate) fn hedge(
        &self,
        provider: &ProviderName,
        now: Timestamp,
        attempt_deadline: Duration,
    ) -> Hedge {
        self.with(provider, |seen| {
            let since = now - BUDGET_PERIOD;
            while seen.attempts.front().is_some_and(|(at, _)| *at < since) {
                seen.attempts.pop_front();
            }
            let hedges = seen
                .attempts
                .iter()
                .filter(|(_, is_hedge)| *is_hedge)
                .count();
            let accepts = seen.accepts.make_contiguous();
            Hedge::of(accepts, seen.attempts.len(), hedges, attempt_deadline)
        })
    }

    fn with<T>(&self, provider: &ProviderName, look: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self
            .by_provider
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(all.entry(provider.clone()).or_default())
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, max: usize) {
    if queue.len() == max {
        queue.pop_front();
    }
    queue.push_back(item);
}
