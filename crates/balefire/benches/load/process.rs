//! What a scene is made of: a database, and the product's own processes.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use balefire_test_support::postgres::cluster::{Cluster, ROLE, Server, Stop};
use serde_json::{Value, json};

use crate::figures;

const PROGRAM: &str = env!("CARGO_BIN_EXE_balefire");
pub(crate) const START_SECONDS_MAX: f64 = 30.0;
pub(crate) const LOOK_PERIOD: Duration = Duration::from_millis(1);

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

    pub(crate) fn new_database(&self, name: &str) -> Result<String> {
        self.server.run_sql(&format!(
            "CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0"
        ))?;
        Ok(self.server.url_of(name))
    }

    /// Runs SQL as the superuser.
    pub(crate) fn run_sql(&self, sql: &str) -> Result<String> {
        self.server.run_sql(sql)
    }

    /// Where the server writes its log.
    pub(crate) fn log(&self) -> PathBuf {
        self.cluster.folder().join("data/server.log")
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
    /// Starts one; what it writes goes to `out`, as a new file.
    pub(crate) fn start(args: &[&str], out: &Path) -> Result<Self> {
        let file = File::create(out)?;
        let mut command = Command::new(PROGRAM);
        command.args(args).stdin(Stdio::null());
        command.stdout(file.try_clone()?).stderr(file);
        forget_settings(&mut command);
        Ok(Self(command.spawn().context("can't start balefire")?))
    }

    /// Waits until the process has written the line with `mark`; the address that follows it.
    pub(crate) fn address_after(&mut self, mark: &str, out: &Path) -> Result<String> {
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

/// Runs a command of the product; what it prints as JSON.
pub(crate) fn run(config: &str, args: &[&str]) -> Result<Value> {
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
    // What was found to be wrong is told in JSON as well, and is a figure.
    let printed = serde_json::from_str(&out);
    ensure!(
        output.status.success() || printed.is_ok(),
        "balefire {}: {out}{err}",
        args.join(" ")
    );
    Ok(printed.unwrap_or(Value::Null))
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
