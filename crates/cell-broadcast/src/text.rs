//! An alert's text: normalised, counted, and known to be sendable.

use std::fmt;

use balefire_domain::limits;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::characters::{self, Blank, Scripts, Sent};
use crate::gsm7;
use crate::layout::Layout;
use crate::refusal::TextRefusal;

/// Septets of one page (3GPP TS 23.041 §9.4.2.2.5: 82 octets).
const PAGE_SEPTETS: usize = 93;
/// UTF-16 code units of one page.
const PAGE_UTF16_UNITS: usize = 41;

/// How cell broadcast encodes a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// The GSM 7 bit default alphabet with its extension table.
    Gsm7,
    /// 16 bit code units.
    Ucs2,
}

impl Encoding {
    /// How many units fit: septets, or UTF-16 code units.
    pub const fn units_max(self) -> usize {
        match self {
            Self::Gsm7 => limits::TEXT_GSM7_MAX,
            Self::Ucs2 => limits::TEXT_UCS2_MAX,
        }
    }

    const fn page_units(self) -> usize {
        match self {
            Self::Gsm7 => PAGE_SEPTETS,
            Self::Ucs2 => PAGE_UTF16_UNITS,
        }
    }

    /// How many units `ch` takes.
    fn units_of(self, ch: char) -> usize {
        match self {
            Self::Gsm7 => gsm7::spelling(ch).map_or(1, gsm7::Spelling::septets),
            Self::Ucs2 => ch.len_utf16(),
        }
    }
}

/// The language that a provider is told (R59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// English, and all that is not Welsh.
    English,
    /// The text has one of the letters of Welsh that GSM-7 lacks.
    Welsh,
}

/// A normalised text of which every character can be carried. Normalising it again changes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AlertText {
    text: String,
    encoding: Encoding,
    units: usize,
}

impl AlertText {
    /// Normalises `raw` and refuses what can't be sent: a character that no downgrade carries, an
    /// empty text, one that is too long (R16, R17, R29).
    pub fn accept(raw: &str, scripts: Scripts) -> Result<Self, TextRefusal> {
        let text = Self::normalise(raw, scripts)?;
        text.check_length()?;
        Ok(text)
    }

    /// Normalises `raw` as [`AlertText::accept`] does, but lets a text be too long: for a page that
    /// counts while somebody types. Only above [`limits::TEXT_BYTES_MAX`] it is too long here too.
    pub fn normalise(raw: &str, scripts: Scripts) -> Result<Self, TextRefusal> {
        if raw.len() > limits::TEXT_BYTES_MAX {
            return Err(TextRefusal::TooLong {
                encoding: Encoding::Gsm7,
            });
        }
        let text = lay_out(raw, scripts)?;
        if text.chars().all(characters::is_direction_mark) {
            return Err(TextRefusal::Empty);
        }
        let encoding = if text.chars().all(|ch| gsm7::spelling(ch).is_some()) {
            Encoding::Gsm7
        } else {
            Encoding::Ucs2
        };
        let units = text.chars().map(|ch| encoding.units_of(ch)).sum();
        Ok(Self {
            text,
            encoding,
            units,
        })
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The text itself.
    pub fn into_string(self) -> String {
        self.text
    }

    /// How it is encoded.
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Its length: septets, an extension character counting 2, or UTF-16 code units.
    pub const fn units(&self) -> usize {
        self.units
    }

    /// How many pages a CBC needs for it, when it splits neither an extension character nor a
    /// surrogate pair over two pages. A text of 15 pages by its units that is full of such
    /// characters can need a 16th; existing clients may send it all the same (R17).
    pub fn pages(&self) -> usize {
        let mut pages = 0;
        let mut room = 0;
        for ch in self.text.chars() {
            let units = self.encoding.units_of(ch);
            if units > room {
                pages += 1;
                room = self.encoding.page_units();
            }
            room -= units;
        }
        pages
    }

    /// It is short enough to be sent (R17).
    pub const fn fits(&self) -> bool {
        self.units <= self.encoding.units_max()
    }

    /// Refuses a text that is too long.
    pub const fn check_length(&self) -> Result<(), TextRefusal> {
        if self.fits() {
            Ok(())
        } else {
            Err(TextRefusal::TooLong {
                encoding: self.encoding,
            })
        }
    }

    /// The language that its letters tell (R59).
    pub fn language(&self) -> Language {
        if self.text.chars().any(characters::is_welsh) {
            Language::Welsh
        } else {
            Language::English
        }
    }
}

impl fmt::Display for AlertText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads `raw` character by character: blanks shape the layout, a letter is composed with its
/// accents before it is judged, so that `w` and a combining circumflex are `ŵ`.
fn lay_out(raw: &str, scripts: Scripts) -> Result<String, TextRefusal> {
    let mut layout = Layout::default();
    let mut letter = String::new();
    let mut letter_position = 1;
    let mut before = None;
    for (ch, position) in raw.chars().zip(1..) {
        let blank = characters::blank(ch, scripts);
        let ends_letter = match blank {
            Some(Blank::Nothing) => false,
            Some(Blank::Newline | Blank::Space) => true,
            None => canonical_combining_class(ch) == 0,
        };
        if ends_letter {
            write_letter(&mut layout, &letter, letter_position, scripts)?;
            letter.clear();
        }
        match blank {
            Some(Blank::Newline) if ch == '\n' && before == Some('\r') => {}
            Some(Blank::Newline) => layout.end_line(),
            Some(Blank::Space) => layout.space(),
            Some(Blank::Nothing) => {}
            None => {
                if letter.is_empty() {
                    letter_position = position;
                }
                letter.push(ch);
            }
        }
        before = Some(ch);
    }
    write_letter(&mut layout, &letter, letter_position, scripts)?;
    let text = layout.finish();
    // A few scripts compose letters with letters, which the loop above looked at one by one.
    Ok(match scripts {
        Scripts::GsmWelsh => text,
        Scripts::Any => text.nfc().collect(),
    })
}

/// Writes one letter and its accents as they are sent.
fn write_letter(
    layout: &mut Layout,
    letter: &str,
    position: usize,
    scripts: Scripts,
) -> Result<(), TextRefusal> {
    for ch in letter.nfc() {
        match characters::sent(ch, scripts) {
            Some(Sent::As(ch)) => layout.push(ch),
            Some(Sent::Words(words)) => words.chars().for_each(|ch| layout.push(ch)),
            None => return Err(TextRefusal::Character { ch, position }),
        }
    }
    Ok(())
}
