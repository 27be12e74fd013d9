//! The one function that decides about deliveries.
//!
//! Every event is followed by the same settling: each delivery that is not terminal is judged anew
//! from the attempts, the clock and the policy. So a restart, a sweep and the normal path take the
//! same way, and nothing depends on an event arriving exactly once.

use std::collections::BTreeSet;

use super::drain;
use super::duties;
use super::ends;
use super::event::{Effect, Ignored, LaneEvent, Step};
use super::hedge;
use super::late;
use super::policy::{Policy, STUCK_AFTER, STUCK_ROUNDS};
use super::sites;
use super::state::{Attempt, Closed, Delivery, HoldReason, Kind, Lane, MootReason, State};
use crate::ids::{AttemptId, DeliveryId, InstanceId};
use crate::outcome::Outcome;
use crate::routing::site_of;
use crate::time::Timestamp;

/// What becomes of `lane` when `event` happens at `now`.
///
/// Pure and total: any event in any lane gives a lane. The caller holds the lane's row lock, stores
/// the lane that comes back, and carries out the effects.
pub fn step(lane: &Lane, event: LaneEvent, now: Timestamp, policy: &Policy) -> Step {
    let mut moving = Moving {
        lane: lane.clone(),
        effects: Vec::new(),
        now,
        policy,
    };
    let ignored = match event {
        LaneEvent::Issued(delivery) => {
            moving.issue(delivery);
            None
        }
        LaneEvent::Tick => {
            moving.close_forgotten();
            None
        }
        LaneEvent::Due { attempt, by } => {
            moving.close_forgotten();
            moving.settle();
            moving.open(attempt, by);
            None
        }
        LaneEvent::Answered {
            attempt,
            outcome,
            jitter_permille,
        } => moving.answer(attempt, outcome, jitter_permille),
        LaneEvent::OwnerDied { attempt } => moving.abandon(attempt),
        LaneEvent::ProviderHealed => {
            moving.heal();
            None
        }
    };
    moving.settle();
    Step {
        lane: moving.lane,
        effects: moving.effects,
        ignored,
    }
}

struct Moving<'a> {
    lane: Lane,
    effects: Vec<Effect>,
    now: Timestamp,
    policy: &'a Policy,
}

