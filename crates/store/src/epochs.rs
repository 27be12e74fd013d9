//! The database's histories: which one we work on, and what it begins with.
//!
//! PostgreSQL says it itself; each connection asks once, when it opens, since no failover leaves a
//! connection open. SQLite has a mark beside its file: the latest sign of life that the file is
//! known to have held.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use balefire_domain::time::Timestamp;

use crate::sql::{Row, Sql, StoreError};
use crate::store::{PRIVATE_MODE, Pools, Store, Tx};

/// Asked of PostgreSQL when a connection opens; absent on a standby, which is not worked on.
pub(crate) const ASK: Sql = Sql {
    name: "balefire_store::epochs::ASK",
    sqlite: "",
    postgres: "-- balefire_store::epochs::ASK\n\
        SELECT CASE WHEN pg_is_in_recovery() THEN NULL ELSE \
        (SELECT CAST(system_identifier AS TEXT) FROM pg_control_system()) || '.' \
        || (SELECT CAST(oid AS TEXT) FROM pg_database WHERE datname = current_database()) || '/' \
        || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END",
};

/// The statements that exist on PostgreSQL only.
pub(crate) const POSTGRES_ONLY: &[Sql] = &[ASK];

/// A history of the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Epoch {
    /// PostgreSQL: `<system id>.<database's oid>/<timeline>`; SQLite: `sqlite/` and an id of its
    /// own.
    pub id: String,
    /// When it was entered; later than every one before.
    pub began_at: Timestamp,
    /// Until then nothing leaves.
    pub quarantine_until: Option<Timestamp>,
    /// A person must say that it may go on.
    pub needs_release: bool,
}

statements! {
    LATEST: "SELECT id, began_at, quarantine_until, needs_release AND released_at IS NULL AS waits
        FROM database_epochs ORDER BY began_at DESC, id DESC LIMIT 1";
    INSERT: "INSERT INTO database_epochs (id, began_at, quarantine_until, needs_release)
        VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
    RELEASE: "UPDATE database_epochs SET released_at = $1, released_by = $2
        WHERE needs_release AND released_at IS NULL";
    TAINT: "UPDATE lanes SET is_tainted = TRUE WHERE finishes_at > $1";
    WAKE_HELD: "UPDATE lanes SET wake_at = $1 WHERE wake_at > $1";
    LATEST_SIGN: "SELECT max(seen_at) AS seen_at FROM (
        SELECT max(seen_at) AS seen_at FROM instances
        UNION ALL SELECT max(created_at) FROM events) AS signs";
}

impl Store {
    /// The history that we work on, where the database says so itself.
    pub fn epoch_here(&self) -> Option<String> {
        match &self.pools {
            Pools::Sqlite { .. } => None,
            Pools::Postgres { epoch, .. } => epoch.read(),
        }
    }

    /// SQLite's mark; `None` where there is none, or on PostgreSQL.
    pub fn read_mark(&self) -> Option<Timestamp> {
        let path = self.mark_path()?;
        let text = std::fs::read_to_string(path).ok()?;
        text.trim().parse().ok().map(Timestamp::from_micros)
    }

    /// Moves SQLite's mark on. It appears whole or not at all. Nothing on PostgreSQL.
    pub fn write_mark(&self, seen: Timestamp) -> std::io::Result<()> {
        let Some(path) = self.mark_path() else {
            return Ok(());
        };
        let fresh = path.with_extension("mark.new");
        let mut file = File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(PRIVATE_MODE)
            .open(&fresh)?;
        writeln!(file, "{}", seen.micros())?;
        file.sync_all()?;
        std::fs::rename(fresh, path)
    }

    fn mark_path(&self) -> Option<&Path> {
        match &self.pools {
            Pools::Sqlite { mark, .. } => Some(mark),
            Pools::Postgres { .. } => None,
        }
    }
}

impl Tx {
    /// The history that was entered last.
    pub async fn latest_epoch(&mut self) -> Result<Option<Epoch>, StoreError> {
        fetch_optional!(self, read, LATEST)
    }

    /// Enters a history; false when another process did.
    pub async fn insert_epoch(&mut self, epoch: &Epoch) -> Result<bool, StoreError> {
        let rows = execute!(
            self,
            INSERT,
            epoch.id.clone(),
            epoch.began_at.micros(),
            epoch.quarantine_until.map(Timestamp::micros),
            epoch.needs_release
        )?;
        Ok(rows == 1)
    }

    /// Lets a restored copy go on; false when none waited.
    pub async fn release_epochs(&mut self, by: &str) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, RELEASE, now, by.to_owned())? > 0)
    }

    /// Marks the lanes of every alert that ends after `since`: attempts of theirs may be forgotten.
    pub async fn taint_lanes(&mut self, since: Timestamp) -> Result<u64, StoreError> {
        execute!(self, TAINT, since.micros())
    }

    /// Lets every lane that waits be looked at now.
    pub async fn wake_waiting_lanes(&mut self) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, WAKE_HELD, now)
    }

    /// The latest instant at which an event was approved or a process was seen.
    pub async fn latest_sign_of_life(&mut self) -> Result<Option<Timestamp>, StoreError> {
        let sign = fetch_optional!(self, |row| row.opt_instant("seen_at"), LATEST_SIGN)?;
        Ok(sign.flatten())
    }
}

fn read(row: &impl Row) -> Result<Epoch, StoreError> {
    Ok(Epoch {
        id: row.text("id")?,
        began_at: row.instant("began_at")?,
        quarantine_until: row.opt_instant("quarantine_until")?,
        needs_release: row.bool("waits")?,
    })
}
