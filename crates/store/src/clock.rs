//! What the database's clock says, for the one probe that compares it with ours (D35).
//!
//! D52's exception: nothing else in SQL reads a clock. SQLite's is the machine's own, which would
//! prove nothing.

use balefire_domain::time::Timestamp;

use crate::sql::{Row, Sql, StoreError};
use crate::store::{Inner, Tx};

/// PostgreSQL only.
const READ: Sql = Sql {
    name: "balefire_store::clock::READ",
    sqlite: "",
    postgres: "-- balefire_store::clock::READ\n\
        SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT) AS at",
};

/// The statements that exist on PostgreSQL only.
pub(crate) const POSTGRES_ONLY: &[Sql] = &[READ];

impl Tx {
    /// What the database's clock says; absent on SQLite.
    pub async fn read_database_clock(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let Inner::Postgres(tx) = &mut self.inner else {
            return Ok(None);
        };
        let row = sqlx::query(READ.postgres)
            .fetch_one(&mut **tx)
            .await
            .map_err(|source| StoreError::driver(READ.name, source))?;
        row.instant("at").map(Some)
    }
}
