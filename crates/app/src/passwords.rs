//! Passwords as they are kept: argon2id with 19 MiB, two passes and one lane, as the OWASP sheet
//! on password storage has it, in the PHC string that every argon2 tool reads.
//!
//! The digest of a person who was imported is bcrypt's until they sign in for the first time; then
//! argon2id takes its place (ADR 23).
//!
//! What it promises: hashing is done apart from the threads that answer, by [`AT_ONCE_MAX`] at a
//! time; a password that belongs to nobody costs the same time as one that does.

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use balefire_domain::earlier::people::is_bcrypt;
use balefire_domain::entropy::Entropy;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use tokio::sync::Semaphore;

/// Hashes that one process makes at a time; each has 19 MiB and a core for some 20 ms.
const AT_ONCE_MAX: usize = 2;
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const HASH_BYTES: usize = 32;
/// The most that a stored hash may ask for.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 10;

static PLACES: Semaphore = Semaphore::const_new(AT_ONCE_MAX);

/// A hash that was read.
struct Stored {
    params: Params,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// Hashes a new password with a salt of its own.
pub(crate) async fn hash(password: &str, entropy: &dyn Entropy) -> String {
    let (password, salt) = (password.to_owned(), entropy.random().to_le_bytes());
    let hashed = apart(move || {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES));
        let hashed = derive(
            params.expect("argon2 takes these"),
            &password,
            &salt,
            HASH_BYTES,
        );
        BASE64.encode(hashed)
    });
    let salt = BASE64.encode(salt);
    format!(
        "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${}",
        hashed.await
    )
}

/// Whether a password is the one of a stored hash. Without one it takes as long, and is not.
pub(crate) async fn is_right(password: &str, stored: Option<&str>) -> bool {
    if let Some(digest) = stored.filter(|stored| is_of_the_earlier(stored)) {
        let (password, digest) = (password.to_owned(), digest.to_owned());
        return apart(move || bcrypt::verify(password, &digest).unwrap_or(false)).await;
    }
    let read = stored.and_then(read);
    let is_there = read.is_some();
    let stored = read.unwrap_or_else(|| Stored {
        params: Params::new(MEMORY_KIB, PASSES, LANES, Some(HASH_BYTES))
            .expect("argon2 takes these"),
        salt: vec![0; 16],
        hash: vec![0; HASH_BYTES],
    });
    let password = password.to_owned();
    let is_equal = apart(move || {
        let bytes = stored.hash.len();
        let hashed = derive(stored.params, &password, &stored.salt, bytes);
        verify_slices_are_equal(&hashed, &stored.hash).is_ok()
    });
    is_equal.await && is_there
}

/// Whether a stored digest came from the earlier service: to be replaced at the next sign-in.
pub(crate) fn is_of_the_earlier(stored: &str) -> bool {
    is_bcrypt(stored)
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let place = PLACES
        .acquire()
        .await
        .expect("the semaphore is never closed");
    let done = tokio::task::spawn_blocking(work).await;
    drop(place);
    done.expect("hashing does not panic")
}

fn derive(params: Params, password: &str, salt: &[u8], bytes: usize) -> Vec<u8> {
    let mut out = vec![0; bytes];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password.as_bytes(), salt, &mut out)
        .expect("salt, length and parameters were checked");
    out
}

/// Reads `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
fn read(stored: &str) -> Option<Stored> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let mut costs = costs.split(',').zip(["m=", "t=", "p="]);
    let mut cost = || -> Option<u32> {
        let (text, name) = costs.next()?;
        text.strip_prefix(name)?.parse().ok()
    };
    let (memory, passes, lanes) = (cost()?, cost()?, cost()?);
    let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
    let is_sound = memory <= MEMORY_KIB_MAX
        && passes <= PASSES_MAX
        && (8..=64).contains(&salt.len())
        && (16..=64).contains(&hash.len());
    let params = Params::new(memory, passes, lanes, Some(hash.len())).ok();
    let params = params.filter(|_| is_sound && parts.next().is_none())?;
    Some(Stored { params, salt, hash })
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

    #[tokio::test]
    async fn sec_23_a_password_is_kept_as_argon2id_and_only_it_opens() {
        let stored = hash("a-long-Password-1234", &Seven).await;
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        assert!(!stored.contains("Password"));
        assert!(is_right("a-long-Password-1234", Some(&stored)).await);
        assert!(!is_right("a-long-Password-1235", Some(&stored)).await);
        assert!(!is_right("", Some(&stored)).await);
        assert!(!is_right("a-long-Password-1234", None).await);
    }

    #[tokio::test]
    async fn sec_23_a_digest_of_the_earlier_service_opens_for_its_password_alone() {
        // Made by the library that the earlier service hashes with: bcrypt 2b, here at cost 4.
        let digest = "$2b$04$2yZRqXmultiXpNTVZbfgeewL/53oOx/ZLCUAGrQyo00pM40d8lVNO";
        assert!(is_of_the_earlier(digest));
        assert!(is_right("correct horse battery", Some(digest)).await);
        assert!(!is_right("correct horse batterz", Some(digest)).await);
        assert!(!is_right("", Some(digest)).await);
        // What would cost minutes opens nothing, and costs nothing.
        let costly = digest.replace("$04$", "$31$");
        assert!(!is_right("correct horse battery", Some(&costly)).await);
        assert!(!is_of_the_earlier(
            &hash("correct horse battery", &Seven).await
        ));
    }

    #[tokio::test]
    async fn what_was_hashed_elsewhere_is_read() {
        // Of the reference program: echo -n password | argon2 somesalt -id -t 2 -k 64 -p 1
        for odd in [
            "",
            "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=99999999,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$t=2,m=64,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$",
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAAAAAAA$x",
            "$2b$10$abcdefghijklmnopqrstuv",
        ] {
            assert!(read(odd).is_none(), "{odd}");
            assert!(!is_right("password", Some(odd)).await, "{odd}");
        }
    }
}
