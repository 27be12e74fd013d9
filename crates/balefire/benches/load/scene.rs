//! One country: a service with its database, its simulated networks, and the people it needs.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use balefire_app::authenticate::make_token;
use serde_json::{Value, json};

use crate::figures;
use crate::http::Client;
use crate::process::{LOOK_PERIOD, Place, Process, START_SECONDS_MAX, run};

const SAMPLE: &str = include_str!("../../demo/flood.xml");
const CLIENT_SECRET: &str = "a secret of the load command alone";
/// The four networks; the last one is told in another format.
pub(crate) const PROVIDERS: [&str; 4] = ["ee", "o2", "three", "vodafone"];
/// How long the networks take to answer when nothing is wrong, in milliseconds.
pub(crate) const ANSWER_MS: u32 = 5;

/// A service of an agency.
pub(crate) struct Agency {
    pub(crate) service: String,
    key_secret: String,
    approver: String,
}

/// The country's processes.
pub(crate) struct Scene {
    pub(crate) serve: Option<Process>,
    /// `127.0.0.1:port` of the service.
    pub(crate) address: String,
    /// From the start of the process to its first answer that it is ready.
    pub(crate) ready_ms: f64,
    /// The address of its database.
    pub(crate) database: String,
    /// What the networks were sent.
    pub(crate) provider_log: PathBuf,
    pub(crate) agency: Agency,
    config: PathBuf,
    serve_out: PathBuf,
    networks_address: String,
    _networks: Process,
}

/// The faults file in which every network answers after [`ANSWER_MS`], and before that meets
/// `faults`.
pub(crate) fn slow(faults: &str) -> String {
    format!("{faults}[[fault]]\nkind = \"slow\"\nms = {ANSWER_MS}\n")
}

impl Scene {
    /// Starts everything on a new database. `name` is the database's and the files'; `faults` is
    /// the networks' faults file.
    pub(crate) fn start(place: &Place<'_>, name: &str, faults: &str) -> Result<Self> {
        let path = |ending: &str| place.folder.join(format!("{name}{ending}"));
        fs::write(path(".faults.toml"), faults)?;
        let networks_out = path(".networks.log");
        let faults_file = path(".faults.toml").display().to_string();
        let provider_log = path(".requests.jsonl");
        let log_file = provider_log.display().to_string();
        let args = ["provider-sim", "--listen", "127.0.0.1:0", "--faults"];
        let args = [&args[..], &[&faults_file, "--log", &log_file]].concat();
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
        let (serve, address, ready_ms) = serve(&config_file, &serve_out)?;
        Ok(Self {
            serve: Some(serve),
            address,
            ready_ms,
            database,
            provider_log,
            agency: new_agency(&config_file, "severe")?,
            config,
            serve_out,
            networks_address: networks_url.trim_start_matches("http://").to_owned(),
            _networks: networks,
        })
    }

    /// The service's process id.
    pub(crate) fn process(&self) -> u32 {
        self.serve.as_ref().expect("it was started").id()
    }

    /// Kills the service as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.serve = None;
    }

    /// Starts the service again on the same database, under the same name.
    pub(crate) fn restart(&mut self) -> Result<()> {
        let (serve, address, ready_ms) = serve(&self.config_file(), &self.serve_out)?;
        (self.serve, self.address, self.ready_ms) = (Some(serve), address, ready_ms);
        Ok(())
    }

    /// Another agency, whose alerts go out on `channel`.
    pub(crate) fn new_agency(&self, channel: &str) -> Result<Agency> {
        new_agency(&self.config_file(), channel)
    }

    /// A connection to the networks' controls.
    pub(crate) fn networks(&self) -> Result<Client> {
        Client::connect(&self.networks_address)
    }

    /// Submits a document; the alert's id.
    pub(crate) fn submit(&self, client: &mut Client, document: &str) -> Result<String> {
        self.agency.submit(client, document)
    }

    /// What the record says of itself, judged with the networks' log.
    pub(crate) fn verify(&self) -> Result<Value> {
        let log = self.provider_log.display().to_string();
        let told = run(
            &self.config_file(),
            &["history", "verify", "--provider-log", &log],
        )?;
        let violations = |invariant: &Value| invariant["violations"].as_u64().unwrap_or(0);
        let invariants = told["invariants"].as_array().context("no invariants")?;
        let broken = invariants.iter().filter(|one| violations(one) > 0);
        Ok(json!({
            "ok": told["ok"], "alerts": told["alerts"], "requests": told["requests"],
            "violations": invariants.iter().map(violations).sum::<u64>(),
            "violated": broken.map(|one| one["findings"].clone()).collect::<Vec<_>>(),
        }))
    }

    /// An alert's deliveries as `delivery list --json` tells them, for an error's text.
    pub(crate) fn told(&self, alert: &str) -> String {
        let listed = run(&self.config_file(), &["delivery", "list", alert]);
        listed.map_or_else(|error| error.to_string(), |listed| listed.to_string())
    }

    fn config_file(&self) -> String {
        self.config.display().to_string()
    }
}

