//! Entering the database's history: whether a failover or a restore may have forgotten attempts.

use balefire_domain::audit::Actor;
use balefire_domain::epoch::{self, Change};
use balefire_domain::ids::DutyItemId;
use balefire_domain::lane::DutyKind;
use balefire_domain::lane::policy::CANCEL_MARGIN;
use balefire_domain::time::Timestamp;
use balefire_store::epochs::Epoch;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::App;

/// What the duty items and audit entries of this kind are about.
const SUBJECT: &str = "database";

impl App {
    /// Compares the database with what was last known of it, and enters a new history where it is
    /// another: with its quarantine, its tainted lanes, its duty item and its audit entry, in one
    /// transaction. To be called before anything is dispatched, and again whenever a connection
    /// was opened; of several processes one enters.
    pub async fn enter_epoch(&self) -> Result<Change, StoreError> {
        let mut tx = self.store.begin("enter_epoch", self.clock.now()).await?;
        let stored = tx.latest_epoch().await?.map(|epoch| epoch.id);
        let change = match self.store.epoch_here() {
            Some(here) => epoch::judge(stored.as_deref(), &here),
            None => epoch::judge_marked(self.store.read_mark(), tx.latest_sign_of_life().await?),
        };
        if change == Change::Same {
            return Ok(change);
        }
        let id = match self.store.epoch_here() {
            Some(here) => here,
            // A first start that is repeated enters nothing more.
            None if change == Change::First && stored.is_some() => {
                self.mark(Timestamp::from_micros(0));
                return Ok(Change::Same);
            }
            None => format!("sqlite/{}", self.entropy.uuid_v7(tx.now)),
        };
        let quarantine = epoch::quarantine(&self.settings.figures, &self.settings.profiles);
        let entered = Epoch {
            id,
            quarantine_until: (change == Change::FailedOver).then(|| tx.now + quarantine),
            needs_release: change == Change::Restored,
        };
        if !tx.insert_epoch(&entered).await? {
            return Ok(Change::Same);
        }
        self.tell_of(&mut tx, change, &entered).await?;
        let seen = tx.latest_sign_of_life().await?;
        tx.commit().await?;
        // Only now: a mark that was ahead of the commit would hide the copy from the next start.
        self.mark(seen.unwrap_or(Timestamp::from_micros(0)));
        Self::log_change(change, &entered);
        Ok(change)
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

    /// Lets a restored copy go on; false when none waits.
    pub async fn release_database(&self, actor: Actor) -> Result<bool, StoreError> {
        let mut tx = self
            .store
            .begin("release_database", self.clock.now())
            .await?;
        let by = actor.describe();
        if !tx.release_epochs(&by).await? {
            return Ok(false);
        }
        tx.close_duty_item_of(DutyKind::DatabaseRestored, SUBJECT, &by)
            .await?;
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
        self.wake.notify_one();
        Ok(true)
    }
}
