//! Data coding schemes: alphabet and language of a page (3GPP TS 23.038 §5).

use std::fmt;

use crate::text::Encoding;

/// The data coding scheme of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataCoding(u8);

/// In what a page's content is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alphabet {
    /// The GSM 7 bit default alphabet.
    Gsm7,
    /// Octets of no alphabet.
    Octets,
    /// 16 bit code units.
    Ucs2,
}

/// A coding whose content can't be read here, nor by Android: compressed, with a user data header,
/// or defined elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("pages of data coding 0x{0:02X} are compressed, have a header, or are not text")]
pub struct UnreadableCoding(pub u8);

/// Two letters of ISO 639 in lower case, such as `cy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LanguageCode([u8; 2]);

/// Why a text is no language code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("a language is two letters of ISO 639, such as en or cy")]
pub struct InvalidLanguageCode;

impl LanguageCode {
    /// Reads two letters; upper case counts as lower case.
    pub fn parse(text: &str) -> Result<Self, InvalidLanguageCode> {
        match *text.as_bytes() {
            [first, second] if first.is_ascii_alphabetic() && second.is_ascii_alphabetic() => {
                Ok(Self([
                    first.to_ascii_lowercase(),
                    second.to_ascii_lowercase(),
                ]))
            }
            _ => Err(InvalidLanguageCode),
        }
    }

    /// The two letters in ASCII, which are their codes in GSM-7 too.
    pub const fn octets(self) -> [u8; 2] {
        self.0
    }
}

impl fmt::Display for LanguageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|&octet| write!(f, "{}", char::from(octet)))
    }
}

/// The languages of coding group 0000, by their code.
const GROUP_0: [&[u8; 2]; 15] = [
    b"de", b"en", b"it", b"fr", b"es", b"nl", b"sv", b"da", b"pt", b"fi", b"no", b"el", b"tr",
    b"hu", b"pl",
];
/// The languages of coding group 0010, by their code.
const GROUP_2: [&[u8; 2]; 5] = [b"cs", b"he", b"ar", b"ru", b"is"];

impl DataCoding {
    /// GSM-7, language unspecified.
    pub const GSM7: Self = Self(0x0F);
    /// GSM-7 in English.
    pub const ENGLISH: Self = Self(0x01);
    /// GSM-7; each page begins with two letters of a language and CR.
    pub const GSM7_WITH_LANGUAGE: Self = Self(0x10);
    /// UCS-2; each page begins with two letters of a language, packed into two octets.
    pub const UCS2_WITH_LANGUAGE: Self = Self(0x11);
    /// GSM-7 without a language, in the general group.
    pub const GSM7_GENERAL: Self = Self(0x40);
    /// UCS-2 without a language.
    pub const UCS2: Self = Self(0x48);

    /// The coding with this octet.
    pub const fn new(octet: u8) -> Self {
        Self(octet)
    }

    /// Its octet.
    pub const fn octet(self) -> u8 {
        self.0
    }

    /// The coding of a text. A language that has a number of its own for GSM-7 costs nothing; any
    /// other, and every one in UCS-2, costs room on each page.
    pub fn choose(encoding: Encoding, language: Option<LanguageCode>) -> Self {
        match (encoding, language) {
            (Encoding::Gsm7, None) => Self::GSM7,
            (Encoding::Ucs2, None) => Self::UCS2,
            (Encoding::Ucs2, Some(_)) => Self::UCS2_WITH_LANGUAGE,
            (Encoding::Gsm7, Some(language)) => {
                let mut octets = 0..=u8::MAX;
                let named = octets.find(|&octet| Self(octet).language() == Some(language));
                named.map_or(Self::GSM7_WITH_LANGUAGE, Self)
            }
        }
    }

    /// The language that the coding itself names.
    pub fn language(self) -> Option<LanguageCode> {
        let table: &[&[u8; 2]] = match self.0 >> 4 {
            0 => &GROUP_0,
            2 => &GROUP_2,
            _ => return None,
        };
        let letters = table.get(usize::from(self.0 & 0x0F))?;
        Some(LanguageCode(**letters))
    }

