//! A person, as clients read one.

use balefire_app::accounts::Person;
use balefire_domain::time::Timestamp;
use serde_json::{Value, json};

use crate::schema::{Property, Schema, optional, required};

const INSTANT: Schema = Schema::Nullable(&Schema::Instant);
const TEXT: Schema = Schema::Nullable(&Schema::Text);
const AUTH_TYPE: Schema = Schema::Word(&["sms_auth", "email_auth", "webauthn_auth"]);
const STATE: Schema = Schema::Word(&["pending", "active", "inactive"]);

const PROPERTIES: &[Property] = &[
    required("id", Schema::Id),
    required("name", Schema::Text),
    required("email_address", Schema::Text),
    required("auth_type", AUTH_TYPE),
    required("current_session_id", Schema::Nullable(&Schema::Id)),
    required("failed_login_count", Schema::Integer),
    required("email_access_validated_at", INSTANT),
    required("logged_in_at", INSTANT),
    required("mobile_number", TEXT),
    required("organisations", Schema::List(&Schema::Id)),
    required("password_changed_at", TEXT),
    required("permissions", Schema::Map(&Schema::List(&Schema::Text))),
    required("platform_admin", Schema::Bool),
    required("platform_admin_capable", Schema::Bool),
    required("platform_admin_redemption", INSTANT),
    required("services", Schema::List(&Schema::Id)),
    required("can_use_webauthn", Schema::Bool),
    required("state", STATE),
    // The answer to POST /user has the name under this one too.
    optional("user_name", Schema::Text),
];

/// `{"data": <person>}`
pub(crate) const USER: Schema = Schema::Object(&[required("data", PERSON)]);
/// `{"data": [<person>, …]}`
pub(crate) const USERS: Schema = Schema::Object(&[required("data", Schema::List(&PERSON))]);
/// `{"data": <person> or null}`
pub(crate) const USER_OR_NONE: Schema =
    Schema::Object(&[required("data", Schema::Nullable(&PERSON))]);
const PERSON: Schema = Schema::Named("User", &Schema::Object(PROPERTIES));

pub(crate) fn render_person(person: &Person) -> Value {
    let account = &person.account;
    let permissions: serde_json::Map<String, Value> = person
        .memberships
        .iter()
        .map(|of| {
            let words: Vec<&str> = of.permissions.iter().map(|one| one.as_str()).collect();
            (of.service_id.to_string(), words.into())
        })
        .collect();
    let services: Vec<String> = person
        .active()
        .map(|of| of.service_id.to_string())
        .collect();
    let organisations: Vec<String> = person
        .organisations
        .iter()
        .map(|own| own.organisation.id.to_string())
        .collect();
    let until = account.admin_until.map(Timestamp::to_json_style);
    json!({
        "id": account.id,
        "name": account.name,
        "email_address": account.email,
        "auth_type": account.auth_type.as_str(),
        "current_session_id": account.session_id,
        "failed_login_count": person.failed_logins,
        "email_access_validated_at": account.email_validated_at.map(Timestamp::to_json_style),
        "logged_in_at": account.logged_in_at.map(Timestamp::to_json_style),
        "mobile_number": account.mobile,
        "organisations": organisations,
        "password_changed_at": account.password_changed_at.map(plain),
        "permissions": permissions,
        "platform_admin": person.is_platform_admin,
        "platform_admin_capable": account.is_admin_capable,
        "platform_admin_redemption": until,
        "services": services,
        "can_use_webauthn": person.can_use_webauthn(),
        "state": account.state.as_str(),
    })
}

/// `2026-11-23 04:08:56.598577`
fn plain(at: Timestamp) -> String {
    at.to_json_style().replace('T', " ").replace('Z', "")
}
