//! The file: from its text to a table in which every value is what it must be. A refusal names the
//! line and the key, and quotes nothing.

use anyhow::bail;
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

use super::keys::CONFIGURATION;
use super::shape::{Misfit, Step, path_text};

/// Reads the text of a configuration file.
pub(super) fn read(text: &str) -> anyhow::Result<Table> {
    // A parser's error quotes the line, and the line may hold a secret; its message alone is of
    // fixed words.
    let table: Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            let error: toml::de::Error = error;
            let at = error.span().map_or(0, |span| span.start);
            bail!(
                "line {} can't be read as TOML ({}); write `key = value`, and a text in quotes",
                line(text, at),
                error.message()
            );
        }
    };
    let value = Value::Table(table);
    let mut misfits = Vec::new();
    CONFIGURATION.inspect(&value, &mut Vec::new(), &mut misfits);
    let Value::Table(table) = value else {
        unreachable!("it was made above")
    };
    if misfits.is_empty() {
        return Ok(table);
    }
    let tree = DeTable::parse(text).ok();
    let tree = tree.as_ref().map(Spanned::get_ref);
    let findings: Vec<_> = misfits
        .iter()
        .map(|misfit| say(text, tree, misfit))
        .collect();
    bail!(
        "what stands there can't be used:\n  - {}",
        findings.join("\n  - ")
    )
}

fn say(text: &str, tree: Option<&DeTable<'_>>, misfit: &Misfit) -> String {
    let at = tree.and_then(|tree| position(tree, &misfit.path));
    let place = at.map_or_else(String::new, |at| format!(" (line {})", line(text, at)));
    format!("{}{place} {}", path_text(&misfit.path), misfit.says)
}

/// Where in the text the key at the end of a path stands.
fn position(table: &DeTable<'_>, path: &[Step]) -> Option<usize> {
    let (Step::Key(key), rest) = path.split_first()? else {
        return None;
    };
    let (spelling, mut value) = table
        .iter()
        .find(|(spelling, _)| spelling.get_ref() == key)?;
    let mut at = spelling.span().start;
    for (index, step) in rest.iter().enumerate() {
        match (step, value.get_ref()) {
            (Step::Item(item), DeValue::Array(items)) => {
                value = items.get(*item)?;
                at = value.span().start;
            }
            (Step::Key(_), DeValue::Table(inner)) => return position(inner, &rest[index..]),
            _ => return None,
        }
    }
    Some(at)
}

/// The number of a line, counted from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}
