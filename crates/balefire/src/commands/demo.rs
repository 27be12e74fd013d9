//! `demo`: everything in one process (D55): SQLite in a temporary folder, four simulated networks
//! over real HTTP on loopback, two people, and a sample alert from CAP to acceptance.

use std::fmt::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use balefire_app::App;
use balefire_app::authenticate::make_token;
use balefire_app::services::NewService;
use balefire_app::users::NewUser;
use balefire_domain::alert::Mode;
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, ServiceId, UserId};
use balefire_domain::lane::State;
use balefire_gateway::{HttpCall, HttpClient};
use balefire_provider_sim::{Faults, Simulator};
use balefire_store::api_keys::KeyKind;
use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{demo_output, render};
use crate::cli::Role;
use crate::config::{self, Config, Url};
use crate::runtime;
use crate::service::Service;
use crate::{FAILED, telemetry};

/// The sample: a flood alert of our own writing.
const SAMPLE: &str = include_str!("../../demo/flood.xml");
/// One network's first route refuses, so that the failover is seen.
const FAULTS: &str = "[[fault]]\nfunction = \"three-1-proxy\"\nkind = \"refuse\"\n";
/// How long the sample alert may take until every network has answered.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(30);
/// How often the deliveries are looked at.
const LOOK_PERIOD: Duration = Duration::from_millis(5);
const AUTHOR: &str = "author@example.org";
const APPROVER: &str = "approver@example.org";

/// What the demo made, for the lines that a person may copy.
pub(super) struct Scene {
    pub(super) api: String,
    pub(super) simulator: String,
    pub(super) config_file: String,
    pub(super) sample_file: String,
    pub(super) log_file: String,
    pub(super) service: ServiceId,
    pub(super) key_secret: String,
    pub(super) approver: UserId,
    pub(super) approver_email: &'static str,
    pub(super) author_email: &'static str,
}

pub(super) async fn run(once: bool) -> anyhow::Result<ExitCode> {
    let folder = tempfile::Builder::new()
        .prefix("balefire-demo-")
        .tempdir()?;
    let log_file = folder.path().join("balefire.log");
    let _log = telemetry::to_file(&log_file)?;
    let end = CancellationToken::new();
    let mut tasks = JoinSet::new();
    runtime::end_at_signal(&mut tasks, end.clone())?;
    let simulator = Simulator::bind(([127, 0, 0, 1], 0).into(), Faults::parse_toml(FAULTS)?)?;
    let simulator_url = format!("http://{}", simulator.local_addr());
    let mut networks = JoinSet::new();
    networks.spawn(simulator.run_until(end.clone().cancelled_owned()));

    let client_secret = uuid_text();
    let config = configure(folder.path(), &simulator_url, &client_secret)?;
    let app = runtime::open_app(&config).await?;
    let roles = [Role::Api, Role::Dispatch, Role::Schedule];
    let service = Service::start(&config, app.clone(), &roles, end.clone()).await?;
    let api = format!("http://{}", service.address);
    let scene = people(&app, folder.path(), api, simulator_url, &log_file).await?;
    // The commands that a person copies must find the port that was free.
    write_config(
        folder.path(),
        &config,
        &client_secret,
        &service.address.to_string(),
    )?;

    let code = tokio::select! {
        code = play(&app, &scene, &client_secret) => code?,
        () = end.cancelled() => FAILED,
    };
    if !once && !end.is_cancelled() {
        demo_output::by_hand(&scene, &client_secret);
        tokio::select! {
            () = end.cancelled() => {}
            () = watch_all(&app) => {}
        }
    }
    end.cancel();
    service.ended().await?;
    while networks.join_next().await.is_some() {}
    app.store.close().await;
    say!("\nThe demo has ended; its folder is removed.");
    Ok(ExitCode::from(if once { code } else { 0 }))
}

fn uuid_text() -> String {
    use balefire_domain::entropy::Entropy;
    crate::entropy::SystemEntropy.uuid_v4().to_string()
}

