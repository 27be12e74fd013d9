//! Each invariant finds what it is for. One clean history of an alert and its cancel at two
//! providers is spoilt in one way at a time; which invariants complain stands beside each.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::alert::Status;
use crate::channel::Channel;
use crate::ids::{AlertId, AttemptId, DeliveryId, EventId, ServiceId, UserId};
use crate::lane::{Closed, Kind, MootReason, State};
use crate::outcome::Outcome;
use crate::provider::ProviderName;
use crate::second_text::SecondText;
use crate::time::Timestamp;

mod updates;

/// When the alert was approved; its cancel came 50 s later, its end would be 1000 s later.
const START: i64 = 1_795_410_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(START + seconds)
}

fn name(provider: &str) -> ProviderName {
    ProviderName::new(provider).expect("a name")
}

fn user(n: u128) -> UserId {
    UserId::new(Uuid::from_u128(n))
}

fn delivery_id(n: u128) -> DeliveryId {
    DeliveryId::new(Uuid::from_u128(0xd0 + n))
}

fn terms() -> Terms {
    Terms {
        has_log: true,
        until: at(500),
        clock_skew: Duration::from_secs(5),
        travel: Duration::from_secs(1),
        applies_once: BTreeSet::from([name("ee"), name("o2")]),
        separate_sites: BTreeSet::new(),
    }
}

fn event(seq: u32, kind: Kind, created_at: Timestamp) -> EventFact {
    EventFact {
        id: EventId::new(Uuid::from_u128(u128::from(seq))),
        seq,
        kind,
        created_at,
        finishes_at: at(1000),
        channel: Channel::Severe,
        text: "Go to \"high\" ground".to_owned(),
        second: None,
        polygons: vec![vec![[53.1, 0.2], [53.2, 0.3], [53.1, 0.3], [53.1, 0.2]]],
        content_hash: "the hash".to_owned(),
        frozen_hash: (kind == Kind::Alert).then(|| "the hash".to_owned()),
    }
}

fn payload(id: DeliveryId, kind: Kind) -> String {
    match kind {
        Kind::Cancel => json!({ "message_type": "cancel", "identifier": id }),
        Kind::Alert | Kind::Update => json!({
            "message_type": kind.as_str(), "identifier": id,
            "description": "Go to \"high\" ground",
            "areas": [{ "polygon": [[53.1, 0.2], [53.2, 0.3], [53.1, 0.3], [53.1, 0.2]] }],
            "sent": at(0).to_cap(), "expires": at(1000).to_cap(), "channel": "severe",
        }),
    }
    .to_string()
}

fn delivery(n: u128, provider: &str, seq: u32, kind: Kind) -> DeliveryFact {
    let start = i64::from(seq - 1) * 50;
    DeliveryFact {
        id: delivery_id(n),
        event: EventId::new(Uuid::from_u128(u128::from(seq))),
        provider: name(provider),
        seq,
        kind,
        state: State::Acknowledged { at: at(start + 2) },
        created_at: at(start),
        ends_at: at(if kind == Kind::Alert { 1000 } else { 1300 }),
        payload: Some(payload(delivery_id(n), kind)),
        covers_approved: false,
    }
}

fn attempt(n: u128, of: &DeliveryFact, opened_at: Timestamp, outcome: Outcome) -> AttemptFact {
    AttemptFact {
        id: AttemptId::new(Uuid::from_u128(n)),
        delivery: of.id,
        provider: of.provider.clone(),
        seq: of.seq,
        slot: 0,
        route: format!("{}-1-proxy", of.provider),
        opened_at,
        deadline_at: opened_at + Duration::from_secs(20),
        drained_at: opened_at + Duration::from_secs(25),
        closed: Some(Closed {
            at: opened_at + Duration::from_secs(1),
            outcome,
        }),
    }
}

