//! Linking, judging and reading the audit trail (D53).
//!
//! Entries are written in the transaction of their act; they are linked a moment later, in the
//! order in which they are found, by whichever process comes first. So no act waits for another's
//! link.

use balefire_domain::audit_chain::{AuditRow, ChainHash, Judge, Linked, Verdict};
use balefire_domain::ids::ServiceId;
use balefire_domain::limits::{
    AUDIT_COMMIT_DELAY_MAX, AUDIT_HISTORY_PAGE_MAX, AUDIT_LINKS_PER_ROUND_MAX, AUDIT_PAGE_LINKS,
};
use balefire_domain::time::Timestamp;
use balefire_store::StoreError;
use balefire_store::audit_links::LastLink;

use crate::{App, repeat};

/// Which entries without a link are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The latest: not much older than the newest link's. Cheap, however long the trail is.
    Latest,
    /// All: reads the whole trail.
    All,
}

/// An entry of a service's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its place in the chain; absent for the moment until it is linked.
    pub position: Option<i64>,
    /// What it says.
    pub row: AuditRow,
}

impl App {
    /// Links what is not linked yet; how many entries that were. Several processes may do so at
    /// once.
    ///
    /// # Errors
    ///
    /// The database failed: what was linked before stays, and a later call does the rest.
    pub async fn link_audit(&self, look: Look) -> Result<u64, StoreError> {
        let (mut linked, mut from) = (0, None);
        loop {
            // Found without a lock: as a rule there is nothing, and a look at a long trail takes
            // its time, which nobody is to wait for.
            let found = repeat(|| self.find_unlinked(look, from)).await?;
            let Some(last) = found.last() else {
                return Ok(linked);
            };
            // What is before it was looked at: a long trail is walked through once.
            from = Some(Timestamp::from_micros(last.at_us));
            linked += repeat(|| self.link_entries(&found)).await?;
            if found.len() < AUDIT_LINKS_PER_ROUND_MAX {
                return Ok(linked);
            }
        }
    }

    async fn find_unlinked(
        &self,
        look: Look,
        from: Option<Timestamp>,
    ) -> Result<Vec<AuditRow>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("find_unlinked_audit", now).await?;
        let last = tx.last_link().await?;
        let since = from.unwrap_or_else(|| since(look, last.as_ref(), now));
        tx.list_unlinked(since, AUDIT_LINKS_PER_ROUND_MAX).await
    }

    /// Links those of these entries that nobody else linked meanwhile; how many.
    async fn link_entries(&self, found: &[AuditRow]) -> Result<u64, StoreError> {
        let mut tx = self.store.begin("link_audit", self.clock.now()).await?;
        tx.lock_chain().await?;
        let last = tx.last_link().await?;
        let (mut position, mut hash) = match last {
            // A hash that is none stays where it is, and is found by whoever judges.
            Some(last) => (last.position, last.hash.parse().unwrap_or_default()),
            None => (0, ChainHash::BEFORE_THE_FIRST),
        };
        let mut linked = 0;
        for row in found {
            if tx.is_linked(&row.id).await? {
                continue;
            }
            position += 1;
            hash = hash.next(row);
            tx.insert_link(position, &row.id, hash).await?;
            linked += 1;
        }
        tx.commit().await?;
        Ok(linked)
    }

    /// The newest link.
    pub async fn audit_head(&self) -> Result<Option<LastLink>, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("audit_head", now).await?;
        tx.last_link().await
    }

    /// How many entries have no link yet.
    pub async fn count_unlinked_audit(&self) -> Result<u32, StoreError> {
        let now = self.clock.now();
        let mut tx = self.store.begin_read("count_unlinked_audit", now).await?;
        tx.count_unlinked().await
    }

    /// The links after a position with their entries, [`AUDIT_PAGE_LINKS`] at most.
    pub async fn list_audit_links(&self, after: Option<i64>) -> Result<Vec<Linked>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_audit_links", now).await?;
            tx.list_links(after, AUDIT_PAGE_LINKS).await
        })
        .await
    }

    /// Judges every link there is, and looks for a head that was noted earlier. Links nothing.
    pub async fn verify_audit(&self, noted: Option<ChainHash>) -> Result<Verdict, StoreError> {
        let mut judge = Judge::new(noted);
        let mut after = None;
        loop {
            let page = self.list_audit_links(after).await?;
            let Some(last) = page.last() else {
                return Ok(judge.end());
            };
            after = Some(last.position);
            for link in &page {
                judge.take(link);
            }
        }
    }

    /// What was done to a service and by its leave, newest first, `limit` entries at most and never
    /// more than [`AUDIT_HISTORY_PAGE_MAX`]. `before`: only what stands before this position,
    /// the last one of the page before; without it the newest, and what is not linked yet as well.
    /// Whether the reader may see it is for the caller to ask.
    pub async fn service_history(
        &self,
        service: ServiceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        let limit = limit.min(AUDIT_HISTORY_PAGE_MAX);
        let page = self.service_history_once(service, before, limit).await?;
        let is_full = page.len() == limit;
        if !is_full || page.iter().any(|entry| entry.position.is_some()) {
            return Ok(page);
        }
        // More may not be linked than has room here: it gets its places first, so that the reader
        // can go on from the last.
        self.link_audit(Look::Latest).await?;
        self.service_history_once(service, before, limit).await
    }

    async fn service_history_once(
        &self,
        service: ServiceId,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Vec<HistoryEntry>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("service_history", now).await?;
            let mut entries = Vec::new();
            if before.is_none() {
                let last = tx.last_link().await?;
                let since = since(Look::Latest, last.as_ref(), now);
                let rows = tx.list_unlinked_of_service(service, since, limit).await?;
                entries.extend(rows.into_iter().map(|row| HistoryEntry {
                    position: None,
                    row,
                }));
            }
            let room = limit - entries.len();
            let links = tx.list_links_of_service(service, before, room).await?;
            entries.extend(links.into_iter().filter_map(|link| {
                let position = Some(link.position);
                link.row.map(|row| HistoryEntry { position, row })
            }));
            Ok(entries)
        })
        .await
    }
}

/// From when on entries are looked for.
fn since(look: Look, last: Option<&LastLink>, now: Timestamp) -> Timestamp {
    let linked_at = last.and_then(|last| last.at);
    match (look, linked_at) {
        // The newest link's time may be that of a clock that was ahead.
        (Look::Latest, Some(at)) => at.min(now) - AUDIT_COMMIT_DELAY_MAX,
        (Look::Latest, None) | (Look::All, _) => Timestamp::from_micros(i64::MIN),
    }
}
