//! Whom a notification goes to.

use std::fmt;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

/// Bytes of an e-mail address (RFC 5321: 64, the @, 255).
const EMAIL_BYTES_MAX: usize = 320;
/// Digits of a telephone number (E.164); the shortest mobile numbers have 7.
const DIGITS: RangeInclusive<usize> = 7..=15;

/// How a person is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// By e-mail.
    Email,
    /// By SMS.
    Sms,
}

impl Way {
    /// The word in tables and logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }
}

/// An e-mail address or a mobile number. Its `Debug` and [`Recipient::masked`] show a part of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked", into = "Unchecked")]
pub struct Recipient {
    way: Way,
    address: String,
}

/// Characters that take no room, or turn others round: two addresses that differ in them alone look
/// the same.
const UNSEEN: [RangeInclusive<char>; 6] = [
    '\u{ad}'..='\u{ad}',
    '\u{61c}'..='\u{61c}',
    '\u{180e}'..='\u{180e}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{206f}',
    '\u{feff}'..='\u{feff}',
];

/// A text is no address. It does not repeat the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecipient {
    /// No e-mail address.
    #[error("it is no e-mail address, such as ann@example.org")]
    Email,
    /// No mobile number.
    #[error("it is no mobile number, such as 07700 900123 or +447700900123")]
    Sms,
}

/// As it is stored.
#[derive(Clone, Serialize, Deserialize)]
struct Unchecked {
    way: Way,
    address: String,
}

impl Recipient {
    /// Somebody by e-mail. Spaces around the address are left out. Refused is what mail could read
    /// as several addresses, a header or a name, and what looks like another address (characters
    /// that nobody sees, a dot at the end): whether anybody is there, the mail server knows.
    pub fn email(address: &str) -> Result<Self, InvalidRecipient> {
        let address = address.trim();
        let is_odd = |c: char| {
            let is_unseen = UNSEEN.iter().any(|range| range.contains(&c));
            is_unseen || c.is_control() || c.is_whitespace() || "<>,;:\"()[]\\".contains(c)
        };
        let parts = address.rsplit_once('@');
        let is_whole = parts.is_some_and(|(local, host)| {
            !local.is_empty() && !host.is_empty() && !local.contains('@') && !host.ends_with('.')
        });
        if !is_whole || address.len() > EMAIL_BYTES_MAX || address.contains(is_odd) {
            return Err(InvalidRecipient::Email);
        }
        Ok(Self {
            way: Way::Email,
            address: address.to_owned(),
        })
    }

    /// Somebody by SMS. Spaces, hyphens, dots and brackets are left out of the number.
    pub fn sms(number: &str) -> Result<Self, InvalidRecipient> {
        let address: String = number.chars().filter(|c| !" -.()".contains(*c)).collect();
        let digits = address.strip_prefix('+').unwrap_or(&address);
        if !DIGITS.contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(InvalidRecipient::Sms);
        }
        Ok(Self {
            way: Way::Sms,
            address,
        })
    }

    /// How they are reached.
    pub const fn way(&self) -> Way {
        self.way
    }

    /// The whole address, for whoever sends.
    pub fn reveal(&self) -> &str {
        &self.address
    }

    /// Enough to recognise the address by, and no more: `a…@example.org`, `…123`.
    pub fn masked(&self) -> String {
        match self.way {
            Way::Email => {
                let (local, host) = self.address.rsplit_once('@').unwrap_or_default();
                let first: String = local.chars().take(1).collect();
                format!("{first}…@{host}")
            }
            Way::Sms => {
                let begin = self.address.len().saturating_sub(3);
                format!("…{}", &self.address[begin..])
            }
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl From<Recipient> for Unchecked {
    fn from(recipient: Recipient) -> Self {
        let Recipient { way, address } = recipient;
        Self { way, address }
    }
}

impl TryFrom<Unchecked> for Recipient {
    type Error = InvalidRecipient;

    fn try_from(stored: Unchecked) -> Result<Self, InvalidRecipient> {
        match stored.way {
            Way::Email => Self::email(&stored.address),
            Way::Sms => Self::sms(&stored.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_word_and_is_shown_in_part() {
        // as it was given, as it is sent, as it is shown
        let emails = [
            (" ann@example.org\n", "ann@example.org", "a…@example.org"),
            ("Änn+x@example.org", "Änn+x@example.org", "Ä…@example.org"),
            ("a'b@example.org", "a'b@example.org", "a…@example.org"),
        ];
        for (given, sent, shown) in emails {
            let to = Recipient::email(given).expect("an address");
            assert_eq!((to.way(), to.reveal()), (Way::Email, sent));
            assert_eq!(
                (to.masked().as_str(), format!("{to:?}").as_str()),
                (shown, shown)
            );
        }
        let numbers = [
            ("07700 900123", "07700900123", "…123"),
            ("+44 (7700) 900-123", "+447700900123", "…123"),
        ];
        for (given, sent, shown) in numbers {
            let to = Recipient::sms(given).expect("a number");
            assert_eq!((to.way(), to.reveal()), (Way::Sms, sent));
            assert_eq!(
                (to.masked().as_str(), format!("{to:?}").as_str()),
                (shown, shown)
            );
        }
    }

    #[test]
    fn what_could_be_read_as_more_than_one_address_is_refused() {
        let long = format!("a@{}", "x".repeat(EMAIL_BYTES_MAX));
        for text in [
            "",
            "@",
            "a@",
            "@b",
            "a",
            "a@b@c",
            "a@b,c@d",
            "a@b;c@d",
            "A <a@b>",
            "a@b\r\nBcc: c@d",
            "a@b\nc",
            "a\0@b",
            "a b@c",
            "\"a\"@b",
            "a\u{200b}@b",
            "a\u{ad}@b",
            "a@\u{feff}b",
            "a@b\u{202e}",
            "a@b.",
            long.as_str(),
        ] {
            assert_eq!(
                Recipient::email(text),
                Err(InvalidRecipient::Email),
                "{text:?}"
            );
        }
        for text in [
            "",
            "+",
            "123456",
            "1234567890123456",
            "0770090012x",
            "07700+900123",
            "٠٧٧٠٠٩٠٠",
        ] {
            assert_eq!(Recipient::sms(text), Err(InvalidRecipient::Sms), "{text:?}");
        }
    }

    #[test]
    fn a_stored_recipient_is_judged_again() {
        let stored = r#"{"way":"email","address":"a@b\r\nBcc: c@d"}"#;
        assert!(serde_json::from_str::<Recipient>(stored).is_err());
        let to = Recipient::sms("07700900123").expect("a number");
        let json = serde_json::to_string(&to).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Recipient>(&json).expect("a recipient"),
            to
        );
    }
}
