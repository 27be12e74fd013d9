//! One lane's turn: intent, send, outcome; again at once while `step` says so.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use balefire_domain::ids::AttemptId;
use balefire_domain::lane::next_wake;
use balefire_domain::lane::{Attempt, Delivery, Effect, Hedge, Kind, Lane, LaneEvent, step};
use balefire_domain::outcome::Outcome;
use balefire_domain::payload::{self, Reference};
use balefire_domain::provider::{Format, Profile, ProviderName, Route};
use balefire_domain::time::{Clock, Timestamp};
use balefire_store::crash_point;
use tokio::task::JoinSet;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};

use crate::bulkhead::{Bulkhead, LastLook, Permit};
use crate::measure;
use crate::ports::{Answered, Database, Frozen, LaneKey, SendRequest, Stored, Transaction, WayOut};
use crate::sweep::bounded;
use crate::{Adopt, Dispatcher};

/// How long a lane waits for a place at its provider before it is left to the next sweep.
const PERMIT_WAIT: Duration = Duration::from_secs(1);
/// Attempts that a lane makes in one turn at most; the sweep goes on with it.
const ATTEMPTS_PER_TURN_MAX: u32 = 100;

/// What is said of a route whose silence was answered by another attempt.
const SILENT: &str = "silent for so long that another attempt was opened beside it";
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

/// An attempt whose intent is durable.
pub(crate) struct Outgoing {
    pub(crate) attempt: Attempt,
    request: SendRequest,
    provider: ProviderName,
    pub(crate) created_at: Timestamp,
    pub(crate) kind: Kind,
    /// When its silence is answered with another attempt, where it may be.
    hedge_at: Option<Timestamp>,
    /// The trace in which its event began, where that is known.
    traceparent: Option<String>,
}

