//! Keys from the environment: `BALEFIRE__HTTP__LISTEN` is `http.listen`. A value is read as TOML
//! where it is TOML (`false`, `7`, `["a"]`), else as a text; where a text is wanted it is one in
//! any case. Names of clients are written with `_` for `-`. A refusal names the variable and never
//! what it holds.

use anyhow::bail;

use super::keys::CONFIGURATION;
use super::shape::{Shape, path_text};

const PREFIX: &str = "BALEFIRE__";
const DEPTH_MAX: usize = 4;

pub(crate) fn overlay(
    table: &mut toml::Table,
    variables: impl Iterator<Item = (String, String)>,
) -> anyhow::Result<()> {
    for (name, text) in variables {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let mut keys: Vec<String> = path.split("__").map(str::to_lowercase).collect();
        if keys.first().is_some_and(|section| section == "clients") {
            for key in keys.iter_mut().skip(1) {
                *key = key.replace('_', "-");
            }
        }
        if keys.len() > DEPTH_MAX || keys.iter().any(String::is_empty) {
            bail!("the variable {name} names no key: write BALEFIRE__SECTION__KEY");
        }
        let value = checked(&name, &keys, &text)?;
        set(table, &name, &keys, value)?;
    }
    Ok(())
}

/// The value of a variable, which is what its key must be.
fn checked(name: &str, keys: &[String], text: &str) -> anyhow::Result<toml::Value> {
    let Some(shape) = CONFIGURATION.at(keys) else {
        let outer = keys
            .split_last()
            .and_then(|(_, outer)| CONFIGURATION.at(outer));
        let known = outer.and_then(Shape::known);
        let known = known.map_or_else(String::new, |names| format!("; known there are {names}"));
        bail!("the variable {name} names no key of Balefire's{known}");
    };
    let value = read(shape, text);
    let mut misfits = Vec::new();
    shape.inspect(&value, &mut Vec::new(), &mut misfits);
    if let Some(misfit) = misfits.first() {
        let inside = match path_text(&misfit.path) {
            path if path.is_empty() => path,
            path => format!(": {path}"),
        };
        bail!("the variable {name}{inside} {}", misfit.says);
    }
    Ok(value)
}

fn set(
    table: &mut toml::Table,
    name: &str,
    keys: &[String],
    value: toml::Value,
) -> anyhow::Result<()> {
    let Some((first, rest)) = keys.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        table.insert(first.clone(), value);
        return Ok(());
    }
    let inner = table
        .entry(first.clone())
        .or_insert_with(|| toml::Table::new().into());
    match inner {
        toml::Value::Table(inner) => set(inner, name, rest, value),
        _ => bail!("the variable {name} goes into `{first}`, which is no section"),
    }
}

fn read(shape: Shape, text: &str) -> toml::Value {
    // A text such as 127.0.0.1:1 is no TOML value; it is taken as it is.
    let table: Result<toml::Table, _> = format!("value = {text}").parse();
    table
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .filter(|value| value.is_str() || !shape.is_text())
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
