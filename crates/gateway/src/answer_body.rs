//! Reads the fields of a proxy's answer that matter, strictly.
//!
//! JSON lets a key stand twice, and readers disagree about which of the two counts. An answer with
//! a key twice, at any depth, is not understood. Depth is bounded by serde_json (128 levels), size
//! by the caller.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A field of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// Not there.
    Absent,
    /// A string.
    Text(String),
    /// Anything else: null, a number, an object and so on.
    Other,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerBody {
    /// Which delivery it is about.
    pub identifier: Word,
    /// What became of it.
    pub outcome: Word,
    /// Why, in the proxy's words.
    pub detail: Word,
    /// What its clock said (`docs/delivery.md`).
    pub clock: Word,
    /// Which start of it answers.
    pub boot_id: Word,
}

/// Reads a complete body. `None`: not JSON, or a key stands twice. JSON that is no object says
/// nothing.
pub fn read_answer(bytes: &[u8]) -> Option<AnswerBody> {
    let mut fields = match serde_json::from_slice(bytes).ok()? {
        Json::Object(fields) => fields,
        Json::Text(_) | Json::Other => BTreeMap::new(),
    };
    let mut take = |name| match fields.remove(name) {
        None => Word::Absent,
        Some(Json::Text(text)) => Word::Text(text),
        Some(Json::Object(_) | Json::Other) => Word::Other,
    };
    Some(AnswerBody {
        identifier: take("identifier"),
        outcome: take("outcome"),
        detail: take("detail"),
        clock: take("clock"),
        boot_id: take("boot_id"),
    })
}

/// JSON in which no key stands twice.
enum Json {
    Text(String),
    Object(BTreeMap<String, Json>),
    /// A value whose content doesn't matter; what is inside an array has been read all the same.
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Json>()? {
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Json::Object(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        while items.next_element::<Json>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }
}
