use Outcome::{Accepted, Duplicate, Refused, Unknown, UnknownReference};

use super::*;

const OURS: &str = "0f3f2b9e-6f0e-4d0c-9a3e-5d1f4c2b7a10";
const OTHER: &str = "11111111-6f0e-4d0c-9a3e-5d1f4c2b7a10";

fn complete(body: &str) -> BodyEnd {
    let body = body.replace("OURS", OURS).replace("OTHER", OTHER);
    BodyEnd::Complete(Bytes::from(body))
}

fn outcome_of(status: u16, function_error: bool, body: BodyEnd, bare: bool) -> (Outcome, String) {
    let answer = Answer {
        status,
        function_error,
        body,
    };
    let capabilities = Capabilities {
        dedup: false,
        shared_sites: false,
        update: false,
        success_is_accepted: bare,
        own_protocol: false,
        second_language: false,
    };
    classify(&answer, OURS.parse().unwrap(), capabilities)
}

/// One row per sentence of D23 about the status: it holds whatever the profile and the body say.
#[test]
fn the_status_decides_unless_it_is_a_success() {
    let ours_accepted = r#"{"identifier":"OURS","outcome":"accepted"}"#;
    let rows = [
        (400, false, Refused),
        (403, false, Refused),
        (404, false, Refused),
        (409, false, Refused),
        (410, false, Refused),
        (425, false, Refused),
        (429, false, Refused),
        (498, false, Refused),
        (408, false, Unknown),
        (499, false, Unknown),
        (500, false, Unknown),
        (502, false, Unknown),
        (503, false, Unknown),
        (504, false, Unknown),
        (599, false, Unknown),
        (100, false, Unknown),
        (101, false, Unknown),
        (300, false, Unknown),
        (302, false, Unknown),
        (304, false, Unknown),
        (308, false, Unknown),
        (600, false, Unknown),
        (999, false, Unknown),
        (0, false, Unknown),
        (200, true, Unknown),
        (299, true, Unknown),
        (400, true, Unknown),
        (500, true, Unknown),
    ];
    for (status, function_error, want) in rows {
        for bare in [false, true] {
            for body in [complete(ours_accepted), complete(""), BodyEnd::CutOff] {
                let (outcome, detail) = outcome_of(status, function_error, body, bare);
                assert_eq!(outcome, want, "{status} {function_error}: {detail}");
                assert!(detail.contains(&status.to_string()), "{detail}");
            }
        }
    }
}

