//! What the public site's publishing told of its progress.

use balefire_domain::ids::PublishTaskId;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// A task of the publisher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishTask {
    /// Its id here.
    pub id: PublishTaskId,
    /// Its own name.
    pub task_id: String,
    /// The file that it published last.
    pub last_file: Option<String>,
    /// When it said that it starts.
    pub started_at: Timestamp,
    /// When it was last heard of.
    pub active_at: Timestamp,
    /// When it said that it is done.
    pub finished_at: Option<Timestamp>,
}

statements! {
    INSERT: "INSERT INTO publish_tasks (id, task_id, started_at, active_at)
        VALUES ($1, $2, $3, $3)";
    LOAD: "SELECT * FROM publish_tasks WHERE id = $1";
    LIST_OPEN: "SELECT * FROM publish_tasks WHERE finished_at IS NULL
        ORDER BY started_at DESC, id DESC LIMIT $1";
    SAVE_FILE: "UPDATE publish_tasks SET last_file = $2, active_at = $3 WHERE id = $1";
    FINISH: "UPDATE publish_tasks SET finished_at = $2, active_at = $2 WHERE id = $1";
    DELETE_OLD: "DELETE FROM publish_tasks WHERE started_at < $1";
}

impl Tx {
    /// Stores a task that starts now.
    pub async fn insert_publish_task(
        &mut self,
        id: PublishTaskId,
        task_id: &str,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute_one!(self, INSERT, id.to_string(), task_id.to_owned(), now)
    }

    /// The task with this id.
    pub async fn load_publish_task(
        &mut self,
        id: PublishTaskId,
    ) -> Result<Option<PublishTask>, StoreError> {
        fetch_optional!(self, read, LOAD, id.to_string())
    }

    /// Tasks that did not finish, the newest first, at most `limit`.
    pub async fn list_open_publish_tasks(
        &mut self,
        limit: u32,
    ) -> Result<Vec<PublishTask>, StoreError> {
        fetch_all!(self, read, LIST_OPEN, i64::from(limit))
    }

    /// Notes the file that a task has published; false where there is no such task.
    pub async fn save_published_file(
        &mut self,
        id: PublishTaskId,
        file: &str,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, SAVE_FILE, id.to_string(), file.to_owned(), now)? == 1)
    }

    /// Notes that a task is done; false where there is no such task.
    pub async fn finish_publish_task(&mut self, id: PublishTaskId) -> Result<bool, StoreError> {
        let now = self.now.micros();
        Ok(execute!(self, FINISH, id.to_string(), now)? == 1)
    }

    /// Removes tasks that started before then; how many.
    pub async fn delete_publish_tasks(&mut self, before: Timestamp) -> Result<u64, StoreError> {
        execute!(self, DELETE_OLD, before.micros())
    }
}

fn read(row: &impl Row) -> Result<PublishTask, StoreError> {
    Ok(PublishTask {
        id: row.id("id", PublishTaskId::new)?,
        task_id: row.text("task_id")?,
        last_file: row.opt_text("last_file")?,
        started_at: row.instant("started_at")?,
        active_at: row.instant("active_at")?,
        finished_at: row.opt_instant("finished_at")?,
    })
}
