//! What bodies and answers look like, as data: the OpenAPI document is made of it, and the tests
//! hold every answer against it, so that neither can say what the code doesn't do.
//!
//! A schema describes; it refuses nothing. Bodies are judged by `extract::Fields`, which takes the
//! names and what is required from here, in the words that existing clients know.

use serde_json::{Map, Value, json};

/// A JSON value.
#[derive(Clone, Copy, Debug)]
pub enum Schema {
    /// Anything.
    Any,
    /// A text that is no JSON.
    Plain,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// A whole number of at least and at most so much.
    Within(u32, u32),
    /// A number.
    Number,
    /// A text.
    Text,
    /// A text of so many characters at least and at most.
    Bounded(usize, usize),
    /// A UUID with its hyphens.
    Id,
    /// An instant, `2026-11-23T04:09:03.099744Z`.
    Instant,
    /// One of these words.
    Word(&'static [&'static str]),
    /// That, or null.
    Nullable(&'static Schema),
    /// An array of that.
    List(&'static Schema),
    /// An object whose values are that, whatever their names.
    Map(&'static Schema),
    /// An object of these properties and no others.
    Object(&'static [Property]),
    /// Either of these.
    Either(&'static [Schema]),
    /// That, under a name by which the document and generated clients know it.
    Named(&'static str, &'static Schema),
}

/// A property of an object.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub schema: Schema,
    /// Whether it is always there.
    pub is_required: bool,
}

/// A property that is always there.
pub(crate) const fn required(name: &'static str, schema: Schema) -> Property {
    Property {
        name,
        schema,
        is_required: true,
    }
}

/// A property that may be missing.
pub(crate) const fn optional(name: &'static str, schema: Schema) -> Property {
    Property {
        name,
        schema,
        is_required: false,
    }
}

/// Two lists of properties as one; `N` is the number of both.
pub(crate) const fn join<const N: usize>(first: &[Property], then: &[Property]) -> [Property; N] {
    assert!(first.len() + then.len() == N, "N is the number of both");
    let mut all = [first[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() {
            first[at]
        } else {
            then[at - first.len()]
        };
        at += 1;
    }
    all
}

impl Schema {
    /// The properties of an object; none of anything else.
    pub const fn properties(&self) -> &'static [Property] {
        match self {
            Self::Object(properties) => properties,
            Self::Named(_, schema) => schema.properties(),
            _ => &[],
        }
    }

    /// As OpenAPI 3.1 and JSON Schema 2020-12 have it.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Any => json!({}),
            Self::Bool => json!({ "type": "boolean" }),
            Self::Integer => json!({ "type": "integer" }),
            Self::Within(min, max) => {
                json!({ "type": "integer", "minimum": min, "maximum": max })
            }
            Self::Number => json!({ "type": "number" }),
            Self::Plain | Self::Text => json!({ "type": "string" }),
            Self::Bounded(min, max) => {
                json!({ "type": "string", "minLength": min, "maxLength": max })
            }
            Self::Id => json!({ "type": "string", "format": "uuid" }),
            Self::Instant => json!({ "type": "string", "format": "date-time" }),
            Self::Word(words) => json!({ "type": "string", "enum": words }),
            Self::Nullable(schema) => json!({ "anyOf": [schema.to_json(), { "type": "null" }] }),
            Self::List(schema) => json!({ "type": "array", "items": schema.to_json() }),
            Self::Map(schema) => {
                json!({ "type": "object", "additionalProperties": schema.to_json() })
            }
            Self::Object(properties) => object_to_json(properties),
            Self::Either(schemas) => {
                let schemas: Vec<Value> = schemas.iter().map(Self::to_json).collect();
                json!({ "anyOf": schemas })
            }
            Self::Named(name, _) => json!({ "$ref": format!("#/components/schemas/{name}") }),
        }
    }

    /// Puts the schemas that have names, here and within, under their names.
    pub(crate) fn collect_named(&self, found: &mut Map<String, Value>) {
        match self {
            Self::Named(name, schema) => {
                found.insert((*name).to_owned(), schema.to_json());
                schema.collect_named(found);
            }
            Self::Nullable(schema) | Self::List(schema) | Self::Map(schema) => {
                schema.collect_named(found);
            }
            Self::Object(properties) => {
                for property in *properties {
                    property.schema.collect_named(found);
                }
            }
            Self::Either(schemas) => {
                for schema in *schemas {
                    schema.collect_named(found);
                }
            }
            Self::Any
            | Self::Plain
            | Self::Bool
            | Self::Integer
            | Self::Within(..)
            | Self::Number
            | Self::Text
            | Self::Bounded(..)
            | Self::Id
            | Self::Instant
            | Self::Word(_) => {}
        }
    }

    /// Whether a value is such a one; where not, the place and what is wrong there.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        let hold = |is_such: bool, what: &str| {
            let fault = || format!(": {value} is {what}");
            if is_such { Ok(()) } else { Err(fault()) }
        };
        match self {
            Self::Any | Self::Plain => Ok(()),
            Self::Bool => hold(value.is_boolean(), "no boolean"),
            Self::Integer => hold(value.is_i64() || value.is_u64(), "no whole number"),
            Self::Within(min, max) => {
                let range = u64::from(*min)..=u64::from(*max);
                let is_such = value.as_u64().is_some_and(|number| range.contains(&number));
                hold(is_such, "no whole number of that size")
            }
            Self::Number => hold(value.is_number(), "no number"),
            Self::Text | Self::Instant => hold(value.is_string(), "no text"),
            Self::Bounded(min, max) => {
                let chars = value.as_str().map(|text| text.chars().count());
                let is_such = chars.is_some_and(|chars| (*min..=*max).contains(&chars));
                hold(is_such, "no text of that length")
            }
            Self::Id => {
                let id = value.as_str().map(str::parse::<uuid::Uuid>);
                hold(matches!(id, Some(Ok(_))), "no UUID")
            }
            Self::Word(words) => {
                let is_such = value.as_str().is_some_and(|word| words.contains(&word));
                hold(is_such, "none of the words")
            }
            Self::Nullable(_) if value.is_null() => Ok(()),
            Self::Nullable(schema) | Self::Named(_, schema) => schema.check(value),
            Self::List(schema) => check_list(schema, value),
            Self::Map(schema) => check_map(schema, value),
            Self::Object(properties) => check_object(properties, value),
            Self::Either(schemas) => {
                let is_such = schemas.iter().any(|schema| schema.check(value).is_ok());
                hold(is_such, "none of what it may be")
            }
        }
    }
}

