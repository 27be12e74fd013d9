//! Issuing an event in a lane, for approval and cancel.

use balefire_domain::ids::{AlertId, DeliveryId, DutyItemId};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{
    Conditions, Delivery, Effect, HoldReason, Kind, Lane, LaneEvent, Policy, State, step,
};
use balefire_domain::provider::ProviderName;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::lanes::LaneKey;
use balefire_store::{StoreError, Tx};

use crate::App;

impl App {
    /// The policy by which something may end: under a clock in doubt (D35), or in a database that
    /// may have forgotten attempts, nothing does.
    pub(crate) async fn policy_now(
        &self,
        tx: &mut Tx,
        provider: &ProviderName,
    ) -> Result<Policy, StoreError> {
        let mut conditions = tx.load_conditions(provider).await?;
        if !self.clock.is_trusted() {
            conditions.hold = Some(HoldReason::Clock);
        }
        Ok(self.policy_under(provider, &conditions))
    }

    pub(crate) fn policy_under(&self, provider: &ProviderName, conditions: &Conditions) -> Policy {
        let settings = &self.settings;
        let profile = settings.profile(provider);
        Policy::of(
            &settings.figures,
            profile,
            settings.is_cbc_enabled,
            conditions,
        )
    }

    /// A new delivery of an event, above all others of its lane. An update's event may ask for
    /// another kind (ADR 17).
    pub(crate) fn new_delivery(&self, event: &Event, kind: Kind, lane: &Lane) -> Delivery {
        let above = lane.target().map_or(1, |target| target.seq + 1);
        Delivery {
            id: DeliveryId::new(self.entropy.uuid_v4()),
            seq: event.seq.max(above),
            kind,
            state: State::Ready,
            round: 1,
            created_at: event.created_at,
            ends_at: ends_at(kind, event.finishes_at),
            is_stuck: false,
        }
    }

    /// Stores a delivery and what `step` makes of its lane, which comes back. The caller holds the
    /// lane's lock.
    pub(crate) async fn issue(
        &self,
        tx: &mut Tx,
        key: &LaneKey,
        lane: &Lane,
        delivery: Delivery,
        frozen: &Frozen,
    ) -> Result<Lane, StoreError> {
        tx.insert_delivery(key, &delivery, frozen).await?;
        if self.clock.was_ahead_at(tx.now) {
            return Err(StoreError::timed_out("the clock was set back"));
        }
        // Nothing can end in a new lane: what holds it is read when an attempt opens.
        let policy = if lane.deliveries.is_empty() {
            self.policy_under(&key.provider, &Conditions::default())
        } else {
            self.policy_now(tx, &key.provider).await?
        };
        let mut known = lane.clone();
        known.deliveries.push(delivery.clone());
        let moved = step(lane, LaneEvent::Issued(delivery), tx.now, &policy);
        tx.save_lane(key, &known, &moved.lane).await?;
        self.apply_duties(tx, key, &moved.effects).await?;
        Ok(moved.lane)
    }

    /// Opens and closes the duty items that a step asks for.
    pub(crate) async fn apply_duties(
        &self,
        tx: &mut Tx,
        key: &LaneKey,
        effects: &[Effect],
    ) -> Result<(), StoreError> {
        let now = tx.now;
        let mint = || DutyItemId::new(self.entropy.uuid_v7(now));
        for (kind, delivery) in tx.apply_duties(key, effects, &mint).await? {
            log_duty(key.alert_id, &key.provider, kind, delivery);
        }
        Ok(())
    }
}

fn log_duty(
    alert: AlertId,
    provider: &ProviderName,
    kind: balefire_domain::lane::DutyKind,
    delivery: DeliveryId,
) {
    tracing::error!(
        event = "duty_item.opened",
        alert.id = %alert, provider = %provider, delivery.id = %delivery, kind = kind.as_str(),
        advice = kind.advice(), "a person on duty is needed"
    );
}
