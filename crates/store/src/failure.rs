//! What a failure of the database means, and which failures are tried again where: the one place
//! that says so (D59; delivery.md 2.2 item 8, faults F37, F38, F42).
//!
//! * [`Verdict::Repeat`]: a deadlock, a serialization failure; the database asks for it. The whole
//!   verb is tried again, 5 times at most.
//! * [`Verdict::Lost`]: the connection ended, and nothing was committed. The whole verb is tried
//!   again, until its time is over.
//! * [`Verdict::Unavailable`]: no connection in time, a time-out, no room, a lock that is held.
//!   Never tried again: 503.
//! * [`Verdict::InDoubt`]: the connection ended inside COMMIT, and nobody could be asked. Never
//!   tried again: 503, and the client is told to look.
//! * [`Verdict::Fault`]: a fault of ours. Never tried again: 500.
//!
//! A connection that ends inside COMMIT is first asked about by `Tx::commit` itself: what is known
//! then is either success, or [`Verdict::Lost`]. The dispatcher tries nothing again by this table:
//! its next sweep does, and an answer of a provider is kept until it is stored.

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};
use sqlx::sqlite::SqliteError;

const SQLITE_BUSY: u32 = 5;
const SQLITE_IO_ERROR: u32 = 10;
/// SQLite's result codes that say that the file can't be read or written now: IOERR, FULL and
/// CANTOPEN.
const SQLITE_NO_FILE: [u32; 3] = [SQLITE_IO_ERROR, 13, 14];

/// Why something could not be read or stored. "Not found" is no error but an absent value.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database or the way to it failed.
    #[error("{statement} failed: {cause}")]
    Driver {
        /// The statement, or what was being done.
        statement: &'static str,
        /// The driver's error. It stands in the text, because a log shows no more of an error.
        cause: sqlx::Error,
    },
    /// A row holds what we never write.
    #[error("column {column} holds what Balefire never writes: {value}")]
    Inconsistency {
        /// The column.
        column: String,
        /// What stands there, shortened, where it is no text that a person wrote.
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
    /// The connection ended inside COMMIT: the transaction was stored whole or not at all, and
    /// which of the two could not be found out.
    #[error("{transaction} was cut off, and nobody knows whether it was stored: {cause}")]
    InDoubt {
        /// The transaction.
        transaction: &'static str,
        /// How the connection ended.
        cause: Box<StoreError>,
    },
    /// A transaction was to be committed after one of its statements had failed.
    #[error("{transaction} was to be committed although a statement of it had failed")]
    CommitAfterFailure {
        /// The transaction.
        transaction: &'static str,
    },
    /// The schema could not be brought up to date.
    #[error("a migration failed: {0}")]
    Migration(sqlx::migrate::MigrateError),
}

/// What is to be done about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The database undid the transaction and asks to repeat it (D59).
    Repeat,
    /// The connection ended, and nothing of the transaction was committed: on another connection
    /// it may succeed.
    Lost,
    /// The database can't be reached in time, is held by somebody else, takes no writes or has no
    /// room: trying later may help.
    Unavailable,
    /// Committed or not: nobody knows. It must not be done again without looking.
    InDoubt,
    /// A fault of ours, or of the data.
    Fault,
}

impl StoreError {
    pub(crate) fn driver(statement: &'static str, cause: sqlx::Error) -> Self {
        Self::Driver { statement, cause }
    }

    /// A step that took too long and was given up. Whether it was done is not known.
    pub fn timed_out(step: &'static str) -> Self {
        Self::driver(step, sqlx::Error::PoolTimedOut)
    }

    /// Work of some steps that took too long and was given up, perhaps inside a COMMIT.
    pub fn cut_off(work: &'static str) -> Self {
        Self::InDoubt {
            transaction: work,
            cause: Box::new(Self::timed_out(work)),
        }
    }

