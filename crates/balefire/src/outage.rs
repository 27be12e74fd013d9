//! The log of a database that is away: once when it goes, once a minute while it is gone, once when
//! it is back, each with the cause. What fails meanwhile because of it is not logged: that would
//! be the same news each second, and hide what is not.

use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use balefire_app::{App, StoreError};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// How often the database is asked.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// How long one answer is waited for: longer than the store's own waits.
const LOOK_TIME_MAX: Duration = Duration::from_secs(6);
/// How often it is said again that the database is away.
const REMINDER_PERIOD: Duration = Duration::from_secs(60);
/// What is told again and again while the database is away, and of nothing else then.
const CONSEQUENCES: [&str; 15] = [
    "alert.not_completed",
    "audit.not_linked",
    "clock.not_read",
    "clock.not_told",
    "epoch.failed",
    "http.unavailable",
    "jobs.failed",
    "link_test.failed",
    "link_tests.failed",
    "metrics.not_read",
    "queue.given_up_not_told",
    "recovery.failed",
    "schedule.failed",
    "sweep.failed",
    "wake_ups.lost",
];

/// Where the driver tells of each connection that came to nothing: the cause stands in what is told
/// of the outage.
const POOL_TARGET: &str = "sqlx_core::pool";

/// Whether this process's database is known to be away; the log belongs to the process as well.
static IS_AWAY: AtomicBool = AtomicBool::new(false);

/// What is to be said after a look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Away { since: Duration },
    Back { after: Duration },
}

/// One outage after the other; times are monotonic.
#[derive(Debug, Default)]
struct Outages {
    /// Since when the database is away, and when that was last said.
    current: Option<(Duration, Duration)>,
}

impl Outages {
    /// What a look at this instant has to say.
    fn look(&mut self, is_away: bool, now: Duration) -> Option<News> {
        match (self.current, is_away) {
            (None, false) => None,
            (None, true) => {
                self.current = Some((now, now));
                Some(News::Away {
                    since: Duration::ZERO,
                })
            }
            (Some((began, said)), true) => {
                if now.saturating_sub(said) < REMINDER_PERIOD {
                    return None;
                }
                self.current = Some((began, now));
                Some(News::Away {
                    since: now.saturating_sub(began),
                })
            }
            (Some((began, _)), false) => {
                self.current = None;
                Some(News::Back {
                    after: now.saturating_sub(began),
                })
            }
        }
    }
}

/// Looks at the database until the end, and logs its outages.
pub(crate) async fn watch(app: App, end: CancellationToken) {
    let mut outages = Outages::default();
    // Why it was away when it was asked last.
    let mut cause = String::new();
    let mut period = interval(LOOK_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = period.tick() => {}
        }
        let obstacle = tokio::select! {
            () = end.cancelled() => return,
            obstacle = find_obstacle(&app) => obstacle,
        };
        if let Some(obstacle) = &obstacle {
            cause = innermost(obstacle);
        }
        let news = outages.look(obstacle.is_some(), app.clock.monotonic());
        IS_AWAY.store(obstacle.is_some(), Ordering::Relaxed);
        match news {
            None => {}
            Some(News::Away { since }) => tracing::error!(
                event = "database.away",
                cause,
                seconds = since.as_secs(),
                "the database is away: requests are answered 503 and nothing new is sent"
            ),
            Some(News::Back { after }) => tracing::info!(
                event = "database.back",
                cause,
                seconds = after.as_secs(),
                "the database is back, and all goes on by itself"
            ),
        }
    }
}

/// Why the database does not answer; `None` where it does, and where a connection outside the
/// crowded pool opens at once.
async fn find_obstacle(app: &App) -> Option<StoreError> {
    let asked = timeout(LOOK_TIME_MAX, app.probe_database()).await;
    let failure = asked
        .unwrap_or_else(|_| Err(StoreError::timed_out("asking the database")))
        .err()?;
    if app.store.engine() == "sqlite" {
        return Some(failure);
    }
    app.store.find_obstacle().await
}

/// A failure's own words without what was being done, which differs from look to look.
fn innermost(failure: &StoreError) -> String {
    match failure {
        StoreError::Driver { cause, .. } => {
            let mut source: &dyn Error = cause;
            while let Some(inner) = source.source() {
                source = inner;
            }
            source.to_string()
        }
        other => other.to_string(),
    }
}

/// Lets through what is no mere consequence of an outage that was told of.
pub(crate) struct NoConsequences;

impl<S: Subscriber> Filter<S> for NoConsequences {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if !IS_AWAY.load(Ordering::Relaxed) {
            return true;
        }
        if event.metadata().target().starts_with(POOL_TARGET) {
            return false;
        }
        let mut name = Name::default();
        event.record(&mut name);
        !name.is_consequence
    }
}

/// Reads an event's name.
#[derive(Default)]
struct Name {
    is_consequence: bool,
}

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" {
            self.is_consequence = CONSEQUENCES.contains(&value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::{Layer as _, Registry};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no test panics in it").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn while_the_database_is_away_its_consequences_are_not_logged_and_all_else_is() {
        let lines = Lines::default();
        let writer = lines.clone();
        let layer = tracing_subscriber::fmt::layer().with_writer(move || writer.clone());
        let log = Registry::default().with(layer.with_filter(NoConsequences));
        tracing::subscriber::with_default(log, || {
            for is_away in [false, true, false] {
                IS_AWAY.store(is_away, Ordering::Relaxed);
                tracing::warn!(event = "http.unavailable", is_away, "a request");
                // As a pool does that meets a standby at each new try.
                tracing::error!(target: "sqlx_core::pool::inner", is_away, "after_connect");
                tracing::warn!(event = "http.in_doubt", is_away, "a request");
            }
        });
        let lines = lines.0.lock().expect("no test panics in it");
        let lines = String::from_utf8_lossy(&lines);
        for (word, times) in [("unavailable", 2), ("after_connect", 2), ("in_doubt", 3)] {
            assert_eq!(lines.matches(word).count(), times, "{word}: {lines}");
        }
    }

    #[test]
    fn an_outage_is_told_once_then_each_minute_and_at_its_end() {
        let mut outages = Outages::default();
        let s = Duration::from_secs;
        let away = |since| Some(News::Away { since: s(since) });
        // at which second, whether it is away, what is said
        let looks = [
            (0, false, None),
            (1, true, away(0)),
            (2, true, None),
            (60, true, None),
            (61, true, away(60)),
            (62, true, None),
            (122, true, away(121)),
            (130, false, Some(News::Back { after: s(129) })),
            (131, false, None),
            (132, true, away(0)),
        ];
        for (at, is_away, said) in looks {
            assert_eq!(outages.look(is_away, s(at)), said, "at {at} s");
        }
    }
}
