//! docs/standards.md against the code: its table of findings is that of `rules::ROWS`, with the
//! documents of the corpus, and every test that it names is there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use balefire_cap::rules::{ROWS, Row, Use, Weight};
use serde_json::Value;

const CRATE: &str = env!("CARGO_MANIFEST_DIR");

/// Between these two lines the page has the table.
const BEGIN: &str = "<!-- the table of crates/cap/src/rules/severity.rs begins -->";
const END: &str = "<!-- the table of crates/cap/src/rules/severity.rs ends -->";

fn page() -> String {
    let path = Path::new(CRATE).join("../../docs/standards.md");
    fs::read_to_string(path).expect("docs/standards.md is there")
}

/// The bad documents in which a code is found, without folder and ending.
fn documents_of(code: &str, manifest: &Value) -> Vec<String> {
    let is_found = |entry: &&Value| {
        let uses = Use::ALL.iter().map(|used_for| used_for.name());
        uses.filter_map(|used_for| entry["findings"][used_for].as_array())
            .flatten()
            .any(|found| found["code"] == code)
    };
    let entries = manifest.as_array().expect("the manifest is a list");
    entries
        .iter()
        .filter(is_found)
        .filter_map(|entry| {
            entry["file"]
                .as_str()?
                .strip_prefix("bad/")?
                .strip_suffix(".xml")
        })
        .map(str::to_owned)
        .collect()
}

fn line(row: &Row, manifest: &Value) -> String {
    let [dispatch, check, send] = row.weights.map(Weight::word);
    let documents = documents_of(row.code, manifest);
    let shown = match documents.as_slice() {
        [] => "–".to_owned(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let (rule, code, what, clause) = (row.rule, row.code, row.what, row.clause);
    let what = what.replace('|', "\\|").replace('<', "&lt;");
    format!("| {rule} | `{code}` | {what} | {dispatch} | {check} | {send} | {clause} | {shown} |")
}

#[test]
fn the_page_has_the_table_of_the_code() {
    let manifest = fs::read_to_string(Path::new(CRATE).join("corpus/manifest.json"));
    let manifest: Value = serde_json::from_str(&manifest.expect("the corpus has a manifest"))
        .expect("the manifest is JSON");
    let mut wanted = String::from(
        "| rule | finding | what is wrong | dispatch | check | send | clause | bad documents |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for row in ROWS {
        writeln!(wanted, "{}", line(row, &manifest)).expect("writing to a string can't fail");
    }
    let page = page();
    let table = page
        .split_once(BEGIN)
        .and_then(|(_, after)| after.split_once(END))
        .map_or("", |(table, _)| table.trim_start());
    if table != wanted {
        let right = Path::new(env!("CARGO_TARGET_TMPDIR")).join("standards-table.md");
        fs::write(&right, &wanted).expect("the folder for tests is writable");
        panic!(
            "the table of docs/standards.md is not the code's; the right one is in {}",
            right.display()
        );
    }
}

#[test]
fn every_test_that_the_page_names_for_cap_is_there() {
    let mut sources = String::new();
    for folder in ["src", "src/rules", "src/structure", "src/finding", "tests"] {
        for file in files_of(&Path::new(CRATE).join(folder)) {
            sources += &fs::read_to_string(file).expect("a source file can be read");
        }
    }
    let page = page();
    let named: Vec<&str> = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.strip_prefix("cap: "))
        .collect();
    assert!(named.len() > 17, "only {} tests are named", named.len());
    for test in named {
        assert!(
            sources.contains(&format!("fn {test}()")),
            "{test} is no test"
        );
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    entries
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}
