//! One state of the exploration: the lane, and what surrounds it.

use std::time::Duration;

use balefire_domain::ids::{AttemptId, DeliveryId};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{
    Attempt, Delivery, Effect, Kind, Lane, LaneEvent, Policy, State, step,
};
use balefire_domain::outcome::Outcome;
use balefire_domain::time::Timestamp;
use uuid::Uuid;

use super::faults::Setup;

/// The clock never moves; time passes by moving every instant towards it.
pub const NOW: Timestamp = Timestamp::from_seconds(0);
/// The alert's end while nothing depends on how far off it is.
pub const FAR: Duration = Duration::from_secs(10_000);
/// From here on the distance to an end is counted. Longer than anything an attempt does.
pub const NEAR: Duration = Duration::from_secs(4);

/// Where the bytes of an attempt are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Request {
    /// The intent is committed, and no byte has left.
    AtWorker,
    /// It left, and the provider may still apply it.
    OnTheWay,
    /// It was applied, refused or lost, or its time is over.
    Gone,
}

/// Where the answer to an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reply {
    /// Nobody has answered yet.
    Awaited,
    /// On its way to the process that sent the request.
    Sent(Outcome),
    /// Received or lost, or there will be none.
    Gone,
}

/// What the world knows of an attempt, whatever the database remembers of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flight {
    /// The attempt in the lane.
    pub attempt: AttemptId,
    /// The place of its delivery; the identifier on the wire stands for it.
    pub seq: u32,
    /// What it asks.
    pub kind: Kind,
    /// The index of the site it goes to; 0 where sites share their state.
    pub site: usize,
    /// No byte leaves from then on (D25).
    pub leaves_before: Timestamp,
    /// The provider can't apply it from then on (D25).
    pub applies_before: Timestamp,
    /// Where its bytes are.
    pub request: Request,
    /// Where its answer is.
    pub reply: Reply,
    /// The process that carries it out is alive.
    pub is_owner_alive: bool,
}

/// What one site of the provider remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Site {
    /// The deliveries it took: bit `seq`.
    pub taken: u16,
    /// The alert is on the air here.
    pub is_live: bool,
}

/// The lane and what surrounds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    /// What the database holds.
    pub lane: Lane,
    /// Every attempt that was ever opened.
    pub flights: Vec<Flight>,
    /// The provider. The second is in use only where sites are separate.
    pub sites: [Site; 2],
    /// How often the alert was applied; 2 stands for more.
    pub applied_count: u8,
    /// The alert was applied after a cancel had been applied or closed.
    pub is_ghost: bool,
    /// The database forgot an intent (a planted fault; once).
    pub is_intent_forgotten: bool,
}

impl World {
    /// An alert was just approved.
    pub fn start(setup: &Setup) -> Self {
        let mut world = Self {
            lane: Lane::new(NOW + FAR),
            flights: Vec::new(),
            sites: [Site::default(); 2],
            applied_count: 0,
            is_ghost: false,
            is_intent_forgotten: false,
        };
        world.issue(Kind::Alert, setup);
        world.normalise(setup);
        world
    }

    /// A person's decision becomes a delivery. A cancel that step asks for (D5) comes here too.
    pub fn issue(&mut self, kind: Kind, setup: &Setup) {
        let seq = self.lane.target().map_or(1, |target| target.seq + 1);
        // After the alert's end `finishes_at` stands at zero, and the cancels know better.
        let known = self.lane.deliveries.iter().find(|d| d.kind == kind);
        let delivery = Delivery {
            id: DeliveryId::new(Uuid::from_u128(u128::from(seq))),
            seq,
            kind,
            state: State::Ready,
            round: 1,
            created_at: NOW,
            ends_at: known.map_or(ends_at(kind, self.lane.finishes_at), |d| d.ends_at),
            is_stuck: false,
        };
        self.play(LaneEvent::Issued(delivery), &setup.policy, setup);
    }

