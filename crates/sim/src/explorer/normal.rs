//! Passing time, and the normal form that makes the states finite.
//!
//! Two worlds that no rule and no action can tell apart get one form. Each line here rests on what
//! `step` reads: it compares instants with now, rounds with rounds of the same delivery, and looks
//! attempts up by id. What it only writes (when something was opened, closed or ended, `is_stuck`)
//! is forgotten.

use std::time::Duration;

use balefire_domain::ids::{AttemptId, DeliveryId};
use balefire_domain::lane::policy::{CANCEL_MARGIN, ends_at};
use balefire_domain::lane::{Attempt, Kind, State};
use balefire_domain::outcome::Outcome;
use balefire_domain::routing::site_of;
use balefire_domain::time::Timestamp;
use uuid::Uuid;

use super::setup::{HEDGE_AFTER, Setup, Updates};
use super::world::{FAR, Flight, NEAR, NOW, Reply, Request, World};

impl World {
    /// Lets time pass: every instant comes nearer, and what is past is past.
    pub fn pass(&mut self, time: Duration) {
        let nearer = |instant: &mut Timestamp| *instant = (*instant - time).max(NOW);
        nearer(&mut self.lane.finishes_at);
        nearer(&mut self.quarantine_until);
        if self.lane.finishes_at == NOW {
            // The alert goes off the air by itself.
            for site in &mut self.sites {
                site.on_air = 0;
            }
        }
        for delivery in &mut self.lane.deliveries {
            nearer(&mut delivery.ends_at);
            match &mut delivery.state {
                State::Backoff { due_at } => nearer(due_at),
                State::Held {
                    until: Some(until), ..
                } => nearer(until),
                State::Ready
                | State::InFlight
                | State::Held { until: None, .. }
                | State::Acknowledged { .. }
                | State::Superseded { .. }
                | State::Expired { .. }
                | State::Moot { .. } => {}
            }
        }
        for attempt in &mut self.lane.attempts {
            attempt.opened_at = attempt.opened_at - time;
            nearer(&mut attempt.deadline_at);
            nearer(&mut attempt.drained_at);
        }
        for flight in &mut self.flights {
            nearer(&mut flight.leaves_before);
            nearer(&mut flight.applies_before);
        }
    }

    /// The end that is still far off, if a leap to it would show something.
    pub fn next_end(&self) -> Option<Timestamp> {
        if self.lane.finishes_at > NOW + NEAR {
            return Some(self.lane.finishes_at);
        }
        let active = self.lane.active()?;
        (!active.state.is_terminal() && active.ends_at > NOW + NEAR && self.lane.finishes_at == NOW)
            .then_some(active.ends_at)
    }

    /// Brings the world into its normal form.
    pub fn normalise(&mut self, setup: &Setup) {
        self.normalise_ends();
        self.normalise_rounds();
        self.normalise_attempts(setup);
        let is_bounded = !setup.environment().unbounded_wire;
        if is_bounded {
            self.drop_what_is_too_late();
        }
        for flight in &mut self.flights {
            if flight.request == Request::Gone && flight.reply == Reply::Awaited {
                flight.reply = Reply::Gone;
            }
            if flight.request != Request::AtWorker || !is_bounded {
                flight.leaves_before = NOW;
            }
            if flight.request == Request::Gone || !is_bounded {
                flight.applies_before = NOW;
            }
            if flight.request == Request::Gone {
                flight.site = 0;
                flight.references = 0;
            }
        }
        self.sort();
    }

    /// An end counts only once it is near.
    fn normalise_ends(&mut self) {
        if self.lane.finishes_at > NOW + NEAR {
            self.lane.finishes_at = NOW + FAR;
        }
        let finishes_at = self.lane.finishes_at;
        for delivery in &mut self.lane.deliveries {
            let is_over = finishes_at == NOW;
            delivery.ends_at = match delivery.kind {
                // Nobody asks for the end of what is over.
                _ if is_over && delivery.state.is_terminal() => NOW,
                Kind::Cancel if is_over && delivery.ends_at > NOW + NEAR => NOW + CANCEL_MARGIN,
                Kind::Cancel if is_over => delivery.ends_at,
                Kind::Alert | Kind::Update | Kind::Cancel => ends_at(delivery.kind, finishes_at),
            };
        }
    }

    /// Only the current round of a delivery that goes on is ever looked at: it becomes round 1, and
    /// all before it round 0.
    fn normalise_rounds(&mut self) {
        for attempt in &mut self.lane.attempts {
            let is_current = self.lane.deliveries.iter().any(|d| {
                d.id == attempt.delivery && d.round == attempt.round && !d.state.is_terminal()
            });
            attempt.round = u32::from(is_current);
        }
        for delivery in &mut self.lane.deliveries {
            delivery.round = 1;
            delivery.is_stuck = false;
        }
    }

