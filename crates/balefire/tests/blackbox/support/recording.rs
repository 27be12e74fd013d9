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
