//! What becomes of an answer: step 3 of a lane's turn.

use std::time::Duration;

use balefire_domain::ids::{AlertId, AttemptId, DeliveryId, DutyItemId};
use balefire_domain::lane::next_wake;
use balefire_domain::lane::{
    Delivery, DutyKind, Effect, Ignored, Kind, Lane, LaneEvent, State, step,
};
use balefire_domain::outcome::Outcome;
use balefire_domain::payload::alert_instead;

use crate::Dispatcher;
use crate::intent::Outgoing;
use crate::measure;
use crate::ports::{
    AnswerRecord, Answered, Database, Frozen, LaneKey, Stored, Transaction, WayOut,
};
use crate::sweep::bounded;

/// The wait before an answer that could not be stored is tried again.
const SETTLE_AGAIN_AFTER: Duration = Duration::from_millis(200);
/// How long an answer that can't be stored is kept. Longer than any outage that is mended in time
/// for the alert; after it the delivery is sent again, and a provider that knows it says so.
const ANSWER_KEPT_MAX: Duration = Duration::from_secs(3_600);
/// How long nothing is said of an answer that still can't be stored, so that the log of a long
/// outage stays readable.
const SILENCE: Duration = Duration::from_secs(60);

/// What an answer has changed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settled {
    /// The lane has more to do now: otherwise a look at it would be a transaction for nothing.
    pub(crate) is_due: bool,
    /// What was sent has ended.
    pub(crate) has_ended: bool,
}

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// Stores what an attempt was answered, and what follows. An answer is a fact: while the
    /// database is away it is kept and tried again, beyond the attempt's own time too.
    pub(crate) async fn settle(
        &self,
        key: &LaneKey,
        outgoing: &Outgoing,
        answered: &Answered,
    ) -> Stored<Settled> {
        let attempt = &outgoing.attempt;
        if self.planted.former_self_ignored() && attempt.opened_by != self.instance() {
            return Ok(Settled::default());
        }
        // By the clock that nobody sets: a jump must not throw an acceptance away.
        let heard_at = self.clock.monotonic();
        let mut told_at = None;
        loop {
            let error = match self.try_to_settle(key, outgoing, answered).await {
                Ok(settled) => {
                    log_answer(key, outgoing, answered, self.clock.now());
                    return Ok(settled);
                }
                Err(error) => error,
            };
            let now = self.clock.monotonic();
            let kept = now.saturating_sub(heard_at);
            if kept >= ANSWER_KEPT_MAX || self.planted.answer_not_kept() {
                return Err(error);
            }
            if told_at.is_none_or(|told_at| now.saturating_sub(told_at) >= SILENCE) {
                if told_at.is_none() && error.is_of_the_data() {
                    self.tell_unreadable(key).await;
                }
                told_at = Some(now);
                tracing::warn!(
                    event = "attempt.not_stored", attempt.id = %attempt.id,
                    outcome = answered.outcome.as_str(),
                    error = &error as &dyn std::error::Error,
                    "an answer could not be stored; it is kept and tried again until it is"
                );
            }
            tokio::time::sleep(SETTLE_AGAIN_AFTER).await;
        }
    }

    async fn try_to_settle(
        &self,
        key: &LaneKey,
        outgoing: &Outgoing,
        answered: &Answered,
    ) -> Stored<Settled> {
        bounded("dispatch.settle", self.settle_once(key, outgoing, answered)).await
    }

    async fn settle_once(
        &self,
        key: &LaneKey,
        outgoing: &Outgoing,
        answered: &Answered,
    ) -> Stored<Settled> {
        let attempt = &outgoing.attempt;
        let mut tx = self
            .store
            .begin("dispatch.settle", self.clock.now())
            .await?;
        let Some(lane) = tx.lock_lane(key).await? else {
            if answered.outcome.is_acceptance() {
                // The alert's row is gone as well: nothing may point to it.
                self.tell_of_forgotten(&mut tx, key, attempt.id, None)
                    .await?;
                tx.commit().await?;
            }
            return Ok(Settled::default());
        };
        let policy = self.policy(&mut tx, &key.provider).await?;
        let event = LaneEvent::Answered {
            attempt: attempt.id,
            outcome: answered.outcome,
            jitter_permille: self.entropy.jitter_permille(),
        };
        let stepped = step(&lane, event, tx.now(), &policy);
        tx.save_lane(key, &lane, &stepped.lane).await?;
        if stepped.ignored.is_none() {
            let record = AnswerRecord {
                detail: answered.detail.clone(),
                http_status: answered.http_status,
                answer_sha256: answered.answer_sha256.clone(),
            };
            tx.save_answer(attempt.id, &record).await?;
        }
        let is_forgotten = stepped.ignored == Some(Ignored::UnknownAttempt);
        if is_forgotten && answered.outcome.is_acceptance() {
            self.tell_of_forgotten(&mut tx, key, attempt.id, Some(key.alert_id))
                .await?;
        }
        let (route, is_good) = (&attempt.route, is_route_good(answered.outcome));
        let now = tx.now();
        let is_news = self.tempo.is_news(&key.provider, route, is_good, now);
        if is_news {
            tx.save_route_result(key.provider.as_str(), route, is_good, &answered.detail)
                .await?;
        }
        self.apply_duties(&mut tx, key, &stepped.effects).await?;
        let is_remade = self
            .issue_again(&mut tx, key, &stepped.lane, &stepped.effects)
            .await?;
        let wake_at = next_wake(&stepped.lane, tx.now());
        let is_due = is_remade || wake_at.is_some_and(|at| at <= tx.now());
        tx.commit().await?;
        if is_news {
            self.tempo.note_stored(&key.provider, route, is_good, now);
        }
        if stepped.effects.contains(&Effect::HealProvider) {
            self.note_healed(&key.provider);
        }
        let sent = stepped.lane.deliveries.iter();
        let mut sent = sent.filter(|delivery| delivery.id == attempt.delivery);
        Ok(Settled {
            is_due,
            has_ended: sent.all(|delivery| delivery.state.is_terminal()),
        })
    }

    /// A provider accepted what the database has forgotten: only this process still knows.
    async fn tell_of_forgotten(
        &self,
        tx: &mut D::Transaction,
        key: &LaneKey,
        attempt: AttemptId,
        alert: Option<AlertId>,
    ) -> Stored<()> {
        let id = DutyItemId::new(self.entropy.uuid_v7(tx.now()));
        let (kind, provider) = (DutyKind::DatabaseFailedOver, Some(key.provider.as_str()));
        let subject = format!("attempt {attempt}");
        if tx
            .open_duty_item(id, kind, &subject, alert, provider)
            .await?
        {
            tracing::error!(
                event = "duty_item.opened", alert.id = %key.alert_id, provider = %key.provider,
                attempt.id = %attempt, kind = kind.as_str(), advice = kind.advice(),
                "a provider accepted what the database has forgotten"
            );
        }
        Ok(())
    }

    /// Issues what a step asks for in the place of what has ended: another cancel where the first
    /// was closed too early (D5), or an alert where there is nothing to update (T10). Whether it
    /// did.
    async fn issue_again(
        &self,
        tx: &mut D::Transaction,
        key: &LaneKey,
        lane: &Lane,
        effects: &[Effect],
    ) -> Stored<bool> {
        let asked = effects.iter().find_map(|effect| match effect {
            Effect::RemakeCancel { of } => Some((*of, Kind::Cancel)),
            Effect::AlertInstead { of } => Some((*of, Kind::Alert)),
            Effect::Send(_)
            | Effect::OpenDutyItem { .. }
            | Effect::CloseDutyItems { .. }
            | Effect::HealProvider => None,
        });
        let Some((of, kind)) = asked else {
            return Ok(false);
        };
        let Some(ended) = lane.deliveries.iter().find(|d| d.id == of) else {
            return Ok(false);
        };
        let Some(known) = tx.load_frozen(ended.id).await? else {
            return Ok(false);
        };
        let message_number = match known.message_number {
            None => None,
            Some(_) => Some(tx.next_message_number().await?),
        };
        let delivery = Delivery {
            id: DeliveryId::new(self.entropy.uuid_v4()),
            seq: ended.seq + 1,
            kind,
            state: State::Ready,
            round: 1,
            created_at: tx.now(),
            is_stuck: false,
            ..ended.clone()
        };
        let stored = known.payload.as_deref().filter(|_| kind.carries_text());
        let frozen = Frozen {
            message_number,
            payload: stored.and_then(|stored| alert_instead(stored, delivery.id, message_number)),
            ..known
        };
        if kind == Kind::Alert {
            tracing::warn!(
                event = "update.sent_as_alert", alert.id = %key.alert_id,
                provider = %key.provider, delivery.id = %delivery.id, event.seq = delivery.seq,
                "a provider knew nothing that could be updated: an alert goes out instead"
            );
        }
        tx.insert_delivery(key, &delivery, &frozen).await?;
        let mut inserted = lane.clone();
        inserted.deliveries.push(delivery.clone());
        let policy = self.policy(tx, &key.provider).await?;
        let stepped = step(lane, LaneEvent::Issued(delivery), tx.now(), &policy);
        tx.save_lane(key, &inserted, &stepped.lane).await?;
        self.apply_duties(tx, key, &stepped.effects).await?;
        Ok(true)
    }

    /// Opens and closes the duty items that a step asks for.
    pub(crate) async fn apply_duties(
        &self,
        tx: &mut D::Transaction,
        key: &LaneKey,
        effects: &[Effect],
    ) -> Stored<()> {
        let now = tx.now();
        let mint = || DutyItemId::new(self.entropy.uuid_v7(now));
        for (kind, delivery) in tx.apply_duties(key, effects, &mint).await? {
            log_duty(key, kind, delivery);
        }
        Ok(())
    }
}

