//! What the public site reads, and what its publisher says of its progress.

use std::time::Duration;

use balefire_domain::channel::Channel;
use balefire_domain::ids::PublishTaskId;
use balefire_domain::limits::{PUBLIC_ALERTS_MAX, PUBLISH_TASKS_LISTED_MAX};
use balefire_domain::time::Timestamp;
use balefire_store::StoreError;
use balefire_store::alerts::Alert;
pub use balefire_store::publish_tasks::PublishTask;

use crate::{App, repeat};

/// 25 May 2021, 00:00 UTC: what was sent before were trials (R98).
const PUBLIC_SINCE: Timestamp = Timestamp::from_seconds(1_621_900_800);
/// How long alerts on the channels for tests are told of.
const TESTS_TOLD_FOR: Duration = Duration::from_secs(48 * 3600);

/// Which alerts are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Those for everybody; and those on the channels for tests for two days.
    ForPages,
    /// On whatever channel.
    Everything,
}

/// What a task of the publisher says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It published this file.
    Published(String),
    /// It is done.
    Finished,
}

impl App {
    /// The alerts that the public may read, the newest first, each with its channel.
    pub async fn list_public_alerts(
        &self,
        told: Told,
    ) -> Result<Vec<(Alert, Channel)>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_public_alerts", now).await?;
            let tests_since = match told {
                Told::ForPages => now - TESTS_TOLD_FOR,
                Told::Everything => PUBLIC_SINCE,
            };
            let alerts = tx
                .list_public_alerts(PUBLIC_SINCE, tests_since, PUBLIC_ALERTS_MAX)
                .await?;
            if alerts.len() == PUBLIC_ALERTS_MAX as usize {
                tracing::warn!(
                    event = "public.cut",
                    alerts = alerts.len(),
                    "the public site is told of the newest alerts only"
                );
            }
            Ok(alerts)
        })
        .await
    }

    /// Notes that the site shows that alerts are over: those that are, of active live services.
    pub async fn acknowledge_public_alerts(&self) -> Result<u64, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("acknowledge_public_alerts", now).await?;
            let count = tx.acknowledge_finished_alerts().await?;
            tx.commit().await?;
            Ok(count)
        })
        .await
    }

    /// A task of the publisher starts.
    pub async fn start_publish_task(&self, task_id: &str) -> Result<PublishTask, StoreError> {
        let id = PublishTaskId::new(self.entropy.uuid_v7(self.clock.now()));
        let mut tx = self
            .store
            .begin("start_publish_task", self.clock.now())
            .await?;
        tx.insert_publish_task(id, task_id).await?;
        let task = PublishTask {
            id,
            task_id: task_id.to_owned(),
            last_file: None,
            started_at: tx.now,
            active_at: tx.now,
            finished_at: None,
        };
        tx.commit().await?;
        Ok(task)
    }

    /// A task of the publisher; `None` where there is none.
    pub async fn load_publish_task(
        &self,
        id: PublishTaskId,
    ) -> Result<Option<PublishTask>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_publish_task", now).await?;
            tx.load_publish_task(id).await
        })
        .await
    }

    /// Notes what a task says; the task as it now is, `None` where there is none.
    pub async fn report_publish_task(
        &self,
        id: PublishTaskId,
        report: &Report,
    ) -> Result<Option<PublishTask>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("report_publish_task", now).await?;
            let is_known = match report {
                Report::Published(file) => tx.save_published_file(id, file).await?,
                Report::Finished => tx.finish_publish_task(id).await?,
            };
            let task = tx.load_publish_task(id).await?;
            tx.commit().await?;
            Ok(task.filter(|_| is_known))
        })
        .await
    }

    /// The publisher's tasks that are not finished, the newest first.
    pub async fn list_publish_tasks(&self) -> Result<Vec<PublishTask>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_publish_tasks", now).await?;
            tx.list_open_publish_tasks(PUBLISH_TASKS_LISTED_MAX).await
        })
        .await
    }

    /// Removes tasks of the publisher that started more than so many days ago; how many.
    pub async fn purge_publish_tasks(&self, days: u32) -> Result<u64, StoreError> {
        let age = Duration::from_secs(u64::from(days) * 86_400);
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("purge_publish_tasks", now).await?;
            let count = tx.delete_publish_tasks(now - age).await?;
            tx.commit().await?;
            Ok(count)
        })
        .await
    }
}
