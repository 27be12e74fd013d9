//! A second attempt beside a silent one, over another route (section 2.1 of the design).
//!
//! Only where the same identifier is applied once and all sites share their state: there a second
//! request is harmless. What is promised: never a third beside two; never for a delivery that is
//! superseded or held; after its first round a delivery hedges only within the provider's budget.

use std::time::Duration;

use super::policy::Policy;
use super::state::Lane;
use crate::time::Timestamp;

/// The least wait before silence is answered.
const DELAY_MIN: Duration = Duration::from_secs(2);
/// The wait while too little is known of a provider.
const DELAY_UNKNOWN: Duration = Duration::from_secs(5);
/// So many acceptances make a percentile worth something.
const SAMPLES_MIN: usize = 20;
/// One hedge in so many attempts, averaged over the budget's period.
const BUDGET_SHARE: usize = 10;
/// Over how long the budget is averaged.
pub const BUDGET_PERIOD: Duration = Duration::from_secs(10 * 60);

/// When a second attempt goes out beside one that is silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// After this long without an answer.
    pub after: Duration,
    /// The budget has room. The first round of a delivery needs none.
    pub is_within_budget: bool,
}

impl Hedge {
    /// The hedge at a provider that took `accepts` to accept, of late, and to which so many of the
    /// latest `attempts` were hedges.
    ///
    /// The wait is twice the 95th percentile, at least 2 s and at most half of the attempt's
    /// deadline; 5 s while fewer than 20 acceptances are known.
    pub fn of(
        accepts: &[Duration],
        attempts: usize,
        hedges: usize,
        attempt_deadline: Duration,
    ) -> Self {
        let wait = if accepts.len() < SAMPLES_MIN {
            DELAY_UNKNOWN
        } else {
            (percentile_95(accepts) * 2).max(DELAY_MIN)
        };
        Self {
            after: wait.min(attempt_deadline / 2),
            is_within_budget: (hedges + 1) * BUDGET_SHARE <= attempts,
        }
    }
}

fn percentile_95(samples: &[Duration]) -> Duration {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() * 95).div_ceil(100);
    sorted[rank.saturating_sub(1)]
}

/// The active delivery's one open attempt has been silent for so long that another may go beside
/// it.
pub(super) fn is_due(lane: &Lane, policy: &Policy, now: Timestamp) -> bool {
    let (Some(hedge), Some(active)) = (policy.hedge, lane.active()) else {
        return false;
    };
    let mut open = lane.open_attempts();
    let (Some(silent), None) = (open.next(), open.next()) else {
        return false;
    };
    silent.delivery == active.id
        && (hedge.is_within_budget || active.round == 1)
        && policy.hold_of(lane, active).is_none()
        && now >= silent.opened_at + hedge.after
        && now < active.ends_at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_follows_what_the_provider_usually_takes() {
        let ms = Duration::from_millis;
        // acceptances of 1 s, of which the last few took longer; the deadline; the wait
        let cases = [
            (19, 0, 20_000, 5_000),
            (20, 0, 20_000, 2_000),
            (190, 10, 20_000, 2_000),
            (189, 11, 20_000, 6_000),
            (0, 200, 20_000, 6_000),
            (0, 200, 8_000, 4_000),
            (0, 0, 6_000, 3_000),
        ];
        for (quick, slow, deadline, want) in cases {
            let mut accepts = vec![ms(1_000); quick];
            accepts.extend(vec![ms(3_000); slow]);
            let hedge = Hedge::of(&accepts, 0, 0, ms(deadline));
            assert_eq!(hedge.after, ms(want), "{quick} quick, {slow} slow");
        }
    }

    #[test]
    fn one_attempt_in_ten_may_be_a_hedge() {
        for (attempts, hedges, want) in [
            (0, 0, false),
            (9, 0, false),
            (10, 0, true),
            (19, 1, false),
            (20, 1, true),
        ] {
            let hedge = Hedge::of(&[], attempts, hedges, Duration::from_secs(20));
            assert_eq!(hedge.is_within_budget, want, "{hedges} of {attempts}");
        }
    }
}
