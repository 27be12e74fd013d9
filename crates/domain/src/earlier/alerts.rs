//! Alerts and their versions.
//!
//! An alert whose time is over is completed here even where the earlier service did not come to
//! say so: nothing of it can be sent any more. What is on the air stays so, and what waits for an
//! approval may be approved here by the rules of this service.

use serde_json::Value;

use super::record::{Cell, Record, Table};
use super::{NAME_CHARS_MAX, Refusal, Row, areas, templates};
use crate::alert::Status;
use crate::lane::Kind;
use crate::lane::policy::ends_at;
use crate::limits::{
    EXTRA_CONTENT_CHARS_MAX, REFERENCE_CHARS_MAX, REJECTION_REASON_CHARS_MAX, TEXT_BYTES_MAX,
};
use crate::time::Timestamp;

/// What stands of an alert in tables of their own, and what it is judged by.
pub struct Around<'a> {
    /// The version of the template that it was made of.
    pub template: Option<&'a Row>,
    /// `broadcast_message_history`
    pub history: &'a [Row],
    /// How many events there are of it.
    pub events: u32,
    /// The text as it is sent, or why it can't be: of a person's text.
    pub normalise: &'a dyn Fn(&str) -> Result<String, String>,
    /// Why these areas could not be sent, where that is so.
    pub unfit: &'a dyn Fn(&Value) -> Option<String>,
    /// The instant of the import.
    pub now: Timestamp,
}

