//! From the configuration to an open database and its key, for commands and for the service.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use balefire_app::secrets::{SECRET_KEY_BYTES, SecretKey};
use balefire_app::write_alert::Sender;
use balefire_app::{App, Settings};
use balefire_domain::entropy::Entropy;
use balefire_domain::time::Clock;
use balefire_store::{DatabaseUrl, MigrationState, Store};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::clock::SystemClock;
use crate::config::{self, Config};
use crate::entropy::SystemEntropy;
use crate::traces;

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
        MigrationState::Expanded(versions) => tracing::warn!(
            event = "schema.newer", migrations = ?versions,
            "the database was migrated by a newer version, which this one may work beside"
        ),
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
    let store = Store::open(&url)
        .await
        .context("the database can't be opened (database.url)")?;
    Ok(if config.metrics.address().is_some() {
        store.timed_by(Arc::new(SystemClock))
    } else {
        store
    })
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
        sender: Sender {
            sender: config.cbc.sender.clone(),
            name: config.cbc.sender_name.clone(),
            public_page: config.cbc.public_page.clone(),
        },
        scripts: config.text.scripts,
        is_live: config.environment == config::Environment::Live,
        has_test_routes: !matches!(
            config.environment,
            config::Environment::Staging | config::Environment::Live
        ),
        author_url: config
            .http
            .author_url
            .as_ref()
            .map(|url| url.reveal().to_owned()),
        link_key: config.links.key(),
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
        indexes: Arc::default(),
        traceparent: traces::reader(config),
    })
}

/// Says so where secrets are encrypted with a key that everybody knows. For those who set a
/// service up and start it; a command on an alert has nothing to do with it.
pub(crate) fn warn_of_development_key(config: &Config) {
    let url = config.database.url.reveal().parse::<DatabaseUrl>();
    let has_file = url.is_ok_and(|url| url.file().is_some());
    if config.secrets.key_file.is_none() && !has_file {
        tracing::warn!(
            event = "secrets.development_key",
            "secrets.key_file is not set: secrets at rest are encrypted with the key of \
             development, which everybody knows"
        );
    }
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
        (None, None) => return Ok(SecretKey::new(&DEVELOPMENT_KEY)),
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
