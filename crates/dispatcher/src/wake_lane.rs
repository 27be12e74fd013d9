//! Wake-ups that name a lane, as a queue between processes brings them.
//!
//! They are no commands. What is due is read from the database, as after any other wake-up; the
//! name only says which turn the caller wants to see the end of. So a wake-up that comes twice,
//! late, out of order or for a lane that nobody knows makes no attempt.

use std::sync::PoisonError;

use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::DutyKind;
use tokio::sync::oneshot;

use crate::Dispatcher;
use crate::ports::{Database, LaneKey, Stored, Transaction, WayOut};
use crate::settle::log_duty;
use crate::sweep::bounded;

/// Callers that wait for a turn at once; others get their wake-up and no wait.
const WAITING_MAX: usize = 1_000;

/// Somebody who waits for the end of a lane's turn.
pub(crate) struct Waiting {
    pub(crate) key: LaneKey,
    /// Dropped at the end of the turn.
    pub(crate) until: oneshot::Sender<()>,
}

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Looks for what is due, and ends when this lane has no turn under way: at once where it was
    /// not due.
    pub async fn wake_lane(&self, key: LaneKey) {
        let (until, ended) = oneshot::channel();
        {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.len() < WAITING_MAX {
                waiting.push(Waiting { key, until });
            }
        }
        self.wake.notify_one();
        // Nothing is ever sent: the other end is dropped.
        drop(ended.await);
    }

    pub(crate) fn take_waiting(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells the person on duty that a queue gave up waking this lane, where a delivery of it has
    /// not ended; whether that is news. A delivery that has ended is left alone, however it ended.
    pub async fn note_given_up(&self, key: &LaneKey) -> Stored<bool> {
        bounded("dispatch.note_given_up", self.note_given_up_once(key)).await
    }

    async fn note_given_up_once(&self, key: &LaneKey) -> Stored<bool> {
        let name = "dispatch.note_given_up";
        let mut tx = self.store.begin(name, self.clock.now()).await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(false);
        };
        let Some(target) = lane.target().filter(|target| !target.state.is_terminal()) else {
            return Ok(false);
        };
        let kind = DutyKind::WakeUpGivenUp;
        let id = DutyItemId::new(self.entropy.uuid_v7(tx.now()));
        let (subject, provider) = (
            format!("delivery {}", target.id),
            Some(key.provider.as_str()),
        );
        let is_news = tx
            .open_duty_item(id, kind, &subject, Some(key.alert_id), provider)
            .await?;
        tx.commit().await?;
        if is_news {
            log_duty(key, kind, target.id);
        }
        Ok(is_news)
    }
}
