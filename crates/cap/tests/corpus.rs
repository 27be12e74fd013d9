//! Real documents that other people wrote: each is taken, or refused for the reason it deserves.

use std::path::Path;

use balefire_cap::rules::Use;
use balefire_cap::{check_as, read};

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cap-corpus");

/// File, code of the error that reading ends with (none: it reads), code of the first error of the
/// rules (none: it is taken).
type Row = (&'static str, Option<&'static str>, Option<&'static str>);

const ROWS: [Row; 22] = [
    (
        "oasis-appendix/v1dot0_appendix_adot1.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot0_appendix_adot2.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot0_appendix_adot3.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot0_appendix_adot4.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot1_appendix_adot1.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot1_appendix_adot2.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot1_appendix_adot3.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot1_appendix_adot4.xml",
        Some("old-version"),
        None,
    ),
    (
        "oasis-appendix/v1dot2_appendix_adot1.xml",
        None,
        Some("area-without-polygon"),
    ),
    ("oasis-appendix/v1dot2_appendix_adot2.xml", None, None),
    (
        "oasis-appendix/v1dot2_appendix_adot3.xml",
        None,
        Some("unsupported-message-type"),
    ),
    (
        "oasis-appendix/v1dot2_appendix_adot4.xml",
        None,
        Some("area-without-polygon"),
    ),
    (
        "other/canada_signed.cap",
        None,
        Some("unsupported-message-type"),
    ),
    ("other/earthquake-iso8859-1.cap", Some("encoding"), None),
    (
        "other/google-PAAQ-4-mg5a94.xml",
        None,
        Some("unsupported-message-type"),
    ),
    (
        "other/nws-5c2cf27b1f56885d61654dc47fa411d5.xml",
        Some("processing-instruction"),
        None,
    ),
    ("other/xee.cap", Some("doctype"), None),
    (
        "signed-ipaws/ipaws-5e6dd964023f1930ef638846.xml",
        None,
        Some("area-without-polygon"),
    ),
    (
        "signed-ipaws/ipaws-5e6dd9de023f1930ef6548d9.xml",
        None,
        None,
    ),
    (
        "signed-ipaws/ipaws-5e6ddbad023f1930ef6c1a5a.xml",
        None,
        Some("area-without-polygon"),
    ),
    (
        "signed-ipaws/ipaws-5e7e0fc5023f1930efcf3deb.xml",
        None,
        Some("missing-description"),
    ),
    (
        "signed-ipaws/ipaws-5ea321f39fc226a7b44b6874.xml",
        None,
        Some("area-without-polygon"),
    ),
];

#[test]
fn real_documents_are_taken_or_refused_by_name() {
    if !Path::new(CORPUS).is_dir() {
        println!("skipped: no corpus of CAP documents");
        return;
    }
    for (file, unreadable, refused) in ROWS {
        let bytes = std::fs::read(Path::new(CORPUS).join(file)).expect("the corpus has this file");
        let found = read(&bytes)
            .err()
            .and_then(|findings| findings.first().map(|f| f.code));
        assert_eq!(found, unreadable, "{file}");
        if found.is_none() {
            let report = check_as(&bytes, Use::Dispatch, None);
            let error = report
                .findings
                .iter()
                .find(|finding| finding.is_error())
                .map(|f| f.code);
            assert_eq!(error, refused, "{file}");
            let is_signed = report
                .findings
                .iter()
                .any(|f| f.code == "signature-not-verified");
            assert_eq!(
                is_signed,
                bytes.windows(9).any(|w| w == b"Signature"),
                "{file}"
            );
        }
    }
}
