//! Statements, rows and errors, the same for both engines.

use balefire_domain::time::Timestamp;
use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgRow;
use sqlx::sqlite::{SqliteError, SqliteRow};
use sqlx::{Column, Row as _};
use uuid::Uuid;

const SQLITE_BUSY: u32 = 5;

/// Why something could not be read or stored. "Not found" is no error but an absent value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the way to it failed.
    #[error("{statement} failed")]
    Driver {
        /// The statement, or what was being done.
        statement: &'static str,
        /// The driver's error.
        #[source]
        source: sqlx::Error,
    },
    /// A row holds what we never write.
    #[error("column {column} holds `{value}`, which Balefire never writes")]
    Inconsistency {
        /// The column.
        column: String,
        /// What stands there, shortened.
        value: String,
    },
    /// A conditional write hit another number of rows than it must.
    #[error("{statement} changed {actual} rows instead of {expected}")]
    RowCount {
        /// The statement.
        statement: &'static str,
        /// How many it must change.
        expected: u64,
        /// How many it changed.
        actual: u64,
    },
    /// The schema could not be brought up to date.
    #[error("a migration failed")]
    Migration(#[source] sqlx::migrate::MigrateError),
}

impl StoreError {
    pub(crate) fn driver(statement: &'static str, source: sqlx::Error) -> Self {
        Self::Driver { statement, source }
    }

    /// A step that took too long and was given up. Whether it was done is not known.
    pub fn timed_out(step: &'static str) -> Self {
        Self::driver(step, sqlx::Error::PoolTimedOut)
    }

    /// The database asks to repeat the transaction (deadlock or serialization failure, D59).
    pub fn is_transient(&self) -> bool {
        self.refusal()
            .and_then(DatabaseError::code)
            .is_some_and(|code| matches!(&*code, "40P01" | "40001"))
    }

    /// Another transaction stored the same unique thing first.
    pub fn is_unique_violation(&self) -> bool {
        self.refusal()
            .is_some_and(DatabaseError::is_unique_violation)
    }

    /// The database can't be reached, is held by somebody else, takes no writes or has no room:
    /// trying later may help.
    pub fn is_unavailable(&self) -> bool {
        let is_out_of_reach = matches!(
            self.driver_error(),
            Some(sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed)
        );
        is_out_of_reach || self.refusal().is_some_and(is_refused_for_now)
    }

    fn driver_error(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Driver { source, .. }
            | Self::Migration(
                MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _),
            ) => Some(source),
            Self::Inconsistency { .. } | Self::RowCount { .. } | Self::Migration(_) => None,
        }
    }

    /// What the database itself answered.
    fn refusal(&self) -> Option<&dyn DatabaseError> {
        match self.driver_error() {
            Some(sqlx::Error::Database(error)) => Some(&**error),
            Some(_) | None => None,
        }
    }
}

/// SQLite's result code without its extension: its low byte.
fn sqlite_code(error: &dyn DatabaseError) -> Option<u32> {
    let code = error.try_downcast_ref::<SqliteError>()?.code()?;
    code.parse().ok().map(|code: u32| code & 0xFF)
}

/// Another connection holds SQLite's file.
pub(crate) fn is_busy(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlite_code) == Some(SQLITE_BUSY)
}

fn is_refused_for_now(error: &dyn DatabaseError) -> bool {
    if let Some(code) = sqlite_code(error) {
        // IOERR, FULL and CANTOPEN beside BUSY.
        return matches!(code, SQLITE_BUSY | 10 | 13 | 14);
    }
    let Some(code) = error.code() else {
        return false;
    };
    // PostgreSQL's classes 08 (connection) and 53 (resources), its shutdowns, a read-only standby,
    // an I/O error, and our own time-outs for locks, statements and idle transactions.
    code.starts_with("08")
        || code.starts_with("53")
        || matches!(
            &*code,
            "57P01" | "57P02" | "57P03" | "25006" | "58030" | "55P03" | "57014" | "25P03"
        )
}

/// One statement, named in the database's own logs.
#[derive(Clone, Copy, Debug)]
pub struct Sql {
    pub(crate) name: &'static str,
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// Declares statements and the list of them. `lock` marks one that locks its rows, `pick` one that
/// locks those of its rows that nobody else holds.
macro_rules! statements {
    ($($name:ident $(($lock:ident))?: $sql:expr;)*) => {
        $(const $name: $crate::sql::Sql = $crate::sql::Sql {
            name: concat!(module_path!(), "::", stringify!($name)),
            sqlite: concat!("-- ", module_path!(), "::", stringify!($name), "\n", $sql),
            postgres: concat!(
                "-- ", module_path!(), "::", stringify!($name), "\n", $sql,
                $(statements!(@$lock))?
            ),
        };)*
        pub(crate) const ALL: &[$crate::sql::Sql] = &[$($name),*];
    };
    (@lock) => { "\nFOR NO KEY UPDATE" };
    (@pick) => { "\nFOR NO KEY UPDATE SKIP LOCKED" };
}

/// Runs a statement; the number of rows it changed.
macro_rules! execute {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use $crate::store::Inner;
        match &mut $tx.inner {
            Inner::Sqlite(tx) => sqlx::query($sql.sqlite)
                $(.bind($bind))*.execute(&mut **tx).await.map(|done| done.rows_affected()),
            Inner::Postgres(tx) => sqlx::query($sql.postgres)
                $(.bind($bind))*.execute(&mut **tx).await.map(|done| done.rows_affected()),
        }
        .map_err(|source| $crate::sql::StoreError::driver($sql.name, source))
    }};
}

