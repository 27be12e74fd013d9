//! XML signatures of CAP and IBAG documents: signs what we send, verifies what comes in.
//!
//! A signature here is enveloped, covers the whole document, and is the last child of its root
//! (CAP 1.2 §3.3.4.1); in IBAG it stands in the element that ends the document.
//!
//! Promised of [`verify`](fn@verify): what it answers is read from the very tree whose digest was
//! compared, so no other reading of the document can be smuggled in; every algorithm, transform and
//! attribute is on a list ([`algorithms`]) or the document is refused; base64 must be canonical, so
//! that a signature has one spelling; the signer is one of the trusted certificates or chains to
//! one; and the document's `sent` lies within the validity of every certificate that is relied on.
//! No clock is read: what was signed in time stays verifiable.
//!
//! Deliberately not done: no lenient mode for documents that were indented after they were signed
//! (they fail, as they should: what was signed is not what arrived); no revocation lists (a
//! certificate is untrusted by removing it from the service); no SHA-1, HMAC, XPath or XSLT.

pub mod algorithms;
mod base64;
mod canonical;
mod certificate;
mod chain;
mod expiry;
mod key;
mod sign;
mod structure;
mod verify;

pub use canonical::canonicalise;
pub use certificate::{Certificate, CertificateFault, Validity};
pub use expiry::{WARNING_DAYS_MAX, warning_days};
pub use key::{KeyFault, SigningKey};
pub use sign::{SignRefusal, Signer};
pub use verify::{Refusal, Verified, verify};
