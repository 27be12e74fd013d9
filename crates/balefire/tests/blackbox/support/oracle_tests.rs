//! Each rule of the oracle catches the fault that it is for. A rule that no planted fault can trip
//! would be no rule.

use balefire_domain::time::Timestamp;
use serde_json::json;

use super::documents::TEXT;
use super::evidence::{Alert, Attempt, Delivery, Evidence};

const ALERT: &str = "00000000-0000-7000-8000-000000000001";
const END: i64 = 1_795_410_000;

/// One alert to vodafone, its cancel, and what the network logged of both: nothing is wrong.
fn lines() -> Vec<String> {
    let lane = format!("\"lane\":\"{ALERT}/vodafone\"");
    let sent = Timestamp::from_seconds(END - 100).to_cap();
    let cancelled = Timestamp::from_seconds(END - 50).to_cap();
    let expires = Timestamp::from_seconds(END).to_cap();
    let not_after = |seconds: i64| Timestamp::from_seconds(seconds).to_millis_style();
    let alert = format!(
        "{{\"message_type\":\"alert\",\"identifier\":\"a\",\"message_number\":\"00000001\",\
         \"message_format\":\"ibag\",\"headline\":\"GOV.UK Emergency Alert\",\
         \"description\":\"{TEXT}\",\"areas\":[],\"sent\":\"{sent}\",\"expires\":\"{expires}\",\
         \"language\":\"English\",\"channel\":\"severe\",\"not_after\":\"{}\",{lane},\"seq\":1}}",
        not_after(END - 80)
    );
    let cancel = format!(
        "{{\"message_type\":\"cancel\",\"identifier\":\"c\",\"message_number\":\"00000002\",\
         \"message_format\":\"ibag\",\"references\":[{{\"message_id\":\"a\",\
         \"message_number\":\"00000001\",\"sent\":\"{sent}\"}}],\"sent\":\"{cancelled}\",\
         \"not_after\":\"{}\",{lane},\"seq\":2}}",
        not_after(END - 30)
    );
    let came = |n: u32, at: i64, payload: &str| {
        format!(
            "{{\"at_ms\":{at}000,\"n\":{n},\"function\":\"vodafone-1-proxy\",\
             \"payload\":{payload},\"kind\":\"ok\",\"applied\":false,\"outcome\":null}}"
        )
    };
    let settled = |n: u32, at: i64| {
        format!("{{\"at_ms\":{at}000,\"n\":{n},\"applied\":true,\"outcome\":\"accepted\"}}")
    };
    vec![
        came(1, END - 99, &alert),
        settled(1, END - 99),
        came(2, END - 49, &cancel),
        settled(2, END - 49),
    ]
}

fn evidence(lines: &[String]) -> Evidence {
    let delivery = |id: &str, seq, kind: &str| Delivery {
        id: id.to_owned(),
        provider: "vodafone".to_owned(),
        seq,
        kind: kind.to_owned(),
        state: "acknowledged".to_owned(),
        created_at: Timestamp::from_seconds(END - if seq == 1 { 100 } else { 50 }),
        attempts: vec![Attempt {
            route: "vodafone-1-proxy".to_owned(),
            outcome: Some("accepted".to_owned()),
        }],
    };
    let alert = Alert {
        id: ALERT.to_owned(),
        service: "s".to_owned(),
        channel: "severe".to_owned(),
        approved_at: Some(Timestamp::from_seconds(END - 100)),
        cancelled_at: Some(Timestamp::from_seconds(END - 50)),
        finishes_at: Some(Timestamp::from_seconds(END)),
        deliveries: vec![delivery("a", 1, "alert"), delivery("c", 2, "cancel")],
    };
    Evidence::of(&[lines.join("\n")], vec![alert])
}

/// The rules that complain, as their numbers.
fn tripped(evidence: &Evidence) -> Vec<String> {
    let findings = evidence.findings();
    let mut rules: Vec<String> = findings
        .iter()
        .filter_map(|finding| finding.split(':').next().map(str::to_owned))
        .collect();
    rules.sort();
    rules.dedup();
    rules
}