fn config_text(folder: &Path, simulator: &str, client_secret: &str, listen: &str) -> String {
    let database = folder.join("balefire.db");
    let mut text = format!(
        "environment = \"development\"\n[http]\nlisten = \"{listen}\"\n\
         [database]\nurl = \"sqlite://{}\"\n[clients]\nnotify-admin = [\"{client_secret}\"]\n\
         [cbc]\nendpoint_url = \"{simulator}\"\nheadline = \"Balefire demo\"\n",
        database.display()
    );
    for (name, format) in [
        ("ee", "cap"),
        ("o2", "cap"),
        ("three", "cap"),
        ("vodafone", "ibag"),
    ] {
        let _ = write!(
            text,
            "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\n\
             routes = [{{ proxy = \"{name}-1-proxy\" }}, {{ proxy = \"{name}-2-proxy\" }}]\n\
             upstream_timeout_seconds = 0\n\
             capabilities = {{ dedup = true, shared_sites = true, own_protocol = true }}\n"
        );
    }
    text
}

fn configure(folder: &Path, simulator: &str, client_secret: &str) -> anyhow::Result<Config> {
    let text = config_text(folder, simulator, client_secret, "127.0.0.1:0");
    runtime::checked(config::parse(&text, std::iter::empty())?)
}

fn write_config(
    folder: &Path,
    config: &Config,
    client_secret: &str,
    listen: &str,
) -> anyhow::Result<()> {
    let simulator = config.cbc.endpoint_url.as_ref().map_or("", Url::reveal);
    let text = config_text(folder, simulator, client_secret, listen);
    std::fs::write(folder.join("balefire.toml"), text).context("can't write the configuration")
}

/// A live service with a key, an author and an approver.
async fn people(
    app: &App,
    folder: &Path,
    api: String,
    simulator: String,
    log_file: &Path,
) -> anyhow::Result<Scene> {
    let actor = Actor::CommandLine;
    let new = NewService {
        name: "Demo flood service".to_owned(),
        mode: Mode::Live,
        channel: Channel::Severe,
        providers: None,
    };
    let service = app.create_service(actor, new).await?.id;
    let person = |name: &str, email: &str| NewUser {
        name: name.to_owned(),
        email: email.to_owned(),
        is_platform_admin: false,
        services: vec![service],
    };
    let author = app.create_user(actor, person("Demo author", AUTHOR)).await;
    author.map_err(|error| anyhow::anyhow!("the author: {error}"))?;
    let approver = app
        .create_user(actor, person("Demo approver", APPROVER))
        .await;
    let approver = approver
        .map_err(|error| anyhow::anyhow!("the approver: {error}"))?
        .id;
    let key = app
        .create_key(actor, service, "demo".to_owned(), KeyKind::Normal)
        .await?;
    let key_secret = key.context("the service was just made")?.secret;
    let sample_file = folder.join("flood.xml");
    std::fs::write(&sample_file, SAMPLE.replace("{n}", "by-hand"))?;
    let shown = |path: &Path| path.display().to_string();
    Ok(Scene {
        api,
        simulator,
        config_file: shown(&folder.join("balefire.toml")),
        sample_file: shown(&sample_file),
        log_file: shown(log_file),
        service,
        key_secret,
        approver,
        approver_email: APPROVER,
        author_email: AUTHOR,
    })
}