    /// One transaction of the shell: step, store the lane, carry out the effects.
    pub fn play(&mut self, event: LaneEvent, policy: &Policy, setup: &Setup) {
        let outcome = step(&self.lane, event, NOW, policy);
        self.lane = outcome.lane;
        for effect in outcome.effects {
            match effect {
                Effect::Send(attempt) => self.take_off(&attempt, setup),
                Effect::RemakeCancel { .. } => self.issue(Kind::Cancel, setup),
                // People and other lanes are not part of this world.
                Effect::OpenDutyItem { .. }
                | Effect::CloseDutyItems { .. }
                | Effect::HealProvider => {}
            }
        }
    }

    /// The answer or the time-out of a flight reaches the lane.
    pub fn answer(&mut self, flight: usize, outcome: Outcome, setup: &Setup) {
        let event = LaneEvent::Answered {
            attempt: self.flights[flight].attempt,
            outcome,
            jitter_permille: 0,
        };
        self.play(event, &setup.policy, setup);
    }

    fn take_off(&mut self, attempt: &Attempt, setup: &Setup) {
        let is_second_route = setup.policy.routes.first() != Some(&attempt.route);
        let delivery = self
            .lane
            .deliveries
            .iter()
            .find(|d| d.id == attempt.delivery);
        self.flights.push(Flight {
            attempt: attempt.id,
            seq: attempt.seq,
            kind: delivery.map_or(Kind::Alert, |d| d.kind),
            site: usize::from(is_second_route && !setup.has_shared_sites),
            leaves_before: attempt.deadline_at,
            applies_before: attempt.drained_at,
            request: Request::AtWorker,
            reply: Reply::Awaited,
            is_owner_alive: true,
        });
    }

    /// The request reaches the provider, which acts on it and answers.
    pub fn arrive(&mut self, flight: usize, setup: &Setup) {
        let (kind, seq) = (self.flights[flight].kind, self.flights[flight].seq);
        let site = self.flights[flight].site;
        let is_known = setup.has_dedup && self.sites[site].taken & (1 << seq) != 0;
        let outcome = match kind {
            Kind::Alert | Kind::Cancel if is_known => Outcome::Duplicate,
            Kind::Alert => {
                self.is_ghost |= self.is_cancel_done();
                self.applied_count = (self.applied_count + 1).min(2);
                // Past its end the alert is taken and not broadcast.
                self.sites[site].is_live = self.lane.finishes_at > NOW;
                Outcome::Accepted
            }
            Kind::Cancel if self.sites[site].is_live => {
                self.sites[site].is_live = false;
                Outcome::Accepted
            }
            Kind::Cancel => Outcome::UnknownReference,
        };
        if outcome.is_acceptance() {
            self.sites[site].taken |= 1 << seq;
        }
        self.flights[flight].request = Request::Gone;
        self.reply(flight, outcome);
    }

    /// An answer sets out, unless one did before.
    pub fn reply(&mut self, flight: usize, outcome: Outcome) {
        let flight = &mut self.flights[flight];
        if flight.reply == Reply::Awaited {
            flight.reply = Reply::Sent(outcome);
        }
    }

    /// A cancel was applied at the provider, or closed by us.
    fn is_cancel_done(&self) -> bool {
        self.lane.deliveries.iter().any(|d| {
            d.kind == Kind::Cancel
                && (is_closed(d.state) || self.sites.iter().any(|s| s.taken & (1 << d.seq) != 0))
        })
    }

    /// The flight's attempt is in the lane and open.
    pub fn is_open(&self, flight: usize) -> bool {
        let id = self.flights[flight].attempt;
        self.lane.attempts.iter().any(|a| a.id == id && a.is_open())
    }

    /// A request waits in a process or is under way.
    pub fn is_anything_in_flight(&self) -> bool {
        self.flights
            .iter()
            .any(|flight| flight.request != Request::Gone)
    }

    /// Nothing more is to be done about the delivery that counts.
    pub fn is_settled(&self) -> bool {
        self.lane
            .target()
            .is_some_and(|target| target.state.is_terminal())
    }
}

/// A delivery that we told people is done with: acknowledged, or nothing to do.
pub const fn is_closed(state: State) -> bool {
    matches!(state, State::Acknowledged { .. } | State::Moot { .. })
}
