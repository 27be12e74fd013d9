//! Tables of what holds beside the plain course: hedges, sites, pauses, failovers, clocks.

use super::hedge::Hedge;
use super::state::HoldReason;
use super::tests::{Play, T0, s};
use super::*;
use crate::outcome::Outcome::{Accepted, Duplicate, Refused, Unknown, UnknownReference};

fn hedged() -> Play {
    let mut play = Play::alert();
    play.policy.routes = vec!["1".into(), "2".into(), "3".into()];
    play.policy.hedge = Some(Hedge {
        after: s(2),
        is_within_budget: false,
    });
    play
}

fn separate() -> Play {
    let mut play = Play::alert();
    play.policy.routes = ["p/a", "p/b", "q/a", "q/b"].map(str::to_owned).to_vec();
    play.policy.has_shared_sites = false;
    play.policy.resends_unknown_at_once = false;
    play
}

#[test]
fn silence_is_answered_by_one_more_attempt_over_another_route() {
    let mut play = hedged();
    let first = play.due().expect("ready");
    play.now = T0 + s(1);
    assert_eq!(play.due(), None, "not before its time");
    play.now = T0 + s(2);
    let second = play.due().expect("the first is silent");
    assert_eq!((first.slot, second.slot), (0, 1));
    assert_eq!((first.route.as_str(), second.route.as_str()), ("1", "2"));
    play.now = T0 + s(10);
    assert_eq!(play.due(), None, "never a third beside two");
}

#[test]
fn the_first_acceptance_ends_a_hedged_delivery_and_the_other_answer_is_kept() {
    let mut play = hedged();
    let first = play.due().expect("ready");
    play.now = T0 + s(2);
    let second = play.due().expect("a hedge");
    play.answer(&second, Accepted);
    assert!(matches!(play.state(1), State::Acknowledged { .. }));
    assert_eq!(play.answer(&first, Duplicate), None, "a fact is kept");
    assert!(play.lane.open_attempt().is_none());
}

#[test]
fn a_bad_end_beside_a_silent_attempt_goes_on_with_the_routes_that_are_left() {
    let mut play = hedged();
    let first = play.due().expect("ready");
    play.now = T0 + s(2);
    let second = play.due().expect("a hedge");
    play.answer(&second, Refused);
    assert_eq!(play.state(1), State::InFlight);
    let third = play.due().expect("the first is still silent");
    assert_eq!((third.route.as_str(), third.round, third.slot), ("3", 1, 1));
    play.answer(&third, Refused);
    assert_eq!(play.due(), None, "a hedge begins no round");
    play.answer(&first, Unknown);
    assert!(matches!(play.state(1), State::Backoff { .. }));
}

#[test]
fn after_the_first_round_a_hedge_needs_its_budget() {
    for (is_within_budget, want) in [(false, false), (true, true)] {
        let mut play = hedged();
        for _ in 0..3 {
            play.try_once(Refused);
        }
        play.policy.hedge = Some(Hedge {
            after: s(2),
            is_within_budget,
        });
        play.now = T0 + s(1);
        let silent = play.due().expect("the second round");
        assert_eq!(silent.round, 2);
        play.now = T0 + s(3);
        assert_eq!(play.due().is_some(), want);
    }
}

#[test]
fn nothing_is_hedged_that_has_been_superseded() {
    let mut play = hedged();
    play.due().expect("ready");
    play.issue(Kind::Cancel);
    play.now = T0 + s(2);
    assert_eq!(play.due(), None);
}

#[test]
fn with_separate_sites_a_cancel_asks_every_site_that_was_reached() {
    let mut play = separate();
    play.try_once(Refused); // p/a
    play.now = T0 + s(1);
    assert_eq!(play.try_once(Accepted).route, "p/b");
    play.issue(Kind::Cancel);
    assert_eq!(play.try_once(Accepted).route, "p/b", "a refused it surely");
    assert!(matches!(play.state(2), State::Acknowledged { .. }));
}

#[test]
fn with_separate_sites_a_cancel_ends_when_all_have_answered() {
    let mut play = separate();
    play.try_once(Unknown); // p/a
    play.now = T0 + s(35);
    assert_eq!(play.try_once(Accepted).route, "p/b");
    play.issue(Kind::Cancel);
    assert_eq!(play.try_once(UnknownReference).route, "p/a");
    assert!(!play.state(2).is_terminal(), "b has the alert");
    assert_eq!(play.try_once(Refused).route, "p/b");
    assert_eq!(play.try_once(Accepted).route, "q/b", "the other way to b");
    assert!(matches!(play.state(2), State::Acknowledged { .. }));
}

#[test]
fn with_separate_sites_unknown_at_the_site_that_took_the_alert_is_no_answer() {
    let mut play = separate();
    play.try_once(Accepted); // p/a
    play.issue(Kind::Cancel);
    play.try_once(UnknownReference);
    assert!(!play.state(2).is_terminal());
    assert_eq!(play.try_once(Accepted).route, "q/a");
    assert!(matches!(play.state(2), State::Acknowledged { .. }));
}

