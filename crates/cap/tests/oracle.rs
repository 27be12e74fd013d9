//! The structure step against another implementation: thousands of damaged documents go through
//! this crate and through `xmllint --schema`, and the two must say the same of each.
//!
//! A document is one that xmllint takes when it validates and xmllint reports no error of XML or of
//! namespaces. This crate is never laxer. It is stricter on purpose only where [`STRICTER`] says
//! so. All documents here are XML 1.0 in UTF-8, or in ISO-8859-1 or US-ASCII that their declaration
//! names: what is refused before XML begins (other encodings, XML 1.1) or as a trick on parsers
//! (`x:xmlns`) is tested in `hostile.rs`.
//!
//! The schema is the standard's own where `../shared` is there, else `oracle/cap.xsd`, which says
//! the same in our own words; with both there, a test compares them.
//!
//! `BALEFIRE_MUTATIONS=N` sets how many documents there are, `BALEFIRE_MUTATION_SEED=S` which.

#[path = "oracle/mutate.rs"]
mod mutate;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use balefire_cap::{Finding, check_structure};
use mutate::{Dice, Tree};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
const OWN_SCHEMA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracle/cap.xsd");

/// Documents that go through both, unless the environment says otherwise.
const DOCUMENTS: usize = 10_000;
const SEED: u64 = 0x0CA9_1202;

/// Files that one xmllint process reads.
const BATCH: usize = 2_000;

/// Foreign documents larger than this are left out: they hold nothing new, only more of it.
const BASE_BYTES_MAX: usize = 20_000;

/// Errors for documents that a schema validator takes, with the reason. The standard's hour 24 is
/// no row: the structure takes it as the schema does, and rule C1 refuses it.
const STRICTER: [(&str, &str); 4] = [
    ("doctype", "security: no document type, whatever is in it"),
    (
        "processing-instruction",
        "security: CAP has no use for them",
    ),
    (
        "wrong-root",
        "the schema also takes its global `value` and `valueName` as a root",
    ),
    (
        "xsi-type",
        "a document may not choose the type by which it is read",
    ),
];

#[test]
fn structure_is_judged_as_the_schema_judges_it() {
    require_xmllint();
    let official = official_schema();
    if official.is_none() {
        println!("without ../shared: compared with our own wording of the schema");
    }
    let schema = official.unwrap_or_else(|| OWN_SCHEMA.into());
    let (count, seed) = (
        setting("BALEFIRE_MUTATIONS"),
        setting("BALEFIRE_MUTATION_SEED"),
    );
    let count = count.map_or(DOCUMENTS, |n| usize::try_from(n).expect("it fits"));
    let mut left = count;
    let mut damaged = Damaged::new(seed.unwrap_or(SEED));
    let mut tally = Tally::default();
    while left > 0 {
        let documents: Vec<Vec<u8>> = damaged.by_ref().take(left.min(DOCUMENTS)).collect();
        left -= documents.len();
        let (verdicts, ours) = std::thread::scope(|scope| {
            let verdicts = scope.spawn(|| ask_xmllint(&schema, &documents));
            let ours: Vec<Vec<Finding>> =
                documents.iter().map(|document| errors(document)).collect();
            (verdicts.join().expect("xmllint was asked"), ours)
        });
        for ((document, errors), is_valid) in documents.iter().zip(ours).zip(verdicts) {
            tally.compare(document, &errors, is_valid);
        }
    }
    let Tally {
        taken,
        refused,
        stricter,
        disagreements,
    } = tally;
    println!(
        "{count} documents: {taken} taken by both, {refused} refused by both, stricter on purpose: \
         {stricter:?}, disagreements: {}",
        disagreements.len()
    );
    for disagreement in disagreements.iter().take(5) {
        println!("{disagreement}");
    }
    assert!(
        disagreements.is_empty(),
        "{} disagreements",
        disagreements.len()
    );
    assert!(
        taken > count / 10,
        "only {taken} valid documents prove little"
    );
    assert!(
        refused > count / 4,
        "only {refused} invalid documents prove little"
    );
}

#[test]
fn our_wording_of_the_schema_says_what_the_standards_own_says() {
    require_xmllint();
    let Some(official) = official_schema() else {
        println!("skipped: the standard's schema is not here");
        return;
    };
    let documents: Vec<Vec<u8>> = Damaged::new(SEED + 1).take(2_000).collect();
    let standard = ask_xmllint(&official, &documents);
    let own = ask_xmllint(Path::new(OWN_SCHEMA), &documents);
    for ((document, standard), own) in documents.iter().zip(standard).zip(own) {
        assert_eq!(own, standard, "{}", show(document));
    }
}

fn require_xmllint() {
    let answer = Command::new("xmllint").arg("--version").output();
    assert!(
        answer.is_ok(),
        "this test needs xmllint: run `cargo xtask setup`"
    );
}

fn official_schema() -> Option<PathBuf> {
    let schema = Path::new(SHARED).join("standards/CAP-v1.2.xsd");
    schema.canonicalize().ok()
}

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// What came of the comparison.
#[derive(Default)]
struct Tally {
    taken: usize,
    refused: usize,
    stricter: BTreeMap<&'static str, usize>,
    disagreements: Vec<String>,
}

