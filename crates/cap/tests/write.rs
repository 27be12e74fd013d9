//! Writing is the way back from reading, and its bytes are what others call canonical and valid.

#[path = "oracle/mutate.rs"]
mod mutate;

use std::fs;
use std::path::Path;
use std::process::Command;

use balefire_cap::alert::Alert;
use balefire_cap::{read, write};
use mutate::{Dice, Tree};

const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");

const FIXTURES: [&str; 3] = [
    include_str!("fixtures/flood-alert.xml"),
    include_str!("fixtures/flood-cancel.xml"),
    include_str!("fixtures/every-element.xml"),
];

/// Damaged documents that are made; those that still read go through.
const DOCUMENTS: usize = 6_000;

/// Written documents that xmllint canonicalises, one process each.
const CANONICALISED: usize = 150;

fn unsigned(mut alert: Alert) -> Alert {
    alert.signatures.clear();
    alert
}

/// Writes what `document` says, checks that it reads back the same, and gives the bytes.
fn round_trip(document: &[u8]) -> Option<Vec<u8>> {
    let alert = unsigned(read(document).ok()?.alert);
    let written = write(&alert);
    let again = read(&written).unwrap_or_else(|findings| {
        panic!(
            "{findings:#?}\n{}\nwas\n{}",
            String::from_utf8_lossy(&written),
            String::from_utf8_lossy(document)
        )
    });
    assert_eq!(again.alert, alert, "{}", String::from_utf8_lossy(document));
    assert_eq!(written, write(&again.alert), "the bytes are the same again");
    Some(written)
}

fn damaged_documents() -> Vec<Vec<u8>> {
    let trees: Vec<Tree> = FIXTURES.iter().map(|text| Tree::parse(text)).collect();
    let mut dice = Dice::new(0x317E_1202);
    (0..DOCUMENTS)
        .map(|number| {
            let mut tree = trees[number % trees.len()].clone();
            if dice.below(4) == 0 {
                tree.revalue(&mut dice);
            }
            for _ in 0..dice.below(2) + usize::from(number >= trees.len()) {
                tree.damage(&mut dice);
            }
            let mut text = tree.to_text();
            if dice.below(6) == 0 {
                mutate::damage_text(&mut text, &mut dice);
            }
            if dice.below(6) == 0 && !text.is_empty() {
                return mutate::encode(&text, &mut dice);
            }
            text.into_bytes()
        })
        .collect()
}

fn real_documents() -> Vec<Vec<u8>> {
    let folders = ["oasis-appendix", "other", "signed-ipaws"];
    let files = folders.iter().flat_map(|folder| {
        fs::read_dir(Path::new(SHARED).join("cap-corpus").join(folder))
            .into_iter()
            .flatten()
            .flatten()
    });
    files
        .filter_map(|entry| fs::read(entry.path()).ok())
        .collect()
}

#[test]
fn whatever_reads_is_written_and_reads_the_same_again() {
    let documents = damaged_documents();
    let count = documents.iter().filter_map(|d| round_trip(d)).count();
    assert!(
        count > DOCUMENTS / 10,
        "only {count} documents prove little"
    );
    let real = real_documents();
    let read = real.iter().filter_map(|d| round_trip(d)).count();
    println!(
        "{count} of {DOCUMENTS} damaged documents, {read} of {} real ones",
        real.len()
    );
    assert!(real.is_empty() || read >= 10);
}

#[test]
fn texts_that_need_escapes_come_back_as_they_were() {
    let texts = [
        "",
        " ",
        "\t two\nlines ",
        "a &amp; b &lt;c&gt; &#13; &#xD;&#10; &#9;",
        "<![CDATA[<&>]]>",
        "]]&gt;",
        "&quot;&apos;",
        "\u{85}\u{2028}\u{10348} &#x10FFFF;",
        "one<!-- split -->two<![CDATA[ three]]>",
    ];
    for text in texts {
        let document = FIXTURES[2].replace(">Exercise Wet Boots<", &format!(">{text}<"));
        let written = round_trip(document.as_bytes()).expect("it is a valid document");
        assert!(!written.contains(&b'\r'), "{text}");
    }
}

#[test]
fn a_text_that_xml_cannot_hold_does_not_break_the_document() {
    let mut alert = unsigned(read(FIXTURES[0].as_bytes()).expect("a fixture").alert);
    alert.note = Some("a\u{0}b\u{FFFE}c".to_owned());
    let again = read(&write(&alert)).expect("it is well formed").alert;
    assert_eq!(again.note.as_deref(), Some("a\u{FFFD}b\u{FFFD}c"));
}

#[test]
fn written_documents_are_canonical_and_valid_for_xmllint() {
    let mut documents: Vec<Vec<u8>> = FIXTURES
        .iter()
        .filter_map(|text| round_trip(text.as_bytes()))
        .collect();
    documents.extend(real_documents().iter().filter_map(|d| round_trip(d)));
    let damaged = damaged_documents();
    documents.extend(damaged.iter().filter_map(|d| round_trip(d)));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names: Vec<String> = (0..documents.len()).map(|n| format!("{n}.xml")).collect();
    for (name, document) in names.iter().zip(&documents) {
        fs::write(folder.path().join(name), document).expect("the folder is writable");
    }
    for (name, document) in names.iter().zip(&documents).take(CANONICALISED) {
        let output = Command::new("xmllint")
            .args(["--nonet", "--c14n11", name])
            .current_dir(folder.path())
            .output()
            .expect("xmllint is needed: cargo xtask setup installs it");
        assert!(
            output.stdout == *document,
            "not canonical:\n{}",
            String::from_utf8_lossy(document)
        );
    }
    let schema = Path::new(SHARED).join("standards/CAP-v1.2.xsd");
    if !schema.is_file() {
        println!("the schema is not here; {CANONICALISED} documents are canonical");
        return;
    }
    let schema = schema.canonicalize().expect("it is there");
    for batch in names.chunks(1_000) {
        let output = Command::new("xmllint")
            .args(["--nonet", "--noout", "--schema"])
            .arg(&schema)
            .args(batch)
            .current_dir(folder.path())
            .output()
            .expect("xmllint runs");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}",
            told.lines()
                .find(|l| !l.ends_with("validates"))
                .unwrap_or_default()
        );
    }
    println!(
        "{} documents are valid, {CANONICALISED} of them seen canonical",
        documents.len()
    );
}
