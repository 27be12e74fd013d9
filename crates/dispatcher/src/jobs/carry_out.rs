//! One job: what it asks of the other system, and what is stored of the end.

use balefire_domain::ids::{AlertId, DutyItemId};
use balefire_domain::job::{AfterFailure, Comment, Job, after_failure};
use balefire_domain::lane::{DutyKind, Kind};
use balefire_domain::limits::JOB_TIME_MAX;
use balefire_domain::page::{self, PageState};
use balefire_domain::ticket::{self, Progress};
use balefire_domain::time::Timestamp;
use balefire_store::deliveries::DeliveryHistory;
use balefire_store::jobs::ClaimedJob;
use balefire_store::{StoreError, Tx};
use tokio::time::timeout;

use super::{JobRunner, Zendesk};
use crate::measure;
use crate::sweep::bounded;

/// How a try ended.
pub(super) enum Tried {
    /// Done: what the other side named, and what follows.
    Done {
        result: Option<String>,
        then: Vec<Job>,
    },
    /// There is nothing to do any more: why.
    Needless(String),
    /// What it waits for has not happened: look again then.
    NotYet(Timestamp),
    /// It failed: a sentence for a person.
    Failed(String),
    /// It failed, and the other side may have done it all the same.
    Doubtful(String),
    /// It failed, and would for ever.
    Refused(String),
}

impl Tried {
    /// What [`Tried::as_str`] may say.
    const WORDS: [&'static str; 5] = ["done", "needless", "not_yet", "failed", "refused"];

    pub(super) fn done(result: impl Into<String>) -> Self {
        Self::Done {
            result: Some(result.into()),
            then: Vec::new(),
        }
    }

    pub(super) fn needless(why: impl std::fmt::Display) -> Self {
        Self::Needless(format!("not sent: {why}"))
    }

    /// The word in figures.
    const fn as_str(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Needless(_) => "needless",
            Self::NotYet(_) => "not_yet",
            Self::Failed(_) | Self::Doubtful(_) => "failed",
            Self::Refused(_) => "refused",
        }
    }

    fn of(sent: Result<(), String>, result: &str) -> Self {
        match sent {
            Ok(()) => Self::done(result),
            Err(why) => Self::Failed(why),
        }
    }
}

/// Begins the counts of this process's tries.
pub(super) fn begin_counts() {
    measure::begin_jobs(&Tried::WORDS);
}

impl JobRunner {
    /// Tries a job once, and stores how that ended. What can't be stored is tried again when the
    /// lease ends.
    pub(super) async fn carry_out(&self, claimed: &ClaimedJob) {
        let ended = async {
            let tried = timeout(JOB_TIME_MAX, self.attempt(claimed)).await;
            let tried = match tried {
                Ok(tried) => tried?,
                Err(_) => Tried::Failed("it took too long".to_owned()),
            };
            measure::note_job(claimed.kind, tried.as_str());
            bounded("jobs.record", self.record(claimed, tried)).await
        };
        if let Err(error) = ended.await {
            tracing::error!(
                event = "job.not_stored",
                job = claimed.key,
                error = &error as &dyn std::error::Error,
                "the database failed under a side effect; it is tried again when its lease ends"
            );
        }
    }

    async fn attempt(&self, claimed: &ClaimedJob) -> Result<Tried, StoreError> {
        let Some(job) = &claimed.job else {
            return Ok(Tried::Failed(
                "this version of Balefire can't read the job".to_owned(),
            ));
        };
        match (job, &self.settings.tickets) {
            (Job::Page { duty_item_id }, _) => self.page(claimed, *duty_item_id).await,
            (Job::PageResolve { duty_item_id }, _) => self.resolve(claimed, *duty_item_id).await,
            (Job::Email(told) | Job::Sms(told), _) => Ok(self.tell(claimed, told).await),
            (
                Job::Ticket {
                    alert_id,
                    subject,
                    body,
                },
                Some(desk),
            ) => Ok(self
                .make_ticket(desk, claimed, *alert_id, subject, body)
                .await),
            (Job::TicketComment { alert_id, comment }, Some(desk)) => {
                self.comment(desk, claimed, *alert_id, comment).await
            }
            (Job::Ticket { .. } | Job::TicketComment { .. }, None) => {
                Ok(Tried::Failed("tickets.kind is \"none\"".to_owned()))
            }
        }
    }

