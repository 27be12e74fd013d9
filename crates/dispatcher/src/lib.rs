//! The shell of delivery: it carries out what `lane::step` decides.
//!
//! Four steps, always: 1. in a transaction, lock the lane, ask `step` for an attempt, store the
//! intent; 2. without a transaction, send; 3. in a transaction, lock the lane, tell `step` the
//! outcome, store what follows; 4. a sweep each second, without input, of every lane whose time to
//! wake has come. A wake-up after a commit only saves the wait for the sweep.
//!
//! What it promises: nothing leaves before its intent is durable; one provider's trouble takes no
//! permit of another's; a lane that panics goes on. What it leaves to `step`: every decision.

mod bulkhead;
pub mod clock_guard;
mod intent;
pub mod jobs;
mod lane_task;
pub mod link_tests;
mod measure;
#[cfg(feature = "planted-faults")]
pub mod planted;
#[cfg(not(feature = "planted-faults"))]
mod planted;
pub mod ports;
mod recovery;
mod settle;
mod sweep;
mod tempo;
mod wake_lane;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use balefire_domain::entropy::Entropy;
use balefire_domain::ids::InstanceId;
use balefire_domain::lane::{Figures, HoldReason, Policy};
use balefire_domain::provider::{Profile, ProviderName};
use balefire_domain::time::Clock;
use balefire_gateway::Gateway;
use balefire_store::Store;
use tokio::sync::Notify;

use crate::bulkhead::Bulkheads;
use crate::planted::Planted;
use crate::ports::{Database, StoreError, Stored, Transaction, WayOut};
use crate::tempo::Tempo;
use crate::wake_lane::Waiting;

/// What the configuration says about dispatch.
#[derive(Clone, Debug)]
pub struct DispatchSettings {
    /// The enabled providers.
    pub profiles: BTreeMap<ProviderName, Profile>,
    /// `cbc.enabled`.
    pub is_cbc_enabled: bool,
    /// `[dispatch]`.
    pub figures: Figures,
    /// `dispatch.hedging`: silence may be answered with a second attempt, where that is harmless.
    pub is_hedging: bool,
    /// This process's name: who starts under it declares its predecessors dead (D26).
    pub instance_name: String,
}

/// Makes a span a child of the one that a `traceparent` (W3C Trace Context) names.
pub type Adopt = fn(&tracing::Span, &str);

/// The dispatcher of one process.
pub struct Dispatcher<D = Store, W = Gateway> {
    store: D,
    gateway: W,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: DispatchSettings,
    wake: Arc<Notify>,
    bulkheads: Bulkheads,
    tempo: Tempo,
    /// Providers to which something got through: who waits there may go (D6).
    healed: Mutex<BTreeSet<ProviderName>>,
    heal: Notify,
    /// Who wants to see the end of a lane's turn and was not taken in yet.
    waiting: Mutex<Vec<Waiting>>,
    instance: RwLock<InstanceId>,
    is_ending: AtomicBool,
    /// When the latest sweep succeeded, in microseconds since 1970.
    swept_at_us: AtomicI64,
    /// Makes a span part of a trace, where traces are told.
    adopt: Option<Adopt>,
    /// Faults that the simulator plants; none can be planted in the product.
    planted: Planted,
}

impl<D: Database, W: WayOut> Dispatcher<D, W> {
    /// A dispatcher that is woken through `wake`. It does nothing before [`Dispatcher::run`].
    pub fn new(
        store: D,
        gateway: W,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: DispatchSettings,
        wake: Arc<Notify>,
    ) -> Self {
        let instance = RwLock::new(InstanceId::new(entropy.uuid_v7(clock.now())));
        let bulkheads = Bulkheads::default();
        Self {
            store,
            gateway,
            clock,
            entropy,
            settings,
            wake,
            bulkheads,
            tempo: Tempo::default(),
            healed: Mutex::default(),
            heal: Notify::new(),
            waiting: Mutex::default(),
            instance,
            is_ending: AtomicBool::new(false),
            swept_at_us: AtomicI64::new(0),
            adopt: None,
            planted: Planted::default(),
        }
    }

    /// The same which tells traces: each attempt's span becomes a child of the span in which its
    /// event began.
    #[must_use]
    pub const fn with_traces(mut self, adopt: Adopt) -> Self {
        self.adopt = Some(adopt);
        self
    }

    /// The same with rules left out, for the simulator.
    #[cfg(feature = "planted-faults")]
    #[must_use]
    pub fn with_planted(mut self, planted: Planted) -> Self {
        self.planted = planted;
        self
    }

    fn instance(&self) -> InstanceId {
        *self.instance.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn note_healed(&self, provider: &ProviderName) {
        let mut healed = self.healed.lock().unwrap_or_else(PoisonError::into_inner);
        healed.insert(provider.clone());
        self.heal.notify_one();
    }

    fn take_healed(&self) -> BTreeSet<ProviderName> {
        std::mem::take(&mut self.healed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The policy for a provider now: routes whose latest use failed go last (D17).
    async fn policy(&self, tx: &mut D::Transaction, provider: &ProviderName) -> Stored<Policy> {
        let settings = &self.settings;
        let mut conditions = tx.load_conditions(provider).await?;
        self.tempo.note_failing(provider, &conditions.failing);
        let deadline = settings.figures.attempt_deadline;
        conditions.hedge = settings
            .is_hedging
            .then(|| self.tempo.hedge(provider, tx.now(), deadline));
        // What it stored, it would store for an hour that never was.
        if self.clock.was_ahead_at(tx.now()) {
            return Err(StoreError::timed_out("dispatch: the clock was set back"));
        }
        if !self.clock.is_trusted() {
            conditions.hold = Some(HoldReason::Clock);
        }
        let profile = settings.profiles.get(provider);
        let mut policy = Policy::of(
            &settings.figures,
            profile,
            settings.is_cbc_enabled,
            &conditions,
        );
        self.planted.spoil(&mut policy);
        Ok(policy)
    }
}
