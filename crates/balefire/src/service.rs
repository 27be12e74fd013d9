//! The service: what each role runs, and how all of it ends together.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use balefire_app::App;
use balefire_dispatcher::DispatchSettings;
use balefire_dispatcher::jobs::JobRunner;
use balefire_gateway::HttpClient;
use balefire_store::Store;
use balefire_web::{WebLimits, WebState};
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::audit_chain;
use crate::certificates;
use crate::cli::Role;
use crate::config::{self, Config};
use crate::descriptors;
use crate::dispatching::{DispatchThreads, listen, watch_epoch};
use crate::link_tests;
use crate::metrics;
use crate::outage;
#[cfg(feature = "aws")]
use crate::queue;
use crate::runtime::open_store;
use crate::traces;
use crate::way_out::{self, Way};
use balefire_dispatcher::clock_guard::ClockGuard;

/// How often what is over is looked for.
const SCHEDULE_PERIOD: Duration = Duration::from_secs(1);
/// Each so many of these periods it is looked for pauses that hold alerts.
const PAUSES_LOOK_TICKS: u32 = 10;
/// How often it is looked whether the first sweep is done.
const LOOK_PERIOD: Duration = Duration::from_millis(5);
/// Loops with their names, and how they ended.
pub(crate) type Loops = JoinSet<(&'static str, anyhow::Result<()>)>;

/// A service that runs. It ends when its token is cancelled, or when one of its loops ends.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    /// Where `/metrics` is answered, where it is.
    pub(crate) metrics_address: Option<SocketAddr>,
    loops: Loops,
    end: CancellationToken,
    dispatching: Option<Dispatching>,
}

/// The dispatcher of the product.
pub(crate) type Dispatcher = balefire_dispatcher::Dispatcher<Store, Way>;

/// A dispatcher whose loop was spawned.
struct Dispatching {
    dispatcher: Arc<Dispatcher>,
    /// Cancelled when the loop is gone, however it went.
    gone: CancellationToken,
    /// What it works with.
    app: App,
    /// They end with the service.
    threads: DispatchThreads,
}

/// What dispatch works with: on PostgreSQL connections of its own, so that no crowd of requests
/// can take them; on SQLite the one writer, to which requests come through a turnstile.
async fn dispatching_app(config: &Config, app: &App, threads: &Handle) -> anyhow::Result<App> {
    let store = match app.store.engine() {
        "postgres" => {
            let config = config.clone();
            let opened = threads.spawn(async move { open_store(&config).await });
            opened.await??
        }
        _ => app.store.clone(),
    };
    Ok(App {
        store,
        ..app.clone()
    })
}

impl Service {
    /// Binds and starts what the roles ask for. The configuration was checked.
    pub(crate) async fn start(
        config: &Config,
        app: App,
        roles: &[Role],
        end: CancellationToken,
    ) -> anyhow::Result<Self> {
        let connections_max = descriptors::share_out()?;
        let listener = TcpListener::bind(&config.http.listen)
            .await
            .with_context(|| {
                let listen = &config.http.listen;
                format!("can't listen on {listen} (http.listen; each process needs its own)")
            })?;
        let address = listener.local_addr()?;
        let metrics = metrics::bind(config).await?;
        let name = instance_name(config, address);
        let (guard, app) = link_tests::guarded(config, app, &name).await;
        #[cfg(feature = "aws")]
        let queues = queue::open(config, &app.clock).await?;
        let mut service = Self {
            address,
            metrics_address: metrics.as_ref().map(TcpListener::local_addr).transpose()?,
            loops: JoinSet::new(),
            end,
            dispatching: None,
        };
        #[cfg(feature = "aws")]
        let app = queue::with_announcements(app, queues.as_ref(), &mut service.loops, &service.end);
        // Who sends nothing opens no way out, and needs no credentials for one (R94).
        let mut way_out = way_out::Shared::default();
        if roles.contains(&Role::Dispatch) {
            let way_out = way_out.open(config, &app.clock).await?;
            service.start_dispatch(config, &app, way_out, name).await?;
            #[cfg(feature = "aws")]
            service.listen_to(queues);
        }
        service.start_guard(guard, &app);
        service.watch_database(&app);
        if roles.contains(&Role::Schedule) {
            let way_out = way_out.open(config, &app.clock).await?;
            service.start_link_tests(config, &app, way_out);
            spawn_schedule(&mut service.loops, config, &app, &service.end)?;
        }
        let store = app.store.behind_turnstile();
        let app = App { store, ..app };
        if let Some(metrics) = metrics {
            service.start_metrics(config, app.clone(), metrics);
        }
        let has_api = roles.contains(&Role::Api);
        service.start_http(config, app, listener, connections_max, has_api);
        Ok(service)
    }

