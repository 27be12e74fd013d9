//! After a crash: attempts of processes that are dead are closed `unknown` (D26). A wrong verdict
//! is harmless: the drain still counts from the attempt's deadline.

use std::sync::PoisonError;

use balefire_domain::ids::{DutyItemId, InstanceId};
use balefire_domain::lane::{DutyKind, LaneEvent, step};
use balefire_domain::limits::{LANES_PER_SWEEP_MAX, UNSEEN_MAX};
use balefire_domain::outcome::Outcome;
use balefire_store::crash_point;

use crate::Dispatcher;
use crate::ports::{Database, LaneKey, Stored, Transaction, WayOut};
use crate::settle::log_duty;
use crate::sweep::bounded;

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Enters this process, and declares its predecessors dead.
    pub(crate) async fn enter(&self) -> Stored<()> {
        let mut tx = self.store.begin("instance.enter", self.clock.now()).await?;
        let predecessors = tx
            .insert_instance(self.instance(), &self.settings.instance_name)
            .await?;
        tx.commit().await?;
        tracing::info!(
            event = "instance.entered", instance.id = %self.instance(),
            instance.name = self.settings.instance_name, predecessors, "the dispatcher begins"
        );
        Ok(())
    }

    /// Says that this process lives, and declares dead what was not seen. A process that was
    /// declared dead goes on under a new id.
    pub(crate) async fn beat(&self) -> Stored<()> {
        let mut tx = self.store.begin("instance.beat", self.clock.now()).await?;
        let is_known = tx.see_instance(self.instance()).await?;
        let since = tx.now() - UNSEEN_MAX;
        // A clock in doubt can't tell who was not seen for long.
        let dead = if self.clock.is_trusted() {
            tx.end_unseen_instances(since).await?
        } else {
            0
        };
        tx.commit().await?;
        if dead > 0 {
            tracing::warn!(
                event = "instance.dead",
                count = dead,
                "processes were not seen"
            );
        }
        if !is_known {
            tracing::error!(
                event = "instance.declared_dead", instance.id = %self.instance(),
                "this process was declared dead and goes on under a new id: it was not seen for \
                 a while, or another process has its name (dispatch.instance_name)"
            );
            let id = InstanceId::new(self.entropy.uuid_v7(self.clock.now()));
            *self
                .instance
                .write()
                .unwrap_or_else(PoisonError::into_inner) = id;
            let name = &self.settings.instance_name;
            let mut tx = self
                .store
                .begin("instance.enter_again", self.clock.now())
                .await?;
            tx.insert_instance_again(id, name).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Says goodbye.
    pub(crate) async fn leave(&self) -> Stored<()> {
        let mut tx = self.store.begin("instance.leave", self.clock.now()).await?;
        tx.end_instance(self.instance()).await?;
        tx.commit().await
    }

    /// Closes attempts whose process is dead. One that can't be closed hides no other.
    pub(crate) async fn close_orphans(&self) -> Stored<()> {
        if self.planted.orphans_stay_open() || !self.clock.is_trusted() {
            return Ok(());
        }
        let orphans = bounded("list_orphans", async {
            let mut tx = self
                .store
                .begin_read("list_orphans", self.clock.now())
                .await?;
            tx.list_orphaned_attempts(LANES_PER_SWEEP_MAX).await
        })
        .await?;
        for (key, attempt) in orphans {
            crash_point("orphan.found");
            tracing::warn!(
                event = "attempt.orphaned", alert.id = %key.alert_id, provider = %key.provider,
                attempt.id = %attempt, "the process that sent this is gone; its outcome is unknown"
            );
            if let Err(error) = self.play(&key, LaneEvent::OwnerDied { attempt }).await {
                tracing::error!(
                    event = "recovery.failed", attempt.id = %attempt,
                    error = &error as &dyn std::error::Error,
                    "an attempt of a dead process could not be closed; the next beat tries again"
                );
            }
        }
        self.wake.notify_one();
        Ok(())
    }

    /// A lane that can't be read or stored can't become stuck by itself: a person is told.
    pub(crate) async fn tell_unreadable(&self, key: &LaneKey) {
        let telling = async {
            let now = self.clock.now();
            let mut tx = self.store.begin("dispatch.tell_unreadable", now).await?;
            let id = DutyItemId::new(self.entropy.uuid_v7(now));
            let (subject, provider) = (format!("lane {key}"), Some(key.provider.as_str()));
            let kind = DutyKind::LanePanicked;
            let is_new = tx
                .open_duty_item(id, kind, &subject, Some(key.alert_id), provider)
                .await?;
            tx.commit().await?;
            Ok(is_new)
        };
        match bounded("dispatch.tell_unreadable", telling).await {
            Ok(false) => {}
            Ok(true) => tracing::error!(
                event = "duty_item.opened", alert.id = %key.alert_id, provider = %key.provider,
                kind = DutyKind::LanePanicked.as_str(), advice = DutyKind::LanePanicked.advice(),
                "a person on duty is needed"
            ),
            Err(error) => tracing::error!(
                event = "lane.not_told", alert.id = %key.alert_id, provider = %key.provider,
                error = &error as &dyn std::error::Error,
                "a lane that can't be read could not be told of; the next sweep tries again"
            ),
        }
    }

    /// After a panic in a lane's turn: its attempt ends unknown, a person is told, the lane goes on
    /// at its back-off (D34).
    pub(crate) async fn after_panic(&self, key: &LaneKey) -> Stored<()> {
        bounded("dispatch.after_panic", self.after_panic_once(key)).await
    }

    async fn after_panic_once(&self, key: &LaneKey) -> Stored<()> {
        let mut tx = self
            .store
            .begin("dispatch.after_panic", self.clock.now())
            .await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(());
        };
        let own = self.instance();
        let policy = self.policy(&mut tx, &key.provider).await?;
        let mut closed = lane.clone();
        let mut effects = Vec::new();
        for attempt in lane.open_attempts().filter(|a| a.opened_by == own) {
            let event = LaneEvent::Answered {
                attempt: attempt.id,
                outcome: Outcome::Unknown,
                jitter_permille: self.entropy.jitter_permille(),
            };
            let stepped = step(&closed, event, tx.now(), &policy);
            closed = stepped.lane;
            effects.extend(stepped.effects);
        }
        if closed != lane {
            tx.save_lane(key, &lane, &closed).await?;
            self.apply_duties(&mut tx, key, &effects).await?;
        }
        if let Some(target) = lane.target() {
            let (kind, subject) = (DutyKind::LanePanicked, format!("delivery {}", target.id));
            let id = DutyItemId::new(self.entropy.uuid_v7(tx.now()));
            let provider = Some(key.provider.as_str());
            if tx
                .open_duty_item(id, kind, &subject, Some(key.alert_id), provider)
                .await?
            {
                log_duty(key, kind, target.id);
            }
        }
        tx.commit().await
    }
}
