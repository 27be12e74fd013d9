//! Which history of the database this is, and what it means when it becomes another.
//!
//! A failover to a standby that lagged, or a restore, may have forgotten attempts whose bytes left:
//! an alert may be on the air of which the database knows nothing (variants Q and R of the model).
//! So a new history begins with a quarantine as long as an attempt can live, its lanes are tainted,
//! and a restored copy waits until a person says that it may go on.
//!
//! What this does not mend: an approval that the database forgot is forgotten. Only a synchronous
//! standby keeps it; `history verify` with the providers' logs shows it.

use std::time::Duration;

use crate::lane::Figures;
use crate::provider::Profile;
use crate::time::Timestamp;

/// What became of the database since we last knew it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Same,
    /// It is used for the first time.
    First,
    /// The same database goes on with another timeline: a standby was promoted, or the past was
    /// recovered.
    FailedOver,
    /// The rows stand in another database, or are older than what was told of them: a copy.
    Restored,
}

/// Compares PostgreSQL's epoch as last stored, `<system id>.<database's oid>/<timeline>`, with the
/// one we work on. A dump that is restored, also on the same server, makes a database with another
/// oid.
pub fn judge(stored: Option<&str>, here: &str) -> Change {
    let database = |epoch: &str| epoch.split('/').next().map(str::to_owned);
    match stored {
        None => Change::First,
        Some(stored) if stored == here => Change::Same,
        Some(stored) if database(stored) == database(here) => Change::FailedOver,
        Some(_) => Change::Restored,
    }
}

/// Compares SQLite's file with the mark beside it: `mark` was written after the database held
/// `seen`, the latest sign of life of any process. A database that is older than its mark, or that
/// was used and has lost its mark, is a copy. One in which no history was entered yet
/// (`is_entered`) comes from a version that kept no mark.
pub fn judge_marked(is_entered: bool, mark: Option<Timestamp>, seen: Option<Timestamp>) -> Change {
    match (mark, seen) {
        _ if !is_entered => Change::First,
        (None, Some(_)) => Change::Restored,
        (Some(mark), Some(seen)) if seen < mark => Change::Restored,
        (_, None) | (Some(_), Some(_)) => Change::Same,
    }
}

/// How long after a failover an attempt that was forgotten may still be applied: a whole attempt
/// and the longest drain of any provider (D25).
pub fn quarantine(figures: &Figures, profiles: &[Profile]) -> Duration {
    let upstream = profiles
        .iter()
        .map(|profile| profile.upstream_timeout)
        .max()
        .unwrap_or_default();
    figures.attempt_deadline + figures.clock_skew + upstream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_timeline_is_a_failover_and_another_database_a_copy() {
        for (stored, want) in [
            (None, Change::First),
            (Some("7.5/00000001"), Change::Same),
            (Some("7.5/00000002"), Change::FailedOver),
            (Some("8.5/00000001"), Change::Restored),
            (Some("7.6/00000001"), Change::Restored),
        ] {
            assert_eq!(judge(stored, "7.5/00000001"), want, "{stored:?}");
        }
    }

    #[test]
    fn a_file_that_is_older_than_its_mark_is_a_copy() {
        let at = |second| Some(Timestamp::from_seconds(second));
        for (is_entered, mark, seen, want) in [
            (false, None, None, Change::First),
            (false, at(9), None, Change::First),
            (false, None, at(9), Change::First), // of a version without marks
            (true, None, None, Change::Same),    // ended before it was marked
            (true, None, at(9), Change::Restored),
            (true, at(9), at(8), Change::Restored),
            (true, at(9), at(9), Change::Same),
            (true, at(9), at(20), Change::Same),
        ] {
            let case = format!("{is_entered} {mark:?} {seen:?}");
            assert_eq!(judge_marked(is_entered, mark, seen), want, "{case}");
        }
    }
}
