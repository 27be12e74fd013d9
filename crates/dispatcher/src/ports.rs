//! What dispatch needs of the world: a database with transactions, and a way out.
//!
//! The seam at which the simulator stands in for both, so that it runs the loops that ship and no
//! copy of them. Beside them a process has only its clock and its entropy, which are arguments
//! already. In the product there is one database and one way out, chosen at compile time.
//!
//! What an implementation promises: a transaction that was dropped, or whose process died, changed
//! nothing; after a failed commit it may or may not have; of two transactions that lock the same
//! lane the second sees what the first committed. Sending never fails: every end is an outcome.

use std::future::Future;

use balefire_domain::ids::{AlertId, AttemptId, DeliveryId, DutyItemId, InstanceId};
use balefire_domain::lane::{Conditions, Delivery, DutyKind, Effect, Lane};
use balefire_domain::provider::ProviderName;
use balefire_domain::time::Timestamp;
use balefire_gateway::Gateway;
pub use balefire_gateway::{Answered, ProbeRequest, Probed, ProxySays, SendRequest};
pub use balefire_store::StoreError;
pub use balefire_store::deliveries::Frozen;
pub use balefire_store::lanes::{AnswerRecord, DueLane, LaneKey};
pub use balefire_store::probes::{Probe, ProbeKey, ProbeResult};
use balefire_store::{Store, Tx};

/// What a step with the database comes to.
pub type Stored<T> = Result<T, StoreError>;

/// The database that dispatch works on.
pub trait Database: Send + Sync + 'static {
    /// Its transactions.
    type Transaction: Transaction;

    /// Begins a writing transaction; `name` is for logs, `now` for every row that it writes.
    fn begin(
        &self,
        name: &'static str,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Self::Transaction>> + Send;

    /// Begins a transaction that only reads, and waits for nobody.
    fn begin_read(
        &self,
        name: &'static str,
        now: Timestamp,
    ) -> impl Future<Output = Stored<Self::Transaction>> + Send;
}

/// A transaction. Dropped without [`Transaction::commit`] it changes nothing.
pub trait Transaction: Send + Sized {
    /// The transaction's instant.
    fn now(&self) -> Timestamp;

    /// Makes everything durable. After an error it may or may not be.
    fn commit(self) -> impl Future<Output = Stored<()>> + Send;

    /// Locks a lane, then reads all that `step` judges.
    fn lock_lane(&mut self, key: &LaneKey) -> impl Future<Output = Stored<Option<Lane>>> + Send;

