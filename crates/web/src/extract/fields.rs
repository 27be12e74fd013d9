//! The fields of a JSON body against their schema. Everything that is wrong is told at once, in
//! the words of the earlier system, where it had any.

use std::str::FromStr;

use balefire_domain::alert::Status;
use balefire_domain::limits::NOTED_DURATION_MAX;
use balefire_domain::time::Timestamp;
use jiff::{Span, SpanRelativeTo};
use serde_json::{Map, Value};

use crate::problem::{Name, Problem};
use crate::schema::{Property, Schema};

/// Characters of a name or value that an answer shows.
const SHOWN_CHARS_MAX: usize = 40;
/// Unexpected names that an answer shows.
const SHOWN_NAMES_MAX: usize = 20;
/// Characters of an ISO 8601 duration.
const DURATION_CHARS_MAX: usize = 40;

/// A body's fields, and what is wrong with them so far. A field that is `null` is as good as
/// absent.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<String>,
}

impl<'a> Fields<'a> {
    /// The fields of `body`, which may be no others than the schema's, and must be those that it
    /// requires.
    pub(crate) fn of(body: &'a Value, schema: &Schema) -> Result<Self, Problem> {
        let Value::Object(object) = body else {
            let message = "The body is not of type object".to_owned();
            return Err(Problem::invalid(Name::Validation, [message]));
        };
        let mut fields = Self {
            object,
            errors: Vec::new(),
        };
        let properties = schema.properties();
        fields.refuse_others(properties);
        for property in properties.iter().filter(|property| property.is_required) {
            fields.require(&[property.name]);
        }
        Ok(fields)
    }

    fn refuse_others(&mut self, known: &[Property]) {
        let others: Vec<&str> = self
            .object
            .keys()
            .map(String::as_str)
            .filter(|name| !known.iter().any(|property| property.name == *name))
            .collect();
        if others.is_empty() {
            return;
        }
        let verb = if others.len() == 1 { "was" } else { "were" };
        let mut shown: Vec<String> = others
            .iter()
            .take(SHOWN_NAMES_MAX)
            .map(|name| cut(name))
            .collect();
        if others.len() > SHOWN_NAMES_MAX {
            shown.push("…".to_owned());
        }
        let names = shown.join(", ");
        self.errors.push(format!(
            "Additional properties are not allowed ({names} {verb} unexpected)"
        ));
    }

    /// These fields must be there.
    pub(crate) fn require(&mut self, names: &[&str]) {
        for name in names {
            if !self.object.contains_key(*name) {
                self.errors.push(format!("{name} is a required property"));
            } else if self.object[*name].is_null() {
                self.errors.push(format!("{name} must not be null"));
            }
        }
    }

    /// Adds what another check found.
    pub(crate) fn refuse(&mut self, message: impl Into<String>) {
        self.errors.push(message.into());
    }

