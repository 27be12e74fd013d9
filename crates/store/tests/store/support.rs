//! A fresh store for each test, and a second way to its database.

use std::time::Duration;

use balefire_domain::time::Timestamp;
use balefire_store::{DatabaseUrl, Store, Tx};
use balefire_test_support::postgres::{Database, Postgres};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use tempfile::TempDir;

/// No test may hang: a pool or a lock that is never given back is a finding.
pub const TEST_SECONDS_MAX: u64 = 60;

/// The instant at which tests begin.
pub const T0: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// A database that Balefire knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// A file in a folder of its own.
    Sqlite,
    /// A database of its own.
    Postgres,
}

impl Engine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

/// A new, empty database. It goes when this value is dropped.
pub struct TestDatabase {
    pub engine: Engine,
    url: String,
    /// For what only a superuser may do.
    pub postgres: Option<Database>,
    _folder: Option<TempDir>,
}

impl TestDatabase {
    pub fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => {
                let folder = tempfile::tempdir().expect("a temporary folder");
                let file = folder.path().join("store.db");
                Self {
                    engine,
                    url: format!("sqlite://{}", file.display()),
                    postgres: None,
                    _folder: Some(folder),
                }
            }
            Engine::Postgres => {
                let database = Postgres::shared().new_database();
                Self {
                    engine,
                    url: database.url().to_owned(),
                    postgres: Some(database),
                    _folder: None,
                }
            }
        }
    }

    pub fn url(&self) -> DatabaseUrl {
        self.url.parse().expect("the test's address is well formed")
    }

    /// Another store on this database, with connections of its own, as another process has.
    pub async fn open_store(&self) -> Store {
        Store::open(&self.url())
            .await
            .expect("the test's database opens")
    }

    /// Runs SQL from outside the store; the number of rows it changed.
    pub async fn execute(&self, sql: &str) -> Result<u64, sqlx::Error> {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.url() {
            DatabaseUrl::Sqlite(options, _) => {
                let mut connection = options.connect().await?;
                let done = sqlx::query(sql).execute(&mut connection).await?;
                connection.close().await?;
                Ok(done.rows_affected())
            }
            DatabaseUrl::Postgres(options) => {
                let mut connection = options.connect().await?;
                let done = sqlx::query(sql).execute(&mut connection).await?;
                connection.close().await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// One whole number, read from outside the store.
    pub async fn count(&self, sql: &str) -> i64 {
        let sql = AssertSqlSafe(sql.to_owned());
        match self.url() {
            DatabaseUrl::Sqlite(options, _) => {
                let mut connection = options.connect().await.expect("a connection");
                let row = sqlx::query(sql).fetch_one(&mut connection).await;
                row.expect("a row").get(0)
            }
            DatabaseUrl::Postgres(options) => {
                let mut connection = options.connect().await.expect("a connection");
                let row = sqlx::query(sql).fetch_one(&mut connection).await;
                row.expect("a row").get(0)
            }
        }
    }
}

/// A migrated store and its database.
pub struct TestStore {
    /// First, so that its connections close before the database goes.
    pub store: Store,
    pub database: TestDatabase,
}

impl TestStore {
    pub async fn open(engine: Engine) -> Self {
        let database = TestDatabase::new(engine);
        let store = database.open_store().await;
        store.migrate().await.expect("a fresh database migrates");
        Self { store, database }
    }

    /// A writing transaction at [`T0`].
    pub async fn begin(&self) -> Tx {
        begin(&self.store).await
    }

    /// Runs SQL from outside the store, which must refuse it for breaking a CHECK.
    pub async fn assert_refused_by_check(&self, sql: &str) {
        let error = self.database.execute(sql).await.expect_err(sql);
        let is_check = error
            .as_database_error()
            .is_some_and(sqlx::error::DatabaseError::is_check_violation);
        assert!(is_check, "{sql}: {error}");
    }
}

/// A writing transaction at [`T0`].
pub async fn begin(store: &Store) -> Tx {
    store.begin("test", T0).await.expect("a transaction begins")
}

/// Cuts a test off that hangs.
pub async fn bounded(test: impl Future<Output = ()>) {
    let limit = Duration::from_secs(TEST_SECONDS_MAX);
    tokio::time::timeout(limit, test)
        .await
        .expect("the test ends in time");
}

/// Makes a test of each case on each engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        on_both_engines!(@engine on_sqlite Sqlite $($case)*);
        on_both_engines!(@engine on_postgres Postgres $($case)*);
    };
    (@engine $module:ident $engine:ident $($case:ident)*) => {
        mod $module {
            use crate::support::{Engine, TestStore, bounded};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    bounded(async { super::$case(TestStore::open(Engine::$engine).await).await })
                        .await;
                }
            )*
        }
    };
}
