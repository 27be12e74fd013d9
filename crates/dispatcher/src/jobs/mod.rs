//! Side effects: tickets, pages, and notifications by e-mail and SMS (D7, D19).
//!
//! Each is a row in `jobs`, stored in the transaction that caused it. A worker takes what is due,
//! calls the other system without a transaction, and stores what came of it, fenced by its name and
//! the try. What fails is tried again: pages for ever, tickets for a week.
//!
//! What it promises: one ticket per alert as long as the ticket service answers truly and keeps its
//! `external_id`; a page's try within seconds of its item; nothing here is waited for by a send or
//! an approval. What it does not: a comment whose answer was lost may stand twice in a ticket.
//!
//! While the clock is in doubt tickets are held, for the lease of a wrong clock shuts nobody out,
//! or everybody. Pages go on: who should set the clock right is told by one, and a page that is
//! sent twice opens one incident. So do notifications: nobody signs in without a code.

mod carry_out;
mod govuk_notify;
mod notifications;
mod pagerduty;
mod tell;
mod zendesk;

use std::sync::Arc;
use std::time::Duration;

use balefire_domain::entropy::Entropy;
use balefire_domain::ids::InstanceId;
use balefire_domain::job::{JobKind, PAGE_AHEAD_MAX};
use balefire_domain::limits::{JOB_ANSWER_BYTES_MAX, JOB_LEASE, JOBS_PER_KIND_MAX};
use balefire_domain::time::Clock;
use balefire_gateway::{HttpAnswer, HttpCall, HttpClient, HttpError};
use balefire_store::{Store, StoreError};
use bytes::Bytes;
use http::Method;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

pub use govuk_notify::{GovukNotify, NotifyKey};
pub use notifications::{Carrier, Notifications, Sent, Smtp};
pub use pagerduty::PagerDuty;
pub use zendesk::Zendesk;

use crate::sweep::bounded;

/// How often what is due is looked for.
const LOOK_PERIOD: Duration = Duration::from_secs(1);
/// How often pages whose time no clock in order can have written are looked for. While the clock is
/// in doubt pages are taken up no more often either: of what a wrong clock takes the others see no
/// lease, and the other way round, and whoever sends must have the time to end.
const RECALL_PERIOD: Duration = JOB_LEASE;
/// How long jobs under way are awaited at the end; what is left is taken up when its lease ends.
const DRAIN_MAX: Duration = Duration::from_secs(5);

/// What the configuration says about side effects. It has no `Debug`: it holds secrets.
#[derive(Clone)]
pub struct JobSettings {
    /// `[tickets]`, where there are any.
    pub tickets: Option<Zendesk>,
    /// `[pages]`, where there are any.
    pub pages: Option<PagerDuty>,
    /// `[notifications]`.
    pub notifications: Notifications,
    /// How long one call may take: `JOB_CALL_TIME_MAX`.
    pub call_timeout: Duration,
}

/// Opens what a job keeps encrypted; nothing where the key is another one.
pub type OpenSecret = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The way to other systems.
struct Caller {
    client: HttpClient,
    timeout: Duration,
}

impl Caller {
    /// Sends a request once. The error is a sentence for a person, without header or body.
    async fn call(
        &self,
        method: Method,
        url: String,
        headers: Vec<(String, String)>,
        body: Option<&Value>,
    ) -> Result<HttpAnswer, String> {
        let asked = self.ask(method, url, headers, body).await;
        asked.map_err(|why| why.to_string())
    }

    /// The same, with what it was that failed.
    async fn ask(
        &self,
        method: Method,
        url: String,
        headers: Vec<(String, String)>,
        body: Option<&Value>,
    ) -> Result<HttpAnswer, HttpError> {
        let call = HttpCall {
            method,
            url,
            headers,
            body: body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
            timeout: self.timeout,
        };
        self.client.call(call).await
    }

    /// A caller that reads no more of an answer than this.
    fn bounded(&self, answer_bytes_max: usize) -> Self {
        Self {
            client: self.client.clone().with_answer_bytes_max(answer_bytes_max),
            timeout: self.timeout,
        }
    }
}

/// Carries out jobs. Any number of processes may run one on the same database.
pub struct JobRunner {
    store: Store,
    caller: Caller,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    settings: JobSettings,
    open: Arc<OpenSecret>,
    owner: InstanceId,
    places: [(JobKind, Arc<Semaphore>); JobKind::ALL.len()],
}

/// What one look leaves for the next.
#[derive(Default)]
struct Looks {
    /// When pages were recalled last, by the clock that nobody sets.
    recalled_at: Option<Duration>,
    /// Whether more was due than there were places.
    is_behind: bool,
}

impl JobRunner {
    /// A runner that does nothing before [`JobRunner::run`]. `open` reads notifications.
    pub fn new(
        store: Store,
        client: HttpClient,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        settings: JobSettings,
        open: Arc<OpenSecret>,
    ) -> Self {
        carry_out::begin_counts();
        let owner = InstanceId::new(entropy.uuid_v7(clock.now()));
        let places = JobKind::ALL.map(|kind| (kind, Arc::new(Semaphore::new(JOBS_PER_KIND_MAX))));
        let caller = Caller {
            client: client.with_answer_bytes_max(JOB_ANSWER_BYTES_MAX),
            timeout: settings.call_timeout,
        };
        Self {
            store,
            caller,
            clock,
            entropy,
            settings,
            open,
            owner,
            places,
        }
    }

