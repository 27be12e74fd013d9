//! What a person may do in a service.
//!
//! A member holds permissions, which are given one by one. A platform administrator may view every
//! service and stop every alert, and nothing else: whoever can change everything must not be able
//! to alert alone. Stopping needs membership and no further permission (D40): the way to a cancel
//! is never long.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::alert::Status;

/// One permission of a member. The texts are those of the existing API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Invite and remove members, and say what they may do.
    ManageUsers,
    /// Write templates and folders.
    ManageTemplates,
    /// Make and revoke the service's keys.
    ManageApiKeys,
    /// See the service's alerts. Every member has it.
    ViewActivity,
    /// Write, change and submit alerts.
    CreateBroadcasts,
    /// Approve alerts that others wrote.
    ApproveBroadcasts,
    /// Shown to clients; stopping needs membership alone.
    CancelBroadcasts,
    /// Reject alerts, and give them back to be edited.
    RejectBroadcasts,
}

impl Permission {
    /// All permissions.
    pub const ALL: [Self; 8] = [
        Self::ManageUsers,
        Self::ManageTemplates,
        Self::ManageApiKeys,
        Self::ViewActivity,
        Self::CreateBroadcasts,
        Self::ApproveBroadcasts,
        Self::CancelBroadcasts,
        Self::RejectBroadcasts,
    ];

    /// What a person who was added by command holds (D50).
    pub const OF_BROADCASTING: [Self; 5] = [
        Self::ViewActivity,
        Self::CreateBroadcasts,
        Self::ApproveBroadcasts,
        Self::CancelBroadcasts,
        Self::RejectBroadcasts,
    ];

    /// The text on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManageUsers => "manage_users",
            Self::ManageTemplates => "manage_templates",
            Self::ManageApiKeys => "manage_api_keys",
            Self::ViewActivity => "view_activity",
            Self::CreateBroadcasts => "create_broadcasts",
            Self::ApproveBroadcasts => "approve_broadcasts",
            Self::CancelBroadcasts => "cancel_broadcasts",
            Self::RejectBroadcasts => "reject_broadcasts",
        }
    }

    /// The permission that [`Permission::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|permission| permission.as_str() == text)
    }

    /// Whether giving it to somebody takes a second person (`authoring.md` 2.10).
    pub const fn needs_second_person(self) -> bool {
        matches!(self, Self::CreateBroadcasts | Self::ApproveBroadcasts)
    }
}

/// The permissions of one member.
pub type Permissions = BTreeSet<Permission>;

/// What somebody wants to do in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// See alerts, versions, deliveries, members and history.
    View,
    /// Write, change or submit an alert, or propose an update.
    Author,
    /// Approve an alert or an update.
    Approve,
    /// Reject, or give back to be edited.
    Reject,
    /// Stop an alert.
    Cancel,
    /// Write templates and folders.
    WriteTemplates,
    /// Invite and remove members, and say what they may do.
    ManageUsers,
    /// Make and revoke keys.
    ManageKeys,
}

impl Deed {
    /// All deeds.
    pub const ALL: [Self; 8] = [
        Self::View,
        Self::Author,
        Self::Approve,
        Self::Reject,
        Self::Cancel,
        Self::WriteTemplates,
        Self::ManageUsers,
        Self::ManageKeys,
    ];

    /// The permission that a member needs; `None`: membership is enough.
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::View | Self::Cancel => None,
            Self::Author => Some(Permission::CreateBroadcasts),
            Self::Approve => Some(Permission::ApproveBroadcasts),
            Self::Reject => Some(Permission::RejectBroadcasts),
            Self::WriteTemplates => Some(Permission::ManageTemplates),
            Self::ManageUsers => Some(Permission::ManageUsers),
            Self::ManageKeys => Some(Permission::ManageApiKeys),
        }
    }
}

/// What moving an alert from one state to another asks of a person. `is_own`: they wrote it.
/// Whoever wrote a draft may throw it away, without the permission to reject what others wrote.
pub const fn deed_of_move(from: Status, to: Status, is_own: bool) -> Deed {
    match (from, to) {
        (Status::Draft, Status::Rejected) if is_own => Deed::Author,
        (_, Status::Rejected | Status::Returned) => Deed::Reject,
        (_, Status::Broadcasting) => Deed::Approve,
        (_, Status::Cancelled) => Deed::Cancel,
        (_, Status::PendingApproval | Status::Draft) => Deed::Author,
        // No person moves an alert there: the table of moves says so to whoever belongs here.
        (_, Status::Completed | Status::TechnicalFailure) => Deed::View,
    }
}

/// Who somebody is to a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What they may as a member; `None`: they are none.
    pub permissions: Option<Permissions>,
    /// They act as platform administrator.
    pub is_platform_admin: bool,
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// They don't belong to the service.
    NotAMember,
    /// They belong to it without this permission.
    Lacks(Permission),
    /// They act as platform administrator, who views and stops only.
    AdminOnlyStops,
    /// It is for those who may act as platform administrator.
    NotAnAdministrator,
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAMember => f.write_str("they do not belong to the service"),
            Self::Lacks(permission) => {
                write!(f, "they lack the permission {}", permission.as_str())
            }
            Self::AdminOnlyStops => {
                f.write_str("a platform administrator may view and stop alerts, and nothing else")
            }
            Self::NotAnAdministrator => f.write_str("they are no platform administrator"),
        }
    }
}

