//! The data of the earlier service, and what becomes of it here.
//!
//! Everything here is a pure function from rows of its last schema, read as JSON objects (so that a
//! column which a generation has not is absent and nothing else), to rows of ours. Ids are kept.
//! What can't be brought is refused with a reason that names the column; nothing is guessed that
//! could put a text on the air or let somebody in.

pub mod alerts;
pub mod areas;
mod columns;
pub mod deliveries;
pub mod people;
pub mod record;
pub mod services;
pub mod templates;

use std::fmt;

use serde_json::{Map, Value};
use uuid::Uuid;

use crate::shown::shown;
use crate::time::Timestamp;

/// Characters of a value that a refusal shows.
const SHOWN_MAX: usize = 40;
/// Characters of a name of anything.
pub const NAME_CHARS_MAX: usize = 255;
/// Characters of a note.
pub const NOTES_CHARS_MAX: usize = 20_000;

/// Why a row is not brought, in words that name the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal(pub String);

impl Refusal {
    /// The refusal of a column.
    pub fn of(column: &str, what: &str) -> Self {
        Self(format!("{column} {what}"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A row of the earlier service.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row(pub Map<String, Value>);

impl Row {
    /// Reads a row from the JSON text that its database made of it.
    pub fn read(json: &str) -> Result<Self, Refusal> {
        serde_json::from_str(json)
            .map(Self)
            .map_err(|_| Refusal("the row is no JSON object".to_owned()))
    }

    /// A value that may be absent or null.
    pub fn value(&self, column: &str) -> Option<&Value> {
        self.0.get(column).filter(|value| !value.is_null())
    }

    /// Whether this generation has the column.
    pub fn has(&self, column: &str) -> bool {
        self.0.contains_key(column)
    }

    /// A text of at most `chars_max` characters without control characters other than line ends
    /// and tabs, where there is one.
    pub fn opt_text(&self, column: &str, chars_max: usize) -> Result<Option<String>, Refusal> {
        let Some(value) = self.value(column) else {
            return Ok(None);
        };
        let Some(text) = value.as_str() else {
            return Err(Refusal::of(column, "is no text"));
        };
        let chars = text.chars().count();
        if chars > chars_max {
            let what = format!("has {chars} characters; {chars_max} are the most");
            return Err(Refusal::of(column, &what));
        }
        if text.chars().any(|c| c == '\0') {
            return Err(Refusal::of(column, "has a zero character"));
        }
        Ok(Some(text.to_owned()))
    }

    /// A text that must be there, and not be empty.
    pub fn text(&self, column: &str, chars_max: usize) -> Result<String, Refusal> {
        let text = self.opt_text(column, chars_max)?;
        match text {
            None => Err(Refusal::of(column, "is absent")),
            Some(text) if text.trim().is_empty() => Err(Refusal::of(column, "is empty")),
            Some(text) => Ok(text),
        }
    }

    /// One of the words that `parse` knows.
    pub fn word<T>(&self, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
        let text = self.text(column, NAME_CHARS_MAX)?;
        parse(&text).ok_or_else(|| {
            let what = format!("is `{}`, which nobody knows", shown(&text, SHOWN_MAX));
            Refusal::of(column, &what)
        })
    }

    /// An id, where there is one: as 36 characters in lower case.
    pub fn opt_id(&self, column: &str) -> Result<Option<String>, Refusal> {
        let Some(text) = self.opt_text(column, NAME_CHARS_MAX)? else {
            return Ok(None);
        };
        match Uuid::parse_str(&text) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(_) => Err(Refusal::of(column, "is no id")),
        }
    }

    /// An id that must be there.
    pub fn id(&self, column: &str) -> Result<String, Refusal> {
        let id = self.opt_id(column)?;
        id.ok_or_else(|| Refusal::of(column, "is absent"))
    }

    /// An instant, where there is one. Times without a zone are UTC.
    pub fn opt_instant(&self, column: &str) -> Result<Option<Timestamp>, Refusal> {
        let Some(text) = self.opt_text(column, NAME_CHARS_MAX)? else {
            return Ok(None);
        };
        let instant = Timestamp::parse_iso8601(&text);
        let what = "is no date between the years 1 and 9999";
        instant.map(Some).ok_or_else(|| Refusal::of(column, what))
    }

    /// An instant that must be there.
    pub fn instant(&self, column: &str) -> Result<Timestamp, Refusal> {
        let instant = self.opt_instant(column)?;
        instant.ok_or_else(|| Refusal::of(column, "is absent"))
    }

    /// A yes or no; absent is no.
    pub fn flag(&self, column: &str) -> Result<bool, Refusal> {
        match self.value(column) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Refusal::of(column, "is neither true nor false")),
        }
    }

    /// A whole number from 0, where there is one.
    pub fn opt_count(&self, column: &str) -> Result<Option<u32>, Refusal> {
        let Some(value) = self.value(column) else {
            return Ok(None);
        };
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let what = "is no whole number from 0 to 4294967295";
        count.map(Some).ok_or_else(|| Refusal::of(column, what))
    }

    /// A length of time in microseconds, where there is one, as PostgreSQL writes it.
    pub fn opt_duration_us(&self, column: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.opt_text(column, NAME_CHARS_MAX)? else {
            return Ok(None);
        };
        let what = "is no length of time in days, hours, minutes and seconds";
        duration_us(&text)
            .map(Some)
            .ok_or_else(|| Refusal::of(column, what))
    }

    /// The texts of a list; absent is empty.
    pub fn texts(&self, column: &str) -> Result<Vec<String>, Refusal> {
        let what = "is no list of texts";
        let Some(value) = self.value(column) else {
            return Ok(Vec::new());
        };
        let list = value.as_array().ok_or_else(|| Refusal::of(column, what))?;
        let texts = list.iter().map(|one| one.as_str().map(str::to_owned));
        let texts: Option<Vec<String>> = texts.collect();
        texts.ok_or_else(|| Refusal::of(column, what))
    }
}

/// Reads `[N day[s] ][HH:MM:SS[.ffffff]]`; an interval has no months here.
fn duration_us(text: &str) -> Option<i64> {
    let mut us: i64 = 0;
    let mut words = text.split_ascii_whitespace().peekable();
    words.peek()?;
    while let Some(word) = words.next() {
        let part = if word.contains(':') {
            clock_us(word)?
        } else {
            let days: i64 = word
                .parse()
                .ok()
                .filter(|days| (0..=36_600).contains(days))?;
            matches!(words.next(), Some("day" | "days")).then_some(days * 86_400_000_000)?
        };
        us = us.checked_add(part)?;
    }
    Some(us)
}

fn clock_us(word: &str) -> Option<i64> {
    let mut parts = word.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let is_number = |text: &str| text.len() <= 6 && text.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let is_sound =
        parts.next().is_none() && [hours, minutes, whole, fraction].map(is_number) == [true; 4];
    let number = |text: &str| text.parse::<i64>().ok();
    let us = number(&format!("{fraction:0<6}"))?;
    let seconds = number(hours)? * 3600 + number(minutes)? * 60 + number(whole)?;
    is_sound.then_some(seconds * 1_000_000 + us)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(json: &str) -> Row {
        Row::read(json).expect("an object")
    }

    #[test]
    fn what_a_column_may_not_hold_is_refused_by_its_name() {
        let row = row(
            r#"{"n": null, "t": "abcd", "z": "a\u0000b", "i": 7, "e": " ", "b": true,
            "d": "2021-02-30T00:00:00", "u": "not-an-id", "l": ["a", 1], "m": -1}"#,
        );
        let told: [(&str, Option<Refusal>); 11] = [
            ("n is absent", row.text("n", 9).err()),
            ("x is absent", row.id("x").err()),
            ("t has 4 characters; 3 are the most", row.text("t", 3).err()),
            ("z has a zero character", row.opt_text("z", 9).err()),
            ("i is no text", row.opt_text("i", 9).err()),
            ("e is empty", row.text("e", 9).err()),
            ("i is neither true nor false", row.flag("i").err()),
            (
                "d is no date between the years 1 and 9999",
                row.instant("d").err(),
            ),
            ("u is no id", row.id("u").err()),
            ("l is no list of texts", row.texts("l").err()),
            (
                "m is no whole number from 0 to 4294967295",
                row.opt_count("m").err(),
            ),
        ];
        for (want, refusal) in told {
            assert_eq!(refusal.expect(want).to_string(), want);
        }
        let unknown = row.word("t", |_| None::<()>).expect_err("unknown");
        assert_eq!(unknown.to_string(), "t is `abcd`, which nobody knows");
        assert!(Row::read("[]").is_err() && Row::read("{").is_err());
    }

    #[test]
    fn times_without_a_zone_are_utc() {
        let row = row(r#"{"a": "2021-08-25T09:30:00.000001", "b": "2021-08-25T09:30:00"}"#);
        let at = row.instant("a").expect("an instant");
        assert_eq!(at.to_json_style(), "2021-08-25T09:30:00.000001Z");
        assert_eq!(
            row.instant("b").expect("one").to_cap(),
            "2021-08-25T09:30:00-00:00"
        );
    }

    #[test]
    fn an_interval_is_read_as_postgresql_writes_it() {
        for (text, want) in [
            ("04:00:00", Some(14_400_000_000)),
            ("1 day 02:30:00.5", Some(95_400_500_000)),
            ("2 days", Some(172_800_000_000)),
            ("22:30:00", Some(81_000_000_000)),
            ("1 mon", None),
            ("-1 days", None),
            ("4 hours", None),
            ("04:00", None),
            ("", None),
            ("99999999:00:00", None),
        ] {
            assert_eq!(duration_us(text), want, "{text}");
        }
    }
}