    async fn page(&self, claimed: &ClaimedJob, id: DutyItemId) -> Result<Tried, StoreError> {
        let Some(pages) = &self.settings.pages else {
            return Ok(Tried::needless("pages.kind is \"none\""));
        };
        let mut tx = self.store.begin_read("load_page", self.clock.now()).await?;
        let Some(item) = tx.load_duty_item(id).await? else {
            return Ok(Tried::needless("there is no such duty item"));
        };
        drop(tx);
        Ok(
            match page::page_due(item.closed_at.is_some(), claimed.tries) {
                page::Due::Now => Tried::of(pages.trigger(&self.caller, &item).await, "sent"),
                page::Due::NotYet => self.look_again(claimed),
                page::Due::Never(why) => Tried::needless(why),
            },
        )
    }

    async fn resolve(&self, claimed: &ClaimedJob, id: DutyItemId) -> Result<Tried, StoreError> {
        let Some(pages) = &self.settings.pages else {
            return Ok(Tried::needless("pages.kind is \"none\""));
        };
        let mut tx = self.store.begin_read("load_page", self.clock.now()).await?;
        let page = tx.load_job_state(&Job::page_key(id)).await?;
        drop(tx);
        let page = match page {
            None => PageState::Absent,
            Some(page) if page.done_at.is_none() => PageState::Open,
            Some(_) => PageState::Ended,
        };
        Ok(match page::resolve_due(page) {
            page::Due::Now => Tried::of(pages.resolve(&self.caller, id).await, "sent"),
            page::Due::NotYet => self.look_again(claimed),
            page::Due::Never(why) => Tried::needless(why),
        })
    }

    /// Makes the alert's ticket. After an earlier try, which may have made it, it is looked for
    /// first.
    async fn make_ticket(
        &self,
        desk: &Zendesk,
        claimed: &ClaimedJob,
        alert: AlertId,
        subject: &str,
        body: &str,
    ) -> Tried {
        if claimed.tries > 1 {
            match desk.find(&self.caller, alert).await {
                Ok(None) => {}
                Ok(Some(ticket)) => return made(alert, ticket),
                Err(why) => return Tried::Failed(why),
            }
        }
        if self.clock.now() >= claimed.lease_ends_at {
            return Tried::Failed("this process was held up; its turn is over".to_owned());
        }
        match desk.make(&self.caller, alert, subject, body).await {
            Ok(ticket) => made(alert, ticket),
            Err(why) => Tried::Failed(why),
        }
    }

    async fn comment(
        &self,
        desk: &Zendesk,
        claimed: &ClaimedJob,
        alert: AlertId,
        comment: &Comment,
    ) -> Result<Tried, StoreError> {
        let mut tx = self
            .store
            .begin_read("load_ticket", self.clock.now())
            .await?;
        let ticket = match tx.load_job_state(&Job::ticket_key(alert)).await? {
            Some(state) if state.done_at.is_none() => return Ok(self.look_again(claimed)),
            Some(state) => state.result.and_then(|id| id.parse::<u64>().ok()),
            None => None,
        };
        let Some(ticket) = ticket else {
            return Ok(Tried::needless("the alert has no ticket"));
        };
        if !is_its_turn(&mut tx, alert, comment).await? {
            return Ok(self.look_again(claimed));
        }
        let histories = tx.list_delivery_histories(alert).await?;
        drop(tx);
        let deliveries: Vec<Progress> = histories.iter().map(progress).collect();
        Ok(match ticket::comment_due(comment, &deliveries) {
            ticket::Due::Now(words) => {
                Tried::of(desk.comment(&self.caller, ticket, &words).await, "said")
            }
            ticket::Due::NotYet => self.look_again(claimed),
            ticket::Due::Never => Tried::needless("it did not happen"),
        })
    }

    fn look_again(&self, claimed: &ClaimedJob) -> Tried {
        let now = self.clock.now();
        Tried::NotYet(now + ticket::look_again_after(now.since(claimed.created_at)))
    }

    async fn record(&self, claimed: &ClaimedJob, tried: Tried) -> Result<(), StoreError> {
        let mut tx = self.store.begin("jobs.record", self.clock.now()).await?;
        let is_ours = match &tried {
            Tried::NotYet(at) => tx.put_off_job(claimed, *at).await?,
            Tried::Failed(_) | Tried::Doubtful(_) | Tried::Refused(_)
                if claimed.kind.holds_secrets() =>
            {
                self.record_untold(&mut tx, claimed, &tried).await?
            }
            Tried::Failed(why) | Tried::Doubtful(why) | Tried::Refused(why) => {
                self.record_failure(&mut tx, claimed, why).await?
            }
            Tried::Needless(why) => record_end(&mut tx, claimed, Some(why), &[]).await?,
            Tried::Done { result, then } => {
                record_end(&mut tx, claimed, result.as_deref(), then).await?
            }
        };
        if !is_ours {
            tracing::warn!(
                event = "job.lost",
                job = claimed.key,
                "another worker has taken this over"
            );
            return Ok(());
        }
        let now = tx.now;
        tx.commit().await?;
        match tried {
            Tried::Done { result, .. } => {
                let ms = now.since(claimed.created_at).as_millis();
                let ms = u64::try_from(ms).unwrap_or(u64::MAX);
                tracing::info!(
                    event = "job.done",
                    job = claimed.key,
                    result,
                    ms,
                    "a side effect is done"
                );
            }
            Tried::Needless(why) => {
                tracing::debug!(
                    event = "job.needless",
                    job = claimed.key,
                    why,
                    "nothing to do"
                );
            }
            Tried::NotYet(_) | Tried::Failed(_) | Tried::Doubtful(_) | Tried::Refused(_) => {}
        }
        Ok(())
    }