impl Agency {
    /// Submits a document; the alert's id.
    pub(crate) fn submit(&self, client: &mut Client, document: &str) -> Result<String> {
        let token = make_token(&self.service, &self.key_secret, figures::now());
        let content_type = "application/cap+xml";
        let (status, body) = client.call("POST /v2/broadcast", &token, content_type, document)?;
        ensure!(status == 201, "POST /v2/broadcast: {status} {body}");
        let alert: Value = serde_json::from_str(&body)?;
        alert["id"].as_str().map(str::to_owned).context("no id")
    }

    /// The request that moves an alert to another state, ready to be sent: line, token and body.
    pub(crate) fn moving(&self, alert: &str, status: &str) -> (String, String, String) {
        let service = &self.service;
        let line = format!("POST /service/{service}/broadcast-message/{alert}/status");
        let token = make_token("notify-admin", CLIENT_SECRET, figures::now());
        let body = json!({ "status": status, "created_by": self.approver });
        (line, token, body.to_string())
    }
}

/// Puts other faults in place at the networks.
pub(crate) fn set_faults(networks: &mut Client, faults: &str) -> Result<()> {
    let (status, answer) = networks.call("PUT /_sim/faults", "", "text/plain", faults)?;
    ensure!(status == 204, "PUT /_sim/faults: {status} {answer}");
    Ok(())
}

/// Starts the service and waits until it is ready: the process, its address, how long it took.
fn serve(config: &str, out: &std::path::Path) -> Result<(Process, String, f64)> {
    let started = figures::start();
    let mut serve = Process::start(&["--config", config, "serve"], out)?;
    let address = serve.address_after("ready on http://", out)?;
    let mut client = Client::connect(&address)?;
    let ready = "GET /_api_status/ready";
    while client.call(ready, "", "text/plain", "")?.0 != 200 {
        let seconds = figures::ms_since(started) / 1000.0;
        ensure!(
            seconds < START_SECONDS_MAX,
            "the service does not become ready"
        );
        figures::pause(LOOK_PERIOD);
    }
    Ok((serve, address, figures::ms_since(started)))
}

fn new_agency(config: &str, channel: &str) -> Result<Agency> {
    let text_of = |object: &Value, key: &str| {
        let text = object[key].as_str().map(str::to_owned);
        text.with_context(|| format!("no {key} in {object}"))
    };
    let new_service = ["service", "create", "--name", channel, "--mode", "live"];
    let service = run(
        config,
        &[&new_service[..], &["--channel", channel]].concat(),
    )?;
    let service = text_of(&service, "id")?;
    let email = format!("{channel}@example.org");
    let new_user = ["user", "create", "--name", "Approver", "--email", &email];
    let user = run(config, &[&new_user[..], &["--service", &service]].concat())?;
    let new_key = ["key", "create", "--service", &service, "--name", "load"];
    let key = run(config, &[&new_key[..], &["--type", "normal"]].concat())?;
    Ok(Agency {
        key_secret: text_of(&key, "secret")?,
        approver: text_of(&user, "id")?,
        service,
    })
}

/// The demo's own alert, with an identifier of its own.
pub(crate) fn document(name: &str) -> String {
    SAMPLE.replace("{n}", name)
}

/// The name is fixed as a listening address is in operation: who starts under it again takes over
/// its attempts at once.
fn config_text(database: &str, networks: &str) -> String {
    let mut text = format!(
        "environment = \"development\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
         [database]\nurl = \"{database}\"\n[clients]\nnotify-admin = [\"{CLIENT_SECRET}\"]\n\
         [dispatch]\ninstance_name = \"load\"\n\
         [cbc]\nendpoint_url = \"{networks}\"\n"
    );
    for name in PROVIDERS {
        let format = if name == "vodafone" { "ibag" } else { "cap" };
        write!(
            text,
            "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\n\
             routes = [{{ proxy = \"{name}-1-proxy\" }}, {{ proxy = \"{name}-2-proxy\" }}]\n\
             capabilities = {{ dedup = true, shared_sites = true, own_protocol = true }}\n"
        )
        .expect("writing to a String can't fail");
    }
    text
}
