//! The private key that signs.

use aws_lc_rs::digest;
use aws_lc_rs::rsa::KeyPair as RsaKeyPair;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    RSA_PKCS1_SHA256,
};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

use crate::algorithms::Method;
use crate::certificate::{Certificate, PublicKeyBytes};

/// Octets of the smallest RSA modulus that is taken: 2048 bits.
const RSA_OCTETS_MIN: usize = 256;

/// A private key: RSA of 2048 bits or more, or ECDSA on P-256 or P-384.
#[derive(Debug)]
pub struct SigningKey(Pair);

#[derive(Debug)]
enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
}

/// Why a key can't sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No PEM block.
    #[error("it has no private key in PEM form (-----BEGIN PRIVATE KEY-----), or it is encrypted")]
    NoPem,
    /// A kind of key that no centre takes.
    #[error("its key is neither RSA of 2048 bits or more nor ECDSA on P-256 or P-384")]
    Kind,
    /// The library refused to sign.
    #[error("the key can't sign")]
    Sign,
}

impl SigningKey {
    /// Reads the first private key of a PEM file: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub fn from_pem(pem: &[u8]) -> Result<Self, KeyFault> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|_| KeyFault::NoPem)?;
        let bytes = der.secret_der();
        let rsa = match &der {
            PrivateKeyDer::Pkcs1(_) => RsaKeyPair::from_der(bytes).ok(),
            PrivateKeyDer::Pkcs8(_) => RsaKeyPair::from_pkcs8(bytes).ok(),
            _ => None,
        };
        if let Some(pair) = rsa.filter(|pair| pair.public_modulus_len() >= RSA_OCTETS_MIN) {
            return Ok(Self(Pair::Rsa(Box::new(pair))));
        }
        let p256 = EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, bytes);
        let p384 = EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes);
        match (p256, p384) {
            (Ok(pair), _) => Ok(Self(Pair::P256(pair))),
            (_, Ok(pair)) => Ok(Self(Pair::P384(pair))),
            _ => Err(KeyFault::Kind),
        }
    }

    /// How it signs: rsa-sha256, ecdsa-sha256 or ecdsa-sha384.
    pub fn method(&self) -> Method {
        match &self.0 {
            Pair::Rsa(_) => Method::RsaSha256,
            Pair::P256(_) => Method::EcdsaSha256,
            Pair::P384(_) => Method::EcdsaSha384,
        }
    }

    /// Whether the certificate is for this key.
    pub fn belongs_to(&self, certificate: &Certificate) -> bool {
        match (&self.0, &certificate.key) {
            (Pair::Rsa(pair), PublicKeyBytes::Rsa(key)) => pair.public_key().as_ref() == key,
            (Pair::P256(pair), PublicKeyBytes::P256(key))
            | (Pair::P384(pair), PublicKeyBytes::P384(key)) => pair.public_key().as_ref() == key,
            _ => false,
        }
    }

    /// The signature of a message: PKCS #1 v1.5, or the two numbers of ECDSA side by side
    /// (XML-DSig 1.1 §6.4.3).
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyFault> {
        let of = |algorithm| digest::digest(algorithm, message);
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &of(&digest::SHA256), &mut signature)
                    .map_err(|_| KeyFault::Sign)?;
                Ok(signature)
            }
            Pair::P256(pair) => ecdsa(pair.sign_digest(&of(&digest::SHA256))),
            Pair::P384(pair) => ecdsa(pair.sign_digest(&of(&digest::SHA384))),
        }
    }
}

fn ecdsa<E>(signature: Result<aws_lc_rs::signature::Signature, E>) -> Result<Vec<u8>, KeyFault> {
    let signature = signature.map_err(|_| KeyFault::Sign)?;
    Ok(signature.as_ref().to_vec())
}
