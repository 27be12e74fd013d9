//! What an attacker puts into a signature: keys that anybody can sign for, certificates for other
//! ends, and documents that cost more than they weigh.

mod support;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use balefire_signature::algorithms::{C14n, ENVELOPED, XML_DSIG};
use balefire_signature::{Certificate, canonicalise, verify};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    CertificateParams, CustomExtension, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PKCS_RSA_SHA256, PublicKeyData, SanType, SignatureAlgorithm,
};
use support::{
    ALERT, Identity, P256, RSA, alert, authority, issue, p256_key, params, signed, with_tree,
};

/// What follows the padding of PKCS #1 before a SHA-256 (RFC 8017 §9.2, note 1).
const SHA256_INFO: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Far above what any of these takes on a busy machine, and far below what one could.
const TIME_MAX: Duration = Duration::from_secs(5);

fn code(document: &str, trusted: &[Certificate]) -> &'static str {
    match verify(document.as_bytes(), trusted) {
        Ok(_) => "verified",
        Err(refusal) => refusal.code(),
    }
}

#[expect(clippy::disallowed_methods, reason = "a test measures time")]
fn code_in_time(document: &str, trusted: &[Certificate]) -> &'static str {
    let started = Instant::now();
    let code = code(document, trusted);
    let took = started.elapsed();
    assert!(took < TIME_MAX, "{} bytes took {took:?}", document.len());
    code
}

fn read(pem: &str) -> Vec<Certificate> {
    Certificate::from_pem(pem.as_bytes()).expect("certificates")
}

/// An RSA key of which only the public half exists.
struct PublicRsa(Vec<u8>);

impl PublicRsa {
    fn new(octets: usize, exponent: u8) -> Self {
        let mut modulus = vec![0xC5; octets];
        modulus.insert(0, 0);
        let numbers = [integer(&modulus), integer(&[exponent])].concat();
        Self(tagged(0x30, &numbers))
    }
}

impl PublicKeyData for PublicRsa {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_RSA_SHA256
    }
}

fn integer(bytes: &[u8]) -> Vec<u8> {
    tagged(0x02, bytes)
}

fn tagged(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).expect("short");
    [&[tag, 0x82][..], &length.to_be_bytes(), body].concat()
}

/// The canonical bytes of `SignedInfo`, which the key signs.
fn signed_info(document: &str) -> Vec<u8> {
    with_tree(document.as_bytes(), |tree| {
        let is_info = |node: &roxmltree::Node<'_, '_>| node.tag_name().name() == "SignedInfo";
        let info = tree.descendants().find(is_info).expect("it is there");
        canonicalise(info, None, C14n::Inclusive11)
    })
    .expect("it is XML")
}

fn with_value(document: &str, value: &[u8]) -> String {
    between(document, "SignatureValue", &STANDARD.encode(value))
}

fn with_certificates(document: &str, pem: &str) -> String {
    let inside = pem
        .replace("-----BEGIN CERTIFICATE-----", "<X509Certificate>")
        .replace("-----END CERTIFICATE-----", "</X509Certificate>");
    between(document, "X509Data", &inside)
}

fn between(document: &str, element: &str, new: &str) -> String {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let (before, rest) = document.split_once(&open).expect("it is there");
    let (_, after) = rest.split_once(&close).expect("it ends");
    format!("{before}{open}{new}{close}{after}")
}

#[test]
fn an_rsa_key_for_which_anybody_can_sign_is_worth_nothing() {
    let document = signed();
    let hash = digest::digest(&digest::SHA256, &signed_info(&document));
    for octets in [64, 128, 256, 512] {
        // With the exponent 1 the padded hash is its own signature.
        let key = PublicRsa::new(octets, 1);
        let issuer_key = p256_key();
        let issuer_params = authority("Root", None);
        let issuer = Issuer::from_params(&issuer_params, &issuer_key);
        let certificate = params("Anybody").signed_by(&key, &issuer).expect("issued");
        let mut value = vec![0xFF; octets - 3 - SHA256_INFO.len() - hash.as_ref().len()];
        value.splice(0..0, [0, 1]);
        value.push(0);
        value.extend_from_slice(&SHA256_INFO);
        value.extend_from_slice(hash.as_ref());
        assert_eq!(value.len(), octets);
        let forged = with_value(&document, &value);
        let forged = with_certificates(&forged, &certificate.pem());
        let pinned = read(&certificate.pem());
        assert_eq!(code(&forged, &pinned), "signature-untrusted", "{octets}");
        let root = issuer_params
            .self_signed(&issuer_key)
            .expect("a root")
            .pem();
        assert_eq!(
            code(&forged, &read(&root)),
            "signature-untrusted",
            "{octets}"
        );
    }
}

