//! Real documents that other people wrote: each is taken, or refused for the reason it deserves.

use std::path::Path;

use balefire_cap::rules::Use;
use balefire_cap::{Report, check_as, read};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cap-corpus");

/// What is said of one document.
struct Row {
    file: &'static str,
    /// Code of the first error that reading ends with; none: it reads.
    unreadable: Option<&'static str>,
    /// Code of the first error for dispatch; none: it is taken.
    dispatch: Option<&'static str>,
    /// Codes of all errors that its author is told.
    check: &'static [&'static str],
}

const fn old(file: &'static str) -> Row {
    unreadable(file, "old-version", &["old-version"])
}

const fn unreadable(file: &'static str, code: &'static str, check: &'static [&'static str]) -> Row {
    Row {
        file,
        unreadable: Some(code),
        dispatch: Some(code),
        check,
    }
}

const fn row(
    file: &'static str,
    dispatch: Option<&'static str>,
    check: &'static [&'static str],
) -> Row {
    Row {
        file,
        unreadable: None,
        dispatch,
        check,
    }
}

#[rustfmt::skip]
const ROWS: [Row; 22] = [
    old("oasis-appendix/v1dot0_appendix_adot1.xml"),
    old("oasis-appendix/v1dot0_appendix_adot2.xml"),
    old("oasis-appendix/v1dot0_appendix_adot3.xml"),
    old("oasis-appendix/v1dot0_appendix_adot4.xml"),
    old("oasis-appendix/v1dot1_appendix_adot1.xml"),
    old("oasis-appendix/v1dot1_appendix_adot2.xml"),
    old("oasis-appendix/v1dot1_appendix_adot3.xml"),
    old("oasis-appendix/v1dot1_appendix_adot4.xml"),
    row("oasis-appendix/v1dot2_appendix_adot1.xml", Some("area-without-polygon"), &[]),
    row("oasis-appendix/v1dot2_appendix_adot2.xml", None, &[]),
    // An earthquake at a point: its circle has the radius 0.
    row("oasis-appendix/v1dot2_appendix_adot3.xml", Some("circle-without-radius"), &[]),
    row("oasis-appendix/v1dot2_appendix_adot4.xml", Some("area-without-polygon"), &[]),
    row("other/canada_signed.cap", None, &[]),
    // Another one, in an encoding that its declaration names.
    row("other/earthquake-iso8859-1.cap", Some("circle-without-radius"), &[]),
    // It ends in the second in which it is sent.
    row("other/google-PAAQ-4-mg5a94.xml", Some("circle-without-radius"), &["expires-too-early"]),
    unreadable(
        "other/nws-5c2cf27b1f56885d61654dc47fa411d5.xml",
        "processing-instruction",
        &["processing-instruction", "old-version"],
    ),
    unreadable("other/xee.cap", "doctype", &["doctype", "processing-instruction"]),
    row("signed-ipaws/ipaws-5e6dd964023f1930ef638846.xml", Some("area-without-polygon"), &[]),
    row("signed-ipaws/ipaws-5e6dd9de023f1930ef6548d9.xml", None, &[]),
    // Its digest is not that of the audio inside.
    row(
        "signed-ipaws/ipaws-5e6ddbad023f1930ef6c1a5a.xml",
        Some("area-without-polygon"),
        &["digest-differs"],
    ),
    row("signed-ipaws/ipaws-5e7e0fc5023f1930efcf3deb.xml", Some("missing-description"), &[]),
    row("signed-ipaws/ipaws-5ea321f39fc226a7b44b6874.xml", Some("area-without-polygon"), &[]),
];

fn errors(report: &Report) -> Vec<&'static str> {
    let errors = report.findings.iter().filter(|finding| finding.is_error());
    errors.map(|finding| finding.code).collect()
}

#[test]
fn real_documents_are_taken_or_refused_by_name() {
    if !Path::new(CORPUS).is_dir() {
        println!("skipped: no corpus of CAP documents");
        return;
    }
    for row in ROWS {
        let file = row.file;
        let bytes = std::fs::read(Path::new(CORPUS).join(file)).expect("the corpus has this file");
        let found = read(&bytes)
            .err()
            .and_then(|findings| findings.first().map(|f| f.code));
        assert_eq!(found, row.unreadable, "{file}");
        let dispatch = errors(&check_as(&bytes, Use::Dispatch, None));
        assert_eq!(
            dispatch.first().copied(),
            row.dispatch,
            "{file} for dispatch"
        );
        let check = check_as(&bytes, Use::Check, None);
        assert_eq!(errors(&check), row.check, "{file} for its author");
        if found.is_none() {
            let is_signed = check
                .findings
                .iter()
                .any(|f| f.code == "signature-not-verified");
            let has_signature = bytes.windows(9).any(|w| w == b"Signature");
            assert_eq!(is_signed, has_signature, "{file}");
        }
        if row.unreadable == Some("old-version") {
            let version = if file.contains("v1dot0") {
                "CAP 1.0"
            } else {
                "CAP 1.1"
            };
            assert!(check.findings[0].message.contains(version), "{file}");
        }
    }
}
