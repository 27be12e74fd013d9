//! What one administrator asks for and another approves: an invitation, a change of permissions, a
//! key, an elevation. Who may approve, when it lapses, and what an approval covers.
//!
//! The earlier service's client carries out what was approved; here an approval is good for one
//! change, within [`CARRIED_OUT_WITHIN`]. What kind of action there is is for the client to say:
//! of a kind that is not known here two are the same when they say the same.

use std::time::Duration;

use serde_json::Value;

use crate::ids::{ServiceId, UserId};
use crate::permission::{Deed, Denial, Permission, Permissions, Standing, check_management};
use crate::time::Timestamp;

/// An invitation to a service.
pub const INVITE: &str = "invite_user";
/// A change of a member's permissions.
pub const EDIT_PERMISSIONS: &str = "edit_permissions";
/// A new key.
pub const CREATE_KEY: &str = "create_api_key";
/// Elevation to platform administrator, as `/v3` says it.
pub const ELEVATE_PLATFORM_ADMIN: &str = "elevate_platform_admin";
/// Elevation, however a client calls it: kinds that begin so are meant.
const ELEVATE: &str = "elevate";

/// For how long an elevation can be approved.
const ELEVATION_LAPSES_AFTER: Duration = Duration::from_secs(3600);
/// For how long anything else can be approved.
const LAPSES_AFTER: Duration = Duration::from_secs(7 * 24 * 3600);
/// Within what time of its approval an action is carried out.
pub const CARRIED_OUT_WITHIN: Duration = Duration::from_secs(3600);

/// Where an action stands. The texts are those of the existing API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionStatus {
    /// It waits for a second person.
    Pending,
    /// Another administrator agreed.
    Approved,
    /// Somebody said no, or its creator took it back.
    Rejected,
    /// It lapsed, or what it was about is gone.
    Invalidated,
}

impl ActionStatus {
    /// All states.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::Approved,
        Self::Rejected,
        Self::Invalidated,
    ];

    /// The text on the wire and in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Invalidated => "invalidated",
        }
    }

    /// The state that [`ActionStatus::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Where an action stands `now`, when the table says `self` and it lapses then.
    #[must_use]
    pub fn at(self, lapses_at: Timestamp, now: Timestamp) -> Self {
        match self {
            Self::Pending if now >= lapses_at => Self::Invalidated,
            other => other,
        }
    }
}

/// Until when an action of this kind can be approved.
pub fn lapses_at(kind: &str, created_at: Timestamp) -> Timestamp {
    if kind.starts_with(ELEVATE) {
        created_at + ELEVATION_LAPSES_AFTER
    } else {
        created_at + LAPSES_AFTER
    }
}

/// What an action is about: of two with the same subject only one waits.
pub fn subject(kind: &str, service: Option<ServiceId>, by: UserId, data: &Value) -> String {
    let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default();
    let service = service.map_or_else(String::new, |id| id.to_string());
    match kind {
        INVITE => subject_of_invitation(&service, text("email_address")),
        EDIT_PERMISSIONS => format!("{kind}/{service}/{}", text("user_id").to_lowercase()),
        CREATE_KEY => format!("{kind}/{service}/{}", text("key_name")),
        _ if kind.starts_with(ELEVATE) => subject_of_elevation(by),
        _ => format!("{kind}/{service}/{data}"),
    }
}

/// What an invitation of this address to this service is about.
pub fn subject_of_invitation(service: &str, email: &str) -> String {
    format!("{INVITE}/{service}/{}", email.trim().to_lowercase())
}

/// What a change of this member's permissions is about.
pub fn subject_of_permissions(service: ServiceId, user: UserId) -> String {
    format!("{EDIT_PERMISSIONS}/{service}/{user}")
}

/// What this person's elevation is about.
pub fn subject_of_elevation(user: UserId) -> String {
    format!("{ELEVATE}/{user}")
}

/// What a key of this name is about.
pub fn subject_of_key(service: ServiceId, name: &str) -> String {
    format!("{CREATE_KEY}/{service}/{name}")
}

/// What asking for an action takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// To manage the service so, or to be one who may act as administrator.
    Manage(Deed),
    /// To be one who may act as administrator.
    Administer,
    /// To belong to the service, or to be one who may act as administrator.
    Belong,
}

/// What asking for an action of this kind takes.
pub fn asking(kind: &str) -> Asking {
    match kind {
        INVITE | EDIT_PERMISSIONS => Asking::Manage(Deed::ManageUsers),
        CREATE_KEY => Asking::Manage(Deed::ManageKeys),
        _ if kind.starts_with(ELEVATE) => Asking::Administer,
        _ => Asking::Belong,
    }
}

