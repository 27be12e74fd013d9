//! From a signer's certificate to a trusted authority.
//!
//! The path is built and checked by webpki, which the TLS of this product rests on too. What it
//! leaves to its caller is checked here: that the anchor is an authority, its own validity and
//! length of path, and what each key may be used for. Which protocol a certificate was issued for
//! (extended key usage) is no matter: the authority and the service are configured together.

use std::time::Duration;

use balefire_domain::time::Timestamp;
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm, TrustAnchor, UnixTime};
use webpki::{EndEntityCert, Error, ExtendedKeyUsageValidator, KeyPurposeIdIter, VerifiedPath};
use webpki::{anchor_from_trusted_cert, aws_lc_rs as algorithms};

use crate::certificate::Certificate;
use crate::verify::{Refusal, not_valid};

/// With what an authority may have signed a certificate. No SHA-1.
const ALGORITHMS: [&dyn SignatureVerificationAlgorithm; 7] = [
    algorithms::RSA_PKCS1_2048_8192_SHA256,
    algorithms::RSA_PKCS1_2048_8192_SHA384,
    algorithms::RSA_PKCS1_2048_8192_SHA512,
    algorithms::ECDSA_P256_SHA256,
    algorithms::ECDSA_P256_SHA384,
    algorithms::ECDSA_P384_SHA256,
    algorithms::ECDSA_P384_SHA384,
];

/// Any purpose.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), Error> {
        Ok(())
    }
}

/// The trusted authority that vouches for the signer at that instant. `brought` are certificates
/// that may lead there; nothing vouches for them.
pub(crate) fn find_authority(
    signer: &Certificate,
    brought: &[Certificate],
    trusted: &[Certificate],
    at: Timestamp,
) -> Result<Certificate, Refusal> {
    let refuse = |reason: &str| Refusal::Chain {
        subject: signer.subject.clone(),
        reason: reason.to_owned(),
    };
    if !signer.usage.signs_documents {
        return Err(refuse("its key may not sign documents"));
    }
    let may_issue = |c: &&Certificate| c.is_authority && c.usage.signs_certificates;
    let authorities: Vec<&Certificate> = trusted.iter().filter(may_issue).collect();
    if authorities.is_empty() {
        return Err(refuse(
            "no trusted certificate is its own or an authority's",
        ));
    }
    if !signer.validity.holds(at) {
        return Err(not_valid(signer, at));
    }
    let mut reason = refuse("none of the trusted authorities issued it");
    for authority in authorities {
        match check_path(signer, brought, authority, at) {
            Ok(()) if authority.validity.holds(at) => return Ok(authority.clone()),
            Ok(()) => reason = not_valid(authority, at),
            Err(Error::UnknownIssuer) => {}
            Err(error) => reason = refuse(words(&error)),
        }
    }
    Err(reason)
}

fn check_path(
    signer: &Certificate,
    brought: &[Certificate],
    authority: &Certificate,
    at: Timestamp,
) -> Result<(), Error> {
    let between: Vec<CertificateDer<'_>> = brought
        .iter()
        .filter(|c| c.is_authority && c.usage.signs_certificates)
        .map(|c| CertificateDer::from(c.der.as_slice()))
        .collect();
    let anchor_der = CertificateDer::from(authority.der.as_slice());
    let anchors: [TrustAnchor<'_>; 1] = [anchor_from_trusted_cert(&anchor_der)?];
    let signer_der = CertificateDer::from(signer.der.as_slice());
    let leaf = EndEntityCert::try_from(&signer_der)?;
    let seconds = u64::try_from(at.seconds()).unwrap_or(0);
    let time = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let is_short = |path: &VerifiedPath<'_>| match authority.path_length {
        Some(max) if path.intermediate_certificates().count() > max as usize => {
            Err(Error::PathLenConstraintViolated)
        }
        _ => Ok(()),
    };
    leaf.verify_for_usage(
        &ALGORITHMS,
        &anchors,
        &between,
        time,
        AnyPurpose,
        None,
        Some(&is_short),
    )
    .map(|_| ())
}

fn words(error: &Error) -> &'static str {
    match error {
        Error::CertExpired { .. } | Error::CertNotValidYet { .. } => {
            "a certificate between it and the authority is not valid at `sent`"
        }
        Error::CaUsedAsEndEntity => "its certificate is an authority's, which signs no documents",
        Error::PathLenConstraintViolated => {
            "too many authorities stand between it and the trusted one"
        }
        Error::InvalidSignatureForPublicKey => "its certificate was not signed by that authority",
        _ => "its certificate is not one that the trusted authority vouches for",
    }
}
