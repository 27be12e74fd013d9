//! The transaction, and what becomes of its connection.
//!
//! What it promises, whatever the network or the server does:
//!
//! * A connection on which something was left unfinished is closed and not used again: one that
//!   hangs would keep its place in the pool, and one that leads to a server that takes no writes
//!   would fail whoever gets it next.
//! * After a statement failed nothing is committed: PostgreSQL answers such a COMMIT with success.
//! * A connection that ends inside COMMIT is asked about before anything is said, where the
//!   transaction wrote an audit entry: the entry is there if and only if it was committed.
//!
//! Not done here: a bound on how long a statement takes. Whoever runs a transaction bounds it as a
//! whole by dropping it.

use std::future::Future;
use std::time::Duration;

use balefire_domain::ids::AuditEntryId;
use balefire_domain::time::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Postgres, Sqlite};
use tokio::sync::OwnedSemaphorePermit;

use crate::crash_points::crash_point_of;
use crate::failure::Verdict;
use crate::sql::StoreError;
use crate::store::{ACQUIRE_SECONDS_MAX, POSTGRES_CONNECTIONS_MAX, Pools, Store};
use crate::timing::Lap;

/// How long a used connection may take to prove that it still works; then it is closed.
const RETURN_TIME_MAX: Duration = Duration::from_secs(2);
/// Connections that BEGIN may find dead before it fails: all that a pool keeps.
const DEAD_MAX: u32 = POSTGRES_CONNECTIONS_MAX;
/// How long it is tried to find out what became of a lost COMMIT.
const LOOK_UP_TIME_MAX: Duration = Duration::from_secs(3);
/// The pause before a look-up that was itself cut off is tried again.
const LOOK_UP_PAUSE: Duration = Duration::from_millis(50);

/// A transaction. It knows its name, for logs, and the instant of every row that it writes.
/// Dropped without [`Tx::commit`] it changes nothing.
#[must_use = "a transaction that is not committed changes nothing"]
pub struct Tx {
    /// Gone once the connection was given back.
    inner: Option<Inner>,
    watch: Watch,
    name: &'static str,
    store: Store,
    /// The history that the database said we work on.
    pub(crate) epoch: Option<String>,
    _turn: Option<OwnedSemaphorePermit>,
    /// An entry of the trail that is there if and only if this was committed.
    pub(crate) witness: Option<AuditEntryId>,
    /// The transaction's instant.
    pub now: Timestamp,
}

pub(crate) enum Inner {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

/// What a query found.
pub(crate) enum Rows {
    Sqlite(Vec<SqliteRow>),
    Postgres(Vec<PgRow>),
}

/// How a transaction begins.
pub(crate) struct Begin {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
    pub(crate) is_reading: bool,
}

/// What is known of a transaction's connection.
pub(crate) struct Watch {
    transaction: &'static str,
    lap: Lap,
    /// The transaction was begun and not committed.
    is_open: bool,
    /// A statement was sent and its answer has not come: true after a drop in the middle.
    is_under_way: bool,
    /// The connection must not be used again.
    is_spoilt: bool,
    /// A statement failed.
    has_failed: bool,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let has_failed = self.has_failed || self.is_under_way;
        self.lap.end(self.transaction, has_failed);
    }
}

impl Watch {
    /// Of a transaction that has no connection yet: without one it failed.
    fn new(transaction: &'static str, lap: Lap) -> Self {
        Self {
            transaction,
            lap,
            is_open: false,
            is_under_way: true,
            is_spoilt: false,
            has_failed: false,
        }
    }

    /// A connection is there on which nothing was done yet.
    const fn start_over(&mut self) {
        self.is_open = true;
        (self.is_under_way, self.is_spoilt, self.has_failed) = (false, false, false);
    }

    /// Runs a statement.
    pub(crate) async fn run<T>(
        &mut self,
        statement: &'static str,
        asked: impl Future<Output = Result<T, sqlx::Error>>,
    ) -> Result<T, StoreError> {
        self.is_under_way = true;
        let answered = asked.await;
        self.is_under_way = false;
        answered.map_err(|source| {
            let error = StoreError::driver(statement, source);
            self.has_failed = true;
            self.is_spoilt |= error.spoils_connection();
            error
        })
    }
}

