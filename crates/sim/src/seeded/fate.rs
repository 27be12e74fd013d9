//! What becomes of one request: drawn when it sets out, from its route and how many went before.

use balefire_domain::provider::{ProviderName, Route};

use super::hazard::{Fault, Hazard};
use super::options::provider_name;
use super::random::{Dice, label};
use super::world::World;

/// How long a flapping route stays as it is.
const FLAP_MS: u64 = 3_000;

/// Whether there is a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Yes.
    Made,
    /// It is refused.
    Refused,
    /// Nobody answers.
    Swallowed,
}

/// What the proxy makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Passes it on and answers.
    Applies,
    /// Never gets it.
    Lost,
    /// Gets it, and does and says nothing.
    Silent,
    /// Says that it does not take it.
    Refuses,
    /// Fails without passing it on.
    Fails,
    /// Says that it failed, and passes it on all the same, later.
    FailsThenApplies,
    /// Answers about something else.
    Foreign,
    /// Passes it on, and answers about something else.
    AppliesForeign,
    /// Passes it on; the connection ends without the answer.
    AppliesResets,
    /// Passes it on; the answer never arrives.
    AppliesSilent,
}

/// When the proxy passes it on.
#[derive(Clone, Copy, Debug)]
enum Delay {
    Soon(u64),
    /// So many thousandths of the time that is left.
    Within(u64),
}

/// What becomes of one request.
#[derive(Clone, Debug)]
pub struct Fate {
    /// Whether there is a connection.
    pub connection: Connection,
    /// How long that takes.
    pub connect_ms: u64,
    /// How long it is on its way to the proxy.
    pub to_proxy_ms: u64,
    /// What the proxy makes of it.
    pub course: Course,
    /// How long the answer is on its way.
    pub back_ms: u64,
    /// How long after the first time it is passed on again.
    pub again_ms: Option<u64>,
    delay: Delay,
}

impl Fate {
    /// The fate of the next request over `route`.
    pub fn draw(world: &World, provider: &ProviderName, route: &Route) -> Self {
        let name = route.name();
        let mut state = world.state();
        let count = state.requests.entry(name.clone()).or_default();
        *count += 1;
        let number = *count;
        drop(state);
        let labels = [5, label(provider.as_str()), label(&name), number];
        let mut dice = Dice::of(world.options.seed, &labels);
        let mut fate = Self {
            connection: Connection::Made,
            connect_ms: dice.between(0, 5),
            to_proxy_ms: dice.between(1, 10),
            course: course(world, &mut dice),
            back_ms: dice.between(1, 10),
            again_ms: None,
            delay: Delay::Soon(dice.between(0, 8)),
        };
        let share = dice.pick(&[100, 300, 600, 900, 990, 1000, 1000]);
        if world.strikes(&mut dice, Hazard::LateDelivery, 600) {
            fate.delay = Delay::Within(share);
        }
        if fate.course == Course::FailsThenApplies {
            fate.delay = Delay::Within(share);
        }
        let back_ms = dice.between(50, 30_000);
        if world.strikes(&mut dice, Hazard::SlowAnswers, 600) {
            fate.back_ms = back_ms;
        }
        let again_ms = dice.between(1, 20_000);
        if world.strikes(&mut dice, Hazard::Duplicates, 600) {
            fate.again_ms = Some(again_ms);
        }
        fate.connect(world, provider, &name, &mut dice);
        fate
    }

    /// Whether there is a connection at all.
    fn connect(&mut self, world: &World, provider: &ProviderName, name: &str, dice: &mut Dice) {
        let options = &world.options;
        if world.strikes(dice, Hazard::Refusals, 700) {
            self.connection = Connection::Refused;
        }
        if world.strikes(dice, Hazard::BlackHoles, 500) {
            self.connection = Connection::Swallowed;
        }
        let hung = options.hung_provider.map(provider_name);
        if hung.as_ref() == Some(provider) {
            self.course = Course::Silent;
            self.connection = Connection::Made;
        }
        if world.is_healed() {
            return;
        }
        let elapsed_ms = u64::try_from(world.time.elapsed_us() / 1000).unwrap_or(0);
        let phase = Dice::of(options.seed, &[6, label(name)]).below(2);
        if options.has(Hazard::Flapping) && (elapsed_ms / FLAP_MS + phase).is_multiple_of(2) {
            world.state().reached.count(Fault::F22);
            self.connection = Connection::Refused;
        }
        let is_dark = options.has(Hazard::AllProvidersDown)
            || (options.has(Hazard::ProviderOutage) && *provider == provider_name(0));
        if is_dark {
            world.state().dark.insert(provider.clone());
            match Dice::of(options.seed, &[7]).below(3) {
                0 => self.connection = Connection::Refused,
                1 => self.connection = Connection::Swallowed,
                _ => self.course = Course::Silent,
            }
        }
    }

    /// How long the proxy waits before it passes the request on, when it has so long.
    pub fn delay_ms(&self, left_ms: u64) -> u64 {
        match self.delay {
            Delay::Soon(ms) => ms,
            Delay::Within(permille) => left_ms * permille / 1000,
        }
    }

    /// The fate in words, for the trace.
    pub fn words(&self) -> String {
        let late = match self.delay {
            Delay::Soon(_) => "",
            Delay::Within(_) => ", late",
        };
        let twice = if self.again_ms.is_some() {
            ", twice"
        } else {
            ""
        };
        let course = match self.course {
            Course::Applies => "it is passed on",
            Course::Lost => "it is lost",
            Course::Silent => "the proxy hangs",
            Course::Refuses => "the proxy refuses it",
            Course::Fails => "the proxy fails",
            Course::FailsThenApplies => "the proxy says that it failed and passes it on",
            Course::Foreign => "the answer is about something else",
            Course::AppliesForeign => "it is passed on; the answer is about something else",
            Course::AppliesResets => "it is passed on; the connection breaks",
            Course::AppliesSilent => "it is passed on; the answer is lost",
        };
        format!("{course}{late}{twice}")
    }
}

fn course(world: &World, dice: &mut Dice) -> Course {
    let kinds = [
        (Hazard::LostRequests, 500, Course::Lost),
        (Hazard::Hangs, 500, Course::Silent),
        (Hazard::LostAnswers, 350, Course::AppliesResets),
        (Hazard::LostAnswers, 350, Course::AppliesSilent),
        (Hazard::Refusals, 300, Course::Refuses),
        (Hazard::ServerErrors, 300, Course::Fails),
        (Hazard::ServerErrors, 400, Course::FailsThenApplies),
        (Hazard::WrongIdentifiers, 400, Course::Foreign),
        (Hazard::WrongIdentifiers, 300, Course::AppliesForeign),
    ];
    let mut course = Course::Applies;
    for (hazard, weight, kind) in kinds {
        // All dice are rolled, so that one hazard's absence shifts no other.
        if world.strikes(dice, hazard, weight) && course == Course::Applies {
            course = kind;
        }
    }
    course
}