fn request(line: u64, of: &DeliveryFact, came_at: Timestamp) -> RequestFact {
    let place = |line, at| Place { log: 0, line, at };
    RequestFact {
        place: place(line, came_at),
        function: format!("{}-1-proxy", of.provider),
        site: None,
        delivery: of.id,
        stored: payload(of.id, of.kind).trim_end_matches('}').to_owned(),
        not_after: Some(came_at + Duration::from_secs(20)),
        lane: Some(format!(
            "{}/{}",
            AlertId::new(Uuid::from_u128(0xa)),
            of.provider
        )),
        seq: Some(u64::from(of.seq)),
        applied: Some(Applied {
            place: place(line + 1, came_at),
        }),
    }
}

fn entry(seconds: i64, actor: &str, action: &str, details: serde_json::Value) -> AuditFact {
    AuditFact {
        at: at(seconds),
        actor: actor.to_owned(),
        action: action.to_owned(),
        service: Some(ServiceId::new(Uuid::from_u128(5))),
        details,
    }
}

/// Nothing is wrong: written by user 1, approved by user 2, cancelled, everywhere applied once.
fn clean() -> History {
    let deliveries = vec![
        delivery(0, "ee", 1, Kind::Alert),
        delivery(1, "ee", 2, Kind::Cancel),
        delivery(2, "o2", 1, Kind::Alert),
        delivery(3, "o2", 2, Kind::Cancel),
    ];
    let attempts = [0, 2, 1, 3].map(|n: usize| {
        let of = &deliveries[n];
        let opened_at = of.created_at + Duration::from_secs(1);
        attempt(n as u128, of, opened_at, Outcome::Accepted)
    });
    let requests = [(1, 0), (3, 2), (5, 1), (7, 3)].map(|(line, n): (u64, usize)| {
        let of = &deliveries[n];
        request(line, of, of.created_at + Duration::from_secs(1))
    });
    let service = ServiceId::new(Uuid::from_u128(5));
    let approval = json!({ "version": 1, "hash": "the hash", "providers": ["ee", "o2"] });
    let approver = format!("user {}", user(2));
    History {
        alert: AlertFact {
            id: AlertId::new(Uuid::from_u128(0xa)),
            service,
            key_service: Some(service),
            status: Status::Cancelled,
            is_stubbed: false,
            next_seq: 3,
            finishes_at: Some(at(1000)),
            approved_at: Some(at(0)),
            approved_by: Some(user(2)),
            created_by: Some(user(1)),
            submitted_by: None,
        },
        versions: vec![(1, Some(user(1)))],
        events: vec![event(1, Kind::Alert, at(0)), event(2, Kind::Cancel, at(50))],
        deliveries,
        attempts: attempts.to_vec(),
        audit: vec![
            entry(-10, &format!("user {}", user(1)), "alert.create", json!({})),
            entry(0, &approver, "alert.approve", approval),
            entry(50, &approver, "alert.cancel", json!({})),
        ],
        requests: requests.to_vec(),
    }
}

/// The invariants that complain.
fn broken(history: &History, terms: &Terms) -> Vec<&'static str> {
    let mut report = Report::default();
    report.judge(history, terms);
    let broken = Invariant::ALL
        .into_iter()
        .filter(|invariant| report.verdict(*invariant).violations > 0);
    broken.map(Invariant::as_str).collect()
}

#[test]
fn where_nothing_is_wrong_every_invariant_has_looked_at_something() {
    let mut report = Report::default();
    report.judge(&clean(), &terms());
    assert!(report.is_clean(), "{report:#?}");
    for invariant in Invariant::ALL {
        assert!(
            report.verdict(invariant).facts > 0,
            "{invariant:?} is blind"
        );
    }
}

#[test]
fn without_a_log_what_needs_it_looks_at_nothing() {
    let mut history = clean();
    history.requests.clear();
    let without = Terms {
        has_log: false,
        ..terms()
    };
    let mut report = Report::default();
    report.judge(&history, &without);
    assert!(report.is_clean(), "{report:#?}");
    for invariant in Invariant::ALL {
        let facts = report.verdict(invariant).facts;
        let has_none = invariant.needs_log() == NeedsLog::ForAll;
        assert_eq!(facts == 0, has_none, "{invariant:?} has {facts} facts");
    }
}

