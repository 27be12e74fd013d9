//! What the database's clock says, for the one probe that compares it with ours (D35), and what a
//! doubtful clock held.
//!
//! D52's exception: nothing else in SQL reads a clock. SQLite's is the machine's own, which would
//! prove nothing.

use balefire_domain::time::Timestamp;

use crate::sql::{Row, Sql, StoreError};
use crate::store::Tx;
use crate::tx::Inner;

statements! {
    WAKE_HELD: "UPDATE lanes SET wake_at = $1 WHERE wake_at > $1
        AND EXISTS (SELECT 1 FROM deliveries d WHERE d.alert_id = lanes.alert_id
            AND d.provider = lanes.provider AND d.state = 'held' AND d.reason = 'clock')";
}

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
        let (Inner::Postgres(connection), watch) = self.parts() else {
            return Ok(None);
        };
        let asked = sqlx::query(READ.postgres).fetch_one(&mut **connection);
        let row = watch.run(READ.name, asked).await?;
        row.instant("at").map(Some)
    }

    /// Makes the lanes due that waited for a clock to be right: when they wake was reckoned by the
    /// wrong one.
    pub async fn wake_lanes_held_by_clock(&mut self) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, WAKE_HELD, now)
    }
}