#[test]
fn with_separate_sites_a_cancel_waits_for_a_way_to_the_site_it_owes() {
    let mut play = separate();
    play.try_once(Accepted); // p/a
    play.issue(Kind::Cancel);
    play.policy.routes = vec!["p/b".into()];
    assert_eq!(play.due(), None);
    let reason = HoldReason::NoRoute;
    assert!(matches!(play.state(2), State::Held { reason: r, .. } if r == reason));
    assert!(play.duties().contains(&DutyKind::Unroutable));
}

#[test]
fn a_pause_holds_alerts_and_never_a_cancel() {
    let mut play = Play::alert();
    play.try_once(Refused);
    play.policy.hold = Some(HoldReason::Paused);
    assert_eq!(play.due(), None);
    assert_eq!(
        play.state(1),
        State::Held {
            reason: HoldReason::Paused,
            until: None
        }
    );
    play.issue(Kind::Cancel);
    assert!(
        play.due().is_some(),
        "the alert was attempted: a cancel goes"
    );
}

#[test]
fn in_a_tainted_lane_a_cancel_is_sent_though_no_attempt_is_known() {
    for (is_tainted, want) in [(false, false), (true, true)] {
        let mut play = Play::alert();
        play.lane.is_tainted = is_tainted;
        play.issue(Kind::Cancel);
        assert_eq!(play.due().is_some(), want);
    }
}

#[test]
fn in_a_tainted_lane_a_cancel_names_what_may_have_been_forgotten() {
    for (is_tainted, is_attempted, want) in [
        (false, false, false),
        (false, true, true),
        (true, false, true),
        (true, true, true),
    ] {
        let mut play = Play::alert();
        if is_attempted {
            play.try_once(Refused);
        }
        play.lane.is_tainted = is_tainted;
        let alert = play.lane.deliveries[0].id;
        assert_eq!(play.lane.may_have_left(alert), want);
    }
}

#[test]
fn in_a_tainted_lane_a_cancel_asks_every_separate_site() {
    for (is_tainted, want) in [(false, true), (true, false)] {
        let mut play = separate();
        play.try_once(Accepted); // p/a
        play.lane.is_tainted = is_tainted;
        play.issue(Kind::Cancel);
        assert_eq!(play.try_once(Accepted).route, "p/a");
        assert_eq!(play.state(2).is_terminal(), want);
        if is_tainted {
            assert_eq!(play.try_once(UnknownReference).route, "p/b");
            assert!(matches!(play.state(2), State::Acknowledged { .. }));
        }
    }
}

#[test]
fn while_a_hold_of_all_stands_nothing_leaves_and_afterwards_it_does() {
    for reason in [
        HoldReason::Quarantine,
        HoldReason::Restored,
        HoldReason::Clock,
    ] {
        let mut play = Play::alert();
        play.try_once(Accepted);
        play.issue(Kind::Cancel);
        play.policy.hold = Some(reason);
        assert_eq!(play.due(), None, "{reason:?}");
        play.policy.hold = None;
        assert!(play.due().is_some(), "{reason:?}");
    }
}

#[test]
fn a_clock_that_is_not_trusted_expires_and_drains_nothing() {
    let mut play = Play::alert();
    play.policy.resends_unknown_at_once = false;
    let open = play.due().expect("ready");
    play.now = T0 + s(90_000); // A jump, far beyond the alert's end.
    play.policy.hold = Some(HoldReason::Clock);
    play.play(LaneEvent::Tick);
    assert!(play.lane.open_attempt().is_some(), "not forgotten");
    play.answer(&open, Unknown);
    assert!(matches!(play.state(1), State::Held { .. }), "not expired");
    play.now = T0 + s(5); // Put right.
    play.policy.hold = None;
    play.play(LaneEvent::Tick);
    let until = Some(open.drained_at);
    let reason = HoldReason::Drain;
    assert_eq!(play.state(1), State::Held { reason, until });
}

#[test]
fn a_back_off_that_a_wrong_clock_stored_does_not_keep_a_delivery() {
    let mut play = Play::alert();
    play.policy.hold = None;
    play.now = T0 + s(3000);
    play.try_once(Refused);
    play.try_once(Refused);
    assert!(matches!(play.state(1), State::Backoff { .. }));
    play.now = T0 + s(10);
    assert!(play.due().is_some());
}

#[test]
fn while_attempts_may_be_forgotten_no_cancel_ends_as_never_sent() {
    for reason in [HoldReason::Quarantine, HoldReason::Restored] {
        let mut play = Play::alert();
        play.policy.hold = Some(reason);
        play.issue(Kind::Cancel);
        assert_eq!(
            play.state(2),
            State::Held {
                reason,
                until: None
            }
        );
        // By the time that it ends, the lanes are tainted: the cancel is sent.
        play.lane.is_tainted = true;
        play.policy.hold = None;
        assert!(play.due().is_some(), "{reason:?}");
    }
}

#[test]
fn a_lane_that_a_doubtful_clock_holds_is_due_for_every_other_process() {
    let mut play = Play::alert();
    play.now = T0 + s(1800); // Half an hour ahead of everybody.
    play.policy.hold = Some(HoldReason::Clock);
    play.play(LaneEvent::Tick);
    assert!(next_wake(&play.lane, play.now).is_some_and(|at| at <= T0));
    assert_eq!(play.duties(), [], "how late it is the clock can't tell");
    play.now = T0;
    play.policy.hold = None;
    assert!(play.due().is_some());
}