/// A route is good when it brought an answer of the provider that is no refusal.
fn is_route_good(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Accepted | Outcome::Duplicate | Outcome::UnknownReference => true,
        Outcome::Refused | Outcome::Unknown => false,
    }
}

pub(crate) fn log_duty(key: &LaneKey, kind: DutyKind, delivery: DeliveryId) {
    tracing::error!(
        event = "duty_item.opened", alert.id = %key.alert_id, provider = %key.provider,
        delivery.id = %delivery, kind = kind.as_str(), advice = kind.advice(),
        "a person on duty is needed"
    );
}

fn log_answer(
    key: &LaneKey,
    outgoing: &Outgoing,
    answered: &Answered,
    now: balefire_domain::time::Timestamp,
) {
    let attempt = &outgoing.attempt;
    let took = now.since(outgoing.created_at);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if answered.outcome.is_acceptance() {
        measure::note_acceptance(&key.provider, outgoing.kind, took);
        tracing::info!(
            event = "attempt.closed", alert.id = %key.alert_id, event.seq = attempt.seq,
            kind = outgoing.kind.as_str(), delivery.id = %attempt.delivery,
            provider = %key.provider, route = attempt.route, attempt.id = %attempt.id,
            outcome = answered.outcome.as_str(), ms, "a provider accepted a delivery"
        );
    } else {
        tracing::warn!(
            event = "attempt.closed", alert.id = %key.alert_id, event.seq = attempt.seq,
            kind = outgoing.kind.as_str(), delivery.id = %attempt.delivery,
            provider = %key.provider, route = attempt.route, attempt.id = %attempt.id,
            outcome = answered.outcome.as_str(), ms, detail = answered.detail,
            "an attempt did not get through"
        );
    }
}
