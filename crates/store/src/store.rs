//! Where the database is, and the pools of connections to it.

use std::str::FromStr;
use std::time::Duration;

use balefire_domain::time::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::failure::is_busy;
use crate::sql::StoreError;
use crate::tx::Begin;
pub use crate::tx::Tx;

/// How long a request waits for a connection before the database counts as unavailable: a client
/// is told within five seconds.
const ACQUIRE_SECONDS_MAX: u64 = 4;
/// How long SQLite waits for another process's transaction.
const BUSY_TIMEOUT_SECONDS: u64 = 5;
/// How long to wait before a fresh file that another process is making is opened again.
const OPEN_PAUSE_MS: u64 = 10;
/// Connections of one process to PostgreSQL.
const POSTGRES_CONNECTIONS_MAX: u32 = 20;
/// Reading connections of one process to SQLite; one more writes.
const SQLITE_READERS_MAX: u32 = 4;

/// PostgreSQL ends what takes longer, in milliseconds, so that a process that stopped in the middle
/// of a transaction keeps its locks from nobody for long.
const TIMEOUTS: [(&str, &str); 3] = [
    ("statement_timeout", "5000"),
    ("lock_timeout", "5000"),
    ("idle_in_transaction_session_timeout", "10000"),
];

/// Where the database is: `sqlite://FILE` or `postgres://…`.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file on this machine.
    Sqlite(Box<SqliteConnectOptions>, std::path::PathBuf),
    /// A server.
    Postgres(Box<PgConnectOptions>),
}

/// The text is no address of a database that Balefire knows.
#[derive(Debug, thiserror::Error)]
#[error("a database is `sqlite://FILE` or `postgres://USER@HOST/NAME`: {0}")]
pub struct InvalidDatabaseUrl(String);

impl FromStr for DatabaseUrl {
    type Err = InvalidDatabaseUrl;

    fn from_str(url: &str) -> Result<Self, Self::Err> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() || path.contains('?') {
                return Err(InvalidDatabaseUrl(
                    "the file's name is missing or has a `?`".into(),
                ));
            }
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .busy_timeout(Duration::from_secs(BUSY_TIMEOUT_SECONDS));
            return Ok(Self::Sqlite(Box::new(options), path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let options: PgConnectOptions = url
                .parse()
                .map_err(|_| InvalidDatabaseUrl("the PostgreSQL address is malformed".into()))?;
            let options = options.application_name("balefire").options(TIMEOUTS);
            return Ok(Self::Postgres(Box::new(options)));
        }
        Err(InvalidDatabaseUrl("it begins with neither".into()))
    }
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.engine())
    }
}

impl DatabaseUrl {
    /// `sqlite` or `postgres`.
    pub const fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite(..) => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// SQLite's file.
    pub fn file(&self) -> Option<&std::path::Path> {
        match self {
            Self::Sqlite(_, path) => Some(path),
            Self::Postgres(_) => None,
        }
    }
}

/// The database. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) pools: Pools,
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

impl Store {
    /// Opens the database; makes SQLite's file where it is absent. Does not touch the schema.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let acquire = Duration::from_secs(ACQUIRE_SECONDS_MAX);
        let pools = match url {
            DatabaseUrl::Sqlite(options, _) => {
                let writer = open_writer(options)
                    .await
                    .map_err(|source| StoreError::driver("opening the database", source))?;
                let readers = SqlitePoolOptions::new()
                    .max_connections(SQLITE_READERS_MAX)
                    .acquire_timeout(acquire)
                    .connect_lazy_with((**options).clone().pragma("query_only", "ON"));
                Pools::Sqlite { writer, readers }
            }
            DatabaseUrl::Postgres(options) => Pools::Postgres(
                PgPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS_MAX)
                    .min_connections(1)
                    .acquire_timeout(acquire)
                    .connect_with((**options).clone())
                    .await
                    .map_err(|source| StoreError::driver("opening the database", source))?,
            ),
        };
        Ok(Self { pools })
    }

    /// `sqlite` or `postgres`.
    pub const fn engine(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres(_) => "postgres",
        }
    }

    /// Begins a writing transaction.
    pub async fn begin(&self, name: &'static str, now: Timestamp) -> Result<Tx, StoreError> {
        // IMMEDIATE: a read lock that is upgraded later could fail with SQLITE_BUSY at once.
        let how = Begin {
            sqlite: "BEGIN IMMEDIATE",
            postgres: "BEGIN",
            is_reading: false,
        };
        Tx::begin(self, name, now, how).await
    }

    /// Begins a transaction that only reads: it sees one instant of the database, holds up nobody,
    /// and the database refuses what it would write or lock.
    pub async fn begin_read(&self, name: &'static str, now: Timestamp) -> Result<Tx, StoreError> {
        let how = Begin {
            sqlite: "BEGIN",
            postgres: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            is_reading: true,
        };
        Tx::begin(self, name, now, how).await
    }

    /// Closes all connections, after the transactions that are under way.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }
}

/// Opens SQLite's one writing connection. The busy timeout does not hold for turning a fresh
/// file's journal to WAL, so processes that begin together must ask again.
async fn open_writer(options: &SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let acquire = Duration::from_secs(ACQUIRE_SECONDS_MAX);
    let opening = async {
        loop {
            let opened = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(acquire)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(options.clone())
                .await;
            match opened {
                Err(error) if is_busy(&error) => {
                    tokio::time::sleep(Duration::from_millis(OPEN_PAUSE_MS)).await;
                }
                opened => return opened,
            }
        }
    };
    tokio::time::timeout(acquire, opening)
        .await
        .unwrap_or(Err(sqlx::Error::PoolTimedOut))
}
