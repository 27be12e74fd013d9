//! The simulated way out: connections, proxies and what lies between them and a provider's centre.
//!
//! What it may do to a request is what the product is told to expect (D25): nothing is written past
//! the deadline; what was written reaches the proxy before the deadline or never; from there a
//! proxy of ours passes it on before `not_after` by its own clock, and any other for as long as its
//! time-out, whether or not anybody still waits. Within that it is as late, as double and as silent
//! as the seed wants. A process that dies takes nothing back.

use std::sync::Arc;
use std::time::Duration;

use balefire_dispatcher::ports::{Answered, ProbeRequest, Probed, ProxySays, SendRequest, WayOut};
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::{Clock, Timestamp};
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::fate::{Connection, Course, Fate};
use super::hazard::{Fault, Hazard};
use super::oracle::{Handed, Message, Sent};
use super::planted::Fault as Planted;
use super::process::Life;
use super::safety;
use super::world::{Point, World};

/// How long a connection is tried (`dispatch.connect_timeout_ms`).
const CONNECT_MAX: Duration = Duration::from_secs(1);
/// How much later than it may a request is applied where the deadline is not enforced.
const UNENFORCED_MS: u64 = 40_000;

/// The way out of one process.
#[derive(Clone)]
pub struct SimWayOut {
    /// The run.
    pub world: Arc<World>,
    /// The process.
    pub life: Arc<Life>,
    /// Its clock, which knows whether it may be believed.
    pub clock: Arc<dyn Clock>,
}

/// What comes back over a connection.
#[derive(Clone, Copy)]
enum Reply {
    Answer(Outcome),
    WrongIdentifier,
    Reset,
}

/// A request on its way.
struct Carried {
    world: Arc<World>,
    provider: ProviderName,
    message: Message,
    group: usize,
    fate: Fate,
    /// How long somebody waits for its answer.
    waited: Duration,
    deadline_at: Timestamp,
    /// How long the proxy keeps trying; absent for a proxy that goes by `not_after`.
    upstream: Option<Duration>,
    has_dedup: bool,
    reply: oneshot::Sender<Reply>,
}

impl WayOut for SimWayOut {
    async fn send(&self, request: SendRequest) -> Answered {
        let (_, provider) = request.lane.split_once('/').expect("a lane names both");
        let provider = ProviderName::new(provider).expect("a lane names its provider");
        self.life.pass().await;
        self.world.may_crash(&self.life, Point::BeforeBytes);
        self.life.pass().await;
        let fate = Fate::draw(&self.world, &provider, &request.route);
        if let Some(refusal) = self.connect(&request, &fate).await {
            return refusal;
        }
        let now = self.clock.now();
        let waited = request.deadline_at.since(now).max(Duration::from_millis(1));
        let (tell, told) = oneshot::channel();
        self.leave(&request, provider, fate, waited, tell);
        self.world.may_crash(&self.life, Point::AfterBytes);
        let reply = tokio::select! {
            biased;
            reply = told => reply.unwrap_or(Reply::Reset),
            () = sleep(waited) => {
                self.life.pass().await;
                return unknown("sent, but no answer by the deadline");
            }
        };
        let was_still = self.life.is_still();
        self.life.pass().await;
        self.world.may_crash(&self.life, Point::AfterAnswer);
        self.life.pass().await;
        self.judge(&request, reply, was_still)
    }

    async fn probe(&self, request: ProbeRequest) -> Probed {
        self.life.pass().await;
        let proxy = &request.route.proxy;
        let provider = proxy.split('-').next().unwrap_or_default();
        let provider = ProviderName::new(provider).expect("a proxy is named after its provider");
        let fate = Fate::draw(&self.world, &provider, &request.route);
        let answered = self.ask(&request, &fate).await;
        self.life.pass().await;
        let ahead_us = self.world.state().cbcs[&provider].proxy_ahead_us;
        let has_answered = answered.http_status.is_some();
        let clock = Timestamp::from_micros(self.world.time.now().micros() + ahead_us);
        let boot_id = None;
        Probed {
            answered,
            proxy: (request.capabilities.own_protocol && has_answered)
                .then_some(ProxySays { clock, boot_id }),
        }
    }
}

