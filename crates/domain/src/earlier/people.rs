//! Organisations, people and what they may.
//!
//! Nobody becomes administrator by an import: who was one, or might become one, may ask for it
//! here as everybody does, and another administrator approves it. Sessions, codes and failed tries
//! stay behind.

use serde_json::Value;

use super::record::{Cell, Record, Table};
use super::{NAME_CHARS_MAX, NOTES_CHARS_MAX, Refusal, Row};
use crate::organisation::KINDS;
use crate::permission::Permission;
use crate::sign_in::{AccountState, AuthType};
use crate::time::Timestamp;

/// The longest address of an e-mail (RFC 5321).
const EMAIL_CHARS_MAX: usize = 254;
/// Characters of a security key's data.
const CREDENTIAL_CHARS_MAX: usize = 65_536;
/// The highest cost of bcrypt that is taken: it bounds the work of a sign-in.
pub const BCRYPT_COST_MAX: u32 = 14;
/// Characters of a bcrypt digest.
const BCRYPT_CHARS: usize = 60;

/// An organisation, with the domains that stand in a table of their own.
pub fn organisation(row: &Row, domains: &[Row]) -> Result<Record, Refusal> {
    let mut names = Vec::new();
    for domain in domains {
        names.push(domain.text("domain", NAME_CHARS_MAX)?.to_lowercase());
    }
    names.sort();
    let kind = match row.opt_text("organisation_type", NAME_CHARS_MAX)? {
        Some(kind) if !KINDS.contains(&kind.as_str()) => {
            return Err(Refusal::of(
                "organisation_type",
                "is a kind that nobody knows",
            ));
        }
        kind => kind,
    };
    let is_crown = match row.value("crown") {
        None => Cell::Null,
        Some(_) => row.flag("crown")?.into(),
    };
    Ok(Record::new(
        Table::Organisations,
        [
            ("id", row.id("id")?.into()),
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            ("is_active", row.flag("active")?.into()),
            ("is_crown", is_crown),
            ("kind", kind.into()),
            ("domains", Value::from(names).to_string().into()),
            ("notes", row.opt_text("notes", NOTES_CHARS_MAX)?.into()),
            ("created_at", row.instant("created_at")?.into()),
        ],
    ))
}

/// A person. The password's digest comes along: it is looked at once, at their next sign-in.
pub fn user(row: &Row) -> Result<Record, Refusal> {
    let email = row
        .text("email_address", EMAIL_CHARS_MAX)?
        .trim()
        .to_lowercase();
    if !email.contains('@') || email.chars().any(char::is_whitespace) {
        return Err(Refusal::of("email_address", "is no e-mail address"));
    }
    let digest = row.opt_text("_password", NAME_CHARS_MAX)?;
    let is_capable = row.flag("platform_admin_capable")? || row.flag("platform_admin")?;
    Ok(Record::new(
        Table::Users,
        [
            ("id", row.id("id")?.into()),
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            ("email", email.into()),
            ("is_platform_admin", false.into()),
            ("created_at", row.instant("created_at")?.into()),
            ("mobile", mobile(row)?.into()),
            (
                "auth_type",
                row.word("auth_type", AuthType::parse)?.as_str().into(),
            ),
            (
                "state",
                row.word("state", AccountState::parse)?.as_str().into(),
            ),
            (
                "password_hash",
                digest.filter(|digest| is_bcrypt(digest)).into(),
            ),
            (
                "password_changed_at",
                row.opt_instant("password_changed_at")?.into(),
            ),
            (
                "email_validated_at",
                row.opt_instant("email_access_validated_at")?.into(),
            ),
            ("logged_in_at", row.opt_instant("logged_in_at")?.into()),
            ("is_admin_capable", is_capable.into()),
        ],
    ))
}