    /// Everything that is wrong, if anything is.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(Problem::invalid(Name::Validation, self.errors))
        }
    }

    /// A field that is there and not null.
    pub(crate) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A UUID with its hyphens.
    pub(crate) fn id<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let value = self.value(name)?;
        let id = value.as_str().and_then(|text| text.parse().ok());
        if id.is_none() {
            self.errors.push(format!("{name} is not a valid UUID"));
        }
        id
    }

    /// A text that may be empty, of at most `chars_max` characters.
    pub(crate) fn bounded_text(&mut self, name: &str, chars_max: usize) -> Option<String> {
        let text = self.text(name)?;
        self.is_short(name, &text, chars_max).then_some(text)
    }

    fn is_short(&mut self, name: &str, text: &str, chars_max: usize) -> bool {
        let is_short = text.chars().count() <= chars_max;
        if !is_short {
            let message = format!("{name} is too long: at most {chars_max} characters");
            self.errors.push(message);
        }
        is_short
    }

    /// A text of any length, within the body's limit.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.value(name)?;
        let Value::String(text) = value else {
            self.refuse_type(name, value, "string");
            return None;
        };
        Some(text.clone())
    }

    /// A text of at least one character, and at most `chars_max` where there is such a bound.
    pub(crate) fn filled_text(&mut self, name: &str, chars_max: Option<usize>) -> Option<String> {
        let text = self.text(name)?;
        if text.is_empty() {
            self.errors.push(format!("{name} is too short"));
            return None;
        }
        let is_short = chars_max.is_none_or(|max| self.is_short(name, &text, max));
        is_short.then_some(text)
    }

    /// A whole number from 1.
    pub(crate) fn count(&mut self, name: &str) -> Option<u32> {
        let value = self.value(name)?;
        let count = value.as_u64().and_then(|count| u32::try_from(count).ok());
        let count = count.filter(|count| *count > 0);
        if count.is_none() {
            let given = shown(value);
            self.errors
                .push(format!("{name} {given} is not a whole number from 1"));
        }
        count
    }

    /// An instant in ISO 8601.
    pub(crate) fn instant(&mut self, name: &str) -> Option<Timestamp> {
        let value = self.value(name)?;
        let instant = value.as_str().and_then(Timestamp::parse_iso8601);
        if instant.is_none() {
            self.errors.push(format!(
                "{name} is not a valid date: write it like 2026-11-23T04:09:03Z"
            ));
        }
        instant
    }

    /// A positive ISO 8601 duration, in microseconds.
    pub(crate) fn duration_us(&mut self, name: &str) -> Option<i64> {
        let value = self.value(name)?;
        let duration = value.as_str().and_then(parse_duration_us);
        if duration.is_none() {
            self.errors.push(format!(
                "{name} is not a valid duration: write it like PT8H30M, longer than nothing and \
                 at most a year"
            ));
        }
        duration
    }

    /// Yes or no.
    pub(crate) fn truth(&mut self, name: &str) -> Option<bool> {
        let value = self.value(name)?;
        let truth = value.as_bool();
        if truth.is_none() {
            self.refuse_type(name, value, "boolean");
        }
        truth
    }

    /// One of these words.
    pub(crate) fn word<'w>(&mut self, name: &str, known: &[&'w str]) -> Option<&'w str> {
        let value = self.value(name)?;
        self.known_word(name, value, known)
    }

    /// A list of these words; none where one is another, or it is no list.
    pub(crate) fn words<'w>(&mut self, name: &str, known: &[&'w str]) -> Option<Vec<&'w str>> {
        let value = self.value(name)?;
        let Value::Array(list) = value else {
            self.refuse_type(name, value, "array");
            return None;
        };
        let words: Vec<&str> = list
            .iter()
            .map_while(|value| self.known_word(name, value, known))
            .collect();
        (words.len() == list.len()).then_some(words)
    }

    fn known_word<'w>(&mut self, name: &str, value: &Value, known: &[&'w str]) -> Option<&'w str> {
        let word = value.as_str();
        let found = known.iter().find(|own| word == Some(**own)).copied();
        if found.is_none() {
            let (given, known) = (shown(value), known.join(", "));
            self.errors
                .push(format!("{name} {given} is not one of [{known}]"));
        }
        found
    }

    /// A list of UUIDs, at most so many.
    pub(crate) fn ids<T: FromStr>(&mut self, name: &str, count_max: usize) -> Option<Vec<T>> {
        let value = self.value(name)?;
        let Value::Array(list) = value else {
            self.refuse_type(name, value, "array");
            return None;
        };
        let texts = list.iter().filter_map(Value::as_str);
        let ids: Vec<T> = texts.filter_map(|text| text.parse().ok()).collect();
        if ids.len() < list.len() || ids.len() > count_max {
            let message = format!("{name} is not a list of at most {count_max} UUIDs");
            self.errors.push(message);
        }
        Some(ids)
    }

    /// The state of an alert.
    pub(crate) fn status(&mut self, name: &str) -> Option<Status> {
        let value = self.value(name)?;
        let status = value.as_str().and_then(Status::parse);
        if status.is_none() {
            let known = Status::ALL.map(Status::as_str).join(", ");
            let given = shown(value);
            self.errors
                .push(format!("{name} {given} is not one of [{known}]"));
        }
        status
    }

    /// A field that must be an object, whatever it says.
    pub(crate) fn check_object(&mut self, name: &str) {
        match self.value(name) {
            None | Some(Value::Object(_)) => {}
            Some(value) => self.refuse_type(name, value, "object"),
        }
    }

    fn refuse_type(&mut self, name: &str, value: &Value, wanted: &str) {
        let given = shown(value);
        self.errors
            .push(format!("{name} {given} is not of type {wanted}"));
    }
}

