//! Whether this process's clock may be believed (D35).
//!
//! Every rule about time goes by the wall clock. Somebody may set it while we run (F48, F49), or it
//! may differ from the database's, by which other processes on other machines are checked (F50).
//! While it is in doubt nothing is sent, expired or taken for drained: an hour's jump would
//! otherwise end alerts that are live, or let a cancel overtake its alert.
//!
//! Pure: readings in, verdict out. What reads the clocks is the dispatcher's `clock_guard.rs`.

use std::time::Duration;

use crate::time::Timestamp;

/// How many good probes in a row end a doubt, where there is a database's clock to compare with.
const GOOD_PROBES: u32 = 2;
/// How long the two hands must have agreed to end a doubt where there is none (SQLite).
const AGREEMENT: Duration = Duration::from_secs(10);

/// What the clocks said at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock.
    pub wall: Timestamp,
    /// The clock that nobody sets.
    pub monotonic: Duration,
    /// The database's clock, where it was asked and answered.
    pub database: Option<DatabaseReading>,
}

/// What the database's clock said, against ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabaseReading {
    /// Microseconds by which the database is ahead; negative where it is behind.
    pub ahead_micros: i64,
    /// How wrong that may be: half of the time that the question took.
    pub uncertainty: Duration,
}

/// Why a clock is in doubt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It was never compared with the database's.
    Unproven,
    /// It moved against the monotonic clock, by this many microseconds.
    Jumped(i64),
    /// The database's clock is ahead of it by this many microseconds.
    DatabaseDiffers(i64),
}

/// What a reading changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The clock is in doubt from now on.
    Doubted(Doubt),
    /// The clock is believed again, or for the first time.
    Believed,
}

/// Judges the clock from reading to reading.
#[derive(Clone, Debug)]
pub struct ClockJudge {
    /// What two clocks may differ: half of `dispatch.clock_skew_seconds`.
    permitted: Duration,
    has_database_clock: bool,
    latest: Option<(Timestamp, Duration)>,
    doubt: Option<Doubting>,
}

#[derive(Clone, Copy, Debug)]
struct Doubting {
    why: Doubt,
    good_probes: u32,
    /// Since when the two hands agree.
    agreeing_since: Duration,
}

impl ClockJudge {
    /// A judge that has seen nothing: a clock is in doubt until its first good reading.
    /// `clock_skew` is what the configuration permits between our clock and a proxy's, of which
    /// half is permitted here.
    pub fn new(clock_skew: Duration, has_database_clock: bool) -> Self {
        Self {
            permitted: clock_skew / 2,
            has_database_clock,
            latest: None,
            doubt: Some(Doubting {
                why: Doubt::Unproven,
                good_probes: 0,
                agreeing_since: Duration::ZERO,
            }),
        }
    }

    /// Whether the clock may be believed.
    pub const fn is_trusted(&self) -> bool {
        self.doubt.is_none()
    }

    /// Why it may not.
    pub fn doubt(&self) -> Option<Doubt> {
        self.doubt.map(|doubting| doubting.why)
    }

    /// A look at the two hands between probes, directly before the clock is used: a jump is found
    /// before anything is decided by it.
    pub fn glance(&mut self, wall: Timestamp, monotonic: Duration) -> Option<Change> {
        let jumped = self.jump(wall, monotonic)?;
        self.latest = Some((wall, monotonic));
        self.begin_doubt(Doubt::Jumped(jumped), monotonic)
    }

    /// A probe: the two hands, and the database's clock where it answered.
    pub fn read(&mut self, reading: &Reading) -> Option<Change> {
        let jumped = self.jump(reading.wall, reading.monotonic);
        self.latest = Some((reading.wall, reading.monotonic));
        if let Some(micros) = jumped {
            return self.begin_doubt(Doubt::Jumped(micros), reading.monotonic);
        }
        let differs = reading.database.filter(|database| {
            let apart = Duration::from_micros(database.ahead_micros.unsigned_abs());
            apart.saturating_sub(database.uncertainty) > self.permitted
        });
        if let Some(database) = differs {
            let why = Doubt::DatabaseDiffers(database.ahead_micros);
            return self.begin_doubt(why, reading.monotonic);
        }
        self.agree(reading)
    }

    /// By how much the wall clock moved against the monotonic one, where that is too much.
    fn jump(&self, wall: Timestamp, monotonic: Duration) -> Option<i64> {
        let (wall_was, monotonic_was) = self.latest?;
        let passed = monotonic.saturating_sub(monotonic_was);
        let passed = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        let moved = wall.micros().saturating_sub(wall_was.micros());
        let micros = moved.saturating_sub(passed);
        (Duration::from_micros(micros.unsigned_abs()) > self.permitted).then_some(micros)
    }

    fn begin_doubt(&mut self, why: Doubt, monotonic: Duration) -> Option<Change> {
        let was = self.doubt();
        self.doubt = Some(Doubting {
            why,
            good_probes: 0,
            agreeing_since: monotonic,
        });
        let is_news = matches!(was, None | Some(Doubt::Unproven));
        is_news.then_some(Change::Doubted(why))
    }