impl Inner {
    async fn acquire(store: &Store, is_reading: bool) -> Result<Self, sqlx::Error> {
        match &store.pools {
            Pools::Sqlite { readers, .. } if is_reading => {
                readers.acquire().await.map(Self::Sqlite)
            }
            Pools::Sqlite { writer, .. } => writer.acquire().await.map(Self::Sqlite),
            Pools::Postgres { pool, .. } => pool.acquire().await.map(Self::Postgres),
        }
    }

    /// Runs a statement without parameters. Transactions are counted by nobody but us: the
    /// driver's own count is wrong after SQLite undid a transaction by itself.
    async fn execute(
        &mut self,
        sqlite: &'static str,
        postgres: &'static str,
    ) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(connection) => sqlx::raw_sql(sqlite)
                .execute(&mut **connection)
                .await
                .map(drop),
            Self::Postgres(connection) => sqlx::raw_sql(postgres)
                .execute(&mut **connection)
                .await
                .map(drop),
        }
    }

    fn close_on_drop(&mut self) {
        match self {
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Postgres(connection) => connection.close_on_drop(),
        }
    }

    /// Undoes what was not committed and gives the connection back, within a bounded time: the
    /// pool itself would wait for a dead connection's answer for as long as the system keeps it,
    /// and nobody else could have its place meanwhile.
    async fn give_back(mut self, is_open: bool) {
        let giving = async {
            if is_open && self.execute("ROLLBACK", "ROLLBACK").await.is_err() {
                return false;
            }
            match &mut self {
                Self::Sqlite(connection) => connection.return_to_pool().await,
                Self::Postgres(connection) => connection.return_to_pool().await,
            }
            true
        };
        let given = tokio::time::timeout(RETURN_TIME_MAX, giving).await;
        if given != Ok(true) {
            self.close_on_drop();
            tracing::debug!(event = "database.connection_closed");
        }
    }
}

impl Tx {
    pub(crate) async fn begin(
        store: &Store,
        name: &'static str,
        now: Timestamp,
        how: Begin,
    ) -> Result<Self, StoreError> {
        let beginning = Self::begin_alive(store, name, now, how);
        if let Pools::Sqlite { .. } = &store.pools {
            // Its BEGIN has a bound of its own, and a file never hangs as a server does.
            return beginning.await;
        }
        let time_max = Duration::from_secs(ACQUIRE_SECONDS_MAX);
        match tokio::time::timeout(time_max, beginning).await {
            Ok(begun) => begun,
            Err(_) => Err(StoreError::timed_out(name)),
        }
    }

    /// Begins on the first connection that is alive: those that ended while nobody used them are
    /// found out by BEGIN itself, before which nothing was done.
    async fn begin_alive(
        store: &Store,
        name: &'static str,
        now: Timestamp,
        how: Begin,
    ) -> Result<Self, StoreError> {
        let watch = Watch::new(name, store.stopwatch.begin());
        let turn = store.take_turn(name, how.is_reading).await?;
        let mut tx = Self {
            inner: None,
            watch,
            name,
            store: store.clone(),
            epoch: None,
            _turn: turn,
            witness: None,
            now,
        };
        let mut dead = 0;
        loop {
            let acquired = Inner::acquire(store, how.is_reading).await;
            tx.inner = Some(acquired.map_err(|source| StoreError::driver(name, source))?);
            tx.epoch = store.epoch_here();
            let (inner, watch) = tx.parts();
            watch.start_over();
            let begun = watch
                .run(name, inner.execute(how.sqlite, how.postgres))
                .await;
            match begun {
                Err(error) if error.verdict() == Verdict::Lost && dead < DEAD_MAX => {
                    dead += 1;
                    if let Some(mut dead) = tx.inner.take() {
                        dead.close_on_drop();
                    }
                }
                begun => return begun.map(|()| tx),
            }
        }
    }

    /// Whether the history entered last is not the one that our connection found.
    pub(crate) fn is_another_epoch(&self, entered: &str) -> bool {
        let is_postgres = matches!(self.inner, Some(Inner::Postgres(_)));
        is_postgres && self.epoch.as_deref() != Some(entered)
    }

    /// The connection, and what watches over it.
    pub(crate) fn parts(&mut self) -> (&mut Inner, &mut Watch) {
        let inner = self.inner.as_mut();
        (inner.expect("only the end takes it away"), &mut self.watch)
    }

