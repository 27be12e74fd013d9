//! Bringing the schema up to date. One set of files serves both engines; a file with the engine's
//! name beside the common one adds what only that engine needs (D52).

use std::borrow::Cow;
use std::collections::BTreeSet;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr};

use crate::crash_points::crash_point;
use crate::sql::StoreError;
use crate::store::{Pools, Store};
use balefire_domain::time::Timestamp;

struct File {
    version: i64,
    name: &'static str,
    common: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// The files of one migration.
macro_rules! file {
    ($version:expr, $name:literal, $stem:literal) => {
        File {
            version: $version,
            name: $name,
            common: include_str!(concat!("../../../migrations/", $stem, ".sql")),
            sqlite: include_str!(concat!("../../../migrations/", $stem, ".sqlite.sql")),
            postgres: include_str!(concat!("../../../migrations/", $stem, ".postgres.sql")),
        }
    };
    ($version:expr, $name:literal, $stem:literal, for both) => {
        File {
            version: $version,
            name: $name,
            common: include_str!(concat!("../../../migrations/", $stem, ".sql")),
            sqlite: "",
            postgres: "",
        }
    };
}

const FILES: &[File] = &[
    file!(1, "create_tables", "0001_create_tables"),
    file!(2, "survive_failover", "0002_survive_failover"),
    file!(3, "extend_jobs", "0003_extend_jobs", for both),
    file!(4, "add_probes", "0004_add_probes", for both),
    file!(5, "add_traceparent", "0005_add_traceparent", for both),
    file!(6, "allow_rollbacks", "0006_allow_rollbacks", for both),
    file!(7, "add_updates", "0007_add_updates"),
    file!(8, "add_alert_updates", "0008_add_alert_updates", for both),
    file!(9, "add_service_certificates", "0009_add_service_certificates", for both),
    file!(10, "add_service_contacts", "0010_add_service_contacts", for both),
    file!(11, "add_area_libraries", "0011_add_area_libraries", for both),
    file!(12, "add_population", "0012_add_population", for both),
    file!(13, "add_second_text", "0013_add_second_text", for both),
    file!(14, "add_people", "0014_add_people", for both),
    file!(15, "chain_audit", "0015_chain_audit"),
    file!(17, "add_sign_in", "0017_add_sign_in", for both),
    file!(18, "add_services", "0018_add_services", for both),
    file!(19, "add_templates", "0019_add_templates", for both),
    file!(20, "add_publishing", "0020_add_publishing", for both),
    file!(21, "add_used_tokens", "0021_add_used_tokens", for both),
    file!(22, "bound_mail", "0022_bound_mail", for both),
];

/// The counter that names the oldest program which may work on the schema.
const OLDEST_PROGRAM: &str = "schema_oldest_program";

/// The newest migration that this program knows: `0018_add_services`.
pub fn newest_migration() -> String {
    let newest = FILES.iter().max_by_key(|file| file.version);
    newest.map_or_else(String::new, |file| {
        format!("{:04}_{}", file.version, file.name)
    })
}

/// The number of a migration.
pub type Version = i64;

/// How the database's schema compares with what this program needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MigrationState {
    /// They agree.
    Current,
    /// These migrations are missing: `balefire migrate` applies them.
    Behind(Vec<Version>),
    /// The database knows these migrations, which this program doesn't, and says that this program
    /// may work on it all the same: a newer version is being rolled out, or was rolled back.
    Expanded(Vec<Version>),
    /// The database knows migrations that this program doesn't, and is not for it any more.
    Ahead(Vec<Version>),
}

