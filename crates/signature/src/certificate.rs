//! X.509 certificates: what of them is shown and what of them is relied on.

use aws_lc_rs::digest;
use balefire_domain::shown::shown;
use balefire_domain::time::Timestamp;
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::public_key::PublicKey;

/// Certificates in one file; a chain has three or four.
const CERTIFICATES_PER_FILE_MAX: usize = 16;
/// Bits of an RSA key that is taken.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// Characters of a name that are shown.
const NAME_CHARS_MAX: usize = 300;

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// Whom it is for, as `CN=…, O=…`.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// Its serial number in hexadecimal digits.
    pub serial: String,
    /// SHA-256 of the whole certificate in hexadecimal digits: its name here.
    pub fingerprint: String,
    /// From when until when it holds.
    pub validity: Validity,
    /// Whether it is an authority's: it may issue others.
    pub is_authority: bool,
    /// For an authority, how many authorities may stand between it and a signer.
    #[serde(skip)]
    pub(crate) path_length: Option<u32>,
    /// What its key may be used for.
    #[serde(skip)]
    pub(crate) usage: Usage,
    /// The public key.
    #[serde(skip)]
    pub(crate) key: PublicKeyBytes,
    /// The certificate itself.
    #[serde(skip)]
    pub(crate) der: Vec<u8>,
}

/// A span of time, both ends included, whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Validity {
    /// The first instant.
    #[serde(serialize_with = "as_text")]
    pub from: Timestamp,
    /// The last instant.
    #[serde(serialize_with = "as_text")]
    pub until: Timestamp,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes what it serializes by reference"
)]
fn as_text<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&at.to_cap())
}

impl Validity {
    /// Whether the instant lies within it.
    pub fn holds(self, at: Timestamp) -> bool {
        (self.from.seconds()..=self.until.seconds()).contains(&at.seconds())
    }
}

/// What the `keyUsage` of a certificate admits; all where it has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Signatures of documents.
    pub signs_documents: bool,
    /// Signatures of other certificates.
    pub signs_certificates: bool,
}

/// A public key of a kind that is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKeyBytes {
    /// `RSAPublicKey` in DER (RFC 8017), 2048 to 8192 bits.
    Rsa(Vec<u8>),
    /// An uncompressed point of P-256.
    P256(Vec<u8>),
    /// An uncompressed point of P-384.
    P384(Vec<u8>),
    /// A kind that signs nothing here; an authority may have it all the same.
    Other,
}

/// Why bytes are no certificate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateFault {
    /// No PEM block, or one that is broken.
    #[error("it has no certificate in PEM form (-----BEGIN CERTIFICATE-----)")]
    NoPem,
    /// More than anybody needs.
    #[error("it has more than 16 certificates")]
    TooMany,
    /// A certificate that can't be read.
    #[error("its certificate can't be read: {0}")]
    Malformed(String),
}

impl Certificate {
    /// Reads all certificates of a PEM file, at least one.
    pub fn from_pem(pem: &[u8]) -> Result<Vec<Self>, CertificateFault> {
        let mut certificates = Vec::new();
        for der in CertificateDer::pem_slice_iter(pem) {
            if certificates.len() == CERTIFICATES_PER_FILE_MAX {
                return Err(CertificateFault::TooMany);
            }
            let der = der.map_err(|_| CertificateFault::NoPem)?;
            certificates.push(Self::from_der(&der)?);
        }
        if certificates.is_empty() {
            return Err(CertificateFault::NoPem);
        }
        Ok(certificates)
    }

    /// Reads one certificate.
    pub fn from_der(der: &[u8]) -> Result<Self, CertificateFault> {
        let malformed =
            |what: &dyn std::fmt::Display| CertificateFault::Malformed(what.to_string());
        let (rest, parsed) =
            x509_parser::parse_x509_certificate(der).map_err(|error| malformed(&error))?;
        if !rest.is_empty() {
            return Err(malformed(&"bytes follow it"));
        }
        let constraints = parsed
            .basic_constraints()
            .map_err(|error| malformed(&error))?;
        let constraints = constraints.map(|extension| extension.value);
        let usage = parsed.key_usage().map_err(|error| malformed(&error))?;
        let usage = usage.map(|extension| extension.value);
        Ok(Self {
            subject: shown(&parsed.subject().to_string(), NAME_CHARS_MAX),
            issuer: shown(&parsed.issuer().to_string(), NAME_CHARS_MAX),
            serial: hex(parsed.raw_serial()),
            fingerprint: hex(digest::digest(&digest::SHA256, der).as_ref()),
            validity: Validity {
                from: Timestamp::from_seconds(parsed.validity().not_before.timestamp()),
                until: Timestamp::from_seconds(parsed.validity().not_after.timestamp()),
            },
            is_authority: constraints.is_some_and(|c| c.ca),
            path_length: constraints.and_then(|c| c.path_len_constraint),
            usage: Usage {
                signs_documents: usage.is_none_or(|u| u.digital_signature() || u.non_repudiation()),
                signs_certificates: usage
                    .is_none_or(x509_parser::extensions::KeyUsage::key_cert_sign),
            },
            key: public_key(&parsed),
            der: der.to_vec(),
        })
    }

    /// Whether a signature can be verified by it: its key is of a kind that is taken, or it is an
    /// authority's that may issue certificates.
    pub fn is_of_use(&self) -> bool {
        self.key != PublicKeyBytes::Other || (self.is_authority && self.usage.signs_certificates)
    }

    /// The certificate in PEM form.
    pub fn to_pem(&self) -> String {
        let encoded = crate::base64::encode(&self.der);
        let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
        let mut rest = encoded.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at(rest.len().min(64));
            pem.extend([line, "\n"]);
            rest = after;
        }
        pem.push_str("-----END CERTIFICATE-----\n");
        pem
    }
}

fn public_key(certificate: &X509Certificate<'_>) -> PublicKeyBytes {
    let info = certificate.public_key();
    let bytes = info.subject_public_key.data.to_vec();
    match info.parsed() {
        Ok(PublicKey::RSA(key)) if RSA_BITS.contains(&key.key_size()) => PublicKeyBytes::Rsa(bytes),
        // An uncompressed point is 04 and two coordinates of 32 or 48 octets.
        Ok(PublicKey::EC(_)) => match (named_curve(certificate).as_deref(), bytes.len()) {
            (Some("1.2.840.10045.3.1.7"), 65) => PublicKeyBytes::P256(bytes),
            (Some("1.3.132.0.34"), 97) => PublicKeyBytes::P384(bytes),
            _ => PublicKeyBytes::Other,
        },
        _ => PublicKeyBytes::Other,
    }
}

fn named_curve(certificate: &X509Certificate<'_>) -> Option<String> {
    let parameters = certificate.public_key().algorithm.parameters.as_ref()?;
    Some(parameters.as_oid().ok()?.to_id_string())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing to a string can't fail");
    }
    text
}
