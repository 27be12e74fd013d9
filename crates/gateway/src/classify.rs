//! What an answer means, and what the lack of one means (D23).
//!
//! Everything here is a pure function of what came over the wire. The rule behind every row:
//! *refused* is said only where the provider surely did not take the message, *accepted* only where
//! it says so; all else is *unknown*. `docs/delivery.md` says what the lane does with each.

use balefire_domain::ids::DeliveryId;
use balefire_domain::limits::{BOOT_ID_BYTES_MAX, DETAIL_CHARS_MAX};
use balefire_domain::outcome::Outcome;
use balefire_domain::provider::Capabilities;
use balefire_domain::time::Timestamp;
use bytes::Bytes;

use crate::answer_body::{Word, read_answer};

/// How the body of an answer ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyEnd {
    /// All of it came: as many bytes as announced, or the last chunk.
    Complete(Bytes),
    /// No length was announced and the connection ended: nobody can say whether all of it came.
    EndedByClose,
    /// Less came than was announced.
    CutOff,
    /// More came than [`balefire_domain::limits::ANSWER_BYTES_MAX`]; the rest was not read.
    TooLong,
}

/// What the Lambda Invoke API answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `X-Amz-Function-Error` was there, whatever its value.
    pub function_error: bool,
    /// The body.
    pub body: BodyEnd,
}

impl Answer {
    /// The outcome does not depend on the body, so nobody needs to wait for it.
    pub const fn is_decided_without_body(status: u16, function_error: bool) -> bool {
        function_error || !matches!(status, 200..=299)
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not one byte of the request was written.
    NotWritten(NotWritten),
    /// Something was written, and no complete head of an answer came.
    Written(NoAnswer),
}

/// What stopped a request before its first byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotWritten {
    /// The deadline had passed, or may have: our clock is in doubt.
    Deadline,
    /// The endpoint's name has no address.
    Name(String),
    /// No TCP connection.
    Connect(String),
    /// No TLS session.
    Tls(String),
    /// Name, TCP and TLS took longer than the time to connect.
    ConnectTimeout,
    /// The connection ended, or brought something unasked, before the request began.
    Closed,
    /// The stored payload is no JSON object: a fault of ours that must not reach a network.
    Payload,
    /// The request could not be made; for want of credentials, for instance. Why, in plain words.
    Unmade(String),
}

/// What a proxy of ours says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxySays {
    /// Its clock, when it answered.
    pub clock: Timestamp,
    /// Which start of it answered: another one after each restart.
    pub boot_id: Option<String>,
}

/// What came instead of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// Nothing by the deadline; the connection was reset.
    Deadline,
    /// The connection ended or was reset.
    Closed,
    /// Bytes that are no HTTP answer.
    NotHttp,
}

/// What `answer` to `delivery` means at a provider with `capabilities` (D23), and a detail for the
/// attempt's row: plain words, at most [`DETAIL_CHARS_MAX`] characters, one line.
pub fn classify(
    answer: &Answer,
    delivery: DeliveryId,
    capabilities: Capabilities,
) -> (Outcome, String) {
    let (outcome, text) = judge(answer, delivery, capabilities);
    (outcome, bounded(&text))
}

fn judge(answer: &Answer, delivery: DeliveryId, capabilities: Capabilities) -> (Outcome, String) {
    let status = answer.status;
    if answer.function_error {
        let text = format!("the proxy's function failed (status {status}, X-Amz-Function-Error)");
        return (Outcome::Unknown, text);
    }
    match status {
        200..=299 => judge_body(answer, delivery, capabilities),
        408 | 499 => (
            Outcome::Unknown,
            format!("status {status}: the proxy stopped waiting, and may have passed it on"),
        ),
        429 => (
            Outcome::Refused,
            "status 429: the proxy is throttled or busy".to_owned(),
        ),
        404 => (
            Outcome::Refused,
            "status 404: there is no such proxy at this endpoint".to_owned(),
        ),
        400..=498 => (
            Outcome::Refused,
            format!("status {status}: the proxy did not take the request"),
        ),
        500..=599 => (
            Outcome::Unknown,
            format!("status {status}: the proxy failed, and may have passed it on"),
        ),
        300..=399 => (
            Outcome::Unknown,
            format!("status {status}: a redirect is not followed"),
        ),
        _ => (
            Outcome::Unknown,
            format!("status {status} is not an answer of a proxy"),
        ),
    }
}

