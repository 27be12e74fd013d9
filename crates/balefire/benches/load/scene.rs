//! The processes: a service, its simulated networks, its database.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use balefire_app::authenticate::make_token;
use balefire_test_support::postgres::cluster::{Cluster, ROLE, Server, Stop};
use serde_json::{Value, json};

use crate::figures;
use crate::http::Client;

const PROGRAM: &str = env!("CARGO_BIN_EXE_balefire");
const SAMPLE: &str = include_str!("../../demo/flood.xml");
const CLIENT_SECRET: &str = "a secret of the load command alone";
/// The four networks; the last one is told in another format.
pub(crate) const PROVIDERS: [&str; 4] = ["ee", "o2", "three", "vodafone"];
const START_SECONDS_MAX: f64 = 30.0;
const LOOK_PERIOD: Duration = Duration::from_millis(1);

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "sqlite" => Ok(Self::Sqlite),
            "postgres" => Ok(Self::Postgres),
            _ => bail!("--engine is sqlite or postgres"),
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgresql",
        }
    }
}

/// A PostgreSQL of this run alone, with fsync on, gone with this value.
pub(crate) struct Postgres {
    cluster: Cluster,
    server: Server,
}

impl Postgres {
    /// Starts one that is named after `folder`.
    pub(crate) fn start(folder: &Path) -> Result<Self> {
        let cluster = Cluster::of_workspace(folder);
        let server = cluster.join()?;
        Ok(Self { cluster, server })
    }

    fn new_database(&self, name: &str) -> Result<String> {
        self.server.run_sql(&format!(
            "CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0"
        ))?;
        Ok(self.server.url_of(name))
    }

    /// What the figures depend on.
    pub(crate) fn settings(&self) -> Result<Value> {
        let show = |name: &str| self.server.run_sql(&format!("SHOW {name}"));
        Ok(json!({
            "version": show("server_version")?, "fsync": show("fsync")?,
            "synchronous_commit": show("synchronous_commit")?,
        }))
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // It belongs to nobody else, and a failure can't be told from here.
        let _ = self.cluster.stop(Stop::Always);
        let _ = fs::remove_dir_all(self.cluster.folder());
    }
}

/// Where the parts of a run put their files and databases.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) folder: &'a Path,
    pub(crate) postgres: Option<&'a Postgres>,
}

impl Place<'_> {
    pub(crate) fn engine(&self) -> Engine {
        self.postgres.map_or(Engine::Sqlite, |_| Engine::Postgres)
    }
}

/// A process that is killed, by its own id, when this value goes.
pub(crate) struct Process(Child);

