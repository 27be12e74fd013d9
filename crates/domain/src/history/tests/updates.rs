//! Histories with an update: judged by its own people and its own content.

use super::*;

/// Written by user 1 and approved by user 2 at 0; proposed by user 3 and approved by user 1 at 50:
/// sent as an update to one provider, as a cancel and an alert to the other.
fn updated() -> History {
    let mut h = clean();
    h.alert.status = Status::Broadcasting;
    let text = |delivery: &mut DeliveryFact| {
        let payload = delivery.payload.take().expect("it has one");
        let sent = |at: Timestamp| format!("\"sent\":\"{}\"", at.to_cap());
        delivery.payload = Some(payload.replace(&sent(at(0)), &sent(at(50))));
        delivery.ends_at = at(1000);
    };
    let mut update = delivery(1, "ee", 2, Kind::Update);
    text(&mut update);
    let payload = update.payload.take().expect("it has one");
    let references = json!([{ "message_id": h.deliveries[0].id }]).to_string();
    let named = format!("{{\"references\":{references},");
    update.payload = Some(payload.replacen('{', &named, 1));
    let cancel = delivery(3, "o2", 2, Kind::Cancel);
    let mut replacement = delivery(4, "o2", 3, Kind::Alert);
    text(&mut replacement);
    replacement.event = cancel.event;
    h.deliveries.splice(3..4, [cancel, replacement]);
    h.deliveries[1] = update;
    for (delivery, line) in [(1, 5), (3, 7), (4, 9)] {
        let of = h.deliveries[delivery].clone();
        let opened_at = of.created_at + Duration::from_secs(1);
        h.attempts.retain(|a| a.delivery != of.id);
        h.requests.retain(|r| r.delivery != of.id);
        let n = u128::try_from(delivery).expect("small");
        h.attempts
            .push(attempt(n, &of, opened_at, Outcome::Accepted));
        let mut came = request(line, &of, opened_at);
        let stored = of.payload.as_deref().expect("it has one");
        came.stored = stored.trim_end_matches('}').to_owned();
        h.requests.push(came);
    }
    let mut event = event(2, Kind::Update, at(50));
    event.frozen_hash = Some("the hash".to_owned());
    h.events[1] = event;
    h.versions.push((2, Some(user(3))));
    let approval = json!({ "version": 2, "hash": "the hash", "providers": ["ee", "o2"] });
    h.audit[2] = entry(
        50,
        &format!("user {}", user(1)),
        "alert.approve_update",
        approval,
    );
    h
}

/// Other bytes, stored and sent.
fn spoil_update(h: &mut History, from: &str, to: &str) {
    let payload = h.deliveries[1].payload.take().expect("it has one");
    let new = payload.replace(from, to);
    assert_ne!(new, payload);
    let (id, stored) = (h.deliveries[1].id, new.trim_end_matches('}').to_owned());
    h.deliveries[1].payload = Some(new);
    let came = h.requests.iter_mut().find(|r| r.delivery == id);
    came.expect("it came").stored = stored;
}

