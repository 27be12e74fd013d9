//! The national language tables of SMS (3GPP TS 23.038 annex A), and why no page uses them.
//!
//! An SMS names its tables in its user data header. A cell broadcast page has such a header only
//! with the data codings 0x90 to 0x9F, which Android refuses to read; every other coding means the
//! default alphabet with its own extension, Turkish (0x0C), Spanish (0x04) and Portuguese (0x08)
//! included: those name the language and no table. So a text that needs one of these letters is
//! sent in UCS-2. The tables are here to say so of a letter by name ([`tables_with`]), and for a
//! provider that could be shown to announce them one day.
//!
//! English needs none of them. Welsh has none: no table of annex A has `ŵ` or `ŷ`. The tables for
//! the languages of India are not here, as no profile names one of these languages.

/// The languages that have tables here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum National {
    /// Identifier 1.
    Turkish,
    /// Identifier 2. It has a single shift table only.
    Spanish,
    /// Identifier 3.
    Portuguese,
}

/// How a table is called up in SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shift {
    /// It replaces the extension table: each of its characters takes two septets.
    Single,
    /// It replaces the default alphabet: each of its characters takes one septet.
    Locking,
}

/// Each row: where a table differs from the table that it replaces.
type Differences = &'static [(u8, char)];

/// A.2.1.
const TURKISH_SINGLE: Differences = &[
    (0x47, 'Ğ'),
    (0x49, 'İ'),
    (0x53, 'Ş'),
    (0x63, 'ç'),
    (0x67, 'ğ'),
    (0x69, 'ı'),
    (0x73, 'ş'),
];

/// A.3.1.
const TURKISH_LOCKING: Differences = &[
    (0x04, '€'),
    (0x07, 'ı'),
    (0x0B, 'Ğ'),
    (0x0C, 'ğ'),
    (0x1C, 'Ş'),
    (0x1D, 'ş'),
    (0x40, 'İ'),
    (0x60, 'ç'),
];

/// A.2.2.
const SPANISH_SINGLE: Differences = &[
    (0x09, 'ç'),
    (0x41, 'Á'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x61, 'á'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
];

/// A.2.3.
const PORTUGUESE_SINGLE: Differences = &[
    (0x05, 'ê'),
    (0x09, 'ç'),
    (0x0B, 'Ô'),
    (0x0C, 'ô'),
    (0x0E, 'Á'),
    (0x0F, 'á'),
    (0x12, 'Φ'),
    (0x13, 'Γ'),
    (0x15, 'Ω'),
    (0x16, 'Π'),
    (0x17, 'Ψ'),
    (0x18, 'Σ'),
    (0x19, 'Θ'),
    (0x1F, 'Ê'),
    (0x41, 'À'),
    (0x49, 'Í'),
    (0x4F, 'Ó'),
    (0x55, 'Ú'),
    (0x5B, 'Ã'),
    (0x5C, 'Õ'),
    (0x61, 'Â'),
    (0x69, 'í'),
    (0x6F, 'ó'),
    (0x75, 'ú'),
    (0x7B, 'ã'),
    (0x7C, 'õ'),
    (0x7F, 'â'),
];

/// A.3.3.
const PORTUGUESE_LOCKING: Differences = &[
    (0x04, 'ê'),
    (0x06, 'ú'),
    (0x07, 'í'),
    (0x08, 'ó'),
    (0x09, 'ç'),
    (0x0B, 'Ô'),
    (0x0C, 'ô'),
    (0x0E, 'Á'),
    (0x0F, 'á'),
    (0x12, 'ª'),
    (0x13, 'Ç'),
    (0x14, 'À'),
    (0x15, '∞'),
    (0x16, '^'),
    (0x17, '\\'),
    (0x18, '€'),
    (0x19, 'Ó'),
    (0x1A, '|'),
    (0x1C, 'Â'),
    (0x1D, 'â'),
    (0x1E, 'Ê'),
    (0x24, 'º'),
    (0x40, 'Í'),
    (0x5B, 'Ã'),
    (0x5C, 'Õ'),
    (0x5D, 'Ú'),
    (0x60, '~'),
    (0x7B, 'ã'),
    (0x7C, 'õ'),
    (0x7D, '`'),
];

impl National {
    /// All of them, by their identifier.
    pub const ALL: [Self; 3] = [Self::Turkish, Self::Spanish, Self::Portuguese];

    /// The national language identifier of an SMS's header.
    pub const fn identifier(self) -> u8 {
        match self {
            Self::Turkish => 1,
            Self::Spanish => 2,
            Self::Portuguese => 3,
        }
    }

    /// Its name in English.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Turkish => "Turkish",
            Self::Spanish => "Spanish",
            Self::Portuguese => "Portuguese",
        }
    }

    /// Where its table differs from the one that it replaces: code and character. Empty where it
    /// has no such table.
    pub const fn differences(self, shift: Shift) -> &'static [(u8, char)] {
        match (self, shift) {
            (Self::Turkish, Shift::Single) => TURKISH_SINGLE,
            (Self::Turkish, Shift::Locking) => TURKISH_LOCKING,
            (Self::Spanish, Shift::Single) => SPANISH_SINGLE,
            (Self::Spanish, Shift::Locking) => &[],
            (Self::Portuguese, Shift::Single) => PORTUGUESE_SINGLE,
            (Self::Portuguese, Shift::Locking) => PORTUGUESE_LOCKING,
        }
    }
}

