//! PostgreSQL for tests: one private server for the checkout, one new database for each test.
//!
//! The server is started by the first test that wants it and stays up for the next test process,
//! because nextest runs every test in a process of its own (see [`cluster`]).
//! `cargo xtask postgres stop` ends it; `cargo xtask ci` does so when it is done.
//!
//! A missing PostgreSQL fails the test, with what to do. It never skips it: a test that did not
//! run must not look like one that passed.

pub mod cluster;
pub mod machine;
pub mod own;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::OnceLock;

use cluster::{Cluster, ROLE, Server};

/// The server, as one test process sees it.
#[derive(Debug)]
pub struct Postgres {
    server: Server,
}

impl Postgres {
    /// The server of this checkout, started when it isn't up yet (about 2 s, once).
    ///
    /// # Panics
    ///
    /// When PostgreSQL isn't installed or doesn't start. The message says what to do.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| {
            let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
            match Cluster::of_workspace(root).join() {
                Ok(server) => Self { server },
                Err(error) => panic!("no PostgreSQL for this test: {error:#}"),
            }
        })
    }

    /// A new, empty database. It is owned by a role without special rights, as in production.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub fn new_database(&'static self) -> Database {
        let name = random_name();
        let create = format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE template0");
        if let Err(error) = self.server.run_sql(&create) {
            panic!("no database for this test: {error:#}");
        }
        Database {
            server: &self.server,
            url: self.server.url_of(&name),
            name,
        }
    }
}

/// A database of one test. Dropping this drops the database soon after, whoever is still connected.
#[derive(Debug)]
#[must_use = "the database is dropped with this value"]
pub struct Database {
    server: &'static Server,
    name: String,
    url: String,
}

impl Database {
    /// `postgres://role:password@127.0.0.1:port/name`, for sqlx and for a configuration file.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Puts a copy of this database, as a backup holds it, in its place. Nobody may be connected.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub fn restore_from_copy(&self) {
        let name = &self.name;
        for sql in [
            format!("ALTER DATABASE {name} RENAME TO {name}_before"),
            format!("CREATE DATABASE {name} OWNER {ROLE} TEMPLATE {name}_before"),
            format!("DROP DATABASE {name}_before"),
        ] {
            if let Err(error) = self.server.run_sql_in("postgres", &sql) {
                panic!("the superuser's statement failed: {error:#}");
            }
        }
    }

    /// Runs SQL in this database as the server's superuser and answers what `psql` prints: to
    /// see or break what the role of [`Database::url`] may not, such as another session.
    ///
    /// # Panics
    ///
    /// When the server refuses it.
    pub fn run_as_superuser(&self, sql: &str) -> String {
        match self.server.run_sql_in(&self.name, sql) {
            Ok(rows) => rows,
            Err(error) => panic!("the superuser's statement failed: {error:#}"),
        }
    }
}

impl Drop for Database {
    /// Best effort, and nobody waits for it: a drop makes the server write a checkpoint, which
    /// takes it a third of a second. What stays behind goes with the server.
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let mut command = self.server.psql("postgres", &sql);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let _ = command.spawn();
    }
}

fn random_name() -> String {
    let mut name = String::from("t_");
    for byte in machine::random_bytes::<8>() {
        write!(name, "{byte:02x}").expect("writing to a String can't fail");
    }
    name
}