    /// Carries out what is due until `end` is cancelled. Failures of the database are logged, and
    /// the next look tries again.
    pub async fn run(self: Arc<Self>, end: CancellationToken) {
        let mut under_way = JoinSet::new();
        let mut look = interval(LOOK_PERIOD);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looks = Looks::default();
        loop {
            tokio::select! {
                () = end.cancelled() => break,
                _ = look.tick() => {}
                Some(ended) = under_way.join_next() => {
                    log_panic(ended);
                    // A free place is worth a look only while more is known to be due.
                    if !looks.is_behind {
                        continue;
                    }
                }
            }
            if let Err(error) = self.take_up(&mut looks, &mut under_way).await {
                tracing::error!(
                    event = "jobs.failed",
                    error = &error as &dyn std::error::Error,
                    "the database failed; the next look for side effects tries again"
                );
            }
        }
        let all_ended = async { while under_way.join_next().await.is_some() {} };
        // Dropped, they end where they stand; their leases end soon.
        let _ = timeout(DRAIN_MAX, all_ended).await;
    }

    /// Carries out what is due now, and waits for it; how many jobs were taken.
    pub async fn run_due(self: &Arc<Self>) -> Result<usize, StoreError> {
        let mut taken = 0;
        let mut under_way = JoinSet::new();
        let mut looks = Looks::default();
        loop {
            self.take_up(&mut looks, &mut under_way).await?;
            if under_way.is_empty() {
                return Ok(taken);
            }
            while let Some(ended) = under_way.join_next().await {
                log_panic(ended);
                taken += 1;
            }
        }
    }

    /// Begins what is due as far as there are places.
    async fn take_up(
        self: &Arc<Self>,
        looks: &mut Looks,
        under_way: &mut JoinSet<()>,
    ) -> Result<(), StoreError> {
        let is_trusted = self.clock.is_trusted();
        let has_recalled = self.recall_pages(looks, is_trusted).await?;
        if !is_trusted && !has_recalled && !looks.is_behind {
            return Ok(());
        }
        let due = bounded("list_due_jobs", async {
            let tx = self.store.begin_read("list_due_jobs", self.clock.now());
            tx.await?.list_due_job_kinds().await
        })
        .await?;
        looks.is_behind = false;
        for (kind, places) in &self.places {
            let free = places.available_permits();
            if !due.contains(kind) || !self.carries_out(*kind, is_trusted) {
                continue;
            }
            if free == 0 {
                looks.is_behind = true;
                continue;
            }
            let claimed = bounded("claim_jobs", async {
                let mut tx = self.store.begin("claim_jobs", self.clock.now()).await?;
                let claimed = tx.claim_jobs(*kind, self.owner, free, JOB_LEASE).await?;
                tx.commit().await?;
                Ok(claimed)
            })
            .await?;
            looks.is_behind |= claimed.len() == free;
            for job in claimed {
                let place = Arc::clone(places).try_acquire_owned();
                let place = place.expect("only this loop takes places, and it counted them");
                let this = Arc::clone(self);
                under_way.spawn(async move {
                    this.carry_out(&job).await;
                    drop(place);
                });
            }
        }
        Ok(())
    }

    /// Makes pages due, now and then, that wait for longer than a clock in order lets them wait:
    /// somebody's clock was ahead when it took them, or ours is behind. Whether it was time to.
    async fn recall_pages(&self, looks: &mut Looks, is_trusted: bool) -> Result<bool, StoreError> {
        let now = self.clock.monotonic();
        let is_early = |at| now.saturating_sub(at) < RECALL_PERIOD;
        if looks.recalled_at.is_some_and(is_early) {
            return Ok(false);
        }
        let ahead_max = if is_trusted {
            PAGE_AHEAD_MAX
        } else {
            JOB_LEASE
        };
        let count = bounded("recall_pages", async {
            let mut tx = self.store.begin("recall_pages", self.clock.now()).await?;
            let count = tx.recall_pages(ahead_max).await?;
            tx.commit().await?;
            Ok(count)
        })
        .await?;
        looks.recalled_at = Some(now);
        if count > 0 {
            tracing::warn!(
                event = "pages.recalled",
                count,
                "pages waited for a time that a wrong clock had set; they are due now"
            );
        }
        Ok(true)
    }

    /// Whether jobs of this kind are this runner's to carry out now. Tickets wait while none are
    /// configured; pages are ended as needless instead, for nobody wants last month's.
    const fn carries_out(&self, kind: JobKind, is_trusted: bool) -> bool {
        match kind {
            JobKind::Ticket | JobKind::TicketComment => {
                is_trusted && self.settings.tickets.is_some()
            }
            // Whoever is to set the clock right may have to sign in for it.
            JobKind::Page | JobKind::PageResolve | JobKind::Sms | JobKind::Email => true,
        }
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(
            event = "job.panicked",
            error = &error as &dyn std::error::Error,
            "a fault of ours ended a side effect; it is tried again when its lease ends"
        );
    }
}
