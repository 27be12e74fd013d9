//! A service with its people and keys behind the routes, and what a test asks of them.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use balefire_app::authenticate::make_token;
use balefire_app::secrets::SecretKey;
use balefire_app::services::NewService;
use balefire_app::users::NewUser;
use balefire_app::{App, Settings};
use balefire_cell_broadcast::Scripts;
use balefire_domain::alert::{Mode, ServiceState};
use balefire_domain::audit::Actor;
use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, ApiKeyId, AttemptId, InstanceId, ServiceId, UserId};
use balefire_domain::lane::{Effect, Figures, LaneEvent, Policy, step};
use balefire_domain::outcome::Outcome;
use balefire_domain::permission::Permission;
use balefire_domain::provider::{
    Capabilities, Format, Languages, Limits, Profile, ProviderName, Route,
};
use balefire_domain::time::{Clock as _, Timestamp};
use balefire_store::api_keys::KeyKind;
use balefire_store::audit_entries::AuditLine;
use balefire_store::lanes::AnswerRecord;
use balefire_store::{DatabaseUrl, Store};
use balefire_test_support::clock::ManualClock;
use balefire_test_support::entropy::SeededEntropy;
use balefire_web::{WebLimits, WebState, router};
use serde_json::Value;

use crate::schemas;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tracing::Level;
use tracing::field::{Field, Visit};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};

/// Monday, 23 November 2026, 04:09:02 UTC.
pub const START: Timestamp = Timestamp::from_seconds(1_795_406_942);
pub const ADMIN_SECRET: &str = "the secret of notify-admin";
pub const GOVUK_SECRET: &str = "the secret of govuk-alerts";
pub const PUBLISHER_SECRET: &str = "the secret of govuk-alerts-publish";
/// Small, so that tests need not send much.
pub const BODY_BYTES_MAX: usize = 256 * 1024;

const PROVIDERS: [(&str, Format); 4] = [
    ("ee", Format::Cap),
    ("o2", Format::Cap),
    ("three", Format::Cap),
    ("vodafone", Format::Ibag),
];

/// A key with the plain secret that makes its tokens.
#[derive(Clone)]
pub struct Key {
    pub id: ApiKeyId,
    pub service: ServiceId,
    pub secret: String,
}

impl Key {
    pub fn token(&self, at: Timestamp) -> String {
        make_token(&self.service.to_string(), &self.secret, at)
    }
}

/// A service with an author, an approver and its keys.
pub struct Tenant {
    pub id: ServiceId,
    pub author: UserId,
    pub approver: UserId,
    pub normal: Key,
    pub test: Key,
    pub team: Key,
}

pub struct TestWeb {
    pub app: App,
    pub clock: ManualClock,
    pub router: Router,
    pub live: Tenant,
    pub training: Tenant,
    pub other: Tenant,
    pub outsider: UserId,
    pub platform_admin: UserId,
    pub log: Log,
    /// The file goes when the test ends.
    folder: tempfile::TempDir,
}

/// An answer, read.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The `id` of the alert that was answered.
    pub fn alert(&self) -> AlertId {
        self.json()["id"].as_str().unwrap().parse().unwrap()
    }

    /// The only message of an error in any shape.
    pub fn message(&self) -> String {
        let json = self.json();
        let errors = json["errors"].as_array();
        let message = match errors {
            Some(errors) => &errors[0]["message"],
            None if json["message"].is_object() => &json["message"]["token"][0],
            None => &json["message"],
        };
        message
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }

    /// All messages of shape 1, a line each.
    pub fn messages(&self) -> String {
        let json = self.json();
        let errors = json["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("{self:?}"));
        let texts: Vec<&str> = errors
            .iter()
            .map(|error| error["message"].as_str().unwrap())
            .collect();
        texts.join("\n")
    }

    #[track_caller]
    pub fn assert_public_error(&self, status: u16, name: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let json = self.json();
        assert_eq!(json["status_code"], status, "{self:?}");
        for error in json["errors"].as_array().unwrap() {
            assert_eq!(error["error"], name, "{self:?}");
        }
        assert_keys(&json, &["errors", "status_code"]);
    }

    #[track_caller]
    pub fn assert_internal_error(&self, status: u16, message: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        let json = self.json();
        assert_keys(&json, &["message", "result"]);
        assert_eq!(json["result"], "error");
        assert_eq!(self.message(), message, "{self:?}");
    }
}

#[track_caller]
pub fn assert_keys(json: &Value, keys: &[&str]) {
    let found: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(found, keys);
}

