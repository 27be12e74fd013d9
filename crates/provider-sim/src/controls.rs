//! The simulated world: all providers, the faults and the log, behind one lock.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use balefire_domain::limits::SIM_IDENTIFIERS_MAX;
use balefire_domain::time::Timestamp;

use crate::clock;
use crate::faults::{Effect, Faults, Kind, Rules};
use crate::log::Log;
use crate::protocol::{BootId, Message, MessageType, Outcome, ProxySays, Verdict};
use crate::provider::{Provider, provider_of};

/// Steers a simulator and looks into it from the same process; a clone steers the same one. The
/// routes under `/_sim/` do the same from outside.
#[derive(Clone, Default)]
pub struct Controls {
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
struct World {
    faults: Faults,
    /// For each fault, the requests that fitted it so far.
    seen: Vec<u64>,
    /// By provider, or by `provider/site` where sites are separate.
    providers: BTreeMap<String, Provider>,
    /// How many messages they applied together.
    applied: usize,
    log: Log,
    boot_id: BootId,
}

/// A request that is logged and not yet settled.
pub(crate) struct Arrival {
    n: u64,
    /// Where its provider, or the site of it, keeps its memory.
    memory: String,
    message: Message,
    rules: Rules,
    /// What it meets.
    pub(crate) effect: Effect,
}

/// What became of a request.
pub(crate) struct Settled {
    /// What the provider says, if it is asked.
    pub(crate) verdict: Verdict,
    /// What it meets.
    pub(crate) effect: Effect,
}

impl Controls {
    /// Puts other faults in place of the present ones and counts their requests from the start.
    pub fn replace_faults(&self, faults: Faults) {
        let mut world = self.lock();
        world.seen = vec![0; faults.count()];
        world.faults = faults;
    }

    /// The faults in place, as they were read.
    pub fn faults_source(&self) -> String {
        self.lock().faults.source().to_owned()
    }

    /// The requests so far, oldest first, one line of JSON each; and how many were dropped because
    /// the log was full. The crate's documentation says what stands in a line.
    pub fn requests_json_lines(&self) -> (String, u64) {
        let world = self.lock();
        (world.log.to_json_lines(), world.log.dropped())
    }

    /// Forgets the requests so far. What the providers applied stays.
    pub fn clear_requests(&self) {
        self.lock().log.clear();
    }

    /// A JSON object: for each provider (or `provider/site` where sites are separate) its `live`
    /// alerts by identifier, the identifiers it `cancelled`, and how many messages it `applied`.
    pub fn state_json(&self) -> String {
        serde_json::to_string(&self.lock().providers)
            .expect("it has text keys and plain values only")
    }

    /// Appends the requests to `file` from now on.
    pub(crate) fn log_to(&self, file: File) {
        self.lock().log.append_to(file);
    }

    /// Logs a request and finds out what it meets. `None` when its body is no JSON object of ours.
    pub(crate) fn arrive(&self, function: &str, body: &[u8]) -> Option<Arrival> {
        let message = serde_json::from_slice::<Message>(body).ok();
        let mut world = self.lock();
        let world = &mut *world;
        let Some(message) = message else {
            world.log.add(function, body, Kind::Ok, clock::now());
            return None;
        };
        let provider = provider_of(function);
        let rules = world.faults.rules(provider);
        let memory = if rules.separate_sites {
            format!(
                "{provider}/{}",
                message.cbc_target.as_deref().unwrap_or(function)
            )
        } else {
            provider.to_owned()
        };
        let effect = world.faults.choose(
            &mut world.seen,
            function,
            message.cbc_target.as_deref(),
            message.message_type(),
        );
        let n = world.log.add(function, body, effect.kind, clock::now());
        Some(Arrival {
            n,
            memory,
            message,
            rules,
            effect,
        })
    }

    /// Judges a request, applies it if that is to be, and completes its line in the log.
    pub(crate) fn settle(&self, arrival: &Arrival) -> Settled {
        let now = clock::now();
        let Arrival {
            n, message, effect, ..
        } = arrival;
        let proxy_now = arrival.proxy_clock(now);
        let mut world = self.lock();
        let (outcome, detail) = world.judge(arrival, proxy_now);
        let mut applied = false;
        if effect.applies && outcome == Outcome::Accepted {
            let provider = world.providers.entry(arrival.memory.clone()).or_default();
            applied = provider.apply(message, now);
            world.applied += usize::from(applied);
        }
        let told = told(*effect, outcome);
        world.log.settle(*n, applied, told, now);
        let identifier = message.identifier().to_owned();
        let says_itself = matches!(
            message.message_type(),
            Some(MessageType::Test | MessageType::Heartbeat)
        );
        let proxy = says_itself.then(|| ProxySays {
            clock: proxy_now.to_json_style(),
            boot_id: world.boot_id.0.clone(),
        });
        Settled {
            verdict: Verdict {
                identifier,
                outcome,
                detail,
                proxy,
            },
            effect: *effect,
        }
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrival {
    /// What the clock of its proxy says when ours says `now`.
    fn proxy_clock(&self, now: Timestamp) -> Timestamp {
        let offset_us = i64::from(self.rules.clock_offset_ms) * 1000;
        Timestamp::from_micros(now.micros().saturating_add(offset_us))
    }
}

impl World {
    fn judge(&self, arrival: &Arrival, now: Timestamp) -> (Outcome, String) {
        if let Some(detail) = arrival.message.refusal(now) {
            return (Outcome::Refused, detail);
        }
        if self.applied >= SIM_IDENTIFIERS_MAX {
            let detail = "the simulator's memory is full: start it again";
            return (Outcome::Refused, detail.to_owned());
        }
        let nothing = Provider::default();
        let provider = self.providers.get(&arrival.memory).unwrap_or(&nothing);
        let (outcome, detail) = provider.judge(&arrival.message, arrival.rules.dedup);
        (outcome, detail.to_owned())
    }
}

/// The outcome that the log has: what the provider said, or would have said; none when it never saw
/// the message.
fn told(effect: Effect, outcome: Outcome) -> Option<Outcome> {
    match effect.kind {
        Kind::Refuse => Some(Outcome::Refused),
        Kind::Unavailable
        | Kind::FunctionError
        | Kind::Hang
        | Kind::DropAnswer
        | Kind::Truncated
        | Kind::NotJson => effect.applies.then_some(outcome),
        Kind::Ok | Kind::Late | Kind::Slow | Kind::WrongIdentifier => Some(outcome),
    }
}