    /// Enters the database's history, then dispatches, on threads of its own.
    async fn start_dispatch(
        &mut self,
        config: &Config,
        app: &App,
        way_out: Way,
        name: String,
    ) -> anyhow::Result<()> {
        let threads = DispatchThreads::start().context("the threads can't be started")?;
        let app = dispatching_app(config, app, threads.handle()).await?;
        let entered = app.enter_epoch().await?;
        let dispatcher = Arc::new(dispatcher(config, &app, way_out, name));
        let gone = CancellationToken::new();
        let guard = gone.clone().drop_guard();
        let (store, wake, end) = (app.store.clone(), Arc::clone(&app.wake), self.end.clone());
        let listening = async move {
            listen(store, wake, end).await;
            ("wake-ups", Ok(()))
        };
        self.loops.spawn_on(listening, threads.handle());
        let (watched, end) = (app.clone(), self.end.clone());
        let watching = async move {
            watch_epoch(watched, entered, end).await;
            ("watch over the database", Ok(()))
        };
        self.loops.spawn_on(watching, threads.handle());
        let (runs, end) = (Arc::clone(&dispatcher), self.end.clone());
        let run = async move {
            let _guard = guard;
            let ended = runs.run(end).await;
            ("dispatcher", ended.context("the database failed"))
        };
        self.loops.spawn_on(run, threads.handle());
        self.dispatching = Some(Dispatching {
            dispatcher,
            gone,
            app,
            threads,
        });
        Ok(())
    }

    /// Link tests, where something is dispatched on the threads of dispatch: the connections that
    /// they keep warm are those of alerts.
    fn start_link_tests(&mut self, config: &Config, app: &App, way_out: Way) {
        let end = self.end.clone();
        let own = self.dispatching.as_ref();
        let app = own.map_or(app, |dispatching| &dispatching.app);
        let tests = Arc::new(link_tests::link_tests(config, app, way_out));
        let testing = async move {
            tests.run(end).await;
            ("link tests", Ok(()))
        };
        match own {
            Some(dispatching) => self.loops.spawn_on(testing, dispatching.threads.handle()),
            None => self.loops.spawn(testing),
        };
    }

    /// Watches over the clock, with a connection that requests can't take where there is one.
    fn start_guard(&mut self, guard: Arc<ClockGuard>, app: &App) {
        let own = self.dispatching.as_ref();
        let app = own.map_or(app, |dispatching| &dispatching.app);
        let (store, entropy) = (app.store.clone(), Arc::clone(&app.entropy));
        let guarding = guard.run(store, entropy, self.end.clone());
        self.loops.spawn(async move {
            guarding.await;
            ("clock's guard", Ok(()))
        });
    }

    /// Says when the database is away. Dispatch's own connections are asked where there are any:
    /// no crowd of requests makes them wait.
    fn watch_database(&mut self, app: &App) {
        let own = self.dispatching.as_ref();
        let app = own.map_or(app, |dispatching| &dispatching.app).clone();
        let end = self.end.clone();
        self.loops.spawn(async move {
            outage::watch(app, end).await;
            ("watch over the database", Ok(()))
        });
    }

