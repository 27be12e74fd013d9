//! Golden words, and a table of when each comment is due.

use uuid::Uuid;

use super::*;
use crate::lane::HoldReason;

const AT: Timestamp = Timestamp::from_seconds(1_795_406_943);
const ALERT: AlertId = AlertId::new(Uuid::from_u128(0xA1));

fn name(text: &str) -> ProviderName {
    ProviderName::new(text).expect("a name")
}

fn sample() -> Approved<'static> {
    Approved {
        alert: ALERT,
        reference: Some("flood-1"),
        approver: "Nadia Iqbal",
        approver_email: "nadia@example.org",
        service: "Flood warnings",
        channel: Channel::Severe,
        areas: &[],
        text: "The river floods the low streets within the hour. Go to high ground now, and take \
               nothing with you that you can't carry.",
        approved_at: AT,
        finishes_at: Timestamp::from_seconds(1_795_406_943 + 4 * 3600),
        providers: &[],
    }
}

#[test]
fn the_ticket_of_an_approved_alert_reads_so() {
    let areas = ["Lower Wharf".to_owned(), "Mill Lane\nSubject: x".to_owned()];
    let providers = ["ee", "o2", "three", "vodafone"].map(name);
    let words = approved(&Approved {
        areas: &areas,
        providers: &providers,
        ..sample()
    });
    assert_eq!(
        words.subject,
        "Alert approved on channel severe: Flood warnings"
    );
    assert_eq!(
        words.body,
        "Nadia Iqbal (nadia@example.org) approved an emergency alert on 2026-11-23 at 04:09:03 \
         UTC. It is being sent to ee, o2, three, vodafone.\n\
         \n\
         Service: Flood warnings\n\
         Channel: severe\n\
         Areas: Lower Wharf; Mill Lane Subject: x\n\
         Reference: flood-1\n\
         Ends: 2026-11-23 at 08:09:03 UTC\n\
         Alert: 00000000-0000-0000-0000-0000000000a1\n\
         Its text begins: \"The river floods the low streets within the hour. Go to high ground \
         now, and take nothing with you t…\"\n\
         \n\
         What each network answered follows here.\n\
         If nobody expects this alert, cancel it now: balefire alert cancel \
         00000000-0000-0000-0000-0000000000a1 --as YOUR-ADDRESS\n\
         docs/runbook.md tells what else to do.\n"
    );
}

#[test]
fn what_is_absent_or_too_long_is_said_so() {
    let bare = approved(&Approved {
        reference: None,
        ..sample()
    });
    for part in [
        "It is sent to nobody: cbc.enabled is false.",
        "Areas: without a name",
        "Reference: none",
    ] {
        assert!(bare.body.contains(part), "{part}\n{}", bare.body);
    }
    let many: Vec<String> = (0..1000).map(|n| format!("{n:0>4000}")).collect();
    let long = "ü".repeat(100_000);
    let words = approved(&Approved {
        areas: &many,
        reference: Some(&long),
        approver: &long,
        approver_email: &long,
        service: &long,
        text: &long,
        ..sample()
    });
    assert!(words.body.contains("; and 950 more\n"));
    assert!(words.body.chars().count() < 10_000);
    assert!(words.subject.chars().count() < 200);
    let exact = "x".repeat(TEXT_CHARS_SHOWN);
    let words = approved(&Approved {
        text: &exact,
        ..sample()
    });
    assert!(words.body.contains(&format!("\"{exact}\"")));
}

#[test]
fn a_cancel_names_who_did_it() {
    let person = cancelled(Canceller::Person("Nadia Iqbal", "nadia@example.org"), AT);
    assert_eq!(
        person,
        "The alert was cancelled on 2026-11-23 at 04:09:03 UTC by Nadia Iqbal \
         (nadia@example.org). The cancel goes to every network that was or may have been reached; \
         what each answered follows here.\n"
    );
    let other = cancelled(Canceller::Other(Actor::CommandLine), AT);
    assert!(other.contains("UTC by command line."), "{other}");
}