    /// Whether each page begins with the letters of its language.
    pub const fn has_language_ahead(self) -> bool {
        self.0 == Self::GSM7_WITH_LANGUAGE.0 || self.0 == Self::UCS2_WITH_LANGUAGE.0
    }

    /// The alphabet. What the standard reserves is the GSM-7 default alphabet, as it asks of
    /// receivers.
    pub const fn alphabet(self) -> Result<Alphabet, UnreadableCoding> {
        const COMPRESSED: u8 = 0x20;
        match (self.0 >> 4, self.0) {
            (1, octet) => Ok(if octet == Self::UCS2_WITH_LANGUAGE.0 {
                Alphabet::Ucs2
            } else {
                Alphabet::Gsm7
            }),
            (4..=7, octet) if octet & COMPRESSED != 0 => Err(UnreadableCoding(octet)),
            (4..=7, octet) => Ok(match octet & 0x0C {
                0x04 => Alphabet::Octets,
                0x08 => Alphabet::Ucs2,
                _ => Alphabet::Gsm7,
            }),
            (9 | 14, octet) => Err(UnreadableCoding(octet)),
            (15, octet) if octet & 0x04 != 0 => Ok(Alphabet::Octets),
            _ => Ok(Alphabet::Gsm7),
        }
    }
}

impl fmt::Display for DataCoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:02X}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_mean_what_the_standard_says() {
        use Alphabet::{Gsm7, Octets, Ucs2};
        let cases = [
            (0x00, Ok(Gsm7), Some("de")),
            (0x01, Ok(Gsm7), Some("en")),
            (0x0C, Ok(Gsm7), Some("tr")),
            (0x0E, Ok(Gsm7), Some("pl")),
            (0x0F, Ok(Gsm7), None),
            (0x10, Ok(Gsm7), None),
            (0x11, Ok(Ucs2), None),
            (0x12, Ok(Gsm7), None),
            (0x20, Ok(Gsm7), Some("cs")),
            (0x24, Ok(Gsm7), Some("is")),
            (0x25, Ok(Gsm7), None),
            (0x30, Ok(Gsm7), None),
            (0x40, Ok(Gsm7), None),
            (0x44, Ok(Octets), None),
            (0x48, Ok(Ucs2), None),
            (0x4C, Ok(Gsm7), None),
            (0x59, Ok(Ucs2), None),
            (0x60, Err(UnreadableCoding(0x60)), None),
            (0x78, Err(UnreadableCoding(0x78)), None),
            (0x80, Ok(Gsm7), None),
            (0x90, Err(UnreadableCoding(0x90)), None),
            (0xE0, Err(UnreadableCoding(0xE0)), None),
            (0xF0, Ok(Gsm7), None),
            (0xF4, Ok(Octets), None),
        ];
        for (octet, alphabet, language) in cases {
            let coding = DataCoding::new(octet);
            assert_eq!(coding.alphabet(), alphabet, "{coding}");
            let named = coding.language().map(|language| language.to_string());
            assert_eq!(named.as_deref(), language, "{coding}");
        }
    }

    #[test]
    fn a_text_takes_the_coding_of_its_language() {
        use Encoding::{Gsm7, Ucs2};
        let cases = [
            (Gsm7, None, DataCoding::GSM7),
            (Gsm7, Some("en"), DataCoding::ENGLISH),
            (Gsm7, Some("NL"), DataCoding::new(0x05)),
            (Gsm7, Some("is"), DataCoding::new(0x24)),
            (Gsm7, Some("cy"), DataCoding::GSM7_WITH_LANGUAGE),
            (Ucs2, None, DataCoding::UCS2),
            (Ucs2, Some("cy"), DataCoding::UCS2_WITH_LANGUAGE),
            (Ucs2, Some("en"), DataCoding::UCS2_WITH_LANGUAGE),
        ];
        for (encoding, language, want) in cases {
            let language = language.map(|text| LanguageCode::parse(text).unwrap());
            assert_eq!(DataCoding::choose(encoding, language), want, "{language:?}");
        }
        for text in ["", "e", "eng", "e1", "é", "ŵ"] {
            assert_eq!(
                LanguageCode::parse(text),
                Err(InvalidLanguageCode),
                "{text}"
            );
        }
    }
}