    #[cfg(feature = "aws")]
    fn listen_to(&mut self, queues: Option<queue::Queues>) {
        if let Some(Dispatching { dispatcher, .. }) = &self.dispatching {
            queue::listen_all(queues, dispatcher, &mut self.loops, &self.end);
        }
    }

    fn start_metrics(&mut self, config: &Config, app: App, listener: TcpListener) {
        let serving = metrics::serve(listener, config, app, self.end.clone());
        self.loops.spawn(async move { ("metrics", serving.await) });
    }

    /// Answers requests; without the role `api` only those of a load balancer. `app` has the
    /// connections of the requests.
    fn start_http(
        &mut self,
        config: &Config,
        app: App,
        listener: TcpListener,
        connections_max: usize,
        has_api: bool,
    ) {
        let dispatching = self.dispatching.as_ref();
        let dispatcher = dispatching.map(|d| Arc::clone(&d.dispatcher));
        let state = web_state(config, app, dispatcher, self.end.clone());
        let end = api_end(self.end.clone(), dispatching.map(|d| d.gone.clone()));
        let router = if has_api {
            balefire_web::router(state)
        } else {
            balefire_web::status_router(state)
        };
        self.loops.spawn(async move {
            let served = balefire_web::serve(listener, router, connections_max, end).await;
            ("HTTP server", served.context("the HTTP server failed"))
        });
    }

    /// Waits until the first sweep is done, so that whoever is told of a ready service finds one;
    /// or until there is nothing to wait for any more. Whether the service is ready.
    pub(crate) async fn is_ready(&self) -> bool {
        let Some(Dispatching {
            dispatcher, gone, ..
        }) = &self.dispatching
        else {
            return true;
        };
        let mut look = tokio::time::interval(LOOK_PERIOD);
        while !dispatcher.is_alive() {
            tokio::select! {
                () = gone.cancelled() => return false,
                () = self.end.cancelled() => return false,
                _ = look.tick() => {}
            }
        }
        true
    }

    /// Waits for the end. The loops live and die together: when one ends, all are told to.
    pub(crate) async fn ended(mut self) -> anyhow::Result<()> {
        let mut failure = None;
        while let Some(ended) = self.loops.join_next().await {
            let was_told = self.end.is_cancelled();
            self.end.cancel();
            let ended: anyhow::Result<()> = match ended {
                Ok((_, Ok(()))) if was_told => continue,
                Ok((name, Ok(()))) => Err(anyhow::anyhow!("the {name} ended by itself")),
                Ok((name, Err(error))) => Err(error.context(format!("the {name} ended"))),
                Err(panic) => Err(anyhow::anyhow!("a loop panicked: {panic}")),
            };
            failure = failure.or(ended.err());
        }
        failure.map_or(Ok(()), Err)
    }
}

/// What the role `schedule` runs beside link tests: the clock's own work, tickets and pages.
fn spawn_schedule(
    loops: &mut Loops,
    config: &Config,
    app: &App,
    end: &CancellationToken,
) -> anyhow::Result<()> {
    let runner = Arc::new(job_runner(config, app)?);
    let jobs_end = end.clone();
    loops.spawn(async move {
        runner.run(jobs_end).await;
        ("tickets, pages and notifications", Ok(()))
    });
    let (app, end) = (app.clone(), end.clone());
    let own = config.cbc.signing_certificate_file.clone();
    loops.spawn(certificates::watch(app.clone(), own, end.clone()));
    let (chained, chain_end) = (app.clone(), end.clone());
    loops.spawn(async move {
        audit_chain::link(chained, chain_end).await;
        ("audit trail's chain", Ok(()))
    });
    loops.spawn(async move { ("schedule", schedule(app, end).await) });
    Ok(())
}

/// When the API ends: once the open attempts were awaited. Until then a load balancer that asks is
/// told that this process is not ready, instead of finding nobody.
async fn api_end(end: CancellationToken, dispatcher_gone: Option<CancellationToken>) {
    end.cancelled().await;
    if let Some(gone) = dispatcher_gone {
        gone.cancelled().await;
    }
}

