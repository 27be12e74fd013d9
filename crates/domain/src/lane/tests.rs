//! Table tests of the lane's rules: one test or row per rule, in the words of the rule.

use std::time::Duration;

use uuid::Uuid;

use super::next_wake;
use super::planted::Planted;
use super::policy::{CANCEL_MARGIN, ends_at};
use super::*;
use crate::ids::{AttemptId, DeliveryId, InstanceId};
use crate::outcome::Outcome::{self, Accepted, Duplicate, Refused, Unknown, UnknownReference};
use crate::time::Timestamp;

pub(super) const T0: Timestamp = Timestamp::from_seconds(1_000_000);
const HERE: InstanceId = InstanceId::new(Uuid::from_u128(7));

pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn policy() -> Policy {
    Policy {
        routes: vec!["1".into(), "2".into()],
        hold: None,
        resends_unknown_at_once: true,
        has_shared_sites: true,
        hedge: None,
        attempt_deadline: s(20),
        clock_skew: s(5),
        upstream_timeout: s(10),
        backoff_cap: s(240),
        early_backoff_cap: s(30),
        early_period: s(600),
        planted: Planted::default(),
    }
}

/// Plays events in one lane and remembers what came of them.
pub(super) struct Play {
    pub(super) lane: Lane,
    pub(super) policy: Policy,
    pub(super) now: Timestamp,
    attempts: u128,
    pub(super) effects: Vec<Effect>,
}

impl Play {
    /// An alert issued at T0 that ends an hour later.
    pub(super) fn alert() -> Self {
        let lane = Lane::new(T0 + s(3600));
        let mut play = Self {
            lane,
            policy: policy(),
            now: T0,
            attempts: 0,
            effects: vec![],
        };
        play.issue(Kind::Alert);
        play
    }

    pub(super) fn play(&mut self, event: LaneEvent) -> Option<Ignored> {
        let Step {
            lane,
            effects,
            ignored,
        } = step(&self.lane, event, self.now, &self.policy);
        self.lane = lane;
        self.effects.extend(effects);
        ignored
    }

    pub(super) fn issue(&mut self, kind: Kind) {
        let seq = self.lane.target().map_or(1, |target| target.seq + 1);
        let delivery = Delivery {
            id: DeliveryId::new(Uuid::from_u128(u128::from(seq))),
            seq,
            kind,
            state: State::Ready,
            round: 1,
            created_at: self.now,
            ends_at: ends_at(kind, self.lane.finishes_at),
            is_stuck: false,
        };
        self.play(LaneEvent::Issued(delivery));
    }

    /// Asks to send; the attempt that was opened, if one was.
    pub(super) fn due(&mut self) -> Option<Attempt> {
        self.attempts += 1;
        let attempt = AttemptId::new(Uuid::from_u128(self.attempts));
        let seen = self.effects.len();
        self.play(LaneEvent::Due { attempt, by: HERE });
        self.effects[seen..].iter().find_map(|effect| match effect {
            Effect::Send(attempt) => Some(attempt.clone()),
            _ => None,
        })
    }

    pub(super) fn answer(&mut self, attempt: &Attempt, outcome: Outcome) -> Option<Ignored> {
        self.play(LaneEvent::Answered {
            attempt: attempt.id,
            outcome,
            jitter_permille: 0,
        })
    }

    /// Opens an attempt and lets it end so.
    pub(super) fn try_once(&mut self, outcome: Outcome) -> Attempt {
        let attempt = self.due().expect("an attempt is due");
        self.answer(&attempt, outcome);
        attempt
    }

    pub(super) fn state(&self, seq: u32) -> State {
        self.lane
            .deliveries
            .iter()
            .find(|d| d.seq == seq)
            .expect("issued")
            .state
    }