fn object_to_json(properties: &[Property]) -> Value {
    let required: Vec<&str> = properties
        .iter()
        .filter(|property| property.is_required)
        .map(|property| property.name)
        .collect();
    let schemas: Map<String, Value> = properties
        .iter()
        .map(|property| (property.name.to_owned(), property.schema.to_json()))
        .collect();
    json!({
        "type": "object", "required": required, "properties": schemas,
        "additionalProperties": false,
    })
}

fn check_list(schema: &Schema, value: &Value) -> Result<(), String> {
    let Value::Array(values) = value else {
        return Err(format!(": {value} is no array"));
    };
    for (index, value) in values.iter().enumerate() {
        schema
            .check(value)
            .map_err(|fault| format!("[{index}]{fault}"))?;
    }
    Ok(())
}

fn check_map(schema: &Schema, value: &Value) -> Result<(), String> {
    let Value::Object(values) = value else {
        return Err(format!(": {value} is no object"));
    };
    for (name, value) in values {
        schema
            .check(value)
            .map_err(|fault| format!(".{name}{fault}"))?;
    }
    Ok(())
}

fn check_object(properties: &[Property], value: &Value) -> Result<(), String> {
    let Value::Object(values) = value else {
        return Err(format!(": {value} is no object"));
    };
    for property in properties {
        let name = property.name;
        match values.get(name) {
            Some(value) => {
                let checked = property.schema.check(value);
                checked.map_err(|fault| format!(".{name}{fault}"))?;
            }
            None if property.is_required => return Err(format!(".{name}: it is missing")),
            None => {}
        }
    }
    let is_known = |name: &String| properties.iter().any(|property| property.name == name);
    match values.keys().find(|name| !is_known(name)) {
        Some(name) => Err(format!(".{name}: the schema does not have it")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: Schema = Schema::Object(&[
        required("id", Schema::Id),
        required("name", Schema::Bounded(1, 5)),
        required("state", Schema::Word(&["active", "pending"])),
        optional("since", Schema::Nullable(&Schema::Instant)),
        optional("of", Schema::Map(&Schema::List(&Schema::Integer))),
    ]);

    fn person() -> Value {
        json!({ "id": "00000000-0000-0000-0000-000000000001", "name": "Ana", "state": "active" })
    }

    #[test]
    fn a_value_is_held_against_its_schema_and_the_place_is_told() {
        assert_eq!(PERSON.check(&person()), Ok(()));
        for (name, value, want) in [
            ("id", json!("1"), ".id: "),
            ("name", json!(""), ".name: "),
            ("name", json!("Anastasia"), ".name: "),
            ("state", json!("gone"), ".state: "),
            ("since", json!(null), ""),
            ("since", json!(5), ".since: "),
            ("of", json!({ "a": [1, 2] }), ""),
            ("of", json!({ "a": [1, "x"] }), ".of.a[1]: "),
            ("of", json!({ "a": [1.5] }), ".of.a[0]: "),
            ("more", json!(1), ".more: "),
        ] {
            let mut person = person();
            person[name] = value;
            match PERSON.check(&person) {
                Ok(()) => assert_eq!(want, "", "{name}"),
                Err(fault) => assert!(!want.is_empty() && fault.starts_with(want), "{fault}"),
            }
        }
        let mut nameless = person();
        nameless.as_object_mut().map(|person| person.remove("name"));
        assert_eq!(
            PERSON.check(&nameless),
            Err(".name: it is missing".to_owned())
        );
    }

    #[test]
    fn the_document_says_the_same() {
        let told = PERSON.to_json();
        assert_eq!(told["required"], json!(["id", "name", "state"]));
        assert_eq!(told["additionalProperties"], false);
        assert_eq!(told["properties"]["name"]["maxLength"], 5);
        let since = &told["properties"]["since"]["anyOf"];
        assert_eq!(since[0]["format"], "date-time");
        assert_eq!(since[1]["type"], "null");
    }
}
