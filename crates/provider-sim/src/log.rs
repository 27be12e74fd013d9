//! The log of requests: in memory, bounded, and in a file if one is named.
//!
//! The crate's documentation says what stands in a line.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Write;

use balefire_domain::limits::{SIM_LOG_BYTES_MAX, SIM_REQUESTS_LOGGED_MAX};
use balefire_domain::time::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::faults::Kind;
use crate::protocol::Outcome;

/// One request.
#[derive(Debug, Serialize)]
struct Entry {
    at_ms: i64,
    n: u64,
    function: String,
    payload: Box<RawValue>,
    kind: &'static str,
    applied: bool,
    outcome: Option<Outcome>,
}

/// What became of a request that the file has already.
#[derive(Serialize)]
struct Sequel {
    at_ms: i64,
    n: u64,
    applied: bool,
    outcome: Option<Outcome>,
}

/// The requests, oldest first.
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    payload_bytes: usize,
    payload_bytes_max: usize,
    logged: u64,
    dropped: u64,
    file: Option<File>,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            entries: VecDeque::new(),
            payload_bytes: 0,
            payload_bytes_max: SIM_LOG_BYTES_MAX,
            logged: 0,
            dropped: 0,
            file: None,
        }
    }
}

impl Log {
    /// Appends to `file` from now on.
    pub(crate) fn append_to(&mut self, file: File) {
        self.file = Some(file);
    }

    /// Logs a request and gives it its number; the first one is 1.
    pub(crate) fn add(&mut self, function: &str, body: &[u8], kind: Kind, now: Timestamp) -> u64 {
        self.logged += 1;
        let entry = Entry {
            at_ms: now.micros().div_euclid(1000),
            n: self.logged,
            function: function.to_owned(),
            payload: payload_of(body),
            kind: kind.as_str(),
            applied: false,
            outcome: None,
        };
        append(self.file.as_mut(), &entry);
        self.payload_bytes += entry.payload.get().len();
        self.entries.push_back(entry);
        while self.entries.len() > SIM_REQUESTS_LOGGED_MAX
            || (self.payload_bytes > self.payload_bytes_max && self.entries.len() > 1)
        {
            let Some(oldest) = self.entries.pop_front() else {
                break;
            };
            self.payload_bytes -= oldest.payload.get().len();
            self.dropped += 1;
        }
        self.logged
    }

    /// Notes what became of request `n`.
    pub(crate) fn settle(
        &mut self,
        n: u64,
        applied: bool,
        outcome: Option<Outcome>,
        now: Timestamp,
    ) {
        let at_ms = now.micros().div_euclid(1000);
        append(
            self.file.as_mut(),
            &Sequel {
                at_ms,
                n,
                applied,
                outcome,
            },
        );
        // Numbers rise by one, so that an entry's place follows from the first one's number.
        let first = self.entries.front().map_or(0, |entry| entry.n);
        let place = n
            .checked_sub(first)
            .and_then(|place| usize::try_from(place).ok());
        if let Some(entry) = place.and_then(|place| self.entries.get_mut(place)) {
            assert_eq!(entry.n, n, "the entries are numbered without gaps");
            entry.applied = applied;
            entry.outcome = outcome;
        }
    }

    /// Forgets the requests in memory; numbers go on.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.payload_bytes = 0;
        self.dropped = 0;
    }

    /// One line of JSON per request.
    pub(crate) fn to_json_lines(&self) -> String {
        let mut lines = String::with_capacity(self.payload_bytes + 200 * self.entries.len());
        for entry in &self.entries {
            lines.push_str(&to_line(entry));
        }
        lines
    }

    /// How many requests made room for younger ones.
    pub(crate) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// The body as it stands, if it is JSON, on one line.
fn payload_of(body: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(body);
    // A line end can't stand inside a JSON string, so that it is white space.
    let line = text.trim().replace(['\n', '\r'], " ");
    RawValue::from_string(line).unwrap_or_else(|_| {
        serde_json::value::to_raw_value(&text).expect("a text can be written as JSON")
    })
}

fn to_line(value: &impl Serialize) -> String {
    let mut line = serde_json::to_string(value).expect("it has text keys and plain values only");
    line.push('\n');
    line
}

/// Writes one line in one call, so that it is there after a kill.
fn append(file: Option<&mut File>, value: &impl Serialize) {
    let Some(file) = file else { return };
    if let Err(error) = file.write_all(to_line(value).as_bytes()) {
        tracing::warn!(event = "simulator.log_write_failed", %error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(bodies: &[&[u8]]) -> Log {
        let mut log = Log::default();
        for body in bodies {
            log.add("ee-1-proxy", body, Kind::Ok, Timestamp::from_seconds(7));
        }
        log
    }

    #[test]
    fn a_payload_is_kept_character_by_character() {
        let cases: [(&[u8], &str); 4] = [
            (
                br#"{"b":1.10,"a":"\u00e9","b":2}"#,
                r#"{"b":1.10,"a":"\u00e9","b":2}"#,
            ),
            (b" {\r\n \"a\": 1\n}\n", r#"{   "a": 1 }"#),
            (b"not json", r#""not json""#),
            (b"\xff", "\"\u{FFFD}\""),
        ];
        for (body, want) in cases {
            let lines = log_of(&[body]).to_json_lines();
            assert_eq!(
                lines,
                format!(
                    "{{\"at_ms\":7000,\"n\":1,\"function\":\"ee-1-proxy\",\"payload\":{want},\
                     \"kind\":\"ok\",\"applied\":false,\"outcome\":null}}\n"
                )
            );
        }
    }

    #[test]
    fn what_became_of_a_request_stands_in_its_line() {
        let mut log = log_of(&[b"1", b"2", b"3"]);
        log.settle(2, true, Some(Outcome::Accepted), Timestamp::from_seconds(8));
        let lines = log.to_json_lines();
        let applied: Vec<bool> = lines.lines().map(|line| line.contains("true")).collect();
        assert_eq!(applied, [false, true, false]);
    }

    #[test]
    fn the_oldest_make_room_and_a_late_word_on_them_is_let_go() {
        let mut log = Log {
            payload_bytes_max: 10,
            ..Log::default()
        };
        for body in [b"11111", b"22222", b"33333"] {
            log.add("f", body, Kind::Ok, Timestamp::default());
        }
        assert_eq!((log.entries.len(), log.dropped()), (2, 1));
        log.settle(1, true, None, Timestamp::default());
        assert!(log.entries.iter().all(|entry| !entry.applied));
        log.clear();
        assert_eq!(log.add("f", b"4", Kind::Ok, Timestamp::default()), 4);
        log.settle(2, true, None, Timestamp::default());
        assert!(log.entries.iter().all(|entry| !entry.applied));
    }
}
