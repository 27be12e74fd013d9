//! Tables of updates (D14, ADR 17): in one message, or as a cancel and the alert that replaces it.

use uuid::Uuid;

use super::hedge::Hedge;
use super::state::HoldReason;
use super::tests::{Play, T0, s};
use super::*;
use crate::ids::DeliveryId;
use crate::outcome::Outcome::{Accepted, Duplicate, Refused, Unknown, UnknownReference};

fn id(seq: u32) -> DeliveryId {
    DeliveryId::new(Uuid::from_u128(u128::from(seq)))
}

fn held(reason: HoldReason) -> State {
    State::Held {
        reason,
        until: None,
    }
}

/// What approves an update at a provider that takes none.
fn substitute(play: &mut Play) {
    play.issue(Kind::Cancel);
    play.issue(Kind::Alert);
}

/// An alert that was accepted, and then the substitute of an update.
fn substituted() -> Play {
    let mut play = Play::alert();
    play.try_once(Accepted);
    substitute(&mut play);
    play
}

fn is_superseded(play: &Play, seq: u32) -> bool {
    matches!(play.state(seq), State::Superseded { .. })
}

fn is_acknowledged(play: &Play, seq: u32) -> bool {
    matches!(play.state(seq), State::Acknowledged { .. })
}

fn is_moot(play: &Play, seq: u32, why: MootReason) -> bool {
    matches!(play.state(seq), State::Moot { reason, .. } if reason == why)
}

fn makes_alert_instead(play: &Play) -> bool {
    play.effects.contains(&Effect::AlertInstead { of: id(2) })
}

#[test]
fn an_update_supersedes_and_waits_for_the_drain_as_a_cancel_does() {
    // how the alert's attempt ended, whether the update waits
    for (outcome, waits) in [(Refused, false), (Accepted, false), (Unknown, true)] {
        let mut play = Play::alert();
        let attempt = play.try_once(outcome);
        play.issue(Kind::Update);
        assert_eq!(is_superseded(&play, 1), outcome != Accepted);
        if waits {
            assert_eq!(play.due(), None, "{outcome:?}");
            play.now = attempt.drained_at;
        }
        let update = play.due().expect("the update");
        assert_eq!((update.seq, update.delivery), (2, id(2)), "{outcome:?}");
        assert!(
            play.lane.has_earlier_message(2),
            "it names what was attempted"
        );
    }
}

#[test]
fn an_update_of_what_was_never_attempted_goes_out_and_names_nothing() {
    let mut play = Play::alert();
    play.issue(Kind::Update);
    assert!(is_superseded(&play, 1) && !play.lane.has_earlier_message(2));
    // There is no reference that could be unknown.
    let attempt = play.try_once(UnknownReference);
    assert_eq!(play.lane.attempts[0].id, attempt.id);
    let outcome = play.lane.attempts[0].closed.map(|closed| closed.outcome);
    assert_eq!(outcome, Some(Unknown));
    play.try_once(Accepted);
    assert!(is_acknowledged(&play, 2) && !makes_alert_instead(&play));
}

#[test]
fn what_an_unknown_reference_makes_of_an_update() {
    // how the alert's attempt ended, whether the update is moot
    for (outcome, ends) in [
        (Refused, true),
        (Unknown, true),
        (Accepted, false),
        (Duplicate, false),
    ] {
        let mut play = Play::alert();
        let attempt = play.try_once(outcome);
        play.issue(Kind::Update);
        play.now = attempt.drained_at;
        play.try_once(UnknownReference);
        assert_eq!(
            is_moot(&play, 2, MootReason::UnknownReference),
            ends,
            "{outcome:?}"
        );
        assert_eq!(makes_alert_instead(&play), ends, "{outcome:?}");
        if ends {
            play.issue(Kind::Alert);
            assert_eq!(play.try_once(Accepted).seq, 3);
            assert!(is_acknowledged(&play, 3) && is_moot(&play, 2, MootReason::UnknownReference));
        } else {
            assert_eq!(play.due().map(|a| a.seq), Some(2), "it is tried again");
        }
    }
}

#[test]
fn an_update_that_is_no_longer_the_last_word_makes_no_alert() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.issue(Kind::Update);
    let attempt = play.due().expect("the update");
    play.issue(Kind::Cancel);
    play.answer(&attempt, UnknownReference);
    assert!(!makes_alert_instead(&play) && is_superseded(&play, 2));
    play.try_once(UnknownReference);
    assert!(is_moot(&play, 3, MootReason::UnknownReference));
}