    pub(super) fn duties(&self) -> Vec<DutyKind> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::OpenDutyItem { kind, .. } => Some(*kind),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn an_attempt_ends_at_its_deadline_and_is_drained_a_margin_later() {
    let mut play = Play::alert();
    let attempt = play.due().expect("ready at once");
    assert_eq!(attempt.deadline_at, T0 + s(20));
    assert_eq!(attempt.drained_at, T0 + s(35));
    assert_eq!(play.state(1), State::InFlight);
}

#[test]
fn the_deadline_never_lies_beyond_the_alerts_end() {
    let mut play = Play::alert();
    play.now = T0 + s(3595);
    assert_eq!(play.due().expect("still due").deadline_at, T0 + s(3600));
}

#[test]
fn what_an_outcome_makes_of_an_alert_with_another_route_left() {
    let at = T0;
    for (outcome, want) in [
        (Accepted, State::Acknowledged { at }),
        (Duplicate, State::Acknowledged { at }),
        (Refused, State::Ready),
        (Unknown, State::Ready),
        (UnknownReference, State::Ready),
    ] {
        let mut play = Play::alert();
        play.try_once(outcome);
        assert_eq!(play.state(1), want, "{outcome:?}");
    }
}

#[test]
fn one_round_tries_every_route_and_then_waits() {
    let mut play = Play::alert();
    let routes: Vec<String> = (0..2).map(|_| play.try_once(Refused).route).collect();
    assert_eq!(routes, ["1", "2"]);
    assert_eq!(play.state(1), State::Backoff { due_at: T0 + s(1) });
    assert_eq!(play.due(), None, "not before the wait is over");
    play.now = T0 + s(1);
    assert_eq!(play.try_once(Refused).round, 2);
    play.try_once(Refused);
    assert_eq!(
        play.state(1),
        State::Backoff { due_at: T0 + s(3) },
        "the second wait is 2 s"
    );
}

#[test]
fn the_routes_are_tried_in_the_order_of_the_policy() {
    let mut play = Play::alert();
    play.policy.routes.reverse();
    assert_eq!(play.try_once(Refused).route, "2");
}

#[test]
fn one_attempt_at_a_time() {
    let mut play = Play::alert();
    assert!(play.due().is_some());
    assert_eq!(play.due(), None);
}

#[test]
fn after_an_unknown_outcome_a_provider_without_dedup_is_drained_first() {
    let mut play = Play::alert();
    play.policy.resends_unknown_at_once = false;
    play.try_once(Unknown);
    let held = State::Held {
        reason: HoldReason::Drain,
        until: Some(T0 + s(35)),
    };
    assert_eq!(play.state(1), held);
    assert_eq!(play.due(), None);
    play.now = T0 + s(35);
    assert!(play.due().is_some());
}

#[test]
fn a_refusal_needs_no_drain_anywhere() {
    let mut play = Play::alert();
    play.policy.resends_unknown_at_once = false;
    play.try_once(Refused);
    assert!(play.due().is_some());
}

#[test]
fn a_cancel_before_the_first_attempt_sends_nothing() {
    let mut play = Play::alert();
    play.issue(Kind::Cancel);
    assert_eq!(play.state(1), State::Superseded { at: T0 });
    assert_eq!(
        play.state(2),
        State::Moot {
            reason: MootReason::NeverSent,
            at: T0
        }
    );
    assert_eq!(play.due(), None);
}

#[test]
fn a_cancel_after_a_mere_refusal_is_sent() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.issue(Kind::Cancel);
    assert_eq!(play.state(1), State::Superseded { at: T0 });
    assert_eq!(play.due().expect("nothing to drain").seq, 2);
}

#[test]
fn a_cancel_waits_for_an_open_attempt_and_a_definite_answer_ends_the_wait() {
    for outcome in [Accepted, Duplicate, Refused] {
        let mut play = Play::alert();
        let open = play.due().expect("due");
        play.issue(Kind::Cancel);
        assert_eq!(play.state(1), State::InFlight, "awaited, not aborted (D25)");
        assert_eq!(play.due(), None);
        play.answer(&open, outcome);
        assert_eq!(play.due().expect("drained").seq, 2, "{outcome:?}");
    }
}

#[test]
fn a_cancel_waits_out_the_drain_of_an_unknown_attempt() {
    let mut play = Play::alert();
    let attempt = play.try_once(Unknown);
    play.issue(Kind::Cancel);
    play.now = attempt.drained_at - Duration::from_micros(1);
    assert_eq!(play.due(), None);
    play.now = attempt.drained_at;
    assert_eq!(play.due().expect("drained").seq, 2);
}

#[test]
fn no_alert_attempt_opens_once_the_cancel_is_issued() {
    let mut play = Play::alert();
    let open = play.due().expect("due");
    play.issue(Kind::Cancel);
    play.answer(&open, Refused);
    assert_eq!(play.state(1), State::Superseded { at: T0 });
    assert_eq!(play.due().expect("the cancel").seq, 2);
}

#[test]
fn an_unknown_reference_ends_a_cancel_only_where_the_alert_was_not_accepted() {
    let mut never = Play::alert();
    never.try_once(Refused);
    never.issue(Kind::Cancel);
    never.try_once(UnknownReference);
    assert_eq!(
        never.state(2),
        State::Moot {
            reason: MootReason::UnknownReference,
            at: T0
        }
    );

    let mut accepted = Play::alert();
    accepted.try_once(Accepted);
    accepted.issue(Kind::Cancel);
    accepted.try_once(UnknownReference);
    assert_eq!(accepted.state(2), State::Ready, "the other route is tried");

    let mut over = Play::alert();
    over.try_once(Accepted);
    over.issue(Kind::Cancel);
    over.now = T0 + s(3600);
    over.try_once(UnknownReference);
    let moot = State::Moot {
        reason: MootReason::UnknownReference,
        at: over.now,
    };
    assert_eq!(over.state(2), moot, "the alert is over anyway (D30)");
}

