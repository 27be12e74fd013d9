//! Notifications: what the system says to one person by e-mail or SMS, outside of any alert. Who
//! is told, what, in which words, and for how long telling it makes sense.
//!
//! What it promises: a subject is one line and an address is one word, whatever names and links
//! hold; codes and links are never shown by `Debug` nor in [`Notification::masked`]. What it
//! deliberately does not do: nothing here sends, and the words are English only.

mod recipient;
mod words;

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::job::{AfterFailure, wait_after};
use crate::time::Timestamp;

pub use recipient::{InvalidRecipient, Recipient, Way};
pub use words::{TEMPLATES, Words};

/// Failures after which a notification is given up, where each surely sent nothing: a little under
/// three hours.
pub const FAILURES_MAX: u32 = 50;
/// Failures after which it is given up where the last may have sent it all the same: nobody should
/// get one message a dozen times.
pub const DOUBTFUL_FAILURES_MAX: u32 = 5;

const MINUTES: u64 = 60;
const DAYS: u64 = 24 * 60 * MINUTES;
/// A code or a sign-in link is taken for so long; its message is worth no more.
pub const CODE_VALID_FOR: Duration = Duration::from_secs(30 * MINUTES);
/// The link that sets a new password, or that proves a new address, is taken for so long.
pub const LINK_VALID_FOR: Duration = Duration::from_secs(60 * MINUTES);
/// An invitation is taken for so long.
pub const INVITATION_VALID_FOR: Duration = Duration::from_secs(2 * DAYS);
/// News is news for a day.
const NEWS_VALID_FOR: Duration = Duration::from_secs(DAYS);

/// One message to one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// To whom.
    pub to: Recipient,
    /// What is said.
    pub message: Message,
}

/// A text that only its recipient may read: a code, or a link with a token in it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the message itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Everything that the system says to a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "snake_case")]
pub enum Message {
    /// The code of the second factor.
    SignInCode {
        /// Seven digits.
        code: Hidden,
    },
    /// The link that signs in in the place of a code.
    SignInLink {
        /// Of the person.
        name: String,
        /// With its token.
        link: Hidden,
    },
    /// The link that proves the address of a new person.
    ConfirmEmail {
        /// Of the person.
        name: String,
        /// With its token.
        link: Hidden,
    },
    /// The link that proves a person's new address; it goes there.
    ConfirmNewEmail {
        /// Of the person.
        name: String,
        /// With its token.
        link: Hidden,
    },
    /// The link that sets a new password.
    ResetPassword {
        /// Of the person.
        name: String,
        /// With its token.
        link: Hidden,
    },
    /// Somebody asked for an account with an address that has one.
    AlreadyRegistered {
        /// Where one signs in; no secret.
        sign_in_link: String,
        /// Where one asks for a new password; no secret.
        forgotten_link: String,
    },
    /// An invitation to a service.
    ServiceInvitation {
        /// Who invites.
        inviter: String,
        /// The service's name.
        service: String,
        /// With its token.
        link: Hidden,
    },
    /// An invitation to an organisation.
    OrganisationInvitation {
        /// Who invites.
        inviter: String,
        /// The organisation's name.
        organisation: String,
        /// With its token.
        link: Hidden,
    },
    /// Something of a person's account was changed.
    SecurityChange {
        /// Of the person.
        name: String,
        /// What was changed.
        changed: Changed,
    },
    /// What an alert would be, to be read before anybody submits it.
    AlertSummary {
        /// The service's name.
        service: String,
        /// Who asked for it.
        author: String,
        /// The summary, as it was written.
        summary: String,
        /// Names of the areas.
        areas: Vec<String>,
        /// How many phones, in words.
        phones: String,
        /// How long it is on the air, in words.
        duration: String,
    },
    /// Nothing but that messages arrive.
    Test,
}

/// What was changed of a person's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Their name.
    Name,
    /// Their e-mail address: the old and the new one are told.
    Email,
    /// Their mobile number: the old and the new one are told.
    Mobile,
    /// How they sign in.
    AuthType,
    /// Their password.
    Password,
}

impl Notification {
    /// What is said, to whom.
    pub const fn new(to: Recipient, message: Message) -> Self {
        Self { to, message }
    }

    /// The same with `***` in the place of what only its recipient may read: for logs.
    #[must_use]
    pub fn masked(&self) -> Self {
        let mut masked = self.clone();
        if let Some(hidden) = masked.message.hidden() {
            *hidden = Hidden::new("***");
        }
        masked
    }
}