/// A mobile number as it is kept here, `+447700900111`; none where it is no such number: the codes
/// of this person's sign-ins go to their address then.
fn mobile(row: &Row) -> Result<Option<String>, Refusal> {
    let Some(number) = row.opt_text("mobile_number", NAME_CHARS_MAX)? else {
        return Ok(None);
    };
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    let is_spelt = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')');
    let whole = match (
        number.trim_start().starts_with('+'),
        digits.strip_prefix('0'),
    ) {
        (true, _) => format!("+{digits}"),
        (false, Some(national)) if national.starts_with('7') => format!("+44{national}"),
        (false, _) => return Ok(None),
    };
    let is_sound = number.chars().all(is_spelt) && (9..=16).contains(&whole.len());
    Ok(is_sound.then_some(whole))
}

/// Whether this is a bcrypt digest that costs no more than a sign-in may.
pub fn is_bcrypt(digest: &str) -> bool {
    let mut parts = digest.split('$').skip(1);
    let (version, cost, rest) = (parts.next(), parts.next(), parts.next());
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '/');
    let cost = cost
        .filter(|cost| cost.len() == 2)
        .and_then(|cost| cost.parse().ok());
    digest.len() == BCRYPT_CHARS
        && digest.starts_with('$')
        && matches!(version, Some("2a" | "2b" | "2y"))
        && cost.is_some_and(|cost: u32| (4..=BCRYPT_COST_MAX).contains(&cost))
        && rest.is_some_and(|rest| rest.len() == 53 && rest.chars().all(is_base64))
        && parts.next().is_none()
}

/// That a person belongs to an organisation.
pub fn organisation_member(row: &Row, now: Timestamp) -> Result<Record, Refusal> {
    Ok(Record::new(
        Table::OrganisationMembers,
        [
            ("organisation_id", row.id("organisation_id")?.into()),
            ("user_id", row.id("user_id")?.into()),
            ("created_at", now.into()),
        ],
    ))
}

/// That a person belongs to a service, with what they may there and the folders that they see.
/// Words of the earlier service that mean nothing here are left out, and come beside the record.
pub fn membership(
    row: &Row,
    permissions: &[Row],
    folders: &[Row],
    now: Timestamp,
) -> Result<(Record, Vec<String>), Refusal> {
    let (mut held, mut unknown) = (Vec::new(), Vec::new());
    for permission in permissions {
        let word = permission.text("permission", NAME_CHARS_MAX)?;
        match Permission::parse(&word) {
            Some(permission) => held.push(permission),
            None => unknown.push(word),
        }
    }
    // Every member may look.
    held.push(Permission::ViewActivity);
    held.sort();
    held.dedup();
    let held: Vec<&str> = held.into_iter().map(Permission::as_str).collect();
    let mut seen = Vec::new();
    for folder in folders {
        seen.push(folder.id("template_folder_id")?);
    }
    seen.sort();
    seen.dedup();
    let record = Record::new(
        Table::Memberships,
        [
            ("user_id", row.id("user_id")?.into()),
            ("service_id", row.id("service_id")?.into()),
            ("created_at", now.into()),
            ("permissions", Value::from(held).to_string().into()),
            ("folders", Value::from(seen).to_string().into()),
        ],
    );
    Ok((record, unknown))
}

/// A security key: it is the author's application that understands its data.
pub fn credential(row: &Row) -> Result<Record, Refusal> {
    Ok(Record::new(
        Table::Credentials,
        [
            ("id", row.id("id")?.into()),
            ("user_id", row.id("user_id")?.into()),
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            (
                "credential_data",
                row.text("credential_data", CREDENTIAL_CHARS_MAX)?.into(),
            ),
            (
                "registration_response",
                row.text("registration_response", CREDENTIAL_CHARS_MAX)?
                    .into(),
            ),
            ("created_at", row.instant("created_at")?.into()),
            ("updated_at", row.opt_instant("updated_at")?.into()),
            ("logged_in_at", row.opt_instant("logged_in_at")?.into()),
        ],
    ))
}

