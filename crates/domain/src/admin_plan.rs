//! What an action that waits for a second person will do, read from what was written down when it
//! was asked for: `/v3` carries it out in the transaction that approves it. Nothing is guessed:
//! what can't be read whole is refused, when it is asked for and again when it is approved.

use std::fmt;

use serde_json::Value;

use crate::admin_action::{CREATE_KEY, EDIT_PERMISSIONS, ELEVATE_PLATFORM_ADMIN, INVITE};
use crate::ids::{ServiceId, UserId};
use crate::limits::{FOLDERS_PER_SERVICE_MAX, KEY_NAME_CHARS_MAX};
use crate::permission::{Permission, Permissions};
use crate::sign_in::AuthType;

/// The kinds that are carried out here.
pub const KINDS: [&str; 4] = [INVITE, EDIT_PERMISSIONS, CREATE_KEY, ELEVATE_PLATFORM_ADMIN];

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plan {
    /// Somebody is invited to a service.
    Invite {
        /// Where to.
        service: ServiceId,
        /// Their address, as it was given.
        email: String,
        /// What they may then.
        permissions: Permissions,
        /// Template folders that they will see.
        folders: Vec<String>,
        /// How they will sign in; absent: by SMS.
        auth_type: Option<AuthType>,
        /// Where the client is, if it said so.
        link_host: Option<String>,
    },
    /// A member may something else.
    EditPermissions {
        /// Of which service.
        service: ServiceId,
        /// Who.
        user: UserId,
        /// What they may from then on.
        permissions: Permissions,
        /// Template folders that they see from then on; absent: as before.
        folders: Option<Vec<String>>,
    },
    /// A key is made.
    CreateKey {
        /// Whose.
        service: ServiceId,
        /// What people call it.
        name: String,
        /// `normal`, `team` or `test`.
        kind: String,
    },
    /// Whoever asks may become administrator, once.
    Elevate,
}

/// Why nothing can be done by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanFault {
    /// The kind is none that is carried out here.
    Kind,
    /// It is about a service, and names none.
    ServiceMissing,
    /// It is about nobody's service, and names one.
    ServiceNamed,
    /// This field is missing, or says nothing that is known.
    Field(&'static str),
}

impl fmt::Display for PlanFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => write!(f, "action_type must be one of {}", KINDS.join(", ")),
            Self::ServiceMissing => f.write_str("service_id must name the service"),
            Self::ServiceNamed => {
                f.write_str("service_id has no place here: it is about no service")
            }
            Self::Field(name) => write!(
                f,
                "action_data.{name} is missing, or has a value that is not known: see docs/api"
            ),
        }
    }
}

/// Reads what an action of this kind will do.
pub fn read_plan(kind: &str, service: Option<ServiceId>, data: &Value) -> Result<Plan, PlanFault> {
    if kind == ELEVATE_PLATFORM_ADMIN {
        return match service {
            None => Ok(Plan::Elevate),
            Some(_) => Err(PlanFault::ServiceNamed),
        };
    }
    if !KINDS.contains(&kind) {
        return Err(PlanFault::Kind);
    }
    let service = service.ok_or(PlanFault::ServiceMissing)?;
    let text = |name: &'static str| {
        let value = data.get(name).and_then(Value::as_str).map(str::trim);
        value
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
            .ok_or(PlanFault::Field(name))
    };
    match kind {
        INVITE => Ok(Plan::Invite {
            service,
            email: text("email_address")?,
            permissions: permissions(data)?,
            folders: folders(data)?.unwrap_or_default(),
            auth_type: optional(data, "auth_type")?
                .map(|word| AuthType::parse(&word).ok_or(PlanFault::Field("auth_type")))
                .transpose()?,
            link_host: optional(data, "invite_link_host")?,
        }),
        EDIT_PERMISSIONS => Ok(Plan::EditPermissions {
            service,
            user: text("user_id")?
                .parse()
                .map_err(|_| PlanFault::Field("user_id"))?,
            permissions: permissions(data)?,
            folders: folders(data)?,
        }),
        _ => {
            let name = text("key_name")?;
            let kind = text("key_type")?;
            if name.chars().count() > KEY_NAME_CHARS_MAX {
                return Err(PlanFault::Field("key_name"));
            }
            if !["normal", "team", "test"].contains(&kind.as_str()) {
                return Err(PlanFault::Field("key_type"));
            }
            Ok(Plan::CreateKey {
                service,
                name,
                kind,
            })
        }
    }
}

fn optional(data: &Value, name: &'static str) -> Result<Option<String>, PlanFault> {
    match data.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.clone())),
        Some(_) => Err(PlanFault::Field(name)),
    }
}