#[test]
fn while_another_attempt_is_silent_an_unknown_reference_is_no_answer() {
    let mut play = Play::alert();
    play.policy.hedge = Some(Hedge {
        after: s(2),
        is_within_budget: true,
    });
    play.try_once(Refused);
    play.issue(Kind::Update);
    let silent = play.due().expect("the update");
    play.now = play.now + s(2);
    let beside = play.due().expect("a hedge");
    play.answer(&beside, UnknownReference);
    assert_eq!(play.state(2), State::InFlight);
    play.answer(&silent, Accepted);
    assert!(is_acknowledged(&play, 2) && !makes_alert_instead(&play));
}

#[test]
fn an_update_is_silent_and_hedged_and_expires_as_an_alert_does() {
    let mut play = Play::alert();
    play.try_once(Accepted);
    play.issue(Kind::Update);
    play.now = play.lane.finishes_at;
    play.play(LaneEvent::Tick);
    assert!(matches!(play.state(2), State::Expired { .. }));
}

#[test]
fn a_replacement_waits_for_its_cancel_and_then_goes() {
    let mut play = substituted();
    assert_eq!(play.state(3), held(HoldReason::Replaces));
    assert_eq!(play.lane.active().map(|d| d.seq), Some(2));
    let cancel = play.due().expect("the cancel");
    assert_eq!(cancel.seq, 2);
    assert_eq!(play.due(), None, "one at a time");
    play.answer(&cancel, Refused);
    assert_eq!(play.state(3), held(HoldReason::Replaces));
    assert_eq!(play.try_once(Accepted).seq, 2);
    assert_eq!(play.lane.active().map(|d| d.seq), Some(3));
    assert_eq!(play.try_once(Accepted).seq, 3);
    assert!([1, 2, 3].into_iter().all(|seq| is_acknowledged(&play, seq)));
}

#[test]
fn a_replacement_of_what_was_never_sent_goes_at_once() {
    let mut play = Play::alert();
    substitute(&mut play);
    assert!(is_superseded(&play, 1) && is_moot(&play, 2, MootReason::NeverSent));
    assert_eq!(play.try_once(Accepted).seq, 3);
}

#[test]
fn a_replacement_goes_when_there_was_nothing_to_cancel() {
    let mut play = Play::alert();
    let attempt = play.try_once(Unknown);
    substitute(&mut play);
    assert_eq!(play.due(), None, "the drain");
    play.now = attempt.drained_at;
    assert_eq!(play.try_once(UnknownReference).seq, 2);
    assert!(is_moot(&play, 2, MootReason::UnknownReference));
    assert_eq!(play.try_once(Accepted).seq, 3);
}

#[test]
fn an_accepted_text_is_cancelled_before_its_replacement_goes() {
    let mut play = substituted();
    play.try_once(UnknownReference);
    assert_eq!(play.due().map(|a| a.seq), Some(2), "T10': tried again");
    assert_eq!(play.state(3), held(HoldReason::Replaces));
}

#[test]
fn a_replacement_waits_until_the_attempts_of_its_cancel_are_drained() {
    let mut play = substituted();
    let silent = play.try_once(Unknown);
    play.try_once(Accepted);
    assert!(is_acknowledged(&play, 2));
    assert_eq!(play.due(), None, "the silent cancel may still arrive");
    play.now = silent.drained_at;
    assert_eq!(play.try_once(Accepted).seq, 3);
}

#[test]
fn a_pause_falls_before_both_or_after_both_and_never_holds_a_last_cancel() {
    let mut play = substituted();
    play.policy.hold = Some(HoldReason::Paused);
    assert_eq!(play.due(), None);
    assert_eq!(
        play.state(2),
        held(HoldReason::Paused),
        "the old text stays on the air"
    );
    assert_eq!(play.state(3), held(HoldReason::Replaces));
    play.issue(Kind::Cancel);
    assert!(is_superseded(&play, 2) && is_superseded(&play, 3));
    assert_eq!(play.try_once(Accepted).seq, 4);
}

#[test]
fn a_cancel_above_a_substitute_ends_everything() {
    // how far the substitute has come: outcomes in turn; what the provider knows of the last cancel
    for (outcomes, last) in [
        (vec![], Accepted),
        (vec![Accepted], UnknownReference),
        (vec![Accepted, Refused], UnknownReference),
        (vec![Accepted, Accepted], Accepted),
    ] {
        let mut play = substituted();
        for outcome in &outcomes {
            play.try_once(*outcome);
        }
        play.issue(Kind::Cancel);
        assert_eq!(play.try_once(last).seq, 4, "{outcomes:?}");
        // What the first cancel took off needs no other one.
        assert!(play.state(4).is_terminal(), "{outcomes:?}");
        assert_eq!(play.due(), None);
        assert!(play.lane.deliveries.iter().all(|d| d.state.is_terminal()));
    }
}

