//! Wake-ups between processes on PostgreSQL. A hint, never the truth: one that is lost costs the
//! wait for the next sweep.

use sqlx::postgres::PgListener;

use crate::sql::{Sql, StoreError};
use crate::store::{Pools, Store};
use crate::tx::{Inner, Tx};

/// Where processes tell each other that something is to be sent.
const CHANNEL: &str = "balefire_wake";

/// PostgreSQL only.
const TELL: Sql = Sql {
    name: "balefire_store::wake_up::TELL",
    sqlite: "",
    postgres: "-- balefire_store::wake_up::TELL\nSELECT pg_notify('balefire_wake', '')",
};

/// The statements that exist on PostgreSQL only.
pub(crate) const POSTGRES_ONLY: &[Sql] = &[TELL];

/// A connection that waits for wake-ups.
#[derive(Debug)]
pub struct WakeUps(PgListener);

impl Store {
    /// Begins to listen; `None` on SQLite, where one process dispatches and wakes itself.
    pub async fn listen(&self) -> Result<Option<WakeUps>, StoreError> {
        let Pools::Postgres { pool, .. } = &self.pools else {
            return Ok(None);
        };
        let listening = async {
            let mut listener = PgListener::connect_with(pool).await?;
            listener.listen(CHANNEL).await?;
            Ok(listener)
        };
        let listener = listening.await;
        let listener = listener.map_err(|source| StoreError::driver("listening", source))?;
        Ok(Some(WakeUps(listener)))
    }
}

impl WakeUps {
    /// Waits for the next one. A connection that was lost is opened anew, and counts as one: what
    /// was told meanwhile is not known.
    pub async fn next(&mut self) -> Result<(), StoreError> {
        let told = self.0.try_recv().await;
        told.map(drop)
            .map_err(|source| StoreError::driver("listening", source))
    }
}

impl Tx {
    /// Wakes the dispatchers of all processes when this transaction is committed. Nothing on
    /// SQLite.
    pub async fn wake_dispatchers(&mut self) -> Result<(), StoreError> {
        let (Inner::Postgres(connection), watch) = self.parts() else {
            return Ok(());
        };
        let told = sqlx::query(TELL.postgres).execute(&mut **connection);
        watch.run(TELL.name, told).await.map(drop)
    }
}