/// Runs a statement that must change exactly one row.
macro_rules! execute_one {
    ($tx:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match execute!($tx, $sql $(, $bind)*) {
            Ok(1) => Ok(()),
            Ok(actual) => Err($crate::sql::StoreError::RowCount {
                statement: $sql.name, expected: 1, actual,
            }),
            Err(error) => Err(error),
        }
    };
}

/// Runs a query and reads every row with `$read`.
macro_rules! fetch_all {
    ($tx:expr, $read:expr, $sql:expr $(, $bind:expr)* $(,)?) => {{
        use $crate::store::Inner;
        match &mut $tx.inner {
            Inner::Sqlite(tx) => sqlx::query($sql.sqlite)
                $(.bind($bind))*.fetch_all(&mut **tx).await
                .map_err(|source| $crate::sql::StoreError::driver($sql.name, source))
                .and_then(|rows| rows.iter().map($read).collect::<Result<Vec<_>, _>>()),
            Inner::Postgres(tx) => sqlx::query($sql.postgres)
                $(.bind($bind))*.fetch_all(&mut **tx).await
                .map_err(|source| $crate::sql::StoreError::driver($sql.name, source))
                .and_then(|rows| rows.iter().map($read).collect::<Result<Vec<_>, _>>()),
        }
    }};
}

/// Runs a query that finds one row or none.
macro_rules! fetch_optional {
    ($tx:expr, $read:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        fetch_all!($tx, $read, $sql $(, $bind)*).map(|rows| rows.into_iter().next())
    };
}

/// A row of either engine. Every getter names the column in its error.
pub trait Row {
    /// A text that may be absent.
    fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError>;
    /// A whole number that may be absent.
    fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError>;
    /// A yes or no that may be absent.
    fn opt_bool(&self, column: &str) -> Result<Option<bool>, StoreError>;

    // Absence is asked for before a value is: of an absent value SQLite makes an empty text or 0.

    /// A text.
    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.opt_text(column)?.ok_or_else(|| absent(column))
    }

    /// A whole number.
    fn int(&self, column: &str) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or_else(|| absent(column))
    }

    /// A yes or no.
    fn bool(&self, column: &str) -> Result<bool, StoreError> {
        self.opt_bool(column)?.ok_or_else(|| absent(column))
    }

    /// An id.
    fn id<T>(&self, column: &str, of: fn(Uuid) -> T) -> Result<T, StoreError> {
        let text = self.text(column)?;
        Uuid::parse_str(&text)
            .map(of)
            .map_err(|_| inconsistent(column, &text))
    }

    /// An id that may be absent.
    fn opt_id<T>(&self, column: &str, of: fn(Uuid) -> T) -> Result<Option<T>, StoreError> {
        match self.opt_text(column)? {
            None => Ok(None),
            Some(text) => match Uuid::parse_str(&text) {
                Ok(uuid) => Ok(Some(of(uuid))),
                Err(_) => Err(inconsistent(column, &text)),
            },
        }
    }

    /// A number that fits 32 bits without a sign.
    fn count(&self, column: &str) -> Result<u32, StoreError> {
        let value = self.int(column)?;
        u32::try_from(value).map_err(|_| inconsistent(column, &value.to_string()))
    }

    /// An instant.
    fn instant(&self, column: &str) -> Result<Timestamp, StoreError> {
        self.int(column).map(Timestamp::from_micros)
    }

    /// An instant that may be absent.
    fn opt_instant(&self, column: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.opt_int(column)?.map(Timestamp::from_micros))
    }

    /// A word of a closed list.
    fn word<T>(&self, column: &str, parse: fn(&str) -> Option<T>) -> Result<T, StoreError> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| inconsistent(column, &text))
    }

    /// JSON.
    fn json(&self, column: &str) -> Result<serde_json::Value, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|_| inconsistent(column, &text))
    }
}

pub(crate) fn inconsistent(column: &str, value: &str) -> StoreError {
    let value = value.chars().take(80).collect();
    StoreError::Inconsistency {
        column: column.to_owned(),
        value,
    }
}

fn absent(column: &str) -> StoreError {
    inconsistent(column, "nothing")
}

fn unreadable<R: sqlx::Row>(row: &R, column: &str, source: sqlx::Error) -> StoreError {
    let has_it = row.columns().iter().any(|known| known.name() == column);
    if has_it {
        inconsistent(column, &source.to_string())
    } else {
        StoreError::driver("reading a row", source)
    }
}

macro_rules! read_rows {
    ($row:ty) => {
        impl Row for $row {
            fn opt_text(&self, column: &str) -> Result<Option<String>, StoreError> {
                self.try_get(column)
                    .map_err(|source| unreadable(self, column, source))
            }
            fn opt_int(&self, column: &str) -> Result<Option<i64>, StoreError> {
                self.try_get(column)
                    .map_err(|source| unreadable(self, column, source))
            }
            fn opt_bool(&self, column: &str) -> Result<Option<bool>, StoreError> {
                self.try_get(column)
                    .map_err(|source| unreadable(self, column, source))
            }
        }
    };
}
read_rows!(SqliteRow);
read_rows!(PgRow);
