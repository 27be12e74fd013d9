//! JSON as security wants it: a key that is there twice is refused, and so is the character
//! U+0000, which PostgreSQL can't store. `serde_json` itself refuses what is nested deeper than
//! 128 levels, a number that is too large, and half of a surrogate pair.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Characters of a doubled key that the error shows.
const SHOWN_CHARS_MAX: usize = 40;

/// Reads one JSON text.
pub(crate) fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    serde_json::from_slice::<Strict>(bytes).map(|strict| strict.0)
}

struct Strict(Value);

struct StrictVisitor;

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number is not finite"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        check_characters(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((key, Strict(value))) = entries.next_entry::<String, Strict>()? {
            check_characters(&key)?;
            if object.contains_key(&key) {
                let shown: String = key.chars().take(SHOWN_CHARS_MAX).collect();
                return Err(A::Error::custom(format!("the key {shown} is there twice")));
            }
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

fn check_characters<E: Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("a text has the character U+0000: remove it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_was_written() {
        for text in [
            r#"{"a":[1,-2,2.5,true,null,"x"],"b":{"a":{}}}"#,
            "[]",
            r#""x""#,
            "18446744073709551615",
        ] {
            let ours = parse(text.as_bytes()).expect("JSON");
            assert_eq!(ours.to_string(), text);
        }
    }

    #[test]
    fn sec_19_what_is_no_single_clear_json_text_is_refused() {
        let deep = "[".repeat(5_000);
        for (text, want) in [
            (r#"{"a":1,"a":2}"#, "the key a is there twice"),
            (r#"{"b":[{"a":1,"a":1}]}"#, "the key a is there twice"),
            (r#"{"a":"x\u0000"}"#, "U+0000"),
            (r#"{"\u0000":1}"#, "U+0000"),
            (r#"{"a":"\ud800"}"#, "unexpected end of hex escape"),
            (r#"{"a":1e999}"#, "number out of range"),
            (r#"{"a":NaN}"#, "expected value"),
            (r#"{"a":1,}"#, "trailing comma"),
            (r#"{"a":1} {}"#, "trailing characters"),
            ("", "EOF"),
            (&deep, "recursion limit"),
        ] {
            let error = parse(text.as_bytes()).expect_err(text).to_string();
            assert!(error.contains(want), "{text:.20}: {error}");
        }
        assert!(parse(b"\"\xff\"").is_err(), "not UTF-8");
    }
}
