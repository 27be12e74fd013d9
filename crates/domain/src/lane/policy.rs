//! The figures that `step` works with, and the back-off.

use std::collections::BTreeSet;
use std::time::Duration;

use super::hedge::Hedge;
use super::planted::Planted;
use super::state::{Delivery, HoldReason, Kind, Lane};
use crate::provider::Profile;
use crate::routing;
use crate::time::Timestamp;

/// How long after `finishes_at` a cancel may still be sent (D30).
pub const CANCEL_MARGIN: Duration = Duration::from_secs(5 * 60);
/// A delivery is stuck after this many rounds without acceptance (D19) …
pub const STUCK_ROUNDS: u32 = 3;
/// … or after this long, whichever comes first (D19).
pub const STUCK_AFTER: Duration = Duration::from_secs(60);

/// The figures of the configuration's `[dispatch]` that hold for every provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figures {
    /// How long an attempt may take.
    pub attempt_deadline: Duration,
    /// How far our clock and a proxy's may differ (D25).
    pub clock_skew: Duration,
    /// The longest wait between two rounds (D6).
    pub backoff_cap: Duration,
    /// The longest wait between two rounds while a delivery is young (D6).
    pub early_backoff_cap: Duration,
    /// How long a delivery is young.
    pub early_period: Duration,
}

/// What holds just now, beside the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// The routes whose latest test or send failed (D17).
    pub failing: BTreeSet<String>,
    /// A person paused the provider.
    pub is_paused: bool,
    /// Why nothing at all may be sent from this database or by this clock.
    pub hold: Option<HoldReason>,
    /// How this provider's silence is answered, where it may be.
    pub hedge: Option<Hedge>,
}

/// How long a proxy that is not in the configuration any more may keep trying (D25).
const UPSTREAM_TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// How soon a lane that is held by the configuration is looked at again: the configuration may be
/// another one by then, in this process or in the one that looks.
pub const HELD_LOOK_AFTER: Duration = Duration::from_secs(10);

/// What configuration says about sending to one provider, as `step` needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The routes' names, in the order in which to try them now.
    pub routes: Vec<String>,
    /// Why nothing that this reason bars can be sent, where that is so.
    pub hold: Option<HoldReason>,
    /// The provider applies an identifier once and its sites share state: after an unknown outcome
    /// the same message may go out again at once (D24).
    pub resends_unknown_at_once: bool,
    /// The sites behind the routes share their state. Where they don't, a cancel needs an answer
    /// from every site that an earlier attempt may have reached (D15).
    pub has_shared_sites: bool,
    /// Whether and when a second attempt may go out beside a silent one.
    pub hedge: Option<Hedge>,
    /// How long an attempt may take.
    pub attempt_deadline: Duration,
    /// How far our clock and the proxy's may differ (D25).
    pub clock_skew: Duration,
    /// How long the proxy may keep trying after we stopped waiting (D25).
    pub upstream_timeout: Duration,
    /// The longest wait between two rounds (D6).
    pub backoff_cap: Duration,
    /// The longest wait between two rounds while a delivery is young (D6).
    pub early_backoff_cap: Duration,
    /// How long a delivery is young.
    pub early_period: Duration,
    /// Faults that the explorer plants; none can be planted in the product.
    pub planted: Planted,
}

impl Policy {
    /// The policy for a provider: `profile` is absent where the configuration knows it no more.
    pub fn of(
        figures: &Figures,
        profile: Option<&Profile>,
        is_cbc_enabled: bool,
        conditions: &Conditions,
    ) -> Self {
        let routes =
            profile.map_or_else(Vec::new, |p| routing::order(&p.routes, &conditions.failing));
        let hold = if conditions.hold.is_some() {
            conditions.hold
        } else if !is_cbc_enabled {
            Some(HoldReason::ProxiesDisabled)
        } else if routes.is_empty() {
            Some(HoldReason::NoRoute)
        } else {
            conditions.is_paused.then_some(HoldReason::Paused)
        };
        let resends_unknown_at_once =
            profile.is_some_and(|p| p.capabilities.dedup && p.capabilities.shared_sites);
        Self {
            routes,
            hold,
            resends_unknown_at_once,
            has_shared_sites: profile.is_none_or(|p| p.capabilities.shared_sites),
            hedge: conditions.hedge.filter(|_| resends_unknown_at_once),
            attempt_deadline: figures.attempt_deadline,
            clock_skew: figures.clock_skew,
            upstream_timeout: profile.map_or(UPSTREAM_TIMEOUT_DEFAULT, |p| p.upstream_timeout),
            backoff_cap: figures.backoff_cap,
            early_backoff_cap: figures.early_backoff_cap,
            early_period: figures.early_period,
            planted: Planted::default(),
        }
    }

