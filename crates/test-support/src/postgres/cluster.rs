//! The private PostgreSQL server of one checkout: found, made, started, joined and stopped.
//!
//! Built into `cargo xtask` as well, which is why it leans on nothing but [`super::machine`], std
//! and anyhow.
//!
//! * **Place.** A folder in the system's temporary folder, named after the checkout's path and the
//!   user: PostgreSQL refuses to run as root, and the account it runs as then can seldom look into
//!   a checkout below root's home. The folder belongs to the user who runs the tests; only `data`
//!   in it belongs to the server.
//! * **Account.** Ourselves; for root the account `postgres` (Debian's package brings it), else
//!   `nobody`.
//! * **Door.** Loopback TCP on a free port, with a random password. No Unix socket: a URL like
//!   those of production is what the code under test reads.
//! * **One at a time.** Starting and stopping hold an exclusive lock on `lock`. Every process that
//!   uses the server holds a shared lock on `users`; the system lets go of it when the process
//!   ends, however it ends.
//! * **Fresh.** A server that isn't running is made anew rather than repaired, so the databases of
//!   killed tests go with it, and a new version of PostgreSQL finds no old files.
//! * **Durable.** `fsync` stays on, as in production, unless the environment says
//!   `BALEFIRE_TEST_POSTGRES_FSYNC=off`.
//!
//! It is not guarded against other programs of the same user, and keeps nothing.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

use super::machine::{
    WHAT_TO_DO, arguments_of, current_uid, find_programs, forget_connection_settings, random_bytes,
    run, server_account,
};

/// The role that tests connect as: it owns their databases and has no other rights.
pub const ROLE: &str = "balefire";
const SUPERUSER: &str = "postgres";
/// Loopback, where nobody outside this machine can knock.
const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
const CONNECTIONS_MAX: u32 = 200;
const START_SECONDS_MAX: u32 = 60;
const PORT_TRIES_MAX: u32 = 5;

/// The place of a checkout's server, whether it runs or not.
#[derive(Debug)]
pub struct Cluster {
    folder: PathBuf,
}

/// What [`Cluster::stop`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// It ran, and now it doesn't.
    Now,
    /// There was none.
    WasNotRunning,
    /// Another process uses it, and the caller didn't want to disturb.
    InUse,
}

/// Whether [`Cluster::stop`] takes the server away from tests that use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Only when no process uses it.
    IfUnused,
    /// In any case.
    Always,
}

/// A running server that this process uses; it is not stopped by `cargo xtask ci` meanwhile.
#[derive(Debug)]
pub struct Server {
    programs: PathBuf,
    port: u16,
    password: String,
    /// The shared lock that says "in use"; held until the process ends.
    _in_use: File,
}

impl Cluster {
    /// The server of the checkout at `root`, the same for all its processes and target folders.
    pub fn of_workspace(root: &Path) -> Self {
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let hash = fnv_1a(root.as_os_str().as_encoded_bytes());
        let name = format!("balefire-test-postgres-{hash:016x}-{}", current_uid());
        Self {
            folder: std::env::temp_dir().join(name),
        }
    }

    /// Where everything of this server is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Joins the running server, or starts it.
    pub fn join(&self) -> Result<Server> {
        let programs = find_programs()
            .with_context(|| format!("PostgreSQL is not installed: {WHAT_TO_DO}"))?;
        let _lock = self.lock()?;
        let in_use = self.open("users")?;
        in_use
            .lock_shared()
            .context("couldn't note that the server is in use")?;
        let running = self.running_process();
        if running.is_none() {
            self.make(&programs)?;
            self.start(&programs)?;
        }
        let server = self.server(programs, in_use)?;
        server.make_role().with_context(|| match running {
            Some(process) => format!(
                "the PostgreSQL of {} (process {process}) runs but doesn't answer; \
                 `cargo xtask postgres stop` ends it",
                self.show()
            ),
            None => "PostgreSQL started and doesn't answer".to_owned(),
        })?;
        Ok(server)
    }

