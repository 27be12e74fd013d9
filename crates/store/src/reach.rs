//! Why the database can't be reached.
//!
//! A pool goes on trying until its time is over, and then says no more than that it waited. Asked
//! here, one connection outside the pool is tried once, and what the network or the server said is
//! told.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::epochs::ASK;
use crate::failure::StoreError;
use crate::store::{Pools, Store};

/// How long the one connection is waited for.
const REACH_SECONDS_MAX: u64 = 2;

impl Store {
    /// What keeps us from PostgreSQL; `None` where a connection opens to a server that takes
    /// writes, and on SQLite, whose own failures say it.
    pub async fn find_obstacle(&self) -> Option<StoreError> {
        let Pools::Postgres { pool, .. } = &self.pools else {
            return None;
        };
        let options = pool.connect_options();
        let asking = async {
            let mut connection: PgConnection = options.connect().await?;
            let here: Option<String> = sqlx::query_scalar(ASK.postgres)
                .fetch_one(&mut connection)
                .await?;
            connection.close().await?;
            here.map(|_| ()).ok_or_else(standby)
        };
        let waited = Duration::from_secs(REACH_SECONDS_MAX);
        let asked = tokio::time::timeout(waited, asking).await;
        let obstacle = asked.unwrap_or_else(|_| Err(silent())).err()?;
        Some(StoreError::driver("reaching the database", obstacle))
    }
}

/// What a connection says that finds a server which takes no writes.
pub(crate) fn standby() -> sqlx::Error {
    Error::other("the server is a standby and takes no writes").into()
}

fn silent() -> sqlx::Error {
    let said = format!("nothing was answered within {REACH_SECONDS_MAX} s");
    Error::new(ErrorKind::TimedOut, said).into()
}
