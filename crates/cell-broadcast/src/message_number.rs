//! The message number that IBAG providers are sent with each message (R06).

use std::fmt;
use std::str::FromStr;

/// Names one message at an IBAG provider; the same on every retry. On the wire it is 8 lower-case
/// hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(u32);

/// Why a text is no message number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message number is 8 of 0-9 and a-f, such as 0000004e")]
pub struct InvalidMessageNumber;

impl MessageNumber {
    /// The message number with this value.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// Its value.
    pub const fn value(self) -> u32 {
        self.0
    }

    /// `0000004e`: 8 lower-case hexadecimal digits.
    pub fn to_wire(self) -> String {
        format!("{:08x}", self.0)
    }

    /// Reads what [`MessageNumber::to_wire`] writes, and nothing else.
    pub fn parse(text: &str) -> Result<Self, InvalidMessageNumber> {
        let spelled =
            text.len() == 8 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if !spelled {
            return Err(InvalidMessageNumber);
        }
        u32::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| InvalidMessageNumber)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_wire())
    }
}

impl FromStr for MessageNumber {
    type Err = InvalidMessageNumber;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_number_is_eight_hexadecimal_digits_on_the_wire() {
        let cases = [
            (0, "00000000"),
            (1, "00000001"),
            (78, "0000004e"),
            (123, "0000007b"),
            (u32::MAX, "ffffffff"),
        ];
        for (value, wire) in cases {
            assert_eq!(MessageNumber::new(value).to_wire(), wire);
            assert_eq!(MessageNumber::parse(wire), Ok(MessageNumber::new(value)));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for text in [
            "",
            "4e",
            "0000004E",
            "000000004e",
            "0x00004e",
            "+000004e",
            "0000004é",
        ] {
            assert_eq!(
                MessageNumber::parse(text),
                Err(InvalidMessageNumber),
                "{text}"
            );
        }
    }
}