impl Outgoing {
    /// What is told of the attempt while it is under way.
    fn span(&self, adopt: Option<Adopt>) -> Span {
        let (attempt, lane) = (&self.attempt, &self.request.lane);
        let span = tracing::info_span!(
            "attempt", lane, event.seq = attempt.seq, kind = self.kind.as_str(),
            delivery.id = %attempt.delivery, attempt.id = %attempt.id, provider = %self.provider,
            route = attempt.route, outcome = Empty
        );
        if let (Some(adopt), Some(traceparent)) = (adopt, &self.traceparent) {
            adopt(&span, traceparent);
        }
        span
    }
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
        // Each a task of its own: its deadline is kept while another answer is being stored.
        let mut sends = JoinSet::new();
        let mut in_flight: Vec<(AttemptId, Option<Timestamp>)> = Vec::new();
        // The turn's place at the provider. A hedge needs no other: it takes that of the attempt
        // whose silence it answers.
        let mut place: Option<Permit> = None;
        let mut look = Look::Due(cause);
        let mut attempts = 0;
        loop {
            // At the end what is open is awaited, and nothing more is opened.
            let may_open =
                attempts < ATTEMPTS_PER_TURN_MAX && !self.is_ending.load(Ordering::Relaxed);
            let mut looks_again = false;
            let opened = match look {
                _ if !may_open => None,
                Look::Due(cause) => {
                    self.open_first(key, is_cancelling, cause, &mut place)
                        .await?
                }
                Look::Silent => {
                    let opened = self.open_beside(key, is_cancelling, &mut place).await;
                    looks_again = opened.is_none();
                    opened.flatten()
                }
                Look::Nothing => None,
            };
            let is_silent = matches!(look, Look::Silent) && opened.is_none();
            if let Some(outgoing) = opened {
                attempts += 1;
                in_flight.push((outgoing.attempt.id, outgoing.hedge_at));
                let this = Arc::clone(self);
                sends.spawn(async move { this.carry_out(outgoing).await });
            }
            let hedge_at = match in_flight[..] {
                [_] if looks_again => Some(self.clock.now() + HEDGE_AGAIN_AFTER),
                // Where nothing is due beside it, only an answer makes another look worth it.
                [(_, hedge_at)] if !is_silent => hedge_at,
                _ => None,
            };
            look = Look::Nothing;
            tokio::select! {
                // An answer is a fact, and comes first.
                biased;
                sent = sends.join_next() => {
                    let Some(sent) = sent else { break };
                    let (outgoing, answered) =
                        sent.unwrap_or_else(|panic| resume_unwind(panic.into_panic()));
                    in_flight.retain(|(id, _)| *id != outgoing.attempt.id);
                    // What is left was silent when the other was opened: it keeps nobody's place.
                    place = None;
                    match self.settle(key, &outgoing, &answered).await {
                        Ok(is_due) if is_due && in_flight.is_empty() && failure.is_none() => {
                            look = Look::Due(Cause::Due);
                        }
                        Ok(_) => {}
                        Err(error) => failure = Some(error),
                    }
                }
                () = until(hedge_at, &*self.clock) => look = Look::Silent,
            }
        }
        failure.map_or(Ok(()), Err)
    }

    /// The lane's only attempt, if one is due.
    async fn open_first(
        &self,
        key: &LaneKey,
        is_cancelling: bool,
        cause: Cause,
        place: &mut Option<Permit>,
    ) -> Stored<Option<Outgoing>> {
        *place = self.permit(key, is_cancelling).await?;
        if place.is_none() {
            return Ok(None);
        }
        let opened = self.open(key, cause).await?;
        if opened.is_none() {
            *place = None;
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
        Ok(tokio::time::timeout(PERMIT_WAIT, waiting).await.ok())
    }

    /// Has a waiting lane follow the clock, and remembers what its latest delivery asks.
    async fn look_at(
        &self,
        key: &LaneKey,
        bulkhead: &Bulkhead,
        now: Timestamp,
    ) -> Stored<Option<LastLook>> {
        let target = self.play(key, LaneEvent::Tick).await?;
        let look = target.map(|target| LastLook {
            at: now,
            ends_at: target.ends_at,
            kind: target.kind,
        });
        if let Some(look) = look {
            bulkhead.note_look(key, look);
        }
        Ok(look)
    }

    /// Tells a lane what happened, when nothing is to be sent; its latest delivery.
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
        let asked = stepped.lane.target().cloned();
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

    /// Step 1: stores the intent to send, if `step` has one. When it is not known whether it was
    /// stored, nothing is sent, and an attempt that was is closed.
    async fn open(&self, key: &LaneKey, cause: Cause) -> Stored<Option<Outgoing>> {
        let attempt = AttemptId::new(self.entropy.uuid_v7(self.clock.now()));
        let opened = bounded("dispatch.open", self.open_once(key, cause, attempt)).await;
        if opened.is_err()
            && let Err(error) = self.play(key, LaneEvent::OwnerDied { attempt }).await
        {
            tracing::warn!(
                event = "attempt.not_closed", attempt.id = %attempt,
                error = &error as &dyn std::error::Error,
                "an attempt that may have been stored is closed when it is drained"
            );
        }
        opened
    }

    async fn open_once(
        &self,
        key: &LaneKey,
        cause: Cause,
        attempt: AttemptId,
    ) -> Stored<Option<Outgoing>> {
        let mut tx = self.store.begin("dispatch.open", self.clock.now()).await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            return Ok(None);
        };
        let policy = self.policy(&mut tx, &key.provider).await?;
        let (healed, mut effects) = match cause {
            Cause::Due => (lane.clone(), Vec::new()),
            Cause::Healed => {
                let stepped = step(&lane, LaneEvent::ProviderHealed, tx.now(), &policy);
                (stepped.lane, stepped.effects)
            }
        };
        let due = LaneEvent::Due {
            attempt,
            by: self.instance(),
        };
        let stepped = step(&healed, due, tx.now(), &policy);
        effects.extend(stepped.effects);
        tx.save_lane(key, &lane, &stepped.lane).await?;
        self.apply_duties(&mut tx, key, &effects).await?;
        let sends = effects.into_iter().find_map(|effect| match effect {
            Effect::Send(attempt) => Some(attempt),
            Effect::OpenDutyItem { .. }
            | Effect::CloseDutyItems { .. }
            | Effect::HealProvider
            | Effect::RemakeCancel { .. } => None,
        });
        let outgoing = match sends {
            None => None,
            Some(attempt) => {
                let hedge = policy.hedge;
                // Others need not wait for what is silent here: its route goes last for now (D17).
                for silent in lane.open_attempts() {
                    let provider = key.provider.as_str();
                    tx.save_route_result(provider, &silent.route, false, SILENT)
                        .await?;
                }
                self.prepare(&mut tx, key, &stepped.lane, attempt, hedge)
                    .await?
            }
        };
        if outgoing.is_some() && self.planted.intent_not_stored() {
            return Ok(outgoing);
        }
        tx.commit().await?;
        if let Some(outgoing) = &outgoing {
            let attempt = &outgoing.attempt;
            self.tempo
                .note_attempt(&key.provider, attempt.opened_at, attempt.slot > 0);
        }
        Ok(outgoing)
    }

    /// What the attempt sends; a cancel's payload is rendered at its first attempt (D29).
    async fn prepare(
        &self,
        tx: &mut D::Transaction,
        key: &LaneKey,
        lane: &Lane,
        attempt: Attempt,
        hedge: Option<Hedge>,
    ) -> Stored<Option<Outgoing>> {
        let profile = self.settings.profiles.get(&key.provider);
        let delivery = lane
            .deliveries
            .iter()
            .find(|delivery| delivery.id == attempt.delivery);
        let frozen = tx.load_frozen(attempt.delivery).await?;
        let (Some(profile), Some(delivery), Some(frozen)) = (profile, delivery, frozen) else {
            unreachable!("step sends deliveries of this lane over the routes of its profile")
        };
        let payload = match &frozen.payload {
            Some(payload) => payload.clone(),
            None => render_cancel(tx, profile, lane, &attempt, &frozen).await?,
        };
        let Some(route) = profile
            .routes
            .iter()
            .find(|route| route.name() == attempt.route)
        else {
            unreachable!("step sends over the routes of the profile")
        };
        let request = request(key, profile, route, &attempt, payload);
        let (created_at, kind) = (delivery.created_at, delivery.kind);
        let hedge_at = hedge.map(|hedge| attempt.opened_at + hedge.after);
        let traceparent = match self.adopt {
            None => None,
            Some(_) => tx.load_traceparent(attempt.delivery).await?,
        };
        Ok(Some(Outgoing {
            attempt,
            request,
            provider: key.provider.clone(),
            created_at,
            kind,
            hedge_at,
            traceparent,
        }))
    }
}

