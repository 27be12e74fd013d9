//! Where the database is, and the pools of connections to it.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use balefire_domain::time::Timestamp;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::epochs::ASK;
use crate::failure::is_busy;
use crate::reach::standby;
use crate::sql::StoreError;
use crate::timing::Stopwatch;
use crate::tx::Begin;
pub use crate::tx::Tx;

/// How long a request waits for a connection before the database counts as unavailable: a client
/// is told within five seconds.
pub(crate) const ACQUIRE_SECONDS_MAX: u64 = 4;
/// The mode of SQLite's files that we make: their owner reads and writes them, nobody else.
pub(crate) const PRIVATE_MODE: u32 = 0o600;
/// How long SQLite waits for another process's transaction.
const BUSY_TIMEOUT_SECONDS: u64 = 5;
/// How long to wait before a fresh file that another process is making is opened again.
const OPEN_PAUSE_MS: u64 = 10;
/// Connections of one process to PostgreSQL.
pub(crate) const POSTGRES_CONNECTIONS_MAX: u32 = 20;
/// Writers of one process that may stand in SQLite's queue beside dispatch.
const TURNSTILE_WRITERS: usize = 2;
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
    /// Who goes through it waits here for the writer, and not in the writer's own queue.
    turnstile: Option<Turnstile>,
    pub(crate) stopwatch: Stopwatch,
}

/// How many of a handle's transactions may be under way, or wait in SQLite's own queues.
#[derive(Clone, Debug)]
struct Turnstile {
    writers: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

#[derive(Clone, Debug)]
pub(crate) enum Pools {
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        mark: PathBuf,
    },
    Postgres {
        pool: PgPool,
        epoch: SharedEpoch,
    },
}

/// The history of the database that the newest connection found.
#[derive(Clone, Debug, Default)]
pub(crate) struct SharedEpoch(Arc<RwLock<Option<String>>>);

impl SharedEpoch {
    pub(crate) fn read(&self) -> Option<String> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn write(&self, found: Option<String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = found;
    }
}

impl Store {
    /// Opens the database; makes SQLite's file where it is absent. Does not touch the schema.
    pub async fn open(url: &DatabaseUrl) -> Result<Self, StoreError> {
        let acquire = Duration::from_secs(ACQUIRE_SECONDS_MAX);
        let pools = match url {
            DatabaseUrl::Sqlite(options, path) => {
                make_private(path).map_err(|source| {
                    StoreError::driver("opening the database", sqlx::Error::Io(source))
                })?;
                let writer = open_writer(options)
                    .await
                    .map_err(|source| StoreError::driver("opening the database", source))?;
                let readers = SqlitePoolOptions::new()
                    .max_connections(SQLITE_READERS_MAX)
                    .acquire_timeout(acquire)
                    .connect_lazy_with((**options).clone().pragma("query_only", "ON"));
                let mark = with_suffix(path, ".mark");
                Pools::Sqlite {
                    writer,
                    readers,
                    mark,
                }
            }
            DatabaseUrl::Postgres(options) => {
                let epoch = SharedEpoch::default();
                let found = epoch.clone();
                let pool = PgPoolOptions::new()
                    .max_connections(POSTGRES_CONNECTIONS_MAX)
                    .min_connections(1)
                    .acquire_timeout(acquire)
                    // BEGIN finds a dead connection as well, without a round trip more.
                    .test_before_acquire(false)
                    .after_connect(move |connection, _| {
                        let found = found.clone();
                        Box::pin(async move {
                            let asked = sqlx::query_scalar(ASK.postgres);
                            let here: Option<String> = asked.fetch_one(connection).await?;
                            // A standby that is promoted later keeps its connections: what was
                            // opened before must not be worked on afterwards.
                            let here = here.ok_or_else(standby)?;
                            found.write(Some(here));
                            Ok(())
                        })
                    })
                    .connect_with((**options).clone())
                    .await
                    .map_err(|source| StoreError::driver("opening the database", source))?;
                Pools::Postgres { pool, epoch }
            }
        };
        Ok(Self {
            pools,
            turnstile: None,
            stopwatch: Stopwatch::default(),
        })
    }

    /// `sqlite` or `postgres`.
    pub const fn engine(&self) -> &'static str {
        match self.pools {
            Pools::Sqlite { .. } => "sqlite",
            Pools::Postgres { .. } => "postgres",
        }
    }

    /// The same database through a turnstile, on SQLite: of those who use this handle at most two
    /// stand in the one writer's queue, and one reader is left, so that whoever goes past the
    /// turnstile (dispatch) waits for no more. On PostgreSQL dispatch has connections of its own.
    #[must_use]
    pub fn behind_turnstile(&self) -> Self {
        let turnstile = match self.pools {
            Pools::Sqlite { .. } => Some(Turnstile {
                writers: Arc::new(Semaphore::new(TURNSTILE_WRITERS)),
                readers: Arc::new(Semaphore::new(SQLITE_READERS_MAX as usize - 1)),
            }),
            Pools::Postgres { .. } => None,
        };
        Self {
            pools: self.pools.clone(),
            turnstile,
            stopwatch: self.stopwatch.clone(),
        }
    }

    /// A turn at the turnstile, where this handle has one.
    pub(crate) async fn take_turn(
        &self,
        name: &'static str,
        is_reading: bool,
    ) -> Result<Option<OwnedSemaphorePermit>, StoreError> {
        let Some(turnstile) = &self.turnstile else {
            return Ok(None);
        };
        let turns = if is_reading {
            &turnstile.readers
        } else {
            &turnstile.writers
        };
        let turn = Arc::clone(turns).acquire_owned();
        match tokio::time::timeout(Duration::from_secs(ACQUIRE_SECONDS_MAX), turn).await {
            Ok(turn) => Ok(turn.ok()),
            Err(_) => Err(StoreError::timed_out(name)),
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
            Pools::Sqlite {
                writer, readers, ..
            } => {
                readers.close().await;
                writer.close().await;
            }
            Pools::Postgres { pool, .. } => pool.close().await,
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes SQLite's file where it is absent: for its owner's eyes only, which SQLite then gives the
/// files beside it as well. Alerts, people's addresses and sealed keys stand in it. A file that is
/// there keeps its mode: whoever shares it has a reason.
fn make_private(path: &Path) -> std::io::Result<()> {
    let made = File::options()
        .write(true)
        .create_new(true)
        .mode(PRIVATE_MODE)
        .open(path);
    match made {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
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
