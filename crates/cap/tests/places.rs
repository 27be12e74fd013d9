//! Every finding names the line and column of its place in the document as it was sent.

use balefire_cap::{Finding, check, check_structure, read};

const FLOOD: &str = include_str!("fixtures/flood-alert.xml");

/// The error of this code, or the first finding there is.
fn finding(document: &str, code: &str) -> Finding {
    finding_of(document.as_bytes(), code)
}

fn finding_of(document: &[u8], code: &str) -> Finding {
    let findings = check(document).findings;
    let found = findings.iter().find(|finding| finding.code == code);
    found
        .unwrap_or_else(|| panic!("no {code} in {findings:#?}"))
        .clone()
}

/// Line and column of the first place where a piece stands.
fn place_of(document: &str, piece: &str) -> (usize, usize) {
    let document = document.trim_start_matches('\u{feff}');
    let before = &document[..document.find(piece).expect("the piece is there")];
    let unified = before.replace("\r\n", "\n").replace('\r', "\n");
    let last = unified.rsplit('\n').next().unwrap_or_default();
    (unified.split('\n').count(), last.chars().count() + 1)
}

/// One byte for each character. What the encoding lacks here becomes another character.
fn latin_1(document: &str) -> Vec<u8> {
    let byte = |c| u8::try_from(c).unwrap_or(0xBF);
    document.chars().map(byte).collect()
}

#[test]
fn a_finding_stands_where_its_element_stands() {
    // One row per kind of finding: what is replaced, by what, the code, what stands at the place.
    let rows = [
        ("<status>Actual", "<status>actual", "wrong-word", "<status>"),
        (
            "<status>Actual",
            "<status>Test",
            "status-not-actual",
            "<status>",
        ),
        ("<scope>", "<scope a='b'>", "attribute-not-allowed", "a='b'"),
        (
            "<scope>",
            "<scope xmlns:é='u' é:a='b'>",
            "attribute-not-allowed",
            "é:a='b'",
        ),
        ("<area>", "<x/><area>", "unknown-element", "<x/>"),
        (
            "<area>",
            "<é:x xmlns:é='u'/><area>",
            "foreign-element",
            "<é:x",
        ),
        ("<status>Actual</status>", "", "missing-element", "<alert"),
        (
            "<severity>",
            "<!-- é€😀 --><severity><b/>",
            "text-only",
            "<severity>",
        ),
        ("<identifier>", "<identifier> ", "bad-name", "<identifier>"),
        (
            "<geocode>",
            "<circle>1,2 three</circle><geocode>",
            "bad-circle",
            "<circle>",
        ),
        ("<area>", "<?é x?><area>", "processing-instruction", "<?é"),
        ("<area>", "é&nbsp;<area>", "entity", "&nbsp;"),
        ("</alert>", "</alerd>", "xml-syntax", "</alerd>"),
        ("<alert", "<!DOCTYPE a><alert", "doctype", "<!DOCTYPE"),
    ];
    for (old, new, code, at) in rows {
        let base = FLOOD.replacen(old, new, 1);
        let variants = [
            base.clone(),
            format!("\u{feff}{base}"),
            base.replace('\n', "\r\n"),
            base.replace('\n', "\r"),
            base.replacen("?>\n", " ?>", 1),
        ];
        for document in variants {
            let found = finding(&document, code);
            let want = place_of(&document, at);
            assert_eq!((found.line, found.column), want, "{code} in\n{document}");
            if !document.starts_with('\u{feff}') {
                let document = document.replacen("UTF-8", "ISO-8859-1", 1);
                let found = finding_of(&latin_1(&document), code);
                let (is, want) = ((found.line, found.column), place_of(&document, at));
                assert_eq!(is, want, "{code} in ISO-8859-1 in\n{document}");
            }
        }
    }
}

#[test]
fn a_rule_names_the_element_of_its_path_and_what_is_absent_the_one_above() {
    let second = FLOOD.rfind("<polygon>").expect("it has two areas");
    let document = format!(
        "{}<polygon>1,2</polygon>{}",
        &FLOOD[..second],
        &FLOOD[second..]
    );
    let found = finding(&document, "polygon-too-short");
    assert_eq!(found.path, "alert/info[1]/area[2]/polygon[1]");
    assert_eq!(
        (found.line, found.column),
        place_of(&document, "<polygon>1,2<")
    );
    let start = FLOOD.find("<description>").expect("it has one");
    let end = FLOOD.find("</description>").expect("it is closed") + "</description>".len();
    let without = format!("{}{}", &FLOOD[..start], &FLOOD[end..]);
    let found = finding(&without, "missing-description");
    assert_eq!((found.line, found.column), place_of(&without, "<info>"));
}

#[test]
fn what_concerns_the_whole_document_stands_at_its_beginning() {
    for document in ["", "<?xml version='1.1'?><a/>"] {
        let found = check(document.as_bytes()).findings.remove(0);
        assert_eq!((found.line, found.column), (1, 1), "{document}");
    }
    let found = check(b"<a>\n\xC3\xA9\xE9</a>").findings.remove(0);
    assert_eq!((found.code, found.line, found.column), ("encoding", 2, 2));
}

#[test]
fn the_structure_alone_says_nothing_of_the_rules() {
    let document = FLOOD
        .replacen("Actual", "Test", 1)
        .replacen("<identifier>", "<identifier> ", 1);
    assert!(check_structure(document.as_bytes()).is_accepted);
    assert!(!check(document.as_bytes()).is_accepted);
}

#[test]
fn in_json_a_finding_has_six_keys_and_in_words_its_line_or_path() {
    let found = finding(&FLOOD.replacen("Actual", "actual", 1), "wrong-word");
    let value = serde_json::to_value(&found).expect("it is plain data");
    let keys: Vec<&String> = value.as_object().expect("an object").keys().collect();
    let want = ["column", "line", "message", "path", "rule", "severity"];
    assert_eq!(keys, want);
    assert_eq!(
        (value["rule"].as_str(), value["severity"].as_str()),
        (Some("C8"), Some("error"))
    );
    assert!(found.to_string().starts_with("alert/status: "), "{found}");
    let found = read(b"<a>\n&</a>").expect_err("it is no XML").remove(0);
    assert!(found.to_string().starts_with("line 2: a bare"), "{found}");
}