    /// The wait after round `round` (1, 2, …) of a delivery created at `created_at`:
    /// min(2^(round−1), cap) seconds, ±10 % (D6). Total for every round.
    pub fn wait_after(
        &self,
        round: u32,
        created_at: Timestamp,
        now: Timestamp,
        jitter_permille: i32,
    ) -> Duration {
        let cap = if now.since(created_at) < self.early_period {
            self.early_backoff_cap
        } else {
            self.backoff_cap
        };
        let seconds = 1_u64 << round.saturating_sub(1).min(32);
        let wait = Duration::from_secs(seconds).min(cap);
        let tenth_ms = i64::try_from(wait.as_millis() / 10).unwrap_or(i64::MAX);
        let jitter_ms =
            tenth_ms.saturating_mul(i64::from(jitter_permille.clamp(-1000, 1000))) / 1000;
        let wait_ms = i64::try_from(wait.as_millis())
            .unwrap_or(i64::MAX)
            .saturating_add(jitter_ms);
        Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
    }

    /// Why a delivery must wait, where the configuration or the moment says so. A pause holds no
    /// cancel, but one that a replacement awaits: no pause must fall between the two (ADR 17).
    pub fn hold_of(&self, lane: &Lane, delivery: &Delivery) -> Option<HoldReason> {
        self.hold.filter(|reason| {
            reason.bars(delivery.kind) || lane.is_awaited_by_replacement(delivery.id)
        })
    }

    /// A back-off that ends later than this was stored by a clock that has been put right since.
    pub(crate) fn longest_wait(&self) -> Duration {
        self.backoff_cap.max(self.early_backoff_cap) * 2
    }

    /// How long after its deadline an attempt may still be applied (W of D25).
    pub fn drain_margin(&self) -> Duration {
        self.clock_skew + self.upstream_timeout
    }
}

/// When a delivery's sending ends (D30).
pub fn ends_at(kind: Kind, finishes_at: Timestamp) -> Timestamp {
    match kind {
        Kind::Alert | Kind::Update => finishes_at,
        Kind::Cancel => finishes_at + CANCEL_MARGIN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            routes: vec![],
            hold: None,
            resends_unknown_at_once: true,
            has_shared_sites: true,
            hedge: None,
            attempt_deadline: Duration::from_secs(20),
            clock_skew: Duration::from_secs(5),
            upstream_timeout: Duration::from_secs(10),
            backoff_cap: Duration::from_secs(240),
            early_backoff_cap: Duration::from_secs(30),
            early_period: Duration::from_secs(600),
            planted: Planted::default(),
        }
    }

    #[test]
    fn the_wait_doubles_up_to_its_cap_and_never_overflows() {
        let born = Timestamp::from_seconds(0);
        let (young, old) = (Timestamp::from_seconds(599), Timestamp::from_seconds(600));
        // round, while young, afterwards
        let cases = [
            (0, 1, 1),
            (1, 1, 1),
            (2, 2, 2),
            (5, 16, 16),
            (6, 30, 32),
            (8, 30, 128),
            (9, 30, 240),
            (20, 30, 240),
            (1000, 30, 240),
            (u32::MAX, 30, 240),
        ];
        for (round, early, late) in cases {
            let wait = |now| policy().wait_after(round, born, now, 0).as_secs();
            assert_eq!((wait(young), wait(old)), (early, late), "round {round}");
        }
    }

    #[test]
    fn jitter_stays_within_a_tenth() {
        let born = Timestamp::from_seconds(0);
        for (jitter, want_ms) in [(-1000, 900), (0, 1000), (1000, 1100), (i32::MAX, 1100)] {
            let wait = policy().wait_after(1, born, born, jitter);
            assert_eq!(wait.as_millis(), want_ms, "jitter {jitter}");
        }
    }
}