impl Message {
    /// The word in tables, logs and the names of templates.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::SignInCode { .. } => "sign_in_code",
            Self::SignInLink { .. } => "sign_in_link",
            Self::ConfirmEmail { .. } => "confirm_email",
            Self::ConfirmNewEmail { .. } => "confirm_new_email",
            Self::ResetPassword { .. } => "reset_password",
            Self::AlreadyRegistered { .. } => "already_registered",
            Self::ServiceInvitation { .. } => "service_invitation",
            Self::OrganisationInvitation { .. } => "organisation_invitation",
            Self::SecurityChange { .. } => "security_change",
            Self::AlertSummary { .. } => "alert_summary",
            Self::Test => "test",
        }
    }

    /// For how long, from its cause, delivering it makes sense.
    pub const fn valid_for(&self) -> Duration {
        match self {
            Self::SignInCode { .. } | Self::SignInLink { .. } | Self::Test => CODE_VALID_FOR,
            Self::ConfirmEmail { .. }
            | Self::ConfirmNewEmail { .. }
            | Self::ResetPassword { .. } => LINK_VALID_FOR,
            Self::ServiceInvitation { .. } | Self::OrganisationInvitation { .. } => {
                INVITATION_VALID_FOR
            }
            Self::AlreadyRegistered { .. }
            | Self::SecurityChange { .. }
            | Self::AlertSummary { .. } => NEWS_VALID_FOR,
        }
    }

    const fn hidden(&mut self) -> Option<&mut Hidden> {
        match self {
            Self::SignInCode { code } => Some(code),
            Self::SignInLink { link, .. }
            | Self::ConfirmEmail { link, .. }
            | Self::ConfirmNewEmail { link, .. }
            | Self::ResetPassword { link, .. }
            | Self::ServiceInvitation { link, .. }
            | Self::OrganisationInvitation { link, .. } => Some(link),
            Self::AlreadyRegistered { .. }
            | Self::SecurityChange { .. }
            | Self::AlertSummary { .. }
            | Self::Test => None,
        }
    }
}

/// What becomes of a notification that failed for the `failures`th time (1, 2, …): tried again
/// after the wait of every job, at most [`FAILURES_MAX`] times and never at or after `valid_until`.
/// `is_doubtful`: the last try may have sent it.
pub fn after_failure(
    failures: u32,
    is_doubtful: bool,
    valid_until: Timestamp,
    now: Timestamp,
    jitter_permille: i32,
) -> AfterFailure {
    let at = now + wait_after(failures, jitter_permille);
    let failures_max = if is_doubtful {
        DOUBTFUL_FAILURES_MAX
    } else {
        FAILURES_MAX
    };
    if failures >= failures_max || at >= valid_until {
        return AfterFailure::Park;
    }
    AfterFailure::RetryAt {
        at,
        needs_person: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_is_tried_as_long_as_it_makes_sense() {
        let now = Timestamp::from_seconds(10_000);
        let far = now + Duration::from_secs(9_999);
        let soon = |seconds| now + Duration::from_secs(seconds);
        // failures, doubtful, worth nothing from then on, the next try in seconds
        let cases = [
            (1, false, far, Some(2)),
            (7, false, far, Some(128)),
            (49, false, far, Some(240)),
            (50, false, far, None),
            (u32::MAX, false, far, None),
            (4, true, far, Some(16)),
            (5, true, far, None),
            (1, false, soon(3), Some(2)),
            (1, false, soon(2), None),
            (1, false, now, None),
        ];
        for (failures, is_doubtful, valid_until, want) in cases {
            let want = want.map_or(AfterFailure::Park, |seconds| AfterFailure::RetryAt {
                at: soon(seconds),
                needs_person: false,
            });
            let next = after_failure(failures, is_doubtful, valid_until, now, 0);
            assert_eq!(next, want, "{failures} failures, doubtful: {is_doubtful}");
        }
    }

    #[test]
    fn what_only_the_recipient_may_read_is_shown_nowhere_else() {
        for message in words::tests::samples() {
            let to = Recipient::email("ann@example.org").expect("an address");
            let notification = Notification::new(to, message);
            let word = notification.message.as_str();
            assert!(!format!("{notification:?}").contains("s3cret"), "{word}");
            let words = notification.masked().words();
            assert!(!format!("{words:?}").contains("s3cret"), "{word}");
            let json = serde_json::to_string(&notification).expect("JSON");
            let read: Notification = serde_json::from_str(&json).expect("a notification");
            assert_eq!(read, notification);
            assert!(json.contains(&format!("\"message\":\"{word}\"")), "{json}");
        }
    }
}