#[test]
fn a_text_that_stands_makes_an_unknown_reference_no_answer() {
    let mut play = substituted();
    play.try_once(Accepted);
    play.try_once(Accepted);
    play.issue(Kind::Cancel);
    play.try_once(UnknownReference);
    assert_eq!(
        play.due().map(|a| a.seq),
        Some(4),
        "the replacement was accepted"
    );
}

#[test]
fn a_second_substitute_takes_the_place_of_the_first() {
    let mut play = substituted();
    let first = play.due().expect("the first cancel");
    substitute(&mut play);
    assert_eq!(play.state(2), State::InFlight, "awaited");
    assert!(is_superseded(&play, 3));
    assert_eq!(play.due(), None, "the drain");
    play.answer(&first, Accepted);
    assert!(is_acknowledged(&play, 2));
    assert_eq!(
        play.try_once(UnknownReference).seq,
        4,
        "nothing is left to cancel"
    );
    assert_eq!(play.try_once(Accepted).seq, 5);
}

#[test]
fn with_separate_sites_the_replacement_waits_for_every_site_that_was_reached() {
    let mut play = Play::alert();
    play.policy.routes = ["p/a", "p/b"].map(str::to_owned).to_vec();
    play.policy.has_shared_sites = false;
    play.policy.resends_unknown_at_once = false;
    let silent = play.try_once(Unknown);
    play.now = silent.drained_at;
    assert_eq!(play.try_once(Accepted).route, "p/b");
    substitute(&mut play);
    assert_eq!(play.try_once(UnknownReference).route, "p/a");
    assert_eq!(play.state(3), held(HoldReason::Replaces));
    let second = play.due().expect("the other site");
    assert_eq!((second.seq, second.route.as_str()), (2, "p/b"));
    play.answer(&second, Accepted);
    assert_eq!(play.due().map(|a| a.seq), Some(3));
}

#[test]
fn an_old_text_that_comes_to_light_beside_a_new_one_is_told_and_not_cancelled() {
    // the update in one message or as its substitute
    for is_native in [true, false] {
        let mut play = Play::alert();
        let old = play.try_once(Unknown);
        if is_native {
            play.issue(Kind::Update);
        } else {
            substitute(&mut play);
        }
        play.now = old.drained_at;
        play.try_once(UnknownReference);
        if is_native {
            play.issue(Kind::Alert);
        }
        play.answer(&old, Accepted);
        assert_eq!(
            play.duties(),
            [DutyKind::OldTextAccepted],
            "native: {is_native}"
        );
        let remakes = |e: &Effect| matches!(e, Effect::RemakeCancel { .. });
        assert!(!play.effects.iter().any(remakes));
        assert_eq!(
            play.try_once(Accepted).seq,
            3,
            "the new text goes all the same"
        );
    }
}

#[test]
fn an_old_text_that_something_newer_names_needs_nobody() {
    let mut play = Play::alert();
    let old = play.try_once(Unknown);
    substitute(&mut play);
    play.now = old.drained_at;
    play.try_once(Accepted);
    play.answer(&old, Accepted);
    assert_eq!(play.duties(), [], "the cancel was accepted after it");
    play.issue(Kind::Cancel);
    play.try_once(UnknownReference);
    assert!(play.state(4).is_terminal(), "it does not stand any more");
}

#[test]
fn a_replay_of_a_replacement_says_what_it_waits_for() {
    let play = substituted();
    let replayed = |seq| replay::replay(&play.lane, id(seq), T0, &play.policy);
    assert_eq!(
        replayed(3),
        replay::Replay::Waits(held(HoldReason::Replaces))
    );
    assert!(matches!(replayed(2), replay::Replay::Sends { .. }));
}

#[test]
fn a_lane_wakes_for_the_cancel_and_not_for_what_waits_for_it() {
    let mut play = substituted();
    assert_eq!(next_wake(&play.lane, play.now), Some(play.now));
    let cancel = play.due().expect("the cancel");
    // Before the cancel is drained a person is told that the new text is not out.
    let told = play.lane.deliveries[2].stuck_at();
    assert_eq!(
        next_wake(&play.lane, play.now),
        Some(cancel.drained_at).min(told)
    );
    play.answer(&cancel, Accepted);
    assert_eq!(
        next_wake(&play.lane, play.now),
        Some(play.now),
        "the replacement is due"
    );
}

#[test]
fn the_course_of_an_update_that_became_an_alert_is_told() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.issue(Kind::Update);
    play.try_once(UnknownReference);
    let delivery = &play.lane.deliveries[1];
    let attempts = play.lane.attempts_of(delivery.id).cloned();
    let attempts: Vec<_> = attempts.map(|attempt| (attempt, String::new())).collect();
    let told = statuses::statuses(delivery, &attempts);
    let words: Vec<_> = told.iter().map(|status| status.status).collect();
    assert_eq!(words, ["sending", "returned-error"]);
}
