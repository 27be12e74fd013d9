//! The clock's own verb: alerts whose end has come are completed (R80, D19).

use std::collections::BTreeSet;

use balefire_domain::alert::{self, Status};
use balefire_domain::audit::Actor;
use balefire_domain::ids::{AlertId, DutyItemId};
use balefire_domain::lane::{DutyKind, Kind, Lane, LaneEvent, step};
use balefire_domain::limits::LANES_PER_SWEEP_MAX;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use crate::move_alert::of_alert;
use crate::{App, Failure, repeat};

impl App {
    /// Completes what is over, a bounded number at a time; how many. By a clock in doubt nothing
    /// is over (D35).
    pub async fn complete_alerts(&self) -> Result<usize, StoreError> {
        if !self.clock.is_trusted() {
            return Ok(0);
        }
        let over: Vec<AlertId> = repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_alerts_over", self.clock.now())
                .await?;
            tx.list_alerts_over(LANES_PER_SWEEP_MAX).await
        })
        .await?;
        let mut completed = 0;
        for alert in over {
            let done: Result<bool, Failure<()>> = repeat(|| self.complete_alert(alert)).await;
            match done {
                Ok(is_completed) => completed += usize::from(is_completed),
                // One that can't be completed hides no other; it is tried again in a second.
                Err(Failure::Store(error)) => tracing::error!(
                    event = "alert.not_completed", alert.id = %alert,
                    error = &error as &dyn std::error::Error, "an alert could not be completed"
                ),
                Err(Failure::Refused(())) => {}
            }
        }
        Ok(completed)
    }

    async fn complete_alert(&self, id: AlertId) -> Result<bool, Failure<()>> {
        let mut tx = self.store.begin("complete_alert", self.clock.now()).await?;
        let Some(mut found) = tx.lock_alert(id).await? else {
            return Ok(false);
        };
        let is_over = alert::is_over(found.status, found.finishes_at, tx.now);
        if !is_over || self.clock.was_ahead_at(tx.now) {
            return Ok(false);
        }
        self.withdraw_in(&mut tx, &found, Actor::Clock).await?;
        let from = found.status;
        found.status = Status::Completed;
        found.updated_at = Some(tx.now);
        tx.update_alert(&found).await?;
        let missed = self.end_lanes(&mut tx, id).await?;
        let act = of_alert(&found, Actor::Clock, "alert.complete", from)
            .with(json!({ "unacknowledged": missed }));
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        tracing::info!(event = "alert.completed", alert.id = %id, "an alert's time is over");
        Ok(true)
    }

    /// Expires what is left of the alert's lanes; the providers that never accepted it.
    async fn end_lanes(&self, tx: &mut Tx, id: AlertId) -> Result<BTreeSet<String>, StoreError> {
        let mut missed = BTreeSet::new();
        for key in tx.list_lanes(id).await? {
            let Some(lane) = tx.lock_lane(&key).await? else {
                continue;
            };
            let policy = self.policy_now(tx, &key.provider).await?;
            let moved = step(&lane, LaneEvent::Tick, tx.now, &policy);
            tx.save_lane(&key, &lane, &moved.lane).await?;
            self.apply_duties(tx, &key, &moved.effects).await?;
            if let Some(unaccepted) = unaccepted(&moved.lane) {
                let kind = DutyKind::CompletedUnacknowledged;
                let item = DutyItemId::new(self.entropy.uuid_v7(tx.now));
                let provider = key.provider.as_str();
                tx.open_duty_item(item, kind, &unaccepted, Some(id), Some(provider))
                    .await?;
                tracing::error!(
                    event = "duty_item.opened", alert.id = %id, provider, kind = kind.as_str(),
                    advice = kind.advice(), "a person on duty is needed"
                );
                missed.insert(provider.to_owned());
            }
        }
        Ok(missed)
    }
}

/// The subject of a duty item about the alert's delivery, where no attempt of it was accepted. Of
/// an alert that was updated the newest content counts.
fn unaccepted(lane: &Lane) -> Option<String> {
    let alert = lane
        .deliveries
        .iter()
        .rfind(|delivery| delivery.kind != Kind::Cancel)?;
    let is_accepted = lane
        .attempts
        .iter()
        .any(|attempt| attempt.delivery == alert.id && attempt.is_accepted());
    (!is_accepted).then(|| format!("delivery {}", alert.id))
}