    /// Stops the server and removes its folder's data.
    pub fn stop(&self, how: Stop) -> Result<Stopped> {
        if !self.folder.exists() {
            return Ok(Stopped::WasNotRunning);
        }
        let _lock = self.lock()?;
        let users = self.open("users")?;
        if how == Stop::IfUnused && users.try_lock().is_err() {
            return Ok(Stopped::InUse);
        }
        let was_running = self.running_process().is_some();
        if was_running {
            let programs = find_programs()
                .with_context(|| format!("PostgreSQL is not installed: {WHAT_TO_DO}"))?;
            // Nothing in it is kept, so it may fall over rather than tidy up.
            let args = ["stop", "--wait", "--mode=immediate"];
            self.run(&programs, "pg_ctl", &args)
                .context("the server didn't stop")?;
        }
        self.remove_data()?;
        Ok(if was_running {
            Stopped::Now
        } else {
            Stopped::WasNotRunning
        })
    }

    /// Waits for the right to start or stop the server; it ends when the file is closed.
    fn lock(&self) -> Result<File> {
        match DirBuilder::new().mode(0o755).create(&self.folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(error).with_context(|| format!("couldn't make {}", self.show()));
            }
            _ => {}
        }
        // The name can be guessed and the temporary folder is everybody's.
        let found = fs::symlink_metadata(&self.folder)?;
        let is_ours = found.is_dir() && found.uid() == current_uid();
        ensure!(
            is_ours,
            "{} belongs to somebody else: remove it",
            self.show()
        );
        let file = self.open("lock")?;
        file.lock()
            .with_context(|| format!("couldn't lock {}", self.show()))?;
        Ok(file)
    }

    fn open(&self, name: &str) -> Result<File> {
        let path = self.folder.join(name);
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("couldn't open {}", path.display()))
    }

    /// The process id of the server, when it lives. A file left by a crash, whose number another
    /// program may have by now, doesn't count.
    fn running_process(&self) -> Option<u32> {
        let process: u32 = self.pid_file_line(0)?.parse().ok()?;
        arguments_of(process)?
            .contains(self.data().to_str()?)
            .then_some(process)
    }

    /// A line of `postmaster.pid`: 0 is the process id, 3 the port.
    fn pid_file_line(&self, index: usize) -> Option<String> {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).ok()?;
        text.lines().nth(index).map(|line| line.trim().to_owned())
    }

    /// Makes the files of a new server: password, data folder, configuration.
    fn make(&self, programs: &Path) -> Result<()> {
        self.remove_data()?;
        let account = server_account()?;
        DirBuilder::new().mode(0o700).create(self.data())?;
        let mut password = u128::from_le_bytes(random_bytes());
        password |= 1 << 127; // all 32 digits show
        let mut file = OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(self.password_file())?;
        write!(file, "{password:x}")?;
        if let Some((uid, gid)) = account {
            chown(self.data(), Some(uid), Some(gid))?;
            chown(self.password_file(), Some(uid), Some(gid))?;
        }
        // The password goes over loopback in the clear: the iterations of SCRAM would cost every
        // connection of an unoptimised test build 10 ms.
        let pwfile = format!("--pwfile={}", self.password_file().display());
        let username = format!("--username={SUPERUSER}");
        let args = [
            &username,
            &pwfile,
            "--auth=password",
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
            "--no-sync",
        ];
        self.run(programs, "initdb", &args)
            .context("couldn't make a PostgreSQL cluster")?;
        let is_fsync_off =
            std::env::var("BALEFIRE_TEST_POSTGRES_FSYNC").is_ok_and(|value| value == "off");
        let fsync = if is_fsync_off { "off" } else { "on" };
        let settings = format!(
            "\nlisten_addresses = '{HOST}'\nunix_socket_directories = ''\n\
             max_connections = {CONNECTIONS_MAX}\ntimezone = 'UTC'\nfsync = {fsync}\n"
        );
        let mut file = OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))?;
        file.write_all(settings.as_bytes())?;
        Ok(())
    }

    /// Starts the server on a free port. Another program can take the port between our look and
    /// the server's, hence the tries.
    fn start(&self, programs: &Path) -> Result<()> {
        let log = format!("--log={}", self.log().display());
        let timeout = format!("--timeout={START_SECONDS_MAX}");
        let mut last_error = None;
        for _ in 0..PORT_TRIES_MAX {
            let port = TcpListener::bind((HOST, 0))?.local_addr()?.port();
            let options = format!("--options=-p {port}");
            let args = ["start", "--wait", &log, &timeout, &options];
            match self.run(programs, "pg_ctl", &args) {
                Ok(()) => return Ok(()),
                Err(error) => last_error = Some(error),
            }
        }
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        let error = last_error.expect("at least one try was made");
        Err(error.context(format!("PostgreSQL didn't start; its log says:\n{log}")))
    }

    fn server(&self, programs: PathBuf, in_use: File) -> Result<Server> {
        let port = self.pid_file_line(3).and_then(|line| line.parse().ok());
        let port = port.with_context(|| format!("{} names no port", self.show()))?;
        let password = fs::read_to_string(self.password_file())?;
        Ok(Server {
            programs,
            port,
            password,
            _in_use: in_use,
        })
    }

    /// Runs one of the server's programs as the server's account.
    fn run(&self, programs: &Path, program: &str, args: &[&str]) -> Result<()> {
        let mut command = Command::new(programs.join(program));
        forget_connection_settings(&mut command);
        if let Some((uid, gid)) = server_account()? {
            command.uid(uid).gid(gid);
        }
        command
            .arg("--pgdata")
            .arg(self.data())
            .args(args)
            .current_dir(&self.folder);
        run(command).map(drop)
    }

    fn remove_data(&self) -> Result<()> {
        let removed = [
            fs::remove_file(self.password_file()),
            fs::remove_dir_all(self.data()),
        ];
        for result in removed {
            match result {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("couldn't empty {}", self.show()));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.data().join("server.log")
    }

    fn password_file(&self) -> PathBuf {
        self.folder.join("password")
    }

    fn show(&self) -> String {
        self.folder.display().to_string()
    }
}

