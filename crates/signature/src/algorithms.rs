//! Every algorithm that is taken, by the address that names it in a document. What is not here is
//! refused by name.

use aws_lc_rs::digest;

/// The namespace of XML signatures.
pub const XML_DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The transform that leaves the signature itself out.
pub const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";

/// One list of algorithms: variants with their addresses.
macro_rules! algorithms {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident = $uri:literal),+ $(,)?
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The algorithm that this address names.
            pub fn from_uri(uri: &str) -> Option<Self> {
                match uri {
                    $($uri => Some(Self::$variant),)+
                    _ => None,
                }
            }

            /// Its address.
            pub const fn uri(self) -> &'static str {
                match self { $(Self::$variant => $uri),+ }
            }
        }
    };
}

algorithms! {
    /// How a document becomes bytes. The variants that keep comments are not taken.
    C14n {
        /// Canonical XML 1.0. Also what holds where a reference names none (XML-DSig §4.4.3.2).
        Inclusive10 = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
        /// Canonical XML 1.1.
        Inclusive11 = "http://www.w3.org/2006/12/xml-c14n11",
        /// Exclusive canonical XML 1.0, without a list of inclusive prefixes.
        Exclusive10 = "http://www.w3.org/2001/10/xml-exc-c14n#",
    }
}

algorithms! {
    /// How bytes become a digest.
    Digest {
        /// SHA-256.
        Sha256 = "http://www.w3.org/2001/04/xmlenc#sha256",
        /// SHA-384.
        Sha384 = "http://www.w3.org/2001/04/xmldsig-more#sha384",
        /// SHA-512.
        Sha512 = "http://www.w3.org/2001/04/xmlenc#sha512",
    }
}

algorithms! {
    /// How a digest is signed.
    Method {
        /// RSA PKCS #1 v1.5 with SHA-256.
        RsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        /// RSA PKCS #1 v1.5 with SHA-384.
        RsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384",
        /// RSA PKCS #1 v1.5 with SHA-512.
        RsaSha512 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
        /// ECDSA with SHA-256, on P-256.
        EcdsaSha256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256",
        /// ECDSA with SHA-384, on P-384.
        EcdsaSha384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384",
    }
}

impl Digest {
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }
}
