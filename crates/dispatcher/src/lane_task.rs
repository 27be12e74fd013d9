//! One lane's turn: intent, send, outcome; again at once while `step` says so.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use balefire_domain::ids::AttemptId;
use balefire_domain::lane::{Delivery, Kind, LaneEvent, next_wake, step};
use balefire_domain::outcome::Outcome;
use balefire_domain::time::{Clock, Timestamp};
use balefire_store::crash_point;
use tokio::task::JoinSet;
use tracing::Instrument as _;

use crate::Dispatcher;
use crate::bulkhead::{Bulkhead, LastLook, Permit};
use crate::intent::Outgoing;
use crate::measure;
use crate::ports::{Answered, Database, LaneKey, Stored, Transaction, WayOut};
use crate::sweep::bounded;

/// How long a lane waits for a place at its provider before it is left to the next sweep.
const PERMIT_WAIT: Duration = Duration::from_secs(1);
/// Attempts that a lane makes in one turn at most; the sweep goes on with it.
const ATTEMPTS_PER_TURN_MAX: u32 = 100;
/// How soon silence that could not be answered is looked at again.
const HEDGE_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why a lane is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Its time has come, or something was committed.
    Due,
    /// Something else got through to its provider (D6).
    Healed,
}
/// Why a turn looks for something to send.
#[derive(Clone, Copy, Debug)]
enum Look {
    /// The lane is due.
    Due(Cause),
    /// Its one open attempt may have been silent for too long.
    Silent,
    /// Nothing has changed.
    Nothing,
}

/// Ends at an instant; never where there is none.
async fn until(at: Option<Timestamp>, clock: &dyn Clock) {
    match at {
        Some(at) => tokio::time::sleep(at.since(clock.now())).await,
        None => std::future::pending().await,
    }
}

/// What is under way in a lane's turn.
#[derive(Default)]
struct UnderWay {
    /// Each a task of its own: its deadline is kept while another answer is being stored.
    sends: JoinSet<(Outgoing, Answered)>,
    /// The open attempts, and when each one's silence is answered with another.
    in_flight: Vec<(AttemptId, Option<Timestamp>)>,
    /// When a person is told that the delivery takes too long.
    stuck_at: Option<Timestamp>,
    /// The turn's place at the provider. A hedge needs no other: it takes that of the attempt
    /// whose silence it answers.
    place: Option<Permit>,
    /// Attempts of this turn.
    attempts: u32,
}

impl UnderWay {
    /// The next attempt that has ended; `None` when none is open. A panic goes on in the turn.
    async fn next_answer(&mut self) -> Option<(Outgoing, Answered)> {
        let sent = self.sends.join_next().await?;
        let (outgoing, answered) = sent.unwrap_or_else(|panic| resume_unwind(panic.into_panic()));
        self.in_flight.retain(|(id, _)| *id != outgoing.attempt.id);
        Some((outgoing, answered))
    }

