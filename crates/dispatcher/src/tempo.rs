//! How quickly each provider accepts, of late, in this process: what a hedge's wait follows; and
//! what this process last stored of its routes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use balefire_domain::lane::Hedge;
use balefire_domain::lane::hedge::BUDGET_PERIOD;
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;

/// Acceptances that are remembered of one provider.
const ACCEPTS_MAX: usize = 200;
/// Attempts that are remembered of one provider; a busier budget's period is shorter.
const ATTEMPTS_MAX: usize = 2_000;

/// The tempo of every provider.
#[derive(Default)]
pub(crate) struct Tempo {
    by_provider: Mutex<BTreeMap<ProviderName, Seen>>,
}

/// How long a success over a route need not be stored again: who is busy with many lanes would
/// have each wait for the others' turn at the route's one row.
const GOOD_NEWS_LASTS: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Seen {
    accepts: VecDeque<Duration>,
    /// When a success over a route was last stored, until a failure.
    good_at: BTreeMap<String, Timestamp>,
    /// When an attempt was opened, and whether it was a hedge.
    attempts: VecDeque<(Timestamp, bool)>,
}

impl Tempo {
    /// An attempt was opened.
    pub(crate) fn note_attempt(&self, provider: &ProviderName, now: Timestamp, is_hedge: bool) {
        self.with(provider, |seen| {
            push_bounded(&mut seen.attempts, (now, is_hedge), ATTEMPTS_MAX);
        });
    }

    /// An attempt was accepted after so long.
    pub(crate) fn note_acceptance(&self, provider: &ProviderName, took: Duration) {
        self.with(provider, |seen| {
            push_bounded(&mut seen.accepts, took, ACCEPTS_MAX);
        });
    }

    /// Whether how a send over a route ended is worth storing: every failure, the first success
    /// after one, and a success each second.
    pub(crate) fn is_news(
        &self,
        provider: &ProviderName,
        route: &str,
        is_good: bool,
        now: Timestamp,
    ) -> bool {
        self.with(provider, |seen| {
            let at = seen.good_at.get(route);
            !is_good || at.is_none_or(|at| now < *at || now.since(*at) >= GOOD_NEWS_LASTS)
        })
    }

    /// How a send over a route ended was stored.
    pub(crate) fn note_stored(
        &self,
        provider: &ProviderName,
        route: &str,
        is_good: bool,
        at: Timestamp,
    ) {
        self.with(provider, |seen| {
            if is_good {
                seen.good_at.insert(route.to_owned(), at);
            } else {
                seen.good_at.remove(route);
            }
        });
    }

    /// Who else uses these routes has stored a failure: our next success is news.
    pub(crate) fn note_failing(&self, provider: &ProviderName, routes: &BTreeSet<String>) {
        self.with(provider, |seen| {
            seen.good_at.retain(|route, _| !routes.contains(route));
        });
    }

    /// How silence at this provider is answered now.
    pub(crate) fn hedge(
        &self,
        provider: &ProviderName,
        now: Timestamp,
        attempt_deadline: Duration,
    ) -> Hedge {
        self.with(provider, |seen| {
            let since = now - BUDGET_PERIOD;
            while seen.attempts.front().is_some_and(|(at, _)| *at < since) {
                seen.attempts.pop_front();
            }
            let hedges = seen
                .attempts
                .iter()
                .filter(|(_, is_hedge)| *is_hedge)
                .count();
            let accepts = seen.accepts.make_contiguous();
            Hedge::of(accepts, seen.attempts.len(), hedges, attempt_deadline)
        })
    }

    fn with<T>(&self, provider: &ProviderName, look: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self
            .by_provider
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(all.entry(provider.clone()).or_default())
    }
}

fn push_bounded<T>(queue: &mut VecDeque<T>, item: T, max: usize) {
    if queue.len() == max {
        queue.pop_front();
    }
    queue.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_route_every_failure_is_news_and_a_success_once_a_second() {
        let (ee, tempo) = (
            ProviderName::new("ee".to_owned()).unwrap(),
            Tempo::default(),
        );
        let at = |ms: i64| Timestamp::from_micros(1_000_000_000 + ms * 1000);
        // when, in ms; how the send ended; whether that is stored
        for (ms, is_good, want) in [
            (0, true, true),
            (1, true, false),
            (999, true, false),
            (1_000, true, true),
            (1_500, false, true),
            (1_501, false, true),
            (1_502, true, true),
            (1_503, true, false),
            // The clock was set back.
            (400, true, true),
        ] {
            let is_news = tempo.is_news(&ee, "a", is_good, at(ms));
            assert_eq!(is_news, want, "{ms} {is_good}");
            if is_news {
                tempo.note_stored(&ee, "a", is_good, at(ms));
            }
        }
        assert!(tempo.is_news(&ee, "b", true, at(1_503)), "another route");

        tempo.note_stored(&ee, "a", true, at(2_000));
        tempo.note_failing(&ee, &BTreeSet::from(["b".to_owned()]));
        assert!(!tempo.is_news(&ee, "a", true, at(2_001)));
        tempo.note_failing(&ee, &BTreeSet::from(["a".to_owned()]));
        let told = "another process, or a test, has stored a failure meanwhile";
        assert!(tempo.is_news(&ee, "a", true, at(2_001)), "{told}");
    }
}