fn judge_body(
    answer: &Answer,
    delivery: DeliveryId,
    capabilities: Capabilities,
) -> (Outcome, String) {
    let status = answer.status;
    let unknown = |text: &str| (Outcome::Unknown, format!("status {status}, {text}"));
    let bytes = match &answer.body {
        BodyEnd::Complete(bytes) => bytes,
        BodyEnd::EndedByClose => {
            return unknown("but the body has no length, so it may have been cut off");
        }
        BodyEnd::CutOff => return unknown("but the body was cut off"),
        BodyEnd::TooLong => return unknown("but the body is longer than an answer can be"),
    };
    if bytes.is_empty() {
        return bare_success(status, capabilities);
    }
    let Some(body) = read_answer(bytes) else {
        return unknown("but the body is not JSON that can be understood");
    };
    let ours = delivery.to_string();
    let names_us = match &body.identifier {
        Word::Absent => false,
        Word::Text(text) if *text == ours => true,
        Word::Text(_) | Word::Other => {
            return unknown("but the answer is about another identifier");
        }
    };
    let word = match &body.outcome {
        Word::Absent => return bare_success(status, capabilities),
        Word::Text(text) if names_us => text,
        Word::Text(_) => return unknown("but the outcome names no identifier"),
        Word::Other => return unknown("but the outcome is not a word"),
    };
    let outcome = match word.as_str() {
        "accepted" => Outcome::Accepted,
        "duplicate" => Outcome::Duplicate,
        "refused" => Outcome::Refused,
        "unknown-reference" => Outcome::UnknownReference,
        other => return unknown(&format!("but `{other}` is not an outcome")),
    };
    let text = match &body.detail {
        Word::Text(detail) if !detail.is_empty() => format!("the proxy says {word}: {detail}"),
        Word::Text(_) | Word::Absent | Word::Other => format!("the proxy says {word}"),
    };
    (outcome, text)
}

fn bare_success(status: u16, capabilities: Capabilities) -> (Outcome, String) {
    if capabilities.success_is_accepted {
        (Outcome::Accepted, format!("status {status}"))
    } else {
        (
            Outcome::Unknown,
            format!("status {status}, but the answer does not say what became of the message"),
        )
    }
}

/// What a proxy of ours says of itself in its answer to a probe, where the answer is about this one
/// (`docs/delivery.md`).
pub fn proxy_says(answer: &Answer, probe: DeliveryId) -> Option<ProxySays> {
    let BodyEnd::Complete(bytes) = &answer.body else {
        return None;
    };
    let body = read_answer(bytes)?;
    let (Word::Text(identifier), Word::Text(clock)) = (&body.identifier, &body.clock) else {
        return None;
    };
    let boot_id = match &body.boot_id {
        Word::Text(id) if id.len() <= BOOT_ID_BYTES_MAX => Some(bounded(id)),
        Word::Text(_) | Word::Absent | Word::Other => None,
    };
    (*identifier == probe.to_string()).then_some(ProxySays {
        clock: Timestamp::parse_iso8601(clock)?,
        boot_id,
    })
}

/// What the lack of an answer means (D23), and a detail for the attempt's row.
pub fn classify_failure(failure: &Failure) -> (Outcome, String) {
    let text = match failure {
        Failure::NotWritten(why) => match why {
            NotWritten::Deadline => "not sent: the deadline had passed".to_owned(),
            NotWritten::Name(name) => format!("not sent: {name} has no address"),
            NotWritten::Connect(why) => format!("not sent: no connection: {why}"),
            NotWritten::Tls(why) => format!("not sent: no secure connection: {why}"),
            NotWritten::ConnectTimeout => {
                "not sent: no connection within the time to connect".to_owned()
            }
            NotWritten::Closed => {
                "not sent: the other side hung up or spoke before the request began".to_owned()
            }
            NotWritten::Payload => "not sent: the stored payload is not a JSON object".to_owned(),
            NotWritten::Unmade(why) => format!("not sent: {why}"),
        },
        Failure::Written(why) => match why {
            NoAnswer::Deadline => "sent, but no answer by the deadline".to_owned(),
            NoAnswer::Closed => "sent, but the connection ended without an answer".to_owned(),
            NoAnswer::NotHttp => "sent, but what came back is not an HTTP answer".to_owned(),
        },
    };
    let outcome = match failure {
        Failure::NotWritten(_) => Outcome::Refused,
        Failure::Written(_) => Outcome::Unknown,
    };
    (outcome, bounded(&text))
}

/// One line of at most [`DETAIL_CHARS_MAX`] characters. A part of it may come from a stranger, so
/// control characters and characters that change how the rest is shown become spaces.
fn bounded(text: &str) -> String {
    text.chars()
        .take(DETAIL_CHARS_MAX)
        .map(|c| {
            if c.is_ascii_graphic() || c.is_alphanumeric() {
                c
            } else {
                ' '
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
