//! When a certificate's end is told.

use balefire_domain::time::Timestamp;

/// Days ahead at which a certificate's end is told, the first step first.
const STEPS: [u32; 3] = [30, 7, 1];
/// The earliest step.
pub const WARNING_DAYS_MAX: u32 = STEPS[0];

/// The step that a certificate has reached: the latest of 30, 7 and 1 days before its end. What is
/// over stays at 1.
pub fn warning_days(until: Timestamp, now: Timestamp) -> Option<u32> {
    let left = until.seconds() - now.seconds();
    let is_reached = |days: &u32| left <= i64::from(*days) * 24 * 3600;
    STEPS.into_iter().rfind(is_reached)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_in_three_steps() {
        const DAY: i64 = 24 * 3600;
        let now = Timestamp::from_seconds(1_795_406_943);
        let rows = [
            (31 * DAY, None),
            (30 * DAY + 1, None),
            (30 * DAY, Some(30)),
            (7 * DAY + 1, Some(30)),
            (7 * DAY, Some(7)),
            (DAY + 1, Some(7)),
            (DAY, Some(1)),
            (0, Some(1)),
            (-100 * DAY, Some(1)),
        ];
        for (left, want) in rows {
            let until = Timestamp::from_seconds(now.seconds() + left);
            assert_eq!(warning_days(until, now), want, "{left}");
        }
    }
}