/// One row per sentence of D23 about the body of a success: what it means without and with
/// `success_is_accepted`.
#[test]
fn the_body_of_a_success_decides() {
    let rows = [
        // An outcome with our identifier is that outcome.
        (
            r#"{"identifier":"OURS","outcome":"accepted"}"#,
            Accepted,
            Accepted,
        ),
        (
            r#"{"identifier":"OURS","outcome":"duplicate"}"#,
            Duplicate,
            Duplicate,
        ),
        (
            r#"{"outcome":"refused","identifier":"OURS","detail":"late"}"#,
            Refused,
            Refused,
        ),
        (
            r#"{"identifier":"OURS","outcome":"unknown-reference"}"#,
            UnknownReference,
            UnknownReference,
        ),
        (
            r#" {"identifier":"OURS","outcome":"accepted","more":[{}]} "#,
            Accepted,
            Accepted,
        ),
        // No outcome and no foreign identifier: the profile says.
        ("", Unknown, Accepted),
        ("{}", Unknown, Accepted),
        ("null", Unknown, Accepted),
        ("\"OK\"", Unknown, Accepted),
        ("[1,2.5,-3,true,null,\"x\"]", Unknown, Accepted),
        (r#"{"statusCode":200}"#, Unknown, Accepted),
        (r#"{"identifier":"OURS"}"#, Unknown, Accepted),
        // Another identifier.
        (
            r#"{"identifier":"OTHER","outcome":"accepted"}"#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OTHER","outcome":"refused"}"#,
            Unknown,
            Unknown,
        ),
        (r#"{"identifier":"OTHER"}"#, Unknown, Unknown),
        (
            r#"{"identifier":null,"outcome":"accepted"}"#,
            Unknown,
            Unknown,
        ),
        (r#"{"identifier":7}"#, Unknown, Unknown),
        (r#"{"identifier":""}"#, Unknown, Unknown),
        // An outcome without our identifier, an unknown outcome.
        (r#"{"outcome":"accepted"}"#, Unknown, Unknown),
        (r#"{"outcome":"refused"}"#, Unknown, Unknown),
        (
            r#"{"identifier":"OURS","outcome":"ACCEPTED"}"#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OURS","outcome":"unknown_reference"}"#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OURS","outcome":"unknown"}"#,
            Unknown,
            Unknown,
        ),
        (r#"{"identifier":"OURS","outcome":""}"#, Unknown, Unknown),
        (r#"{"identifier":"OURS","outcome":null}"#, Unknown, Unknown),
        (
            r#"{"identifier":"OURS","outcome":{"accepted":true}}"#,
            Unknown,
            Unknown,
        ),
        // The outcome is a field of the answer itself.
        (
            r#"[{"identifier":"OURS","outcome":"accepted"}]"#,
            Unknown,
            Accepted,
        ),
        (
            r#"{"body":{"identifier":"OURS","outcome":"refused"}}"#,
            Unknown,
            Accepted,
        ),
        // Not JSON, or JSON that two readers read differently.
        ("<html>OK</html>", Unknown, Unknown),
        ("OK", Unknown, Unknown),
        (" ", Unknown, Unknown),
        (
            r#"{"identifier":"OURS","outcome":"accepted""#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OURS","outcome":"accepted"}}"#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OURS","outcome":"accepted"}{}"#,
            Unknown,
            Unknown,
        ),
        ("\u{feff}{}", Unknown, Unknown),
        (
            r#"{"identifier":"OURS","outcome":"refused","outcome":"accepted"}"#,
            Unknown,
            Unknown,
        ),
        (
            r#"{"identifier":"OURS","identifier":"OURS","outcome":"accepted"}"#,
            Unknown,
            Unknown,
        ),
        (r#"{"a":[{"b":1,"b":1}]}"#, Unknown, Unknown),
        ("{\"a\":1,\"\\u0061\":1}", Unknown, Unknown),
    ];
    for (body, plain, bare) in rows {
        for status in [200, 202, 299] {
            let seen = outcome_of(status, false, complete(body), false);
            assert_eq!(seen.0, plain, "{status} {body}: {}", seen.1);
            let seen = outcome_of(status, false, complete(body), true);
            assert_eq!(
                seen.0, bare,
                "{status} {body}, success is accepted: {}",
                seen.1
            );
        }
    }
}

#[test]
fn a_success_that_did_not_come_whole_is_unknown_for_every_profile() {
    for body in [BodyEnd::CutOff, BodyEnd::EndedByClose, BodyEnd::TooLong] {
        for bare in [false, true] {
            assert_eq!(
                outcome_of(200, false, body.clone(), bare).0,
                Unknown,
                "{body:?}"
            );
        }
    }
}

#[test]
fn json_too_deep_to_read_and_bytes_that_are_no_text_are_unknown() {
    let deep = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
    for body in [Bytes::from(deep), Bytes::from_static(b"{\"a\":\"\xff\"}")] {
        assert_eq!(
            outcome_of(200, false, BodyEnd::Complete(body), true).0,
            Unknown
        );
    }
}

#[test]
fn what_was_never_written_is_refused_and_what_was_is_unknown() {
    let text = str::to_owned;
    let rows = [
        (Failure::NotWritten(NotWritten::Deadline), Refused),
        (
            Failure::NotWritten(NotWritten::Name(text("nowhere.test"))),
            Refused,
        ),
        (
            Failure::NotWritten(NotWritten::Connect(text("refused"))),
            Refused,
        ),
        (
            Failure::NotWritten(NotWritten::Tls(text("expired"))),
            Refused,
        ),
        (Failure::NotWritten(NotWritten::ConnectTimeout), Refused),
        (Failure::NotWritten(NotWritten::Closed), Refused),
        (Failure::NotWritten(NotWritten::Payload), Refused),
        (
            Failure::NotWritten(NotWritten::Unmade(
                "there are no AWS credentials".to_owned(),
            )),
            Refused,
        ),
        (Failure::Written(NoAnswer::Deadline), Unknown),
        (Failure::Written(NoAnswer::Closed), Unknown),
        (Failure::Written(NoAnswer::NotHttp), Unknown),
    ];
    for (failure, want) in rows {
        let (outcome, detail) = classify_failure(&failure);
        assert_eq!(outcome, want, "{failure:?}");
        let sent = matches!(failure, Failure::Written(_));
        assert_eq!(detail.starts_with("sent, but"), sent, "{detail}");
        assert_eq!(detail.starts_with("not sent:"), !sent, "{detail}");
    }
}

#[test]
fn a_detail_is_one_short_line_of_harmless_characters() {
    let strange = "x\r\n\u{1b}[31m\u{202e}\u{200b}\u{0}é".to_owned() + &"y".repeat(1_000);
    let body = serde_json::json!({"identifier": OURS, "outcome": "refused", "detail": strange});
    let (outcome, detail) = outcome_of(200, false, complete(&body.to_string()), false);
    assert_eq!(outcome, Refused);
    assert!(detail.starts_with("the proxy says refused: x"), "{detail}");
    assert_eq!(detail.chars().count(), DETAIL_CHARS_MAX);
    let harmless = |c: char| c == ' ' || c.is_ascii_graphic() || c.is_alphanumeric();
    assert!(detail.chars().all(harmless), "{detail:?}");
}
