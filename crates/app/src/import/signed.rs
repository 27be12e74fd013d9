//! Secrets of the earlier service: signed and readable, as its library `itsdangerous` writes them
//! (`base64url(JSON) . base64url(HMAC)`, the key being the SHA-1 of salt, `signer` and secret key).
//!
//! A secret is taken where its signature is right and it is what a key's secret is: whoever could
//! write the earlier database and no more makes no key here.

use aws_lc_rs::{digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;

/// Characters of a key's secret: clients cut as many off the end of what they were given.
const SECRET_CHARS: usize = 36;
/// Names under which the two values may stand in the file.
const KEY_NAMES: [&str; 2] = ["ENCRYPTION_SECRET_KEY", "SECRET_KEY"];
const SALT_NAMES: [&str; 2] = ["ENCRYPTION_DANGEROUS_SALT", "DANGEROUS_SALT"];

/// What the earlier service signed its keys' secrets with. Never shown.
pub struct EarlierKey {
    signing: hmac::Key,
}

impl std::fmt::Debug for EarlierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl EarlierKey {
    /// Reads the two lines `ENCRYPTION_SECRET_KEY=…` and `ENCRYPTION_DANGEROUS_SALT=…`; why not,
    /// in plain words, where they are not there.
    pub fn read(text: &str) -> Result<Self, String> {
        let value = |names: [&str; 2]| {
            let lines = text.lines().filter_map(|line| line.trim().split_once('='));
            let named = |(name, _): &(&str, &str)| names.contains(&name.trim());
            lines
                .rev()
                .find(named)
                .map(|(_, value)| value.trim().trim_matches('"').to_owned())
        };
        let absent = |name: &str| format!("a line {name}=… is needed in the file");
        let key = value(KEY_NAMES).ok_or_else(|| absent(KEY_NAMES[0]))?;
        let salt = value(SALT_NAMES).ok_or_else(|| absent(SALT_NAMES[0]))?;
        if key.is_empty() || salt.is_empty() {
            return Err("the secret key or the salt in the file is empty".to_owned());
        }
        Ok(Self::new(&key, &salt))
    }

    /// The key of these two values.
    pub fn new(key: &str, salt: &str) -> Self {
        let whole = [salt.as_bytes(), b"signer", key.as_bytes()].concat();
        let derived = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &whole);
        Self {
            signing: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, derived.as_ref()),
        }
    }

    /// The secret that was signed; why it is not taken, in plain words.
    pub fn open(&self, signed: &str) -> Result<String, String> {
        let wrong = || "is not signed by the given secret key and salt".to_owned();
        let (payload, signature) = signed.rsplit_once('.').ok_or_else(wrong)?;
        let signature = BASE64.decode(signature).map_err(|_| wrong())?;
        hmac::verify(&self.signing, payload.as_bytes(), &signature).map_err(|_| wrong())?;
        let unread = || "is signed, and no secret of a key".to_owned();
        let json = BASE64.decode(payload).map_err(|_| unread())?;
        let secret: String = serde_json::from_slice(&json).map_err(|_| unread())?;
        if secret.len() != SECRET_CHARS || !secret.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(unread());
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by `URLSafeSerializer("dev-notify-secret-key").dumps(…, salt="dev-notify-salt")` of
    /// itsdangerous 2.2.
    const SIGNED: &str =
        "ImY1YjFlMGE4LTExMTEtNGMzYy05ZDNhLTBjMWYzYTdkMmIxMCI.XDOURUhU71z4cEPxY_6U5UvPB8M";
    const SECRET: &str = "f5b1e0a8-1111-4c3c-9d3a-0c1f3a7d2b10";

    #[test]
    fn a_secret_is_taken_only_with_its_signature() {
        let key = EarlierKey::new("dev-notify-secret-key", "dev-notify-salt");
        assert_eq!(key.open(SIGNED).expect("signed"), SECRET);
        let (payload, signature) = SIGNED.split_once('.').expect("a dot");
        let other = BASE64.encode(format!("\"{}\"", SECRET.replace('f', "e")));
        for bad in [
            String::new(),
            payload.to_owned(),
            format!("{payload}."),
            format!("{other}.{signature}"),
            format!(".{payload}.{signature}"),
            SIGNED.replace(&signature[..2], "AA"),
        ] {
            assert!(key.open(&bad).is_err(), "{bad}");
        }
        let others = [("dev-notify-secret-key", "x"), ("x", "dev-notify-salt")];
        for (secret, salt) in others {
            assert!(
                EarlierKey::new(secret, salt).open(SIGNED).is_err(),
                "{secret} {salt}"
            );
        }
    }

    #[test]
    fn the_file_names_key_and_salt() {
        let read = EarlierKey::read(
            "# of the old service\nDANGEROUS_SALT = dev-notify-salt\n\
             SECRET_KEY=\"dev-notify-secret-key\"\n",
        );
        assert_eq!(read.expect("both").open(SIGNED).as_deref(), Ok(SECRET));
        for bad in ["", "SECRET_KEY=a", "SECRET_KEY=a\nDANGEROUS_SALT="] {
            assert!(EarlierKey::read(bad).is_err(), "{bad}");
        }
    }
}
