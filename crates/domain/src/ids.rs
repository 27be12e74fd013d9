//! Typed ids: an alert's id can't be passed where a delivery's is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Names the row with this UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

id! {
    /// A code of the second factor.
    VerifyCodeId;
    /// A sign-in that failed.
    FailedLoginId;
    /// A password that somebody had.
    OldPasswordId;
    /// A security key.
    CredentialId;
    /// What an author writes and an approver approves.
    AlertId;
    /// One frozen instruction about an alert.
    EventId;
    /// The duty to get one event accepted by one provider; the CAP identifier on the wire.
    DeliveryId;
    /// One try of one delivery over one route.
    AttemptId;
    /// The team that authors alerts.
    ServiceId;
    /// A person.
    UserId;
    /// A service's key for the public API.
    ApiKeyId;
    /// One running process.
    InstanceId;
    /// Something that only a person on duty can mend.
    DutyItemId;
    /// One line of the audit trail.
    AuditEntryId;
    /// A text and areas to begin alerts with.
    TemplateId;
    /// A folder of templates.
    FolderId;
    /// Why an alert was given back to be edited.
    EditReasonId;
    /// One message to one person.
    NotificationId;
    /// One run of what publishes the public site.
    PublishTaskId;
    /// What services belong to: a ministry, an agency, a council.
    OrganisationId;
    /// An invitation to a service or an organisation.
    InvitationId;
    /// What one administrator asks for and another approves.
    AdminActionId;
}