/// What was logged on this thread.
#[derive(Clone, Default)]
pub struct Log {
    lines: Arc<Mutex<Vec<(Level, String)>>>,
    guard: Option<Arc<DefaultGuard>>,
}

impl Log {
    pub fn start() -> Self {
        let mut log = Self::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        log.guard = Some(Arc::new(tracing::subscriber::set_default(subscriber)));
        log
    }

    pub fn all(&self) -> Vec<(Level, String)> {
        self.lines.lock().unwrap().clone()
    }

    pub fn errors(&self) -> Vec<String> {
        let lines = self.all().into_iter();
        lines
            .filter(|(level, _)| *level == Level::ERROR)
            .map(|(_, line)| line)
            .collect()
    }

    pub fn with(&self, words: &str) -> Vec<String> {
        let lines = self.all().into_iter();
        lines
            .map(|(_, line)| line)
            .filter(|line| line.contains(words))
            .collect()
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name());
    }
}

impl<S: tracing::Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        let level = *event.metadata().level();
        self.lines.lock().unwrap().push((level, line.0));
    }
}

fn settings() -> Settings {
    let profiles = PROVIDERS.map(|(name, format)| Profile {
        name: ProviderName::new(name).unwrap(),
        format,
        routes: vec![Route {
            proxy: format!("{name}-1-proxy"),
            site: None,
        }],
        capabilities: Capabilities {
            dedup: true,
            shared_sites: true,
            update: false,
            success_is_accepted: true,
            own_protocol: false,
            second_language: false,
        },
        upstream_timeout: Duration::from_secs(10),
        languages: Languages::of(format),
        limits: Limits::default(),
    });
    Settings {
        profiles: profiles.to_vec(),
        is_cbc_enabled: true,
        figures: Figures {
            attempt_deadline: Duration::from_secs(20),
            clock_skew: Duration::from_secs(5),
            backoff_cap: Duration::from_secs(240),
            early_backoff_cap: Duration::from_secs(30),
            early_period: Duration::from_secs(600),
        },
        headline: "Emergency alert".to_owned(),
        sender: balefire_app::write_alert::Sender {
            sender: "desk@rivers.example".to_owned(),
            name: "Rivers".to_owned(),
            public_page: "https://rivers.example/alerts".to_owned(),
        },
        scripts: Scripts::GsmWelsh,
        is_live: false,
        has_test_routes: true,
        author_url: Some("https://alerts.example".to_owned()),
        link_key: None,
        makes_tickets: false,
        clients: vec![
            ("notify-admin".to_owned(), vec![ADMIN_SECRET.to_owned()]),
            ("govuk-alerts".to_owned(), vec![GOVUK_SECRET.to_owned()]),
            (
                "govuk-alerts-publish".to_owned(),
                vec![PUBLISHER_SECRET.to_owned()],
            ),
        ],
    }
}

async fn open(folder: &tempfile::TempDir, clock: &ManualClock) -> App {
    let file = folder.path().join("balefire.db");
    let url = DatabaseUrl::from_str(&format!("sqlite://{}", file.display())).unwrap();
    let store = Store::open(&url).await.unwrap();
    store.migrate().await.unwrap();
    App {
        store,
        clock: Arc::new(clock.clone()),
        entropy: Arc::new(SeededEntropy::new(7)),
        settings: Arc::new(settings()),
        secret_key: Arc::new(SecretKey::new(&[7; 32])),
        wake: Arc::new(Notify::new()),
        announced: None,
        indexes: Arc::default(),
        traceparent: None,
    }
}

async fn person(app: &App, name: &str, is_platform_admin: bool, of: &[ServiceId]) -> UserId {
    let new = NewUser {
        name: name.to_owned(),
        email: format!("{name}@example.com"),
        is_platform_admin,
        services: of.to_vec(),
    };
    app.create_user(Actor::CommandLine, new).await.unwrap().id
}

async fn key(app: &App, service: ServiceId, kind: KeyKind) -> Key {
    let name = kind.as_str().to_owned();
    let made = app
        .create_key(Actor::CommandLine, service, name, kind)
        .await;
    let made = made.unwrap().unwrap();
    Key {
        id: made.key.id,
        service,
        secret: made.secret,
    }
}

async fn team(app: &App, name: &str, mode: Mode) -> Tenant {
    let new = NewService {
        name: name.to_owned(),
        mode,
        channel: Channel::Severe,
        providers: None,
    };
    let id = app
        .create_service(Actor::CommandLine, new)
        .await
        .unwrap()
        .id;
    Tenant {
        id,
        author: person(app, &format!("author-{name}"), false, &[id]).await,
        approver: person(app, &format!("approver-{name}"), false, &[id]).await,
        normal: key(app, id, KeyKind::Normal).await,
        test: key(app, id, KeyKind::Test).await,
        team: key(app, id, KeyKind::Team).await,
    }
}

