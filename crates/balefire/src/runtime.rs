//! Putting the parts together: from the configuration to a running service.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use balefire_app::secrets::{SECRET_KEY_BYTES, SecretKey};
use balefire_app::{App, Settings};
use balefire_dispatcher::DispatchSettings;
use balefire_dispatcher::jobs::JobRunner;
use balefire_domain::entropy::Entropy;
use balefire_domain::time::Clock;
use balefire_gateway::HttpClient;
use balefire_store::{DatabaseUrl, MigrationState, Store};
use balefire_web::{WebLimits, WebState};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::cli::Role;
use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::entropy::SystemEntropy;
use crate::link_tests;
#[cfg(feature = "aws")]
use crate::queue;
use crate::way_out::{self, Way};

/// How often what is over is looked for.
const SCHEDULE_PERIOD: Duration = Duration::from_secs(1);
/// Each so many of these periods it is looked for pauses that hold alerts.
const PAUSES_LOOK_TICKS: u32 = 10;
/// How often it is looked whether the first sweep is done.
const LOOK_PERIOD: Duration = Duration::from_millis(5);
/// The key of development databases on PostgreSQL, which several processes share (D49).
const DEVELOPMENT_KEY: [u8; SECRET_KEY_BYTES] = *b"balefire development key, public";

/// Refuses a configuration that must not start.
pub(crate) fn checked(config: Config) -> anyhow::Result<Config> {
    let findings = config::check(&config);
    if findings.is_empty() {
        return Ok(config);
    }
    bail!(
        "the configuration can't be used:\n  - {}",
        findings.join("\n  - ")
    )
}

/// Opens the database and the key, for commands and for the service. The schema must be current.
pub(crate) async fn open_app(config: &Config) -> anyhow::Result<App> {
    let store = open_store(config).await?;
    match store.migration_state().await? {
        MigrationState::Current => {}
        MigrationState::Behind(_) if store.engine() == "sqlite" => store.migrate().await?,
        MigrationState::Behind(_) => bail!("the database is behind: run `balefire migrate`"),
        MigrationState::Ahead(versions) => bail!(
            "the database is newer than this program (migrations {versions:?}): install the \
             version that migrated it"
        ),
    }
    app(config, store).await
}

pub(crate) async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let url: DatabaseUrl = config
        .database
        .url
        .reveal()
        .parse()
        .context("database.url")?;
    Store::open(&url)
        .await
        .context("the database can't be opened (database.url)")
}

pub(crate) async fn app(config: &Config, store: Store) -> anyhow::Result<App> {
    let secret_key = Arc::new(secret_key(config, &store).await?);
    let clients = config.clients.iter().map(|(name, secrets)| {
        (
            name.clone(),
            secrets
                .iter()
                .map(|secret| secret.reveal().to_owned())
                .collect(),
        )
    });
    let settings = Settings {
        profiles: config
            .provider
            .iter()
            .map(config::Provider::profile)
            .collect(),
        is_cbc_enabled: config.cbc.enabled,
        figures: config.dispatch.figures(),
        headline: config.cbc.headline.clone(),
        scripts: config.text.scripts,
        is_live: config.environment == config::Environment::Live,
        makes_tickets: config.makes_tickets(),
        clients: clients.collect(),
    };
    Ok(App {
        store,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        settings: Arc::new(settings),
        secret_key,
        wake: Arc::new(Notify::new()),
        announced: None,
    })
}

async fn secret_key(config: &Config, store: &Store) -> anyhow::Result<SecretKey> {
    let url: DatabaseUrl = config
        .database
        .url
        .reveal()
        .parse()
        .context("database.url")?;
    let path = match (&config.secrets.key_file, url.file()) {
        (Some(file), _) => PathBuf::from(file),
        (None, Some(database)) => database.with_file_name("balefire.key"),
        (None, None) => {
            tracing::warn!(
                event = "secrets.development_key",
                "secrets.key_file is not set: secrets at rest are encrypted with the key of \
                 development, which everybody knows"
            );
            return Ok(SecretKey::new(&DEVELOPMENT_KEY));
        }
    };
    let named = || format!("the key {} (secrets.key_file)", path.display());
    if config.secrets.key_file.is_none() && !path.exists() {
        let mut tx = store.begin_read("has_api_keys", SystemClock.now()).await?;
        anyhow::ensure!(
            !tx.has_api_keys().await?,
            "{} is gone, and the database has keys of services that only it can read: bring it \
             back from where it is kept safe",
            named()
        );
        make_key(&path).with_context(named)?;
    }
    let bytes = std::fs::read(&path).with_context(named)?;
    let Ok(bytes) = <[u8; SECRET_KEY_BYTES]>::try_from(bytes.as_slice()) else {
        bail!(
            "{} must hold exactly {SECRET_KEY_BYTES} bytes and holds {}",
            named(),
            bytes.len()
        );
    };
    Ok(SecretKey::new(&bytes))
}

/// Makes a key for its owner's eyes only. It appears whole or not at all; of two processes that
/// make it at once one wins, and both read that one.
fn make_key(path: &Path) -> anyhow::Result<()> {
    use std::io::Write;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    let (a, b) = (SystemEntropy.random(), SystemEntropy.random());
    file.write_all(&[a.to_le_bytes(), b.to_le_bytes()].concat())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(error) if error.error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error.into()),
    }
}