/// Whether somebody may ask for an action of this kind; `standing` is theirs in the service that it
/// names, if any.
pub fn check_asker(kind: &str, standing: &Standing, is_administrator: bool) -> Result<(), Denial> {
    match asking(kind) {
        Asking::Manage(deed) => check_management(standing, is_administrator, deed),
        Asking::Belong if standing.permissions.is_some() => Ok(()),
        Asking::Administer | Asking::Belong if is_administrator => Ok(()),
        Asking::Administer => Err(Denial::NotAnAdministrator),
        Asking::Belong => Err(Denial::NotAMember),
    }
}

/// Why a review is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewRefusal {
    /// It does not wait any more.
    NotPending,
    /// Nobody moves an action back to waiting.
    NoDecision,
    /// Who asked for it can't approve it.
    OwnAction,
    /// The reviewer is no administrator.
    NotAnAdministrator,
}

impl ReviewRefusal {
    /// The reason in one word, for the trail.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotPending => "not_pending",
            Self::NoDecision => "no_decision",
            Self::OwnAction => "own_action",
            Self::NotAnAdministrator => "not_an_administrator",
        }
    }
}

/// Who reviews an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviewer {
    /// Who.
    pub id: UserId,
    /// They may act as platform administrator.
    pub is_administrator: bool,
}

/// Whether somebody may decide so about an action that stands at `from`. Who asked for it may take
/// it back, and never approve it.
pub fn check_review(
    from: ActionStatus,
    to: ActionStatus,
    created_by: UserId,
    reviewer: Reviewer,
) -> Result<(), ReviewRefusal> {
    if from != ActionStatus::Pending {
        return Err(ReviewRefusal::NotPending);
    }
    if to == ActionStatus::Pending {
        return Err(ReviewRefusal::NoDecision);
    }
    let is_own = created_by == reviewer.id;
    if is_own && to == ActionStatus::Approved {
        return Err(ReviewRefusal::OwnAction);
    }
    if !is_own && !reviewer.is_administrator {
        return Err(ReviewRefusal::NotAnAdministrator);
    }
    Ok(())
}

/// Whether an approved action said all that is given now: every permission that takes a second
/// person is among those that were approved.
pub fn covers_permissions(data: &Value, given: &Permissions) -> bool {
    let approved: Vec<&str> = match data.get("permissions") {
        Some(Value::Array(list)) => list.iter().filter_map(word_of).collect(),
        Some(Value::String(words)) => words.split(',').map(str::trim).collect(),
        _ => Vec::new(),
    };
    given
        .iter()
        .filter(|permission| permission.needs_second_person())
        .all(|permission| approved.contains(&permission.as_str()))
}

/// A permission, bare or in its object.
fn word_of(value: &Value) -> Option<&str> {
    value
        .as_str()
        .or_else(|| value.get("permission").and_then(Value::as_str))
}

/// Whether an approved action said this kind of key.
pub fn covers_key(data: &Value, kind: &str) -> bool {
    data.get("key_type").and_then(Value::as_str) == Some(kind)
}