impl Moving<'_> {
    fn issue(&mut self, delivery: Delivery) {
        assert!(
            self.lane
                .target()
                .is_none_or(|target| target.seq < delivery.seq),
            "a new delivery is minted above all others of its lane"
        );
        self.lane.deliveries.push(delivery);
    }

    /// Closes open attempts that can't be applied any more and whose owner never said how they
    /// ended (T12).
    fn close_forgotten(&mut self) {
        if self.policy.hold == Some(HoldReason::Clock) {
            return;
        }
        let forgotten: Vec<AttemptId> = self
            .lane
            .attempts
            .iter()
            .filter(|attempt| attempt.is_open() && self.now >= attempt.drained_at)
            .map(|attempt| attempt.id)
            .collect();
        for attempt in forgotten {
            self.abandon(attempt);
        }
    }

    /// Closes an attempt whose owner is gone. The same message may go out again at once where the
    /// provider allows it; the drain still counts from the deadline (D26).
    fn abandon(&mut self, id: AttemptId) -> Option<Ignored> {
        let Some(attempt) = self
            .lane
            .attempts
            .iter_mut()
            .find(|attempt| attempt.id == id)
        else {
            return Some(Ignored::UnknownAttempt);
        };
        if !attempt.is_open() && !self.policy.planted.stale_news() {
            return Some(Ignored::AlreadyClosed);
        }
        attempt.closed = Some(Closed {
            at: self.now,
            outcome: Outcome::Unknown,
        });
        let delivery = attempt.delivery;
        let all_tried = self.is_round_over(delivery);
        self.update(delivery, |delivery| {
            delivery.round += u32::from(all_tried);
            delivery.state = State::Ready;
        });
        None
    }

    fn heal(&mut self) {
        if let Some(active) = self.lane.active()
            && matches!(active.state, State::Backoff { .. })
        {
            self.update(active.id, |active| active.state = State::Ready);
        }
    }

    fn answer(&mut self, id: AttemptId, outcome: Outcome, jitter: i32) -> Option<Ignored> {
        let Some(index) = self
            .lane
            .attempts
            .iter()
            .position(|attempt| attempt.id == id)
        else {
            return Some(Ignored::UnknownAttempt);
        };
        let attempt = &self.lane.attempts[index];
        let (delivery, seq) = (attempt.delivery, attempt.seq);
        let has_references = match self.lane.kind_of(attempt) {
            Some(Kind::Alert) | None => false,
            Some(Kind::Update) => self.lane.has_earlier_message(seq),
            Some(Kind::Cancel) => true,
        };
        let outcome = match outcome {
            Outcome::UnknownReference if !has_references => Outcome::Unknown,
            outcome => outcome,
        };
        let is_news = match attempt.closed {
            None => true,
            // Late: an acceptance is a fact whenever it comes, all else is stale (D5, D25).
            Some(closed) => {
                outcome.is_acceptance()
                    && !closed.outcome.is_acceptance()
                    && !self.policy.planted.no_late_acceptance()
            }
        };
        if !is_news {
            return Some(Ignored::AlreadyClosed);
        }
        self.lane.attempts[index].closed = Some(Closed {
            at: self.now,
            outcome,
        });
        if outcome.is_acceptance() {
            self.effects.push(Effect::HealProvider);
        }
        match ends::of_answer(&self.lane, delivery, outcome, self.policy, self.now) {
            Some(end) => self.end(delivery, end),
            None => self.try_next(delivery, jitter),
        }
        if outcome.is_acceptance() {
            self.effects
                .extend(late::effects_of(&self.lane, index, self.policy, self.now));
        }
        None
    }

    fn end(&mut self, id: DeliveryId, end: State) {
        let was_ended = self.is_ended(id);
        self.update(id, |delivery| delivery.state = end);
        let ended = self.lane.deliveries.iter().find(|d| d.id == id);
        let is_moot_update = ended.is_some_and(|delivery| {
            delivery.kind == Kind::Update && matches!(delivery.state, State::Moot { .. })
        });
        if is_moot_update && !was_ended && !self.policy.planted.no_alert_instead() {
            self.effects.push(Effect::AlertInstead { of: id });
        }
    }

    fn is_ended(&self, id: DeliveryId) -> bool {
        let mut deliveries = self.lane.deliveries.iter();
        deliveries.any(|d| d.id == id && d.state.is_terminal())
    }

    /// After a bad end: the next route at once, or the next round after its wait (D6, D24).
    fn try_next(&mut self, delivery: DeliveryId, jitter: i32) {
        let all_tried = self.is_round_over(delivery);
        let (now, policy) = (self.now, self.policy);
        self.update(delivery, |d| {
            if all_tried {
                let wait = policy.wait_after(d.round, d.created_at, now, jitter);
                d.state = State::Backoff { due_at: now + wait };
                d.round += 1;
            } else {
                d.state = State::Ready;
            }
        });
    }

    /// The first route, in the policy's order, that this delivery's current round has not tried.
    fn next_route(&self, delivery: DeliveryId) -> Option<String> {
        let round = self
            .lane
            .deliveries
            .iter()
            .find(|d| d.id == delivery)?
            .round;
        let is_tried = |route: &str| {
            self.lane
                .attempts
                .iter()
                .any(|a| a.delivery == delivery && a.round == round && a.route == route)
        };
        let owed = self.sites_owed(delivery);
        self.policy
            .routes
            .iter()
            .filter(|route| owed.is_empty() || owed.contains(site_of(route)))
            .find(|route| !is_tried(route))
            .cloned()
    }

    /// Every route of the round was tried and none is under way: its wait comes next.
    fn is_round_over(&self, delivery: DeliveryId) -> bool {
        let is_another_open = self.lane.attempts_of(delivery).any(Attempt::is_open);
        !is_another_open && self.next_route(delivery).is_none()
    }

    /// The sites from which a cancel still needs an answer; none where any answer will do.
    fn sites_owed(&self, id: DeliveryId) -> BTreeSet<&str> {
        let delivery = self.lane.deliveries.iter().find(|d| d.id == id);
        match delivery {
            Some(delivery) if !self.policy.has_shared_sites => {
                sites::owed(&self.lane, delivery, &self.policy.routes, self.now)
            }
            _ => BTreeSet::new(),
        }
    }

    /// Changes a delivery unless it is terminal: terminal states never change (S9).
    fn update(&mut self, id: DeliveryId, change: impl FnOnce(&mut Delivery)) {
        let found = self
            .lane
            .deliveries
            .iter_mut()
            .find(|delivery| delivery.id == id);
        if let Some(delivery) = found
            && !delivery.state.is_terminal()
        {
            let was = delivery.clone();
            change(delivery);
            let now_is = delivery.clone();
            self.effects.extend(duties::of_change(&was, &now_is));
        }
    }

    fn open(&mut self, id: AttemptId, by: InstanceId) {
        let open = self.lane.open_attempts().count();
        if open > 0
            && !hedge::is_due(&self.lane, self.policy, self.now)
            && !self.policy.planted.no_one_open()
        {
            return;
        }
        let Some(delivery) = self.sendable().map(|delivery| delivery.id) else {
            return;
        };
        let route = self.next_route(delivery).or_else(|| {
            if open > 0 {
                return None; // A hedge takes a route that is left; it begins no round.
            }
            // Every route of the round was tried, and yet it is due: the next round begins.
            self.update(delivery, |d| d.round += 1);
            self.next_route(delivery)
        });
        let Some(route) = route else { return };
        let is_first_taken = self.lane.open_attempts().any(|a| a.slot == 0);
        let Some(d) = self.lane.deliveries.iter().find(|d| d.id == delivery) else {
            return;
        };
        let mut deadline_at = self.now + self.policy.attempt_deadline;
        if !self.policy.planted.no_end() {
            deadline_at = deadline_at.min(d.ends_at);
        }
        let attempt = Attempt {
            id,
            delivery,
            seq: d.seq,
            slot: u8::from(is_first_taken),
            route,
            round: d.round,
            opened_at: self.now,
            deadline_at,
            drained_at: deadline_at + self.policy.drain_margin(),
            opened_by: by,
            closed: None,
        };
        self.lane.attempts.push(attempt.clone());
        self.effects.push(Effect::Send(attempt));
    }

    fn sendable(&self) -> Option<&Delivery> {
        let is_due = |d: &&Delivery| match d.state {
            State::Ready => true,
            State::Backoff { due_at } => due_at <= self.now,
            State::InFlight => {
                hedge::is_due(&self.lane, self.policy, self.now)
                    || self.policy.planted.no_one_open()
            }
            State::Held { .. }
            | State::Acknowledged { .. }
            | State::Superseded { .. }
            | State::Expired { .. }
            | State::Moot { .. } => false,
        };
        if self.policy.planted.no_order_gate() {
            return self.lane.deliveries.iter().rev().find(is_due);
        }
        if self.policy.planted.no_replaces() {
            return self.lane.target().filter(is_due);
        }
        self.lane.active().filter(is_due)
    }

    /// Judges every delivery anew.
    fn settle(&mut self) {
        for index in 0..self.lane.deliveries.len() {
            let was = self.lane.deliveries[index].clone();
            if was.state.is_terminal() {
                continue;
            }
            let mut is = was.clone();
            is.state = self.judge(&was);
            is.is_stuck = was.is_stuck || (self.is_late(&was) && !is.state.is_terminal());
            self.lane.deliveries[index] = is.clone();
            self.effects.extend(duties::of_change(&was, &is));
        }
    }

    /// It takes too long (D19). A clock in doubt can't tell.
    fn is_late(&self, delivery: &Delivery) -> bool {
        delivery.round > STUCK_ROUNDS
            || (self.now >= delivery.created_at + STUCK_AFTER
                && self.policy.hold != Some(HoldReason::Clock))
    }

    /// Where a delivery stands that has not ended. The order of these rules is their rank.
    fn judge(&self, delivery: &Delivery) -> State {
        let at = self.now;
        let active = self.lane.active().map_or(delivery.seq, |active| active.seq);
        if self
            .lane
            .attempts
            .iter()
            .any(|a| a.delivery == delivery.id && a.is_open())
        {
            return State::InFlight;
        }
        if delivery.seq < active && !self.policy.planted.no_order_gate() {
            return State::Superseded { at };
        }
        if self.policy.hold == Some(HoldReason::Clock) {
            return held(HoldReason::Clock);
        }
        if at >= delivery.ends_at && !self.policy.planted.no_end() {
            return match delivery.kind {
                Kind::Alert | Kind::Update => State::Expired { at },
                Kind::Cancel => State::Moot {
                    reason: MootReason::EndedWithoutAnswer,
                    at,
                },
            };
        }
        if delivery.seq > active && !self.policy.planted.no_replaces() {
            return held(HoldReason::Replaces);
        }
        if self.policy.planted.cancel_waits_for_end() && self.is_any_unfinished_below(delivery.seq)
        {
            return held(HoldReason::Drain);
        }
        // That no attempt is known proves nothing yet: which lanes are tainted is being found out.
        if let Some(reason) = self.policy.hold.filter(|reason| reason.hides_attempts()) {
            return held(reason);
        }
        let is_tainted = self.lane.is_tainted && !self.policy.planted.no_taint();
        let is_touched = is_tainted || self.lane.is_touched_below(delivery.seq);
        if delivery.kind == Kind::Cancel && !is_touched {
            return State::Moot {
                reason: MootReason::NeverSent,
                at,
            };
        }
        if let Some(reason) = self.policy.hold_of(&self.lane, delivery) {
            return held(reason);
        }
        let owed = self.sites_owed(delivery.id);
        let leads = |route: &String| owed.is_empty() || owed.contains(site_of(route));
        if !self.policy.routes.iter().any(leads) {
            return held(HoldReason::NoRoute);
        }
        let undrained_until = drain::until(&self.lane, delivery, self.policy, at);
        match (delivery.state, undrained_until) {
            (State::Backoff { due_at }, _) if due_at > at + self.policy.longest_wait() => {
                State::Ready
            }
            (State::Backoff { due_at }, Some(until)) if due_at >= until => delivery.state,
            (_, Some(until)) => State::Held {
                reason: HoldReason::Drain,
                until: Some(until),
            },
            (State::InFlight | State::Held { .. }, None) => State::Ready,
            (state, None) => state,
        }
    }

    /// Asked for a planted fault alone: the product never waits for an earlier delivery's end.
    fn is_any_unfinished_below(&self, seq: u32) -> bool {
        let mut deliveries = self.lane.deliveries.iter();
        deliveries.any(|d| d.seq < seq && !d.state.is_terminal())
    }
}

fn held(reason: HoldReason) -> State {
    State::Held {
        reason,
        until: None,
    }
}