    /// What is to be done about it.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Driver { cause, .. }
            | Self::Migration(
                MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _),
            ) => verdict_of(cause),
            Self::InDoubt { .. } => Verdict::InDoubt,
            Self::Inconsistency { .. }
            | Self::RowCount { .. }
            | Self::CommitAfterFailure { .. }
            | Self::Migration(_) => Verdict::Fault,
        }
    }

    /// The database asks to repeat the transaction (deadlock or serialization failure, D59).
    pub fn is_transient(&self) -> bool {
        self.verdict() == Verdict::Repeat
    }

    /// Another transaction stored the same unique thing first.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Driver { cause: sqlx::Error::Database(error), .. }
            if error.is_unique_violation())
    }

    /// The rows themselves are not as we store them: trying again brings the same.
    pub fn is_of_the_data(&self) -> bool {
        matches!(self, Self::Inconsistency { .. } | Self::RowCount { .. })
    }

    /// Trying later may help: 503.
    pub fn is_unavailable(&self) -> bool {
        match self.verdict() {
            Verdict::Lost | Verdict::Unavailable | Verdict::InDoubt => true,
            Verdict::Repeat | Verdict::Fault => false,
        }
    }

    /// Nobody knows whether the transaction was stored.
    pub fn is_in_doubt(&self) -> bool {
        self.verdict() == Verdict::InDoubt
    }

    /// The connection must not be used again: it ended, or its server takes no writes (any more),
    /// or nobody knows what it is doing.
    pub(crate) fn spoils_connection(&self) -> bool {
        match self {
            Self::Driver { cause, .. } => match cause {
                sqlx::Error::Database(error) => match sqlite_code(&**error) {
                    // SQLite may have undone the transaction by itself, and the driver would go on
                    // counting it.
                    Some(code) => SQLITE_NO_FILE.contains(&code),
                    None => verdict_of(cause) == Verdict::Lost,
                },
                sqlx::Error::RowNotFound
                | sqlx::Error::ColumnNotFound(_)
                | sqlx::Error::ColumnDecode { .. }
                | sqlx::Error::ColumnIndexOutOfBounds { .. } => false,
                _ => true,
            },
            Self::InDoubt { .. } => true,
            Self::Inconsistency { .. }
            | Self::RowCount { .. }
            | Self::CommitAfterFailure { .. }
            | Self::Migration(_) => false,
        }
    }

    /// After a COMMIT: the database itself said that nothing was committed. Anything else that is
    /// no success leaves it open.
    pub(crate) fn refuses_commit(&self) -> bool {
        let Self::Driver {
            cause: sqlx::Error::Database(error),
            ..
        } = self
        else {
            return false;
        };
        match (
            error.try_downcast_ref::<PgDatabaseError>(),
            sqlite_code(&**error),
        ) {
            // FATAL and PANIC end the session, and the commit may have come before.
            (Some(error), _) => error.severity() == PgSeverity::Error,
            // What was written before an I/O error may be found by the next reader.
            (None, code) => code != Some(SQLITE_IO_ERROR),
        }
    }
}

fn verdict_of(cause: &sqlx::Error) -> Verdict {
    match cause {
        sqlx::Error::Database(error) => match (sqlite_code(&**error), error.code()) {
            (Some(code), _) if code == SQLITE_BUSY || SQLITE_NO_FILE.contains(&code) => {
                Verdict::Unavailable
            }
            (Some(_), _) | (None, None) => Verdict::Fault,
            (None, Some(code)) => verdict_of_code(&code),
        },
        sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed => Verdict::Lost,
        sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => Verdict::Unavailable,
        _ => Verdict::Fault,
    }
}

/// What PostgreSQL's error codes ask for (its manual's appendix A).
fn verdict_of_code(code: &str) -> Verdict {
    match code {
        // A deadlock, a serialization failure.
        "40P01" | "40001" => Verdict::Repeat,
        // A shutdown, a crash of another session, a start or a recovery; an idle transaction that
        // the server ended; and a server that takes no writes: on another connection there may be
        // one that does.
        "57P01" | "57P02" | "57P03" | "57P05" | "25P03" | "25006" => Verdict::Lost,
        // An I/O error; our own time-outs for locks and statements.
        "58030" | "55P03" | "57014" => Verdict::Unavailable,
        // The class of connections.
        _ if code.starts_with("08") => Verdict::Lost,
        // The class of resources: no room, no memory, no connection left.
        _ if code.starts_with("53") => Verdict::Unavailable,
        _ => Verdict::Fault,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_postgresql_has_its_verdict() {
        for (code, want) in [
            ("40P01", Verdict::Repeat),
            ("40001", Verdict::Repeat),
            ("57P01", Verdict::Lost),
            ("57P02", Verdict::Lost),
            ("57P03", Verdict::Lost),
            ("57P05", Verdict::Lost),
            ("25P03", Verdict::Lost),
            ("25006", Verdict::Lost),
            ("08000", Verdict::Lost),
            ("08006", Verdict::Lost),
            ("58030", Verdict::Unavailable),
            ("55P03", Verdict::Unavailable),
            ("57014", Verdict::Unavailable),
            ("53100", Verdict::Unavailable),
            ("53200", Verdict::Unavailable),
            ("53300", Verdict::Unavailable),
            ("23505", Verdict::Fault),
            ("25P02", Verdict::Fault),
            ("42601", Verdict::Fault),
            ("XX001", Verdict::Fault),
        ] {
            assert_eq!(verdict_of_code(code), want, "{code}");
        }
    }

    #[test]
    fn what_the_driver_reports_itself_has_its_verdict() {
        let cut = || sqlx::Error::Io(std::io::ErrorKind::UnexpectedEof.into());
        for (source, want, spoils) in [
            (cut(), Verdict::Lost, true),
            (sqlx::Error::WorkerCrashed, Verdict::Lost, true),
            (sqlx::Error::PoolTimedOut, Verdict::Unavailable, true),
            (sqlx::Error::PoolClosed, Verdict::Unavailable, true),
            (sqlx::Error::Protocol("?".into()), Verdict::Fault, true),
            (sqlx::Error::RowNotFound, Verdict::Fault, false),
        ] {
            let error = StoreError::driver("test", source);
            assert_eq!(
                (error.verdict(), error.spoils_connection()),
                (want, spoils),
                "{error:?}"
            );
            assert!(
                !error.refuses_commit(),
                "the database said nothing: {error:?}"
            );
        }
        let in_doubt = StoreError::InDoubt {
            transaction: "test",
            cause: Box::new(StoreError::driver("test", cut())),
        };
        assert!(in_doubt.is_in_doubt() && in_doubt.is_unavailable());
        assert!(!in_doubt.is_transient() && in_doubt.verdict() != Verdict::Lost);
    }
}
