//! Questions to a route that carry no alert: link tests, heartbeats and the canary (D17, D20).
//!
//! A link test goes to every route by itself and reaches a CBC, so it is rare, skipped where
//! traffic says the same, and never before an alert. A heartbeat asks a proxy of ours whether it is
//! there, and a canary whether functions can be called at all; both reach no CBC. What decides when
//! one is due and what its answer says stands here; the dispatcher asks the questions.

use std::time::Duration;

use crate::outcome::Outcome;
use crate::time::Timestamp;

/// How far a period may deviate, in thousandths of it: tests of all routes at one instant would be
/// a storm (D17).
const JITTER_PERMILLE: i128 = 200;
/// How often our own proxies are asked whether they are there (D17).
pub const HEARTBEAT_PERIOD: Duration = Duration::from_secs(15);
/// How often the canary is sent (D20).
pub const CANARY_PERIOD: Duration = Duration::from_secs(300);

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeKind {
    /// Of a route, through its proxy, by its CBC.
    LinkTest,
    /// Of a proxy of ours, by itself.
    Heartbeat,
    /// Of the function that is named for it.
    Canary,
}

impl ProbeKind {
    /// All kinds, for tables.
    pub const ALL: [Self; 3] = [Self::LinkTest, Self::Heartbeat, Self::Canary];

    /// The word in tables and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LinkTest => "link_test",
            Self::Heartbeat => "heartbeat",
            Self::Canary => "canary",
        }
    }

    /// The kind that [`ProbeKind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// When the next question is due after one at `now`: a period later, ±20 %. `jitter_permille` is
/// -1000..=1000 thousandths of the greatest deviation.
pub fn next_due(now: Timestamp, period: Duration, jitter_permille: i32) -> Timestamp {
    let period_us = i128::try_from(period.as_micros()).unwrap_or(i128::MAX / 1_000_000);
    let jitter = i128::from(jitter_permille.clamp(-1000, 1000));
    let wait_us = period_us + period_us * JITTER_PERMILLE * jitter / 1_000_000;
    now + Duration::from_micros(u64::try_from(wait_us).unwrap_or(u64::MAX))
}

/// When a question is due that was never asked. A link test waits for a whole period: who has just
/// installed this, or changed a route, has other things to see first than a storm at every CBC.
pub fn first_due(
    kind: ProbeKind,
    now: Timestamp,
    period: Duration,
    jitter_permille: i32,
) -> Timestamp {
    match kind {
        ProbeKind::LinkTest => next_due(now, period, jitter_permille),
        ProbeKind::Heartbeat | ProbeKind::Canary => now,
    }
}

/// The latest instant at which a question with this period may be due: what is due later was
/// planned by a longer period, or by a clock that was wrong.
pub fn latest_due(now: Timestamp, period: Duration) -> Timestamp {
    next_due(now, period, 1000)
}

/// What is known of a route whose link test is due.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Lanes of its provider are due, or wait for a place.
    pub has_due_lanes: bool,
    /// When the route last brought an alert or a cancel through.
    pub carried_at: Option<Timestamp>,
}

/// What becomes of a link test that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTest {
    /// It is made; the next is due then.
    Make {
        /// The next.
        next_at: Timestamp,
    },
    /// Traffic has said what it would say; the next is due then.
    Skip {
        /// The next.
        next_at: Timestamp,
    },
    /// It waits: an alert goes first.
    Wait,
}

/// Judges a link test that is due at `now`. Only traffic that got through replaces a test: where
/// sends fail, a test may be the first to find that the route is back (F23).
pub fn judge_due(
    standing: Standing,
    now: Timestamp,
    period: Duration,
    jitter_permille: i32,
) -> DueTest {
    if standing.has_due_lanes {
        return DueTest::Wait;
    }
    match standing.carried_at {
        Some(at) if now.since(at) < period => DueTest::Skip {
            next_at: next_due(at.min(now), period, jitter_permille).max(now),
        },
        Some(_) | None => DueTest::Make {
            next_at: next_due(now, period, jitter_permille),
        },
    }
}

/// Whether the answer to a question says that the way is open.
pub const fn is_answered_well(outcome: Outcome) -> bool {
    match outcome {
        Outcome::Accepted | Outcome::Duplicate => true,
        // A test names nothing that could be unknown: who says so answers something else.
        Outcome::UnknownReference | Outcome::Refused | Outcome::Unknown => false,
    }
}

/// How far a proxy's clock is from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// Microseconds by which the proxy is ahead; negative where it is behind.
    pub micros: i64,
    /// How wrong that may be: half of the time that question and answer took.
    pub uncertainty: Duration,
}

/// Measures a proxy's clock: it was read somewhere between the question and the answer, and the
/// middle is the best guess.
pub fn measure_skew(asked_at: Timestamp, answered_at: Timestamp, proxy_clock: Timestamp) -> Skew {
    let uncertainty = answered_at.since(asked_at) / 2;
    let middle = asked_at + uncertainty;
    Skew {
        micros: proxy_clock.micros().saturating_sub(middle.micros()),
        uncertainty,
    }
}

