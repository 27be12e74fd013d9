//! An authority's certificate trusts those whom it vouches for, and nobody else.

mod support;

use balefire_signature::{Certificate, Signer, SigningKey, verify};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd};
use support::{ALERT, alert, authority, issue, p256_key, params};

/// A signer below two authorities, one below the other.
struct Line {
    root: CertificateParams,
    middle: CertificateParams,
    leaf: CertificateParams,
    /// Leave the one in the middle out of the signature.
    forgets_middle: bool,
}

impl Line {
    fn new() -> Self {
        let mut leaf = params("Desk");
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::EmailProtection];
        Self {
            root: authority("Root", None),
            middle: authority("Middle", Some(0)),
            leaf,
            forgets_middle: false,
        }
    }

    /// Signs a document, and says what is said of it when the root (or the middle) is trusted.
    fn judge(&self, trusts_middle: bool) -> Result<String, (String, &'static str)> {
        let (root_key, middle_key, leaf_key): (KeyPair, KeyPair, KeyPair) =
            (p256_key(), p256_key(), p256_key());
        let root = self
            .root
            .self_signed(&root_key)
            .expect("it signs itself")
            .pem();
        let middle = issue(&self.middle, &middle_key, &self.root, &root_key);
        let leaf = issue(&self.leaf, &leaf_key, &self.middle, &middle_key);
        let brought = if self.forgets_middle {
            leaf
        } else {
            leaf + &middle
        };
        let key = SigningKey::from_pem(leaf_key.serialize_pem().as_bytes()).expect("a key");
        let chain = Certificate::from_pem(brought.as_bytes()).expect("certificates");
        let mut message = alert(ALERT);
        message.sent = balefire_cap::DateTime::parse("2026-11-23T04:09:03-00:00").expect("a date");
        let signer = Signer::new(key, chain).map_err(|r| (r.to_string(), "signer"))?;
        let signed = signer
            .sign_cap(&message)
            .map_err(|r| (r.to_string(), "sign"))?;
        let trusted = if trusts_middle { middle } else { root };
        let trusted = Certificate::from_pem(trusted.as_bytes()).expect("certificates");
        match verify(&signed, &trusted) {
            Ok(verified) => Ok(verified.authority.expect("an authority").subject),
            Err(refusal) => Err((refusal.to_string(), refusal.code())),
        }
    }
}

#[test]
fn a_signer_is_trusted_through_authorities_that_the_signature_brings() {
    assert_eq!(Line::new().judge(false), Ok("CN=Root".to_owned()));
    assert_eq!(Line::new().judge(true), Ok("CN=Middle".to_owned()));
    let forgetful = Line {
        forgets_middle: true,
        ..Line::new()
    };
    assert_eq!(forgetful.judge(true), Ok("CN=Middle".to_owned()));
}

#[test]
fn a_broken_line_to_an_authority_is_refused_with_the_reason() {
    let late = |mut params: CertificateParams| {
        params.not_before = date_time_ymd(2027, 1, 1);
        params
    };
    let past = |mut params: CertificateParams| {
        params.not_after = date_time_ymd(2026, 6, 1);
        params
    };
    let no_authority = || {
        let mut params = params("Middle");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params
    };
    let no_issuing = |name: &str| {
        let mut params = authority(name, None);
        params.key_usages = vec![KeyUsagePurpose::CrlSign];
        params
    };
    let rows: Vec<(&str, Line, &str)> = vec![
        (
            "no way to the root",
            Line {
                forgets_middle: true,
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "root not yet",
            Line {
                root: late(authority("Root", None)),
                ..Line::new()
            },
            "certificate-not-valid",
        ),
        (
            "root over",
            Line {
                root: past(authority("Root", None)),
                ..Line::new()
            },
            "certificate-not-valid",
        ),
        (
            "middle over",
            Line {
                middle: past(authority("Middle", None)),
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "middle is none",
            Line {
                middle: no_authority(),
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "middle may not",
            Line {
                middle: no_issuing("Middle"),
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "root may not",
            Line {
                root: no_issuing("Root"),
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "root is none",
            Line {
                root: params("Root"),
                ..Line::new()
            },
            "signature-chain",
        ),
        (
            "too long",
            Line {
                root: authority("Root", Some(0)),
                ..Line::new()
            },
            "signature-chain",
        ),
    ];
    for (what, line, want) in rows {
        let is = line.judge(false);
        assert_eq!(
            is.as_ref().map_err(|(_, code)| *code),
            Err(want),
            "{what}: {is:?}"
        );
    }
    let over = Line {
        leaf: past(params("Desk")),
        ..Line::new()
    };
    assert_eq!(over.judge(false).map_err(|(_, code)| code), Err("sign"));
}

#[test]
fn an_authoritys_name_without_its_key_is_worth_nothing() {
    let (root, root_key, imposter_key, leaf_key) =
        (authority("Root", None), p256_key(), p256_key(), p256_key());
    let trusted = root.self_signed(&root_key).expect("it signs itself").pem();
    let leaf = issue(&params("Desk"), &leaf_key, &root, &imposter_key);
    let key = SigningKey::from_pem(leaf_key.serialize_pem().as_bytes()).expect("a key");
    let chain = Certificate::from_pem(leaf.as_bytes()).expect("certificates");
    let mut message = alert(ALERT);
    message.sent = balefire_cap::DateTime::parse("2026-11-23T04:09:03-00:00").expect("a date");
    let signed = Signer::new(key, chain)
        .expect("a signer")
        .sign_cap(&message)
        .expect("signed");
    let trusted = Certificate::from_pem(trusted.as_bytes()).expect("certificates");
    let refusal = verify(&signed, &trusted).expect_err("nobody vouches for it");
    assert_eq!(refusal.code(), "signature-chain", "{refusal}");
}