/// The languages of which a table has `ch`: it would be one or two septets in an SMS, and takes
/// UCS-2 in cell broadcast.
pub fn tables_with(ch: char) -> impl Iterator<Item = National> {
    let has = move |shift: Shift, language: National| {
        let rows = language.differences(shift);
        rows.iter().any(|&(_, own)| own == ch)
    };
    let all = National::ALL.into_iter();
    all.filter(move |&own| has(Shift::Single, own) || has(Shift::Locking, own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{WELSH_LETTERS, gsm7};

    #[test]
    fn a_table_differs_where_it_says_and_names_no_code_twice() {
        for language in National::ALL {
            for (code, ch) in language.differences(Shift::Locking) {
                assert_ne!(
                    gsm7::default_character(*code),
                    Some(*ch),
                    "{language:?} {ch}"
                );
            }
            for (code, ch) in language.differences(Shift::Single) {
                assert_ne!(
                    gsm7::extension_character(*code),
                    Some(*ch),
                    "{language:?} {ch}"
                );
            }
            for shift in [Shift::Single, Shift::Locking] {
                let codes = language.differences(shift).iter().map(|(code, _)| *code);
                let codes: Vec<u8> = codes.collect();
                assert!(codes.is_sorted_by(|a, b| a < b), "{language:?} {shift:?}");
                assert!(
                    codes
                        .iter()
                        .all(|&code| code < 0x80 && code != gsm7::ESCAPE_CODE)
                );
            }
        }
    }

    #[test]
    fn the_letters_of_each_language_are_in_its_tables() {
        // What each alphabet has beyond ASCII, from its own orthography, not from the tables.
        let cases = [
            (National::Turkish, "çğışÇĞİŞöüÖÜ"),
            (National::Spanish, "áéíóúñÁÉÍÓÚÑü¿¡"),
            (National::Portuguese, "áâãàçéêíóôõúÁÂÃÀÇÉÊÍÓÔÕÚ"),
        ];
        for (language, letters) in cases {
            for ch in letters.chars() {
                let in_table = tables_with(ch).any(|own| own == language);
                assert!(
                    in_table || gsm7::spelling(ch).is_some(),
                    "{language:?} {ch}"
                );
            }
        }
    }

    #[test]
    fn no_table_makes_welsh_fit_seven_bits() {
        for ch in ['ŵ', 'ŷ', 'Ŵ', 'Ŷ'] {
            assert!(WELSH_LETTERS.contains(ch));
            assert_eq!(tables_with(ch).count(), 0, "{ch}");
        }
    }
}