    /// Nothing in this reading speaks against the clock.
    fn agree(&mut self, reading: &Reading) -> Option<Change> {
        let doubting = self.doubt.as_mut()?;
        if self.has_database_clock && reading.database.is_none() {
            return None; // The database did not answer: nothing was proven.
        }
        doubting.good_probes += 1;
        let is_over = match (doubting.why, self.has_database_clock) {
            (Doubt::Unproven, _) => true,
            (Doubt::Jumped(_) | Doubt::DatabaseDiffers(_), true) => {
                doubting.good_probes >= GOOD_PROBES
            }
            (Doubt::Jumped(_) | Doubt::DatabaseDiffers(_), false) => {
                reading.monotonic.saturating_sub(doubting.agreeing_since) >= AGREEMENT
            }
        };
        if !is_over {
            return None;
        }
        self.doubt = None;
        Some(Change::Believed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SKEW: Duration = Duration::from_secs(5);

    /// Milliseconds of the wall clock and of the monotonic one, and by how many the database is
    /// ahead.
    type Row = (i64, u64, Option<i64>, Option<Change>);

    fn reading(wall_ms: i64, monotonic_ms: u64, ahead_ms: Option<i64>) -> Reading {
        Reading {
            wall: Timestamp::from_micros(wall_ms * 1000),
            monotonic: Duration::from_millis(monotonic_ms),
            database: ahead_ms.map(|ms| DatabaseReading {
                ahead_micros: ms * 1000,
                uncertainty: Duration::from_millis(10),
            }),
        }
    }

    fn play(has_database_clock: bool, rows: &[Row]) {
        let mut judge = ClockJudge::new(SKEW, has_database_clock);
        assert_eq!(judge.doubt(), Some(Doubt::Unproven));
        for (index, (wall, monotonic, ahead, want)) in rows.iter().enumerate() {
            let change = judge.read(&reading(*wall, *monotonic, *ahead));
            assert_eq!(change, *want, "row {index}");
        }
    }

    const BELIEVED: Option<Change> = Some(Change::Believed);

    const fn jumped(ms: i64) -> Change {
        Change::Doubted(Doubt::Jumped(ms * 1000))
    }

    const fn differs(ms: i64) -> Change {
        Change::Doubted(Doubt::DatabaseDiffers(ms * 1000))
    }

    #[test]
    fn with_a_database_clock_two_good_probes_end_a_doubt() {
        let hour = 3_600_000;
        // An hour ahead: in doubt until somebody has set the clock right.
        play(
            true,
            &[
                (0, 0, Some(0), BELIEVED),
                (1_000, 1_000, Some(2_510), None),
                (hour + 2_000, 2_000, None, Some(jumped(hour))),
                (hour + 3_000, 3_000, Some(-hour), None),
                (4_000, 4_000, Some(0), None), // set back: a jump again
                (5_000, 5_000, Some(0), None),
                (6_000, 6_000, None, None), // no answer proves nothing
                (7_000, 7_000, Some(0), BELIEVED),
                (8_000, 8_000, Some(0), None),
            ],
        );
        // The database's clock is the wrong one: held all the same.
        play(
            true,
            &[
                (0, 0, None, None), // never compared
                (1_000, 1_000, Some(2_511), Some(differs(2_511))),
                (2_000, 2_000, Some(0), None),
                (3_000, 3_000, Some(-2_511), None), // bad again: from the start
                (4_000, 4_000, Some(0), None),
                (5_000, 5_000, Some(0), BELIEVED),
                (6_000, 6_000, Some(-2_511), Some(differs(-2_511))),
            ],
        );
    }

    #[test]
    fn without_one_ten_seconds_of_agreement_do() {
        play(
            false,
            &[
                (0, 0, None, BELIEVED),
                (1_000, 1_000, None, None),
                (4_500, 2_000, None, None), // 2.5 s is half of what is permitted
                (7_002, 2_001, None, Some(jumped(2_501))),
                (8_001, 3_000, None, None),
                (17_001, 12_000, None, None),
                (17_002, 12_001, None, BELIEVED),
                (13_002, 13_001, None, Some(jumped(-5_000))),
            ],
        );
    }

    #[test]
    fn a_glance_finds_a_jump_between_two_probes_and_believes_nothing() {
        let mut judge = ClockJudge::new(SKEW, true);
        let ms = |ms: i64| Timestamp::from_micros(ms * 1000);
        assert_eq!(judge.glance(ms(0), Duration::ZERO), None);
        assert!(!judge.is_trusted(), "a glance proves nothing");
        assert_eq!(judge.read(&reading(0, 0, Some(0))), BELIEVED);
        assert_eq!(judge.glance(ms(500), Duration::from_millis(500)), None);
        assert!(judge.is_trusted());
        assert_eq!(
            judge.glance(ms(4_000), Duration::from_millis(600)),
            Some(jumped(3_400))
        );
        assert!(!judge.is_trusted());
        assert_eq!(judge.glance(ms(4_100), Duration::from_millis(700)), None);
        assert_eq!(judge.read(&reading(4_400, 1_000, Some(0))), None);
        assert_eq!(judge.read(&reading(5_400, 2_000, Some(0))), BELIEVED);
    }

    #[test]
    fn no_reading_overflows() {
        let mut judge = ClockJudge::new(Duration::from_secs(60), false);
        for (wall, monotonic) in [
            (i64::MIN, Duration::ZERO),
            (i64::MAX, Duration::MAX),
            (i64::MIN, Duration::ZERO),
        ] {
            judge.read(&Reading {
                wall: Timestamp::from_micros(wall),
                monotonic,
                database: Some(DatabaseReading {
                    ahead_micros: i64::MIN,
                    uncertainty: Duration::MAX,
                }),
            });
        }
        assert!(!judge.is_trusted());
    }
}
