//! One notification: opened, sent by its way's carrier, and what is stored where it did not go.

use std::time::Duration;

use balefire_domain::audit::{Actor, Change, Whence};
use balefire_domain::ids::AuditEntryId;
use balefire_domain::job::{AfterFailure, Told};
use balefire_domain::notification::{INVITATION_VALID_FOR, Notification, after_failure};
use balefire_domain::time::Timestamp;
use balefire_store::audit_entries::AuditEntry;
use balefire_store::jobs::ClaimedJob;
use balefire_store::{StoreError, Tx};
use serde_json::json;

use super::carry_out::Tried;
use super::{JobRunner, Sent};

impl JobRunner {
    /// Sends a notification.
    pub(super) async fn tell(&self, claimed: &ClaimedJob, told: &Told) -> Tried {
        let now = self.clock.now();
        if now >= self.worth_until(told.valid_until) {
            return Tried::Refused("it is too late: what it says is worth nothing now".to_owned());
        }
        let opened = (self.open)(&told.sealed);
        let notification: Option<Notification> =
            opened.and_then(|json| serde_json::from_str(&json).ok());
        let Some(notification) = notification else {
            return Tried::Failed(
                "it can't be read: is secrets.key_file the one it was stored with?".to_owned(),
            );
        };
        if now >= claimed.lease_ends_at {
            return Tried::Failed("this process was held up; its turn is over".to_owned());
        }
        let id = told.notification_id;
        let sent = self
            .settings
            .notifications
            .send(&self.caller, now, id, &notification);
        match sent.await {
            Sent::Sent(by) => Tried::done(by),
            Sent::Needless(why) => Tried::needless(why),
            Sent::Failed(why) => Tried::Failed(why),
            Sent::Doubtful(why) => Tried::Doubtful(why),
            Sent::Refused(why) => Tried::Refused(why),
        }
    }

    /// Until when a notification is worth sending. A clock in doubt ends none.
    fn worth_until(&self, valid_until: Timestamp) -> Timestamp {
        if self.clock.is_trusted() {
            valid_until
        } else {
            self.clock.now() + INVITATION_VALID_FOR
        }
    }

    /// Stores that a notification failed. What is given up is told by the log and the audit trail.
    /// Whether the job is still ours.
    pub(super) async fn record_untold(
        &self,
        tx: &mut Tx,
        claimed: &ClaimedJob,
        tried: &Tried,
    ) -> Result<bool, StoreError> {
        let (why, is_final, is_doubtful) = match tried {
            Tried::Failed(why) => (why, false, false),
            Tried::Doubtful(why) => (why, false, true),
            Tried::Refused(why) => (why, true, false),
            Tried::Done { .. } | Tried::Needless(_) | Tried::NotYet(_) => return Ok(true),
        };
        let told = claimed.job.as_ref().and_then(|job| job.told());
        let failures = claimed.failures.saturating_add(1);
        let valid_until = told.map_or(claimed.created_at + INVITATION_VALID_FOR, |told| {
            self.worth_until(told.valid_until)
        });
        let jitter = self.entropy.jitter_permille();
        let next = after_failure(failures, is_doubtful, valid_until, tx.now, jitter);
        if let (AfterFailure::RetryAt { at, .. }, false) = (next, is_final) {
            let is_ours = tx.fail_job(claimed, at, why).await?;
            if is_ours {
                tracing::warn!(
                    event = "job.failed",
                    job = claimed.key,
                    failures,
                    error = why,
                    "a side effect failed; it is tried again"
                );
            }
            return Ok(is_ours);
        }
        if !tx.park_job(claimed, why).await? {
            return Ok(false);
        }
        let (message, to) = told.map_or(("unknown", "unknown"), |told| {
            (told.message.as_str(), told.to.as_str())
        });
        let age = tx.now.since(claimed.created_at);
        self.note_untold(tx, claimed, (message, to), failures, why, age)
            .await?;
        Ok(true)
    }

    async fn note_untold(
        &self,
        tx: &mut Tx,
        claimed: &ClaimedJob,
        (message, to): (&str, &str),
        failures: u32,
        why: &str,
        age: Duration,
    ) -> Result<(), StoreError> {
        tracing::warn!(
            event = "notification.not_delivered",
            job = claimed.key,
            message_kind = message,
            to,
            failures,
            error = why,
            "a message to a person is given up"
        );
        let way = claimed.kind.as_str();
        let id = claimed.key.strip_prefix(way).unwrap_or(&claimed.key).trim();
        let entry = AuditEntry {
            id: AuditEntryId::new(self.entropy.uuid_v7(tx.now)),
            actor: Actor::Clock,
            action: "notification.give_up",
            object: format!("notification {id}"),
            service_id: None,
            details: json!({
                "message": message, "way": way, "to": to, "failures": failures, "error": why,
                "age_seconds": age.as_secs(),
            }),
            change: Change::NONE,
            whence: Whence::default(),
            refusal: None,
        };
        tx.insert_audit_entry(&entry).await
    }
}