#[test]
fn ecdsa_takes_two_numbers_of_their_full_length_and_neither_is_zero() {
    let document = P256.signer().sign_cap(&alert(ALERT)).expect("signed");
    let document = String::from_utf8(document).expect("UTF-8");
    let trusted = P256.certificates();
    assert_eq!(code(&document, &trusted), "verified");
    let (_, rest) = document.split_once("<SignatureValue>").expect("it");
    let text = rest.split('<').next().expect("its end");
    let value = STANDARD.decode(text).expect("base64");
    let (r, s) = value.split_at(32);
    let zero = [0; 32];
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("no numbers", vec![]),
        ("both zero", vec![0; 64]),
        ("r zero", [&zero, s].concat()),
        ("s zero", [r, &zero].concat()),
        ("swapped", [s, r].concat()),
        ("all ones", vec![0xFF; 64]),
        ("longer", [&value[..], &[0]].concat()),
        ("a zero before each", [&[0], r, &[0], s].concat()),
        ("shorter", value[..63].to_vec()),
        ("DER", tagged(0x30, &[integer(r), integer(s)].concat())),
    ];
    for (what, value) in rows {
        let forged = with_value(&document, &value);
        assert_eq!(code(&forged, &trusted), "signature-untrusted", "{what}");
    }
}

/// A document whose signer shows a certificate that is made here, below a trusted root.
fn shown_with(root: &CertificateParams, leaf: &CertificateParams) -> (String, Vec<Certificate>) {
    let (root_key, leaf_key): (KeyPair, KeyPair) = (p256_key(), p256_key());
    // KeyInfo is not signed, so any certificate for the same key can take the place of this one.
    let plain = Identity {
        key_pem: leaf_key.serialize_pem(),
        certificate_pem: params("Desk").self_signed(&leaf_key).expect("one").pem(),
    };
    let document = plain.signer().sign_cap(&alert(ALERT)).expect("signed");
    let document = String::from_utf8(document).expect("UTF-8");
    let certificate = issue(leaf, &leaf_key, root, &root_key);
    let trusted = root.self_signed(&root_key).expect("a root").pem();
    (with_certificates(&document, &certificate), read(&trusted))
}

#[test]
fn an_authority_vouches_only_for_certificates_that_may_sign_documents() {
    let root = || authority("Root", None);
    let with = |change: fn(&mut CertificateParams)| {
        let mut leaf = params("Desk");
        change(&mut leaf);
        leaf
    };
    let rows: Vec<(&str, CertificateParams, &str)> = vec![
        ("no usage named", with(|_| {}), "verified"),
        (
            "signs documents",
            with(|leaf| leaf.key_usages = vec![KeyUsagePurpose::ContentCommitment]),
            "verified",
        ),
        (
            "encrypts",
            with(|leaf| leaf.key_usages = vec![KeyUsagePurpose::KeyEncipherment]),
            "signature-chain",
        ),
        (
            "an authority",
            with(|leaf| leaf.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained)),
            "signature-chain",
        ),
        (
            "not yet",
            with(|leaf| leaf.not_before = rcgen::date_time_ymd(2027, 1, 1)),
            "certificate-not-valid",
        ),
        (
            "over",
            with(|leaf| leaf.not_after = rcgen::date_time_ymd(2026, 6, 1)),
            "certificate-not-valid",
        ),
        (
            "an unknown critical extension",
            with(|leaf| {
                let mut unknown = CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
                unknown.set_criticality(true);
                leaf.custom_extensions = vec![unknown];
            }),
            "signature-chain",
        ),
    ];
    for (what, leaf, want) in rows {
        let (document, trusted) = shown_with(&root(), &leaf);
        assert_eq!(code(&document, &trusted), want, "{what}");
    }
}

#[test]
fn the_names_that_an_authority_is_held_to_are_heeded() {
    let named = |name: &str| {
        let mut leaf = params("Desk");
        let name = name.try_into().expect("a name");
        leaf.subject_alt_names = vec![SanType::DnsName(name)];
        leaf
    };
    let mut root = authority("Root", None);
    root.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName("rivers.example".to_owned())],
        excluded_subtrees: vec![],
    });
    for (name, want) in [
        ("desk.rivers.example", "verified"),
        ("desk.coast.example", "signature-chain"),
    ] {
        let (document, trusted) = shown_with(&root, &named(name));
        assert_eq!(code(&document, &trusted), want, "{name}");
    }
}

/// A signature whose digest is wrong, which is found only after the whole document was made
/// canonical.
fn worthless(c14n: C14n) -> String {
    let uri = c14n.uri();
    let hash = STANDARD.encode([0; 32]);
    format!(
        "<Signature xmlns=\"{XML_DSIG}\"><SignedInfo><CanonicalizationMethod Algorithm=\"{uri}\"/>\
         <SignatureMethod Algorithm=\"http://www.w3.org/2001/04/xmldsig-more#rsa-sha256\"/>\
         <Reference URI=\"\"><Transforms><Transform Algorithm=\"{ENVELOPED}\"/>\
         <Transform Algorithm=\"{uri}\"/></Transforms>\
         <DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>\
         <DigestValue>{hash}</DigestValue></Reference></SignedInfo>\
         <SignatureValue>AAAA</SignatureValue></Signature>"
    )
}

fn ends_with(body: &str) -> String {
    let plain = String::from_utf8(balefire_cap::write(&alert(ALERT))).expect("UTF-8");
    plain.replace("</alert>", &format!("{body}</alert>"))
}