/// A list of words, or words between commas, all of them known.
fn permissions(data: &Value) -> Result<Permissions, PlanFault> {
    const FIELD: PlanFault = PlanFault::Field("permissions");
    let words: Vec<&str> = match data.get("permissions") {
        Some(Value::Array(list)) if list.len() <= Permission::ALL.len() => list
            .iter()
            .map(|word| word.as_str().ok_or(FIELD))
            .collect::<Result<_, _>>()?,
        Some(Value::String(words)) => words.split(',').map(str::trim).collect(),
        _ => return Err(FIELD),
    };
    let read = words
        .into_iter()
        .map(|word| Permission::parse(word).ok_or(FIELD));
    read.collect()
}

fn folders(data: &Value) -> Result<Option<Vec<String>>, PlanFault> {
    const FIELD: PlanFault = PlanFault::Field("folder_permissions");
    match data.get("folder_permissions") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(list)) if list.len() <= FOLDERS_PER_SERVICE_MAX => list
            .iter()
            .map(|id| id.as_str().map(str::to_owned).ok_or(FIELD))
            .collect::<Result<_, _>>()
            .map(Some),
        Some(_) => Err(FIELD),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(3));

    fn fault(kind: &str, data: &Value) -> Option<PlanFault> {
        read_plan(kind, Some(SERVICE), data).err()
    }

    #[test]
    fn what_was_asked_for_is_read_whole() {
        let both: Permissions = [Permission::ViewActivity, Permission::CreateBroadcasts].into();
        for permissions in [
            json!(["view_activity", "create_broadcasts"]),
            json!("view_activity, create_broadcasts"),
        ] {
            let data = json!({ "email_address": " a@x.gov.uk ", "permissions": permissions });
            let want = Plan::Invite {
                service: SERVICE,
                email: "a@x.gov.uk".to_owned(),
                permissions: both.clone(),
                folders: vec![],
                auth_type: None,
                link_host: None,
            };
            assert_eq!(read_plan(INVITE, Some(SERVICE), &data), Ok(want));
        }
        let user = UserId::new(Uuid::from_u128(7));
        let data = json!({ "user_id": user, "permissions": [], "folder_permissions": ["f"] });
        let want = Plan::EditPermissions {
            service: SERVICE,
            user,
            permissions: Permissions::new(),
            folders: Some(vec!["f".to_owned()]),
        };
        assert_eq!(read_plan(EDIT_PERMISSIONS, Some(SERVICE), &data), Ok(want));
        let data = json!({ "key_name": "gauges", "key_type": "test" });
        let want = Plan::CreateKey {
            service: SERVICE,
            name: "gauges".to_owned(),
            kind: "test".to_owned(),
        };
        assert_eq!(read_plan(CREATE_KEY, Some(SERVICE), &data), Ok(want));
        let elevation = read_plan(ELEVATE_PLATFORM_ADMIN, None, &json!({}));
        assert_eq!(elevation, Ok(Plan::Elevate));
    }

    #[test]
    fn what_can_t_be_read_whole_is_refused_by_its_field() {
        let email = json!("a@x.gov.uk");
        for (kind, data, field) in [
            (INVITE, json!({ "permissions": [] }), "email_address"),
            (
                INVITE,
                json!({ "email_address": " ", "permissions": [] }),
                "email_address",
            ),
            (INVITE, json!({ "email_address": email }), "permissions"),
            (
                INVITE,
                json!({ "email_address": email, "permissions": ["x"] }),
                "permissions",
            ),
            (
                INVITE,
                json!({ "email_address": email, "permissions": [1] }),
                "permissions",
            ),
            (
                INVITE,
                json!({ "email_address": email, "permissions": "" }),
                "permissions",
            ),
            (
                INVITE,
                json!({ "email_address": email, "permissions": vec!["view_activity"; 9] }),
                "permissions",
            ),
            (
                INVITE,
                json!({ "email_address": email, "permissions": [], "auth_type": 1 }),
                "auth_type",
            ),
            (
                INVITE,
                json!({ "email_address": email, "permissions": [], "folder_permissions": [1] }),
                "folder_permissions",
            ),
            (
                EDIT_PERMISSIONS,
                json!({ "user_id": "x", "permissions": [] }),
                "user_id",
            ),
            (EDIT_PERMISSIONS, json!({ "permissions": [] }), "user_id"),
            (CREATE_KEY, json!({ "key_type": "normal" }), "key_name"),
            (
                CREATE_KEY,
                json!({ "key_name": "k", "key_type": "root" }),
                "key_type",
            ),
            (CREATE_KEY, json!({ "key_name": "k" }), "key_type"),
            (
                CREATE_KEY,
                json!({ "key_name": "k".repeat(256), "key_type": "normal" }),
                "key_name",
            ),
            (CREATE_KEY, json!([]), "key_name"),
        ] {
            assert_eq!(fault(kind, &data), Some(PlanFault::Field(field)), "{data}");
        }
        assert_eq!(fault("rename_service", &json!({})), Some(PlanFault::Kind));
        let none = read_plan(INVITE, None, &json!({}));
        assert_eq!(none, Err(PlanFault::ServiceMissing));
        let elevation = fault(ELEVATE_PLATFORM_ADMIN, &json!({}));
        assert_eq!(elevation, Some(PlanFault::ServiceNamed));
    }
}
