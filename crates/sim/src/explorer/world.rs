//! One state of the exploration: the lane, and what surrounds it.

use std::time::Duration;

use balefire_domain::ids::{AttemptId, DeliveryId};
use balefire_domain::lane::policy::ends_at;
use balefire_domain::lane::{Attempt, Delivery, Effect, Kind, Lane, LaneEvent, State, step};
use balefire_domain::outcome::Outcome;
use balefire_domain::routing::site_of;
use balefire_domain::time::Timestamp;
use uuid::Uuid;

use super::setup::{Setup, Updates};

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
    /// The form in which it goes out: an update with nothing to name is an alert.
    pub kind: Kind,
    /// The earlier messages that it names: bit `seq`.
    pub references: u16,
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
    /// The texts that are on the air here: bit `seq`.
    pub on_air: u16,
    /// It was told to cancel, and remembers it where providers do.
    pub has_tombstone: bool,
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
    /// The texts that were ever applied, anywhere: bit `seq`.
    pub applied: u16,
    /// One of them was applied once more.
    pub is_applied_again: bool,
    /// A text was applied after a cancel of it had been applied or closed.
    pub is_ghost: bool,
    /// A text was applied after a later one had been applied or acknowledged.
    pub is_outdated: bool,
    /// Our proxy saw a cancel pass, and remembers it where proxies do.
    pub is_fenced: bool,
    /// A failover lost an intent (once).
    pub is_intent_forgotten: bool,
    /// Nothing leaves before then: a failover was noticed.
    pub quarantine_until: Timestamp,
}

impl World {
    /// An alert was just approved.
    pub fn start(setup: &Setup) -> Self {
        let mut world = Self {
            lane: Lane::new(NOW + FAR),
            flights: Vec::new(),
            sites: [Site::default(); 2],
            applied: 0,
            is_applied_again: false,
            is_ghost: false,
            is_outdated: false,
            is_fenced: false,
            is_intent_forgotten: false,
            quarantine_until: NOW,
        };
        world.issue(Kind::Alert, setup);
        world.normalise(setup);
        world
    }

    /// An update is approved, which makes one delivery or two.
    pub fn issue_update(&mut self, setup: &Setup) {
        match setup.variant.rules.updates {
            Updates::None => {}
            Updates::Native => self.issue(Kind::Update, setup),
            Updates::Substitute => {
                self.issue(Kind::Cancel, setup);
                self.issue(Kind::Alert, setup);
            }
        }
    }

    /// The cancel of the alert was approved: nothing more is.
    pub fn is_cancelled(&self) -> bool {
        self.lane.target().is_some_and(|d| d.kind == Kind::Cancel)
    }

    /// The update was approved, or the alert made that goes out in its place.
    pub fn is_updated(&self) -> bool {
        let mut later = self.lane.deliveries.iter().filter(|d| d.seq > 1);
        later.any(|d| d.kind.carries_text())
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
        self.play(LaneEvent::Issued(delivery), setup);
    }

    /// One transaction of the shell: step, store the lane, carry out the effects.
    pub fn play(&mut self, event: LaneEvent, setup: &Setup) {
        self.play_with(event, false, setup);
    }