    /// Of a closed attempt only what its end says is looked at; of its route the site, and that
    /// only where each site must answer a cancel and this one may have been reached.
    fn normalise_attempts(&mut self, setup: &Setup) {
        let must_sites_answer = !setup.has_shared_sites_in_policy();
        let is_update_known = setup.variant.rules.updates != Updates::None;
        let cancels = self
            .lane
            .deliveries
            .iter()
            .filter(|d| d.kind == Kind::Cancel);
        let cancels: Vec<DeliveryId> = cancels.map(|d| d.id).collect();
        for attempt in &mut self.lane.attempts {
            let is_hedged = setup.variant.rules.hedges && attempt.is_open();
            attempt.opened_at = if is_hedged {
                attempt.opened_at.max(NOW - HEDGE_AFTER)
            } else {
                NOW
            };
            if let Some(closed) = &mut attempt.closed {
                attempt.slot = 0;
                attempt.deadline_at = NOW;
                closed.outcome = match closed.outcome {
                    Outcome::Accepted | Outcome::Duplicate => Outcome::Accepted,
                    // Drained without acceptance: the same as refused, except to its site.
                    // Below another cancel it matters that one may have been applied.
                    Outcome::Unknown if is_update_known && cancels.contains(&attempt.delivery) => {
                        Outcome::Unknown
                    }
                    Outcome::Unknown if attempt.drained_at <= NOW && !must_sites_answer => {
                        Outcome::Refused
                    }
                    // A cancel that was told so may have to be issued anew.
                    other => other,
                };
                if closed.outcome != Outcome::Unknown {
                    attempt.drained_at = NOW;
                }
            }
            let is_reached = attempt
                .closed
                .is_none_or(|closed| closed.outcome != Outcome::Refused);
            if attempt.round == 0 && must_sites_answer && is_reached {
                attempt.route = site_of(&attempt.route).to_owned();
            } else if attempt.round == 0 {
                attempt.route.clear();
            }
        }
    }

    fn drop_what_is_too_late(&mut self) {
        for index in 0..self.flights.len() {
            let is_awaited = self.is_open(index) && self.flights[index].is_owner_alive;
            let flight = &mut self.flights[index];
            flight.request = match flight.request {
                Request::AtWorker if flight.leaves_before <= NOW && !is_awaited => Request::Gone,
                Request::OnTheWay if flight.applies_before <= NOW => Request::Gone,
                request => request,
            };
        }
    }

    /// Attempts are told apart by nothing but what they are: sorted, and numbered in that order.
    fn sort(&mut self) {
        let mut attempts = std::mem::take(&mut self.lane.attempts);
        let mut pairs: Vec<(Option<Attempt>, Flight)> = Vec::with_capacity(self.flights.len());
        for mut flight in self.flights.drain(..) {
            let found = attempts.iter().position(|a| a.id == flight.attempt);
            let mut attempt = found.map(|index| attempts.swap_remove(index));
            if let Some(attempt) = &mut attempt {
                attempt.id = numbered(0);
                if !flight.is_owner_alive {
                    attempt.deadline_at = NOW;
                }
            }
            if attempt.as_ref().is_none_or(|a| !a.is_open()) {
                // What its death cost is gone already; nobody asks for the owner again.
                flight.is_owner_alive = true;
            }
            flight.reply = worth_waiting_for(flight.reply, attempt.as_ref());
            flight.attempt = numbered(0);
            pairs.push((attempt, flight));
        }
        assert!(
            attempts.is_empty(),
            "every attempt of the lane has its flight"
        );
        pairs.sort();
        for (number, (attempt, mut flight)) in (1..).zip(pairs) {
            flight.attempt = numbered(number);
            self.flights.push(flight);
            if let Some(mut attempt) = attempt {
                attempt.id = numbered(number);
                self.lane.attempts.push(attempt);
            }
        }
    }
}

/// Of the answers to a closed attempt only an acceptance is news, and only once (D5). Any other
/// makes `step` judge the lane anew, for which there is `Action::Repeat`.
fn worth_waiting_for(reply: Reply, attempt: Option<&Attempt>) -> Reply {
    let is_open = attempt.is_some_and(Attempt::is_open);
    let may_be_accepted = attempt.is_some_and(|attempt| !attempt.is_accepted());
    match reply {
        Reply::Sent(Outcome::Accepted | Outcome::Duplicate) if may_be_accepted => {
            Reply::Sent(Outcome::Accepted)
        }
        Reply::Sent(outcome) if is_open => Reply::Sent(outcome),
        Reply::Awaited if may_be_accepted => Reply::Awaited,
        Reply::Awaited | Reply::Sent(_) | Reply::Gone => Reply::Gone,
    }
}

/// The id of the attempt at this place; the lane has no other names for them.
pub const fn numbered(number: u128) -> AttemptId {
    AttemptId::new(Uuid::from_u128(number))
}
