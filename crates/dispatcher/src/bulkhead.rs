//! How many turns of one provider may wait for an answer in this process (D60): of 32 places 8 are
//! for cancels alone, and a waiting cancel takes the next free one.
//!
//! A hedge takes the place of the attempt whose silence it answers, so there may be twice as many
//! requests as places; and a silent attempt whose delivery has ended is awaited without one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use balefire_domain::lane::{Delivery, Kind};
use balefire_domain::limits::{ATTEMPTS_FOR_CANCELS_ONLY, ATTEMPTS_PER_PROVIDER_MAX};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use tokio::sync::Notify;

use crate::ports::LaneKey;

/// How long a lane that waits for a place is not looked at again, unless something is due for it
/// before: each look is a transaction, and thousands may wait.
const LOOK_PERIOD: Duration = Duration::from_secs(5);
/// Lanes whose latest look is remembered; with one more all are forgotten.
const LOOKS_MAX: usize = 10_000;

/// The bulkheads of all providers.
#[derive(Default)]
pub(crate) struct Bulkheads {
    by_provider: Mutex<BTreeMap<ProviderName, Arc<Bulkhead>>>,
}

/// The places of one provider.
#[derive(Default)]
pub(crate) struct Bulkhead {
    places: Mutex<Places>,
    freed: Notify,
    looks: Mutex<BTreeMap<LaneKey, LastLook>>,
}

/// What the latest look at a waiting lane found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LastLook {
    /// When that was.
    at: Timestamp,
    /// From then on it does not tell enough.
    until: Timestamp,
    /// What its target asks.
    pub(crate) kind: Kind,
}

impl LastLook {
    /// It tells enough for a while, and until the lane's target ends or takes too long.
    pub(crate) fn new(target: &Delivery, at: Timestamp) -> Self {
        let until = (at + LOOK_PERIOD).min(target.ends_at);
        Self {
            at,
            until: target.stuck_at().map_or(until, |stuck| until.min(stuck)),
            kind: target.kind,
        }
    }

    fn holds(self, now: Timestamp) -> bool {
        self.at <= now && now < self.until
    }
}

#[derive(Default)]
struct Places {
    alerts: usize,
    cancels: usize,
    cancels_waiting: usize,
}

impl Places {
    /// Whether an attempt of this kind may take a place now.
    const fn admits(&self, is_cancel: bool) -> bool {
        let taken = self.alerts + self.cancels;
        if is_cancel {
            return taken < ATTEMPTS_PER_PROVIDER_MAX;
        }
        taken < ATTEMPTS_PER_PROVIDER_MAX
            && self.alerts < ATTEMPTS_PER_PROVIDER_MAX - ATTEMPTS_FOR_CANCELS_ONLY
            && self.cancels_waiting == 0
    }
}

/// A place, given back when it is dropped.
pub(crate) struct Permit {
    bulkhead: Arc<Bulkhead>,
    is_cancel: bool,
}

/// A cancel that waits, until it has its place or gives up.
struct Waiting<'a>(&'a Bulkhead);

impl Bulkheads {
    pub(crate) fn of(&self, provider: &ProviderName) -> Arc<Bulkhead> {
        let mut by_provider = self
            .by_provider
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(by_provider.entry(provider.clone()).or_default())
    }
}

impl Bulkhead {
    /// A place at once, or none.
    pub(crate) fn try_acquire(self: &Arc<Self>, is_cancel: bool) -> Option<Permit> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        if !places.admits(is_cancel) {
            return None;
        }
        if is_cancel {
            places.cancels += 1;
        } else {
            places.alerts += 1;
        }
        Some(Permit {
            bulkhead: Arc::clone(self),
            is_cancel,
        })
    }

    /// The latest look at a waiting lane, where another one now would be for nothing.
    pub(crate) fn latest_look(&self, key: &LaneKey, now: Timestamp) -> Option<LastLook> {
        let looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.get(key).copied().filter(|look| look.holds(now))
    }

    /// Remembers a look at a waiting lane.
    pub(crate) fn note_look(&self, key: &LaneKey, look: LastLook) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        if looks.len() >= LOOKS_MAX {
            looks.clear();
        }
        looks.insert(key.clone(), look);
    }

    /// The lane waits no longer: what it was looked at for may have changed when it waits again.
    pub(crate) fn forget_look(&self, key: &LaneKey) {
        let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
        looks.remove(key);
    }

    /// A place, when one is free. Dropping the future gives the claim up.
    pub(crate) async fn acquire(self: &Arc<Self>, is_cancel: bool) -> Permit {
        let _waiting = is_cancel.then(|| Waiting::new(self));
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if let Some(permit) = self.try_acquire(is_cancel) {
                return permit;
            }
            freed.await;
        }
    }
}

