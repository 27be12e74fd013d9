//! Entering the database's history: whether a failover or a restore may have forgotten attempts.

use std::time::Duration;

use balefire_domain::audit::Actor;
use balefire_domain::epoch::{self, Change};
use balefire_domain::ids::{DutyItemId, UserId};
use balefire_domain::lane::DutyKind;
use balefire_domain::lane::policy::CANCEL_MARGIN;
use balefire_domain::time::Timestamp;
use balefire_store::epochs::Epoch;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::{App, Failure};

/// What the duty items and audit entries of this kind are about.
const SUBJECT: &str = "database";

/// Only a platform administrator may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAdministrator;

impl App {
    /// Compares the database with what was last known of it, and enters a new history where it is
    /// another: with its quarantine, its tainted lanes, its duty item and its audit entry, in one
    /// transaction. To be called before anything is dispatched, and again whenever a connection
    /// found another history; of several processes one enters.
    ///
    /// The history that is entered now; `None` where our clock can't say how long a quarantine
    /// lasts: ask again, dispatch is held meanwhile.
    pub async fn enter_epoch(&self) -> Result<Option<String>, StoreError> {
        let mut tx = self.store.begin("enter_epoch", self.clock.now()).await?;
        let latest = tx.latest_epoch().await?;
        let (change, here) = self.judge_epoch(&mut tx, latest.as_ref()).await?;
        if change == Change::Same {
            if self.store.read_mark().is_none() {
                self.mark(Timestamp::from_micros(0));
            }
            return Ok(latest.map(|latest| latest.id));
        }
        let is_clock_wrong = !self.clock.is_trusted() || self.clock.was_ahead_at(tx.now);
        if change == Change::FailedOver && is_clock_wrong {
            return Ok(None);
        }
        let quarantine = epoch::quarantine(&self.settings.figures, &self.settings.profiles);
        // Later than the one before, whatever clock that one was entered by.
        let after = latest.map_or(tx.now, |latest| latest.began_at + Duration::from_micros(1));
        let entered = Epoch {
            id: here,
            began_at: tx.now.max(after),
            quarantine_until: (change == Change::FailedOver).then(|| tx.now + quarantine),
            needs_release: change == Change::Restored,
        };
        if !tx.insert_epoch(&entered).await? {
            return Ok(None); // Another process enters it, or it came back: look again.
        }
        self.tell_of(&mut tx, change, &entered).await?;
        let seen = tx.latest_sign_of_life().await?;
        tx.commit().await?;
        // Only now: a mark that was ahead of the commit would hide the copy from the next start.
        self.mark(seen.unwrap_or(Timestamp::from_micros(0)));
        Self::log_change(change, &entered);
        Ok(Some(entered.id))
    }

    /// What became of the database, and the name of the history that it is now.
    async fn judge_epoch(
        &self,
        tx: &mut Tx,
        latest: Option<&Epoch>,
    ) -> Result<(Change, String), StoreError> {
        if let Some(here) = self.store.epoch_here() {
            let stored = latest.map(|latest| latest.id.as_str());
            return Ok((epoch::judge(stored, &here), here));
        }
        if self.store.engine() != "sqlite" {
            return Err(StoreError::timed_out("asking for the database's history"));
        }
        let (mark, seen) = (self.store.read_mark(), tx.latest_sign_of_life().await?);
        let change = epoch::judge_marked(latest.is_some(), mark, seen);
        Ok((change, format!("sqlite/{}", self.entropy.uuid_v7(tx.now))))
    }

    async fn tell_of(
        &self,
        tx: &mut Tx,
        change: Change,
        entered: &Epoch,
    ) -> Result<(), StoreError> {
        let kind = match change {
            Change::Same | Change::First => return Ok(()),
            Change::FailedOver => DutyKind::DatabaseFailedOver,
            Change::Restored => DutyKind::DatabaseRestored,
        };
        let tainted = tx.taint_lanes(tx.now - CANCEL_MARGIN).await?;
        let item = DutyItemId::new(self.entropy.uuid_v7(tx.now));
        tx.open_duty_item(item, kind, SUBJECT, None, None).await?;
        let details = json!({ "epoch": entered.id, "tainted_lanes": tainted });
        self.audit(
            tx,
            Actor::Clock,
            kind.as_str(),
            SUBJECT.to_owned(),
            None,
            details,
        )
        .await
    }

    fn log_change(change: Change, entered: &Epoch) {
        let kind = match change {
            Change::Same => return,
            Change::First => {
                tracing::info!(
                    event = "database.entered",
                    epoch = entered.id,
                    "a new database"
                );
                return;
            }
            Change::FailedOver => DutyKind::DatabaseFailedOver,
            Change::Restored => DutyKind::DatabaseRestored,
        };
        tracing::error!(
            event = "duty_item.opened",
            kind = kind.as_str(),
            epoch = entered.id,
            advice = kind.advice(),
            "a person on duty is needed"
        );
    }

    /// Moves the mark beside SQLite's file on: the database holds this sign of life, so a file that
    /// lacks it later is a copy. Nothing on PostgreSQL.
    pub async fn keep_mark(&self) -> Result<(), StoreError> {
        if self.store.engine() != "sqlite" {
            return Ok(());
        }
        let mut tx = self.store.begin_read("keep_mark", self.clock.now()).await?;
        if let Some(seen) = tx.latest_sign_of_life().await? {
            self.mark(seen);
        }
        Ok(())
    }

    fn mark(&self, seen: Timestamp) {
        if let Err(error) = self.store.write_mark(seen) {
            tracing::error!(
                event = "database.mark_not_written",
                error = &error as &dyn std::error::Error,
                "the mark beside the database can't be written: a restored copy would not be seen"
            );
        }
    }

    /// The database's history as it was entered last.
    pub async fn latest_epoch(&self) -> Result<Option<Epoch>, StoreError> {
        let mut tx = self
            .store
            .begin_read("latest_epoch", self.clock.now())
            .await?;
        tx.latest_epoch().await
    }

    /// Whether everything is held until a person releases the database: it is a restored copy, or
    /// alerts that are not over were imported.
    pub async fn waits_for_release(&self) -> Result<bool, StoreError> {
        let mut tx = self
            .store
            .begin_read("waits_for_release", self.clock.now())
            .await?;
        tx.waits_for_release().await
    }

    /// Lets a restored copy go on, in a platform administrator's name; false when none waits.
    pub async fn release_database(&self, by: UserId) -> Result<bool, Failure<NotAnAdministrator>> {
        let mut tx = self
            .store
            .begin("release_database", self.clock.now())
            .await?;
        let user = tx.load_user(by).await?;
        if !user.is_some_and(|user| user.is_platform_admin) {
            return Err(Failure::Refused(NotAnAdministrator));
        }
        let actor = Actor::User(by);
        let by = actor.describe();
        if !tx.release_epochs(&by).await? {
            return Ok(false);
        }
        for kind in [DutyKind::DatabaseRestored, DutyKind::AlertsImported] {
            tx.close_duty_item_of(kind, SUBJECT, &by).await?;
        }
        let woken = tx.wake_waiting_lanes().await?;
        tx.wake_dispatchers().await?;
        let details = json!({ "woken_lanes": woken });
        self.audit(
            &mut tx,
            actor,
            "database.release",
            SUBJECT.to_owned(),
            None,
            details,
        )
        .await?;
        tx.commit().await?;
        tracing::warn!(
            event = "database.released",
            by,
            lanes = woken,
            "a restored copy goes on"
        );
        self.wake.notify_one();
        Ok(true)
    }
}