impl SimWayOut {
    /// A link test or heartbeat: it meets what requests meet, and changes nothing anywhere.
    async fn ask(&self, request: &ProbeRequest, fate: &Fate) -> Answered {
        let now = self.clock.now();
        let waited = request
            .deadline_at
            .since(now)
            .min(self.world.options.figures.attempt_deadline);
        match fate.connection {
            Connection::Made => {}
            Connection::Refused => return refused("not sent: no connection"),
            Connection::Swallowed => {
                sleep(CONNECT_MAX.min(waited)).await;
                return refused("not sent: no connection within the time to connect");
            }
        }
        let way = Duration::from_millis(fate.to_proxy_ms + fate.back_ms);
        match fate.course {
            Course::Applies | Course::AppliesForeign if way < waited => {
                sleep(way).await;
                answered(Outcome::Accepted)
            }
            Course::Fails | Course::FailsThenApplies | Course::AppliesResets | Course::Foreign => {
                sleep(way.min(waited)).await;
                unknown("the proxy failed")
            }
            Course::Refuses => {
                sleep(way.min(waited)).await;
                refused("the proxy refuses it")
            }
            Course::Applies
            | Course::AppliesForeign
            | Course::Lost
            | Course::Silent
            | Course::AppliesSilent => {
                sleep(waited).await;
                unknown("sent, but no answer by the deadline")
            }
        }
    }

    /// A connection, or why there is none. Directly before the first byte the deadline is compared.
    async fn connect(&self, request: &SendRequest, fate: &Fate) -> Option<Answered> {
        let left = || request.deadline_at.since(self.clock.now());
        let is_late = || self.clock.now() >= request.deadline_at || !self.clock.is_trusted();
        if is_late() && !self.world.has_planted(Planted::SendsPastDeadline) {
            return Some(refused("not sent: the deadline had passed"));
        }
        match fate.connection {
            Connection::Made => sleep(Duration::from_millis(fate.connect_ms)).await,
            Connection::Refused => {
                sleep(Duration::from_millis(fate.connect_ms)).await;
                self.life.pass().await;
                return Some(refused("not sent: no connection"));
            }
            Connection::Swallowed => {
                sleep(CONNECT_MAX.min(left())).await;
                self.life.pass().await;
                return Some(refused(
                    "not sent: no connection within the time to connect",
                ));
            }
        }
        self.life.pass().await;
        if is_late() && !self.world.has_planted(Planted::SendsPastDeadline) {
            return Some(refused("not sent: the deadline had passed"));
        }
        None
    }

    /// The bytes leave.
    fn leave(
        &self,
        request: &SendRequest,
        provider: ProviderName,
        fate: Fate,
        waited: Duration,
        reply: oneshot::Sender<Reply>,
    ) {
        let world = &self.world;
        let mut state = world.state();
        let group = state.cbcs[&provider].group_of(&request.route);
        let sent = Sent {
            id: request.delivery,
            route: request.route.name(),
            group,
            payload: Arc::clone(&request.stored_payload),
            deadline_us: request.deadline_at.micros(),
        };
        state.note(world.time.elapsed_us(), || {
            let (seq, route) = (request.seq, request.route.name());
            let process = self.life.process + 1;
            format!(
                "process {process} sends event {seq} over {route}: {}",
                fate.words()
            )
        });
        safety::check_sent(&mut state, world, request, &sent, self.clock.now());
        if world.options.has(Hazard::HungJobs) && !world.is_healed() {
            state.reached.count(Fault::F44);
        }
        let alert = request
            .lane
            .split('/')
            .next()
            .and_then(|id| id.parse().ok());
        if alert.is_some_and(|alert| state.suspended.contains(&alert)) {
            state.reached.count(Fault::F64);
        }
        let is_other = |other: &Sent| other.id == sent.id && other.group != sent.group;
        if state.oracle.sent.iter().any(is_other) {
            state.reached.count(Fault::F25);
        }
        state.oracle.sent.push(sent);
        state.in_network += 1;
        drop(state);
        let capabilities = request.capabilities;
        let message = Message::read(
            request.delivery,
            &request.lane,
            request.seq,
            &request.stored_payload,
        );
        let carried = Carried {
            world: Arc::clone(world),
            provider,
            message,
            group,
            fate,
            waited,
            deadline_at: request.deadline_at,
            upstream: (!capabilities.own_protocol).then_some(world.options.upstream_timeout),
            has_dedup: capabilities.dedup,
            reply,
        };
        world.spawn(carried.carry());
    }

