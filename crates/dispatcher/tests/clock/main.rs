//! The clock's guard against the real databases: PostgreSQL's own clock, and SQLite, which has
//! none. The clock that is guarded is the test's own, and is set wrong.

#![expect(
    clippy::unwrap_used,
    reason = "a test ends at the first surprise; clippy knows no test below `#[test]`"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use balefire_dispatcher::clock_guard::ClockGuard;
use balefire_domain::time::{Clock, Timestamp};
use balefire_store::{DatabaseUrl, Store};
use balefire_test_support::entropy::SeededEntropy;
use balefire_test_support::poll::poll_until;
use balefire_test_support::postgres::Postgres;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

const SKEW: Duration = Duration::from_secs(5);
const HOUR: Duration = Duration::from_secs(3600);
const SOON: Duration = Duration::from_secs(20);

/// A clock whose hands are moved one by one.
struct TwoHands {
    wall_us: AtomicI64,
    monotonic_us: AtomicU64,
}

impl TwoHands {
    fn at(wall: Timestamp) -> Arc<Self> {
        Arc::new(Self {
            wall_us: AtomicI64::new(wall.micros()),
            monotonic_us: AtomicU64::new(0),
        })
    }

    /// Somebody sets the wall clock.
    fn set(&self, wall: Timestamp) {
        self.wall_us.store(wall.micros(), Ordering::SeqCst);
    }

    /// Time passes.
    fn pass(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap();
        self.monotonic_us.fetch_add(micros, Ordering::SeqCst);
        let micros = i64::try_from(micros).unwrap();
        self.wall_us.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TwoHands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.wall_us.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_micros(self.monotonic_us.load(Ordering::SeqCst))
    }
}

/// What the database's clock says.
async fn database_now(store: &Store) -> Timestamp {
    let mut tx = store
        .begin("test", Timestamp::from_micros(0))
        .await
        .unwrap();
    tx.read_database_clock().await.unwrap().unwrap()
}

async fn open_items(store: &Store) -> Vec<String> {
    let now = Timestamp::from_micros(0);
    let mut tx = store.begin_read("test", now).await.unwrap();
    let items = tx.list_open_duty_items(10).await.unwrap();
    let shown = items
        .iter()
        .map(|item| format!("{} {}", item.kind, item.subject));
    shown.collect()
}

#[tokio::test]
async fn with_a_database_clock_a_jump_is_found_at_once_and_ended_by_two_good_probes() {
    let database = Postgres::shared().new_database();
    let url: DatabaseUrl = database.url().parse().unwrap();
    let store = Store::open(&url).await.unwrap();
    let hands = TwoHands::at(database_now(&store).await);
    let guard = ClockGuard::new(hands.clone(), SKEW, true, "the one");
    assert!(!guard.is_trusted(), "it was never compared");
    guard.probe(&store).await;
    assert!(guard.is_trusted());

    hands.set(hands.now() + HOUR);
    assert!(!guard.is_trusted(), "before any probe");
    for _ in 0..3 {
        guard.probe(&store).await;
        assert!(!guard.is_trusted(), "the database says otherwise");
    }
    hands.set(database_now(&store).await);
    assert!(!guard.is_trusted(), "set back is a jump too");
    guard.probe(&store).await;
    assert!(!guard.is_trusted());
    guard.probe(&store).await;
    assert!(guard.is_trusted());
    store.close().await;
}

#[tokio::test]
async fn a_clock_that_differs_from_the_database_from_the_start_is_never_believed() {
    let database = Postgres::shared().new_database();
    let url: DatabaseUrl = database.url().parse().unwrap();
    let store = Store::open(&url).await.unwrap();
    let hands = TwoHands::at(database_now(&store).await - Duration::from_secs(4));
    let guard = ClockGuard::new(hands.clone(), SKEW, true, "the one");
    for _ in 0..3 {
        guard.probe(&store).await;
        assert!(!guard.is_trusted(), "4 s are more than half of 5 s");
    }
    store.close().await;
}

/// The loop on SQLite: the duty item opens with the doubt and closes with it.
#[tokio::test]
async fn without_a_database_clock_ten_seconds_of_agreement_end_a_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    let store = Store::open(&url.parse().unwrap()).await.unwrap();
    store.migrate().await.unwrap();
    let hands = TwoHands::at(Timestamp::from_seconds(1_700_000_000));
    let guard = Arc::new(ClockGuard::new(hands.clone(), SKEW, false, "the one"));
    let end = CancellationToken::new();
    let mut tasks = JoinSet::new();
    let entropy = Arc::new(SeededEntropy::new(1));
    tasks.spawn(Arc::clone(&guard).run(store.clone(), entropy, end.clone()));
    poll_until(SOON, "the clock is believed", async || {
        guard.is_trusted().then_some(())
    })
    .await;

    hands.set(hands.now() - HOUR);
    assert!(!guard.is_trusted());
    poll_until(SOON, "a person is told", async || {
        (open_items(&store).await == ["clock process the one"]).then_some(())
    })
    .await;
    hands.pass(Duration::from_secs(9));
    guard.probe(&store).await;
    assert!(!guard.is_trusted(), "nine seconds are not ten");
    hands.pass(Duration::from_secs(1));
    poll_until(SOON, "the item is closed", async || {
        (guard.is_trusted() && open_items(&store).await.is_empty()).then_some(())
    })
    .await;
    end.cancel();
    tasks.join_all().await;
    store.close().await;
}