impl Store {
    /// Applies the migrations that are missing. Two processes that migrate at once wait for each
    /// other.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        if let MigrationState::Expanded(_) = self.migration_state().await? {
            return Ok(());
        }
        let migrations = FILES.iter().map(|file| self.migration(file)).collect();
        let migrator = Migrator::with_migrations(migrations);
        crash_point("migrate.begun");
        let migrated = match &self.pools {
            Pools::Sqlite { writer, .. } => migrate_sqlite(&migrator, writer).await,
            Pools::Postgres { pool, .. } => migrate_postgres(&migrator, pool).await,
        };
        migrated.map_err(StoreError::Migration)
    }

    fn migration(&self, file: &File) -> Migration {
        let own = match self.pools {
            Pools::Sqlite { .. } => file.sqlite,
            Pools::Postgres { .. } => file.postgres,
        };
        let text = format!("{}\n{own}", file.common);
        let sql = AssertSqlSafe(text).into_sql_str();
        Migration::new(
            file.version,
            Cow::Borrowed(file.name),
            MigrationType::Simple,
            sql,
            false,
        )
    }

    /// Compares the database's schema with what this program needs.
    pub async fn migration_state(&self) -> Result<MigrationState, StoreError> {
        const EXISTS_SQLITE: &str =
            "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
        const EXISTS_POSTGRES: &str = "SELECT count(*) FROM pg_tables \
            WHERE tablename = '_sqlx_migrations' AND schemaname = current_schema()";
        const APPLIED: &str = "SELECT version FROM _sqlx_migrations WHERE success ORDER BY version";
        let failed = |source| StoreError::driver("reading the schema's version", source);
        let applied: Vec<Version> = match &self.pools {
            Pools::Sqlite { writer, .. } => {
                let known: i64 = sqlx::query(EXISTS_SQLITE)
                    .fetch_one(writer)
                    .await
                    .map_err(failed)?
                    .get(0);
                if known == 0 {
                    vec![]
                } else {
                    let rows = sqlx::query(APPLIED)
                        .fetch_all(writer)
                        .await
                        .map_err(failed)?;
                    rows.iter().map(|row| row.get(0)).collect()
                }
            }
            Pools::Postgres { pool, .. } => {
                let known: i64 = sqlx::query(EXISTS_POSTGRES)
                    .fetch_one(pool)
                    .await
                    .map_err(failed)?
                    .get(0);
                if known == 0 {
                    vec![]
                } else {
                    let rows = sqlx::query(APPLIED).fetch_all(pool).await.map_err(failed)?;
                    rows.iter().map(|row| row.get(0)).collect()
                }
            }
        };
        match compare(&applied) {
            MigrationState::Ahead(versions) if self.admits_this_program().await? => {
                Ok(MigrationState::Expanded(versions))
            }
            state => Ok(state),
        }
    }

    /// Whether a schema that is newer than this program admits it.
    async fn admits_this_program(&self) -> Result<bool, StoreError> {
        let own = FILES.iter().map(|file| file.version).max().unwrap_or(0);
        // The instant is of no account: nothing is written.
        let nothing = Timestamp::from_micros(0);
        let mut tx = self
            .begin_read("reading the schema's version", nothing)
            .await?;
        let oldest = tx.load_counter(OLDEST_PROGRAM).await?;
        Ok(oldest.is_some_and(|oldest| oldest <= own))
    }
}

/// On a connection of its own without our time-outs: a migration may take long, or wait long for
/// another process's.
async fn migrate_postgres(migrator: &Migrator, pool: &PgPool) -> Result<(), MigrateError> {
    const NO_TIMEOUTS: &str = "SET statement_timeout = 0; SET lock_timeout = 0; \
        SET idle_in_transaction_session_timeout = 0";
    let mut connection = pool.acquire().await?;
    sqlx::raw_sql(NO_TIMEOUTS).execute(&mut *connection).await?;
    let migrated = migrator.run(&mut *connection).await;
    crash_point("migrate.applied");
    connection.close().await?;
    migrated
}

/// The migrator's lock is PostgreSQL's only. Here a writing transaction around all of it makes the
/// second process wait and then see what the first has done.
async fn migrate_sqlite(migrator: &Migrator, writer: &SqlitePool) -> Result<(), MigrateError> {
    let mut tx = writer.begin_with("BEGIN IMMEDIATE").await?;
    migrator.run(&mut *tx).await?;
    crash_point("migrate.applied");
    Ok(tx.commit().await?)
}

fn compare(applied: &[Version]) -> MigrationState {
    let applied: BTreeSet<Version> = applied.iter().copied().collect();
    let needed: BTreeSet<Version> = FILES.iter().map(|file| file.version).collect();
    let ahead: Vec<Version> = applied.difference(&needed).copied().collect();
    let behind: Vec<Version> = needed.difference(&applied).copied().collect();
    if !ahead.is_empty() {
        MigrationState::Ahead(ahead)
    } else if !behind.is_empty() {
        MigrationState::Behind(behind)
    } else {
        MigrationState::Current
    }
}
