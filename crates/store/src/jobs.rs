//! Jobs: the queue of side effects (D7). A job is stored in the transaction that caused it, and
//! taken by one worker at a time: the lease is its `due_at`, and what a worker stores is fenced by
//! its name and the try's number, so that one that woke late changes nothing.

use std::time::Duration;

use balefire_domain::ids::InstanceId;
use balefire_domain::job::{Job, JobKind};
use balefire_domain::limits::JOB_ERROR_CHARS_MAX;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// A job that a worker took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimedJob {
    /// What names it.
    pub key: String,
    /// Its kind.
    pub kind: JobKind,
    /// What to do; absent where another version of Balefire wrote what this one can't read.
    pub job: Option<Job>,
    /// Who took it.
    pub owner: InstanceId,
    /// How often it was taken, this time included.
    pub tries: u32,
    /// How often it failed before.
    pub failures: u32,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When somebody else may take it.
    pub lease_ends_at: Timestamp,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobState {
    /// When it ended, done or given up.
    pub done_at: Option<Timestamp>,
    /// Whether it was given up.
    pub is_parked: bool,
    /// What the other side named.
    pub result: Option<String>,
    /// Why it failed last.
    pub last_error: Option<String>,
}

statements! {
    ENQUEUE: "INSERT INTO jobs (id, kind, payload, due_at, created_at, tries)
        VALUES ($1, $2, $3, $4, $4, 0)
        ON CONFLICT (id) DO NOTHING";
    LIST_DUE_KINDS: "SELECT DISTINCT kind FROM jobs WHERE done_at IS NULL AND due_at <= $1";
    PICK(pick): "SELECT id, payload, tries, failures, created_at FROM jobs
        WHERE kind = $1 AND done_at IS NULL AND due_at <= $2
        ORDER BY due_at, id LIMIT $3";
    RECALL: "UPDATE jobs SET due_at = $1
        WHERE done_at IS NULL AND due_at > $2 AND kind IN ($3, $4, $5, $6)";
    CLAIM: "UPDATE jobs SET owner = $2, tries = tries + 1, due_at = $3 WHERE id = $1";
    FINISH: "UPDATE jobs SET done_at = $4, result = $5, last_error = NULL
        WHERE id = $1 AND owner = $2 AND tries = $3 AND done_at IS NULL";
    PUT_OFF: "UPDATE jobs SET due_at = $4
        WHERE id = $1 AND owner = $2 AND tries = $3 AND done_at IS NULL";
    FAIL: "UPDATE jobs SET due_at = $4, failures = failures + 1, last_error = $5
        WHERE id = $1 AND owner = $2 AND tries = $3 AND done_at IS NULL";
    GIVE_UP: "UPDATE jobs SET done_at = $4, is_parked = TRUE, failures = failures + 1,
            last_error = $5
        WHERE id = $1 AND owner = $2 AND tries = $3 AND done_at IS NULL";
    WIPE: "UPDATE jobs SET payload = '{}' WHERE id = $1 AND done_at IS NOT NULL";
    LOAD: "SELECT done_at, is_parked, result, last_error FROM jobs WHERE id = $1";
}

impl Tx {
    /// Enqueues a job, due at once, unless it was enqueued before; whether it is new.
    pub async fn enqueue_job(&mut self, job: &Job) -> Result<bool, StoreError> {
        let payload = serde_json::to_string(job).expect("a job is JSON");
        let now = self.now.micros();
        let kind = job.kind().as_str();
        Ok(execute!(self, ENQUEUE, job.key(), kind, payload, now)? == 1)
    }

    /// The kinds of which a job is due. Kinds that this version doesn't know are left out.
    pub async fn list_due_job_kinds(&mut self) -> Result<Vec<JobKind>, StoreError> {
        let now = self.now.micros();
        let words = fetch_all!(self, |row| row.text("kind"), LIST_DUE_KINDS, now)?;
        Ok(words
            .iter()
            .filter_map(|word| JobKind::parse(word))
            .collect())
    }

    /// Makes pages, their ends and notifications due that wait for longer than `ahead_max`; how
    /// many. A worker that has one may still store its end, until another takes it.
    pub async fn recall_pages(&mut self, ahead_max: Duration) -> Result<u64, StoreError> {
        let (now, latest) = (self.now.micros(), (self.now + ahead_max).micros());
        let (page, end) = (JobKind::Page.as_str(), JobKind::PageResolve.as_str());
        let (sms, email) = (JobKind::Sms.as_str(), JobKind::Email.as_str());
        execute!(self, RECALL, now, latest, page, end, sms, email)
    }