/// The sample alert from CAP to acceptance; the exit code.
async fn play(app: &App, scene: &Scene, client_secret: &str) -> anyhow::Result<u8> {
    let client = HttpClient::new(Duration::from_secs(1), None)?;
    say!("Balefire demo: one alert from a CAP document to four mobile networks.\n");
    let document = SAMPLE.replace("{n}", "1");
    let token = make_token(
        &scene.service.to_string(),
        &scene.key_secret,
        app.clock.now(),
    );
    let url = format!("{}/v2/broadcast", scene.api);
    let alert = call(&client, url, &token, "application/cap+xml", document).await?;
    let id: AlertId = alert["id"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .context("no alert id")?;
    say!(
        "1. An agency posts a CAP flood alert.   alert {id}: {}",
        alert["status"].as_str().unwrap_or("?")
    );

    let token = make_token("notify-admin", client_secret, app.clock.now());
    let url = format!(
        "{}/service/{}/broadcast-message/{id}/status",
        scene.api, scene.service
    );
    let body = json!({ "status": "broadcasting", "created_by": scene.approver });
    let approved = call(&client, url, &token, "application/json", body.to_string()).await?;
    say!(
        "2. A second person approves it.         alert {id}: {}",
        approved["status"].as_str().unwrap_or("?")
    );
    say!("3. It goes to every network (three's first route refuses):\n");
    demo_output::head();
    let is_acknowledged = tokio::time::timeout(ACKNOWLEDGED_WITHIN, follow(app, id)).await;
    match is_acknowledged {
        Ok(Ok(true)) => {
            say!("\nEvery network has accepted the alert.");
            Ok(0)
        }
        Ok(Ok(false)) => {
            say!("\nNot every network has accepted the alert.");
            Ok(FAILED)
        }
        Ok(Err(error)) => Err(error),
        Err(_) => {
            say!("\nNot every network has answered in {ACKNOWLEDGED_WITHIN:?}.");
            Ok(FAILED)
        }
    }
}

async fn call(
    client: &HttpClient,
    url: String,
    token: &str,
    content_type: &str,
    body: String,
) -> anyhow::Result<Value> {
    let answer = client
        .call(HttpCall {
            method: Method::POST,
            url: url.clone(),
            headers: vec![
                ("authorization".to_owned(), format!("Bearer {token}")),
                ("content-type".to_owned(), content_type.to_owned()),
            ],
            body: Bytes::from(body),
            timeout: Duration::from_secs(10),
        })
        .await
        .with_context(|| format!("POST {url}"))?;
    let text = String::from_utf8_lossy(&answer.body);
    if !matches!(answer.status, 200 | 201) {
        bail!("POST {url} was answered {}: {text}", answer.status);
    }
    Ok(serde_json::from_str(&text)?)
}

/// Prints each delivery as it ends; whether all ended acknowledged.
async fn follow(app: &App, id: AlertId) -> anyhow::Result<bool> {
    let mut told = std::collections::BTreeSet::new();
    loop {
        let histories = app.list_deliveries(id).await?;
        for history in &histories {
            if history.delivery.state.is_terminal() && told.insert(history.delivery.id) {
                say!("   {}", render::delivery_line(history));
            }
        }
        if !histories.is_empty() && told.len() == histories.len() {
            let is_acknowledged = |state: State| matches!(state, State::Acknowledged { .. });
            return Ok(histories
                .iter()
                .all(|history| is_acknowledged(history.delivery.state)));
        }
        tokio::time::sleep(LOOK_PERIOD).await;
    }
}

/// Prints what ends at any network, for alerts that are made by hand.
async fn watch_all(app: &App) {
    let mut told = std::collections::BTreeSet::new();
    let mut is_first = true;
    loop {
        if let Err(error) = tell_news(app, &mut told, is_first).await {
            say!("   the deliveries can't be read: {error:#}");
        }
        is_first = false;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn tell_news(
    app: &App,
    told: &mut std::collections::BTreeSet<balefire_domain::ids::DeliveryId>,
    is_first: bool,
) -> anyhow::Result<()> {
    for service in app.list_services().await? {
        for alert in app.list_alerts(service.id).await?.unwrap_or_default() {
            for history in app.list_deliveries(alert.id).await? {
                let is_news = history.delivery.state.is_terminal()
                    && told.insert(history.delivery.id)
                    && !is_first;
                if is_news {
                    say!("   {}  {}", alert.id, render::delivery_line(&history));
                }
            }
        }
    }
    Ok(())
}