    /// Makes everything durable. Where the connection ends meanwhile it is found out what became
    /// of it; [`StoreError::InDoubt`] says that this was not possible.
    pub async fn commit(mut self) -> Result<(), StoreError> {
        let (name, store) = (self.name, self.store.clone());
        let (witness, now) = (self.witness, self.now);
        crash_point_of(name, "before_commit");
        let committed = self.commit_once().await;
        if committed.is_ok() {
            crash_point_of(name, "committed");
        }
        let error = match committed {
            Err(error) if !is_decided(&error) => error,
            decided => return decided,
        };
        drop(self);
        let in_doubt = |cause| StoreError::InDoubt {
            transaction: name,
            cause: Box::new(cause),
        };
        let Some(witness) = witness else {
            return Err(in_doubt(error));
        };
        let looking = store.look_up(witness, now);
        match tokio::time::timeout(LOOK_UP_TIME_MAX, looking).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(error),
            Err(_) => Err(in_doubt(error)),
        }
    }

    async fn commit_once(&mut self) -> Result<(), StoreError> {
        if self.watch.has_failed {
            let transaction = self.name;
            return Err(StoreError::CommitAfterFailure { transaction });
        }
        let name = self.name;
        let (inner, watch) = self.parts();
        watch.run(name, inner.execute("COMMIT", "COMMIT")).await?;
        watch.is_open = false;
        Ok(())
    }
}

/// Whether a failed COMMIT certainly stored nothing.
fn is_decided(error: &StoreError) -> bool {
    match error {
        StoreError::CommitAfterFailure { .. } => true,
        error => error.refuses_commit(),
    }
}

impl Drop for Tx {
    fn drop(&mut self) {
        let Some(mut inner) = self.inner.take() else {
            return;
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) if !self.watch.is_under_way && !self.watch.is_spoilt => {
                runtime.spawn(inner.give_back(self.watch.is_open));
            }
            Ok(_) | Err(_) => inner.close_on_drop(),
        }
    }
}

statements! {
    // Makes a transaction of the look-up that the server logs: its commit waits, where the server
    // waits for a standby, until the standby has everything before it too. The row is nobody
    // else's; one of the trail can't be locked by a role that may not change the trail.
    LOCK(lock): "SELECT value FROM counters WHERE name = 'commit_look_up'";
    // The entry of a lost transaction.
    FIND: "SELECT id FROM audit_entries WHERE id = $1";
    // Waits for the lost transaction where it is still under way, and finds out how it ended.
    TAKE_ITS_PLACE: "INSERT INTO audit_entries (id, at, actor, action, object, details)
        VALUES ($1, $2, 'clock', 'look_up', 'nothing', '{}')";
}

impl Store {
    /// Whether the transaction that wrote this entry was committed; asks until that is known.
    async fn look_up(&self, witness: AuditEntryId, now: Timestamp) -> bool {
        loop {
            match self.look_up_once(witness, now).await {
                Ok(Some(is_committed)) => {
                    tracing::warn!(
                        event = "database.commit_looked_up",
                        committed = is_committed,
                        "the connection ended inside COMMIT; what became of it was looked up"
                    );
                    return is_committed;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(event = "database.look_up_again", error = %error);
                    tokio::time::sleep(LOOK_UP_PAUSE).await;
                }
            }
        }
    }

    /// The same once; `None`: look again.
    async fn look_up_once(
        &self,
        witness: AuditEntryId,
        now: Timestamp,
    ) -> Result<Option<bool>, StoreError> {
        let mut tx = self.begin("look_up_commit", now).await?;
        let id = witness.to_string();
        fetch_all!(tx, |row| crate::sql::Row::int(row, "value"), LOCK)?;
        let found = fetch_all!(tx, |row| crate::sql::Row::text(row, "id"), FIND, id.clone());
        if !found?.is_empty() {
            tx.commit_once().await?;
            return Ok(Some(true));
        }
        // Never committed: it only stands in the lost transaction's way.
        match execute_one!(tx, TAKE_ITS_PLACE, id, now.micros()) {
            Ok(()) => Ok(Some(false)),
            Err(error) if error.is_unique_violation() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