    /// What the reply means, as the gateway would say it.
    fn judge(&self, request: &SendRequest, reply: Reply, was_still: bool) -> Answered {
        let outcome = match reply {
            Reply::Answer(outcome) => outcome,
            Reply::WrongIdentifier if self.world.has_planted(Planted::ForeignAnswerAccepted) => {
                Outcome::Accepted
            }
            Reply::WrongIdentifier => {
                return unknown("the answer is about another identifier");
            }
            Reply::Reset => return unknown("sent, but the connection ended without an answer"),
        };
        let mut state = self.world.state();
        if outcome.is_acceptance() {
            state.oracle.handed.push(Handed {
                id: request.delivery,
                route: request.route.name(),
                deadline_us: request.deadline_at.micros(),
                at_us: self.world.time.elapsed_us(),
                to: (self.life.process, self.life.number),
            });
        }
        let name = instance_name(self.life.process);
        let instances = state.tables.instances.values();
        let latest = instances
            .filter(|row| row.name == name)
            .max_by_key(|row| row.seen_at);
        if was_still && latest.is_some_and(|row| row.ended_at.is_some()) {
            state.reached.count(Fault::F9);
        }
        if outcome == Outcome::UnknownReference {
            state.reached.count(Fault::F32);
        }
        answered(outcome)
    }
}

impl Carried {
    async fn carry(self) {
        let world = Arc::clone(&self.world);
        self.carry_out().await;
        world.state().in_network -= 1;
    }

    async fn carry_out(mut self) {
        let to_proxy = Duration::from_millis(self.fate.to_proxy_ms);
        sleep(to_proxy).await;
        if to_proxy >= self.waited || self.fate.course == Course::Lost {
            return self.never_answers().await; // Cut off at its deadline, or lost.
        }
        match self.fate.course {
            Course::Lost | Course::Silent => {
                self.world.state().reached.count(Fault::F14);
                self.never_answers().await;
            }
            Course::Refuses => self.answers(Reply::Answer(Outcome::Refused)).await,
            Course::Fails => self.answers(Reply::Reset).await,
            Course::FailsThenApplies => {
                let (tell, _) = oneshot::channel();
                let reply = std::mem::replace(&mut self.reply, tell);
                let _ = reply.send(Reply::Reset);
                self.apply().await;
            }
            Course::Foreign => self.answers(Reply::WrongIdentifier).await,
            Course::AppliesForeign => {
                self.apply().await;
                self.answers(Reply::WrongIdentifier).await;
            }
            Course::AppliesResets => {
                if self.apply().await.is_some() {
                    self.world.state().reached.count(Fault::F16);
                }
                self.answers(Reply::Reset).await;
            }
            Course::AppliesSilent => {
                if self.apply().await.is_some() {
                    self.world.state().reached.count(Fault::F28);
                }
                self.never_answers().await;
            }
            Course::Applies => match self.apply().await {
                Some(outcome) => self.answers(Reply::Answer(outcome)).await,
                None if self.upstream.is_none() => {
                    self.answers(Reply::Answer(Outcome::Refused)).await;
                }
                None => self.answers(Reply::Reset).await,
            },
        }
    }

    async fn answers(self, reply: Reply) {
        sleep(Duration::from_millis(self.fate.back_ms)).await;
        let is_acceptance = matches!(reply, Reply::Answer(outcome) if outcome.is_acceptance());
        if self.reply.send(reply).is_err() && is_acceptance {
            self.world.state().reached.count(Fault::F15);
        }
    }

    /// The connection stays open, and nothing comes.
    async fn never_answers(self) {
        sleep(self.waited).await;
        drop(self.reply);
    }