/// A switch of the author's application.
pub fn feature_toggle(row: &Row) -> Result<Record, Refusal> {
    Ok(Record::new(
        Table::FeatureToggles,
        [
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            ("is_enabled", row.flag("is_enabled")?.into()),
            (
                "display_html",
                row.opt_text("display_html", NOTES_CHARS_MAX)?.into(),
            ),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

    fn person(change: impl FnOnce(&mut Row)) -> Result<Record, Refusal> {
        let mut row = Row::read(&format!(
            r#"{{"id": "6CE466D0-fd6a-11e5-82f5-e0accb9d11a6", "name": "Ann", "email_address":
                " Ann@Example.org", "created_at": "2021-01-01T00:00:00", "mobile_number":
                "07700 900111", "auth_type": "sms_auth", "state": "active", "_password":
                "{DIGEST}", "platform_admin": true}}"#
        ))
        .expect("a row");
        change(&mut row);
        user(&row)
    }

    #[test]
    fn nobody_becomes_administrator_by_an_import() {
        let ann = person(|_| {}).expect("sound");
        assert_eq!(*ann.get("is_platform_admin"), Cell::Bool(false));
        assert_eq!(*ann.get("is_admin_capable"), Cell::Bool(true));
        assert_eq!(ann.name(), "6ce466d0-fd6a-11e5-82f5-e0accb9d11a6");
        assert_eq!(ann.get("email").as_text(), Some("ann@example.org"));
        assert_eq!(ann.get("mobile").as_text(), Some("+447700900111"));
        assert_eq!(ann.get("password_hash").as_text(), Some(DIGEST));
    }

    #[test]
    fn a_person_with_a_state_that_nobody_knows_is_refused() {
        for (column, value) in [
            ("state", "blocked"),
            ("auth_type", "none"),
            ("email_address", "nobody"),
            ("created_at", "soon"),
        ] {
            let refused = person(|row| {
                row.0.insert(column.to_owned(), value.into());
            });
            assert!(refused.expect_err(column).0.starts_with(column), "{column}");
        }
    }

    #[test]
    fn a_digest_that_costs_too_much_or_is_none_opens_nothing() {
        for (digest, want) in [
            (DIGEST.to_owned(), true),
            (DIGEST.replace("$10$", "$31$"), false),
            (DIGEST.replace("$2b$", "$2x$"), false),
            (DIGEST.replace("N9qo", "N9q!"), false),
            (format!("{DIGEST}x"), false),
            ("hunter2".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_bcrypt(&digest), want, "{digest}");
            let made = person(|row| {
                row.0.insert("_password".to_owned(), digest.clone().into());
            });
            let made = made.expect("sound");
            assert_eq!(
                made.get("password_hash").as_text().is_some(),
                want,
                "{digest}"
            );
        }
    }

    #[test]
    fn a_number_that_is_none_is_left_out() {
        for (number, want) in [
            ("+44 7700 900111", Some("+447700900111")),
            ("07700900111", Some("+447700900111")),
            ("+1-202-555-0143", Some("+12025550143")),
            ("020 7946 0000", None),
            ("+", None),
            ("+12x34567890", None),
            ("12345", None),
        ] {
            let made = person(|row| {
                row.0.insert("mobile_number".to_owned(), number.into());
            });
            assert_eq!(
                made.expect("sound").get("mobile").as_text(),
                want,
                "{number}"
            );
        }
    }

    #[test]
    fn of_a_membership_only_what_we_know_is_held() {
        let row = |json: &str| Row::read(json).expect("a row");
        let id = "6ce466d0-fd6a-11e5-82f5-e0accb9d11a6";
        let member = row(&format!(r#"{{"user_id": "{id}", "service_id": "{id}"}}"#));
        let words = ["platform_admin", "create_broadcasts", "manage_settings"];
        let words = words.map(|word| row(&format!(r#"{{"permission": "{word}"}}"#)));
        let folder = row(&format!(r#"{{"template_folder_id": "{id}"}}"#));
        let now = Timestamp::from_seconds(0);
        let (made, unknown) =
            membership(&member, &words, &[folder.clone(), folder], now).expect("sound");
        let want = r#"["view_activity","create_broadcasts"]"#;
        assert_eq!(made.get("permissions").as_text(), Some(want));
        assert_eq!(made.get("folders").as_text(), Some(&*format!("[\"{id}\"]")));
        assert_eq!(unknown, ["platform_admin", "manage_settings"]);
    }
}