impl Server {
    /// Makes the tests' role where it is missing: the process that started the server may have been
    /// killed before it came to that.
    fn make_role(&self) -> Result<()> {
        let find = format!("SELECT 1 FROM pg_roles WHERE rolname = '{ROLE}'");
        if self.run_sql(&find)?.is_empty() {
            self.run_sql(&format!(
                "CREATE ROLE {ROLE} LOGIN PASSWORD '{}'",
                self.password
            ))?;
        }
        Ok(())
    }

    /// The URL of `database` for the tests' role.
    pub fn url_of(&self, database: &str) -> String {
        format!(
            "postgres://{ROLE}:{}@{HOST}:{}/{database}",
            self.password, self.port
        )
    }

    /// Runs one statement as the superuser, outside the tests' databases.
    pub fn run_sql(&self, sql: &str) -> Result<String> {
        self.run_sql_in("postgres", sql)
    }

    /// Runs SQL as the superuser in `database`; answers the bare rows that `psql` prints.
    pub fn run_sql_in(&self, database: &str, sql: &str) -> Result<String> {
        run(self.psql(database, sql))
    }

    /// The command that runs SQL as the superuser in `database`.
    pub fn psql(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        forget_connection_settings(&mut command);
        command
            .args([
                "--no-psqlrc",
                "--no-password",
                "--quiet",
                "--tuples-only",
                "--no-align",
            ])
            .args(["--set", "ON_ERROR_STOP=1", "--host", &HOST.to_string()])
            .args(["--username", SUPERUSER, "--port", &self.port.to_string()])
            .args(["--dbname", database, "--command", sql])
            .env("PGPASSWORD", &self.password)
            .env("PGCONNECT_TIMEOUT", "10");
        command
    }
}

/// FNV-1a: short, and the same in every process and version.
fn fnv_1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
