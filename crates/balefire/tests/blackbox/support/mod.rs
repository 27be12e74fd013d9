//! What the tests share: a sandbox with its own database, networks and processes, people who act,
//! and the oracle.

pub(crate) mod api;
pub(crate) mod documents;
pub(crate) mod evidence;
pub(crate) mod forwarder;
pub(crate) mod history;
pub(crate) mod networks;
pub(crate) mod oracle;
mod oracle_tests;
pub(crate) mod process;
pub(crate) mod recording;
pub(crate) mod sandbox;
pub(crate) mod server;
pub(crate) mod small_disk;
pub(crate) mod team;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use balefire_domain::time::Timestamp;

pub(crate) use balefire_test_support::poll::poll_until;

/// How long anything may take that is expected to happen soon: far more than it takes, because the
/// machine may be busy.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Runs each test on SQLite and on PostgreSQL, as `name::on_sqlite` and `name::on_postgresql`.
macro_rules! on_both_engines {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            use $crate::support::sandbox::Engine;

            #[tokio::test]
            async fn on_sqlite() {
                Box::pin(super::$name(Engine::Sqlite)).await;
            }

            #[tokio::test]
            async fn on_postgresql() {
                Box::pin(super::$name(Engine::Postgresql)).await;
            }
        }
    )+};
}
pub(crate) use on_both_engines;

/// Prints a line of what a test counted; CI shows it also where the test passed.
pub(crate) fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// The wall clock, which the processes under test go by as well.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of the real binary live by its clock (D35)"
)]
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let micros = since_epoch.expect("the clock is after 1970").as_micros();
    Timestamp::from_micros(i64::try_from(micros).expect("the clock is before 292278"))
}

/// An instant as the product prints it.
#[track_caller]
pub(crate) fn instant(value: &serde_json::Value) -> Timestamp {
    let text = value.as_str().unwrap_or_else(|| panic!("no date: {value}"));
    Timestamp::parse_iso8601(text).unwrap_or_else(|| panic!("no date: {text}"))
}
