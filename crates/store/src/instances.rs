//! Running processes: who owns the attempts that are open (D26).

use balefire_domain::ids::InstanceId;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

statements! {
    INSERT: "INSERT INTO instances (id, name, started_at, seen_at) VALUES ($1, $2, $3, $3)";
    SEE: "UPDATE instances SET seen_at = $2 WHERE id = $1 AND ended_at IS NULL";
    END: "UPDATE instances SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL";
    END_NAMESAKES: "UPDATE instances SET ended_at = $3
        WHERE name = $1 AND id <> $2 AND ended_at IS NULL";
    END_UNSEEN: "UPDATE instances SET ended_at = $1 WHERE seen_at < $2 AND ended_at IS NULL";
    SEEN: "SELECT id FROM instances WHERE ended_at IS NULL AND seen_at >= $1 LIMIT 1";
    LIST_LIVING: "SELECT name FROM instances WHERE ended_at IS NULL ORDER BY started_at";
}

impl Tx {
    /// Enters this process, and declares its predecessors of the same name dead; how many.
    pub async fn insert_instance(&mut self, id: InstanceId, name: &str) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute_one!(self, INSERT, id.to_string(), name.to_owned(), now)?;
        execute!(self, END_NAMESAKES, name.to_owned(), id.to_string(), now)
    }

    /// Enters this process under a new id, and leaves others of its name alone: two processes of
    /// one name must not declare each other dead in turn.
    pub async fn insert_instance_again(
        &mut self,
        id: InstanceId,
        name: &str,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(self, INSERT, id.to_string(), name.to_owned(), now)
    }

    /// Says that this process lives; false when it was declared dead.
    pub async fn see_instance(&mut self, id: InstanceId) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, SEE, id.to_string(), now)? == 1)
    }

    /// Says that this process ends.
    pub async fn end_instance(&mut self, id: InstanceId) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute!(self, END, id.to_string(), now).map(drop)
    }

    /// Declares dead what was not seen since `since`; how many.
    pub async fn end_unseen_instances(&mut self, since: Timestamp) -> Result<u64, StoreError> {
        let now = self.now.micros();
        execute!(self, END_UNSEEN, now, since.micros())
    }

    /// Whether a process that dispatches was seen since `since`.
    pub async fn is_instance_seen_since(&mut self, since: Timestamp) -> Result<bool, StoreError> {
        let seen = fetch_optional!(self, |row| row.text("id"), SEEN, since.micros())?;
        Ok(seen.is_some())
    }

    /// The names of the processes that live.
    pub async fn list_living_instances(&mut self) -> Result<Vec<String>, StoreError> {
        fetch_all!(self, |row| row.text("name"), LIST_LIVING)
    }
}