/// What a difference between two clocks means (D25, D35).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkewVerdict {
    /// Within half of what is permitted.
    Fine,
    /// Surely above half of it: a warning.
    Large,
    /// Surely above all of it: the drain does not hold any more, and a person must mend it.
    TooLarge,
}

/// Judges a difference against `permitted` (`dispatch.clock_skew_seconds`).
pub fn judge_skew(skew: Skew, permitted: Duration) -> SkewVerdict {
    let at_least =
        Duration::from_micros(skew.micros.unsigned_abs()).saturating_sub(skew.uncertainty);
    if at_least > permitted {
        SkewVerdict::TooLarge
    } else if at_least > permitted / 2 {
        SkewVerdict::Large
    } else {
        SkewVerdict::Fine
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(10_000);
    const PERIOD: Duration = Duration::from_secs(180);

    const fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn a_period_deviates_by_a_fifth_at_most() {
        for (jitter, want) in [
            (-1000, 144),
            (-500, 162),
            (0, 180),
            (1000, 216),
            (i32::MAX, 216),
            (i32::MIN, 144),
        ] {
            assert_eq!(next_due(NOW, PERIOD, jitter), at(10_000 + want), "{jitter}");
        }
        assert_eq!(latest_due(NOW, PERIOD), at(10_216));
        for (kind, want) in [
            (ProbeKind::LinkTest, at(10_180)),
            (ProbeKind::Heartbeat, NOW),
            (ProbeKind::Canary, NOW),
        ] {
            assert_eq!(first_due(kind, NOW, PERIOD, 0), want, "{kind:?}");
        }
        assert!(
            next_due(NOW, Duration::MAX, 1000) > NOW,
            "nothing overflows"
        );
    }

    #[test]
    fn a_test_waits_for_alerts_and_is_skipped_where_traffic_got_through() {
        let make = DueTest::Make {
            next_at: at(10_180),
        };
        let skip = |next| DueTest::Skip { next_at: at(next) };
        // lanes are due, the last good send, what becomes of the test
        let cases = [
            (false, None, make),
            (true, None, DueTest::Wait),
            (true, Some(9_999), DueTest::Wait),
            (false, Some(9_999), skip(10_179)),
            (false, Some(9_821), skip(10_001)),
            (false, Some(9_820), make),
            (false, Some(0), make),
            // The clock was set back meanwhile.
            (false, Some(20_000), skip(10_180)),
        ];
        for (has_due_lanes, carried, want) in cases {
            let standing = Standing {
                has_due_lanes,
                carried_at: carried.map(at),
            };
            let judged = judge_due(standing, NOW, PERIOD, 0);
            assert_eq!(judged, want, "{has_due_lanes} {carried:?}");
        }
    }

    #[test]
    fn only_an_acceptance_says_that_the_way_is_open() {
        for (outcome, want) in [
            (Outcome::Accepted, true),
            (Outcome::Duplicate, true),
            (Outcome::Refused, false),
            (Outcome::Unknown, false),
            (Outcome::UnknownReference, false),
        ] {
            assert_eq!(is_answered_well(outcome), want, "{outcome:?}");
        }
    }

    #[test]
    fn a_clock_is_compared_with_the_middle_of_question_and_answer() {
        // asked, answered, what the proxy's clock said, the difference, how wrong it may be (ms)
        let cases = [
            (0, 0, 0, 0, 0),
            (0, 100, 50, 0, 50),
            (0, 100, 1_050, 1_000, 50),
            (0, 100, -950, -1_000, 50),
            (100, 0, 0, -100, 0), // our own clock went back meanwhile
        ];
        let ms = |ms: i64| Timestamp::from_micros(ms * 1000);
        for (asked, answered, proxy, want, uncertainty) in cases {
            let skew = measure_skew(ms(asked), ms(answered), ms(proxy));
            assert_eq!(skew.micros, want * 1000, "{asked} {answered} {proxy}");
            assert_eq!(skew.uncertainty, Duration::from_millis(uncertainty));
        }
    }

    #[test]
    fn a_difference_counts_when_it_is_sure() {
        let permitted = Duration::from_secs(5);
        // the difference, how wrong it may be (ms), what it means
        let cases = [
            (0, 0, SkewVerdict::Fine),
            (2_500, 0, SkewVerdict::Fine),
            (2_501, 0, SkewVerdict::Large),
            (-2_501, 0, SkewVerdict::Large),
            (2_501, 1, SkewVerdict::Fine),
            (5_000, 0, SkewVerdict::Large),
            (5_001, 0, SkewVerdict::TooLarge),
            (-5_001, 0, SkewVerdict::TooLarge),
            (5_001, 10_000, SkewVerdict::Fine),
            (i64::MIN / 1000, 0, SkewVerdict::TooLarge),
        ];
        for (ms, uncertainty_ms, want) in cases {
            let skew = Skew {
                micros: ms * 1000,
                uncertainty: Duration::from_millis(uncertainty_ms),
            };
            assert_eq!(judge_skew(skew, permitted), want, "{ms} ± {uncertainty_ms}");
        }
    }

    #[test]
    fn every_kind_is_read_back() {
        for kind in ProbeKind::ALL {
            assert_eq!(ProbeKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ProbeKind::parse("ping"), None);
    }
}