#[test]
fn no_document_costs_more_than_it_weighs() {
    let trusted = RSA.certificates();
    let long = "u".repeat(16_000);
    let (mut declared, mut short, mut used) = (String::new(), String::new(), String::new());
    for n in 0..30 {
        write!(declared, " xmlns:p{n}=\"urn:{n}:{long}\"").expect("a string");
        write!(short, " xmlns:p{n}=\"urn:{n}\"").expect("a string");
        write!(used, " p{n}:a=\"\"").expect("a string");
    }
    let elements = format!("<b{used}/>").repeat(600);
    let codes = "<code>x</code>".repeat(9_900);
    for c14n in [C14n::Inclusive11, C14n::Exclusive10] {
        let signature = worthless(c14n);
        let plain = ends_with(&signature);
        let beside = format!("<Object xmlns=\"{XML_DSIG}\"{declared}>{elements}</Object>");
        let rows = [
            // In exclusive canonical form every one of these elements has 480,000 bytes.
            (
                ends_with(&format!("{beside}{signature}")),
                "signature-malformed",
            ),
            (
                plain.replacen("<alert", &format!("<alert{declared}"), 1),
                "signature-malformed",
            ),
            (
                plain
                    .replacen("<alert", &format!("<alert{short}"), 1)
                    .replacen("<info>", &format!("{codes}<info>"), 1),
                "signature-digest",
            ),
            (
                plain.replacen("<SignedInfo>", &format!("<SignedInfo{declared}>"), 1),
                "signature-malformed",
            ),
        ];
        for (document, want) in rows {
            assert_eq!(code_in_time(&document, &trusted), want);
        }
    }
}

#[test]
fn no_number_of_certificates_costs_more_than_a_glance() {
    let key = p256_key();
    // Authorities of one name and many keys, each a possible issuer of each other.
    let loops = authority("Loop", None);
    let makers: Vec<KeyPair> = (0..8).map(|_| p256_key()).collect();
    let between: String = (0..7)
        .map(|n| issue(&loops, &makers[n], &loops, &makers[n + 1]))
        .collect();
    let leaf = issue(&params("Desk"), &key, &loops, &makers[0]);
    let plain = Identity {
        key_pem: key.serialize_pem(),
        certificate_pem: params("Desk").self_signed(&key).expect("one").pem(),
    };
    let document = plain.signer().sign_cap(&alert(ALERT)).expect("signed");
    let document = String::from_utf8(document).expect("UTF-8");
    let root = loops.self_signed(&p256_key()).expect("a root").pem();
    let junk = format!("<X509Certificate>{}</X509Certificate>", "A".repeat(21_844));
    let rows = [
        (
            with_certificates(&document, &(leaf.clone() + &between)),
            "signature-chain",
        ),
        (
            with_certificates(&document, &leaf.repeat(9)),
            "signature-malformed",
        ),
        (
            with_certificates(&document, &leaf.repeat(2_000)),
            "signature-malformed",
        ),
        (
            with_certificates(&document, &junk.repeat(8)),
            "signature-untrusted",
        ),
        (
            with_certificates(&document, &junk.replace("A<", "AAAAA<")),
            "signature-malformed",
        ),
    ];
    for (document, want) in rows {
        assert_eq!(code_in_time(&document, &read(&root)), want);
    }
}

#[test]
fn a_signer_whose_pinned_certificate_is_over_may_have_a_new_one_for_the_same_key() {
    let (root, root_key, key) = (authority("Root", None), p256_key(), p256_key());
    let mut over = params("Desk");
    over.not_after = rcgen::date_time_ymd(2026, 6, 1);
    let over = over.self_signed(&key).expect("one").pem();
    let renewed = issue(&params("Desk"), &key, &root, &root_key);
    let root = root.self_signed(&root_key).expect("a root").pem();
    let identity = Identity {
        key_pem: key.serialize_pem(),
        certificate_pem: renewed.clone(),
    };
    let document = identity.signer().sign_cap(&alert(ALERT)).expect("signed");
    let document = String::from_utf8(document).expect("UTF-8");
    assert_eq!(code(&document, &read(&over)), "certificate-not-valid");
    let both = read(&(over.clone() + &root));
    assert_eq!(code(&document, &both), "verified");
    // Whichever of the two stands first in the signature.
    for shown in [renewed.clone() + &over, over + &renewed] {
        let document = with_certificates(&document, &shown);
        assert_eq!(code(&document, &read(&root)), "verified");
        assert_eq!(code(&document, &both), "verified");
    }
}

#[test]
fn beside_the_signature_no_element_of_its_kind_stands_in_the_document() {
    let inside = signed();
    for stranger in ["Object", "Manifest", "KeyInfo", "SignatureProperties"] {
        let element = format!("<{stranger} xmlns=\"{XML_DSIG}\"><x xmlns=\"\"/></{stranger}>");
        let document = inside.replacen("<Signature ", &format!("{element}<Signature "), 1);
        assert_eq!(code(&document, &RSA.certificates()), "signature-malformed");
        let after = inside.replacen("</alert>", &format!("{element}</alert>"), 1);
        assert_eq!(code(&after, &RSA.certificates()), "signature-place");
    }
}