    /// Stores what became of a lane; every write is conditional on what was read.
    fn save_lane(
        &mut self,
        key: &LaneKey,
        was: &Lane,
        is: &Lane,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Lanes whose time to wake has come, of every provider at most `limit`; cancels first.
    fn list_due_lanes(&mut self, limit: usize)
    -> impl Future<Output = Stored<Vec<DueLane>>> + Send;

    /// Lanes of a provider that wait for their next round, at most `limit`.
    fn list_waiting_lanes(
        &mut self,
        provider: &ProviderName,
        limit: usize,
    ) -> impl Future<Output = Stored<Vec<DueLane>>> + Send;

    /// Open attempts whose process is dead, at most `limit`.
    fn list_orphaned_attempts(
        &mut self,
        limit: usize,
    ) -> impl Future<Output = Stored<Vec<(LaneKey, AttemptId)>>> + Send;

    /// What holds for a provider just now; how silence is answered is for the caller to add.
    fn load_conditions(
        &mut self,
        provider: &ProviderName,
    ) -> impl Future<Output = Stored<Conditions>> + Send;

    /// Remembers how a route worked just now.
    fn save_route_result(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// What a delivery's row holds beside what `step` decides.
    fn load_frozen(
        &mut self,
        id: DeliveryId,
    ) -> impl Future<Output = Stored<Option<Frozen>>> + Send;

    /// The trace in which the delivery's event began. Asked only where traces are told.
    fn load_traceparent(
        &mut self,
        _delivery: DeliveryId,
    ) -> impl Future<Output = Stored<Option<String>>> + Send {
        std::future::ready(Ok(None))
    }

    /// Stores a cancel's payload, once.
    fn save_payload(
        &mut self,
        id: DeliveryId,
        payload: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Stores the form in which an update goes out, in the place of what it `was`.
    fn replace_payload(
        &mut self,
        id: DeliveryId,
        was: &str,
        is: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Keeps what an attempt was answered.
    fn save_answer(
        &mut self,
        attempt: AttemptId,
        answer: &AnswerRecord,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Stores a new delivery as `ready`; its lane is saved afterwards.
    fn insert_delivery(
        &mut self,
        lane: &LaneKey,
        delivery: &Delivery,
        frozen: &Frozen,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// A message number that nobody had.
    fn next_message_number(&mut self) -> impl Future<Output = Stored<u32>> + Send;

    /// Opens and closes the duty items that a step asks for; those that are new.
    fn apply_duties(
        &mut self,
        key: &LaneKey,
        effects: &[Effect],
        mint: &(dyn Fn() -> DutyItemId + Send + Sync),
    ) -> impl Future<Output = Stored<Vec<(DutyKind, DeliveryId)>>> + Send;

    /// Opens a duty item unless one of its kind is open for its subject; whether it is new.
    fn open_duty_item(
        &mut self,
        id: DutyItemId,
        kind: DutyKind,
        subject: &str,
        alert: Option<AlertId>,
        provider: Option<&str>,
    ) -> impl Future<Output = Stored<bool>> + Send;

    /// Enters this process, and declares its predecessors of the same name dead; how many.
    fn insert_instance(
        &mut self,
        id: InstanceId,
        name: &str,
    ) -> impl Future<Output = Stored<u64>> + Send;

    /// Enters this process under a new id, and leaves others of its name alone.
    fn insert_instance_again(
        &mut self,
        id: InstanceId,
        name: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Says that this process lives; false when it was declared dead.
    fn see_instance(&mut self, id: InstanceId) -> impl Future<Output = Stored<bool>> + Send;

    /// Says that this process ends.
    fn end_instance(&mut self, id: InstanceId) -> impl Future<Output = Stored<()>> + Send;

    /// Declares dead what was not seen since `since`; how many.
    fn end_unseen_instances(
        &mut self,
        since: Timestamp,
    ) -> impl Future<Output = Stored<u64>> + Send;
}

/// What link tests and the clock's guard need of a transaction beside what dispatch does.
pub trait ProbeTransaction: Transaction {
    /// All link tests, heartbeats and canaries that were ever planned.
    fn list_probes(&mut self) -> impl Future<Output = Stored<Vec<Probe>>> + Send;

    /// Plans a question that nobody has planned yet.
    fn plan_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Moves a question on that was due at `due_at`; whether nobody else did.
    fn claim_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
        next_at: Timestamp,
    ) -> impl Future<Output = Stored<bool>> + Send;

    /// Remembers what a question was answered.
    fn save_probe_result(
        &mut self,
        key: &ProbeKey,
        result: &ProbeResult,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Remembers how a test of a route ended, which orders the routes and is no traffic.
    fn save_route_test(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> impl Future<Output = Stored<()>> + Send;

    /// Whether a lane of this provider is due.
    fn has_due_lanes(&mut self, provider: &str) -> impl Future<Output = Stored<bool>> + Send;

    /// When a route last brought an alert or a cancel through.
    fn load_carried_at(
        &mut self,
        provider: &str,
        route: &str,
    ) -> impl Future<Output = Stored<Option<Timestamp>>> + Send;

    /// Closes a subject's open duty item of this kind; whether there was one.
    fn close_duty_item_of(
        &mut self,
        kind: DutyKind,
        subject: &str,
        by: &str,
    ) -> impl Future<Output = Stored<bool>> + Send;

    /// What the database's own clock says; absent where that would prove nothing.
    fn read_database_clock(&mut self) -> impl Future<Output = Stored<Option<Timestamp>>> + Send;

    /// Makes the lanes due that waited for a clock to be right; how many.
    fn wake_lanes_held_by_clock(&mut self) -> impl Future<Output = Stored<u64>> + Send;
}

/// The way out to every proxy.
pub trait WayOut: Send + Sync + 'static {
    /// Sends a delivery over a route and says what became of it, at the deadline at the latest.
    fn send(&self, request: SendRequest) -> impl Future<Output = Answered> + Send;

    /// Sends a link test, a heartbeat or a canary, which belong to no lane.
    fn probe(&self, request: ProbeRequest) -> impl Future<Output = Probed> + Send;
}

impl WayOut for Gateway {
    async fn send(&self, request: SendRequest) -> Answered {
        Self::send(self, request).await
    }
    async fn probe(&self, request: ProbeRequest) -> Probed {
        Self::probe(self, request).await
    }
}

impl Database for Store {
    type Transaction = Tx;

    async fn begin(&self, name: &'static str, now: Timestamp) -> Stored<Tx> {
        Self::begin(self, name, now).await
    }
    async fn begin_read(&self, name: &'static str, now: Timestamp) -> Stored<Tx> {
        Self::begin_read(self, name, now).await
    }
}

impl Transaction for Tx {
    fn now(&self) -> Timestamp {
        self.now
    }
    async fn commit(self) -> Stored<()> {
        Self::commit(self).await
    }
    async fn lock_lane(&mut self, key: &LaneKey) -> Stored<Option<Lane>> {
        Self::lock_lane(self, key).await
    }
    async fn save_lane(&mut self, key: &LaneKey, was: &Lane, is: &Lane) -> Stored<()> {
        Self::save_lane(self, key, was, is).await
    }
    async fn list_due_lanes(&mut self, limit: usize) -> Stored<Vec<DueLane>> {
        Self::list_due_lanes(self, limit).await
    }
    async fn list_waiting_lanes(
        &mut self,
        provider: &ProviderName,
        limit: usize,
    ) -> Stored<Vec<DueLane>> {
        Self::list_waiting_lanes(self, provider, limit).await
    }
    async fn list_orphaned_attempts(&mut self, limit: usize) -> Stored<Vec<(LaneKey, AttemptId)>> {
        Self::list_orphaned_attempts(self, limit).await
    }
    async fn load_conditions(&mut self, provider: &ProviderName) -> Stored<Conditions> {
        Self::load_conditions(self, provider).await
    }
    async fn save_route_result(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> Stored<()> {
        Self::save_route_result(self, provider, route, is_good, detail).await
    }
    async fn load_frozen(&mut self, id: DeliveryId) -> Stored<Option<Frozen>> {
        Self::load_frozen(self, id).await
    }
    async fn load_traceparent(&mut self, delivery: DeliveryId) -> Stored<Option<String>> {
        Self::load_traceparent(self, delivery).await
    }
    async fn save_payload(&mut self, id: DeliveryId, payload: &str) -> Stored<()> {
        Self::save_payload(self, id, payload).await
    }
    async fn replace_payload(&mut self, id: DeliveryId, was: &str, is: &str) -> Stored<()> {
        Self::replace_payload(self, id, was, is).await
    }
    async fn save_answer(&mut self, attempt: AttemptId, answer: &AnswerRecord) -> Stored<()> {
        Self::save_answer(self, attempt, answer).await
    }
    async fn insert_delivery(
        &mut self,
        lane: &LaneKey,
        delivery: &Delivery,
        frozen: &Frozen,
    ) -> Stored<()> {
        Self::insert_delivery(self, lane, delivery, frozen).await
    }
    async fn next_message_number(&mut self) -> Stored<u32> {
        Self::next_message_number(self).await
    }
    async fn apply_duties(
        &mut self,
        key: &LaneKey,
        effects: &[Effect],
        mint: &(dyn Fn() -> DutyItemId + Send + Sync),
    ) -> Stored<Vec<(DutyKind, DeliveryId)>> {
        Self::apply_duties(self, key, effects, mint).await
    }
    async fn open_duty_item(
        &mut self,
        id: DutyItemId,
        kind: DutyKind,
        subject: &str,
        alert: Option<AlertId>,
        provider: Option<&str>,
    ) -> Stored<bool> {
        Self::open_duty_item(self, id, kind, subject, alert, provider).await
    }
    async fn insert_instance(&mut self, id: InstanceId, name: &str) -> Stored<u64> {
        Self::insert_instance(self, id, name).await
    }
    async fn insert_instance_again(&mut self, id: InstanceId, name: &str) -> Stored<()> {
        Self::insert_instance_again(self, id, name).await
    }
    async fn see_instance(&mut self, id: InstanceId) -> Stored<bool> {
        Self::see_instance(self, id).await
    }
    async fn end_instance(&mut self, id: InstanceId) -> Stored<()> {
        Self::end_instance(self, id).await
    }
    async fn end_unseen_instances(&mut self, since: Timestamp) -> Stored<u64> {
        Self::end_unseen_instances(self, since).await
    }
}

impl ProbeTransaction for Tx {
    async fn list_probes(&mut self) -> Stored<Vec<Probe>> {
        Self::list_probes(self).await
    }
    async fn plan_probe(&mut self, key: &ProbeKey, due_at: Timestamp) -> Stored<()> {
        Self::plan_probe(self, key, due_at).await
    }
    async fn claim_probe(
        &mut self,
        key: &ProbeKey,
        due_at: Timestamp,
        next_at: Timestamp,
    ) -> Stored<bool> {
        Self::claim_probe(self, key, due_at, next_at).await
    }
    async fn save_probe_result(&mut self, key: &ProbeKey, result: &ProbeResult) -> Stored<()> {
        Self::save_probe_result(self, key, result).await
    }
    async fn save_route_test(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> Stored<()> {
        Self::save_route_test(self, provider, route, is_good, detail).await
    }
    async fn has_due_lanes(&mut self, provider: &str) -> Stored<bool> {
        Self::has_due_lanes(self, provider).await
    }
    async fn load_carried_at(&mut self, provider: &str, route: &str) -> Stored<Option<Timestamp>> {
        Self::load_carried_at(self, provider, route).await
    }
    async fn close_duty_item_of(
        &mut self,
        kind: DutyKind,
        subject: &str,
        by: &str,
    ) -> Stored<bool> {
        Self::close_duty_item_of(self, kind, subject, by).await
    }
    async fn read_database_clock(&mut self) -> Stored<Option<Timestamp>> {
        Self::read_database_clock(self).await
    }
    async fn wake_lanes_held_by_clock(&mut self) -> Stored<u64> {
        Self::wake_lanes_held_by_clock(self).await
    }
}