    /// The same, while a link test put the second site's route first (D17) or did not.
    pub fn play_with(&mut self, event: LaneEvent, is_second_site_first: bool, setup: &Setup) {
        let policy = setup.policy(self, is_second_site_first);
        let outcome = step(&self.lane, event, NOW, policy);
        self.lane = outcome.lane;
        for effect in outcome.effects {
            match effect {
                Effect::Send(attempt) => self.take_off(&attempt, setup),
                Effect::RemakeCancel { .. } => self.issue(Kind::Cancel, setup),
                Effect::AlertInstead { .. } => self.issue(Kind::Alert, setup),
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
        self.play(event, setup);
    }

    fn take_off(&mut self, attempt: &Attempt, setup: &Setup) {
        let is_second_site = site_of(&attempt.route) == "b";
        let (kind, references) = self.form_of(attempt, setup);
        self.flights.push(Flight {
            attempt: attempt.id,
            seq: attempt.seq,
            kind,
            references,
            site: usize::from(is_second_site && setup.environment().separate_sites),
            leaves_before: attempt.deadline_at,
            applies_before: attempt.drained_at,
            request: Request::AtWorker,
            reply: Reply::Awaited,
            is_owner_alive: true,
        });
    }

    /// What the dispatcher renders. It stores that at the first attempt; since nothing lower can be
    /// attempted afterwards, it is the same at each.
    fn form_of(&self, attempt: &Attempt, setup: &Setup) -> (Kind, u16) {
        let lower = self.lane.deliveries.iter().filter(|d| d.seq < attempt.seq);
        let named = lower.filter(|d| self.lane.may_have_left(d.id));
        let references = named.fold(0, |bits, d| bits | 1 << d.seq);
        match self.lane.kind_of(attempt) {
            Some(Kind::Cancel) => (Kind::Cancel, references),
            Some(Kind::Update) if references != 0 && !setup.environment().updates_name_nothing => {
                (Kind::Update, references)
            }
            Some(Kind::Alert | Kind::Update) | None => (Kind::Alert, 0),
        }
    }

    /// The request passes our proxy and reaches the provider, which acts on it and answers.
    pub fn arrive(&mut self, flight: usize, setup: &Setup) {
        let (kind, seq) = (self.flights[flight].kind, self.flights[flight].seq);
        let (site, references) = (self.flights[flight].site, self.flights[flight].references);
        let is_on_air = self.sites[site].on_air & references != 0;
        let outcome = match kind {
            Kind::Alert => self.put_on_the_air(seq, site, setup),
            Kind::Update if is_on_air || self.sites[site].taken & (1 << seq) != 0 => {
                let outcome = self.put_on_the_air(seq, site, setup);
                if outcome.is_acceptance() {
                    self.sites[site].on_air &= !references;
                }
                outcome
            }
            Kind::Update => Outcome::UnknownReference,
            Kind::Cancel => self.take_off_the_air(seq, site, references, setup),
        };
        if outcome.is_acceptance() {
            self.sites[site].taken |= 1 << seq;
        }
        self.flights[flight].request = Request::Gone;
        self.reply(flight, outcome);
    }

    fn put_on_the_air(&mut self, seq: u32, site: usize, setup: &Setup) -> Outcome {
        let environment = setup.environment();
        if self.is_fenced {
            return Outcome::Refused;
        }
        if !environment.no_dedup && self.sites[site].taken & (1 << seq) != 0 {
            return Outcome::Duplicate;
        }
        if self.sites[site].has_tombstone {
            return Outcome::Refused;
        }
        // Past its end the alert is taken and not broadcast. Over a wire without a bound that is no
        // ghost; elsewhere nothing may come so late.
        let is_broadcast = self.lane.finishes_at > NOW;
        self.is_ghost |= self.is_cancel_done(seq) && (is_broadcast || !environment.unbounded_wire);
        self.is_outdated |= is_broadcast && self.is_later_text_out(seq);
        self.is_applied_again |= self.applied & (1 << seq) != 0;
        self.applied |= 1 << seq;
        if is_broadcast {
            self.sites[site].on_air |= 1 << seq;
        }
        Outcome::Accepted
    }

    fn take_off_the_air(
        &mut self,
        seq: u32,
        site: usize,
        references: u16,
        setup: &Setup,
    ) -> Outcome {
        let environment = setup.environment();
        self.is_fenced |= environment.proxy_fence;
        let place = &mut self.sites[site];
        place.has_tombstone |= environment.tombstones;
        if place.taken & (1 << seq) != 0 && !environment.forgets_cancels {
            return Outcome::Duplicate;
        }
        if place.on_air & references == 0 {
            return Outcome::UnknownReference;
        }
        place.on_air &= !references;
        Outcome::Accepted
    }

    /// An answer sets out, unless one did before.
    pub fn reply(&mut self, flight: usize, outcome: Outcome) {
        let flight = &mut self.flights[flight];
        if flight.reply == Reply::Awaited {
            flight.reply = Reply::Sent(outcome);
        }
    }

    /// A later text was applied at the provider, or acknowledged.
    fn is_later_text_out(&self, seq: u32) -> bool {
        let mut later = self.lane.deliveries.iter().filter(|d| d.seq > seq);
        later.any(|d| {
            d.kind.carries_text()
                && (matches!(d.state, State::Acknowledged { .. }) || self.is_taken(d.seq))
        })
    }

    /// A site has accepted this delivery.
    pub fn is_taken(&self, seq: u32) -> bool {
        self.sites.iter().any(|site| site.taken & (1 << seq) != 0)
    }

    /// A cancel above this text was applied at the provider, or closed by us.
    fn is_cancel_done(&self, text: u32) -> bool {
        self.lane.deliveries.iter().any(|d| {
            d.kind == Kind::Cancel && d.seq > text && (is_closed(d.state) || self.is_taken(d.seq))
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
            .active()
            .is_some_and(|active| active.state.is_terminal())
    }
}

/// A delivery that we told people is done with: acknowledged, or nothing to do.
pub const fn is_closed(state: State) -> bool {
    matches!(state, State::Acknowledged { .. } | State::Moot { .. })
}
