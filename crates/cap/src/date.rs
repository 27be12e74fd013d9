//! Dates of CAP documents: `YYYY-MM-DDThh:mm:ss±hh:mm` (CAP 1.2 §3.3.2).
//!
//! The schema's type is `xs:dateTime` with a pattern. Together they admit white space around the
//! date and the hour `24:00:00`, which the standard's text does not; the rules step looks at
//! those again. The pattern's comma as a sign is refused by the base type, so also here.

use balefire_domain::time::Timestamp;
use serde::Serialize;

/// A date of a document: as it is written, and the instant it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateTime {
    /// As it is written, without the white space around it.
    pub written: String,
    /// The instant; the zone is converted.
    pub at: Timestamp,
}

impl Serialize for DateTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.written)
    }
}

/// Why a text is no date of CAP 1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateFault {
    /// Not the form `YYYY-MM-DDThh:mm:ss±hh:mm`.
    Form,
    /// A letter for the zone.
    Letter,
    /// No zone.
    NoZone,
    /// A fraction of a second.
    Fraction,
    /// A comma where the sign of the zone should be.
    Comma,
    /// A day that no calendar has.
    Day,
    /// A time that no clock shows.
    Time,
    /// A zone more than 14 hours from UTC, or with more than 59 minutes.
    Zone,
}

impl DateFault {
    /// What is wrong and what to write instead.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Form => "is no date of the form 2026-11-23T04:09:03-00:00",
            Self::Letter => "names its zone by a letter; write UTC as -00:00",
            Self::NoZone => "has no zone; end it with -00:00 for UTC, or another offset",
            Self::Fraction => "has a fraction of a second; CAP dates have whole seconds",
            Self::Comma => "has a comma where the sign of its zone should be",
            Self::Day => "names a day that is not in the calendar",
            Self::Time => "names a time of day that does not exist",
            Self::Zone => "has a zone that does not exist; at most 14:00 from UTC",
        }
    }
}

/// The white space that XML knows.
pub(crate) const XML_SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

impl DateTime {
    /// An instant in whole seconds, written as UTC the way that CAP wants it: `-00:00`.
    pub fn utc(at: Timestamp) -> Self {
        Self {
            written: at.to_cap(),
            at: Timestamp::from_seconds(at.seconds()),
        }
    }

    /// Reads a date as the schema does: white space around it and the hour `24:00:00` pass.
    pub fn parse(text: &str) -> Result<Self, DateFault> {
        let text = text.trim_matches(XML_SPACE);
        let fields = split(text)?;
        let [
            year,
            month,
            day,
            hour,
            minute,
            second,
            zone_hour,
            zone_minute,
        ] = fields;
        if year == 0 || !(1..=12).contains(&month) || !(1..=days_in(year, month)).contains(&day) {
            return Err(DateFault::Day);
        }
        let is_midnight_at_the_end = hour == 24 && minute == 0 && second == 0;
        if (hour > 23 && !is_midnight_at_the_end) || minute > 59 || second > 59 {
            return Err(DateFault::Time);
        }
        let offset = zone_hour * 60 + zone_minute;
        if zone_minute > 59 || offset > 14 * 60 {
            return Err(DateFault::Zone);
        }
        let offset = if text.as_bytes()[19] == b'-' {
            -offset
        } else {
            offset
        };
        let local =
            days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        Ok(Self {
            written: text.to_owned(),
            at: Timestamp::from_seconds(local - offset * 60),
        })
    }

    /// Whether it is written with the hour 24, which is the next day's midnight.
    pub fn has_hour_24(&self) -> bool {
        self.written.get(11..13) == Some("24")
    }

    /// Whether it writes UTC as `+00:00`, which CAP 1.2 §3.3.2 wants as `-00:00`.
    pub fn has_plus_zero(&self) -> bool {
        self.written.ends_with("+00:00")
    }
}