impl<'a> Waiting<'a> {
    fn new(bulkhead: &'a Bulkhead) -> Self {
        bulkhead
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancels_waiting += 1;
        Self(bulkhead)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancels_waiting -= 1;
        self.0.freed.notify_waiters();
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut places = self
            .bulkhead
            .places
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.is_cancel {
            places.cancels -= 1;
        } else {
            places.alerts -= 1;
        }
        drop(places);
        self.bulkhead.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Poll, Waker};

    use balefire_domain::ids::{AlertId, DeliveryId};
    use balefire_domain::lane::State;

    use super::*;

    fn is_ready<T>(future: &mut std::pin::Pin<Box<dyn Future<Output = T> + '_>>) -> bool {
        matches!(
            future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop())),
            Poll::Ready(_)
        )
    }

    #[test]
    fn alerts_leave_places_for_cancels() {
        let bulkhead = Arc::new(Bulkhead::default());
        let alerts: Vec<Permit> = (0..100)
            .map_while(|_| bulkhead.try_acquire(false))
            .collect();
        let cancels: Vec<Permit> = (0..100).map_while(|_| bulkhead.try_acquire(true)).collect();
        assert_eq!((alerts.len(), cancels.len()), (24, 8));
    }

    #[test]
    fn cancels_may_take_every_place() {
        let bulkhead = Arc::new(Bulkhead::default());
        let cancels: Vec<Permit> = (0..100).map_while(|_| bulkhead.try_acquire(true)).collect();
        assert_eq!(cancels.len(), 32);
        assert!(bulkhead.try_acquire(false).is_none());
    }

    #[test]
    fn a_waiting_cancel_takes_the_next_free_place() {
        let bulkhead = Arc::new(Bulkhead::default());
        let mut alerts: Vec<Permit> = (0..24).map_while(|_| bulkhead.try_acquire(false)).collect();
        let cancels: Vec<Permit> = (0..8).map_while(|_| bulkhead.try_acquire(true)).collect();
        let mut alert: std::pin::Pin<Box<dyn Future<Output = Permit>>> =
            Box::pin(bulkhead.acquire(false));
        let mut cancel: std::pin::Pin<Box<dyn Future<Output = Permit>>> =
            Box::pin(bulkhead.acquire(true));
        assert!(!is_ready(&mut alert) && !is_ready(&mut cancel));
        alerts.pop();
        assert!(!is_ready(&mut alert), "the alert came first, and waits");
        assert!(is_ready(&mut cancel));
        drop(cancel);
        drop(cancels);
        alerts.pop();
        assert!(is_ready(&mut alert), "no cancel waits any more");
    }

    #[test]
    fn a_look_tells_enough_for_a_while_unless_something_is_due_before() {
        let at = |seconds: u64| Timestamp::from_seconds(1_000) + Duration::from_secs(seconds);
        let key = LaneKey {
            alert_id: AlertId::new(uuid::Uuid::nil()),
            provider: ProviderName::new("ee".to_owned()).unwrap(),
        };
        let bulkhead = Bulkhead::default();
        assert!(bulkhead.latest_look(&key, at(0)).is_none(), "never looked");
        // seconds: the look, since when the target waits, its end, the next question; whether the
        // look will do
        for (looked, since, ends, asked, want) in [
            (100, 90, 600, 100, true),
            (100, 90, 600, 104, true),
            (100, 90, 600, 105, false),
            (100, 90, 102, 101, true),
            (100, 90, 102, 102, false),
            // A person must be told.
            (100, 43, 600, 102, true),
            (100, 43, 600, 103, false),
            // The clock was set back: nobody knows how long ago that was.
            (100, 90, 600, 99, false),
        ] {
            let target = Delivery {
                id: DeliveryId::new(uuid::Uuid::nil()),
                seq: 1,
                kind: Kind::Alert,
                state: State::Ready,
                round: 1,
                created_at: at(since),
                ends_at: at(ends),
                is_stuck: false,
            };
            bulkhead.note_look(&key, LastLook::new(&target, at(looked)));
            let found = bulkhead.latest_look(&key, at(asked));
            assert_eq!(found.is_some(), want, "{looked} {since} {ends} {asked}");
        }
        bulkhead.forget_look(&key);
        assert!(bulkhead.latest_look(&key, at(100)).is_none(), "forgotten");
    }

    #[test]
    fn a_cancel_that_gives_up_waiting_bars_nobody() {
        let bulkhead = Arc::new(Bulkhead::default());
        let mut full: Vec<Permit> = (0..32).map_while(|_| bulkhead.try_acquire(true)).collect();
        let mut cancel: std::pin::Pin<Box<dyn Future<Output = Permit>>> =
            Box::pin(bulkhead.acquire(true));
        assert!(!is_ready(&mut cancel));
        full.clear();
        assert!(bulkhead.try_acquire(false).is_none());
        drop(cancel);
        assert!(bulkhead.try_acquire(false).is_some());
    }
}