impl Tally {
    fn compare(&mut self, document: &[u8], errors: &[Finding], is_valid: bool) {
        match (errors.is_empty(), is_valid) {
            (true, true) => self.taken += 1,
            (false, false) => self.refused += 1,
            (true, false) => self
                .disagreements
                .push(format!("xmllint refuses, we take:\n{}", show(document))),
            (false, true) => match intended(errors) {
                Some(code) => *self.stricter.entry(code).or_default() += 1,
                None => self.disagreements.push(format!(
                    "xmllint takes, we refuse for {errors:#?}:\n{}",
                    show(document)
                )),
            },
        }
    }
}

/// The code of the first error, if every error of the document is one that is stricter on purpose.
fn intended(errors: &[Finding]) -> Option<&'static str> {
    let is_intended = |error: &Finding| STRICTER.iter().any(|(code, _)| *code == error.code);
    errors.iter().all(is_intended).then(|| errors[0].code)
}

fn errors(document: &[u8]) -> Vec<Finding> {
    let mut findings = check_structure(document).findings;
    findings.retain(Finding::is_error);
    findings
}

fn show(document: &[u8]) -> String {
    String::from_utf8_lossy(document).into_owned()
}

/// Documents without end, damaged more or less; the first ones are not.
struct Damaged {
    trees: Vec<Tree>,
    dice: Dice,
    number: usize,
}

impl Damaged {
    fn new(seed: u64) -> Self {
        let mut trees = vec![
            Tree::parse(include_str!("fixtures/flood-alert.xml")),
            Tree::parse(include_str!("fixtures/flood-cancel.xml")),
            Tree::parse(include_str!("fixtures/every-element.xml")),
        ];
        trees.extend(foreign_documents().iter().map(|text| Tree::parse(text)));
        Self {
            trees,
            dice: Dice::new(seed),
            number: 0,
        }
    }
}

impl Iterator for Damaged {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let (dice, number) = (&mut self.dice, self.number);
        self.number += 1;
        let mut tree = self.trees[number % self.trees.len()].clone();
        if number >= self.trees.len() && dice.below(4) == 0 {
            tree.revalue(dice);
            return Some(tree.to_text().into_bytes());
        }
        for _ in 0..dice.below(3) + usize::from(number >= self.trees.len()) {
            tree.damage(dice);
        }
        let mut text = tree.to_text();
        if dice.below(6) == 0 {
            mutate::damage_text(&mut text, dice);
        }
        if dice.below(8) == 0 && !text.is_empty() {
            return Some(mutate::encode(&text, dice));
        }
        Some(text.into_bytes())
    }
}

/// What others wrote and the structure step takes, if it is there: order by name.
fn foreign_documents() -> Vec<String> {
    let mut files: Vec<PathBuf> = ["oasis-appendix", "other", "signed-ipaws"]
        .iter()
        .filter_map(|folder| fs::read_dir(Path::new(SHARED).join("cap-corpus").join(folder)).ok())
        .flat_map(|entries| entries.filter_map(|entry| Some(entry.ok()?.path())))
        .collect();
    files.sort();
    let texts = files.iter().filter_map(|file| fs::read(file).ok());
    texts
        .map(text_of)
        .filter(|text| text.len() <= BASE_BYTES_MAX)
        .filter(|text| check_structure(text.as_bytes()).is_accepted)
        .collect()
}

/// A document as text. What is no UTF-8 says that it is ISO-8859-1.
fn text_of(document: Vec<u8>) -> String {
    String::from_utf8(document).unwrap_or_else(|error| {
        let text: String = error.into_bytes().into_iter().map(char::from).collect();
        text.replacen("ISO-8859-1", "UTF-8", 1)
    })
}

/// Whether xmllint takes each document.
fn ask_xmllint(schema: &Path, documents: &[Vec<u8>]) -> Vec<bool> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..documents.len()).map(|n| format!("{n}.xml")).collect();
    for (name, document) in names.iter().zip(documents) {
        fs::write(folder.path().join(name), document).expect("the folder is writable");
    }
    let mut valid: HashMap<String, bool> = HashMap::new();
    let mut faulty: HashSet<String> = HashSet::new();
    for batch in names.chunks(BATCH) {
        let output = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(schema)
            .args(batch)
            .current_dir(folder.path())
            .output()
            .expect("xmllint runs");
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            if let Some(name) = line.strip_suffix(" validates") {
                valid.insert(name.to_owned(), true);
            } else if let Some(name) = line.strip_suffix(" fails to validate") {
                valid.insert(name.to_owned(), false);
            } else if let Some((name, rest)) = line.split_once(':')
                && (rest.contains(": namespace error : ") || rest.contains(": parser error : "))
                // Any text is a name for a namespace; xmllint says this and takes the document.
                && !rest.ends_with(" is not a valid URI")
            {
                faulty.insert(name.to_owned());
            }
        }
    }
    let is_taken = |name: &String| valid.get(name) == Some(&true) && !faulty.contains(name);
    names.iter().map(is_taken).collect()
}
