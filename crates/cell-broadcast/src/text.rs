//! An alert's text: normalised, counted, and known to be sendable.

use std::fmt;

use crate::characters::{self, Scripts};
use crate::gsm7;
use crate::placeholder::placeholder_at;
use crate::reading;
use crate::refusal::TextRefusal;
use crate::septets::PAGE_SEPTETS;
use balefire_domain::limits;

/// UTF-16 code units of one page.
pub(crate) const PAGE_UTF16_UNITS: usize = 41;

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

    /// How many units a page holds.
    pub const fn page_units(self) -> usize {
        match self {
            Self::Gsm7 => PAGE_SEPTETS,
            Self::Ucs2 => PAGE_UTF16_UNITS,
        }
    }

    /// How many units `ch` takes.
    pub(crate) fn units_of(self, ch: char) -> usize {
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

    /// As [`AlertText::accept`], for what a person writes: refuses `((name))` too, which is a place
    /// that somebody forgot to fill. In a CAP document it is plain text (D11).
    pub fn accept_written(raw: &str, scripts: Scripts) -> Result<Self, TextRefusal> {
        let text = Self::accept(raw, scripts)?;
        // The normalised text is looked at, and the position told as the author counts.
        let is_unfilled = placeholder_at(&text.text).is_some();
        match placeholder_at(raw).or(is_unfilled.then_some(1)) {
            Some(position) => Err(TextRefusal::Placeholder { position }),
            None => Ok(text),
        }
    }

    /// Normalises `raw` as [`AlertText::accept`] does, but lets a text be too long: for a page that
    /// counts while somebody types. Only above [`limits::TEXT_BYTES_MAX`] it is too long here too.
    pub fn normalise(raw: &str, scripts: Scripts) -> Result<Self, TextRefusal> {
        if raw.len() > limits::TEXT_BYTES_MAX {
            return Err(TextRefusal::TooLong {
                encoding: Encoding::Gsm7,
            });
        }
        let placed = reading::read(raw, scripts, &mut Err)?;
        let text = Self::count(placed.into_iter().map(|(ch, _)| ch).collect());
        if text.is_empty() {
            return Err(TextRefusal::Empty);
        }
        Ok(text)
    }

    /// Counts a text that is normalised already, and may be empty.
    pub(crate) fn count(text: String) -> Self {
        let encoding = if text.chars().all(|ch| gsm7::spelling(ch).is_some()) {
            Encoding::Gsm7
        } else {
            Encoding::Ucs2
        };
        let units = text.chars().map(|ch| encoding.units_of(ch)).sum();
        Self {
            text,
            encoding,
            units,
        }
    }

    /// It shows nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.chars().all(characters::is_direction_mark)
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
