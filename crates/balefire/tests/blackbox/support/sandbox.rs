//! One test's world: a folder, a database, a configuration, and the simulated networks.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use balefire_test_support::postgres::{Database, Postgres};
use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::SOON;
use super::networks::Networks;

/// The databases that Balefire knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgresql,
}

/// The secret of the author's web application.
pub(crate) const CLIENT_SECRET: &str = "the web application's secret";
/// The secret of the public site.
pub(crate) const SITE_SECRET: &str = "the public site's secret";

/// The providers, in the order of their names, with their formats.
pub(crate) const PROVIDERS: [(&str, &str); 4] = [
    ("ee", "cap"),
    ("o2", "cap"),
    ("three", "cap"),
    ("vodafone", "ibag"),
];

/// What a test's configuration says differently.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    /// How long an attempt may take. Generous, unless a test waits for it.
    pub(crate) attempt_deadline_seconds: u64,
    /// Whether the proxies speak our own protocol.
    pub(crate) own_protocol: bool,
    /// How long a proxy may keep trying after we stopped waiting.
    pub(crate) upstream_timeout_seconds: u64,
    /// Whether silence is answered with a second attempt.
    pub(crate) hedging: bool,
    /// How often a route is tested. Never, unless a test is about it: requests are counted.
    pub(crate) link_test_period_seconds: u64,
    /// How often a proxy is asked whether it is there.
    pub(crate) heartbeat_period_seconds: u64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            attempt_deadline_seconds: 10,
            own_protocol: true,
            upstream_timeout_seconds: 0,
            hedging: true,
            link_test_period_seconds: 0,
            heartbeat_period_seconds: 0,
        }
    }
}

/// A drain margin of one second: the clocks' difference, with proxies that enforce `not_after`.
pub(crate) const CLOCK_SKEW_SECONDS: u64 = 1;

/// The world of one test.
pub(crate) struct Sandbox {
    pub(crate) networks: Networks,
    folder: TempDir,
    database: Option<Arc<Database>>,
    /// Where the database is that the test itself looks after.
    own_url: Option<String>,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Another binary than the one just built, for all that starts from now on: a long run must not
/// meet a build of another kind half-way.
#[allow(dead_code, reason = "the torture uses it, which shares this module")]
pub(crate) fn use_binary(path: PathBuf) {
    BINARY.set(path).expect("it is said once");
}

static BINARY: OnceLock<PathBuf> = OnceLock::new();

/// The binary under test, without the developer's own settings.
pub(crate) fn balefire() -> Command {
    let built = || PathBuf::from(env!("CARGO_BIN_EXE_balefire"));
    let mut command = Command::new(BINARY.get_or_init(built));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("BALEFIRE") {
            command.env_remove(name);
        }
    }
    command.kill_on_drop(true);
    command
}