#[test]
fn a_late_acceptance_counts_and_late_bad_news_does_not() {
    for late in Outcome::ALL {
        let mut play = Play::alert();
        let attempt = play.try_once(Unknown);
        let ignored = play.answer(&attempt, late);
        let want = (!late.is_acceptance()).then_some(Ignored::AlreadyClosed);
        assert_eq!(ignored, want, "{late:?}");
        assert_eq!(
            matches!(play.state(1), State::Acknowledged { .. }),
            late.is_acceptance()
        );
    }
}

#[test]
fn a_late_acceptance_never_reopens_a_terminal_delivery() {
    let mut play = Play::alert();
    let attempt = play.try_once(Unknown);
    play.issue(Kind::Cancel);
    let superseded = play.state(1);
    assert!(matches!(superseded, State::Superseded { .. }));
    play.answer(&attempt, Accepted);
    assert_eq!(play.state(1), superseded);
    assert!(
        play.lane.standing_below(2, None).next().is_some(),
        "but the attempt shows it"
    );
}

#[test]
fn an_acceptance_after_a_moot_cancel_makes_a_new_cancel_and_a_duty_item() {
    let mut play = Play::alert();
    let attempt = play.try_once(Unknown);
    play.issue(Kind::Cancel);
    play.now = attempt.drained_at;
    play.try_once(UnknownReference);
    play.answer(&attempt, Accepted);
    let of = DeliveryId::new(Uuid::from_u128(2));
    assert!(play.effects.contains(&Effect::RemakeCancel { of }));
    assert_eq!(play.duties(), [DutyKind::AcceptedAfterCancel]);
    play.issue(Kind::Cancel);
    assert_eq!(play.due().expect("the new cancel").seq, 3);
}

#[test]
fn a_dead_owners_attempt_is_sent_again_at_once_where_dedup_allows() {
    let mut play = Play::alert();
    let attempt = play.due().expect("due");
    play.play(LaneEvent::OwnerDied {
        attempt: attempt.id,
    });
    assert_eq!(play.due().expect("at once").route, "2");

    let mut play = Play::alert();
    play.policy.resends_unknown_at_once = false;
    let attempt = play.due().expect("due");
    play.play(LaneEvent::OwnerDied {
        attempt: attempt.id,
    });
    assert_eq!(play.due(), None);
}

#[test]
fn a_dead_owners_attempt_is_still_drained_before_the_cancel() {
    let mut play = Play::alert();
    let attempt = play.due().expect("due");
    play.play(LaneEvent::OwnerDied {
        attempt: attempt.id,
    });
    play.issue(Kind::Cancel);
    assert_eq!(play.due(), None);
    play.now = attempt.drained_at;
    assert_eq!(play.due().expect("drained").seq, 2);
}

#[test]
fn an_attempt_that_nobody_closed_is_closed_once_it_is_drained() {
    let mut play = Play::alert();
    let attempt = play.due().expect("due");
    play.now = attempt.drained_at;
    play.play(LaneEvent::Tick);
    assert_eq!(
        play.lane.attempts[0].closed.map(|c| c.outcome),
        Some(Unknown)
    );
    assert!(play.due().is_some());
}

#[test]
fn an_alert_expires_at_its_end_and_a_cancel_lives_five_minutes_longer() {
    let mut play = Play::alert();
    play.now = T0 + s(3600);
    play.play(LaneEvent::Tick);
    assert_eq!(play.state(1), State::Expired { at: play.now });

    let mut play = Play::alert();
    play.try_once(Accepted);
    play.issue(Kind::Cancel);
    play.now = T0 + s(3600) + CANCEL_MARGIN - Duration::from_micros(1);
    assert!(play.due().is_some(), "the cancel is still sent");
    play.now = T0 + s(3600) + CANCEL_MARGIN + s(60);
    play.play(LaneEvent::Tick);
    let moot = State::Moot {
        reason: MootReason::EndedWithoutAnswer,
        at: play.now,
    };
    assert_eq!(play.state(2), moot);
    assert!(play.duties().contains(&DutyKind::CancelUnanswered));
}

#[test]
fn an_open_attempt_is_awaited_beyond_the_alerts_end() {
    let mut play = Play::alert();
    play.now = T0 + s(3599);
    let attempt = play.due().expect("due");
    play.now = T0 + s(3600);
    play.play(LaneEvent::Tick);
    assert_eq!(play.state(1), State::InFlight);
    play.answer(&attempt, Accepted);
    assert_eq!(play.state(1), State::Acknowledged { at: play.now });
}

