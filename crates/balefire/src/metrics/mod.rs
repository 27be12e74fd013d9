//! What this process tells whoever watches the service: `/metrics` on a listener of its own.
//!
//! Two parts: what this process measured, and how things stand in the database, which is read when
//! somebody asks and at most once a second. The database is given a bounded time; where it does not
//! answer, the first part is still told. Dispatch is never waited for and never waits: the read is
//! one transaction of the requests' own connections, and measuring takes no lock that it holds.

mod families;
mod text;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use balefire_app::{App, StoreError};
use balefire_domain::limits::METRICS_TIME_MAX;
use balefire_domain::time::Timestamp;
use balefire_web::RenderMetrics;
use metrics::{describe_counter, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::config::Config;

pub(crate) use families::Kind;

/// Connections of those who read the metrics.
const CONNECTIONS_MAX: usize = 16;
/// How long a look at the database is good for.
const LOOK_KEPT: Duration = Duration::from_secs(1);
/// How often what was measured is folded together, whether or not somebody asks for it.
const UPKEEP_PERIOD: Duration = Duration::from_secs(5);
/// Upper bounds of what takes milliseconds when all is well, in seconds.
const BUCKETS: [f64; 14] = [
    0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];
/// Upper bounds of what may take until the end of an alert, in seconds.
const LONG_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0, 7_200.0,
];

/// The collector of this process: there can be only one.
static COLLECTOR: OnceLock<PrometheusHandle> = OnceLock::new();

/// Renders the metrics.
struct Page {
    collector: PrometheusHandle,
    app: App,
    about: families::About,
    /// The latest look at the database. Who waits for it waits for the one look that is under way.
    look: Mutex<Option<(Duration, Arc<str>)>>,
}

/// Binds the listener, where there is to be one. Called before anything is measured.
pub(crate) async fn bind(config: &Config) -> anyhow::Result<Option<TcpListener>> {
    let Some(address) = config.metrics.address() else {
        return Ok(None);
    };
    let address: SocketAddr = address.context("metrics.listen")?;
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("can't listen on {address} (metrics.listen)"))?;
    collector();
    Ok(Some(listener))
}

/// Answers on the listener until the end. `app` has the connections of the requests.
pub(crate) fn serve(
    listener: TcpListener,
    config: &Config,
    app: App,
    end: CancellationToken,
) -> impl Future<Output = anyhow::Result<()>> + Send + use<> {
    let page = Arc::new(Page {
        collector: collector().clone(),
        about: families::About {
            environment: config.environment.as_str(),
            engine: app.store.engine(),
            started_at: app.clock.now(),
            canary: config.cbc.canary.clone(),
        },
        app,
        look: Mutex::new(None),
    });
    async move {
        let shown = Arc::clone(&page);
        let render: RenderMetrics = Arc::new(move || {
            let page = Arc::clone(&shown);
            Box::pin(async move { page.render().await })
        });
        let router = balefire_web::metrics_router(render);
        let until = end.clone();
        let ending = async move { until.cancelled().await };
        let serving = balefire_web::serve(listener, router, CONNECTIONS_MAX, ending);
        let (served, ()) = tokio::join!(serving, keep_up(&page.collector, &end));
        served.context("the server of the metrics failed")
    }
}

/// Folds together what was measured: otherwise each measurement is kept until somebody asks.
async fn keep_up(collector: &PrometheusHandle, end: &CancellationToken) {
    let mut period = interval(UPKEEP_PERIOD);
    period.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = end.cancelled() => return,
            _ = period.tick() => collector.run_upkeep(),
        }
    }
}

fn collector() -> &'static PrometheusHandle {
    COLLECTOR.get_or_init(|| {
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS);
        let long = Matcher::Full(families::ACCEPTANCE_DELAY.name.to_owned());
        let builder =
            builder.and_then(|builder| builder.set_buckets_for_metric(long, &LONG_BUCKETS));
        let recorder = builder.expect("there are bounds").build_recorder();
        let collector = recorder.handle();
        // Fails only where there is one, and nothing else in this process makes one.
        let _ = metrics::set_global_recorder(recorder);
        for family in families::MEASURED {
            match family.kind {
                Kind::Histogram => describe_histogram!(family.name, family.help),
                Kind::Counter => describe_counter!(family.name, family.help),
                Kind::Gauge => {}
            }
        }
        collector
    })
}

impl Page {
    async fn render(&self) -> String {
        let look = match tokio::time::timeout(METRICS_TIME_MAX, self.look()).await {
            Ok(Ok(text)) => Some(text),
            Ok(Err(error)) => {
                tell_failure(&error.to_string());
                None
            }
            Err(_) => {
                tell_failure("it did not answer in time");
                None
            }
        };
        let clock = &self.app.clock;
        let mut text = self.collector.render();
        text.push_str(&families::process(&self.about, clock.is_trusted()));
        text.push_str(&families::database_up(look.is_some()));
        text.push_str(look.as_deref().unwrap_or_default());
        text
    }

    /// How things stand in the database; a look that is young enough is not repeated.
    async fn look(&self) -> Result<Arc<str>, StoreError> {
        let mut latest = self.look.lock().await;
        let clock = &self.app.clock;
        if let Some((at, text)) = &*latest
            && clock.monotonic().saturating_sub(*at) < LOOK_KEPT
        {
            return Ok(Arc::clone(text));
        }
        let now: Timestamp = clock.now();
        let mut tx = self.app.store.begin_read("metrics", now).await?;
        let gauges = tx.read_gauges().await?;
        drop(tx);
        let settings = &self.app.settings;
        let text = families::database(&gauges, now, &settings.profiles, &self.about);
        let text: Arc<str> = text.into();
        *latest = Some((clock.monotonic(), Arc::clone(&text)));
        Ok(text)
    }
}

fn tell_failure(why: &str) {
    tracing::warn!(
        event = "metrics.not_read",
        error = why,
        "the database did not answer; only this process's own metrics were told"
    );
}
