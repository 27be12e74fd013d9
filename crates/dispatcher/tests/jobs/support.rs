//! One test's world: a store, a clock, a ticket service, a page service, and a runner.

use std::sync::Arc;
use std::time::Duration;

use balefire_dispatcher::jobs::{
    Carrier, JobRunner, JobSettings, Notifications, PagerDuty, Zendesk,
};
use balefire_domain::alert::{Mode, ServiceState, Status};
use balefire_domain::channel::Channel;
use balefire_domain::ids::{AlertId, DeliveryId, DutyItemId, EventId, ServiceId, UserId};
use balefire_domain::job::Job;
use balefire_domain::lane::{Delivery, DutyKind, Kind, Lane, State};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::{Clock, Timestamp};
use balefire_gateway::HttpClient;
use balefire_store::alerts::Alert;
use balefire_store::deliveries::Frozen;
use balefire_store::events::Event;
use balefire_store::jobs::JobState;
use balefire_store::lanes::LaneKey;
use balefire_store::services::{About, Service};
use balefire_store::users::User;
use balefire_store::{DatabaseUrl, Store, Tx};
use balefire_test_support::clock::ManualClock;
use balefire_test_support::desks::{FakePagerDuty, FakeZendesk};
use balefire_test_support::entropy::SeededEntropy;
use balefire_test_support::postgres::{Database, Postgres};
use tempfile::TempDir;
use uuid::Uuid;

pub const T0: Timestamp = Timestamp::from_seconds(1_795_406_943);
pub const ALERT: AlertId = AlertId::new(Uuid::from_u128(0xA1));
const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(1));
const AUTHOR: UserId = UserId::new(Uuid::from_u128(2));
/// How long the services of others are waited for; none of the tests' answers takes so long.
const CALL_TIMEOUT: Duration = Duration::from_millis(400);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Makes a test of each case on each engine.
macro_rules! on_both_engines {
    ($($case:ident),* $(,)?) => {
        on_both_engines!(@engine on_sqlite Sqlite $($case)*);
        on_both_engines!(@engine on_postgres Postgres $($case)*);
    };
    (@engine $module:ident $engine:ident $($case:ident)*) => {
        mod $module {
            use crate::support::{Engine, World};
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let limit = std::time::Duration::from_secs(60);
                    let test = async { super::$case(World::new(Engine::$engine).await).await };
                    tokio::time::timeout(limit, test).await.expect("it ends in time");
                }
            )*
        }
    };
}

pub struct World {
    pub store: Store,
    pub clock: ManualClock,
    pub zendesk: FakeZendesk,
    pub pagerduty: FakePagerDuty,
    url: DatabaseUrl,
    _folder: TempDir,
    _postgres: Option<Database>,
}

/// A clock that is not believed.
struct InDoubt(ManualClock, Duration);

impl Clock for InDoubt {
    fn now(&self) -> Timestamp {
        self.0.now() + self.1
    }

    fn is_trusted(&self) -> bool {
        false
    }
}

