//! What imports have in common: a version that is written in many small transactions, with pauses
//! as long on SQLite, so that an import beside a living service holds up no alert.

use std::future::Future;
use std::time::Duration;

use balefire_store::StoreError;

use crate::{App, repeat};

/// Other imports that may take a version's number first.
const NUMBER_TRIES_MAX: u32 = 5;
/// Of an import on SQLite: the longest pause after a transaction.
const PAUSE_MAX: Duration = Duration::from_millis(100);

/// What an import did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The version that has what was given.
    pub version: u32,
    /// Whether it was made now: else it was there already.
    pub is_new: bool,
}

/// Begins a version by `begin`, a transaction that takes the number after the last one: again
/// where another import takes that number first.
pub(crate) async fn begin_version<F>(begin: impl Fn() -> F) -> Result<u32, StoreError>
where
    F: Future<Output = Result<u32, StoreError>>,
{
    let mut tries = 1;
    loop {
        match repeat(&begin).await {
            Err(error) if error.is_unique_violation() && tries < NUMBER_TRIES_MAX => tries += 1,
            begun => return begun,
        }
    }
}

impl App {
    /// Takes a version away that nobody reads, by `shrink`, a transaction that takes a part of it
    /// and tells whether it is gone.
    pub(crate) async fn take_away<F>(&self, shrink: impl Fn() -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<bool, StoreError>>,
    {
        loop {
            let began = self.clock.monotonic();
            if repeat(&shrink).await? {
                return Ok(());
            }
            self.let_others_write(began).await;
        }
    }

    /// After a transaction of an import that began at `began`: a pause as long, in which others may
    /// use the one writer of SQLite. On PostgreSQL they need none.
    pub(crate) async fn let_others_write(&self, began: Duration) {
        if self.store.engine() == "sqlite" {
            let took = self.clock.monotonic().saturating_sub(began);
            tokio::time::sleep(took.min(PAUSE_MAX)).await;
        }
    }
}
