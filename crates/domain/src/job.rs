//! Jobs: side effects that leave through a queue of their own, so that none can delay or stop a
//! send (D7). What a job is, when it is tried again, and when it is given up.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::{AlertId, DutyItemId, NotificationId};
use crate::lane::Kind;
use crate::notification::Way;
use crate::time::Timestamp;

/// The longest wait between two tries.
pub const BACKOFF_SECONDS_MAX: u64 = 240;
/// The furthest ahead that a page's next try can lie where clocks are right: beyond every lease and
/// every wait, with room.
pub const PAGE_AHEAD_MAX: Duration = Duration::from_secs(2 * BACKOFF_SECONDS_MAX);
/// How long a ticket is tried: a week covers any outage that somebody means to mend.
pub const TICKET_TRIED_FOR: Duration = Duration::from_secs(7 * 24 * 3600);
/// A ticket that failed so often, which takes a quarter of an hour, needs a person: a wrong key
/// mends itself as little as a moved address.
pub const TICKET_FAILURES_MAX: u32 = 10;

/// One side effect, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Job {
    /// Make the alert's ticket. Its words were frozen at the approval.
    Ticket {
        /// Which alert.
        alert_id: AlertId,
        /// The ticket's subject.
        subject: String,
        /// Its first comment.
        body: String,
    },
    /// Add to the alert's ticket.
    TicketComment {
        /// Which alert.
        alert_id: AlertId,
        /// What to add.
        comment: Comment,
    },
    /// Wake the person on duty.
    Page {
        /// For which duty item.
        duty_item_id: DutyItemId,
    },
    /// Say that the duty item is closed.
    PageResolve {
        /// Which.
        duty_item_id: DutyItemId,
    },
    /// Send an e-mail.
    Email(Told),
    /// Send an SMS.
    Sms(Told),
}

/// A notification as it is stored: nobody reads it without the key for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Which.
    pub notification_id: NotificationId,
    /// The word of its message.
    pub message: String,
    /// A part of the address, for people.
    pub to: String,
    /// From then on it is worth nothing.
    pub valid_until: Timestamp,
    /// The notification as JSON, encrypted.
    pub sealed: String,
}

/// What is added to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "about", rename_all = "snake_case")]
pub enum Comment {
    /// A delivery is stuck: which; once one is.
    AlertStuck,
    /// What became of the alert at each provider; once all its deliveries have ended.
    AlertOutcome,
    /// Who approved an update of it, in words frozen at that approval.
    Updated {
        /// The `seq` of its event: each update has comments of its own.
        seq: u32,
        /// The words.
        body: String,
    },
    /// As [`Comment::AlertOutcome`], of an update.
    UpdateOutcome {
        /// The `seq` of its event.
        seq: u32,
    },
    /// Who cancelled the alert, in words frozen at the cancel.
    Cancelled {
        /// The words.
        body: String,
    },
    /// As [`Comment::AlertStuck`], of the cancel.
    CancelStuck,
    /// As [`Comment::AlertOutcome`], of the cancel.
    CancelOutcome,
}

/// The kinds of jobs: each has places of its own, so that one that hangs holds up no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobKind {
    /// [`Job::Page`].
    Page,
    /// [`Job::PageResolve`].
    PageResolve,
    /// [`Job::Sms`].
    Sms,
    /// [`Job::Email`].
    Email,
    /// [`Job::Ticket`].
    Ticket,
    /// [`Job::TicketComment`].
    TicketComment,
}

impl JobKind {
    /// All kinds, the most urgent first.
    pub const ALL: [Self; 6] = [
        Self::Page,
        Self::PageResolve,
        Self::Sms,
        Self::Email,
        Self::Ticket,
        Self::TicketComment,
    ];

