//! Link tests and the clock's guard, from the configuration.

use std::sync::Arc;
use std::time::Duration;

use balefire_app::App;
use balefire_dispatcher::clock_guard::ClockGuard;
use balefire_dispatcher::link_tests::{LinkTestSettings, LinkTests};
use balefire_domain::time::Clock;
use balefire_store::Store;

use crate::config::Config;
use crate::way_out::Way;

/// The link tests of this process, or of one command.
pub(crate) fn link_tests(config: &Config, app: &App, way_out: Way) -> LinkTests<Store, Way> {
    let profiles = &app.settings.profiles;
    let period = |provider: &crate::config::Provider| {
        let own = provider.link_test_period_seconds;
        Duration::from_secs(own.unwrap_or(config.dispatch.link_test_period_seconds))
    };
    let settings = LinkTestSettings {
        profiles: profiles
            .iter()
            .map(|p| (p.name.clone(), p.clone()))
            .collect(),
        periods: config
            .provider
            .iter()
            .map(|p| (p.name.clone(), period(p)))
            .collect(),
        heartbeat_period: Duration::from_secs(config.dispatch.heartbeat_period_seconds),
        canary: config.cbc.canary.clone(),
        is_cbc_enabled: config.cbc.enabled,
        figures: config.dispatch.figures(),
    };
    LinkTests::new(
        app.store.clone(),
        way_out,
        Arc::clone(&app.clock),
        Arc::clone(&app.entropy),
        settings,
        Arc::clone(&app.wake),
    )
}

/// A guard around this process's clock, and the process with that clock. The clocks have been
/// compared once, so that a wrong one is known before anything is decided by it.
pub(crate) async fn guarded(config: &Config, app: App, name: &str) -> (Arc<ClockGuard>, App) {
    let skew = config.dispatch.figures().clock_skew;
    // SQLite's clock is the machine's own.
    let has_database_clock = app.store.engine() == "postgres";
    let clock = Arc::clone(&app.clock);
    let guard = Arc::new(ClockGuard::new(clock, skew, has_database_clock, name));
    guard.probe(&app.store).await;
    let clock: Arc<dyn Clock> = Arc::<ClockGuard>::clone(&guard);
    (guard, App { clock, ..app })
}
