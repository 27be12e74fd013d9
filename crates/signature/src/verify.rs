//! Verifying a signed CAP document.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, UnparsedPublicKey,
    VerificationAlgorithm,
};
use balefire_cap::{Document, Finding};
use balefire_domain::time::Timestamp;
use roxmltree::Node;

use crate::algorithms::Method;
use crate::canonical::canonicalise;
use crate::certificate::{Certificate, PublicKeyBytes};
use crate::{chain, structure};

/// Characters of a document that a refusal repeats.
const SHOWN_CHARS_MAX: usize = 80;

/// A document whose signature holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// What was signed.
    pub document: Document,
    /// Whose key signed it.
    pub signer: Certificate,
    /// The authority that vouches for the signer; absent where the signer's own certificate is
    /// trusted.
    pub authority: Option<Certificate>,
}

/// Why a document is not taken for signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is no CAP document at all.
    #[error("it is no valid CAP document: {}", first(.0))]
    Document(Vec<Finding>),
    /// There is no signature.
    #[error("it is not signed")]
    Unsigned,
    /// There is more than one.
    #[error("it has more than one signature; exactly one is taken")]
    Several,
    /// The signature stands elsewhere.
    #[error("its signature is not the last element of the document")]
    Place,
    /// A signature that is put together wrongly.
    #[error("its signature is malformed: {0}")]
    Malformed(String),
    /// A reference to something else than the whole document.
    #[error("its signature must cover the whole document: one Reference, with URI=\"\"")]
    References,
    /// Other transforms.
    #[error("its Transforms must be enveloped-signature and at most one canonicalisation")]
    Transforms,
    /// An algorithm that is not on the list.
    #[error("its {element} {uri} is not taken; see docs/signatures.md for the ones that are")]
    Algorithm {
        /// The element that names it.
        element: String,
        /// The algorithm.
        uri: String,
    },
    /// Base64 with stray characters, wrong padding or unused bits that are not zero.
    #[error("its {0} is no canonical base64")]
    Base64(String),
    /// The document is not what was signed.
    #[error("the document was changed after it was signed: its digest differs")]
    Digest,
    /// No trusted key made the signature.
    #[error("no trusted certificate made this signature, or the signature was changed")]
    Untrusted,
    /// The signer is known only by a certificate that does not lead to a trusted one.
    #[error("its signer ({subject}) is not trusted: {reason}")]
    Chain {
        /// The signer.
        subject: String,
        /// What is wrong with the way to an authority.
        reason: String,
    },
    /// A certificate that did not hold when the document was sent.
    #[error("the certificate of {subject} is valid from {from} to {until}, and `sent` is {sent}")]
    NotValid {
        /// Whose certificate.
        subject: String,
        /// Its first instant.
        from: String,
        /// Its last instant.
        until: String,
        /// The document's date.
        sent: String,
    },
}

fn first(findings: &[Finding]) -> String {
    let error = findings.iter().find(|finding| finding.is_error());
    error.map_or_else(String::new, Finding::to_string)
}

impl Refusal {
    pub(crate) fn algorithm(element: &str, uri: &str) -> Self {
        let is_plain = |c: &char| c.is_ascii_graphic();
        Self::Algorithm {
            element: element.to_owned(),
            uri: uri.chars().filter(is_plain).take(SHOWN_CHARS_MAX).collect(),
        }
    }

    /// The refusal's name, stable, for machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Document(_) => "document",
            Self::Unsigned => "unsigned",
            Self::Several => "several-signatures",
            Self::Place => "signature-place",
            Self::Malformed(_) => "signature-malformed",
            Self::References => "signature-reference",
            Self::Transforms => "signature-transforms",
            Self::Algorithm { .. } => "signature-algorithm",
            Self::Base64(_) => "signature-base64",
            Self::Digest => "signature-digest",
            Self::Untrusted => "signature-untrusted",
            Self::Chain { .. } => "signature-chain",
            Self::NotValid { .. } => "certificate-not-valid",
        }
    }
}

/// Reads a CAP document and verifies its signature. `trusted` are certificates of signers, or of
/// authorities that issued them.
pub fn verify(bytes: &[u8], trusted: &[Certificate]) -> Result<Verified, Refusal> {
    let (document, checked) =
        balefire_cap::read_and_look(bytes, |alert, root| check(root, alert.sent.at, trusted))
            .map_err(Refusal::Document)?;
    let (signer, authority) = checked?;
    Ok(Verified {
        document,
        signer,
        authority,
    })
}

/// Checks the signature that is the last child of `root`, over the whole of it.
fn check(
    root: Node<'_, '_>,
    sent: Timestamp,
    trusted: &[Certificate],
) -> Result<(Certificate, Option<Certificate>), Refusal> {
    let node = structure::find(root)?;
    let signature = structure::read(node)?;
    let document = canonicalise(root, Some(node), signature.document_c14n);
    if signature.digest.of(&document) != signature.digest_value {
        return Err(Refusal::Digest);
    }
    let message = canonicalise(signature.signed_info, None, signature.c14n);
    let is_by = |certificate: &Certificate| {
        is_signed_by(
            &certificate.key,
            signature.method,
            &message,
            &signature.value,
        )
    };
    let pinned: Vec<&Certificate> = trusted.iter().filter(|c| is_by(c)).collect();
    if let Some(signer) = pinned.iter().find(|c| c.validity.holds(sent)) {
        return Ok(((*signer).clone(), None));
    }
    let brought: Vec<Certificate> = signature
        .certificates
        .iter()
        .filter_map(|der| Certificate::from_der(der).ok())
        .collect();
    // A signer whose pinned certificate does not hold at `sent` may have got a new one for the same
    // key, and an authority may vouch for it.
    let mut refusal = match pinned.first() {
        Some(signer) => not_valid(signer, sent),
        None => Refusal::Untrusted,
    };
    for signer in brought.iter().filter(|c| is_by(c)) {
        match chain::find_authority(signer, &brought, trusted, sent) {
            Ok(authority) => return Ok((signer.clone(), Some(authority))),
            Err(reason) if pinned.is_empty() => refusal = reason,
            Err(_) => {}
        }
    }
    Err(refusal)
}

pub(crate) fn not_valid(certificate: &Certificate, sent: Timestamp) -> Refusal {
    Refusal::NotValid {
        subject: certificate.subject.clone(),
        from: certificate.validity.from.to_cap(),
        until: certificate.validity.until.to_cap(),
        sent: sent.to_cap(),
    }
}

fn is_signed_by(key: &PublicKeyBytes, method: Method, message: &[u8], signature: &[u8]) -> bool {
    let (algorithm, key): (&'static dyn VerificationAlgorithm, &[u8]) = match (method, key) {
        (Method::RsaSha256, PublicKeyBytes::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA256, key),
        (Method::RsaSha384, PublicKeyBytes::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA384, key),
        (Method::RsaSha512, PublicKeyBytes::Rsa(key)) => (&RSA_PKCS1_2048_8192_SHA512, key),
        (Method::EcdsaSha256, PublicKeyBytes::P256(key)) => (&ECDSA_P256_SHA256_FIXED, key),
        (Method::EcdsaSha384, PublicKeyBytes::P384(key)) => (&ECDSA_P384_SHA384_FIXED, key),
        _ => return false,
    };
    UnparsedPublicKey::new(algorithm, key)
        .verify(message, signature)
        .is_ok()
}
