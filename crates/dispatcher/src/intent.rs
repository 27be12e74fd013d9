//! Step 1 of a send: the intent, durable before a byte leaves (D5), and what the attempt sends.

use std::sync::Arc;

use balefire_domain::ids::AttemptId;
use balefire_domain::lane::{Attempt, Delivery, Effect, Hedge, Kind, Lane, LaneEvent, step};
use balefire_domain::payload::{self, Reference};
use balefire_domain::provider::{Format, Profile, ProviderName, Route};
use balefire_domain::time::Timestamp;
use balefire_store::crash_point;
use tracing::Span;
use tracing::field::Empty;

use crate::lane_task::Cause;
use crate::ports::{Database, Frozen, LaneKey, SendRequest, Stored, Transaction, WayOut};
use crate::sweep::bounded;
use crate::{Adopt, Dispatcher};

/// What is said of a route whose silence was answered by another attempt.
const SILENT: &str = "silent for so long that another attempt was opened beside it";

/// An attempt whose intent is durable.
pub(crate) struct Outgoing {
    pub(crate) attempt: Attempt,
    pub(crate) request: SendRequest,
    pub(crate) provider: ProviderName,
    pub(crate) created_at: Timestamp,
    pub(crate) kind: Kind,
    /// When its silence is answered with another attempt, where it may be.
    pub(crate) hedge_at: Option<Timestamp>,
    /// When a person is told of its silence, where nobody was.
    pub(crate) stuck_at: Option<Timestamp>,
    /// The trace in which its event began, where that is known.
    traceparent: Option<String>,
}

impl Outgoing {
    /// What is told of the attempt while it is under way.
    pub(crate) fn span(&self, adopt: Option<Adopt>) -> Span {
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

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Step 1: stores the intent to send, if `step` has one. When it is not known whether it was
    /// stored, nothing is sent, and an attempt that was is closed.
    pub(crate) async fn open(&self, key: &LaneKey, cause: Cause) -> Stored<Option<Outgoing>> {
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
            | Effect::RemakeCancel { .. }
            | Effect::AlertInstead { .. } => None,
        });
        let outgoing = match sends {
            None => None,
            Some(attempt) => {
                let hedge = policy.hedge;
                // Others need not wait for what is silent here: its route goes last for now (D17).
                for silent in lane.open_attempts() {
                    let (provider, route) = (&key.provider, &silent.route);
                    self.tempo.note_stored(provider, route, false, tx.now());
                    tx.save_route_result(provider.as_str(), route, false, SILENT)
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

    /// What the attempt sends; a cancel's payload is rendered at its first attempt (D29), and so is
    /// the form of an update (ADR 17).
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
            Some(stored) if self.takes_update_form(lane, delivery, stored) => {
                render_update(tx, lane, &attempt, stored).await?
            }
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
        // What waits for this delivery's end is told of while it is silent, too.
        let waiting = lane.deliveries.iter().filter(|d| !d.state.is_terminal());
        let stuck_at = waiting.filter_map(Delivery::stuck_at).min();
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
            stuck_at,
            traceparent,
        }))
    }

    /// Whether this is an update's first attempt, and there is something that it updates: nothing
    /// of a lower `seq` can be attempted any more.
    fn takes_update_form(&self, lane: &Lane, delivery: &Delivery, stored: &str) -> bool {
        delivery.kind == Kind::Update
            && lane.attempts_of(delivery.id).count() == 1
            && lane.has_earlier_message(delivery.seq)
            && payload::is_alert_form(stored)
            && !self.planted.update_as_alert()
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

/// Every delivery of a lower `seq` that was ever attempted, or may have been before the database
/// forgot it, oldest first.
async fn load_references(
    tx: &mut impl Transaction,
    lane: &Lane,
    seq: u32,
) -> Stored<Vec<Reference>> {
    let mut references = Vec::new();
    for earlier in lane.deliveries.iter().filter(|d| d.seq < seq) {
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
    Ok(references)
}

/// Makes an update of what was stored at its approval, and stores that.
async fn render_update(
    tx: &mut impl Transaction,
    lane: &Lane,
    attempt: &Attempt,
    stored: &str,
) -> Stored<String> {
    let references = load_references(tx, lane, attempt.seq).await?;
    let Some(payload) = payload::update_form(stored, &references) else {
        unreachable!("what is in the alert form has an update form")
    };
    tx.replace_payload(attempt.delivery, stored, &payload)
        .await?;
    crash_point("update.rendered");
    Ok(payload)
}

/// Renders and stores a cancel's payload, with the references of a cancel.
async fn render_cancel(
    tx: &mut impl Transaction,
    profile: &Profile,
    lane: &Lane,
    attempt: &Attempt,
    frozen: &Frozen,
) -> Stored<String> {
    let references = load_references(tx, lane, attempt.seq).await?;
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