/// The eight numbers of a date, or what is wrong with its form.
fn split(text: &str) -> Result<[i64; 8], DateFault> {
    const FORM: &[u8; 19] = b"0000-00-00T00:00:00";
    let bytes = text.as_bytes();
    let fits = |form: &[u8], from: usize| {
        form.iter().zip(&bytes[from..]).all(|(f, b)| match f {
            b'0' => b.is_ascii_digit(),
            _ => f == b,
        })
    };
    if !text.is_ascii() || bytes.len() < FORM.len() || !fits(FORM, 0) {
        return Err(DateFault::Form);
    }
    match (bytes.get(19), bytes.len()) {
        (Some(b'+' | b'-'), 25) if fits(b"00:00", 20) => {}
        (None, _) => return Err(DateFault::NoZone),
        (Some(b','), _) => return Err(DateFault::Comma),
        (Some(b'.'), _) => return Err(DateFault::Fraction),
        (Some(b'A'..=b'Z' | b'a'..=b'z'), 20) => return Err(DateFault::Letter),
        _ => return Err(DateFault::Form),
    }
    let number = |from: usize, to: usize| {
        bytes[from..to]
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
    };
    Ok([
        (0, 4),
        (5, 7),
        (8, 10),
        (11, 13),
        (14, 16),
        (17, 19),
        (20, 22),
        (23, 25),
    ]
    .map(|(from, to)| number(from, to)))
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a day of the Gregorian calendar, year 1 and later. The year is counted
/// from March, so that the leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // 719,468 days lie between 1 March of the year 0 and 1 January 1970.
    year * 365 + leap_days + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_checked_against_the_calendar() {
        use DateFault::{Comma, Day, Form, Fraction, Letter, NoZone, Time, Zone};
        // One row per rule: text, fault or none.
        let cases = [
            ("2026-11-23T04:09:03-00:00", None),
            ("2026-11-23T04:09:03+00:00", None),
            (" 2026-11-23T04:09:03-00:00\n", None),
            ("2026-11-23T24:00:00-00:00", None),
            ("2000-02-29T00:00:00-00:00", None),
            ("2026-11-23T04:09:03+14:00", None),
            ("2026-11-23T04:09:03Z", Some(Letter)),
            ("2026-11-23T04:09:03z", Some(Letter)),
            ("2026-11-23T04:09:03", Some(NoZone)),
            ("2026-11-23T04:09:03,00:00", Some(Comma)),
            ("2026-11-23T04:09:03.5-00:00", Some(Fraction)),
            ("2026-13-23T04:09:03-00:00", Some(Day)),
            ("2026-00-23T04:09:03-00:00", Some(Day)),
            ("2026-02-30T04:09:03-00:00", Some(Day)),
            ("1900-02-29T04:09:03-00:00", Some(Day)),
            ("2026-11-31T04:09:03-00:00", Some(Day)),
            ("2026-11-00T04:09:03-00:00", Some(Day)),
            ("0000-11-23T04:09:03-00:00", Some(Day)),
            ("2026-11-23T24:00:01-00:00", Some(Time)),
            ("2026-11-23T29:00:00-00:00", Some(Time)),
            ("2026-11-23T04:60:03-00:00", Some(Time)),
            ("2026-11-23T04:09:60-00:00", Some(Time)),
            ("2026-11-23T04:09:03-14:01", Some(Zone)),
            ("2026-11-23T04:09:03-99:99", Some(Zone)),
            ("2026-11-23T04:09:03+00:60", Some(Zone)),
            ("2026-11-23 04:09:03-00:00", Some(Form)),
            ("26-11-23T04:09:03-00:00", Some(Form)),
            ("2026-11-23T04:09:03-0000", Some(Form)),
            ("2026-11-23T04:09:03-00:00x", Some(Form)),
            ("2026-11-23T04:09:03\u{2212}00:00", Some(Form)),
            ("tomorrow", Some(Form)),
            ("", Some(Form)),
        ];
        for (text, want) in cases {
            assert_eq!(DateTime::parse(text).err(), want, "{text}");
        }
    }

    #[test]
    fn the_instant_is_right_in_every_zone_and_century() {
        let cases = [
            ("1970-01-01T00:00:00-00:00", 0),
            ("2026-11-23T04:09:03-00:00", 1_795_406_943),
            ("2026-11-23T05:09:03+01:00", 1_795_406_943),
            ("2026-11-22T23:09:03-05:00", 1_795_406_943),
            ("2026-11-22T24:00:00-00:00", 1_795_392_000),
            ("2000-02-29T00:00:00-00:00", 951_782_400),
            ("0001-01-01T00:00:00-00:00", -62_135_596_800),
            ("9999-12-31T23:59:59-00:00", 253_402_300_799),
        ];
        for (text, want) in cases {
            let date = DateTime::parse(text).expect("the table holds dates");
            assert_eq!(date.at.seconds(), want, "{text}");
        }
    }
}
