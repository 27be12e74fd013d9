//! Instants and their spellings.
//!
//! An instant is whole microseconds since 1970-01-01T00:00:00Z, which is what the databases store
//! (`BIGINT`) and what the JSON of the existing API shows. Time zones exist only at the edges: CAP
//! documents and JSON requests are converted to an instant when they are read (D10).

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// By so much a time service may set a clock back between two looks at it.
const SET_BACK_MAX: Duration = Duration::from_secs(1);

/// Where the time comes from. Production has one real clock; tests and the simulator set theirs.
pub trait Clock: Send + Sync {
    /// The wall clock's instant.
    fn now(&self) -> Timestamp;

    /// How much time passed since some fixed instant, by a clock that nobody sets: what the wall
    /// clock is checked against (D35). A clock that has only one hand is never found wrong.
    fn monotonic(&self) -> Duration {
        self.now().since(Timestamp::from_micros(0))
    }

    /// Whether the wall clock may be believed just now (D35). What it says is then no ground for
    /// sending, expiring or taking anything for drained.
    fn is_trusted(&self) -> bool {
        true
    }

    /// Whether `read_at`, an instant that this clock gave a moment ago, lies in its future: it was
    /// wrong then and has been set back since. What was begun by it must be begun again; that the
    /// clock is trusted by now proves nothing about then.
    fn was_ahead_at(&self, read_at: Timestamp) -> bool {
        read_at > self.now() + SET_BACK_MAX
    }
}

/// An instant in whole microseconds since the Unix epoch, UTC.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant `seconds` seconds after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Reads ISO 8601 as JSON clients write it: `2020-06-01 20:00:01`, `…T…`, with a fraction,
    /// with `Z`, with an offset, or with neither (then UTC). Offsets are converted (D10).
    /// `None` when it is no such date.
    pub fn parse_iso8601(text: &str) -> Option<Self> {
        if text.len() > 40 || !text.is_ascii() {
            return None;
        }
        let instant: Self = if let Ok(instant) = text.parse::<jiff::Timestamp>() {
            instant.into()
        } else {
            let civil: jiff::civil::DateTime = text.parse().ok()?;
            civil
                .to_zoned(jiff::tz::TimeZone::UTC)
                .ok()?
                .timestamp()
                .into()
        };
        let has_plain_year = (1..=9999).contains(&instant.civil().year());
        (has_plain_year && has_real_offset(text)).then_some(instant)
    }

    /// `2026-11-23T04:09:03.099744Z`: the dates of the existing JSON API (R10).
    pub fn to_json_style(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second(),
            self.0.rem_euclid(1_000_000)
        )
    }

    /// `2026-11-23T04:09:03-00:00`: CAP 1.2 §3.3.2, UTC, whole seconds.
    pub fn to_cap(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}-00:00",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second()
        )
    }

    /// `2026-11-23T04:09:03.123Z`: the `not_after` of our own proxy protocol (D27). Rounded down,
    /// so that a proxy never accepts later than the database says.
    pub fn to_millis_style(self) -> String {
        let c = self.civil();
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
            c.year(),
            c.month(),
            c.day(),
            c.hour(),
            c.minute(),
            c.second(),
            self.0.rem_euclid(1_000_000) / 1000
        )
    }

    /// `Mon, 23 Nov 2026 04:09:03 GMT`: the dates of provider statuses (RFC 9110 §5.6.7).
    pub fn to_http_date(self) -> String {
        const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let c = self.civil();
        let day = DAYS[c.weekday().to_monday_zero_offset().unsigned_abs() as usize % 7];
        let month = MONTHS[(c.month().unsigned_abs() as usize - 1) % 12];
        format!(
            "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
            c.day(),
            c.year(),
            c.hour(),
            c.minute(),
            c.second()
        )
    }

    fn civil(self) -> jiff::civil::DateTime {
        // Instants outside jiff's years -9999..9999 can't be built by our parsers; the nearest
        // representable one keeps formatting total.
        let clamped = self.0.clamp(
            jiff::Timestamp::MIN.as_microsecond(),
            jiff::Timestamp::MAX.as_microsecond(),
        );
        jiff::Timestamp::from_microsecond(clamped)
            .unwrap_or_default()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .datetime()
    }
}

/// No offset of an ISO 8601 date is further than 14 hours from UTC.
fn has_real_offset(text: &str) -> bool {
    let time = text
        .split_once(['T', 't', ' '])
        .map_or("", |(_, time)| time);
    let Some((_, offset)) = time.split_once(['+', '-']) else {
        return true;
    };
    let hours = offset.get(..2).and_then(|hours| hours.parse::<u8>().ok());
    hours.is_some_and(|hours| hours <= 14)
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        Self(instant.as_microsecond())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json_style())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still(i64);

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::from_seconds(self.0)
        }
    }

    #[test]
    fn an_instant_in_the_clocks_future_was_read_when_it_was_wrong() {
        // now, read a moment ago, the clock was ahead then
        let rows = [
            (100, 100, false),
            (100, 40, false),  // a process that stood still
            (100, 101, false), // set back a little
            (100, 102, true),
            (100, 3700, true),
        ];
        for (now, read_at, want) in rows {
            let was_ahead = Still(now).was_ahead_at(Timestamp::from_seconds(read_at));
            assert_eq!(was_ahead, want, "{now} {read_at}");
        }
    }

    #[test]
    fn one_instant_in_every_spelling() {
        let at = Timestamp::from_micros(1_795_406_943_099_744);
        assert_eq!(at.to_json_style(), "2026-11-23T04:09:03.099744Z");
        assert_eq!(at.to_cap(), "2026-11-23T04:09:03-00:00");
        assert_eq!(at.to_millis_style(), "2026-11-23T04:09:03.099Z");
        assert_eq!(at.to_http_date(), "Mon, 23 Nov 2026 04:09:03 GMT");
    }

    #[test]
    fn json_dates_are_read_in_all_the_forms_clients_send_and_offsets_are_converted() {
        let want = Some(Timestamp::from_seconds(1_591_041_601));
        for text in [
            "2020-06-01 20:00:01",
            "2020-06-01T20:00:01",
            "2020-06-01T20:00:01Z",
            "2020-06-01T20:00:01+00:00",
            "2020-06-01T21:00:01+01:00",
            "2020-06-01T20:00:01.000000Z",
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), want, "{text}");
        }
        for text in [
            "-000001-01-01T00:00:00Z",
            "2020-06-01T20:00:01+25:00",
            "2020-06-01T20:00:01-15:00",
            "",
            "tomorrow",
            "2020-13-01T00:00:00",
            "2020-02-30T00:00:00",
            "12",
            "²",
        ] {
            assert_eq!(Timestamp::parse_iso8601(text), None, "{text}");
        }
    }

    #[test]
    fn instants_at_the_edges_still_print() {
        for at in [
            Timestamp::from_micros(i64::MIN),
            Timestamp::from_micros(i64::MAX),
        ] {
            assert!(!at.to_json_style().is_empty());
            assert!(!at.to_http_date().is_empty());
        }
    }
}