#[test]
fn an_update_is_judged_by_its_own_people_and_content() {
    let rows: &[Planted] = &[
        (
            "nothing is wrong: who wrote the alert may approve another's update",
            |_| {},
            &[],
        ),
        (
            "it is approved by who proposed it",
            |h| h.audit[2].actor = format!("user {}", user(3)),
            &["S7"],
        ),
        (
            "the approval of the alert is all there is",
            |h| h.audit[2].action = "alert.approve".to_owned(),
            &["S7"],
        ),
        (
            "what was approved is something else",
            |h| h.audit[2].details["hash"] = json!("another"),
            &["S7"],
        ),
        (
            "the replacement says what the alert said before",
            |h| {
                h.events[1].text = "Come down".to_owned();
                let payload = h.deliveries[1].payload.take().expect("it has one");
                let new = payload.replace("Go to \\\"high\\\" ground", "Come down");
                let stored = new.trim_end_matches('}').to_owned();
                h.deliveries[1].payload = Some(new);
                let id = h.deliveries[1].id;
                let came = h.requests.iter_mut().find(|r| r.delivery == id);
                came.expect("it came").stored = stored;
            },
            &["S7"],
        ),
        (
            "an alert goes out where there is something to update",
            |h| {
                let wrong = |text: &str| text.replace("\"update\"", "\"alert\"");
                let payload = h.deliveries[1].payload.as_deref().map(wrong);
                h.deliveries[1].payload = payload;
                let id = h.deliveries[1].id;
                let came = h.requests.iter_mut().find(|r| r.delivery == id);
                let came = came.expect("it came");
                came.stored = wrong(&came.stored);
            },
            &["S10"],
        ),
        (
            "the update does not name the alert",
            |h| spoil_update(h, "message_id", "something"),
            &["S10"],
        ),
        (
            "the update went out as an alert though the alert was attempted",
            |h| spoil_update(h, r#""message_type":"update""#, r#""message_type":"alert""#),
            &["S10"],
        ),
        (
            "a provider was forgotten",
            |h| {
                let gone = h.deliveries.remove(1).id;
                h.attempts.retain(|a| a.delivery != gone);
                h.requests.retain(|r| r.delivery != gone);
            },
            &["S11"],
        ),
    ];
    for (what, spoil, want) in rows {
        let mut history = updated();
        spoil(&mut history);
        assert_eq!(broken(&history, &terms()), *want, "{what}");
    }
}

#[test]
fn an_update_goes_out_as_an_alert_where_nothing_was_attempted_before() {
    let mut h = updated();
    let first = delivery_id(0);
    h.attempts.retain(|a| a.delivery != first);
    h.requests.retain(|r| r.delivery != first);
    h.deliveries[0].state = State::Superseded { at: at(50) };
    let alert = |text: &str| text.replace("\"update\"", "\"alert\"");
    h.deliveries[1].payload = h.deliveries[1].payload.as_deref().map(alert);
    let id = h.deliveries[1].id;
    let came = h.requests.iter_mut().find(|r| r.delivery == id);
    let came = came.expect("it came");
    came.stored = alert(&came.stored);
    assert_eq!(broken(&h, &terms()), Vec::<&str>::new());
}

#[test]
fn a_cancel_that_ends_needless_may_follow_a_cancel_that_took_the_text_off() {
    // At o2 the replacement was refused; then the alert was cancelled.
    let cancelled = |took_off: Outcome| {
        let mut h = updated();
        h.alert.status = Status::Cancelled;
        h.deliveries[4].state = State::Superseded { at: at(150) };
        h.attempts.retain(|a| a.delivery != delivery_id(4));
        h.requests.retain(|r| r.delivery != delivery_id(4));
        let reason = MootReason::UnknownReference;
        let mut last = delivery(5, "o2", 4, Kind::Cancel);
        last.state = State::Moot {
            reason,
            at: at(152),
        };
        let mut ee = delivery(6, "ee", 4, Kind::Cancel);
        ee.event = last.event;
        h.events.push(event(4, Kind::Cancel, at(150)));
        let of = [&last, &ee].map(Clone::clone);
        h.attempts
            .push(attempt(5, &of[0], at(151), Outcome::UnknownReference));
        h.attempts
            .push(attempt(6, &of[1], at(151), Outcome::Accepted));
        h.requests.push(request(11, &of[1], at(151)));
        h.deliveries.extend(of);
        h.deliveries.sort_by_key(|d| (d.provider.clone(), d.seq));
        h.audit
            .push(entry(150, "user x", "alert.cancel", json!({})));
        let cancel = h.attempts.iter_mut().find(|a| a.delivery == delivery_id(3));
        cancel.expect("it was attempted").closed = Some(closed(102, took_off));
        h
    };
    let s13 = |h: &History| broken(h, &terms()).contains(&"S13");
    assert!(!s13(&cancelled(Outcome::Accepted)));
    assert!(
        !s13(&cancelled(Outcome::Unknown)),
        "it may have taken it off"
    );
    assert!(
        s13(&cancelled(Outcome::Refused)),
        "then the old text stands"
    );
}
