//! Services, their keys and their folders.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::record::{Cell, Record, Table};
use super::{NAME_CHARS_MAX, NOTES_CHARS_MAX, Refusal, Row};
use crate::alert::{Mode, ServiceState};
use crate::channel::Channel;
use crate::limits::{EARLIER_FOLDER_LEVELS_MAX, FOLDER_NAME_CHARS_MAX};
use crate::organisation::KINDS;
use crate::provider::ProviderName;
use crate::time::Timestamp;

/// What stands of a service in tables of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    /// `service_broadcast_settings`
    pub broadcast: Option<&'a Row>,
    /// `service_broadcast_provider_restriction`, of the generations before 0345.
    pub restriction: Option<&'a Row>,
    /// `service_broadcast_providers`, of the generations from 0412; absent where there is no such
    /// table.
    pub providers: Option<&'a [Row]>,
    /// `service_permissions`
    pub permissions: &'a [Row],
}

/// A service with its settings, of each generation of them (R107).
pub fn service(row: &Row, settings: Settings<'_>) -> Result<Record, Refusal> {
    let is_live = !row.flag("restricted")?;
    let is_active = row.flag("active")?;
    let state = if is_active {
        ServiceState::Active
    } else {
        ServiceState::Archived
    };
    let channel = channel(settings, is_live)?;
    let mut words = BTreeSet::new();
    for permission in settings.permissions {
        words.insert(permission.text("permission", NAME_CHARS_MAX)?);
    }
    let kind = row.opt_text("organisation_type", NAME_CHARS_MAX)?;
    if kind
        .as_ref()
        .is_some_and(|kind| !KINDS.contains(&kind.as_str()))
    {
        return Err(Refusal::of(
            "organisation_type",
            "is a kind that nobody knows",
        ));
    }
    let mode = if is_live { Mode::Live } else { Mode::Training };
    let is_set_up = is_live || settings.broadcast.is_some() || settings.restriction.is_some();
    Ok(Record::new(
        Table::Services,
        [
            ("id", row.id("id")?.into()),
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            ("state", state.as_str().into()),
            ("mode", mode.as_str().into()),
            ("channel", channel.as_str().into()),
            ("providers", providers(settings)?.into()),
            ("may_broadcast", words.contains("broadcast").into()),
            ("created_at", row.instant("created_at")?.into()),
            ("notes", row.opt_text("notes", NOTES_CHARS_MAX)?.into()),
            ("organisation_id", row.opt_id("organisation_id")?.into()),
            ("organisation_type", kind.into()),
            ("created_by", row.opt_id("created_by_id")?.into()),
            ("went_live_at", row.opt_instant("go_live_at")?.into()),
            ("went_live_by", row.opt_id("go_live_user_id")?.into()),
            ("has_email_auth", words.contains("email_auth").into()),
            ("is_set_up", is_set_up.into()),
        ],
    ))
}

/// The channel; without settings as the migrations of the earlier service had it: restricted
/// networks are for tests, else training had `severe` and a live service `test`.
fn channel(settings: Settings<'_>, is_live: bool) -> Result<Channel, Refusal> {
    Ok(match settings.broadcast {
        Some(row) => row.word("channel", Channel::parse)?,
        None if settings.restriction.is_some() || is_live => Channel::Test,
        None => Channel::Severe,
    })
}

/// The networks, as the JSON that is stored; none stored means all of them.
fn providers(settings: Settings<'_>) -> Result<Option<String>, Refusal> {
    let mut names = BTreeSet::new();
    if let Some(rows) = settings.providers {
        // Of a table that names each network nobody's absence means all of them.
        for row in rows {
            names.insert(provider(row)?);
        }
    } else {
        let row = settings.broadcast.or(settings.restriction);
        let Some(row) = row.filter(|row| row.value("provider").is_some_and(|name| name != "all"))
        else {
            return Ok(None);
        };
        names.insert(provider(row)?);
    }
    let names: Vec<String> = names.into_iter().collect();
    Ok(Some(Value::from(names).to_string()))
}

fn provider(row: &Row) -> Result<String, Refusal> {
    row.word("provider", |name| ProviderName::new(name).ok())
        .map(|name| name.as_str().to_owned())
}

/// A key. Its secret is the one that was signed, as the caller read it.
pub fn api_key(row: &Row, secret: &str) -> Result<Record, Refusal> {
    let revoked_at = row.opt_instant("expiry_date")?;
    let kinds = ["normal", "test", "team"];
    let kind = row.word("key_type", |word| {
        kinds.into_iter().find(|kind| *kind == word)
    })?;
    Ok(Record::new(
        Table::ApiKeys,
        [
            ("id", row.id("id")?.into()),
            ("service_id", row.id("service_id")?.into()),
            ("name", row.text("name", NAME_CHARS_MAX)?.into()),
            ("kind", kind.into()),
            ("secret", secret.into()),
            ("created_at", row.instant("created_at")?.into()),
            ("revoked_at", revoked_at.into()),
            ("is_revoked_by_mode", false.into()),
            ("created_by", row.opt_id("created_by_id")?.into()),
            ("updated_at", row.opt_instant("updated_at")?.into()),
            (
                "version",
                Cell::Int(if revoked_at.is_some() { 2 } else { 1 }),
            ),
        ],
    ))
}

