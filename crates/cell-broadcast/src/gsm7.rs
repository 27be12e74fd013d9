//! The GSM 7 bit default alphabet and its extension table (3GPP TS 23.038 §6.2.1 and §6.2.1.1).
//!
//! National language tables are never used to send: cell broadcast can't announce them
//! ([`crate::national`]).

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
pub const ESCAPE_CODE: u8 = 0x1B;
/// All characters of both tables but the euro sign lie below this.
const SCALARS: u32 = 0x3B0;
const EURO: u32 = '€' as u32;
const EURO_CODE: u8 = 0x65;
/// In [`SPELLINGS`]: GSM-7 lacks the character.
const UNKNOWN: u8 = 0xFF;
/// In [`SPELLINGS`]: the code is the extension table's.
const EXTENDED: u8 = 0x80;

/// The two tables turned round, for the characters below [`SCALARS`].
static SPELLINGS: [u8; SCALARS as usize] = spellings();

#[expect(
    clippy::cast_possible_truncation,
    reason = "codes are below 128; `as` is what a const fn has"
)]
const fn spellings() -> [u8; SCALARS as usize] {
    let mut table = [UNKNOWN; SCALARS as usize];
    let mut code = 0;
    while code < DEFAULT_ALPHABET.len() {
        if code != ESCAPE_CODE as usize {
            table[DEFAULT_ALPHABET[code] as usize] = code as u8;
        }
        code += 1;
    }
    let mut row = 0;
    while row < EXTENSION.len() {
        let (ch, code) = EXTENSION[row];
        if ch as u32 != EURO {
            table[ch as usize] = code | EXTENDED;
        }
        row += 1;
    }
    table
}

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
pub const fn spelling(ch: char) -> Option<Spelling> {
    let scalar = ch as u32;
    if scalar == EURO {
        return Some(Spelling::Extension(EURO_CODE));
    }
    if scalar >= SCALARS {
        return None;
    }
    match SPELLINGS[scalar as usize] {
        UNKNOWN => None,
        code if code & EXTENDED != 0 => Some(Spelling::Extension(code & !EXTENDED)),
        code => Some(Spelling::Default(code)),
    }
}

/// The character of the default alphabet with this code. `None` for 0x1B, the escape, and for
/// what is no septet.
pub const fn default_character(code: u8) -> Option<char> {
    if code >= 0x80 || code == ESCAPE_CODE {
        return None;
    }
    Some(DEFAULT_ALPHABET[code as usize])
}

/// The character of the extension table with this code; `None` where the table has none.
pub fn extension_character(code: u8) -> Option<char> {
    let known = EXTENSION.iter().find(|(_, own)| *own == code);
    known.map(|&(ch, _)| ch)
}

/// What septets say. As TS 23.038 §6.2.1.1 asks of a receiver, an escape before a code that the
/// extension table lacks is left out, and so is an escape that nothing follows; an escape before
/// an escape is a space.
pub fn read(septets: &[u8]) -> String {
    let mut text = String::with_capacity(septets.len());
    let mut codes = septets.iter().copied();
    while let Some(code) = codes.next() {
        if let Some(ch) = default_character(code) {
            text.push(ch);
            continue;
        }
        match codes.next() {
            Some(ESCAPE_CODE) => text.push(' '),
            Some(code) => {
                text.extend(extension_character(code).or_else(|| default_character(code)));
            }
            None => {}
        }
    }
    text
}

/// Writes the septets of `ch`; nothing where GSM-7 lacks it.
pub fn write(ch: char, septets: &mut Vec<u8>) {
    match spelling(ch) {
        Some(Spelling::Default(code)) => septets.push(code),
        Some(Spelling::Extension(code)) => septets.extend([ESCAPE_CODE, code]),
        None => {}
    }
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
