//! A PostgreSQL server for one test alone, which may stop, restart, freeze, promote or fill it.
//!
//! Unlike the shared one it lives in a folder of the test's choosing (a small file system, for
//! example), keeps its files over a restart, and ends with its guard.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::machine::{
    WHAT_TO_DO, find_programs, forget_connection_settings, random_bytes, run, server_account,
};

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const SUPERUSER: &str = "postgres";
const ROLE: &str = "balefire";
const START_SECONDS_MAX: u32 = 60;
/// The settings of every such server. Write-ahead log is kept small: it may live on a small disk.
const SETTINGS: &str = "unix_socket_directories = ''\nmax_connections = 100\ntimezone = 'UTC'\n\
                        max_wal_size = 48MB\nmin_wal_size = 32MB\nshared_buffers = 16MB\n";

/// A server of a test's own.
#[derive(Debug)]
pub struct OwnServer {
    programs: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    account: Option<(u32, u32)>,
}

/// How a server is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopMode {
    /// Sessions are ended, and everything is written.
    Fast,
    /// As a crash: the next start recovers.
    Immediate,
}

impl StopMode {
    /// PostgreSQL's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

impl OwnServer {
    /// Makes and starts a server in `folder`, which exists, with these further lines of
    /// configuration. It has the database `balefire`.
    ///
    /// # Panics
    ///
    /// When PostgreSQL isn't installed or doesn't start. The message says what to do.
    #[must_use]
    pub fn make(folder: &Path, settings: &str) -> Self {
        match Self::try_make(folder, settings) {
            Ok(server) => server,
            Err(error) => panic!("no PostgreSQL of its own for this test: {error:#}"),
        }
    }

    fn try_make(folder: &Path, settings: &str) -> Result<Self> {
        let password = format!("{:x}", u128::from_le_bytes(random_bytes()) | 1 << 127);
        let server = Self::new(folder, password)?;
        let password_file = folder.join("password");
        fs::write(&password_file, &server.password)?;
        let pwfile = format!("--pwfile={}", password_file.display());
        let username = format!("--username={SUPERUSER}");
        let data = format!("--pgdata={}", server.data().display());
        let args = [
            "--auth=password",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
            "--no-sync",
            &username,
            &pwfile,
            &data,
        ];
        if let Some((uid, gid)) = server.account {
            chown(&password_file, Some(uid), Some(gid))?;
        }
        run(server.command("initdb", &args))?;
        // Replication needs a line of its own: `all` does not stand for it.
        server.append(
            "pg_hba.conf",
            "host replication all 127.0.0.1/32 password\n",
        )?;
        server.append("postgresql.conf", &format!("{SETTINGS}{settings}"))?;
        server.try_start()?;
        server.try_sql(
            "postgres",
            &format!("CREATE ROLE {ROLE} LOGIN PASSWORD '{}'", server.password),
        )?;
        server.try_sql("postgres", &format!("CREATE DATABASE {ROLE} OWNER {ROLE}"))?;
        Ok(server)
    }

    /// A streaming standby of this server, in a folder of its own, under this application name.
    ///
    /// # Panics
    ///
    /// When it can't be made.
    #[must_use]
    pub fn make_standby(&self, folder: &Path, name: &str) -> Self {
        match self.try_make_standby(folder, name) {
            Ok(server) => server,
            Err(error) => panic!("no standby for this test: {error:#}"),
        }
    }

    fn try_make_standby(&self, folder: &Path, name: &str) -> Result<Self> {
        let standby = Self::new(folder, self.password.clone())?;
        let data = format!("--pgdata={}", standby.data().display());
        let from = format!(
            "--dbname=host={HOST} port={} user={SUPERUSER} password={} application_name={name}",
            self.port, self.password
        );
        let args = [
            data.as_str(),
            &from,
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ];
        run(standby.command("pg_basebackup", &args))?;
        standby.try_start()?;
        Ok(standby)
    }

    fn new(folder: &Path, password: String) -> Result<Self> {
        let programs = find_programs()
            .with_context(|| format!("PostgreSQL is not installed: {WHAT_TO_DO}"))?;
        // The server's account must be able to walk here.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
        let server = Self {
            programs,
            folder: folder.to_owned(),
            port: TcpListener::bind((HOST, 0))?.local_addr()?.port(),
            password,
            account: server_account()?,
        };
        DirBuilder::new().mode(0o700).create(server.data())?;
        if let Some((uid, gid)) = server.account {
            chown(server.data(), Some(uid), Some(gid))?;
        }
        Ok(server)
    }

    /// Where its files are.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// The port on loopback that it listens on, also after a restart.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The address of its database through another port on loopback, such as a forwarder's.
    #[must_use]
    pub fn url_through(&self, port: u16) -> String {
        format!("postgres://{ROLE}:{}@{HOST}:{port}/{ROLE}", self.password)
    }

    /// The address of its database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_through(self.port)
    }

    /// Starts it again.
    ///
    /// # Panics
    ///
    /// When it doesn't start; with its log.
    pub fn start(&self) {
        if let Err(error) = self.try_start() {
            panic!("{error:#}");
        }
    }

