//! The GSM 7 bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1 and §6.2.1.1).
//!
//! National language tables are not used: a phone need not have them.

/// Code points 0x00 to 0x7F of the default alphabet. 0x1B is the escape to the extension table and
/// stands for no character of its own.
const DEFAULT_ALPHABET: [char; 128] = [
    // 0x00
    '@', '£', '$', '¥', 'è', 'é', 'ù', 'ì', 'ò', 'Ç', '\n', 'Ø', 'ø', '\r', 'Å', 'å',
    // 0x10
    'Δ', '_', 'Φ', 'Γ', 'Λ', 'Ω', 'Π', 'Ψ', 'Σ', 'Θ', 'Ξ', '\u{1B}', 'Æ', 'æ', 'ß', 'É',
    // 0x20
    ' ', '!', '"', '#', '¤', '%', '&', '\'', '(', ')', '*', '+', ',', '-', '.', '/',
    // 0x30
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', ':', ';', '<', '=', '>', '?',
    // 0x40
    '¡', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J', 'K', 'L', 'M', 'N', 'O',
    // 0x50
    'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z', 'Ä', 'Ö', 'Ñ', 'Ü', '§',
    // 0x60
    '¿', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o',
    // 0x70
    'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z', 'ä', 'ö', 'ñ', 'ü', 'à',
];

/// The extension table: each is sent as 0x1B and then its code.
const EXTENSION: [(char, u8); 10] = [
    ('\u{0C}', 0x0A),
    ('^', 0x14),
    ('{', 0x28),
    ('}', 0x29),
    ('\\', 0x2F),
    ('[', 0x3C),
    ('~', 0x3D),
    (']', 0x3E),
    ('|', 0x40),
    ('€', 0x65),
];

/// The code that opens a character of the extension table.
const ESCAPE: char = '\u{1B}';

/// How GSM-7 spells one character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// One septet: its code in the default alphabet.
    Default(u8),
    /// Two septets: 0x1B, then this code of the extension table.
    Extension(u8),
}

impl Spelling {
    /// How many septets it takes: 1 or 2.
    pub const fn septets(self) -> usize {
        match self {
            Self::Default(_) => 1,
            Self::Extension(_) => 2,
        }
    }
}

/// How GSM-7 spells `ch`; `None` when it can't.
pub fn spelling(ch: char) -> Option<Spelling> {
    if ch == ESCAPE {
        return None;
    }
    let default = DEFAULT_ALPHABET.iter().position(|&known| known == ch);
    if let Some(code) = default.and_then(|code| u8::try_from(code).ok()) {
        return Some(Spelling::Default(code));
    }
    let extension = EXTENSION.iter().find(|(known, _)| *known == ch);
    extension.map(|&(_, code)| Spelling::Extension(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_have_the_codes_of_the_standard() {
        // One row per corner of the table, and each character that is easily misplaced.
        let cases = [
            ('@', 0x00),
            ('Ç', 0x09),
            ('\n', 0x0A),
            ('\r', 0x0D),
            ('å', 0x0F),
            ('Δ', 0x10),
            ('_', 0x11),
            ('Ξ', 0x1A),
            ('É', 0x1F),
            (' ', 0x20),
            ('¤', 0x24),
            ('/', 0x2F),
            ('0', 0x30),
            ('?', 0x3F),
            ('¡', 0x40),
            ('A', 0x41),
            ('Z', 0x5A),
            ('Ä', 0x5B),
            ('§', 0x5F),
            ('¿', 0x60),
            ('a', 0x61),
            ('z', 0x7A),
            ('ä', 0x7B),
            ('à', 0x7F),
        ];
        for (ch, code) in cases {
            assert_eq!(spelling(ch), Some(Spelling::Default(code)), "{ch}");
        }
        for (ch, code) in [('^', 0x14), ('[', 0x3C), ('|', 0x40), ('€', 0x65)] {
            assert_eq!(spelling(ch), Some(Spelling::Extension(code)), "{ch}");
        }
    }

    #[test]
    fn what_is_in_neither_table_has_no_spelling() {
        for ch in [
            '`', 'ç', 'ŵ', 'á', '’', '–', '°', 'α', '\t', '\u{1B}', '\u{A0}', '😀',
        ] {
            assert_eq!(spelling(ch), None, "{ch:?}");
        }
    }

    #[test]
    fn of_printable_ascii_only_the_grave_accent_is_missing() {
        let missing: String = (' '..='~').filter(|&ch| spelling(ch).is_none()).collect();
        assert_eq!(missing, "`");
    }

    #[test]
    fn no_character_stands_twice_in_the_tables() {
        let mut all: Vec<char> = DEFAULT_ALPHABET.to_vec();
        all.extend(EXTENSION.iter().map(|(ch, _)| *ch));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 138);
    }
}