impl Sandbox {
    /// A migrated database, and networks without faults.
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::with(engine, Figures::default()).await
    }

    /// The same with other figures.
    pub(crate) async fn with(engine: Engine, figures: Figures) -> Self {
        let sandbox = Self::unmigrated(engine, figures).await;
        sandbox.run(&["migrate"]).await.must_succeed();
        sandbox
    }

    /// The same with an empty database.
    pub(crate) async fn unmigrated(engine: Engine, figures: Figures) -> Self {
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Postgresql => Some(Arc::new(Postgres::shared().new_database())),
        };
        Self::around(database, None, figures).await
    }

    /// A sandbox whose database is this one, which the test looks after itself.
    pub(crate) async fn on(url: String, figures: Figures) -> Self {
        let sandbox = Self::around(None, Some(url), figures).await;
        sandbox.run(&["migrate"]).await.must_succeed();
        sandbox
    }

    async fn around(
        database: Option<Arc<Database>>,
        own_url: Option<String>,
        figures: Figures,
    ) -> Self {
        let folder = tempfile::Builder::new().prefix("blackbox-").tempdir();
        let folder = folder.expect("a temporary folder");
        let networks = Networks::start(folder.path().to_owned()).await;
        let sandbox = Self {
            networks,
            folder,
            database,
            own_url,
        };
        sandbox.configure(figures);
        sandbox
    }

    /// Where the database is.
    pub(crate) fn database_url(&self) -> String {
        match (&self.database, &self.own_url) {
            (Some(database), _) => database.url().to_owned(),
            (None, Some(url)) => url.clone(),
            (None, None) => format!("sqlite://{}", self.path("balefire.db").display()),
        }
    }

    /// Runs SQL in the PostgreSQL database as the server's superuser; what it prints.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let database = self.database.as_ref().expect("it is PostgreSQL");
        database.run_as_superuser(sql)
    }

    /// Ends every connection to the PostgreSQL database, and refuses new ones.
    pub(crate) fn take_database_away(&self) {
        let database = self.database.as_ref().expect("it is PostgreSQL");
        let name = database.name();
        // The limit does not hold for the superuser, who gives the database back.
        database.run_as_superuser(&format!("ALTER DATABASE {name} CONNECTION LIMIT 0"));
        database.run_as_superuser(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
    }

    /// Work that holds the locks of a network's lanes for some seconds.
    pub(crate) fn hold_lanes(&self, provider: &str, seconds: u32) -> impl FnOnce() + use<> {
        let database = Arc::clone(self.database.as_ref().expect("it is PostgreSQL"));
        let sql = format!(
            "BEGIN; SELECT 1 FROM lanes WHERE provider = '{provider}' FOR UPDATE; \
             SELECT pg_sleep({seconds}); COMMIT"
        );
        move || {
            database.run_as_superuser(&sql);
        }
    }

    /// Whether that work is under way.
    pub(crate) fn are_lanes_held(&self) -> bool {
        let database = self.database.as_ref().expect("it is PostgreSQL");
        let count = database.run_as_superuser(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND wait_event = 'PgSleep'",
        );
        count.trim() != "0"
    }

    /// Lets connections in again.
    pub(crate) fn give_database_back(&self) {
        let database = self.database.as_ref().expect("it is PostgreSQL");
        let name = database.name();
        database.run_as_superuser(&format!("ALTER DATABASE {name} CONNECTION LIMIT -1"));
    }

    /// Leaves the folder where it is when this world ends; where that is.
    #[allow(dead_code, reason = "the torture uses it, which shares this module")]
    pub(crate) fn keep(&mut self) -> PathBuf {
        self.folder.disable_cleanup(true);
        self.folder.path().to_owned()
    }

    /// Makes the database a copy of what it was.
    pub(crate) fn make_it_a_copy(&self) {
        match &self.database {
            Some(database) => database.restore_from_copy(),
            None => std::fs::remove_file(self.path("balefire.db.mark")).expect("there is a mark"),
        }
    }

    /// Makes the PostgreSQL database look as if its last use was on another timeline.
    pub(crate) fn pretend_another_timeline(&self) {
        let database = self.database.as_ref().expect("it is PostgreSQL");
        database.run_as_superuser(
            "UPDATE database_epochs SET id = split_part(id, '/', 1) || '/00000000'",
        );
    }

    /// A file of this world.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("the folder is ours");
        path
    }

    /// Writes the configuration anew, for processes that start from now on.
    pub(crate) fn configure(&self, figures: Figures) {
        let mut providers = String::new();
        for (name, format) in PROVIDERS {
            write!(
                providers,
                "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\n\
                 routes = [{{ proxy = \"{name}-1-proxy\" }}, {{ proxy = \"{name}-2-proxy\" }}]\n\
                 capabilities = {{ dedup = true, shared_sites = true, success_is_accepted = true, \
                 own_protocol = {} }}\nupstream_timeout_seconds = {}\n",
                figures.own_protocol, figures.upstream_timeout_seconds
            )
            .expect("a text can be written to");
        }
        self.configure_with(figures, &self.networks.url(), &providers);
    }

    /// The same with other providers, behind another address.
    pub(crate) fn configure_with(&self, figures: Figures, endpoint: &str, providers: &str) {
        let text = format!(
            "environment = \"development\"\n[http]\nlisten = \"127.0.0.1:0\"\n\
             [database]\nurl = \"{}\"\n[clients]\nnotify-admin = [\"{CLIENT_SECRET}\"]\n\
             govuk-alerts = [\"{SITE_SECRET}\"]\n[cbc]\nendpoint_url = \"{endpoint}\"\n\
             [dispatch]\nattempt_deadline_seconds = {}\nclock_skew_seconds = {CLOCK_SKEW_SECONDS}\n\
             early_backoff_cap_seconds = 1\ninstance_name = \"the one\"\nhedging = {}\n\
             link_test_period_seconds = {}\nheartbeat_period_seconds = {}\n{providers}",
            self.database_url(),
            figures.attempt_deadline_seconds,
            figures.hedging,
            figures.link_test_period_seconds,
            figures.heartbeat_period_seconds,
        );
        self.write("balefire.toml", &text);
    }

    /// A command of this world, which is not started yet.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = balefire();
        command
            .current_dir(self.folder.path())
            .env("BALEFIRE_CONFIG", self.path("balefire.toml"))
            .env("BALEFIRE_LOG", "info,sqlx=warn,hyper=warn")
            .args(args);
        command
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, args: &[&str]) -> Ran {
        run(self.command(args)).await
    }

    /// Runs a command that must succeed, with `--json`; what it printed.
    pub(crate) async fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(&[args, &["--json"]].concat()).await;
        ran.must_succeed().json()
    }

    /// The alert's deliveries with their attempts, as `delivery list` tells them.
    pub(crate) async fn deliveries(&self, alert: &str) -> Vec<Value> {
        let list = self.json(&["delivery", "list", alert]).await;
        list.as_array().expect("a list").clone()
    }

    /// Waits until every delivery of the alert has ended; the deliveries.
    pub(crate) async fn settled(&self, alert: &str, deliveries: usize) -> Vec<Value> {
        let what = format!("{deliveries} deliveries of alert {alert} have ended");
        super::poll_until(SOON, &what, async || {
            let list = self.deliveries(alert).await;
            let is_over = |delivery: &&Value| !delivery["ms"].is_null();
            (list.len() == deliveries && list.iter().filter(is_over).count() == deliveries)
                .then_some(list)
        })
        .await
    }

    /// Waits until the alert has `count` deliveries acknowledged; all its deliveries.
    pub(crate) async fn acknowledged(&self, alert: &str, count: usize) -> Vec<Value> {
        let what = format!("{count} deliveries of alert {alert} are acknowledged");
        super::poll_until(SOON, &what, async || {
            let list = self.deliveries(alert).await;
            let is_acknowledged = |delivery: &&Value| delivery["state"] == "acknowledged";
            (list.iter().filter(is_acknowledged).count() >= count).then_some(list)
        })
        .await
    }
}

/// Runs a program to its end.
pub(crate) async fn run(mut command: Command) -> Ran {
    let shown = format!("{:?}", command.as_std().get_args().collect::<Vec<_>>());
    let Ok(output) = tokio::time::timeout(SOON, command.output()).await else {
        panic!("{shown} did not end within {SOON:?}");
    };
    let output = output.unwrap_or_else(|error| panic!("can't run {shown}: {error}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("it prints UTF-8");
    Ran {
        code: output.status.code(),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Ran {
    /// Panics unless it ended with 0.
    #[track_caller]
    pub(crate) fn must_succeed(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        match serde_json::from_str(&self.stdout) {
            Ok(value) => value,
            Err(error) => panic!("no JSON ({error}): {self:?}"),
        }
    }
}