/// Whether giving these permissions to somebody takes a second person.
pub fn needs_second_person(given: &Permissions) -> bool {
    given.iter().copied().any(Permission::needs_second_person)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const ANN: UserId = UserId::new(Uuid::from_u128(1));
    const BEN: UserId = UserId::new(Uuid::from_u128(2));
    const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(3));

    #[test]
    fn an_action_waits_for_another_administrator() {
        use ActionStatus::{Approved, Invalidated, Pending, Rejected};
        use ReviewRefusal::{NoDecision, NotAnAdministrator, NotPending, OwnAction};
        // it stands at, is moved to, by whom, an administrator
        for (from, to, by, is_administrator, want) in [
            (Pending, Approved, BEN, true, Ok(())),
            (Pending, Rejected, BEN, true, Ok(())),
            (Pending, Invalidated, BEN, true, Ok(())),
            (Pending, Approved, ANN, true, Err(OwnAction)),
            (Pending, Approved, ANN, false, Err(OwnAction)),
            (Pending, Rejected, ANN, true, Ok(())),
            (Pending, Rejected, ANN, false, Ok(())),
            (Pending, Approved, BEN, false, Err(NotAnAdministrator)),
            (Pending, Rejected, BEN, false, Err(NotAnAdministrator)),
            (Pending, Pending, BEN, true, Err(NoDecision)),
            (Approved, Rejected, BEN, true, Err(NotPending)),
            (Rejected, Approved, BEN, true, Err(NotPending)),
            (Invalidated, Approved, BEN, true, Err(NotPending)),
        ] {
            let reviewer = Reviewer {
                id: by,
                is_administrator,
            };
            let got = check_review(from, to, ANN, reviewer);
            assert_eq!(got, want, "{from:?} {to:?} {by} {is_administrator}");
        }
    }

    #[test]
    fn who_may_not_do_it_may_not_ask_for_it_either() {
        use Permission::{CreateBroadcasts, ManageApiKeys, ManageUsers};
        let elevation = "elevate_platform_admin";
        // held in the service, who may act as administrator, what they may ask for
        for (held, is_administrator, may) in [
            (None, false, &[][..]),
            (
                None,
                true,
                &[INVITE, EDIT_PERMISSIONS, CREATE_KEY, elevation, "x"],
            ),
            (Some(CreateBroadcasts), false, &["x"]),
            (Some(ManageUsers), false, &[INVITE, EDIT_PERMISSIONS, "x"]),
            (Some(ManageApiKeys), false, &[CREATE_KEY, "x"]),
        ] {
            let standing = Standing {
                permissions: held.map(|one| [one].into()),
                is_platform_admin: false,
            };
            for kind in [INVITE, EDIT_PERMISSIONS, CREATE_KEY, elevation, "x"] {
                let got = check_asker(kind, &standing, is_administrator);
                assert_eq!(got.is_ok(), may.contains(&kind), "{held:?} {kind} {got:?}");
            }
        }
    }

    #[test]
    fn what_waits_too_long_lapses() {
        let made = Timestamp::from_seconds(1_000_000);
        for (kind, seconds) in [
            ("elevate_platform_admin", 3600),
            (INVITE, 7 * 24 * 3600),
            (CREATE_KEY, 7 * 24 * 3600),
            ("anything", 7 * 24 * 3600),
        ] {
            let end = lapses_at(kind, made);
            assert_eq!(end, made + Duration::from_secs(seconds), "{kind}");
            let before = made + Duration::from_secs(seconds - 1);
            let pending = ActionStatus::Pending;
            assert_eq!(pending.at(end, before), pending);
            assert_eq!(pending.at(end, end), ActionStatus::Invalidated);
            assert_eq!(ActionStatus::Approved.at(end, end), ActionStatus::Approved);
        }
    }

    #[test]
    fn two_actions_are_the_same_when_they_are_about_the_same() {
        let of = |kind, data| subject(kind, Some(SERVICE), ANN, &data);
        let same = |kind, a, b| of(kind, a) == of(kind, b);
        let email = |text: &str| json!({ "email_address": text, "permissions": ["x"] });
        assert!(same(INVITE, email("A@x.gov.uk"), email("a@x.gov.uk ")));
        assert!(!same(INVITE, email("a@x.gov.uk"), email("b@x.gov.uk")));
        let key = |name: &str, kind: &str| json!({ "key_name": name, "key_type": kind });
        assert!(same(CREATE_KEY, key("a", "normal"), key("a", "team")));
        assert!(!same(CREATE_KEY, key("a", "normal"), key("b", "normal")));
        let member = |id: UserId| json!({ "user_id": id });
        assert!(!same(EDIT_PERMISSIONS, member(ANN), member(BEN)));
        assert_eq!(
            of(EDIT_PERMISSIONS, member(BEN)),
            subject_of_permissions(SERVICE, BEN)
        );
        assert_eq!(of(CREATE_KEY, key("a", "x")), subject_of_key(SERVICE, "a"));
        let invited = subject_of_invitation(&SERVICE.to_string(), "a@x.gov.uk");
        assert_eq!(of(INVITE, email("a@x.gov.uk")), invited);
        assert_eq!(
            of("elevate_platform_admin", json!({})),
            format!("elevate/{ANN}")
        );
        assert!(!same("else", json!({ "a": 1 }), json!({ "a": 2 })));
    }

    #[test]
    fn an_approval_covers_what_it_said_and_no_more() {
        let create: Permissions = [Permission::CreateBroadcasts].into();
        let both: Permissions =
            [Permission::CreateBroadcasts, Permission::ApproveBroadcasts].into();
        let harmless: Permissions = [Permission::ManageTemplates].into();
        for (data, given, want) in [
            (
                json!({ "permissions": ["create_broadcasts"] }),
                &create,
                true,
            ),
            (
                json!({ "permissions": "create_broadcasts, view_activity" }),
                &create,
                true,
            ),
            (
                json!({ "permissions": [{ "permission": "create_broadcasts" }] }),
                &create,
                true,
            ),
            (
                json!({ "permissions": ["create_broadcasts"] }),
                &both,
                false,
            ),
            (
                json!({ "permissions": ["approve_broadcasts"] }),
                &create,
                false,
            ),
            (json!({ "permissions": [] }), &create, false),
            (json!({}), &create, false),
            (json!({ "permissions": [] }), &harmless, true),
        ] {
            assert_eq!(covers_permissions(&data, given), want, "{data}");
        }
        assert!(covers_key(&json!({ "key_type": "normal" }), "normal"));
        assert!(!covers_key(&json!({ "key_type": "test" }), "normal"));
        assert!(!covers_key(&json!({}), "normal"));
        assert!(needs_second_person(&both) && !needs_second_person(&harmless));
    }
}