/// A column with its value.
type Column = (&'static str, Cell);

/// The alert, then its versions.
pub fn alert(row: &Row, around: &Around<'_>) -> Result<Vec<Record>, Refusal> {
    let is_by_key = row.value("created_by_api_key_id").is_some();
    let content = content(row, around.template)?;
    let areas = areas::areas(row.value("areas"), is_by_key)?;
    let (status, finishes_at) = status(row, around.now)?;
    if status.is_editable()
        && let Some(why) = (around.unfit)(&areas)
    {
        return Err(Refusal::of("areas", &why));
    }
    if row.flag("exclude")? && status != Status::Broadcasting {
        let what = "is set: it was kept from the public page, and here nothing would";
        return Err(Refusal::of("exclude", what));
    }
    let versions = versions(row, around, is_by_key, &content, &areas)?;
    let version = versions.last().map(|last| last.get("version").clone());
    let mut columns = vec![
        ("id", row.id("id")?.into()),
        ("service_id", row.id("service_id")?.into()),
        ("status", status.as_str().into()),
        ("is_stubbed", row.flag("stubbed")?.into()),
        ("version", version.unwrap_or(Cell::Int(1))),
        ("next_seq", (around.events + 1).into()),
    ];
    columns.extend(what_it_says(row, around, content, &areas)?);
    columns.extend(times(row, status, finishes_at)?);
    columns.extend(people(row)?);
    columns.extend(template(row, around)?);
    let mut records = vec![Record::new(Table::Alerts, columns)];
    records.extend(versions);
    Ok(records)
}

fn what_it_says(
    row: &Row,
    around: &Around<'_>,
    content: String,
    areas: &Value,
) -> Result<[Column; 6], Refusal> {
    let text = (around.normalise)(&content).map_err(|why| Refusal::of("content", &why))?;
    Ok([
        (
            "reference",
            row.opt_text("reference", REFERENCE_CHARS_MAX)?.into(),
        ),
        ("content", content.into()),
        ("text", text.into()),
        ("extra_content", extra_content(row)?.into()),
        ("areas", areas.to_string().into()),
        ("duration_us", row.opt_duration_us("duration")?.into()),
    ])
}

fn times(
    row: &Row,
    status: Status,
    finishes_at: Option<Timestamp>,
) -> Result<[Column; 9], Refusal> {
    let updated_at = row.opt_instant("updated_at")?;
    let cancelled_at = match status {
        Status::Cancelled => Some(when(row, "cancelled_at", updated_at)?),
        _ => row.opt_instant("cancelled_at")?,
    };
    let (approved_at, starts_at) = match status {
        Status::Broadcasting => {
            let starts_at = when(row, "starts_at", row.opt_instant("approved_at")?)?;
            (
                Some(when(row, "approved_at", Some(starts_at))?),
                Some(starts_at),
            )
        }
        _ => (
            row.opt_instant("approved_at")?,
            row.opt_instant("starts_at")?,
        ),
    };
    Ok([
        ("starts_at", starts_at.into()),
        ("finishes_at", finishes_at.into()),
        (
            "cap_event",
            row.opt_text("cap_event", NAME_CHARS_MAX)?.into(),
        ),
        ("created_at", row.instant("created_at")?.into()),
        ("updated_at", updated_at.into()),
        ("submitted_at", row.opt_instant("submitted_at")?.into()),
        ("approved_at", approved_at.into()),
        ("cancelled_at", cancelled_at.into()),
        ("rejected_at", row.opt_instant("rejected_at")?.into()),
    ])
}

/// People and keys. Somebody made it.
fn people(row: &Row) -> Result<[Column; 9], Refusal> {
    let id = |column: &str| row.opt_id(column).map(Cell::from);
    let (by, by_key) = (id("created_by_id")?, id("created_by_api_key_id")?);
    if by == Cell::Null && by_key == Cell::Null {
        let what = "is absent, and so is created_by_api_key_id";
        return Err(Refusal::of("created_by_id", what));
    }
    Ok([
        ("created_by", by),
        ("updated_by", id("updated_by_id")?),
        ("submitted_by", id("submitted_by_id")?),
        ("approved_by", id("approved_by_id")?),
        ("cancelled_by", id("cancelled_by_id")?),
        ("rejected_by", id("rejected_by_id")?),
        ("api_key_id", by_key),
        ("cancelled_by_api_key_id", id("cancelled_by_api_key_id")?),
        ("rejected_by_api_key_id", id("rejected_by_api_key_id")?),
    ])
}

fn template(row: &Row, around: &Around<'_>) -> Result<[Column; 5], Refusal> {
    let name = around.template.map(templates::reference).transpose()?;
    let reason = row.opt_text("rejection_reason", REJECTION_REASON_CHARS_MAX)?;
    Ok([
        ("rejection_reason", reason.into()),
        ("template_id", row.opt_id("template_id")?.into()),
        (
            "template_version",
            row.opt_count("template_version")?.into(),
        ),
        ("template_name", name.into()),
        (
            "is_acknowledged",
            row.flag("finished_govuk_acknowledged")?.into(),
        ),
    ])
}

/// Where the alert stands here, and when it ends.
fn status(row: &Row, now: Timestamp) -> Result<(Status, Option<Timestamp>), Refusal> {
    let was = row.word("status", Status::parse)?;
    let finishes_at = row.opt_instant("finishes_at")?;
    if was != Status::Broadcasting {
        return Ok((was, finishes_at));
    }
    match finishes_at {
        None => Err(Refusal::of(
            "finishes_at",
            "is absent of an alert that is on the air",
        )),
        Some(end) if end <= now => Ok((Status::Completed, finishes_at)),
        Some(_) => Ok((Status::Broadcasting, finishes_at)),
    }
}

/// Whether people may have it on their screens, as far as the row itself says: what is to be told
/// of it comes before all else.
pub fn is_on_air(row: &Row, now: Timestamp) -> bool {
    let is_sent = matches!(
        row.word("status", Status::parse),
        Ok(Status::Broadcasting | Status::Cancelled)
    );
    let end = row.opt_instant("finishes_at").unwrap_or(None);
    is_sent && end.is_none_or(|end| now < ends_at(Kind::Cancel, end))
}

fn when(row: &Row, column: &str, or: Option<Timestamp>) -> Result<Timestamp, Refusal> {
    let at = row.opt_instant(column)?.or(or);
    at.ok_or_else(|| Refusal::of(column, "is absent, and nothing says it instead"))
}

/// The text; before 0336 it stood in the template's version alone.
fn content(row: &Row, template: Option<&Row>) -> Result<String, Refusal> {
    match (row.value("content"), template) {
        (None, Some(template)) => template.text("content", TEXT_BYTES_MAX),
        (Some(_), _) | (None, None) => row.text("content", TEXT_BYTES_MAX),
    }
}

fn extra_content(row: &Row) -> Result<Option<String>, Refusal> {
    row.opt_text("extra_content", EXTRA_CONTENT_CHARS_MAX)
}

/// The versions, the oldest first. Where the last that is known says something else than the alert,
/// or none is known, the alert itself is the last.
fn versions(
    row: &Row,
    around: &Around<'_>,
    is_by_key: bool,
    content: &str,
    areas: &Value,
) -> Result<Vec<Record>, Refusal> {
    let mut versions = Vec::new();
    for old in around.history {
        let said = old.text("content", TEXT_BYTES_MAX)?;
        let covers = areas::areas(old.value("areas"), is_by_key)?;
        let number = old.opt_count("version")?.unwrap_or(1).max(1);
        versions.push(version(
            old,
            around,
            number,
            &said,
            &covers,
            "created_by_id",
        )?);
    }
    versions.sort_by_key(|version| match version.get("version") {
        Cell::Int(number) => *number,
        Cell::Null | Cell::Text(_) | Cell::Bool(_) => 0,
    });
    let last = versions.last();
    let is_said = last.is_some_and(|last| {
        last.get("content").as_text() == Some(content)
            && last.get("areas").as_text() == Some(&areas.to_string())
    });
    if !is_said {
        let number = last.map_or(1, |last| match last.get("version") {
            Cell::Int(number) => u32::try_from(*number).unwrap_or(0).saturating_add(1),
            Cell::Null | Cell::Text(_) | Cell::Bool(_) => 1,
        });
        let by = if row.value("updated_by_id").is_some() {
            "updated_by_id"
        } else {
            "created_by_id"
        };
        versions.push(version(row, around, number, content, areas, by)?);
    }
    Ok(versions)
}

fn version(
    row: &Row,
    around: &Around<'_>,
    number: u32,
    content: &str,
    areas: &Value,
    by: &str,
) -> Result<Record, Refusal> {
    // What was never sent may be longer than what can be: it is kept as it was written.
    let text = (around.normalise)(content).unwrap_or_else(|_| content.to_owned());
    let id = if row.has("broadcast_message_id") {
        "broadcast_message_id"
    } else {
        "id"
    };
    Ok(Record::new(
        Table::AlertVersions,
        [
            ("alert_id", row.id(id)?.into()),
            ("version", number.into()),
            ("created_at", row.instant("created_at")?.into()),
            ("created_by", row.opt_id(by)?.into()),
            (
                "reference",
                row.opt_text("reference", REFERENCE_CHARS_MAX)?.into(),
            ),
            ("content", content.into()),
            ("text", text.into()),
            ("extra_content", extra_content(row)?.into()),
            ("areas", areas.to_string().into()),
            ("duration_us", row.opt_duration_us("duration")?.into()),
        ],
    ))
}

/// Why an alert was given back to be edited.
pub fn edit_reason(row: &Row) -> Result<Record, Refusal> {
    Ok(Record::new(
        Table::EditReasons,
        [
            ("id", row.id("id")?.into()),
            ("alert_id", row.id("broadcast_message_id")?.into()),
            (
                "reason",
                row.text("edit_reason", REJECTION_REASON_CHARS_MAX)?.into(),
            ),
            ("created_at", row.instant("created_at")?.into()),
            ("created_by", row.id("created_by_id")?.into()),
            ("submitted_at", row.opt_instant("submitted_at")?.into()),
            ("submitted_by", row.opt_id("submitted_by_id")?.into()),
        ],
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6ce466d0-fd6a-11e5-82f5-e0accb9d11a6";

    fn row(change: &[(&str, Value)]) -> Row {
        let json = format!(
            r#"{{"id": "{ID}", "service_id": "{ID}", "content": "Water", "areas": [],
                "status": "draft", "created_at": "2021-01-01T00:00:00", "created_by_id": "{ID}"}}"#
        );
        let mut row = Row::read(&json).expect("a row");
        for (column, value) in change {
            row.0.insert((*column).to_owned(), value.clone());
        }
        row
    }

    fn of(row: &Row, template: Option<&Row>, history: &[Row]) -> Result<Vec<Record>, Refusal> {
        let normalise = |text: &str| match text {
            "too long" => Err("is too long".to_owned()),
            text => Ok(text.to_owned()),
        };
        let around = Around {
            template,
            history,
            events: 0,
            normalise: &normalise,
            unfit: &|areas| (*areas == "unfit").then(|| "cross".to_owned()),
            now: Timestamp::parse_iso8601("2021-06-01T12:00:00").expect("an instant"),
        };
        alert(row, &around)
    }

    #[test]
    fn an_alert_stands_where_it_stood_unless_its_time_is_over() {
        let times = [
            ("starts_at", "2021-06-01T10:00:00".into()),
            ("finishes_at", "2021-06-01T13:00:00".into()),
        ];
        let late = [
            times[0].clone(),
            ("finishes_at", "2021-06-01T12:00:00".into()),
        ];
        for (was, times, want) in [
            ("draft", &times[..], "draft"),
            ("pending-approval", &times, "pending-approval"),
            ("rejected", &times, "rejected"),
            ("returned", &times, "returned"),
            ("technical-failure", &times, "technical-failure"),
            ("completed", &times, "completed"),
            ("broadcasting", &times, "broadcasting"),
            ("broadcasting", &late, "completed"),
        ] {
            let mut change = times.to_vec();
            change.push(("status", was.into()));
            let made = of(&row(&change), None, &[]).expect(was);
            assert_eq!(made[0].get("status").as_text(), Some(want), "{was}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_column() {
        for (column, change) in [
            ("status", vec![("status", "approved".into())]),
            ("finishes_at", vec![("status", "broadcasting".into())]),
            ("cancelled_at", vec![("status", "cancelled".into())]),
            ("content", vec![("content", Value::Null)]),
            ("content", vec![("content", "too long".into())]),
            (
                "content",
                vec![("content", "x".repeat(TEXT_BYTES_MAX + 1).into())],
            ),
            ("service_id", vec![("service_id", Value::Null)]),
            ("created_by_id", vec![("created_by_id", Value::Null)]),
            ("areas", vec![("areas", "everywhere".into())]),
            ("duration", vec![("duration", "1 mon".into())]),
            (
                "exclude",
                vec![("exclude", true.into()), ("status", "completed".into())],
            ),
        ] {
            let refused = of(&row(&change), None, &[]).expect_err(column);
            assert!(refused.0.starts_with(column), "{column}: {refused}");
        }
    }

    #[test]
    fn a_text_that_stood_in_the_template_alone_is_found_there() {
        let template = Row::read(r#"{"name": "Flood", "content": "Rising water"}"#).expect("a row");
        let old = row(&[("content", Value::Null)]);
        let made = of(&old, Some(&template), &[]).expect("sound");
        assert_eq!(made[0].get("content").as_text(), Some("Rising water"));
        assert_eq!(made[0].get("template_name").as_text(), Some("Flood"));
    }

    #[test]
    fn the_alert_is_its_last_version() {
        let old = |version: u32, content: &str| {
            row(&[("version", version.into()), ("content", content.into())])
        };
        let numbers = |history: &[Row]| {
            let made = of(&row(&[]), None, history).expect("sound");
            let numbers = made[1..].iter().map(|made| made.get("version").clone());
            (made[0].get("version").clone(), numbers.collect::<Vec<_>>())
        };
        let (one, two) = (Cell::Int(1), Cell::Int(2));
        assert_eq!(numbers(&[]), (one.clone(), vec![one.clone()]));
        assert_eq!(
            numbers(&[old(1, "Water")]),
            (one.clone(), vec![one.clone()])
        );
        assert_eq!(
            numbers(&[old(1, "Mist")]),
            (two.clone(), vec![one.clone(), two.clone()])
        );
        let both = [old(2, "Water"), old(1, "too long")];
        assert_eq!(numbers(&both), (two.clone(), vec![one, two]));
    }
}
