//! The links of the hash chain over the audit trail. They only grow as well.
//!
//! Whoever links holds the lock of [`Tx::lock_chain`] and reads what is there after it has it: so
//! two processes never link the same entry, nor after the same link. The table's keys refuse that
//! too.

use balefire_domain::audit_chain::{AuditRow, ChainHash, Linked};
use balefire_domain::ids::ServiceId;
use balefire_domain::time::Timestamp;

use crate::audit_entries::read_row;
use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// The newest link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastLink {
    /// Its place.
    pub position: i64,
    /// Its hash, as stored.
    pub hash: String,
    /// When its entry was written; absent where the entry is gone.
    pub at: Option<Timestamp>,
}

statements! {
    LOCK(lock): "SELECT value FROM counters WHERE name = 'audit_chain'";
    LAST: "SELECT l.position, l.hash, e.at FROM audit_links l
        LEFT JOIN audit_entries e ON e.id = l.entry_id ORDER BY l.position DESC LIMIT 1";
    LIST_UNLINKED: "SELECT e.* FROM audit_entries e WHERE e.at >= $1
            AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.entry_id = e.id)
        ORDER BY e.at, e.id LIMIT $2";
    FIND: "SELECT position FROM audit_links WHERE entry_id = $1";
    COUNT_UNLINKED: "SELECT COUNT(*) AS n FROM audit_entries e
        WHERE NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.entry_id = e.id)";
    INSERT: "INSERT INTO audit_links (position, entry_id, hash) VALUES ($1, $2, $3)";
    LIST: "SELECT l.position, l.entry_id, l.hash, e.* FROM audit_links l
        LEFT JOIN audit_entries e ON e.id = l.entry_id
        WHERE l.position > $1 ORDER BY l.position LIMIT $2";
    LIST_OF_SERVICE: "SELECT l.position, l.entry_id, l.hash, e.* FROM audit_entries e
        JOIN audit_links l ON l.entry_id = e.id
        WHERE e.service_id = $1 AND l.position < $2 ORDER BY l.position DESC LIMIT $3";
    UNLINKED_OF_SERVICE: "SELECT e.* FROM audit_entries e
        WHERE e.service_id = $1 AND e.at >= $2
            AND NOT EXISTS (SELECT 1 FROM audit_links l WHERE l.entry_id = e.id)
        ORDER BY e.at DESC, e.id DESC LIMIT $3";
}

impl Tx {
    /// Waits until nobody else links, and keeps others from it until the transaction's end.
    pub async fn lock_chain(&mut self) -> Result<(), StoreError> {
        fetch_all!(self, |row| row.int("value"), LOCK).map(drop)
    }

    /// The newest link.
    pub async fn last_link(&mut self) -> Result<Option<LastLink>, StoreError> {
        fetch_optional!(self, read_last, LAST)
    }

    /// Entries written at `since` or later that have no link, in the order of their time.
    pub async fn list_unlinked(
        &mut self,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        fetch_all!(self, read_row, LIST_UNLINKED, since.micros(), signed(limit))
    }

    /// Whether an entry has a link.
    pub async fn is_linked(&mut self, entry_id: &str) -> Result<bool, StoreError> {
        let found = fetch_optional!(self, |row| row.int("position"), FIND, entry_id.to_owned());
        Ok(found?.is_some())
    }

    /// How many entries have no link: looks at all of them.
    pub async fn count_unlinked(&mut self) -> Result<u32, StoreError> {
        let counted = fetch_optional!(self, |row| row.count("n"), COUNT_UNLINKED);
        Ok(counted?.unwrap_or_default())
    }

    /// Adds a link.
    pub async fn insert_link(
        &mut self,
        position: i64,
        entry_id: &str,
        hash: ChainHash,
    ) -> Result<(), StoreError> {
        let (entry_id, hash) = (entry_id.to_owned(), hash.to_string());
        execute_one!(self, INSERT, position, entry_id, hash)
    }

    /// The links after `after` with their entries, in their order. `None`: from the first one on,
    /// and whatever stands before it.
    pub async fn list_links(
        &mut self,
        after: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Linked>, StoreError> {
        let after = after.unwrap_or(i64::MIN);
        fetch_all!(self, read_linked, LIST, after, signed(limit))
    }

    /// The linked entries of a service before `before`, newest first.
    pub async fn list_links_of_service(
        &mut self,
        service: ServiceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<Linked>, StoreError> {
        let before = before.unwrap_or(i64::MAX);
        let service = service.to_string();
        fetch_all!(
            self,
            read_linked,
            LIST_OF_SERVICE,
            service.clone(),
            before,
            signed(limit)
        )
    }

    /// The entries of a service written at `since` or later that have no link, newest first.
    pub async fn list_unlinked_of_service(
        &mut self,
        service: ServiceId,
        since: Timestamp,
        limit: usize,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let service = service.to_string();
        fetch_all!(
            self,
            read_row,
            UNLINKED_OF_SERVICE,
            service.clone(),
            since.micros(),
            signed(limit)
        )
    }
}

fn signed(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn read_last(row: &impl Row) -> Result<LastLink, StoreError> {
    Ok(LastLink {
        position: row.int("position")?,
        hash: row.text("hash")?,
        at: row.opt_instant("at")?,
    })
}

fn read_linked(row: &impl Row) -> Result<Linked, StoreError> {
    let is_there = row.opt_text("id")?.is_some();
    Ok(Linked {
        position: row.int("position")?,
        entry_id: row.text("entry_id")?,
        hash: row.text("hash")?,
        row: if is_there { Some(read_row(row)?) } else { None },
    })
}