/// What is spoilt, and which invariants must complain.
type Planted = (&'static str, fn(&mut History), &'static [&'static str]);

const PLANTED: &[Planted] = &[
    // S1: order
    (
        "the alert is applied after its cancel, by a log whose clock went back",
        |h| h.requests[0].applied = Some(applied(7, 2)),
        &["S1", "S13"],
    ),
    (
        "two logs, and the alert is applied long after its cancel",
        |h| {
            h.requests[0].applied = Some(applied(1, 90));
            h.requests[0].applied.as_mut().expect("it is").place.log = 1;
            h.requests[0].not_after = Some(at(100));
        },
        &["S1", "S3", "S4", "S13"],
    ),
    // S2: at most once
    (
        "an alert is applied by both attempts",
        |h| again(h, 0, 2),
        &["S2"],
    ),
    // S3: no ghost
    (
        "the alert is applied after its cancel ended unsent",
        |h| {
            h.attempts.retain(|a| a.delivery != delivery_id(1));
            h.requests.retain(|r| r.delivery != delivery_id(1));
            moot(h, MootReason::UnknownReference);
            h.attempts[0].closed = Some(closed(21, Outcome::Unknown));
            h.deliveries[0].state = State::Superseded { at: at(50) };
            h.requests[0].applied = Some(applied(9, 70));
            h.requests[0].not_after = Some(at(80));
        },
        &["S3", "S13"],
    ),
    (
        "the cancel leaves while the alert may still be applied",
        |h| {
            h.attempts[0].opened_at = at(40);
            h.attempts[0].deadline_at = at(60);
            h.attempts[0].drained_at = at(65);
            h.attempts[0].closed = Some(closed(45, Outcome::Unknown));
            h.deliveries[0].state = State::Superseded { at: at(50) };
            h.requests[0].place.at = at(40);
            h.requests[0].not_after = Some(at(60));
        },
        &["S3"],
    ),
    // S4: no false acknowledgement
    (
        "it is acknowledged without an accepted attempt",
        |h| h.attempts[0].closed = Some(closed(2, Outcome::Refused)),
        &["S4"],
    ),
    (
        "it is acknowledged and no provider applied it",
        |h| h.requests[3].applied = None,
        &["S4", "S13"],
    ),
    (
        "it is acknowledged long before the provider applied it",
        |h| h.requests[3].applied = Some(applied(9, 62)),
        &["S4"],
    ),
    // S5: no conflicting flight
    (
        "the cancel opens before the alert's attempt is closed",
        |h| h.attempts[0].closed = Some(closed(58, Outcome::Refused)),
        // A definite answer came too late to be one, and its acknowledgement is gone.
        &["S4", "S5"],
    ),
    (
        "two attempts of one slot are open at once",
        |h| {
            again(h, 0, 2);
            h.requests[1].applied = None;
            h.attempts[0].closed = Some(closed(15, Outcome::Refused));
        },
        &["S5"],
    ),
    // S6: intent first
    (
        "a request came twice, with one attempt",
        |h| {
            let mut twice = h.requests[0].clone();
            twice.place.line = 2;
            twice.applied = None;
            h.requests.insert(1, twice);
        },
        &["S6"],
    ),
    (
        "a request came over another route than was intended",
        |h| h.requests[0].function = "ee-2-proxy".to_owned(),
        &["S6"],
    ),
    (
        "a request came before its attempt was stored",
        |h| {
            h.attempts[0].opened_at = at(9);
            h.attempts[0].closed = Some(closed(10, Outcome::Accepted));
            h.deliveries[0].state = State::Acknowledged { at: at(10) };
        },
        &["S6"],
    ),
    // S7: authorised
    (
        "it says in a second language what nobody approved",
        |h| say_second(h, "Ewch adref"),
        &["S7"],
    ),
    (
        "it says in a second language something else than was approved",
        |h| {
            h.events[0].second = Some(in_welsh("Ewch i dir uchel"));
            say_second(h, "Ewch adref");
        },
        &["S7"],
    ),
    (
        "the approver had edited the version",
        |h| h.versions.push((1, Some(user(2)))),
        &["S7"],
    ),
    (
        "the approver had made the alert",
        |h| h.alert.created_by = Some(user(2)),
        &["S7"],
    ),
    (
        "the approver had submitted the alert",
        |h| h.alert.submitted_by = Some(user(2)),
        &["S7"],
    ),
    (
        "a machine approved",
        |h| h.audit[1].actor = "api key 7".to_owned(),
        &["S7"],
    ),
    (
        "nobody approved",
        |h| drop(h.audit.remove(1)),
        &["S7", "S11"],
    ),
    (
        "another version was approved",
        |h| h.audit[1].details["hash"] = json!("another hash"),
        &["S7"],
    ),
    (
        "the event was changed after its approval",
        |h| h.events[0].frozen_hash = Some("another hash".to_owned()),
        &["S7"],
    ),
    (
        "another text goes out",
        |h| spoil(h, "high", "low"),
        &["S7"],
    ),
    (
        "another area goes out",
        |h| spoil(h, "53.2", "54.2"),
        &["S7"],
    ),
    ("nobody cancelled", |h| h.audit[2].at = at(49), &["S7"]),
    // S8: deadline
    (
        "an attempt opens after the alert's end",
        |h| {
            h.deliveries[2].ends_at = at(0);
        },
        &["S8"],
    ),
    (
        "a request comes after the alert's end",
        |h| {
            h.requests[0].place.at = at(1010);
            h.requests[0].applied = None;
        },
        &["S4", "S8"],
    ),
    (
        "it is applied after its deadline",
        |h| h.requests[2].not_after = Some(at(45)),
        &["S8"],
    ),
    (
        "it is applied after the drain, without a deadline in the payload",
        |h| {
            h.requests[2].not_after = None;
            h.attempts[2].drained_at = at(45);
            h.attempts[2].deadline_at = at(45);
        },
        &["S8"],
    ),
    // S9: monotone
    (
        "it is tried again after its acknowledgement",
        |h| {
            again(h, 0, 2);
            h.requests[1].applied = None;
            h.attempts[1].opened_at = at(12);
            h.requests[1].place.at = at(12);
            h.attempts[1].closed = Some(closed(13, Outcome::Duplicate));
        },
        &["S9"],
    ),
    (
        "an acceptance was lost",
        |h| h.deliveries[3].state = State::Ready,
        &["S9"],
    ),
    ("a seq was given twice", |h| h.alert.next_seq = 2, &["S9"]),
    (
        "a cancelled alert is on the air again",
        |h| h.alert.status = Status::Broadcasting,
        &["S9"],
    ),
    (
        "somebody moved it after its end",
        |h| h.audit.push(entry(60, "user x", "alert.move", json!({}))),
        &["S9"],
    ),
    (
        "the last delivery of a lane is superseded",
        |h| {
            h.deliveries[3].state = State::Superseded { at: at(52) };
        },
        &["S9", "S13"],
    ),
    // S10: same bytes
    (
        "the second try has other bytes",
        |h| {
            again(h, 0, 2);
            h.requests[1].applied = None;
            h.requests[1].stored.push(' ');
        },
        &["S10"],
    ),
    (
        "the payload is another delivery's",
        |h| {
            h.deliveries[1].payload = h.deliveries[3].payload.clone();
            let other = h.requests[3].stored.clone();
            h.requests[2].stored = other;
        },
        &["S10"],
    ),
    (
        "a cancel went out and is not stored",
        |h| h.deliveries[1].payload = None,
        &["S10"],
    ),
    // S11: approved is dispatchable
    (
        "an approved provider has no delivery",
        |h| keep_only(h, "ee"),
        &["S11"],
    ),
    (
        "an approved alert has no event",
        |h| {
            h.alert.status = Status::Broadcasting;
            h.audit.truncate(2);
            h.events.clear();
            h.deliveries.clear();
            h.attempts.clear();
            h.requests.clear();
        },
        &["S11"],
    ),
    (
        "a lane has no cancel",
        |h| {
            h.deliveries.remove(3);
            h.attempts.remove(3);
            h.requests.remove(3);
        },
        &["S11"],
    ),
    (
        "a test alert has an event",
        |h| h.alert.is_stubbed = true,
        &["S11"],
    ),
    // S12: isolation
    (
        "an attempt stands in another provider's lane",
        |h| h.attempts[1].provider = name("ee"),
        &["S12"],
    ),
    (
        "a request names another lane",
        |h| h.requests[0].lane = Some("another/ee".to_owned()),
        &["S12"],
    ),
    // S13: cancel safety
    (
        "the cancel ended as needless, and the alert had been accepted",
        |h| {
            moot(h, MootReason::UnknownReference);
            h.attempts[2].closed = Some(closed(52, Outcome::UnknownReference));
            h.requests[2].applied = None;
        },
        &["S13"],
    ),
    (
        "the cancel ended as never sent, and the alert was tried",
        |h| {
            h.attempts.retain(|a| a.delivery != delivery_id(1));
            h.requests.retain(|r| r.delivery != delivery_id(1));
            moot(h, MootReason::NeverSent);
            h.attempts[0].closed = Some(closed(2, Outcome::Refused));
            h.deliveries[0].state = State::Superseded { at: at(50) };
            h.requests[0].applied = None;
        },
        &["S13"],
    ),
    (
        "the cancel gave up while the alert was on the air",
        |h| {
            moot(h, MootReason::EndedWithoutAnswer);
            h.attempts[2].closed = Some(closed(52, Outcome::Refused));
        },
        &["S13"],
    ),
    // S14: tenancy
    (
        "the approval was for another service",
        |h| h.audit[1].service = Some(ServiceId::new(Uuid::from_u128(6))),
        &["S14"],
    ),
    (
        "it was made with another service's key",
        |h| h.alert.key_service = Some(ServiceId::new(Uuid::from_u128(6))),
        &["S14"],
    ),
];

fn applied(line: u64, seconds: i64) -> Applied {
    let place = Place {
        log: 0,
        line,
        at: at(seconds),
    };
    Applied { place }
}

fn closed(seconds: i64, outcome: Outcome) -> Closed {
    Closed {
        at: at(seconds),
        outcome,
    }
}

/// A second attempt of a delivery, and its request, `seconds` after the approval.
fn again(h: &mut History, n: usize, seconds: i64) {
    let of = h.deliveries[n].clone();
    let first = h.attempts.iter().position(|a| a.delivery == of.id);
    let first = first.expect("it was tried");
    h.attempts[first].closed = Some(closed(seconds, Outcome::Unknown));
    let second = attempt(99, &of, at(seconds), Outcome::Duplicate);
    h.attempts.insert(first + 1, second);
    h.deliveries[n].state = State::Acknowledged {
        at: at(seconds + 1),
    };
    h.requests.insert(1, request(2, &of, at(seconds)));
}

fn moot(h: &mut History, reason: MootReason) {
    let at = at(52);
    h.deliveries[1].state = State::Moot { reason, at };
}

/// Other words in what goes out to ee.
fn spoil(h: &mut History, from: &str, to: &str) {
    let payload = h.deliveries[0].payload.as_mut().expect("it has one");
    assert!(payload.contains(from));
    *payload = payload.replace(from, to);
    h.requests[0].stored = payload.trim_end_matches('}').to_owned();
}

fn in_welsh(text: &str) -> SecondText {
    SecondText {
        first_language: "en-GB".to_owned(),
        language: "cy-GB".to_owned(),
        content: text.to_owned(),
        text: text.to_owned(),
    }
}

/// A second language in what goes out to ee.
fn say_second(h: &mut History, text: &str) {
    let channel = "\"channel\":\"severe\"";
    let second = json!({ "language": "cy-GB", "description": text });
    spoil(h, channel, &format!("{channel},\"second\":{second}"));
}

fn keep_only(h: &mut History, provider: &str) {
    let gone: Vec<DeliveryId> = h
        .deliveries
        .iter()
        .filter(|d| d.provider.as_str() != provider)
        .map(|d| d.id)
        .collect();
    h.deliveries.retain(|d| !gone.contains(&d.id));
    h.attempts.retain(|a| !gone.contains(&a.delivery));
    h.requests.retain(|r| !gone.contains(&r.delivery));
}

#[test]
fn what_is_spoilt_is_found_by_the_invariant_that_is_for_it() {
    let mut wrong = Vec::new();
    for (what, spoil, want) in PLANTED {
        let mut history = clean();
        spoil(&mut history);
        let is = broken(&history, &terms());
        if is != *want {
            wrong.push(format!("{what}: {is:?}, not {want:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all: BTreeSet<&str> = PLANTED
        .iter()
        .flat_map(|(_, _, want)| *want)
        .copied()
        .collect();
    assert_eq!(
        all.len(),
        Invariant::ALL.len(),
        "only {all:?} have a planted history"
    );
}

/// What happens, and is no violation.
type Allowed = (&'static str, fn(&mut History, &mut Terms));

#[test]
fn what_is_allowed_is_not_found() {
    let allowed: &[Allowed] = &[
        (
            "a provider without dedup applies twice after a lost answer",
            |h, terms| {
                terms.applies_once.clear();
                again(h, 0, 2);
            },
        ),
        (
            "sites that know nothing of each other apply each once",
            |h, terms| {
                terms.separate_sites = BTreeSet::from([name("ee")]);
                again(h, 0, 2);
                h.attempts[1].route = "ee-2-proxy".to_owned();
                h.requests[1].function = "ee-2-proxy".to_owned();
                // The cancel goes to both.
                let cancel = h.deliveries[1].clone();
                let mut second = attempt(98, &cancel, at(52), Outcome::Accepted);
                second.route = "ee-2-proxy".to_owned();
                let mut came = request(9, &cancel, at(52));
                came.function = "ee-2-proxy".to_owned();
                h.attempts.push(second);
                h.requests.push(came);
            },
        ),
        ("the clocks differ by less than is configured", |h, _| {
            h.requests[0].place.at = at(-3);
            h.requests[3].applied = Some(applied(9, 56));
        }),
        (
            "an answer that came after a restart counts when it comes",
            |h, _| {
                again(h, 0, 2);
                h.attempts[0].closed = Some(closed(30, Outcome::Accepted));
                h.requests[1].applied = None;
            },
        ),
        (
            "what was acknowledged after the log was read",
            |h, terms| {
                h.requests.clear();
                terms.until = at(2);
            },
        ),
        ("a cancel of what was never sent", |h, _| {
            for n in [0, 1] {
                h.attempts.retain(|a| a.delivery != delivery_id(n));
                h.requests.retain(|r| r.delivery != delivery_id(n));
            }
            h.deliveries[0].state = State::Superseded { at: at(50) };
            h.deliveries[1].payload = None;
            moot(h, MootReason::NeverSent);
        }),
        (
            "a second language goes where it can be carried, and the first alone elsewhere",
            |h, _| {
                h.events[0].second = Some(in_welsh("Ewch i dir uchel"));
                say_second(h, "Ewch i dir uchel");
            },
        ),
        (
            "a shape is made simpler for a provider, and covers",
            |h, _| {
                spoil(h, "[53.2,0.3]", "[53.3,0.3]");
                h.deliveries[0].covers_approved = true;
            },
        ),
        ("an alert made by a key has no editors", |h, _| {
            h.alert.created_by = None;
            h.versions = vec![(1, None)];
        }),
        (
            "somebody edited the version after the one approved",
            |h, _| {
                h.versions.push((2, Some(user(2))));
            },
        ),
    ];
    for (what, change) in allowed {
        let (mut history, mut terms) = (clean(), terms());
        change(&mut history, &mut terms);
        assert_eq!(broken(&history, &terms), Vec::<&str>::new(), "{what}");
    }
}

#[test]
fn a_request_of_no_delivery_breaks_s6_and_only_so_many_findings_are_kept() {
    let mut report = Report::default();
    let strangers = (0..200).map(|n| (format!("request {n}"), at(n)));
    report.add_strangers(strangers);
    let verdict = report.verdict(Invariant::S6);
    assert_eq!(
        (verdict.violations, verdict.findings.len()),
        (200, FINDINGS_SHOWN_MAX)
    );
    assert!(!report.is_clean());
}