    /// Starts it again, where that may fail.
    ///
    /// # Errors
    ///
    /// When it doesn't start; with its log.
    pub fn try_start(&self) -> Result<()> {
        let data = format!("--pgdata={}", self.data().display());
        // Not on the disk that a test may fill.
        let log = std::env::temp_dir().join(format!("balefire-own-postgres-{}.log", self.port));
        let file = OpenOptions::new().create(true).append(true).open(&log)?;
        if let Some((uid, gid)) = self.account {
            chown(&log, Some(uid), Some(gid))?;
        }
        drop(file);
        let log_flag = format!("--log={}", log.display());
        let timeout = format!("--timeout={START_SECONDS_MAX}");
        let options = format!("--options=-p {} -c listen_addresses={HOST}", self.port);
        let args = ["start", "--wait", &data, &log_flag, &timeout, &options];
        run(self.command("pg_ctl", &args))
            .map(drop)
            .with_context(|| {
                let said = fs::read_to_string(&log).unwrap_or_default();
                let from = said.len().saturating_sub(4_000);
                format!(
                    "PostgreSQL didn't start; its log ends with:\n{}",
                    &said[from..]
                )
            })
    }

    /// Stops it and waits for its end.
    ///
    /// # Panics
    ///
    /// When it doesn't stop.
    pub fn stop(&self, how: StopMode) {
        if let Err(error) = self.try_stop(how) {
            panic!("PostgreSQL didn't stop: {error:#}");
        }
    }

    fn try_stop(&self, how: StopMode) -> Result<()> {
        let data = format!("--pgdata={}", self.data().display());
        let mode = format!("--mode={}", how.as_str());
        run(self.command("pg_ctl", &["stop", "--wait", &data, &mode])).map(drop)
    }

    /// Makes a standby the primary, and waits until it takes writes.
    ///
    /// # Panics
    ///
    /// When it doesn't.
    pub fn promote(&self) {
        let data = format!("--pgdata={}", self.data().display());
        if let Err(error) = run(self.command("pg_ctl", &["promote", "--wait", &data])) {
            panic!("the standby was not promoted: {error:#}");
        }
    }

    /// Runs SQL as the superuser in the database; what `psql` prints.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    #[must_use]
    pub fn sql(&self, sql: &str) -> String {
        match self.try_sql(ROLE, sql) {
            Ok(rows) => rows,
            Err(error) => panic!("the superuser's statement failed: {error:#}"),
        }
    }

    /// Runs SQL as the superuser in the database, where that may fail.
    ///
    /// # Errors
    ///
    /// When the server refuses it or is not there.
    pub fn try_sql(&self, database: &str, sql: &str) -> Result<String> {
        let port = self.port.to_string();
        let args = [
            "--no-psqlrc",
            "--no-password",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set",
            "ON_ERROR_STOP=1",
            "--host",
            "127.0.0.1",
            "--username",
            SUPERUSER,
            "--port",
            &port,
            "--dbname",
            database,
            "--command",
            sql,
        ];
        let mut command = self.command("psql", &args);
        command
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10");
        run(command)
    }

    /// Stops every process of the server where it is, as a machine that hangs: connections stay
    /// open, new ones are accepted by the kernel, and nobody answers.
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn freeze(&self) {
        // The first one first, so that it starts no others meanwhile.
        self.signal("-STOP");
    }

    /// Lets it go on.
    ///
    /// # Panics
    ///
    /// When it doesn't run.
    pub fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = fs::read_to_string(self.data().join("postmaster.pid"));
        let pid = pid.expect("the server runs");
        let first = pid
            .lines()
            .next()
            .expect("its first line is the process")
            .trim();
        let send = |id: &str| Command::new("kill").args([signal, id]).output().map(drop);
        send(first).expect("every Unix has `kill`");
        for child in children_of(first) {
            send(&child).expect("every Unix has `kill`");
        }
    }

    /// The command that runs one of the server's programs as its account.
    fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        forget_connection_settings(&mut command);
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command.args(args).current_dir(&self.folder);
        command
    }

    fn append(&self, name: &str, text: &str) -> Result<()> {
        let path = self.data().join(name);
        ensure!(path.exists(), "{} is not there", path.display());
        let mut file = OpenOptions::new().append(true).open(path)?;
        Ok(file.write_all(format!("\n{text}\n").as_bytes())?)
    }
}

impl Drop for OwnServer {
    /// Ends it at once, also where the test froze it. Best effort: nothing of it is kept.
    fn drop(&mut self) {
        if self.data().join("postmaster.pid").exists() {
            self.thaw();
            let _ = self.try_stop(StopMode::Immediate);
        }
        let log = std::env::temp_dir().join(format!("balefire-own-postgres-{}.log", self.port));
        let _ = fs::remove_file(log);
    }
}

/// The processes whose parent this is.
fn children_of(parent: &str) -> Vec<String> {
    let path = format!("/proc/{parent}/task/{parent}/children");
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}