    /// The word in tables and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::PageResolve => "page_resolve",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Ticket => "ticket",
            Self::TicketComment => "ticket_comment",
        }
    }

    /// The kind that [`JobKind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }

    const fn is_of_ticket(self) -> bool {
        match self {
            Self::Ticket | Self::TicketComment => true,
            Self::Page | Self::PageResolve | Self::Sms | Self::Email => false,
        }
    }

    /// Whether its jobs hold what must not be kept longer than it is needed.
    pub const fn holds_secrets(self) -> bool {
        match self {
            Self::Sms | Self::Email => true,
            Self::Ticket | Self::TicketComment | Self::Page | Self::PageResolve => false,
        }
    }
}

impl Job {
    /// Its kind.
    pub const fn kind(&self) -> JobKind {
        match self {
            Self::Ticket { .. } => JobKind::Ticket,
            Self::TicketComment { .. } => JobKind::TicketComment,
            Self::Page { .. } => JobKind::Page,
            Self::PageResolve { .. } => JobKind::PageResolve,
            Self::Sms(_) => JobKind::Sms,
            Self::Email(_) => JobKind::Email,
        }
    }

    /// What names it: its kind and what it is about. A job is made once per key.
    pub fn key(&self) -> String {
        let kind = self.kind().as_str();
        match self {
            Self::Ticket { alert_id, .. } => format!("{kind} {alert_id}"),
            Self::TicketComment { alert_id, comment } => {
                format!("{kind} {alert_id} {}", comment.word())
            }
            Self::Page { duty_item_id } | Self::PageResolve { duty_item_id } => {
                format!("{kind} {duty_item_id}")
            }
            Self::Sms(told) | Self::Email(told) => format!("{kind} {}", told.notification_id),
        }
    }

    /// The key of an alert's ticket.
    pub fn ticket_key(alert: AlertId) -> String {
        format!("{} {alert}", JobKind::Ticket.as_str())
    }

    /// The key of the comment that says who cancelled an alert.
    pub fn cancelled_key(alert: AlertId) -> String {
        let body = String::new();
        let comment = Comment::Cancelled { body };
        Self::TicketComment {
            alert_id: alert,
            comment,
        }
        .key()
    }

    /// The key of the comment that says who approved the update with this `seq`.
    pub fn updated_key(alert: AlertId, seq: u32) -> String {
        let body = String::new();
        let comment = Comment::Updated { seq, body };
        Self::TicketComment {
            alert_id: alert,
            comment,
        }
        .key()
    }

    /// The key of a duty item's page.
    pub fn page_key(item: DutyItemId) -> String {
        Self::Page { duty_item_id: item }.key()
    }

    /// A notification on its way.
    pub const fn notification(way: Way, told: Told) -> Self {
        match way {
            Way::Email => Self::Email(told),
            Way::Sms => Self::Sms(told),
        }
    }

    /// The notification, where it is one.
    pub const fn told(&self) -> Option<&Told> {
        match self {
            Self::Email(told) | Self::Sms(told) => Some(told),
            Self::Ticket { .. }
            | Self::TicketComment { .. }
            | Self::Page { .. }
            | Self::PageResolve { .. } => None,
        }
    }

    /// The alert that it is about, where it is about one.
    pub const fn alert_id(&self) -> Option<AlertId> {
        match self {
            Self::Ticket { alert_id, .. } | Self::TicketComment { alert_id, .. } => Some(*alert_id),
            Self::Page { .. } | Self::PageResolve { .. } | Self::Sms(_) | Self::Email(_) => None,
        }
    }
}

impl Comment {
    /// Comments on how the deliveries of one kind go: as soon as one is stuck, and at the end.
    pub const fn of_course(kind: Kind) -> [Self; 2] {
        match kind {
            Kind::Alert | Kind::Update => [Self::AlertStuck, Self::AlertOutcome],
            Kind::Cancel => [Self::CancelStuck, Self::CancelOutcome],
        }
    }

