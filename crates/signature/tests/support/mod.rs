//! Keys, certificates and documents that every run makes anew, and the programs that judge them.

#![allow(dead_code, reason = "every test file takes its own part of this")]

use std::path::Path;
use std::process::{Command, Output};
use std::sync::LazyLock;

use balefire_cap::alert::Alert;
use balefire_signature::{Certificate, Signer, SigningKey};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, date_time_ymd,
};

pub const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared");
pub const ALERT: &str = include_str!("../../../cap/tests/fixtures/flood-alert.xml");
pub const EVERY_ELEMENT: &str = include_str!("../../../cap/tests/fixtures/every-element.xml");

/// A key with its own certificate.
pub struct Identity {
    pub key_pem: String,
    pub certificate_pem: String,
}

impl Identity {
    pub fn signer(&self) -> Signer {
        let key = SigningKey::from_pem(self.key_pem.as_bytes()).expect("a key");
        Signer::new(key, self.certificates()).expect("they belong together")
    }

    pub fn certificates(&self) -> Vec<Certificate> {
        Certificate::from_pem(self.certificate_pem.as_bytes()).expect("a certificate")
    }
}

pub static RSA: LazyLock<Identity> = LazyLock::new(|| identity(&rsa_key(), "Rivers desk"));
pub static OTHER_RSA: LazyLock<Identity> = LazyLock::new(|| identity(&rsa_key(), "Coast desk"));
pub static P256: LazyLock<Identity> = LazyLock::new(|| identity(&p256_key(), "Hill desk"));
pub static P384: LazyLock<Identity> = LazyLock::new(|| {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key");
    identity(&key, "Lake desk")
});

pub fn rsa_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_RSA_SHA256).expect("a key")
}

pub fn p256_key() -> KeyPair {
    KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).expect("a key")
}

/// What every certificate here begins with: valid in 2026 and 2027.
pub fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2028, 1, 1);
    params
}

pub fn identity(key: &KeyPair, name: &str) -> Identity {
    let certificate = params(name).self_signed(key).expect("it signs itself");
    Identity {
        key_pem: key.serialize_pem(),
        certificate_pem: certificate.pem(),
    }
}

/// Parameters of an authority with at most `length` authorities below it.
pub fn authority(name: &str, length: Option<u8>) -> CertificateParams {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(match length {
        Some(length) => BasicConstraints::Constrained(length),
        None => BasicConstraints::Unconstrained,
    });
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

pub fn issue(
    params: &CertificateParams,
    key: &KeyPair,
    issuer: &CertificateParams,
    issuer_key: &KeyPair,
) -> String {
    let issuer = Issuer::from_params(issuer, issuer_key);
    params.signed_by(key, &issuer).expect("it is issued").pem()
}

pub fn alert(document: &str) -> Alert {
    let mut alert = balefire_cap::read(document.as_bytes())
        .expect("a fixture")
        .alert;
    alert.signatures.clear();
    alert
}

/// Shows the tree of a document of any kind.
pub fn with_tree<T>(
    document: &[u8],
    look: impl FnOnce(&roxmltree::Document<'_>) -> T,
) -> Result<T, roxmltree::Error> {
    let text = std::str::from_utf8(document).expect("UTF-8");
    roxmltree::Document::parse(text).map(|tree| look(&tree))
}

/// A signed document of our own.
pub fn signed() -> String {
    let bytes = RSA.signer().sign_cap(&alert(ALERT)).expect("it is signed");
    String::from_utf8(bytes).expect("UTF-8")
}

/// Asks Debian's xmlsec1 about a document.
pub fn xmlsec1(document: &[u8], certificate_pem: &str) -> Output {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.path().join(name), bytes).expect("the folder is writable");
    };
    write("signed.xml", document);
    write("certificate.pem", certificate_pem.as_bytes());
    Command::new("xmlsec1")
        .args([
            "--verify",
            "--pubkey-cert-pem",
            "certificate.pem",
            "signed.xml",
        ])
        .current_dir(folder.path())
        .output()
        .expect("xmlsec1 is needed: cargo xtask setup installs it")
}

/// The five documents that another authority signed, with their names; none where they are not.
pub fn ipaws() -> Vec<(String, String)> {
    let folder = Path::new(SHARED).join("cap-corpus/signed-ipaws");
    let mut documents: Vec<(String, String)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let text = std::fs::read_to_string(entry.path()).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), text))
        })
        .collect();
    documents.sort();
    documents
}

/// The certificate that a document brings along.
pub fn brought(document: &str) -> Certificate {
    use base64::Engine as _;
    let after = document
        .split("X509Certificate>")
        .nth(1)
        .expect("a certificate");
    let text = after.split('<').next().expect("its end");
    let packed: String = text.split_ascii_whitespace().collect();
    let der = base64::engine::general_purpose::STANDARD.decode(packed);
    Certificate::from_der(&der.expect("base64")).expect("a certificate")
}