    /// Takes at most `limit` jobs of a kind for `lease`, the longest due first. Nobody waits for
    /// anybody: what another worker is taking is left to it.
    pub async fn claim_jobs(
        &mut self,
        kind: JobKind,
        owner: InstanceId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<ClaimedJob>, StoreError> {
        let lease_ends_at = self.now + lease;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let now = self.now.micros();
        let claimed = fetch_all!(
            self,
            |row| read_claimed(row, kind, owner, lease_ends_at),
            PICK,
            kind.as_str(),
            now,
            limit
        )?;
        for job in &claimed {
            let (id, until) = (job.key.clone(), lease_ends_at.micros());
            execute_one!(self, CLAIM, id, owner.to_string(), until)?;
        }
        Ok(claimed)
    }

    /// Stores that a job is done, and what the other side named. False where the worker lost it.
    pub async fn finish_job(
        &mut self,
        job: &ClaimedJob,
        result: Option<&str>,
    ) -> Result<bool, StoreError> {
        let (id, owner, tries) = fence(job);
        let (now, result) = (self.now.micros(), result.map(str::to_owned));
        let is_ours = execute!(self, FINISH, id, owner, tries, now, result)? == 1;
        self.wipe_ended(job, is_ours).await
    }

    /// Forgets what a job was to say, where that is a secret: it has ended. Whether it was ours.
    async fn wipe_ended(&mut self, job: &ClaimedJob, is_ours: bool) -> Result<bool, StoreError> {
        if is_ours && job.kind.holds_secrets() {
            execute_one!(self, WIPE, job.key.clone())?;
        }
        Ok(is_ours)
    }

    /// Gives a job back until `due_at`, without a failure: it waits for something. False where the
    /// worker lost it.
    pub async fn put_off_job(
        &mut self,
        job: &ClaimedJob,
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let (id, owner, tries) = fence(job);
        Ok(execute!(self, PUT_OFF, id, owner, tries, due_at.micros())? == 1)
    }

    /// Stores that a job failed, and why; it is due again at `due_at`. False where the worker lost
    /// it.
    pub async fn fail_job(
        &mut self,
        job: &ClaimedJob,
        due_at: Timestamp,
        why: &str,
    ) -> Result<bool, StoreError> {
        let (id, owner, tries) = fence(job);
        let (due_at, why) = (due_at.micros(), shortened(why));
        Ok(execute!(self, FAIL, id, owner, tries, due_at, why)? == 1)
    }

    /// Gives a job up. False where the worker lost it.
    pub async fn park_job(&mut self, job: &ClaimedJob, why: &str) -> Result<bool, StoreError> {
        let (id, owner, tries) = fence(job);
        let (now, why) = (self.now.micros(), shortened(why));
        let is_ours = execute!(self, GIVE_UP, id, owner, tries, now, why)? == 1;
        self.wipe_ended(job, is_ours).await
    }

    /// How the job of this key stands; absent where it was never enqueued.
    pub async fn load_job_state(&mut self, key: &str) -> Result<Option<JobState>, StoreError> {
        fetch_optional!(self, read_state, LOAD, key.to_owned())
    }
}

fn fence(job: &ClaimedJob) -> (String, String, i64) {
    (job.key.clone(), job.owner.to_string(), i64::from(job.tries))
}

fn shortened(why: &str) -> String {
    why.chars().take(JOB_ERROR_CHARS_MAX).collect()
}

fn read_claimed(
    row: &impl Row,
    kind: JobKind,
    owner: InstanceId,
    lease_ends_at: Timestamp,
) -> Result<ClaimedJob, StoreError> {
    let payload = row.text("payload")?;
    Ok(ClaimedJob {
        key: row.text("id")?,
        kind,
        job: serde_json::from_str(&payload).ok(),
        owner,
        tries: row.count("tries")?.saturating_add(1),
        failures: row.count("failures")?,
        created_at: row.instant("created_at")?,
        lease_ends_at,
    })
}

fn read_state(row: &impl Row) -> Result<JobState, StoreError> {
    Ok(JobState {
        done_at: row.opt_instant("done_at")?,
        is_parked: row.bool("is_parked")?,
        result: row.opt_text("result")?,
        last_error: row.opt_text("last_error")?,
    })
}