#[test]
fn where_nothing_is_wrong_nothing_is_found() {
    let evidence = evidence(&lines());
    assert_eq!(evidence.findings(), Vec::<String>::new());
    assert_eq!(evidence.requests.len(), 2);
    assert!(
        evidence
            .requests
            .iter()
            .all(|request| request.applied.is_some())
    );
}

#[test]
fn what_carries_no_alert_has_its_own_identifier_and_number_and_changes_nothing() {
    let came = |n: u32, payload: &str| {
        format!(
            "{{\"at_ms\":{END}000,\"n\":{n},\"function\":\"vodafone-1-proxy\",\
             \"payload\":{payload},\"kind\":\"ok\",\"applied\":false,\"outcome\":null}}"
        )
    };
    let applied = format!("{{\"at_ms\":{END}000,\"n\":3,\"applied\":true,\"outcome\":null}}");
    let test = |rest: &str| format!("{{\"message_type\":\"test\",{rest}}}");
    let (good, again) = (
        test("\"identifier\":\"t\""),
        "{\"identifier\":\"t\"}".to_owned(),
    );
    // what came beside the alert and its cancel, and the rules that must complain
    let cases: [(Vec<String>, &[&str]); 6] = [
        (vec![came(3, &good)], &[]),
        (vec![came(3, &good), applied], &["11"]),
        (vec![came(3, &good), came(4, &again)], &["11"]),
        (vec![came(3, &test("\"identifier\":\"a\""))], &["11"]),
        (
            vec![came(3, &test("\"message_number\":\"00000001\""))],
            &["9"],
        ),
        (
            vec![came(3, "{\"identifier\":\"t\",\"text\":\"x\"}")],
            &["5"],
        ),
    ];
    for (more, want) in cases {
        let evidence = evidence(&[lines(), more.clone()].concat());
        assert_eq!(tripped(&evidence), want, "{more:?}");
    }
}

#[test]
fn what_the_networks_may_not_have_seen_is_found() {
    // what is replaced in the log (in which line), by what, and the rules that must complain
    let cases: [(usize, &str, &str, &[&str]); 14] = [
        (0, "at_ms\":17954099", "at_ms\":17954109", &["3"]),
        (1, "at_ms\":1795409901", "at_ms\":1795409921", &["3"]),
        (0, "\"seq\":1", "\"seq\":2", &["6"]),
        (0, "\"channel\":\"severe\"", "\"channel\":\"test\"", &["6"]),
        (0, "Go to high", "Go to low", &["6"]),
        (0, "\"English\"", "\"en-GB\"", &["6"]),
        (0, "\"message_number\":\"00000001\",", "", &["6", "7"]),
        (
            0,
            "00000001\",\"message_format",
            "0000000A\",\"message_format",
            &["6", "7"],
        ),
        (2, "00000002", "00000001", &["9"]),
        (2, "\"message_id\":\"a\"", "\"message_id\":\"b\"", &["7"]),
        (
            2,
            "\"message_number\":\"00000001\"",
            "\"message_number\":\"00000003\"",
            &["7"],
        ),
        (0, "vodafone-1-proxy", "vodafone-2-proxy", &["5"]),
        (
            0,
            "\"identifier\":\"a\"",
            "\"identifier\":\"x\"",
            &["5", "8"],
        ),
        (3, "\"applied\":true", "\"applied\":false", &["8"]),
    ];
    for (line, from, to, rules) in cases {
        let mut lines = lines();
        assert!(
            lines[line].contains(from),
            "{from} is not in {}",
            lines[line]
        );
        lines[line] = lines[line].replacen(from, to, 1);
        assert_eq!(tripped(&evidence(&lines)), rules, "{from} -> {to}");
    }
}

