//! The project's own corpus (`crates/cap/corpus`): every rule on documents that differ from a good
//! one by one fault, judged for every use as the manifest says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use balefire_cap::rules::{Country, ROWS, Use};
use balefire_cap::{Finding, check_as, check_structure};
use serde::Deserialize;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/corpus");
const SCHEMA: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../../shared/standards/CAP-v1.2.xsd"
);

/// Lines that a fault may exchange for as many others.
const LINES_EXCHANGED_MAX: usize = 2;

/// Codes of numbered rules without a document, with the reason.
const WITHOUT_DOCUMENT: [(&str, &str); 2] = [
    (
        "polygon-too-tangled",
        "takes a document of half a megabyte; tested beside the rule",
    ),
    (
        "info-after-signature",
        "of signed documents; tested in tests/messages.rs",
    ),
];

/// One document of the manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    file: String,
    rule: String,
    about: String,
    /// What a schema validator says of it: `valid` or `invalid`.
    schema: String,
    /// The good document that it is, but for its fault.
    differs_from: Option<String>,
    /// Where the country lies, for the rules that ask.
    country: Option<Box>,
    /// For each use, what is found.
    findings: BTreeMap<String, Vec<Found>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Box {
    south: f64,
    west: f64,
    north: f64,
    east: f64,
}

/// One finding, as the manifest has it.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(deny_unknown_fields)]
struct Found {
    rule: String,
    code: String,
    severity: String,
    path: String,
    line: usize,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        Self {
            rule: finding.rule.to_string(),
            code: finding.code.to_owned(),
            severity: if finding.is_error() {
                "error"
            } else {
                "warning"
            }
            .to_owned(),
            path: finding.path.clone(),
            line: finding.line,
        }
    }
}

impl Entry {
    fn is_good(&self) -> bool {
        self.file.starts_with("good/")
    }

    fn bytes(&self) -> Vec<u8> {
        read(&self.file)
    }

    fn has_finding_of_its_rule(&self) -> bool {
        self.findings
            .values()
            .flatten()
            .any(|found| found.rule == self.rule)
    }
}

fn read(file: &str) -> Vec<u8> {
    fs::read(Path::new(CORPUS).join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn manifest() -> Vec<Entry> {
    serde_json::from_slice(&read("manifest.json")).expect("the manifest is what Entry says")
}

#[test]
fn every_document_is_judged_as_the_manifest_says() {
    for entry in manifest() {
        let bytes = entry.bytes();
        let country = entry.country.as_ref().map(|at| Country {
            south: at.south,
            west: at.west,
            north: at.north,
            east: at.east,
        });
        for used_for in Use::ALL {
            let report = check_as(&bytes, used_for, country);
            let mut found: Vec<Found> = report.findings.iter().map(Found::from).collect();
            let mut wanted = entry.findings[used_for.name()].clone();
            found.sort();
            wanted.sort();
            assert_eq!(found, wanted, "{} for {}", entry.file, used_for.name());
        }
        let is_valid = check_structure(&bytes)
            .findings
            .iter()
            .all(|f| !f.is_error());
        assert_eq!(is_valid, entry.schema == "valid", "{}", entry.file);
    }
}

#[test]
fn the_manifest_lists_the_files_that_are_there() {
    let listed: Vec<String> = manifest().into_iter().map(|entry| entry.file).collect();
    let unique: BTreeSet<&String> = listed.iter().collect();
    assert_eq!(
        unique.len(),
        listed.len(),
        "a file stands twice in the manifest"
    );
    let mut there = BTreeSet::new();
    for folder in ["good", "bad"] {
        for file in fs::read_dir(Path::new(CORPUS).join(folder)).expect("the corpus has it") {
            let name = file.expect("the folder can be read").file_name();
            there.insert(format!("{folder}/{}", name.to_string_lossy()));
        }
    }
    assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), there);
}