/// A value as an answer may show it: without quotation marks, and cut.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text),
        Value::Array(_) => "[…]".to_owned(),
        Value::Object(_) => "{…}".to_owned(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn cut(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Days count 24 hours; months and years have no length and are refused.
fn parse_duration_us(text: &str) -> Option<i64> {
    if text.len() > DURATION_CHARS_MAX || !text.starts_with('P') {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    let micros = i64::try_from(duration.as_micros()).ok()?;
    let longest = i64::try_from(NOTED_DURATION_MAX.as_micros()).ok()?;
    (1..=longest).contains(&micros).then_some(micros)
}

#[cfg(test)]
mod tests {
    use balefire_domain::ids::UserId;
    use serde_json::json;

    use super::*;
    use crate::schema::{optional, required};

    #[test]
    fn durations_are_positive_and_have_a_length() {
        let hour = 3_600_000_000;
        for (text, want) in [
            ("PT8H30M", Some(8 * hour + hour / 2)),
            ("PT1H", Some(hour)),
            ("P1DT2H", Some(26 * hour)),
            ("PT0.5S", Some(500_000)),
            ("P366D", Some(366 * 24 * hour)),
            ("P366DT1S", None),
            ("PT0S", None),
            ("-PT1H", None),
            ("P1M", None),
            ("P1Y", None),
            ("8h 30m", None),
            ("PT", None),
            ("P", None),
            ("", None),
            ("PT99999999999999999999H", None),
        ] {
            assert_eq!(parse_duration_us(text), want, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        const BODY: Schema = Schema::Object(&[
            required("created_by", Schema::Id),
            required("service_id", Schema::Id),
            optional("reference", Schema::Text),
            optional("content", Schema::Text),
            optional("starts_at", Schema::Instant),
            optional("status", Schema::Text),
            optional("duration", Schema::Text),
            optional("personalisation", Schema::Any),
        ]);
        let body = json!({
            "x": 1, "created_by": "me", "reference": "", "content": 5, "starts_at": "now",
            "status": "nonsense", "duration": "long", "personalisation": [],
        });
        let mut fields = Fields::of(&body, &BODY).unwrap_or_else(|_| unreachable!("an object"));
        assert_eq!(fields.id::<UserId>("created_by"), None);
        assert_eq!(fields.filled_text("reference", Some(255)), None);
        assert_eq!(fields.text("content"), None);
        assert_eq!(fields.instant("starts_at"), None);
        assert_eq!(fields.status("status"), None);
        assert_eq!(fields.duration_us("duration"), None);
        fields.check_object("personalisation");
        assert_eq!(
            fields.errors,
            [
                "Additional properties are not allowed (x was unexpected)",
                "service_id is a required property",
                "created_by is not a valid UUID",
                "reference is too short",
                "content 5 is not of type string",
                "starts_at is not a valid date: write it like 2026-11-23T04:09:03Z",
                "status nonsense is not one of [draft, pending-approval, rejected, broadcasting, \
                 completed, cancelled, technical-failure, returned]",
                "duration is not a valid duration: write it like PT8H30M, longer than nothing and \
                 at most a year",
                "personalisation […] is not of type object",
            ]
        );
    }
}