/// Whether somebody may do something in a service.
pub fn check(standing: &Standing, deed: Deed) -> Result<(), Denial> {
    if standing.is_platform_admin {
        return match deed {
            Deed::View | Deed::Cancel => Ok(()),
            _ => Err(Denial::AdminOnlyStops),
        };
    }
    let Some(permissions) = &standing.permissions else {
        return Err(Denial::NotAMember);
    };
    match deed.permission() {
        Some(needed) if !permissions.contains(&needed) => Err(Denial::Lacks(needed)),
        _ => Ok(()),
    }
}

/// Whether somebody may manage a service: its people, its keys, its settings. Who may act as
/// platform administrator may, elevated or not: to alert takes a second person all the same.
pub fn check_management(
    standing: &Standing,
    is_administrator: bool,
    deed: Deed,
) -> Result<(), Denial> {
    if is_administrator {
        return Ok(());
    }
    check(standing, deed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(permissions: &[Permission]) -> Standing {
        Standing {
            permissions: Some(permissions.iter().copied().collect()),
            is_platform_admin: false,
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
            let json = serde_json::to_value(permission).expect("JSON");
            assert_eq!(json, permission.as_str());
        }
        assert_eq!(Permission::parse("platform_admin"), None);
    }

    #[test]
    fn a_member_may_what_their_permissions_say_and_always_view_and_stop() {
        for permission in Permission::ALL {
            let standing = member(&[permission]);
            for deed in Deed::ALL {
                let want = match deed {
                    Deed::View | Deed::Cancel => true,
                    Deed::Author => permission == Permission::CreateBroadcasts,
                    Deed::Approve => permission == Permission::ApproveBroadcasts,
                    Deed::Reject => permission == Permission::RejectBroadcasts,
                    Deed::WriteTemplates => permission == Permission::ManageTemplates,
                    Deed::ManageUsers => permission == Permission::ManageUsers,
                    Deed::ManageKeys => permission == Permission::ManageApiKeys,
                };
                let got = check(&standing, deed);
                assert_eq!(got.is_ok(), want, "{permission:?} {deed:?} {got:?}");
            }
        }
    }

    #[test]
    fn a_service_is_managed_by_permission_and_by_administrators() {
        for deed in [Deed::ManageUsers, Deed::ManageKeys] {
            let needed = deed.permission().expect("both take one");
            for (standing, is_administrator, want) in [
                (member(&[needed]), false, Ok(())),
                (member(&[needed]), true, Ok(())),
                (member(&[]), false, Err(Denial::Lacks(needed))),
                (Standing::default(), false, Err(Denial::NotAMember)),
                (Standing::default(), true, Ok(())),
            ] {
                let got = check_management(&standing, is_administrator, deed);
                assert_eq!(got, want, "{standing:?} {is_administrator} {deed:?}");
            }
        }
    }

    #[test]
    fn every_move_asks_for_its_own_deed() {
        use Status::{
            Broadcasting, Cancelled, Completed, Draft, PendingApproval, Rejected, Returned,
            TechnicalFailure,
        };
        for from in Status::ALL {
            for (to, others, own) in [
                (Draft, Deed::Author, Deed::Author),
                (PendingApproval, Deed::Author, Deed::Author),
                (Returned, Deed::Reject, Deed::Reject),
                (Broadcasting, Deed::Approve, Deed::Approve),
                (Cancelled, Deed::Cancel, Deed::Cancel),
                (Completed, Deed::View, Deed::View),
                (TechnicalFailure, Deed::View, Deed::View),
                (
                    Rejected,
                    Deed::Reject,
                    if from == Draft {
                        Deed::Author
                    } else {
                        Deed::Reject
                    },
                ),
            ] {
                assert_eq!(deed_of_move(from, to, false), others, "{from:?} {to:?}");
                assert_eq!(deed_of_move(from, to, true), own, "{from:?} {to:?} own");
            }
        }
    }

    #[test]
    fn who_is_no_member_may_nothing_and_an_administrator_views_and_stops() {
        for deed in Deed::ALL {
            assert_eq!(check(&Standing::default(), deed), Err(Denial::NotAMember));
            // Also where the administrator is a member too, with every permission.
            for standing in [Standing::default(), member(&Permission::ALL)] {
                let admin = Standing {
                    is_platform_admin: true,
                    ..standing
                };
                let stops = matches!(deed, Deed::View | Deed::Cancel);
                let want = if stops {
                    Ok(())
                } else {
                    Err(Denial::AdminOnlyStops)
                };
                assert_eq!(check(&admin, deed), want, "{deed:?}");
            }
        }
    }
}