    /// How many milliseconds from now the proxy may still pass it on.
    fn time_left_ms(&self) -> u64 {
        let left = if let Some(upstream) = self.upstream {
            // It keeps trying for so long after we stopped waiting.
            let on_its_way = Duration::from_millis(self.fate.to_proxy_ms);
            (self.waited + upstream).saturating_sub(on_its_way)
        } else {
            let ahead_us = self.world.state().cbcs[&self.provider].proxy_ahead_us;
            let now_us = self.world.time.now().micros() + ahead_us;
            self.deadline_at.since(Timestamp::from_micros(now_us))
        };
        // Timers are a millisecond late.
        let left_ms = u64::try_from(left.as_millis())
            .unwrap_or(0)
            .saturating_sub(3);
        let is_enforced = !self.world.has_planted(Planted::DeadlineNotEnforced);
        if is_enforced {
            left_ms
        } else {
            left_ms + UNENFORCED_MS
        }
    }

    /// Passes it on, now or as late as the fate has it; what the centre says, or `None` when the
    /// proxy had to give up.
    async fn apply(&mut self) -> Option<Outcome> {
        let left_ms = self.time_left_ms();
        let delay_ms = self.fate.delay_ms(left_ms);
        if delay_ms > left_ms {
            sleep(Duration::from_millis(left_ms)).await;
            return None;
        }
        sleep(Duration::from_millis(delay_ms)).await;
        let outcome = self.take();
        let Some(again_ms) = self.fate.again_ms else {
            return Some(outcome);
        };
        let again = Duration::from_millis(again_ms.min(left_ms - delay_ms));
        let again = self.again(again);
        if self.has_dedup {
            self.world.spawn(again); // Long after its answer, too.
        } else {
            again.await; // What it has answered for, a proxy has done with.
        }
        Some(outcome)
    }

    /// The second of two.
    fn again(&self, after: Duration) -> impl Future<Output = ()> + Send + use<> {
        let mut state = self.world.state();
        state.in_network += 1;
        *state.oracle.doubled.entry(self.message.id).or_default() += 1;
        drop(state);
        let world = Arc::clone(&self.world);
        let (provider, message, group) = (self.provider.clone(), self.message.clone(), self.group);
        let restarts = world.state().cbcs[&provider].restarts;
        async move {
            sleep(after).await;
            // A centre that restarts ends what was on its way to it.
            if world.state().cbcs[&provider].restarts == restarts {
                take(&world, &provider, &message, group);
            }
            let mut state = world.state();
            state.reached.count(Fault::F29);
            state.in_network -= 1;
        }
    }

    fn take(&self) -> Outcome {
        take(&self.world, &self.provider, &self.message, self.group)
    }
}

/// A message reaches a provider's centre.
fn take(world: &World, provider: &ProviderName, message: &Message, group: usize) -> Outcome {
    let mut state = world.state();
    let cbc = state
        .cbcs
        .get_mut(provider)
        .expect("every provider has one");
    let (outcome, is_applied) = cbc.take(message, group);
    let at_us = world.time.elapsed_us();
    state.note(at_us, || {
        let (kind, seq) = (message.kind.as_str(), message.seq);
        let word = if is_applied {
            "applies"
        } else {
            outcome.as_str()
        };
        format!(
            "{provider}'s centre: {kind}, event {seq} of {}: {word}",
            message.id
        )
    });
    if is_applied {
        safety::check_applied(&mut state, world, provider, message, group);
    }
    outcome
}

/// The name under which a process enters the database.
pub fn instance_name(process: usize) -> String {
    format!("process-{}", process + 1)
}

fn answered(outcome: Outcome) -> Answered {
    Answered {
        outcome,
        detail: format!("the proxy says {}", outcome.as_str()),
        http_status: Some(200),
        answer_sha256: None,
    }
}

fn refused(why: &str) -> Answered {
    Answered {
        outcome: Outcome::Refused,
        detail: why.to_owned(),
        http_status: None,
        answer_sha256: None,
    }
}

fn unknown(why: &str) -> Answered {
    Answered {
        outcome: Outcome::Unknown,
        ..refused(why)
    }
}