impl TestWeb {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with what `change` makes of the state.
    pub async fn start_with(change: impl FnOnce(&mut WebState)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(START);
        let app = open(&folder, &clock).await;
        let live = team(&app, "live", Mode::Live).await;
        let training = team(&app, "training", Mode::Training).await;
        let other = team(&app, "other", Mode::Live).await;
        let mut state = WebState {
            is_dispatching: true,
            app: app.clone(),
            limits: WebLimits {
                body_bytes_max: BODY_BYTES_MAX,
                requests_per_minute_per_key: 0,
                route_secrets: Vec::new(),
            },
            rates: Arc::default(),
            readiness: Arc::new(|| true),
            is_ending: Arc::new(|| false),
        };
        change(&mut state);
        Self {
            outsider: person(&app, "outsider", false, &[]).await,
            platform_admin: person(&app, "platform-admin", true, &[]).await,
            router: router(state),
            app,
            clock,
            live,
            training,
            other,
            log: Log::start(),
            folder,
        }
    }

    /// Sends a request. What is answered to a route of the table is what the table says.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (
            request.method().to_string(),
            request.uri().path().to_owned(),
        );
        let answer = self.send_unread(request).await;
        schemas::hold(&method, &path, &answer);
        answer
    }

    async fn send_unread(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, 64 << 20).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(bytes.to_vec()).unwrap(),
        }
    }

    pub fn admin_token(&self) -> String {
        make_token("notify-admin", ADMIN_SECRET, self.clock.now())
    }

    pub fn request(&self, method: &str, path: &str, body: impl Into<Body>) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.admin_token()))
            .header("content-type", "application/json")
            .body(body.into())
            .unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request("GET", path, "")).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request("POST", path, body.to_string()))
            .await
    }

    pub fn cap_request(&self, key: &Key, document: impl Into<Body>) -> Request<Body> {
        Request::builder()
            .method("POST")
            .uri("/v2/broadcast")
            .header(
                "authorization",
                format!("Bearer {}", key.token(self.clock.now())),
            )
            .header("content-type", "application/cap+xml")
            .body(document.into())
            .unwrap()
    }

    pub async fn post_cap(&self, key: &Key, document: &str) -> Answer {
        self.send(self.cap_request(key, document.to_owned())).await
    }

    /// Somebody with these permissions in the live service; `None`: they do not belong to it.
    pub async fn somebody(
        &self,
        name: &str,
        permissions: Option<&[Permission]>,
        is_platform_admin: bool,
    ) -> UserId {
        let of: &[ServiceId] = match permissions {
            Some(_) => &[self.live.id],
            None => &[],
        };
        let id = person(&self.app, name, is_platform_admin, of).await;
        if let Some(permissions) = permissions {
            let now = self.clock.now();
            let mut tx = self.app.store.begin("permissions", now).await.unwrap();
            let permissions = permissions.iter().copied().collect();
            let set = tx.set_permissions(id, self.live.id, &permissions).await;
            assert!(set.unwrap());
            tx.commit().await.unwrap();
        }
        id
    }

    /// Moves an alert of the live service.
    pub async fn change_status(&self, alert: AlertId, to: &str, by: UserId) -> Answer {
        let body = serde_json::json!({ "status": to, "created_by": by });
        self.post(&status_path(self.live.id, alert), &body).await
    }

    /// Says yes or no to the proposed update of an alert of the live service.
    pub async fn decide_update(
        &self,
        alert: AlertId,
        to: &str,
        version: u32,
        by: UserId,
    ) -> Answer {
        let body = serde_json::json!({ "status": to, "created_by": by, "version": version });
        self.post(&status_path(self.live.id, alert), &body).await
    }

    /// All alerts with what was sent of them, as text: to see that nothing was added or changed.
    pub async fn stored_alerts(&self) -> String {
        let mut tx = self.app.store.begin_read("stored", START).await.unwrap();
        let mut text = String::new();
        for service in tx.list_services().await.unwrap() {
            let alerts = tx.list_alerts(service.id).await.unwrap();
            for alert in &alerts {
                let events = tx.list_events(alert.id).await.unwrap();
                let lanes = tx.list_lanes(alert.id).await.unwrap();
                let updates = tx.list_updates(alert.id).await.unwrap();
                writeln!(text, "{alert:?} {events:?} {lanes:?} {updates:?}").unwrap();
            }
        }
        text
    }

    /// Everything that is stored, as text: alerts and audit trail.
    pub async fn stored(&self) -> String {
        let mut text = self.stored_alerts().await;
        let mut tx = self.app.store.begin_read("stored", START).await.unwrap();
        // An attempt that was refused changed nothing but the trail.
        let mut entries = tx.list_audit_entries(10_000).await.unwrap();
        entries.retain(|entry| entry.refusal.is_none());
        writeln!(text, "{entries:?}").unwrap();
        text
    }

    /// The refused attempts of the audit trail.
    pub async fn refusals(&self) -> Vec<AuditLine> {
        let mut tx = self.app.store.begin_read("audit", START).await.unwrap();
        let mut entries = tx.list_audit_entries(10_000).await.unwrap();
        entries.retain(|entry| entry.refusal.is_some());
        entries
    }

    /// Changes the database behind the program's back.
    pub async fn execute(&self, sql: &'static str) {
        use sqlx::{ConnectOptions as _, Connection as _};
        let file = self.folder.path().join("balefire.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        sqlx::query(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The first text that a query finds.
    pub async fn query_text(&self, sql: &'static str) -> String {
        use sqlx::{ConnectOptions as _, Row as _};
        let file = self.folder.path().join("balefire.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut connection = options.connect().await.unwrap();
        let row = sqlx::query(sql).fetch_one(&mut connection).await.unwrap();
        row.get(0)
    }

    /// The particulars of the last entry of this action in the trail.
    pub async fn last_details(&self, action: &str) -> Value {
        let mut tx = self.app.store.begin_read("audit", START).await.unwrap();
        let mut entries = tx.list_audit_entries(10_000).await.unwrap();
        entries.retain(|entry| entry.action == action);
        entries.pop().unwrap().details
    }

    pub async fn audit_actions(&self) -> BTreeMap<String, usize> {
        let mut tx = self.app.store.begin_read("audit", START).await.unwrap();
        let mut counts = BTreeMap::new();
        let entries = tx.list_audit_entries(10_000).await.unwrap();
        for entry in entries.into_iter().filter(|e| e.refusal.is_none()) {
            *counts.entry(entry.action).or_default() += 1;
        }
        counts
    }

    /// Sends what is due in every lane of an alert, which is answered so.
    pub async fn send_all(&self, alert: AlertId, outcome: Outcome, detail: &str) {
        let now = self.clock.now();
        let mut tx = self.app.store.begin("send", now).await.unwrap();
        let by = InstanceId::new(self.app.entropy.uuid_v7(now));
        tx.insert_instance(by, "a test").await.unwrap();
        for key in tx.list_lanes(alert).await.unwrap() {
            let settings = &self.app.settings;
            let profile = settings.profile(&key.provider);
            let policy = Policy::of(
                &settings.figures,
                profile,
                true,
                &balefire_domain::lane::Conditions::default(),
            );
            let attempt = AttemptId::new(self.app.entropy.uuid_v7(now));
            let ready = tx.lock_lane(&key).await.unwrap().unwrap();
            let due = step(&ready, LaneEvent::Due { attempt, by }, now, &policy);
            assert!(matches!(due.effects[..], [Effect::Send(_), ..]), "{due:?}");
            tx.save_lane(&key, &ready, &due.lane).await.unwrap();
            let answered = LaneEvent::Answered {
                attempt,
                outcome,
                jitter_permille: 0,
            };
            let done = step(&due.lane, answered, now, &policy);
            tx.save_lane(&key, &due.lane, &done.lane).await.unwrap();
            let answer = AnswerRecord {
                detail: detail.to_owned(),
                ..AnswerRecord::default()
            };
            tx.save_answer(attempt, &answer).await.unwrap();
        }
        tx.commit().await.unwrap();
    }

    pub async fn set_state(&self, service: ServiceId, state: ServiceState) {
        let actor = Actor::CommandLine;
        let changed = self.app.set_service_state(actor, service, state).await;
        assert!(changed.unwrap().is_some());
    }
}

pub fn alerts_path(service: ServiceId) -> String {
    format!("/service/{service}/broadcast-message")
}

pub fn alert_path(service: ServiceId, alert: AlertId) -> String {
    format!("/service/{service}/broadcast-message/{alert}")
}

pub fn status_path(service: ServiceId, alert: AlertId) -> String {
    format!("/service/{service}/broadcast-message/{alert}/status")
}

pub fn statuses_path(service: ServiceId, alert: AlertId) -> String {
    format!("/service/{service}/broadcast-message/{alert}/provider-statuses")
}
