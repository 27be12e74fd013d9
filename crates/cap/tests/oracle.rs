//! The structure step against another implementation: thousands of damaged documents go through
//! this crate and through `xmllint --schema`, and the two must say the same of each.
//!
//! Where this crate is stricter on purpose, the finding's code is in [`STRICTER`]. It is never
//! laxer. Skipped where there is no xmllint or no schema.

#[path = "oracle/mutate.rs"]
mod mutate;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;

use balefire_cap::{Finding, read};
use mutate::{Dice, Tree};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");

/// Documents that go through both.
const DOCUMENTS: usize = 8_000;

/// Files that one xmllint process reads.
const BATCH: usize = 2_000;

/// Errors for documents that a schema validator takes, with the reason.
const STRICTER: [(&str, &str); 7] = [
    ("doctype", "security: no document type, whatever is in it"),
    (
        "processing-instruction",
        "security: CAP has no use for them",
    ),
    ("encoding", "one encoding: UTF-8"),
    (
        "prefixed-xmlns",
        "security: `x:xmlns` is taken for a namespace by some parsers",
    ),
    (
        "wrong-root",
        "the schema also takes its global `value` and `valueName` as a root",
    ),
    ("xml-version", "XML 1.0 only"),
    (
        "xsi-type",
        "a document may not choose the type by which it is read",
    ),
];

/// What xmllint says of one file.
#[derive(Clone, Copy, Default, PartialEq)]
struct Verdict {
    is_valid: bool,
    /// It reported a fault of namespaces, which is an error of well-formedness here.
    has_namespace_error: bool,
}

#[test]
fn structure_is_judged_as_the_schema_judges_it() {
    let schema = Path::new(SHARED).join("standards/CAP-v1.2.xsd");
    if Command::new("xmllint").arg("--version").output().is_err() || !schema.is_file() {
        println!("skipped: no xmllint, or no schema");
        return;
    }
    let documents = damaged_documents();
    let verdicts = ask_xmllint(&schema, &documents);
    let mut stricter: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut taken, mut refused) = (0, 0);
    for (document, verdict) in documents.iter().zip(verdicts) {
        let errors = read(document).map_or_else(|findings| findings, |_| Vec::new());
        match (errors.is_empty(), verdict.is_valid) {
            (true, true) => taken += 1,
            (false, false) => refused += 1,
            (true, false) => panic!("xmllint refuses, we take:\n{}", show(document)),
            (false, true) => {
                let Some(code) = intended(&errors, verdict) else {
                    panic!(
                        "xmllint takes, we refuse for {errors:#?}:\n{}",
                        show(document)
                    );
                };
                *stricter.entry(code).or_default() += 1;
            }
        }
    }
    println!("{taken} taken by both, {refused} refused by both, stricter on purpose: {stricter:?}");
    assert!(
        taken > DOCUMENTS / 10,
        "only {taken} valid documents prove little"
    );
    assert!(
        refused > DOCUMENTS / 4,
        "only {refused} invalid documents prove little"
    );
}

/// The code of the error, if every error of the document is one that is stricter on purpose.
fn intended(errors: &[Finding], verdict: Verdict) -> Option<&'static str> {
    let is_intended = |error: &Finding| {
        STRICTER.iter().any(|(code, _)| *code == error.code)
            || (error.code == "xml-syntax" && verdict.has_namespace_error)
    };
    errors.iter().all(is_intended).then(|| errors[0].code)
}

fn show(document: &[u8]) -> String {
    String::from_utf8_lossy(document).into_owned()
}

fn damaged_documents() -> Vec<Vec<u8>> {
    let mut trees = vec![
        Tree::parse(include_str!("fixtures/flood-alert.xml")),
        Tree::parse(include_str!("fixtures/flood-cancel.xml")),
        Tree::parse(include_str!("fixtures/every-element.xml")),
    ];
    let appendix = Path::new(SHARED).join("cap-corpus/oasis-appendix");
    for number in 1..=4 {
        let file = appendix.join(format!("v1dot2_appendix_adot{number}.xml"));
        if let Ok(text) = fs::read_to_string(file) {
            trees.push(Tree::parse(&text));
        }
    }
    let mut dice = Dice::new(0x0CA9_1202);
    let mut documents = Vec::with_capacity(DOCUMENTS);
    for number in 0..DOCUMENTS {
        let mut tree = trees[number % trees.len()].clone();
        for _ in 0..dice.below(3) + usize::from(number >= trees.len()) {
            tree.damage(&mut dice);
        }
        let mut text = tree.to_text();
        if dice.below(6) == 0 {
            mutate::damage_text(&mut text, &mut dice);
        }
        documents.push(text.into_bytes());
    }
    documents
}

fn ask_xmllint(schema: &Path, documents: &[Vec<u8>]) -> Vec<Verdict> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..documents.len()).map(|n| format!("{n}.xml")).collect();
    for (name, document) in names.iter().zip(documents) {
        fs::write(folder.path().join(name), document).expect("the folder is writable");
    }
    let schema = schema.canonicalize().expect("the schema is there");
    let mut verdicts: HashMap<String, Verdict> = HashMap::new();
    for batch in names.chunks(BATCH) {
        let output = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(&schema)
            .args(batch)
            .current_dir(folder.path())
            .output()
            .expect("xmllint runs");
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if let Some(name) = line.strip_suffix(" validates") {
                verdicts.entry(name.to_owned()).or_default().is_valid = true;
            } else if let Some((name, _)) = line.split_once(':')
                && line.contains(": namespace error : ")
            {
                verdicts
                    .entry(name.to_owned())
                    .or_default()
                    .has_namespace_error = true;
            }
        }
    }
    names
        .iter()
        .map(|name| verdicts.get(name).copied().unwrap_or_default())
        .collect()
}