/// Loops with their names, and how they ended.
pub(crate) type Loops = JoinSet<(&'static str, anyhow::Result<()>)>;

/// A service that runs. It ends when its token is cancelled, or when one of its loops ends.
pub(crate) struct Service {
    pub(crate) address: SocketAddr,
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
}

impl Service {
    /// Binds and starts what the roles ask for. The configuration was checked.
    pub(crate) async fn start(
        config: &Config,
        app: App,
        roles: &[Role],
        end: CancellationToken,
    ) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(&config.http.listen)
            .await
            .with_context(|| format!("can't listen on {} (http.listen)", config.http.listen))?;
        let address = listener.local_addr()?;
        let name = instance_name(config, address);
        let (guard, app) = link_tests::guarded(config, app, &name).await;
        let mut loops = JoinSet::new();
        let (store, entropy) = (app.store.clone(), Arc::clone(&app.entropy));
        let guarding = guard.run(store, entropy, end.clone());
        loops.spawn(async move {
            guarding.await;
            ("clock's guard", Ok(()))
        });
        // Who sends nothing opens no way out, and needs no credentials for one (R94).
        let mut way_out = way_out::Shared::default();
        let mut dispatching = None;
        #[cfg(feature = "aws")]
        let queues = queue::open(config, &app.clock).await?;
        #[cfg(feature = "aws")]
        let app = queue::with_announcements(app, queues.as_ref(), &mut loops, &end);
        if roles.contains(&Role::Dispatch) {
            let way_out = way_out.open(config, &app.clock).await?;
            let dispatcher = Arc::new(dispatcher(config, &app, way_out, name).await?);
            #[cfg(feature = "aws")]
            queue::listen_all(queues, &dispatcher, &mut loops, &end);
            let gone = CancellationToken::new();
            let (end, guard) = (end.clone(), gone.clone().drop_guard());
            dispatching = Some(Dispatching {
                dispatcher: Arc::clone(&dispatcher),
                gone,
            });
            loops.spawn(async move {
                let _guard = guard;
                let ended = dispatcher.run(end).await;
                ("dispatcher", ended.context("the database failed"))
            });
        }
        if roles.contains(&Role::Schedule) {
            let way_out = way_out.open(config, &app.clock).await?;
            spawn_schedule(&mut loops, config, &app, way_out, &end)?;
        }
        if roles.contains(&Role::Api) {
            let dispatcher = dispatching.as_ref().map(|d| Arc::clone(&d.dispatcher));
            let state = web_state(config, app, dispatcher, end.clone());
            let gone = dispatching.as_ref().map(|d| d.gone.clone());
            let end = api_end(end.clone(), gone);
            loops.spawn(async move {
                let served = balefire_web::serve(listener, balefire_web::router(state), end).await;
                ("api", served.context("the HTTP server failed"))
            });
        }
        Ok(Self {
            address,
            loops,
            end,
            dispatching,
        })
    }

    /// Waits until the first sweep is done, so that whoever is told of a ready service finds one;
    /// or until there is nothing to wait for any more. Whether the service is ready.
    pub(crate) async fn is_ready(&self) -> bool {
        let Some(Dispatching { dispatcher, gone }) = &self.dispatching else {
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

/// What the role `schedule` runs: the clock's own work, link tests, tickets and pages.
fn spawn_schedule(
    loops: &mut Loops,
    config: &Config,
    app: &App,
    way_out: Way,
    end: &CancellationToken,
) -> anyhow::Result<()> {
    let tests = Arc::new(link_tests::link_tests(config, app, way_out));
    let tests_end = end.clone();
    loops.spawn(async move {
        tests.run(tests_end).await;
        ("link tests", Ok(()))
    });
    let runner = Arc::new(job_runner(config, app)?);
    let jobs_end = end.clone();
    loops.spawn(async move {
        runner.run(jobs_end).await;
        ("tickets and pages", Ok(()))
    });
    let (app, end) = (app.clone(), end.clone());
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
            route_secrets: secrets.map(|secret| secret.reveal().to_owned()).collect(),
        },
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

async fn dispatcher(
    config: &Config,
    app: &App,
    way_out: Way,
    instance_name: String,
) -> anyhow::Result<Dispatcher> {
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
    // On PostgreSQL dispatch has connections of its own, so that no crowd of requests can take
    // them. SQLite's one writer is shared, and its queue is fair.
    let store = match app.store.engine() {
        "postgres" => open_store(config).await?,
        _ => app.store.clone(),
    };
    let (clock, entropy) = (Arc::clone(&app.clock), Arc::clone(&app.entropy));
    let wake = Arc::clone(&app.wake);
    Ok(Dispatcher::new(
        store, way_out, clock, entropy, settings, wake,
    ))
}

/// The runner of tickets and pages. It shares the connections of the requests: dispatch has
/// its own.
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
        // A pause is told of after minutes; looking each second would only cost.
        let watched = match ticks.next() {
            Some(0) => app.watch_pauses().await,
            Some(_) | None => Ok(()),
        };
        for error in [completed.err(), watched.err()].into_iter().flatten() {
            tracing::error!(
                event = "schedule.failed",
                error = &error as &dyn std::error::Error,
                "the database failed; the next second tries again"
            );
        }
    }
}

/// Cancels the token at the first signal to end; a second one ends the process.
pub(crate) fn end_at_signal(tasks: &mut JoinSet<()>, end: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tasks.spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!(
            event = "process.ending",
            "told to end; open attempts are awaited"
        );
        end.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(i32::from(crate::FAILED));
    });
    Ok(())
}