#[test]
fn a_lane_without_a_way_is_held_with_one_duty_item_and_goes_on_when_it_has_one() {
    for reason in [HoldReason::NoRoute, HoldReason::ProxiesDisabled] {
        let mut play = Play::alert();
        play.policy.hold = Some(reason);
        play.play(LaneEvent::Tick);
        play.play(LaneEvent::Tick);
        assert_eq!(
            play.state(1),
            State::Held {
                reason,
                until: None
            }
        );
        assert_eq!(play.duties(), [DutyKind::Unroutable]);
        play.policy.hold = None;
        assert!(play.due().is_some());
    }
}

#[test]
fn a_cancel_of_what_was_never_sent_is_moot_even_without_a_way() {
    let mut play = Play::alert();
    play.policy.hold = Some(HoldReason::ProxiesDisabled);
    play.issue(Kind::Cancel);
    assert_eq!(
        play.state(2),
        State::Moot {
            reason: MootReason::NeverSent,
            at: T0
        }
    );
}

#[test]
fn three_rounds_or_a_minute_make_a_delivery_stuck_once() {
    let mut play = Play::alert();
    for round in 1..=3 {
        assert_eq!(play.duties(), [], "before the end of round {round}");
        play.try_once(Refused);
        play.try_once(Refused);
        play.now = play.now + s(10);
    }
    assert_eq!(play.duties(), [DutyKind::Stuck]);
    play.try_once(Refused);
    assert_eq!(play.duties(), [DutyKind::Stuck]);
    play.try_once(Accepted);
    let delivery = DeliveryId::new(Uuid::from_u128(1));
    assert!(play.effects.contains(&Effect::CloseDutyItems { delivery }));

    let mut slow = Play::alert();
    slow.now = T0 + s(60);
    slow.play(LaneEvent::Tick);
    assert_eq!(slow.duties(), [DutyKind::Stuck]);
}

#[test]
fn a_waiting_delivery_goes_at_once_when_the_provider_heals() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.try_once(Refused);
    play.play(LaneEvent::ProviderHealed);
    assert!(play.due().is_some());
}

#[test]
fn a_heal_that_finds_a_delivery_stuck_says_so() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.try_once(Refused);
    play.now = T0 + s(60);
    play.play(LaneEvent::ProviderHealed);
    assert_eq!(play.duties(), [DutyKind::Stuck]);
    play.due();
    assert_eq!(play.duties(), [DutyKind::Stuck], "once: nobody else tells");
}

#[test]
fn an_acceptance_heals_the_provider() {
    let mut play = Play::alert();
    play.try_once(Accepted);
    assert!(play.effects.contains(&Effect::HealProvider));
}

#[test]
fn the_lane_wakes_for_whatever_a_clock_can_end() {
    let mut play = Play::alert();
    assert_eq!(next_wake(&play.lane, play.now), Some(T0), "ready");
    let attempt = play.due().expect("due");
    assert_eq!(
        next_wake(&play.lane, play.now),
        Some(attempt.drained_at),
        "in flight"
    );
    play.answer(&attempt, Refused);
    play.try_once(Refused);
    assert_eq!(next_wake(&play.lane, play.now), Some(T0 + s(1)), "backoff");
    play.policy.hold = Some(HoldReason::NoRoute);
    play.play(LaneEvent::Tick);
    assert_eq!(
        next_wake(&play.lane, play.now),
        Some(T0 + s(10)),
        "held: soon again"
    );
    play.now = T0 + s(3595);
    play.play(LaneEvent::Tick);
    assert_eq!(
        next_wake(&play.lane, play.now),
        Some(T0 + s(3600)),
        "but at its end at the latest"
    );
    play.policy.hold = None;
    play.try_once(Accepted);
    assert_eq!(next_wake(&play.lane, play.now), None, "settled");
}

#[test]
fn the_course_of_a_delivery_is_told_as_the_existing_api_tells_it() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.try_once(Unknown);
    play.now = T0 + s(2);
    play.try_once(Accepted);
    let attempts: Vec<(Attempt, String)> = play
        .lane
        .attempts
        .iter()
        .map(|a| (a.clone(), "why".to_owned()))
        .collect();
    let course = statuses::statuses(&play.lane.deliveries[0], &attempts);
    let words: Vec<&str> = course.iter().map(|status| status.status).collect();
    assert_eq!(words, ["sending", "returned-error", "returned-ack"]);
    assert_eq!(
        course[1].exception.as_deref(),
        Some("1: refused (why); 2: unknown (why)"),
        "every route of the round is named"
    );
    assert_eq!(statuses::statuses(&play.lane.deliveries[0], &[]), []);
}
