//! What was recorded of the earlier system: statuses, keys and types, and the texts of refusals.
//!
//! The fixtures are the ones of the `web` crate, whose own test makes them again from the
//! recording. A line `/path type` is a path of the answer, where the elements of a list are one
//! path; a line that begins with `=` is a text of a refusal, in which ids are `<id>`.

use std::collections::{BTreeMap, BTreeSet};

use balefire_domain::ids::UserId;
use serde_json::Value;

const FIXTURES: [&str; 2] = [
    include_str!("../../../../web/tests/web/recorded.txt"),
    include_str!("../../../../web/tests/web/recorded_set_up.txt"),
];

/// A recorded answer.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) status: u16,
    pub(crate) said: BTreeSet<String>,
}

/// Every recorded answer, by its number.
pub(crate) fn recorded() -> BTreeMap<&'static str, Recorded> {
    let mut all = BTreeMap::new();
    for block in FIXTURES.iter().flat_map(|text| text.split("# ").skip(1)) {
        let mut lines = block.lines();
        let head = lines.next().and_then(|head| head.split_once(' '));
        let (number, status) = head.expect("a number and a status");
        let status = status.parse().expect("a status");
        let said = lines.map(str::to_owned).collect();
        all.insert(number, Recorded { status, said });
    }
    all
}

/// What an answer is compared by: its keys and types, and of a refusal its texts.
pub(crate) fn said(status: u16, value: &Value) -> BTreeSet<String> {
    let mut said = shape_of(value);
    if status >= 400 {
        add_texts(value, &mut said);
    }
    said
}

/// Every path of a JSON value with its type; the elements of a list are one path.
fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    add_shape("", value, &mut shape);
    shape
}

fn add_shape(path: &str, value: &Value, shape: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(list) => {
            for value in list {
                add_shape(&format!("{path}/*"), value, shape);
            }
            "list"
        }
        Value::Object(object) => {
            for (key, value) in object {
                add_shape(&format!("{path}/{key}"), value, shape);
            }
            "object"
        }
    };
    shape.insert(format!("{path} {kind}"));
}

fn add_texts(value: &Value, said: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let words = text.split(' ').map(|word| match word.parse::<UserId>() {
                Ok(_) => "<id>",
                Err(_) => word,
            });
            said.insert(format!("= {}", words.collect::<Vec<_>>().join(" ")));
        }
        Value::Array(list) => list.iter().for_each(|value| add_texts(value, said)),
        Value::Object(object) => object.values().for_each(|value| add_texts(value, said)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The keys and types that an answer must have, no more and no less.
#[derive(Clone, Debug)]
pub(crate) struct Shape(BTreeSet<String>);

impl Shape {
    /// Lines of `path type`.
    pub(crate) fn new(lines: &str) -> Self {
        Self(lines.lines().map(str::to_owned).collect())
    }

    /// That of a recorded answer which is no refusal.
    pub(crate) fn recorded(number: &str) -> Self {
        let recorded = recorded().remove(number).expect("it was recorded");
        assert!(recorded.status < 400, "{number}");
        Self(recorded.said)
    }

    /// More lines.
    pub(crate) fn and(mut self, lines: &str) -> Self {
        self.0.extend(lines.lines().map(str::to_owned));
        self
    }

    /// Without any path that begins so.
    pub(crate) fn without(mut self, path: &str) -> Self {
        self.0.retain(|line| !line.starts_with(path));
        self
    }

    /// With another type at paths that there are.
    #[track_caller]
    pub(crate) fn but(mut self, lines: &[&str]) -> Self {
        for line in lines {
            let (path, _) = line.split_once(' ').expect("a path and a type");
            let before = self.0.len();
            let is_other = |own: &String| own.split_once(' ').is_none_or(|(own, _)| own != path);
            self.0.retain(is_other);
            assert_eq!(self.0.len() + 1, before, "{line}: one type was there");
            assert!(self.0.insert((*line).to_owned()));
        }
        self
    }

    /// As the elements (`/*`) of a list at this path of an answer.
    pub(crate) fn within(self, list: &str, element: &str) -> Self {
        let inner = self.0.iter().map(|line| format!("{list}{element}{line}"));
        let mut outer: BTreeSet<String> = inner.collect();
        outer.insert(format!("{list} list"));
        if !list.is_empty() {
            outer.insert(" object".to_owned());
        }
        Self(outer)
    }

    /// Compares an answer; a key that is an id is `*`.
    #[track_caller]
    pub(crate) fn must_be_of(&self, what: &str, value: &Value) {
        let starred = |line: String| -> String {
            let parts = line.split('/').map(|part| {
                let (key, kind) = part.split_once(' ').unwrap_or((part, ""));
                match key.parse::<UserId>() {
                    Ok(_) => format!("* {kind}").trim_end().to_owned(),
                    Err(_) => part.to_owned(),
                }
            });
            parts.collect::<Vec<_>>().join("/")
        };
        let is: BTreeSet<String> = shape_of(value).into_iter().map(starred).collect();
        let missing: Vec<_> = self.0.difference(&is).collect();
        let more: Vec<_> = is.difference(&self.0).collect();
        assert!(
            missing.is_empty() && more.is_empty(),
            "{what}: not {missing:?}, but {more:?}"
        );
    }
}