#[test]
fn every_rule_has_good_and_bad_documents() {
    let manifest = manifest();
    for number in 1..=17 {
        let rule = format!("C{number}");
        let of_rule = || manifest.iter().filter(|entry| entry.rule == rule);
        assert!(of_rule().any(Entry::is_good), "{rule} has no good document");
        assert!(
            of_rule().any(|entry| !entry.is_good()),
            "{rule} has no bad document"
        );
        for entry in of_rule() {
            let prefix = format!("c{number:02}-");
            let name = entry.file.split('/').nth(1).expect("it is in a folder");
            assert!(name.starts_with(&prefix), "{}", entry.file);
            assert!(!entry.about.is_empty(), "{}", entry.file);
            assert_eq!(
                entry.differs_from.is_none(),
                entry.is_good(),
                "{}",
                entry.file
            );
            // The one thing that a good document of C4 and C5 shows is what dispatch refuses.
            let is_of_dispatch = matches!(rule.as_str(), "C4" | "C5" | "C6" | "C7");
            assert!(
                entry.has_finding_of_its_rule() != entry.is_good() || is_of_dispatch,
                "{}",
                entry.file
            );
            let has_error = entry.findings["check"]
                .iter()
                .any(|f| f.severity == "error");
            assert!(!(entry.is_good() && has_error), "{}", entry.file);
        }
    }
}

#[test]
fn every_finding_of_a_numbered_rule_has_a_document() {
    let manifest = manifest();
    let seen: BTreeSet<&str> = manifest
        .iter()
        .filter(|entry| !entry.is_good())
        .flat_map(|entry| entry.findings.values().flatten())
        .map(|found| found.code.as_str())
        .collect();
    for row in ROWS.iter().filter(|row| row.rule.name().starts_with('C')) {
        let is_excepted = WITHOUT_DOCUMENT.iter().any(|(code, _)| *code == row.code);
        assert_ne!(seen.contains(row.code), is_excepted, "{}", row.code);
    }
}

#[test]
fn a_bad_document_differs_from_a_good_one_by_its_fault_only() {
    for entry in manifest() {
        let Some(good) = &entry.differs_from else {
            continue;
        };
        let (good, bad) = (lines(&read(good)), lines(&entry.bytes()));
        let (mut left_out, mut added) = (good.clone(), bad.clone());
        for line in &bad {
            remove(&mut left_out, line);
        }
        for line in &good {
            remove(&mut added, line);
        }
        // Something is left out, something is added, or a few lines are exchanged; or else the
        // lines are the same in another order.
        let is_small = left_out.is_empty()
            || added.is_empty()
            || left_out.len().max(added.len()) <= LINES_EXCHANGED_MAX;
        assert!(is_small, "{}: -{left_out:#?} +{added:#?}", entry.file);
        assert_ne!(good, bad, "{}", entry.file);
    }
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(bytes).expect("the corpus is UTF-8");
    text.lines().map(|line| line.trim().to_owned()).collect()
}

fn remove(lines: &mut Vec<String>, line: &str) {
    if let Some(at) = lines.iter().position(|other| other == line) {
        lines.remove(at);
    }
}

/// The oracle for what the manifest says of structure, so that documents of the rules that no
/// schema knows are truly negatives of those rules.
#[test]
fn the_schema_says_of_every_document_what_the_manifest_says() {
    let Ok(schema) = PathBuf::from(SCHEMA).canonicalize() else {
        println!("skipped: no schema of CAP 1.2 beside the project");
        return;
    };
    let entries = manifest();
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .arg(schema)
        .args(entries.iter().map(|entry| &entry.file))
        .current_dir(CORPUS)
        .output()
        .expect("xmllint runs (apt package libxml2-utils)");
    let said = String::from_utf8_lossy(&output.stderr);
    let valid: BTreeSet<&str> = said
        .lines()
        .filter_map(|line| line.strip_suffix(" validates"))
        .collect();
    for entry in &entries {
        let is_valid = valid.contains(entry.file.as_str());
        assert_eq!(is_valid, entry.schema == "valid", "{}", entry.file);
    }
}
