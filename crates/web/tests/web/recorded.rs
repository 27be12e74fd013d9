//! What the earlier system answered, as keys and types; of refusals the exact texts too.
//!
//! `recorded.txt` has, for each recorded exchange, its number, its status, and one line for each
//! path of the answer with its type; a line that begins with `=` is a text of a refusal, in which
//! ids are `<id>`. It was made from the recorded exchanges by [`said`]; where the recording is at
//! hand, the test below makes it again (with `BLESS=1` it is written anew).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/");
const FIXTURE: &str = include_str!("recorded.txt");
const SET_UP: &str = include_str!("recorded_set_up.txt");
const RECORDING: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/design/http-recorded.md"
);

/// The exchanges of the main job that concern these routes.
pub const NUMBERS: [&str; 32] = [
    "1.13",
    "2.1",
    "2.2",
    "2.3",
    "2.4",
    "2.5",
    "2.6",
    "2.7",
    "2.8",
    "2.9",
    "2.10",
    "2.11",
    "2.12",
    "2.13",
    "2.14",
    "2.15",
    "2.16",
    "2.17",
    "2.18",
    "2.19",
    "2.20",
    "2.21",
    "2.22",
    "2.23",
    "2.24",
    "2.25",
    "2.26",
    "2.27",
    "2.28",
    "2.29",
    "2.30",
    WITHOUT_JSON,
];

/// It is answered with headers alone.
pub const WITHOUT_JSON: &str = "2.31";

/// The exchanges of the set-up that concern people.
pub const OF_PEOPLE: [&str; 3] = ["1.1", "1.2", "1.3"];

/// The exchanges of the set-up that concern services and keys.
const SET_UP_NUMBERS: [&str; 10] = [
    "1.4", "1.5", "1.6", "1.7", "1.8", "1.9", "1.10", "1.11", "1.12", "1.13",
];

/// A status, and the paths of the answer with their types.
#[derive(Debug, PartialEq, Eq)]
pub struct Recorded {
    pub status: u16,
    pub shape: BTreeSet<String>,
}

/// Every path of a JSON value with its type; the elements of a list are one path.
fn shape_of(value: &Value) -> BTreeSet<String> {
    let mut shape = BTreeSet::new();
    add_shape("", value, &mut shape);
    shape
}

/// What an answer is compared by: its shape, and of a refusal its texts.
pub fn said(status: u16, value: &Value) -> BTreeSet<String> {
    let mut said = shape_of(value);
    if status >= 400 {
        add_texts(value, &mut said);
    }
    said
}

fn add_texts(value: &Value, said: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let words = text
                .split(' ')
                .map(|word| match word.parse::<uuid::Uuid>() {
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

fn add_shape(path: &str, value: &Value, shape: &mut BTreeSet<String>) {
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        // The recording shortens long lists with a text in their middle.
        Value::String(text) if text.starts_with('…') => return,
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

/// What was recorded.
pub fn recorded() -> BTreeMap<String, Recorded> {
    read_fixture(FIXTURE)
}

/// What was recorded of the set-up.
pub fn recorded_set_up() -> BTreeMap<String, Recorded> {
    read_fixture(SET_UP)
}

fn read_fixture(text: &str) -> BTreeMap<String, Recorded> {
    let mut all = BTreeMap::new();
    let mut number = String::new();
    for line in text.lines() {
        if let Some(head) = line.strip_prefix("# ") {
            let (name, status) = head.split_once(' ').unwrap();
            name.clone_into(&mut number);
            let (status, shape) = (status.parse().unwrap(), BTreeSet::new());
            all.insert(number.clone(), Recorded { status, shape });
        } else {
            all.get_mut(&number).unwrap().shape.insert(line.to_owned());
        }
    }
    all
}

fn write_fixture(all: &BTreeMap<String, Recorded>) -> String {
    let mut text = String::new();
    for (number, Recorded { status, shape }) in all {
        writeln!(text, "# {number} {status}").unwrap();
        for line in shape {
            writeln!(text, "{line}").unwrap();
        }
    }
    text
}

fn read_recording(text: &str) -> BTreeMap<String, Recorded> {
    let mut all = BTreeMap::new();
    for section in text.split("\n### ").skip(1) {
        let number = section.split(' ').next().unwrap();
        let Some((_, answer)) = section.split_once("\nResponse **") else {
            continue;
        };
        let status = answer[..3].parse().unwrap();
        let body = answer.split("```http\n").nth(1).unwrap();
        let body = body.split("```").next().unwrap();
        let json = body.split_once("\n\n").map_or("", |(_, json)| json.trim());
        let value = serde_json::from_str(json).unwrap_or(Value::Null);
        let shape = said(status, &value);
        all.entry(number.to_owned())
            .or_insert(Recorded { status, shape });
    }
    all
}

#[test]
fn the_fixture_is_what_was_recorded() {
    let Ok(text) = std::fs::read_to_string(RECORDING) else {
        eprintln!("the recording is not at hand: recorded.txt stands for it");
        return;
    };
    let mut all = read_recording(&text);
    let mut set_up = read_recording(&text);
    all.retain(|number, _| {
        let number = number.as_str();
        NUMBERS.contains(&number) || OF_PEOPLE.contains(&number)
    });
    set_up.retain(|number, _| SET_UP_NUMBERS.contains(&number.as_str()));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(format!("{FOLDER}recorded.txt"), write_fixture(&all)).unwrap();
        std::fs::write(
            format!("{FOLDER}recorded_set_up.txt"),
            write_fixture(&set_up),
        )
        .unwrap();
        return;
    }
    assert_eq!(all, recorded());
    assert_eq!(set_up, recorded_set_up());
    let compared: BTreeSet<&String> = all.keys().chain(set_up.keys()).collect();
    let known = read_recording(&text);
    let known: BTreeSet<&String> = known.keys().collect();
    assert_eq!(compared, known, "every exchange is compared");
}
