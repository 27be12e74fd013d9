//! Keys from the environment: `BALEFIRE__HTTP__LISTEN` is `http.listen`. A value is read as TOML
//! where it is TOML (`false`, `7`, `["a"]`), else as a text. Names of clients are written with `_`
//! for `-`.

use anyhow::bail;

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
        set(table, &name, &keys, read(&text))?;
    }
    Ok(())
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

fn read(text: &str) -> toml::Value {
    // A text such as 127.0.0.1:1 is no TOML value; it is taken as it is.
    let table: Result<toml::Table, _> = format!("value = {text}").parse();
    table
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