fn progress(provider: &str, kind: Kind, state: State) -> Progress {
    Progress {
        provider: name(provider),
        kind,
        update: None,
        state,
        is_stuck: false,
        is_accepted: false,
    }
}

fn told(due: Due) -> String {
    match due {
        Due::Now(text) => text,
        other => panic!("not now: {other:?}"),
    }
}

#[test]
fn the_comment_of_an_approved_update_reads_so() {
    let areas = ["Lower Wharf".to_owned()];
    let providers = ["ee", "o2"].map(name);
    let update = Updated {
        version: 2,
        approver: "Nadia Iqbal",
        approver_email: "nadia@example.org",
        areas: &areas,
        text: "The bridge is closed too.",
        approved_at: AT,
        providers: &providers,
    };
    assert_eq!(
        updated(&update),
        "Nadia Iqbal (nadia@example.org) approved an update of the alert on 2026-11-23 at \
         04:09:03 UTC. It is being sent to ee, o2.\n\
         \n\
         Version: 2\n\
         Areas: Lower Wharf\n\
         Its text begins: \"The bridge is closed too.\"\n"
    );
    let to_nobody = Updated {
        providers: &[],
        ..update
    };
    assert!(updated(&to_nobody).contains("sent to nobody"));
}

#[test]
fn the_outcome_names_every_provider() {
    let alert = |provider, state| progress(provider, Kind::Alert, state);
    let late = Progress {
        is_accepted: true,
        ..alert("o2", State::Superseded { at: AT })
    };
    let deliveries = [
        alert("ee", State::Acknowledged { at: AT }),
        late,
        alert("three", State::Superseded { at: AT }),
        alert("vodafone", State::Expired { at: AT }),
        // A cancel's course is another comment's, and so is an update's, however it is delivered.
        progress("ee", Kind::Cancel, State::Ready),
        Progress {
            update: Some(2),
            ..alert("ee", State::Ready)
        },
    ];
    assert_eq!(
        told(comment_due(&Comment::AlertOutcome, &deliveries)),
        "The alert was accepted by 2 of 4:\n\
         - ee: accepted on 2026-11-23 at 04:09:03 UTC\n\
         - o2: accepted\n\
         - three: NOT accepted: it was cancelled or updated first\n\
         - vodafone: NOT accepted: the alert ended first, and its customers may not have been \
         warned\n"
    );
    let moot = |provider, reason| progress(provider, Kind::Cancel, State::Moot { reason, at: AT });
    let deliveries = [
        moot("ee", MootReason::NeverSent),
        moot("o2", MootReason::UnknownReference),
        moot("three", MootReason::EndedWithoutAnswer),
    ];
    assert_eq!(
        told(comment_due(&Comment::CancelOutcome, &deliveries)),
        "The cancel was accepted by 0 of 3:\n\
         - ee: not needed: the alert was never sent to this network\n\
         - o2: not needed: the network knows no alert to cancel\n\
         - three: NO ANSWER before the alert's end: ask whether the alert is off the air\n"
    );
}

