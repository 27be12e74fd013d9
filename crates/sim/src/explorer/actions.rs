//! What can happen next. What it does is in [`act`](super::act).

use balefire_domain::lane::State;
use balefire_domain::lane::next_wake;

use super::setup::{Conduct, Setup, Updates};
use super::world::{Flight, NOW, Reply, Request, World};

/// One thing that can happen. A number is the place of a flight in [`World::flights`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A second passes.
    Second,
    /// Nothing happens until shortly before the next end.
    Leap,
    /// An update is approved.
    Update,
    /// The cancel is approved.
    Cancel,
    /// The shell has a permit and asks whether to send.
    Due {
        /// A link test put the second site's route first (D17).
        is_second_site_first: bool,
    },
    /// The sweep looks at the lane.
    Sweep,
    /// Another send through this provider succeeded (D6).
    Heal,
    /// An answer that is no news is recorded, or an answer once more: the lane is only judged anew.
    Repeat,
    /// The request leaves our process.
    Leave(usize),
    /// The gateway finds the deadline past and writes nothing: refused (D25).
    WriteNothing(usize),
    /// The request reaches the provider.
    Arrive(usize),
    /// The provider surely refuses the request.
    Refuse(usize),
    /// The answer is a 5xx or a function error; the request goes on.
    AnswerUnknown(usize),
    /// The answer names another identifier; the request goes on.
    AnswerForeign(usize),
    /// The request is lost.
    LoseRequest(usize),
    /// The answer is lost.
    LoseReply(usize),
    /// The answer is received and recorded.
    Receive(usize),
    /// The deadline comes without an answer: unknown.
    TimeOut(usize),
    /// The process that carries the attempt out dies.
    Crash(usize),
    /// The owner of the attempt is declared dead, which may be wrong (D26).
    DeclareDead(usize),
    /// The database loses the committed intent.
    Forget(usize),
}

/// Writes what can happen in `world` into `actions`, which is emptied first.
pub fn list(world: &World, setup: &Setup, actions: &mut Vec<Action>) {
    actions.clear();
    actions.extend([Action::Second, Action::Repeat]);
    if world.next_end().is_some() {
        actions.push(Action::Leap);
    }
    if !world.is_cancelled() && world.lane.finishes_at > NOW {
        actions.push(Action::Cancel);
        if setup.variant.rules.updates != Updates::None && !world.is_updated() {
            actions.push(Action::Update);
        }
    }
    let is_in_flight = world.lane.open_attempt().is_some();
    if !(is_in_flight && setup.environment().never_sweeps_in_flight) {
        actions.push(Action::Sweep);
        if world.flights.len() < setup.attempts_max {
            actions.push(Action::Due {
                is_second_site_first: false,
            });
            // Where sites share their state the routes differ by name only.
            if setup.environment().separate_sites {
                actions.push(Action::Due {
                    is_second_site_first: true,
                });
            }
        }
    }
    let active = world.lane.active().map(|active| active.state);
    if matches!(active, Some(State::Backoff { .. })) {
        actions.push(Action::Heal);
    }
    for flight in 0..world.flights.len() {
        list_flight(world, flight, setup, actions);
    }
}

fn list_flight(world: &World, index: usize, setup: &Setup, actions: &mut Vec<Action>) {
    let flight = &world.flights[index];
    let environment = setup.environment();
    let is_unbounded = environment.unbounded_wire;
    match flight.request {
        Request::AtWorker if is_unbounded || flight.leaves_before > NOW => {
            actions.push(Action::Leave(index));
        }
        Request::AtWorker => actions.push(Action::WriteNothing(index)),
        Request::OnTheWay if is_unbounded || flight.applies_before > NOW => {
            list_on_the_way(flight, index, setup.conduct, actions);
        }
        Request::OnTheWay | Request::Gone => {}
    }
    if matches!(flight.reply, Reply::Sent(_)) {
        actions.extend([Action::Receive(index), Action::LoseReply(index)]);
    }
    let open = world
        .lane
        .attempts
        .iter()
        .find(|a| a.id == flight.attempt && a.is_open());
    let Some(attempt) = open else { return };
    let has_left = flight.request != Request::AtWorker || is_unbounded;
    if flight.is_owner_alive {
        actions.push(Action::Crash(index));
        if attempt.deadline_at <= NOW && has_left {
            actions.push(Action::TimeOut(index));
        }
    }
    if !environment.never_sweeps_in_flight && !environment.never_declares_dead {
        actions.push(Action::DeclareDead(index));
    }
    if environment.forgets_intent && !world.is_intent_forgotten {
        actions.push(Action::Forget(index));
    }
}

fn list_on_the_way(flight: &Flight, index: usize, conduct: Conduct, actions: &mut Vec<Action>) {
    actions.push(Action::LoseRequest(index));
    let is_awaited = flight.reply == Reply::Awaited;
    match conduct {
        Conduct::Any => {
            actions.extend([Action::Arrive(index), Action::Refuse(index)]);
            if is_awaited {
                actions.extend([Action::AnswerUnknown(index), Action::AnswerForeign(index)]);
            }
        }
        Conduct::Refusing => actions.push(Action::Refuse(index)),
        Conduct::Erring if is_awaited => actions.push(Action::AnswerUnknown(index)),
        Conduct::Hung | Conduct::Erring => {}
    }
}

/// This needs no luck, no fault and no person: the system, its sweep at the time that
/// [`next_wake`] asks for and a working provider do it by themselves.
pub fn is_progress(world: &World, action: Action) -> bool {
    match action {
        Action::Second
        | Action::Leave(_)
        | Action::WriteNothing(_)
        | Action::Arrive(_)
        | Action::Receive(_)
        | Action::TimeOut(_) => true,
        Action::Due { .. } | Action::Sweep => {
            next_wake(&world.lane, NOW).is_some_and(|at| at <= NOW) || is_held_without_end(world)
        }
        Action::DeclareDead(index) => !world.flights[index].is_owner_alive,
        Action::Leap
        | Action::Update
        | Action::Cancel
        | Action::Heal
        | Action::Repeat
        | Action::Refuse(_)
        | Action::AnswerUnknown(_)
        | Action::AnswerForeign(_)
        | Action::LoseRequest(_)
        | Action::LoseReply(_)
        | Action::Crash(_)
        | Action::Forget(_) => false,
    }
}

/// What waits for something that no clock ends is looked at again and again.
fn is_held_without_end(world: &World) -> bool {
    world
        .lane
        .deliveries
        .iter()
        .any(|d| matches!(d.state, State::Held { until: None, .. }))
}
