//! How long transactions take, told to whoever collects figures in this process.
//!
//! Off unless the store was given a clock: the simulator's time is not the database's.

use std::sync::Arc;
use std::time::Duration;

use balefire_domain::time::Clock;
use metrics::{counter, histogram};

use crate::store::Store;

/// What transactions are timed by.
#[derive(Clone, Default)]
pub(crate) struct Stopwatch(Option<Arc<dyn Clock>>);

impl std::fmt::Debug for Stopwatch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Stopwatch").field(&self.0.is_some()).finish()
    }
}

/// A transaction that is being timed, from the wish for a connection to its end.
pub(crate) struct Lap(Option<(Arc<dyn Clock>, Duration)>);

impl Stopwatch {
    pub(crate) fn begin(&self) -> Lap {
        let clock = self.0.clone();
        Lap(clock.map(|clock| {
            let began = clock.monotonic();
            (clock, began)
        }))
    }
}

impl Lap {
    /// Tells how long it took, and whether it failed.
    pub(crate) fn end(&self, transaction: &'static str, has_failed: bool) {
        let Some((clock, began)) = &self.0 else {
            return;
        };
        let took = clock.monotonic().saturating_sub(*began);
        histogram!("balefire_database_transaction_duration_seconds", "transaction" => transaction)
            .record(took.as_secs_f64());
        // Counted from 0, so that the first failure is seen as one.
        counter!("balefire_database_transaction_failures_total", "transaction" => transaction)
            .increment(u64::from(has_failed));
    }
}

impl Store {
    /// The same database, whose transactions are timed by this clock from now on.
    #[must_use]
    pub fn timed_by(mut self, clock: Arc<dyn Clock>) -> Self {
        self.stopwatch = Stopwatch(Some(clock));
        self
    }
}