#[test]
fn the_outcome_of_an_update_is_that_of_its_text() {
    let of_update = |provider, kind, state| Progress {
        update: Some(2),
        ..progress(provider, kind, state)
    };
    let ended = State::Acknowledged { at: AT };
    let moot = State::Moot {
        reason: MootReason::UnknownReference,
        at: AT,
    };
    let mut deliveries = vec![
        progress("ee", Kind::Alert, ended),
        of_update("ee", Kind::Update, ended),
        // In the place of what named nothing.
        of_update("o2", Kind::Update, moot),
        of_update("o2", Kind::Alert, State::InFlight),
        of_update("three", Kind::Cancel, ended),
        of_update("three", Kind::Alert, State::Expired { at: AT }),
        Progress {
            update: Some(3),
            ..progress("ee", Kind::Update, State::InFlight)
        },
    ];
    let outcome = Comment::UpdateOutcome { seq: 2 };
    assert_eq!(comment_due(&outcome, &deliveries), Due::NotYet);
    deliveries[3].state = ended;
    assert_eq!(
        told(comment_due(&outcome, &deliveries)),
        "The update was accepted by 2 of 3:\n\
         - ee: accepted on 2026-11-23 at 04:09:03 UTC\n\
         - o2: accepted on 2026-11-23 at 04:09:03 UTC\n\
         - three: NOT accepted: the alert ended first, and its customers may not have been \
         warned\n"
    );
    let nobody = comment_due(&Comment::UpdateOutcome { seq: 4 }, &deliveries);
    assert_eq!(told(nobody), "The update was sent to nobody.\n");
}

#[test]
fn what_is_stuck_is_named_among_all() {
    let stuck = Progress {
        is_stuck: true,
        ..progress("ee", Kind::Alert, State::Backoff { due_at: AT })
    };
    let held = State::Held {
        reason: HoldReason::NoRoute,
        until: None,
    };
    let deliveries = [
        stuck,
        progress("o2", Kind::Alert, State::Acknowledged { at: AT }),
        progress("three", Kind::Alert, State::InFlight),
        progress("vodafone", Kind::Alert, held),
    ];
    assert_eq!(
        told(comment_due(&Comment::AlertStuck, &deliveries)),
        "Stuck: ee has not accepted the alert yet. Sending goes on, and the people on duty are \
         told.\n\n\
         The alert was accepted by 1 of 4:\n\
         - ee: not accepted yet: STUCK, and still tried\n\
         - o2: accepted on 2026-11-23 at 04:09:03 UTC\n\
         - three: not accepted yet: still tried\n\
         - vodafone: not accepted yet: held (no_route)\n"
    );
}

#[test]
fn a_comment_waits_for_what_it_tells() {
    let ended = || progress("ee", Kind::Alert, State::Acknowledged { at: AT });
    let was_stuck = || Progress {
        is_stuck: true,
        ..ended()
    };
    let open = || progress("o2", Kind::Alert, State::InFlight);
    let cancel = || progress("ee", Kind::Cancel, State::Ready);
    let said = Comment::Cancelled {
        body: "who".to_owned(),
    };
    // the comment, the deliveries, is it due (none: never)
    let cases = [
        (Comment::AlertOutcome, vec![], Some(true)),
        (Comment::AlertOutcome, vec![open()], Some(false)),
        (Comment::AlertOutcome, vec![ended(), open()], Some(false)),
        (Comment::AlertOutcome, vec![ended(), cancel()], Some(true)),
        (Comment::CancelOutcome, vec![ended(), cancel()], Some(false)),
        (Comment::CancelOutcome, vec![ended()], Some(true)),
        (Comment::AlertStuck, vec![], None),
        (Comment::AlertStuck, vec![open()], Some(false)),
        (Comment::AlertStuck, vec![was_stuck(), open()], Some(false)),
        (Comment::AlertStuck, vec![was_stuck()], None),
        (Comment::CancelStuck, vec![cancel()], Some(false)),
        (said, vec![], Some(true)),
    ];
    for (comment, deliveries, want) in cases {
        let due = match comment_due(&comment, &deliveries) {
            Due::Now(_) => Some(true),
            Due::NotYet => Some(false),
            Due::Never => None,
        };
        assert_eq!(due, want, "{comment:?} of {deliveries:?}");
    }
}

#[test]
fn looks_become_rarer() {
    for (age, want) in [(0, 2), (119, 2), (120, 30), (80_000, 30)] {
        let wait = look_again_after(Duration::from_secs(age));
        assert_eq!(wait.as_secs(), want, "{age} s");
    }
}
