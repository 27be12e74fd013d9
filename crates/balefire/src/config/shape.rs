//! What a value must be, and the words that say so. A refusal names the key and where it stands,
//! and never what stands there: that may be a secret.

use toml::Value;

/// What a key's value must be.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Any text.
    Text,
    /// A text of a certain spelling.
    TextThat {
        /// What it must be, after "must be".
        says: &'static str,
        /// Whether a text is that.
        holds: fn(&str) -> bool,
    },
    /// One of some words.
    Word(&'static [&'static str]),
    /// `true` or `false`.
    Flag,
    /// A whole number from 0 to this one.
    Count(u64),
    /// Any number of values.
    List(&'static Shape),
    /// Keys that everybody may choose.
    Named(&'static Shape),
    /// Keys that are known, and which of them can't be left out.
    Section {
        keys: &'static [(&'static str, Shape)],
        needed: &'static [&'static str],
    },
    /// `[[sections]]`.
    Sections(&'static Shape),
}

/// One step from a value to one inside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Item(usize),
}

/// A value that is not what it must be.
#[derive(Debug)]
pub(super) struct Misfit {
    /// Where it is; for a key that is missing: where it is missing.
    pub(super) path: Vec<Step>,
    /// What is wrong, to be read after the name of the key.
    pub(super) says: String,
}

impl Shape {
    /// What stands at these keys.
    pub(super) fn at(self, keys: &[String]) -> Option<Self> {
        let Some((first, rest)) = keys.split_first() else {
            return Some(self);
        };
        match self {
            Self::Section { keys, .. } => {
                let (_, shape) = keys.iter().find(|(key, _)| key == first)?;
                shape.at(rest)
            }
            Self::Named(shape) => shape.at(rest),
            _ => None,
        }
    }

    /// Adds what in `value` is not as it must be. `path` leads to it.
    pub(super) fn inspect(self, value: &Value, path: &mut Vec<Step>, misfits: &mut Vec<Misfit>) {
        match (self, value) {
            (Self::List(shape) | Self::Sections(shape), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Item(index));
                    shape.inspect(item, path, misfits);
                    path.pop();
                }
            }
            (Self::Named(shape), Value::Table(table)) => {
                for (name, value) in table {
                    path.push(Step::Key(name.clone()));
                    shape.inspect(value, path, misfits);
                    path.pop();
                }
            }
            (Self::Section { keys, needed }, Value::Table(table)) => {
                for key in needed.iter().filter(|key| !table.contains_key(**key)) {
                    misfits.push(Misfit {
                        path: path.clone(),
                        says: format!("lacks the key {key}"),
                    });
                }
                for (key, value) in table {
                    path.push(Step::Key(key.clone()));
                    match self.at(std::slice::from_ref(key)) {
                        Some(shape) => shape.inspect(value, path, misfits),
                        None => misfits.push(Misfit {
                            path: path.clone(),
                            says: unknown(keys),
                        }),
                    }
                    path.pop();
                }
            }
            _ if self.takes(value) => {}
            _ => misfits.push(Misfit {
                path: path.clone(),
                says: format!("must be {}", self.words()),
            }),
        }
    }

    /// The keys that are known in a section.
    pub(super) fn known(self) -> Option<String> {
        match self {
            Self::Section { keys, .. } => Some(names(keys)),
            _ => None,
        }
    }

    /// Whether a value that holds no others is as it must be.
    fn takes(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text, Value::String(_)) | (Self::Flag, Value::Boolean(_)) => true,
            (Self::TextThat { holds, .. }, Value::String(text)) => holds(text),
            (Self::Word(words), Value::String(text)) => words.contains(&text.as_str()),
            (Self::Count(max), Value::Integer(number)) => {
                u64::try_from(*number).is_ok_and(|number| number <= max)
            }
            _ => false,
        }
    }

    /// Whether it is a text that needs no quotes in a variable.
    pub(super) const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::TextThat { .. } | Self::Word(_))
    }

    /// What it must be, after "must be".
    pub(super) fn words(self) -> String {
        match self {
            Self::Text => "a text in quotes".to_owned(),
            Self::TextThat { says, .. } => says.to_owned(),
            Self::Word(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
                format!("one of {}", words.join(", "))
            }
            Self::Flag => "true or false, without quotes".to_owned(),
            Self::Count(max) if max < i64::MAX as u64 => {
                format!("a whole number from 0 to {max}, without quotes")
            }
            Self::Count(_) => "a whole number, 0 or more, without quotes".to_owned(),
            Self::List(Self::Text) => "a list of texts, such as [\"one\", \"two\"]".to_owned(),
            Self::List(_) => "a list of sections, such as [{ key = \"…\" }]".to_owned(),
            Self::Named(shape) => format!("a section of names; each has {}", shape.words()),
            Self::Section { keys, .. } => format!("a section with the keys {}", names(keys)),
            Self::Sections(shape) => {
                format!(
                    "written as sections in double brackets, each {}",
                    shape.words()
                )
            }
        }
    }
}

fn unknown(keys: &[(&str, Shape)]) -> String {
    format!("is no key of Balefire's; known here are {}", names(keys))
}

fn names(keys: &[(&str, Shape)]) -> String {
    let names: Vec<_> = keys.iter().map(|(key, _)| *key).collect();
    names.join(", ")
}

/// `provider[2].routes[1].proxy`; items are counted from 1.
pub(super) fn path_text(path: &[Step]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Item(index) => {
                text.push('[');
                text.push_str(&(index + 1).to_string());
                text.push(']');
            }
        }
    }
    text
}