    /// When the one open attempt has been silent for too long, where that has an answer.
    fn hedge_at(&self) -> Option<Timestamp> {
        match self.in_flight[..] {
            [(_, hedge_at)] => hedge_at,
            _ => None,
        }
    }
}

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Looks at a lane and sends while something is to be sent: one attempt, and one more beside
    /// it where it is silent for too long. An answer that could not be stored ends the turn, after
    /// the other one.
    pub(crate) async fn run_lane(
        self: &Arc<Self>,
        key: &LaneKey,
        is_cancelling: bool,
        cause: Cause,
    ) -> Stored<()> {
        let mut failure = None;
        let mut turn = UnderWay::default();
        let mut look = Look::Due(cause);
        loop {
            // At the end what is open is awaited, and nothing more is opened.
            let may_open =
                turn.attempts < ATTEMPTS_PER_TURN_MAX && !self.is_ending.load(Ordering::Relaxed);
            let mut hedge_at = turn.hedge_at().filter(|_| may_open);
            let opened = match look {
                _ if !may_open => None,
                Look::Due(cause) => {
                    self.open_first(key, is_cancelling, cause, &mut turn)
                        .await?
                }
                Look::Silent => {
                    let opened = self.open_beside(key, is_cancelling, &mut turn.place).await;
                    // Where nothing is due beside it, only an answer makes another look worth it.
                    let found_out = opened.is_some();
                    hedge_at = (!found_out).then(|| self.clock.now() + HEDGE_AGAIN_AFTER);
                    opened.flatten()
                }
                Look::Nothing => None,
            };
            if let Some(outgoing) = opened {
                self.begin_send(outgoing, &mut turn);
                hedge_at = turn.hedge_at();
            }
            look = Look::Nothing;
            let stuck_at = turn.stuck_at;
            tokio::select! {
                // An answer is a fact, and comes first.
                biased;
                sent = turn.next_answer() => {
                    let Some((outgoing, answered)) = sent else { break };
                    let settled = self.settle(key, &outgoing, &answered).await;
                    // A silence that nothing waits for any more keeps nobody's place.
                    if turn.in_flight.is_empty() || settled.as_ref().is_ok_and(|s| s.has_ended) {
                        turn.place = None;
                    }
                    match settled {
                        Ok(settled) => {
                            if settled.is_due && turn.in_flight.is_empty() && failure.is_none() {
                                look = Look::Due(Cause::Due);
                            }
                        }
                        Err(error) => failure = Some(error),
                    }
                }
                () = until(hedge_at, &*self.clock) => look = Look::Silent,
                () = until(stuck_at, &*self.clock) => {
                    turn.stuck_at = None;
                    self.judge_silence(key).await;
                }
            }
        }
        failure.map_or(Ok(()), Err)
    }

    fn begin_send(self: &Arc<Self>, outgoing: Outgoing, turn: &mut UnderWay) {
        turn.attempts += 1;
        turn.in_flight
            .push((outgoing.attempt.id, outgoing.hedge_at));
        turn.stuck_at = outgoing.stuck_at;
        let this = Arc::clone(self);
        turn.sends
            .spawn(async move { this.carry_out(outgoing).await });
    }

    /// Tells a person of a silence that lasts too long: the attempt's own end may be far.
    async fn judge_silence(&self, key: &LaneKey) {
        if let Err(error) = self.play(key, LaneEvent::Tick).await {
            tracing::warn!(
                event = "lane.not_judged", alert.id = %key.alert_id, provider = %key.provider,
                error = &error as &dyn std::error::Error,
                "the database failed; what takes too long is told at the attempt's end"
            );
        }
    }

    /// The lane's only attempt, if one is due.
    async fn open_first(
        &self,
        key: &LaneKey,
        is_cancelling: bool,
        cause: Cause,
        turn: &mut UnderWay,
    ) -> Stored<Option<Outgoing>> {
        turn.place = self.permit(key, is_cancelling).await?;
        if turn.place.is_none() {
            return Ok(None);
        }
        let opened = self.open(key, cause).await?;
        if opened.is_none() {
            turn.place = None;
        }
        Ok(opened)
    }

    /// An attempt beside a silent one, if one is due; `None` where that could not be found out, and
    /// is worth another look. Whatever happens here leaves the first one as it is.
    async fn open_beside(
        &self,
        key: &LaneKey,
        is_cancelling: bool,
        place: &mut Option<Permit>,
    ) -> Option<Option<Outgoing>> {
        if place.is_none() {
            *place = self.bulkheads.of(&key.provider).try_acquire(is_cancelling);
        }
        place.as_ref()?;
        match self.open(key, Cause::Due).await {
            Ok(opened) => Some(opened),
            Err(error) => {
                tracing::warn!(
                    event = "attempt.not_hedged", alert.id = %key.alert_id,
                    provider = %key.provider, error = &error as &dyn std::error::Error,
                    "the database failed; the attempt that is silent goes on alone for a second"
                );
                None
            }
        }
    }

    /// Step 2: no transaction, one send.
    async fn carry_out(&self, outgoing: Outgoing) -> (Outgoing, Answered) {
        let began = self.clock.now();
        crash_point("attempt.opened");
        let sent_at = self.clock.monotonic();
        let span = outgoing.span(self.adopt);
        let sending = self.gateway.send(outgoing.request.clone());
        let mut answered = sending.instrument(span.clone()).await;
        if self.planted.sends_twice() && answered.outcome == Outcome::Unknown {
            answered = self.gateway.send(outgoing.request.clone()).await;
        }
        crash_point("attempt.answered");
        span.record("outcome", answered.outcome.as_str());
        let took = self.clock.monotonic().saturating_sub(sent_at);
        let (provider, route) = (&outgoing.provider, &outgoing.attempt.route);
        measure::note_attempt(provider, route, answered.outcome, took);
        if answered.outcome.is_acceptance() {
            let provider = &outgoing.provider;
            self.tempo
                .note_acceptance(provider, self.clock.now().since(began));
        }
        (outgoing, answered)
    }

    /// A place at the provider. Before it waits, the lane's state follows the clock: what only
    /// ends must not wait for a place.
    async fn permit(&self, key: &LaneKey, is_cancelling: bool) -> Stored<Option<Permit>> {
        let bulkhead = self.bulkheads.of(&key.provider);
        if let Some(permit) = bulkhead.try_acquire(is_cancelling) {
            bulkhead.forget_look(key);
            return Ok(Some(permit));
        }
        let now = self.clock.now();
        let look = match bulkhead.latest_look(key, now) {
            Some(look) => Some(look),
            None => self.look_at(key, &bulkhead, now).await?,
        };
        // What waits may have become a cancel, which has places of its own.
        let is_cancelling = is_cancelling || look.is_some_and(|look| look.kind == Kind::Cancel);
        let waiting = bulkhead.acquire(is_cancelling);
        let permit = tokio::time::timeout(PERMIT_WAIT, waiting).await.ok();
        if permit.is_some() {
            bulkhead.forget_look(key);
        }
        Ok(permit)
    }

    /// Has a waiting lane follow the clock, and remembers what its active delivery asks.
    async fn look_at(
        &self,
        key: &LaneKey,
        bulkhead: &Bulkhead,
        now: Timestamp,
    ) -> Stored<Option<LastLook>> {
        let target = self.play(key, LaneEvent::Tick).await?;
        let look = target.map(|target| LastLook::new(&target, now));
        if let Some(look) = look {
            bulkhead.note_look(key, look);
        }
        Ok(look)
    }

    /// Tells a lane what happened, when nothing is to be sent; its active delivery.
    pub(crate) async fn play(&self, key: &LaneKey, event: LaneEvent) -> Stored<Option<Delivery>> {
        bounded("dispatch.play", self.play_once(key, event)).await
    }

    async fn play_once(&self, key: &LaneKey, event: LaneEvent) -> Stored<Option<Delivery>> {
        let mut tx = self.store.begin("dispatch.play", self.clock.now()).await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(None);
        };
        let policy = self.policy(&mut tx, &key.provider).await?;
        let stepped = step(&lane, event, tx.now(), &policy);
        let asked = stepped.lane.active().cloned();
        // Every lane that waits for a place comes here each second: where it goes on waiting,
        // nothing is written.
        let is_same = stepped.lane == lane && stepped.effects.is_empty();
        if is_same && next_wake(&lane, tx.now()).is_some_and(|at| at <= tx.now()) {
            return Ok(asked);
        }
        tx.save_lane(key, &lane, &stepped.lane).await?;
        self.apply_duties(&mut tx, key, &stepped.effects).await?;
        tx.commit().await?;
        Ok(asked)
    }
}
