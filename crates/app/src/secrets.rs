//! Secrets at rest: AES-256-GCM under the key of the configuration (D49). A database that is
//! stolen without the key file gives no key away.

use std::fmt::Write as _;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use balefire_domain::entropy::Entropy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;

/// Bytes of the key.
pub const SECRET_KEY_BYTES: usize = 32;

/// The key for secrets at rest. Never shown.
pub struct SecretKey {
    sealing: LessSafeKey,
    digesting: hmac::Key,
}

/// A stored secret can't be read: the key is another one, or the row was changed.
#[derive(Debug, thiserror::Error)]
#[error("a stored secret can't be read: is secrets.key_file the one it was stored with?")]
pub struct UnreadableSecret;

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl SecretKey {
    /// The key of these bytes.
    pub fn new(bytes: &[u8; SECRET_KEY_BYTES]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, bytes).expect("32 bytes are an AES-256 key");
        let whole = hmac::Key::new(hmac::HMAC_SHA256, bytes);
        let own = hmac::sign(&whole, b"balefire digests");
        Self {
            sealing: LessSafeKey::new(key),
            digesting: hmac::Key::new(hmac::HMAC_SHA256, own.as_ref()),
        }
    }

    /// What a short secret is compared by: HMAC-SHA256, in hex, under a key that is made of ours.
    /// `of` says whose it is and what for, so that no digest is worth anything elsewhere.
    pub fn digest(&self, of: &str, secret: &str) -> String {
        let mut text = of.as_bytes().to_vec();
        text.push(0);
        text.extend_from_slice(secret.as_bytes());
        let tag = hmac::sign(&self.digesting, &text);
        tag.as_ref().iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }

    /// Encrypts a secret: base64 of nonce, ciphertext and tag.
    pub fn seal(&self, secret: &str, entropy: &dyn Entropy) -> String {
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&entropy.random().to_le_bytes()[..NONCE_LEN]);
        let mut sealed = secret.as_bytes().to_vec();
        self.sealing
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::empty(),
                &mut sealed,
            )
            .expect("a short secret can be encrypted");
        BASE64.encode([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`SecretKey::seal`] made.
    pub fn open(&self, sealed: &str) -> Result<String, UnreadableSecret> {
        let mut bytes = BASE64.decode(sealed).map_err(|_| UnreadableSecret)?;
        if bytes.len() < NONCE_LEN {
            return Err(UnreadableSecret);
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).map_err(|_| UnreadableSecret)?;
        let secret = self
            .sealing
            .open_in_place(nonce, Aad::empty(), &mut sealed)
            .map_err(|_| UnreadableSecret)?;
        String::from_utf8(secret.to_vec()).map_err(|_| UnreadableSecret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Seven;
    impl Entropy for Seven {
        fn random(&self) -> u128 {
            7
        }
    }

    #[test]
    fn sec_27_a_digest_is_of_one_secret_for_one_use_under_one_key() {
        let (ours, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        let digest = ours.digest("code of ann", "1234567");
        assert_eq!(digest, ours.digest("code of ann", "1234567"));
        assert!(digest.len() == 64 && !digest.contains("1234567"));
        assert_ne!(digest, ours.digest("code of ann", "1234568"));
        assert_ne!(digest, ours.digest("code of bob", "1234567"));
        assert_ne!(digest, other.digest("code of ann", "1234567"));
        assert_ne!(ours.digest("a", "b"), ours.digest("ab", ""));
    }

    #[test]
    fn a_secret_comes_back_with_its_key_only() {
        let (ours, other) = (SecretKey::new(&[1; 32]), SecretKey::new(&[2; 32]));
        let sealed = ours.seal("secret", &Seven);
        assert!(!sealed.contains("secret"));
        assert_eq!(ours.open(&sealed).expect("ours"), "secret");
        assert!(other.open(&sealed).is_err());
        assert!(ours.open("").is_err() && ours.open("!").is_err() && ours.open("AAAA").is_err());
        let mut changed = sealed.into_bytes();
        changed[20] ^= 1;
        assert!(
            ours.open(&String::from_utf8(changed).expect("ASCII"))
                .is_err()
        );
    }
}