#[test]
fn a_message_applied_twice_is_found() {
    let mut lines = lines();
    lines.insert(1, lines[0].replace("\"n\":1", "\"n\":2"));
    lines.insert(3, lines[2].replace("\"n\":1", "\"n\":2"));
    lines[4] = lines[4].replace("\"n\":2", "\"n\":3");
    lines[5] = lines[5].replace("\"n\":2", "\"n\":3");
    let mut evidence = evidence(&lines);
    // Two attempts account for both; that both were applied is wrong all the same.
    let again = evidence.alerts[0].deliveries[0].attempts[0].clone();
    evidence.alerts[0].deliveries[0].attempts.push(again);
    assert_eq!(tripped(&evidence), ["1"]);
    evidence.alerts[0].deliveries[0].attempts.pop();
    assert_eq!(
        tripped(&evidence),
        ["1", "5"],
        "one of them was never intended"
    );
}

#[test]
fn another_text_in_the_second_attempt_is_found() {
    let mut lines = lines();
    let second = lines[0]
        .replace("\"n\":1", "\"n\":2")
        .replace("\"areas\":[]", "\"areas\":[1]");
    lines.insert(2, second);
    for line in &mut lines[3..] {
        *line = line.replace("\"n\":2", "\"n\":3");
    }
    let mut evidence = evidence(&lines);
    let again = evidence.alerts[0].deliveries[0].attempts[0].clone();
    evidence.alerts[0].deliveries[0].attempts.push(again);
    assert_eq!(tripped(&evidence), ["4"]);
}

#[test]
fn an_alert_after_its_cancel_is_found() {
    let mut arrived = lines();
    arrived.rotate_left(2);
    for (line, n) in arrived.iter_mut().zip([1, 1, 2, 2]) {
        let at = line.find("\"n\":").expect("a number") + 4;
        line.replace_range(at..=at, &n.to_string());
    }
    assert_eq!(tripped(&evidence(&arrived)), ["2"]);

    // It came first, and lay in the network's hands until the cancel was applied.
    let mut applied = lines();
    let late = applied.remove(1);
    applied.push(late);
    assert_eq!(tripped(&evidence(&applied)), ["2"]);
}

#[test]
fn a_course_that_hides_an_acknowledgement_is_found() {
    let evidence = evidence(&lines());
    let entry = |status: &str| json!({ "status": status });
    let whole = [entry("sending"), entry("returned-ack")];
    let cases = [
        (
            json!({ "vodafone": { "alert": whole, "cancel": whole } }),
            0,
        ),
        (
            json!({ "vodafone": { "alert": whole, "cancel": [entry("sending")] } }),
            1,
        ),
        (json!({ "vodafone": { "alert": [], "cancel": whole } }), 1),
        (json!({}), 1),
        (
            json!({ "vodafone": { "alert": whole, "cancel": whole }, "ee": {} }),
            1,
        ),
    ];
    for (statuses, count) in cases {
        let findings = super::oracle::check_course(&evidence.alerts[0], &statuses);
        assert_eq!(findings.len(), count, "{statuses}: {findings:?}");
    }
}

#[test]
fn a_cancel_that_names_what_was_never_tried_is_found_unless_the_database_failed_over() {
    // The cancel alone arrived; it names the alert.
    let mut arrived = lines().split_off(2);
    for line in &mut arrived {
        *line = line.replace("\"n\":2", "\"n\":1");
    }
    let mut evidence = evidence(&arrived);
    let delivery = &mut evidence.alerts[0].deliveries[0];
    delivery.attempts.clear();
    "superseded".clone_into(&mut delivery.state);
    assert_eq!(tripped(&evidence), ["7"]);
    evidence.has_failed_over = true;
    assert_eq!(tripped(&evidence), Vec::<String>::new());
    // A failover excuses no name of another alert.
    let strange = arrived
        .iter()
        .map(|line| line.replace("\"message_id\":\"a\"", "\"message_id\":\"b\""));
    let strange = Evidence::of(&[strange.collect::<Vec<_>>().join("\n")], evidence.alerts);
    let strange = Evidence {
        has_failed_over: true,
        ..strange
    };
    assert!(tripped(&strange).contains(&"7".to_owned()));
}
