//! Whether a password is strong enough (`authoring.md` 2.9).
//!
//! The estimate is the length times the bits of a character of the kinds that occur, where what
//! repeats the character before it, or goes on from it in a row such as `abc` or `321`, counts
//! nothing. A password is common where nothing but a few characters is left once the words that
//! everybody takes are taken out of it: `common_passwords.txt`, a short list of our own with the
//! rows of the keyboard, in lower case and with `4 3 1 0 5 7 @ $ !` read as the letters they stand
//! for. What it does not do: look into a list of stolen passwords.

/// Characters of a password at least.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Bytes of a password at most: more is work without use.
pub const PASSWORD_BYTES_MAX: usize = 1_024;
/// Bits of the estimate at least.
const BITS_MIN: f64 = 70.0;
/// Characters beside common words that make a password its owner's.
const OWN_CHARS_MIN: usize = 4;

/// One a line, in lower case, at least four letters.
const COMMON: &str = include_str!("common_passwords.txt");

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Everybody takes it.
    #[error("too common")]
    Common,
    /// Too short, too long or too simple.
    #[error("not strong enough")]
    Weak,
    /// Its person had it before.
    #[error("used before")]
    UsedBefore,
}

/// Whether a password is strong enough; whether it was used before is for others to say.
pub fn check_password(password: &str) -> Result<(), PasswordRefusal> {
    if is_common(password) {
        return Err(PasswordRefusal::Common);
    }
    let chars = password.chars().count();
    if chars < PASSWORD_CHARS_MIN
        || password.len() > PASSWORD_BYTES_MAX
        || bits_of(password) < BITS_MIN
    {
        return Err(PasswordRefusal::Weak);
    }
    Ok(())
}

/// A kind of character, and how many there are of it.
type Kind = (fn(char) -> bool, u32);

/// The estimate, in bits.
fn bits_of(password: &str) -> f64 {
    let kinds: [Kind; 5] = [
        (|c| c.is_ascii_lowercase(), 26),
        (|c| c.is_ascii_uppercase(), 26),
        (|c| c.is_ascii_digit(), 10),
        (|c| c.is_ascii() && !c.is_ascii_alphanumeric(), 33),
        (|c| !c.is_ascii(), 100),
    ];
    let occurs = |is_of: fn(char) -> bool| password.chars().any(is_of);
    let pool: u32 = kinds
        .into_iter()
        .filter(|(is_of, _)| occurs(*is_of))
        .map(|(_, size)| size)
        .sum();
    let mut before = None;
    let mut counted: u32 = 0;
    for c in password.chars() {
        let goes_on = before.is_some_and(|b: char| u32::from(b).abs_diff(u32::from(c)) <= 1);
        counted += u32::from(!goes_on);
        before = Some(c);
    }
    f64::from(counted) * f64::from(pool.max(1)).log2()
}

fn is_common(password: &str) -> bool {
    let mut rest: String = password.to_lowercase();
    let mut read: String = rest.chars().map(letter_of).collect();
    let mut is_there = false;
    let mut words: Vec<&str> = COMMON.lines().filter(|word| !word.is_empty()).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in words {
        is_there |= rest.contains(word) || read.contains(word);
        rest = rest.replace(word, " ");
        read = read.replace(word, " ");
    }
    let own = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
    is_there && own(&rest).min(own(&read)) < OWN_CHARS_MIN
}

/// The letter that a character is written for.
const fn letter_of(c: char) -> char {
    match c {
        '4' | '@' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_23_a_password_is_long_mixed_and_nobody_elses() {
        use PasswordRefusal::{Common, Weak};
        let long = "aZ3-".repeat(257);
        for (password, want) in [
            ("a-long-Password-1234", Ok(())),
            ("correct horse battery staple", Ok(())),
            ("Tr0ub4dor&3xyQ!", Ok(())),
            ("ŵŷẁ-llifogydd-92", Ok(())),
            ("", Err(Weak)),
            ("Ab1$xQ9", Err(Weak)),
            ("Ab1$xQ9z", Err(Weak)),
            ("gxkvbqwz", Err(Weak)),
            ("aaaaaaaaaaaaaaaaaaaaaaaa", Err(Weak)),
            ("abcdefghijklmnopqrstuvwxyz", Err(Weak)),
            ("93847561029384", Err(Weak)),
            (&long, Err(Weak)),
            ("password", Err(Common)),
            ("Password1234!", Err(Common)),
            ("P4$$w0rd-P4$$w0rd", Err(Common)),
            ("qwertyuiop1234567890", Err(Common)),
            ("Emergency-Alert-2026!", Err(Common)),
            ("letmein-letmein-letmein", Err(Common)),
        ] {
            assert_eq!(check_password(password), want, "{password:.40}");
        }
    }

    #[test]
    fn the_list_is_as_it_says() {
        let mut seen = std::collections::BTreeSet::new();
        for word in COMMON.lines() {
            assert!(word.len() >= 4 && word == word.to_lowercase(), "{word:?}");
            assert!(seen.insert(word), "{word} is there twice");
        }
    }
}