fn web_state(
    config: &Config,
    app: App,
    dispatcher: Option<Arc<Dispatcher>>,
    end: CancellationToken,
) -> WebState {
    let secrets = config.http.route_secrets.iter();
    let is_ending = Arc::new(move || end.is_cancelled());
    let ends = Arc::clone(&is_ending);
    WebState {
        app,
        limits: WebLimits {
            body_bytes_max: config.http.body_bytes_max,
            requests_per_minute_per_key: config.http.requests_per_minute_per_key,
            route_secrets: secrets.map(|secret| secret.reveal().to_owned()).collect(),
        },
        rates: Arc::default(),
        is_dispatching: dispatcher.is_some(),
        readiness: Arc::new(move || {
            !ends()
                && dispatcher
                    .as_ref()
                    .is_none_or(|dispatcher| dispatcher.is_alive())
        }),
        is_ending,
    }
}

/// This process's name among those of its database.
fn instance_name(config: &Config, address: SocketAddr) -> String {
    match &config.dispatch.instance_name {
        Some(name) => name.clone(),
        None => format!("{}:{address}", host_name()),
    }
}

fn dispatcher(config: &Config, app: &App, way_out: Way, instance_name: String) -> Dispatcher {
    let profiles = app
        .settings
        .profiles
        .iter()
        .map(|p| (p.name.clone(), p.clone()))
        .collect();
    let settings = DispatchSettings {
        profiles,
        is_cbc_enabled: config.cbc.enabled,
        figures: config.dispatch.figures(),
        is_hedging: config.dispatch.hedging,
        instance_name,
    };
    let (clock, entropy) = (Arc::clone(&app.clock), Arc::clone(&app.entropy));
    let wake = Arc::clone(&app.wake);
    let store = app.store.clone();
    let dispatcher = Dispatcher::new(store, way_out, clock, entropy, settings, wake);
    match traces::adopter(config) {
        Some(adopt) => dispatcher.with_traces(adopt),
        None => dispatcher,
    }
}

/// The runner of tickets, pages and notifications. It shares the connections of the requests:
/// dispatch has its own.
fn job_runner(config: &Config, app: &App) -> anyhow::Result<JobRunner> {
    let connect_timeout = Duration::from_millis(config.dispatch.connect_timeout_ms);
    let ca_file = config.cbc.ca_file.as_deref().map(Path::new);
    let client = HttpClient::new(connect_timeout, ca_file).context("cbc.ca_file")?;
    let settings = config::job_settings(config)?;
    let (clock, entropy) = (Arc::clone(&app.clock), Arc::clone(&app.entropy));
    Ok(JobRunner::new(
        app.store.clone(),
        client,
        clock,
        entropy,
        settings,
        Arc::new(app.secret_opener()),
    ))
}

fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .map_or_else(|_| "host".to_owned(), |name| name.trim().to_owned())
}

/// The clock's own work: what is over is completed, and pauses that hold alerts are told of.
async fn schedule(app: App, end: CancellationToken) -> anyhow::Result<()> {
    let mut period = tokio::time::interval(SCHEDULE_PERIOD);
    period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ticks = (0..PAUSES_LOOK_TICKS).cycle();
    loop {
        tokio::select! {
            () = end.cancelled() => return Ok(()),
            _ = period.tick() => {}
        }
        let completed = app.complete_alerts().await;
        // What is told of after minutes is not worth a look each second.
        let (pauses, dispatch) = match ticks.next() {
            Some(0) => (app.watch_pauses().await, app.watch_dispatch().await),
            Some(_) | None => (Ok(()), Ok(())),
        };
        let failures = [completed.err(), pauses.err(), dispatch.err()];
        for error in failures.into_iter().flatten() {
            tracing::error!(
                event = "schedule.failed",
                error = &error as &dyn std::error::Error,
                "the database failed; the next second tries again"
            );
        }
    }
}