/// A folder of templates.
pub fn folder(row: &Row, now: Timestamp) -> Result<Record, Refusal> {
    Ok(Record::new(
        Table::TemplateFolders,
        [
            ("id", row.id("id")?.into()),
            ("service_id", row.id("service_id")?.into()),
            ("parent_id", row.opt_id("parent_id")?.into()),
            ("name", row.text("name", FOLDER_NAME_CHARS_MAX)?.into()),
            ("created_at", now.into()),
        ],
    ))
}

/// Folders in the order in which they can be made: each after the one that it lies in. What lies in
/// itself, or too deep, comes last and is refused by name.
pub fn sorted_folders(folders: Vec<Record>) -> (Vec<Record>, Vec<Record>) {
    let id = |cell: &Cell| cell.as_text().unwrap_or_default().to_owned();
    let known: BTreeSet<String> = folders.iter().map(Record::name).collect();
    let mut waiting: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    let mut level = Vec::new();
    for folder in folders {
        let parent = id(folder.get("parent_id"));
        if known.contains(&parent) {
            waiting.entry(parent).or_default().push(folder);
        } else {
            level.push(folder);
        }
    }
    let mut sorted = Vec::new();
    for _ in 0..EARLIER_FOLDER_LEVELS_MAX {
        let next = level
            .iter()
            .filter_map(|folder: &Record| waiting.remove(&folder.name()));
        let next: Vec<Record> = next.flatten().collect();
        sorted.append(&mut level);
        level = next;
    }
    level.extend(waiting.into_values().flatten());
    (sorted, level)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6ce466d0-fd6a-11e5-82f5-e0accb9d11a6";

    fn row(json: &str) -> Row {
        Row::read(json).expect("a row")
    }

    fn of(restricted: bool) -> Row {
        row(&format!(
            r#"{{"id": "{ID}", "name": "Floods", "active": true, "restricted": {restricted},
                "created_at": "2021-01-01T00:00:00", "created_by_id": "{ID}"}}"#
        ))
    }

    #[test]
    fn each_generation_of_settings_becomes_ours() {
        let set = |json: &str| row(json);
        let (severe, all) = (
            set(r#"{"channel": "severe", "provider": null}"#),
            set(r#"{"channel": "government", "provider": "all"}"#),
        );
        let one = set(r#"{"channel": "test", "provider": "ee"}"#);
        let late = set(r#"{"channel": "operator"}"#);
        let three = set(r#"{"provider": "three"}"#);
        let rows = [set(r#"{"provider": "o2"}"#), set(r#"{"provider": "ee"}"#)];
        let none = Settings::default();
        let with = |broadcast| Settings { broadcast, ..none };
        // settings, restricted, channel, providers, set up
        let cases = [
            (none, true, "severe", None, false),
            (none, false, "test", None, true),
            (with(Some(&severe)), false, "severe", None, true),
            (with(Some(&all)), false, "government", None, true),
            (with(Some(&one)), true, "test", Some(r#"["ee"]"#), true),
            (
                Settings {
                    restriction: Some(&three),
                    ..none
                },
                false,
                "test",
                Some(r#"["three"]"#),
                true,
            ),
            (
                Settings {
                    broadcast: Some(&late),
                    providers: Some(&rows),
                    ..none
                },
                false,
                "operator",
                Some(r#"["ee","o2"]"#),
                true,
            ),
            (
                Settings {
                    broadcast: Some(&late),
                    providers: Some(&[]),
                    ..none
                },
                false,
                "operator",
                Some("[]"),
                true,
            ),
        ];
        for (settings, restricted, channel, providers, is_set_up) in cases {
            let made = service(&of(restricted), settings).expect("sound");
            assert_eq!(made.get("channel").as_text(), Some(channel));
            assert_eq!(made.get("providers").as_text(), providers, "{channel}");
            assert_eq!(*made.get("is_set_up"), is_set_up.into(), "{channel}");
            let mode = if restricted { "training" } else { "live" };
            assert_eq!(made.get("mode").as_text(), Some(mode));
        }
    }

    #[test]
    fn a_channel_or_network_that_nobody_knows_is_refused() {
        let none = Settings::default();
        for bad in [
            r#"{"channel": "loud", "provider": "all"}"#,
            r#"{"channel": "severe", "provider": "E E"}"#,
            r#"{"provider": "all"}"#,
        ] {
            let bad = row(bad);
            let settings = Settings {
                broadcast: Some(&bad),
                ..none
            };
            assert!(service(&of(false), settings).is_err());
        }
    }

    #[test]
    fn a_folder_comes_after_the_one_it_lies_in() {
        let id = |n: u32| format!("00000000-0000-0000-0000-00000000000{n}");
        let make = |n: u32, parent: Option<u32>| {
            let parent = parent.map_or("null".to_owned(), |n| format!("\"{}\"", id(n)));
            let row = row(&format!(
                r#"{{"id": "{}", "service_id": "{ID}", "name": "F", "parent_id": {parent}}}"#,
                id(n)
            ));
            folder(&row, Timestamp::from_seconds(0)).expect("sound")
        };
        let given = vec![
            make(3, Some(2)),
            make(2, Some(1)),
            make(1, None),
            make(4, Some(5)),
            make(5, Some(4)),
            make(6, Some(6)),
        ];
        let (sorted, refused) = sorted_folders(given);
        let names = |folders: &[Record]| folders.iter().map(Record::name).collect::<Vec<_>>();
        assert_eq!(names(&sorted), [id(1), id(2), id(3)]);
        assert_eq!(names(&refused), [id(5), id(4), id(6)]);
    }
}