impl Process {
    fn start(args: &[&str], out: &Path) -> Result<Self> {
        let file = File::create(out)?;
        let mut command = Command::new(PROGRAM);
        command.args(args).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file);
        forget_settings(&mut command);
        Ok(Self(command.spawn().context("can't start balefire")?))
    }

    /// Waits until the process has written the line with `mark`; the address that follows it.
    fn address_after(&mut self, mark: &str, out: &Path) -> Result<String> {
        let started = figures::start();
        while figures::ms_since(started) < START_SECONDS_MAX * 1000.0 {
            let text = fs::read_to_string(out)?;
            let line = text
                .split_once(mark)
                .and_then(|(_, rest)| rest.split_once('\n'));
            if let Some((address, _)) = line {
                return Ok(address.to_owned());
            }
            ensure!(self.0.try_wait()?.is_none(), "balefire ended: {text}");
            figures::pause(LOOK_PERIOD);
        }
        bail!("balefire was not ready within {START_SECONDS_MAX} s")
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One country: a service with its database, its networks, and the people that it needs.
pub(crate) struct Scene {
    pub(crate) serve: Process,
    /// `127.0.0.1:port` of the service.
    pub(crate) address: String,
    /// From the start of the process to its first answer that it is ready.
    pub(crate) ready_ms: f64,
    config: PathBuf,
    service: String,
    key_secret: String,
    approver: String,
    _networks: Process,
}

impl Scene {
    /// Starts everything on a new database. `name` is the database's and the files'; `faults` is
    /// what the networks meet.
    pub(crate) fn start(place: &Place<'_>, name: &str, faults: &str) -> Result<Self> {
        let path = |ending: &str| place.folder.join(format!("{name}{ending}"));
        fs::write(path(".faults.toml"), faults)?;
        let networks_out = path(".networks.log");
        let faults_file = path(".faults.toml").display().to_string();
        let args = [
            "provider-sim",
            "--listen",
            "127.0.0.1:0",
            "--faults",
            &faults_file,
        ];
        let mut networks = Process::start(&args, &networks_out)?;
        let networks_url = networks.address_after("listening on ", &networks_out)?;

        let config = path(".toml");
        let database = match place.postgres {
            None => format!("sqlite://{}", path(".db").display()),
            Some(postgres) => postgres.new_database(name)?,
        };
        fs::write(&config, config_text(&database, &networks_url))?;
        let config_file = config.display().to_string();
        if place.postgres.is_some() {
            run(&config_file, &["migrate"])?;
        }
        let serve_out = path(".serve.log");
        let started = figures::start();
        let mut serve = Process::start(&["--config", &config_file, "serve"], &serve_out)?;
        let address = serve.address_after("ready on http://", &serve_out)?;
        let mut client = Client::connect(&address)?;
        while client
            .call("GET /_api_status/ready", "", "text/plain", "")?
            .0
            != 200
        {
            let seconds = figures::ms_since(started) / 1000.0;
            ensure!(
                seconds < START_SECONDS_MAX,
                "the service does not become ready"
            );
            figures::pause(LOOK_PERIOD);
        }
        let ready_ms = figures::ms_since(started);

        let text_of = |object: &Value, key: &str| {
            let text = object[key].as_str().map(str::to_owned);
            text.with_context(|| format!("no {key} in {object}"))
        };
        let new_service = ["service", "create", "--name", "Load", "--mode", "live"];
        let service = run(
            &config_file,
            &[&new_service[..], &["--channel", "severe"]].concat(),
        )?;
        let service = text_of(&service, "id")?;
        let new_user = [
            "user",
            "create",
            "--name",
            "Approver",
            "--email",
            "approver@example.org",
        ];
        let user = run(
            &config_file,
            &[&new_user[..], &["--service", &service]].concat(),
        )?;
        let new_key = ["key", "create", "--service", &service, "--name", "load"];
        let key = run(
            &config_file,
            &[&new_key[..], &["--type", "normal"]].concat(),
        )?;
        Ok(Self {
            serve,
            address,
            ready_ms,
            config,
            service,
            key_secret: text_of(&key, "secret")?,
            approver: text_of(&user, "id")?,
            _networks: networks,
        })
    }

    /// Submits a document; the alert's id.
    pub(crate) fn submit(&self, client: &mut Client, document: &str) -> Result<String> {
        let token = make_token(&self.service, &self.key_secret, figures::now());
        let (status, body) = client.call(
            "POST /v2/broadcast",
            &token,
            "application/cap+xml",
            document,
        )?;
        ensure!(status == 201, "POST /v2/broadcast: {status} {body}");
        let alert: Value = serde_json::from_str(&body)?;
        alert["id"].as_str().map(str::to_owned).context("no id")
    }

    /// The approving request, ready to be sent: line, token and body.
    pub(crate) fn approval(&self, alert: &str) -> (String, String, String) {
        let service = &self.service;
        let line = format!("POST /service/{service}/broadcast-message/{alert}/status");
        let token = make_token("notify-admin", CLIENT_SECRET, figures::now());
        let body = json!({ "status": "broadcasting", "created_by": self.approver });
        (line, token, body.to_string())
    }

    /// An alert's deliveries with their attempts, as `delivery list --json` tells them.
    pub(crate) fn deliveries(&self, alert: &str) -> Result<Vec<Value>> {
        let listed = run(
            &self.config.display().to_string(),
            &["delivery", "list", alert],
        )?;
        listed.as_array().cloned().context("no list")
    }
}

/// The demo's own alert, with an identifier of its own.
pub(crate) fn document(name: &str) -> String {
    SAMPLE.replace("{n}", name)
}

fn run(config: &str, args: &[&str]) -> Result<Value> {
    let mut command = Command::new(PROGRAM);
    command
        .args(["--config", config, "--json"])
        .args(args)
        .stdin(Stdio::null());
    forget_settings(&mut command);
    let output = command.output().context("can't start balefire")?;
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    ensure!(
        output.status.success(),
        "balefire {}: {out}{err}",
        args.join(" ")
    );
    Ok(serde_json::from_str(&out).unwrap_or(Value::Null))
}

/// The user's own settings are for another service.
fn forget_settings(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("BALEFIRE_"))
        {
            command.env_remove(name);
        }
    }
}

fn config_text(database: &str, networks: &str) -> String {
    let mut text = format!(
        "environment = \"development\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [database]\nurl = \"{database}\"\n[clients]\nnotify-admin = [\"{CLIENT_SECRET}\"]\n\
         [cbc]\nendpoint_url = \"{networks}\"\n"
    );
    for name in PROVIDERS {
        let format = if name == "vodafone" { "ibag" } else { "cap" };
        write!(
            text,
            "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\n\
             routes = [{{ proxy = \"{name}-1-proxy\" }}, {{ proxy = \"{name}-2-proxy\" }}]\n\
             upstream_timeout_seconds = 0\n\
             capabilities = {{ dedup = true, shared_sites = true, own_protocol = true }}\n"
        )
        .expect("writing to a String can't fail");
    }
    text
}
