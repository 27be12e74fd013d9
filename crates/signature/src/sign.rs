//! Signing what we send: enveloped, Canonical XML 1.1, the signature last.
//!
//! What is signed is canonical as it was written, so its digest is that of its bytes, and RSA gives
//! the same signature at every call. (ECDSA does not: each signature draws a number of its own.)

use balefire_cap::alert::Alert;
use balefire_domain::time::Timestamp;

use crate::algorithms::{C14n, Digest, ENVELOPED, XML_DSIG};
use crate::base64::encode;
use crate::certificate::Certificate;
use crate::key::{KeyFault, SigningKey};

/// How every IBAG document ends before it is signed.
const IBAG_END: &str = "<IBAG_Digital_Signature></IBAG_Digital_Signature></IBAG_Alert_Attributes>";
/// Where in that end the signature goes.
const IBAG_PLACE: usize = "<IBAG_Digital_Signature>".len();

/// Who signs: a key, its certificate and the certificates that lead to an authority.
#[derive(Debug)]
pub struct Signer {
    key: SigningKey,
    chain: Vec<Certificate>,
}

/// Why a document is not signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignRefusal {
    /// The certificate file is empty.
    #[error("there is no certificate to sign with")]
    NoCertificate,
    /// Another key's certificate.
    #[error("the certificate ({0}) is for another key: take the one that was issued for this key")]
    OtherKey(String),
    /// The certificate may not sign documents.
    #[error("the certificate ({0}) may not sign documents: its key usage has no digital signature")]
    Usage(String),
    /// There is a signature already.
    #[error("the document is signed already: sign the document without its signature")]
    Signed,
    /// A date outside the certificate's validity.
    #[error(
        "the document's `sent` ({sent}) is outside the validity of the certificate, which is from \
         {from} to {until}: nobody could verify it"
    )]
    NotValid {
        /// The document's date.
        sent: String,
        /// First instant of the certificate.
        from: String,
        /// Last instant of the certificate.
        until: String,
    },
    /// Not a document that the writer made.
    #[error("the document has no empty IBAG_Digital_Signature at its end")]
    NoPlace,
    /// The library refused to sign.
    #[error(transparent)]
    Key(#[from] KeyFault),
}

impl Signer {
    /// Puts a key and its certificate together; further certificates of the chain travel along.
    pub fn new(key: SigningKey, chain: Vec<Certificate>) -> Result<Self, SignRefusal> {
        let certificate = chain.first().ok_or(SignRefusal::NoCertificate)?;
        let subject = certificate.subject.clone();
        if !key.belongs_to(certificate) {
            return Err(SignRefusal::OtherKey(subject));
        }
        if !certificate.usage.signs_documents {
            return Err(SignRefusal::Usage(subject));
        }
        Ok(Self { key, chain })
    }

    /// The signer's own certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.chain[0]
    }

    /// Writes a message in canonical form and signs it; the signature is the root's last child.
    pub fn sign_cap(&self, alert: &Alert) -> Result<Vec<u8>, SignRefusal> {
        if !alert.signatures.is_empty() {
            return Err(SignRefusal::Signed);
        }
        self.check_validity(alert.sent.at)?;
        let document = balefire_cap::write(alert);
        let place = document.len() - "</alert>".len();
        self.sign_at(&document, place)
    }

    /// Signs an IBAG document as [`balefire_cap::outgoing`] writes it; the signature goes into the
    /// empty element that ends it. `sent` is the document's date.
    pub fn sign_ibag(&self, document: &[u8], sent: Timestamp) -> Result<Vec<u8>, SignRefusal> {
        if !document.ends_with(IBAG_END.as_bytes()) {
            return Err(SignRefusal::NoPlace);
        }
        self.check_validity(sent)?;
        self.sign_at(document, document.len() - IBAG_END.len() + IBAG_PLACE)
    }

    fn check_validity(&self, sent: Timestamp) -> Result<(), SignRefusal> {
        let validity = self.certificate().validity;
        if validity.holds(sent) {
            return Ok(());
        }
        Err(SignRefusal::NotValid {
            sent: sent.to_cap(),
            from: validity.from.to_cap(),
            until: validity.until.to_cap(),
        })
    }

    /// Signs canonical bytes and puts the signature at a place inside them.
    fn sign_at(&self, document: &[u8], place: usize) -> Result<Vec<u8>, SignRefusal> {
        let digest = encode(&Digest::Sha256.of(document));
        let info = signed_info(self.key.method().uri(), &digest);
        // In canonical form the apex declares the namespace that stands on `Signature` in the
        // document; the document's own default namespace does not reach it.
        let declared = format!("<SignedInfo xmlns=\"{XML_DSIG}\">");
        let canonical = info.replacen("<SignedInfo>", &declared, 1);
        let value = encode(&self.key.sign(canonical.as_bytes())?);
        let mut certificates = String::new();
        for certificate in &self.chain {
            let encoded = encode(&certificate.der);
            certificates.extend(["<X509Certificate>", &encoded, "</X509Certificate>"]);
        }
        let signature = format!(
            "<Signature xmlns=\"{XML_DSIG}\">{info}<SignatureValue>{value}</SignatureValue>\
             <KeyInfo><X509Data>{certificates}</X509Data></KeyInfo></Signature>"
        );
        let mut signed = Vec::with_capacity(document.len() + signature.len());
        signed.extend_from_slice(&document[..place]);
        signed.extend_from_slice(signature.as_bytes());
        signed.extend_from_slice(&document[place..]);
        Ok(signed)
    }
}

/// `SignedInfo` in canonical form, but for the declaration of its namespace.
fn signed_info(method: &str, digest: &str) -> String {
    let c14n = C14n::Inclusive11.uri();
    let digest_method = Digest::Sha256.uri();
    format!(
        "<SignedInfo>\
         <CanonicalizationMethod Algorithm=\"{c14n}\"></CanonicalizationMethod>\
         <SignatureMethod Algorithm=\"{method}\"></SignatureMethod>\
         <Reference URI=\"\"><Transforms>\
         <Transform Algorithm=\"{ENVELOPED}\"></Transform>\
         <Transform Algorithm=\"{c14n}\"></Transform>\
         </Transforms>\
         <DigestMethod Algorithm=\"{digest_method}\"></DigestMethod>\
         <DigestValue>{digest}</DigestValue></Reference></SignedInfo>"
    )
}
