//! Statements, rows and errors, the same for both engines.

use balefire_domain::time::Timestamp;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Column, Row as _};
use uuid::Uuid;

pub use crate::failure::StoreError;

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
        use $crate::tx::Inner;
        let (inner, watch) = $tx.parts();
        watch.run($sql.name, async {
            match inner {
                Inner::Sqlite(connection) => sqlx::query($sql.sqlite)
                    $(.bind($bind))*.execute(&mut **connection).await
                    .map(|done| done.rows_affected()),
                Inner::Postgres(connection) => sqlx::query($sql.postgres)
                    $(.bind($bind))*.execute(&mut **connection).await
                    .map(|done| done.rows_affected()),
            }
        }).await
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
        use $crate::tx::{Inner, Rows};
        let (inner, watch) = $tx.parts();
        let rows = watch.run($sql.name, async {
            match inner {
                Inner::Sqlite(connection) => sqlx::query($sql.sqlite)
                    $(.bind($bind))*.fetch_all(&mut **connection).await.map(Rows::Sqlite),
                Inner::Postgres(connection) => sqlx::query($sql.postgres)
                    $(.bind($bind))*.fetch_all(&mut **connection).await.map(Rows::Postgres),
            }
        }).await;
        rows.and_then(|rows| match rows {
            Rows::Sqlite(rows) => rows.iter().map($read).collect::<Result<Vec<_>, _>>(),
            Rows::Postgres(rows) => rows.iter().map($read).collect::<Result<Vec<_>, _>>(),
        })
    }};
}

/// Runs a query that finds one row or none.
macro_rules! fetch_optional {
    ($tx:expr, $read:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        fetch_all!($tx, $read, $sql $(, $bind)*).map(|rows| rows.into_iter().next())
    };
}

/// Characters of an id, a name or a word: an id has 36.
const WORD_CHARS_MAX: usize = 40;

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
            .map_err(|_| misspelt(column, &text))
    }

    /// An id that may be absent.
    fn opt_id<T>(&self, column: &str, of: fn(Uuid) -> T) -> Result<Option<T>, StoreError> {
        match self.opt_text(column)? {
            None => Ok(None),
            Some(text) => match Uuid::parse_str(&text) {
                Ok(uuid) => Ok(Some(of(uuid))),
                Err(_) => Err(misspelt(column, &text)),
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
        parse(&text).ok_or_else(|| misspelt(column, &text))
    }

    /// JSON.
    fn json(&self, column: &str) -> Result<serde_json::Value, StoreError> {
        let text = self.text(column)?;
        serde_json::from_str(&text).map_err(|_| unread_json(column))
    }
}

/// A column that holds what Balefire never writes. `value` goes into the log as it is: a number, or
/// words of ours, and never what a person wrote.
pub(crate) fn inconsistent(column: &str, value: &str) -> StoreError {
    let value = value.chars().take(80).collect();
    StoreError::Inconsistency {
        column: column.to_owned(),
        value,
    }
}

/// A column that holds no id, name or word that is known. What looks like one is shown; of any
/// other text only its length, for it may be an alert's.
pub(crate) fn misspelt(column: &str, text: &str) -> StoreError {
    let is_of_words = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if (1..=WORD_CHARS_MAX).contains(&text.len()) && text.chars().all(is_of_words) {
        return inconsistent(column, text);
    }
    let count = text.chars().count();
    inconsistent(column, &format!("a text of {count} characters"))
}

/// A column whose JSON can't be read. Nothing of it is shown: it may hold an alert's text.
pub(crate) fn unread_json(column: &str) -> StoreError {
    inconsistent(column, "no JSON of ours")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_no_word_is_told_by_its_length_alone() {
        let long = "a".repeat(41);
        // what stands there, what is told of it
        let rows = [
            ("expired", "expired"),
            ("cbc_a-2", "cbc_a-2"),
            (
                "00000000-0000-0000-0000-00000000000g",
                "00000000-0000-0000-0000-00000000000g",
            ),
            ("", "a text of 0 characters"),
            ("Leave the valley", "a text of 16 characters"),
            ("né", "a text of 2 characters"),
            (&long, "a text of 41 characters"),
        ];
        for (text, told) in rows {
            let StoreError::Inconsistency { column, value } = misspelt("state", text) else {
                panic!("{text}");
            };
            assert_eq!((column.as_str(), value.as_str()), ("state", told));
        }
    }
}