fn request(
    key: &LaneKey,
    profile: &Profile,
    route: &Route,
    attempt: &Attempt,
    payload: String,
) -> SendRequest {
    SendRequest {
        route: route.clone(),
        delivery: attempt.delivery,
        capabilities: profile.capabilities,
        stored_payload: Arc::from(payload),
        lane: key.to_string(),
        seq: attempt.seq,
        deadline_at: attempt.deadline_at,
    }
}

/// Renders and stores a cancel's payload: it names every delivery of a lower `seq` that was ever
/// attempted, or may have been before the database forgot it.
async fn render_cancel(
    tx: &mut impl Transaction,
    profile: &Profile,
    lane: &Lane,
    attempt: &Attempt,
    frozen: &Frozen,
) -> Stored<String> {
    let mut references = Vec::new();
    for earlier in lane.deliveries.iter().filter(|d| d.seq < attempt.seq) {
        if let Some(known) = tx.load_frozen(earlier.id).await?
            && lane.may_have_left(earlier.id)
        {
            references.push(Reference {
                message_id: earlier.id,
                message_number: known.message_number,
                sent: known.sent_at.to_cap(),
            });
        }
    }
    // A lane that began with a number keeps its format, whatever the profile says today.
    let format = if frozen.message_number.is_some() {
        Format::Ibag
    } else {
        profile.format
    };
    let payload = payload::render_cancel(
        format,
        attempt.delivery,
        frozen.message_number,
        &references,
        frozen.sent_at,
    );
    tx.save_payload(attempt.delivery, &payload).await?;
    crash_point("cancel.rendered");
    Ok(payload)
}