    /// Stores a failure, with a duty item where a person should look. Whether the job is still
    /// ours.
    async fn record_failure(
        &self,
        tx: &mut Tx,
        claimed: &ClaimedJob,
        why: &str,
    ) -> Result<bool, StoreError> {
        let failures = claimed.failures.saturating_add(1);
        let jitter = self.entropy.jitter_permille();
        let next = after_failure(claimed.kind, failures, claimed.created_at, tx.now, jitter);
        let (is_ours, needs_person) = match next {
            AfterFailure::RetryAt { at, needs_person } => {
                (tx.fail_job(claimed, at, why).await?, needs_person)
            }
            AfterFailure::Park => (tx.park_job(claimed, why).await?, true),
        };
        if !is_ours {
            return Ok(false);
        }
        if next == AfterFailure::Park {
            tracing::error!(
                event = "job.given_up",
                job = claimed.key,
                failures,
                error = why,
                "a side effect is given up"
            );
        } else {
            tracing::warn!(
                event = "job.failed",
                job = claimed.key,
                failures,
                error = why,
                "a side effect failed; it is tried again"
            );
        }
        let alert = claimed.job.as_ref().and_then(Job::alert_id);
        if let (true, Some(alert)) = (needs_person, alert) {
            let (id, kind) = (
                DutyItemId::new(self.entropy.uuid_v7(tx.now)),
                DutyKind::TicketFailing,
            );
            if tx
                .open_duty_item(id, kind, &subject(claimed), Some(alert), None)
                .await?
            {
                tracing::error!(
                    event = "duty_item.opened", alert.id = %alert, kind = kind.as_str(),
                    advice = kind.advice(), "a person on duty is needed"
                );
            }
        }
        Ok(true)
    }
}

/// Stores the end of a job, and what follows. Whether the job was still ours.
async fn record_end(
    tx: &mut Tx,
    claimed: &ClaimedJob,
    result: Option<&str>,
    then: &[Job],
) -> Result<bool, StoreError> {
    if !tx.finish_job(claimed, result).await? {
        return Ok(false);
    }
    for job in then {
        tx.enqueue_job(job).await?;
    }
    let kind = DutyKind::TicketFailing;
    tx.close_duty_item_of(kind, &subject(claimed), "the job's end")
        .await?;
    Ok(true)
}

/// What a duty item about a job is about.
fn subject(claimed: &ClaimedJob) -> String {
    format!("job {}", claimed.key)
}

/// A ticket that exists: how the alert's deliveries go is added to it.
fn made(alert_id: AlertId, ticket: u64) -> Tried {
    let comments = Comment::of_course(Kind::Alert);
    Tried::Done {
        result: Some(ticket.to_string()),
        then: comments
            .map(|comment| Job::TicketComment { alert_id, comment })
            .to_vec(),
    }
}

/// Whether what a reader must know before this comment was said: who cancelled or approved an
/// update, before what became of it.
async fn is_its_turn(tx: &mut Tx, alert: AlertId, comment: &Comment) -> Result<bool, StoreError> {
    match comment {
        Comment::CancelStuck | Comment::CancelOutcome => {
            let before = tx.load_job_state(&Job::cancelled_key(alert)).await?;
            Ok(before.is_none_or(|state| state.done_at.is_some()))
        }
        Comment::UpdateOutcome { seq } => {
            let before = tx.load_job_state(&Job::updated_key(alert, *seq)).await?;
            Ok(before.is_none_or(|state| state.done_at.is_some()))
        }
        Comment::AlertStuck
        | Comment::AlertOutcome
        | Comment::Updated { .. }
        | Comment::Cancelled { .. } => Ok(true),
    }
}

fn progress(history: &DeliveryHistory) -> Progress {
    let delivery = &history.delivery;
    Progress {
        provider: history.provider.clone(),
        kind: delivery.kind,
        update: (history.event_kind == Kind::Update).then_some(history.event_seq),
        state: delivery.state,
        is_stuck: delivery.is_stuck,
        is_accepted: history.attempts.iter().any(|(a, _)| a.is_accepted()),
    }
}