    fn word(&self) -> Cow<'static, str> {
        match self {
            Self::AlertStuck => "alert_stuck".into(),
            Self::AlertOutcome => "alert_outcome".into(),
            Self::Updated { seq, .. } => format!("updated {seq}").into(),
            Self::UpdateOutcome { seq } => format!("update_outcome {seq}").into(),
            Self::Cancelled { .. } => "cancelled".into(),
            Self::CancelStuck => "cancel_stuck".into(),
            Self::CancelOutcome => "cancel_outcome".into(),
        }
    }
}

/// What becomes of a job that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again then. `needs_person`: it fails for so long that a person should look.
    RetryAt {
        /// When.
        at: Timestamp,
        /// Whether a duty item is due.
        needs_person: bool,
    },
    /// Give it up; a person should know.
    Park,
}

/// What becomes of a job that failed for the `failures`th time (1, 2, …): min(2^failures, 240) s
/// ±10 % until the next try. Pages are tried for ever, tickets for [`TICKET_TRIED_FOR`]; what
/// becomes of a notification [`crate::notification::after_failure`] says.
/// `jitter_permille` is -1000..=1000 thousandths of the greatest deviation.
pub fn after_failure(
    kind: JobKind,
    failures: u32,
    created_at: Timestamp,
    now: Timestamp,
    jitter_permille: i32,
) -> AfterFailure {
    let age = now.since(created_at);
    if kind.is_of_ticket() && age >= TICKET_TRIED_FOR {
        return AfterFailure::Park;
    }
    AfterFailure::RetryAt {
        at: now + wait_after(failures, jitter_permille),
        // Nobody can be told of a page that fails by another page: that is for the log.
        needs_person: kind.is_of_ticket() && failures >= TICKET_FAILURES_MAX,
    }
}

