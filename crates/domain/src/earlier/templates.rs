//! Templates and their versions. Texts of other kinds than alerts (the earlier service wrote its
//! own e-mails from templates) are left behind.

use super::record::{Record, Table};
use super::{NAME_CHARS_MAX, Refusal, Row, areas};
use crate::limits::TEXT_BYTES_MAX;

/// The kind that is brought.
const BROADCAST: &str = "broadcast";

/// Whether this is a template of an alert.
pub fn is_of_alert(row: &Row) -> Result<bool, Refusal> {
    match row.opt_text("template_type", NAME_CHARS_MAX)? {
        Some(kind) => Ok(kind == BROADCAST),
        None => Ok(true),
    }
}

/// A template with its versions, the oldest first. Of a current version that the history lacks the
/// template itself tells.
pub fn template(row: &Row, folder: Option<&Row>, history: &[Row]) -> Result<Vec<Record>, Refusal> {
    let folder = folder.map(|row| row.id("template_folder_id")).transpose()?;
    let version = version(row)?;
    let head = Record::new(
        Table::Templates,
        [
            ("id", row.id("id")?.into()),
            ("service_id", row.id("service_id")?.into()),
            ("folder_id", folder.into()),
            ("version", version.into()),
            ("reference", reference(row)?.into()),
            ("content", row.text("content", TEXT_BYTES_MAX)?.into()),
            (
                "areas",
                areas::areas(row.value("areas"), false)?.to_string().into(),
            ),
            ("is_archived", row.flag("archived")?.into()),
            ("created_at", row.instant("created_at")?.into()),
            ("created_by", row.id("created_by_id")?.into()),
            ("updated_at", row.opt_instant("updated_at")?.into()),
        ],
    );
    let mut records = vec![head];
    for row in history {
        records.push(template_version(row)?);
    }
    let current = template_version(row)?;
    if !records
        .iter()
        .any(|record| record.table == current.table && record.key() == current.key())
    {
        records.push(current);
    }
    Ok(records)
}

fn template_version(row: &Row) -> Result<Record, Refusal> {
    let changed_at = row.opt_instant("updated_at")?;
    let created_at = row.instant("created_at")?;
    Ok(Record::new(
        Table::TemplateVersions,
        [
            ("template_id", row.id("id")?.into()),
            ("version", version(row)?.into()),
            ("reference", reference(row)?.into()),
            ("content", row.text("content", TEXT_BYTES_MAX)?.into()),
            (
                "areas",
                areas::areas(row.value("areas"), false)?.to_string().into(),
            ),
            ("is_archived", row.flag("archived")?.into()),
            ("created_at", changed_at.unwrap_or(created_at).into()),
            ("created_by", row.opt_id("created_by_id")?.into()),
        ],
    ))
}

fn version(row: &Row) -> Result<u32, Refusal> {
    Ok(row.opt_count("version")?.unwrap_or(1).max(1))
}

/// What people call it: `reference` since 0419, `name` before.
pub fn reference(row: &Row) -> Result<String, Refusal> {
    let column = if row.has("reference") {
        "reference"
    } else {
        "name"
    };
    row.text(column, NAME_CHARS_MAX)
}

#[cfg(test)]
mod tests {
    use super::super::record::Cell;
    use super::*;

    const ID: &str = "6ce466d0-fd6a-11e5-82f5-e0accb9d11a6";

    fn row(name: &str, version: u32) -> Row {
        let json = format!(
            r#"{{"id": "{ID}", "service_id": "{ID}", "template_type": "broadcast", "{name}":
                "Flood", "content": "Water", "archived": false, "version": {version},
                "created_by_id": "{ID}", "created_at": "2021-01-01T00:00:00"}}"#
        );
        Row::read(&json).expect("a row")
    }

    #[test]
    fn a_template_comes_with_every_version_of_either_generation() {
        for name in ["name", "reference"] {
            let (one, two) = (row(name, 1), row(name, 2));
            for history in [vec![one.clone(), two.clone()], vec![one.clone()]] {
                let made = template(&two, None, &history).expect("sound");
                let versions = made.iter().skip(1).map(|made| made.get("version").clone());
                assert_eq!(versions.collect::<Vec<_>>(), [Cell::Int(1), Cell::Int(2)]);
                assert_eq!(made[0].get("reference").as_text(), Some("Flood"));
                assert_eq!(made[0].get("areas").as_text(), Some("{}"));
            }
        }
        let mut email = row("name", 1);
        email.0.insert("template_type".to_owned(), "email".into());
        assert_eq!(is_of_alert(&email), Ok(false));
        assert_eq!(is_of_alert(&row("name", 1)), Ok(true));
    }
}