impl World {
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let postgres = (engine == Engine::Postgres).then(|| Postgres::shared().new_database());
        let url = match &postgres {
            None => format!("sqlite://{}", folder.path().join("jobs.db").display()),
            Some(database) => database.url().to_owned(),
        };
        let url: DatabaseUrl = url.parse().unwrap();
        let store = Store::open(&url).await.unwrap();
        store.migrate().await.unwrap();
        let world = Self {
            store,
            clock: ManualClock::at(T0),
            zendesk: FakeZendesk::start().await,
            pagerduty: FakePagerDuty::start().await,
            url,
            _folder: folder,
            _postgres: postgres,
        };
        let mut tx = world.begin().await;
        insert_alert(&mut tx).await;
        tx.commit().await.unwrap();
        world
    }

    pub async fn begin(&self) -> Tx {
        self.store.begin("test", self.clock.now()).await.unwrap()
    }

    /// A runner with tickets and pages, and connections of its own.
    pub async fn runner(&self) -> Arc<JobRunner> {
        self.runner_with(true, true).await
    }

    pub async fn runner_with(&self, has_tickets: bool, has_pages: bool) -> Arc<JobRunner> {
        let clock = Arc::new(self.clock.clone());
        self.runner_by(clock, has_tickets, has_pages).await
    }

    /// A runner on a machine whose clock is in doubt, and is ahead of the test's by this.
    pub async fn runner_in_doubt(&self, ahead: Duration) -> Arc<JobRunner> {
        let clock = InDoubt(self.clock.clone(), ahead);
        self.runner_by(Arc::new(clock), true, true).await
    }

    async fn runner_by(
        &self,
        clock: Arc<dyn Clock>,
        has_tickets: bool,
        has_pages: bool,
    ) -> Arc<JobRunner> {
        let nobody = Notifications {
            email: Carrier::None,
            sms: Carrier::None,
        };
        self.runner_carrying(clock, has_tickets, has_pages, nobody)
            .await
    }

    /// A runner of which these carry notifications.
    pub async fn carrying(&self, email: Carrier, sms: Carrier) -> Arc<JobRunner> {
        let clock = Arc::new(self.clock.clone());
        self.runner_carrying(clock, false, false, Notifications { email, sms })
            .await
    }

    async fn runner_carrying(
        &self,
        clock: Arc<dyn Clock>,
        has_tickets: bool,
        has_pages: bool,
        notifications: Notifications,
    ) -> Arc<JobRunner> {
        let settings = JobSettings {
            tickets: has_tickets.then(|| Zendesk {
                endpoint: self.zendesk.url().parse().unwrap(),
                email: "alerts@example.org".to_owned(),
                key: "hush".to_owned(),
            }),
            pages: has_pages.then(|| PagerDuty {
                endpoint: self.pagerduty.url().parse().unwrap(),
                routing_key: "route".to_owned(),
                environment: "live".to_owned(),
            }),
            notifications,
            call_timeout: CALL_TIMEOUT,
        };
        Arc::new(JobRunner::new(
            Store::open(&self.url).await.unwrap(),
            HttpClient::new(Duration::from_secs(1), None).unwrap(),
            clock,
            Arc::new(SeededEntropy::new(7)),
            settings,
            // Sealed is what stands backwards here.
            Arc::new(|sealed: &str| Some(sealed.chars().rev().collect())),
        ))
    }

    /// Enqueues the alert's ticket, as an approval does.
    pub async fn enqueue_ticket(&self) {
        let job = Job::Ticket {
            alert_id: ALERT,
            subject: "the subject".to_owned(),
            body: "the body".to_owned(),
        };
        self.enqueue(&job).await;
    }

    pub async fn enqueue(&self, job: &Job) {
        let mut tx = self.begin().await;
        tx.enqueue_job(job).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A delivery of the alert at a provider.
    pub async fn add_delivery(&self, provider: &str, seq: u32, kind: Kind) -> LaneKey {
        let key = LaneKey {
            alert_id: ALERT,
            provider: ProviderName::new(provider).unwrap(),
        };
        let mut tx = self.begin().await;
        let events = tx.list_events(ALERT).await.unwrap();
        let event = event(seq, kind);
        if events.iter().all(|event| event.seq != seq) {
            tx.insert_event(&event).await.unwrap();
        }
        if tx.lock_lane(&key).await.unwrap().is_none() {
            tx.insert_lane(&key, event.finishes_at).await.unwrap();
        }
        let number =
            u128::from(seq) << 32 | provider.bytes().fold(0, |n, b| n << 8 | u128::from(b));
        let delivery = Delivery {
            id: DeliveryId::new(Uuid::from_u128(number)),
            seq,
            kind,
            state: State::Ready,
            round: 1,
            created_at: T0,
            ends_at: event.finishes_at,
            is_stuck: false,
        };
        let frozen = Frozen {
            event_id: event.id,
            sent_at: T0,
            message_number: None,
            payload: Some("{}".to_owned()),
        };
        tx.insert_delivery(&key, &delivery, &frozen).await.unwrap();
        tx.commit().await.unwrap();
        key
    }

    /// Stores another state of the lane's latest delivery.
    pub async fn set_state(&self, key: &LaneKey, state: State, is_stuck: bool) {
        let mut tx = self.begin().await;
        let lane: Lane = tx.lock_lane(key).await.unwrap().unwrap();
        let mut moved = lane.clone();
        let latest = moved.deliveries.last_mut().unwrap();
        latest.state = state;
        latest.is_stuck = is_stuck;
        tx.save_lane(key, &lane, &moved).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Opens a duty item, as a lane's turn does.
    pub async fn open_item(&self, n: u128, kind: DutyKind) -> DutyItemId {
        let id = DutyItemId::new(Uuid::from_u128(n));
        let mut tx = self.begin().await;
        let subject = format!("delivery {n}");
        let alert = Some(ALERT);
        let opened = tx.open_duty_item(id, kind, &subject, alert, Some("ee"));
        assert!(opened.await.unwrap());
        tx.commit().await.unwrap();
        id
    }

    /// Closes an item, as a person does.
    pub async fn close_item(&self, id: DutyItemId) {
        let mut tx = self.begin().await;
        assert!(tx.close_duty_item(id, "user x").await.unwrap());
        tx.commit().await.unwrap();
    }

    pub async fn state_of(&self, key: &str) -> JobState {
        let mut tx = self.begin().await;
        let state = tx.load_job_state(key).await.unwrap();
        state.unwrap_or_else(|| panic!("there is no job {key}"))
    }
}

fn event(seq: u32, kind: Kind) -> Event {
    Event {
        id: EventId::new(Uuid::from_u128(0xE0 + u128::from(seq))),
        alert_id: ALERT,
        seq,
        kind,
        created_at: T0,
        finishes_at: T0 + Duration::from_secs(3600),
        channel: Channel::Severe,
        text: "Leave the valley".to_owned(),
        areas: serde_json::json!({}),
        content_hash: "c".repeat(64),
        second: None,
    }
}

async fn insert_alert(tx: &mut Tx) {
    let service = Service {
        id: SERVICE,
        name: "Floods".to_owned(),
        state: ServiceState::Active,
        mode: Mode::Live,
        channel: Channel::Severe,
        providers: None,
        may_broadcast: true,
        demands_signature: false,
        created_at: T0,
        is_set_up: true,
        about: About::default(),
    };
    tx.insert_service(&service).await.unwrap();
    let author = User {
        id: AUTHOR,
        name: "Author".to_owned(),
        email: "author@example.org".to_owned(),
        is_platform_admin: false,
        created_at: T0,
    };
    tx.insert_user(&author).await.unwrap();
    let alert = Alert {
        id: ALERT,
        service_id: SERVICE,
        status: Status::Draft,
        is_stubbed: false,
        version: 1,
        next_seq: 1,
        reference: None,
        content: String::new(),
        text: String::new(),
        extra_content: None,
        second: None,
        areas: serde_json::json!({}),
        duration_us: None,
        starts_at: None,
        finishes_at: None,
        cap_event: None,
        cap: None,
        created_at: T0,
        updated_at: None,
        submitted_at: None,
        approved_at: None,
        cancelled_at: None,
        rejected_at: None,
        created_by: Some(AUTHOR),
        updated_by: None,
        submitted_by: None,
        approved_by: None,
        cancelled_by: None,
        rejected_by: None,
        api_key_id: None,
        cancelled_by_api_key_id: None,
        rejected_by_api_key_id: None,
        rejection_reason: None,
        made_of: None,
        is_acknowledged: false,
    };
    tx.insert_alert(&alert).await.unwrap();
}