/// min(2^failures, 240) s ±10 %.
pub(crate) fn wait_after(failures: u32, jitter_permille: i32) -> Duration {
    let seconds = (1_u64 << failures.min(32)).min(BACKOFF_SECONDS_MAX);
    let tenth_ms = i64::try_from(seconds * 100).unwrap_or(i64::MAX);
    let jitter_ms = tenth_ms * i64::from(jitter_permille.clamp(-1000, 1000)) / 1000;
    Duration::from_millis(u64::try_from(tenth_ms * 10 + jitter_ms).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const ALERT: AlertId = AlertId::new(Uuid::from_u128(1));
    const ITEM: DutyItemId = DutyItemId::new(Uuid::from_u128(2));

    fn told() -> Told {
        Told {
            notification_id: NotificationId::new(Uuid::from_u128(3)),
            message: "test".to_owned(),
            to: "a…@example.org".to_owned(),
            valid_until: Timestamp::from_seconds(2_000),
            sealed: "AAAA".to_owned(),
        }
    }

    fn samples() -> Vec<(Job, &'static str)> {
        let comment = |comment| Job::TicketComment {
            alert_id: ALERT,
            comment,
        };
        vec![
            (
                Job::Ticket {
                    alert_id: ALERT,
                    subject: "s".to_owned(),
                    body: "b".to_owned(),
                },
                "ticket 00000000-0000-0000-0000-000000000001",
            ),
            (
                comment(Comment::AlertStuck),
                "ticket_comment 00000000-0000-0000-0000-000000000001 alert_stuck",
            ),
            (
                comment(Comment::AlertOutcome),
                "ticket_comment 00000000-0000-0000-0000-000000000001 alert_outcome",
            ),
            (
                comment(Comment::Cancelled {
                    body: "b".to_owned(),
                }),
                "ticket_comment 00000000-0000-0000-0000-000000000001 cancelled",
            ),
            (
                comment(Comment::CancelStuck),
                "ticket_comment 00000000-0000-0000-0000-000000000001 cancel_stuck",
            ),
            (
                comment(Comment::CancelOutcome),
                "ticket_comment 00000000-0000-0000-0000-000000000001 cancel_outcome",
            ),
            (
                comment(Comment::Updated {
                    seq: 2,
                    body: "who".to_owned(),
                }),
                "ticket_comment 00000000-0000-0000-0000-000000000001 updated 2",
            ),
            (
                comment(Comment::UpdateOutcome { seq: 3 }),
                "ticket_comment 00000000-0000-0000-0000-000000000001 update_outcome 3",
            ),
            (
                Job::Page { duty_item_id: ITEM },
                "page 00000000-0000-0000-0000-000000000002",
            ),
            (
                Job::PageResolve { duty_item_id: ITEM },
                "page_resolve 00000000-0000-0000-0000-000000000002",
            ),
            (
                Job::notification(Way::Sms, told()),
                "sms 00000000-0000-0000-0000-000000000003",
            ),
            (
                Job::notification(Way::Email, told()),
                "email 00000000-0000-0000-0000-000000000003",
            ),
        ]
    }

    #[test]
    fn a_job_has_one_key_and_is_read_back_as_it_was_stored() {
        for (job, key) in samples() {
            assert_eq!(job.key(), key);
            let stored = serde_json::to_value(&job).expect("JSON");
            assert_eq!(stored["kind"], job.kind().as_str());
            assert_eq!(JobKind::parse(job.kind().as_str()), Some(job.kind()));
            assert_eq!(serde_json::from_value::<Job>(stored).expect("a job"), job);
        }
        assert_eq!(Job::ticket_key(ALERT), samples()[0].0.key());
        assert_eq!(Job::cancelled_key(ALERT), samples()[3].0.key());
        assert_eq!(Job::updated_key(ALERT, 2), samples()[6].0.key());
        assert_eq!(Job::page_key(ITEM), samples()[8].0.key());
        assert_eq!(JobKind::parse("webhook"), None);
    }

    #[test]
    fn the_wait_doubles_up_to_four_minutes_and_never_overflows() {
        let born = Timestamp::from_seconds(1_000);
        // failures, jitter, milliseconds until the next try
        let cases = [
            (1, 0, 2_000),
            (2, 0, 4_000),
            (7, 0, 128_000),
            (8, 0, 240_000),
            (9, 0, 240_000),
            (u32::MAX, 0, 240_000),
            (1, 1000, 2_200),
            (1, -1000, 1_800),
            (8, i32::MAX, 264_000),
            (8, i32::MIN, 216_000),
        ];
        for (failures, jitter, want_ms) in cases {
            let next = after_failure(JobKind::Page, failures, born, born, jitter);
            let at = born + Duration::from_millis(want_ms);
            let want = AfterFailure::RetryAt {
                at,
                needs_person: false,
            };
            assert_eq!(next, want, "{failures} failures, jitter {jitter}");
        }
    }

    #[test]
    fn a_page_is_tried_for_ever_and_a_ticket_for_a_week() {
        let born = Timestamp::from_seconds(1_000);
        let week = TICKET_TRIED_FOR.as_secs();
        // kind, failures, age in seconds, given up, needs a person
        let cases = [
            (JobKind::Page, 99, 10 * week, false, false),
            (JobKind::PageResolve, 99, 10 * week, false, false),
            (JobKind::Ticket, 9, 900, false, false),
            (JobKind::Ticket, 10, 900, false, true),
            (JobKind::TicketComment, 1, week - 1, false, false),
            (JobKind::TicketComment, 10, 900, false, true),
            (JobKind::Ticket, 99, week - 1, false, true),
            (JobKind::Ticket, 1, week, true, false),
            (JobKind::TicketComment, 99, week, true, false),
        ];
        for (kind, failures, age, is_given_up, needs) in cases {
            let now = born + Duration::from_secs(age);
            match after_failure(kind, failures, born, now, 0) {
                AfterFailure::Park => assert!(is_given_up, "{kind:?} at {age} s"),
                AfterFailure::RetryAt { at, needs_person } => {
                    assert!(!is_given_up, "{kind:?} at {age} s");
                    assert_eq!(needs_person, needs, "{kind:?}: {failures} at {age} s");
                    assert!(at > now);
                }
            }
        }
    }
}
