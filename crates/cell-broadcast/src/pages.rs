//! Pages: the 88 octets that a base station repeats (3GPP TS 23.041 §9.4.1.2).
//!
//! Each page has 6 octets of header and 82 of content. An alert has at most 15 pages. No escape of
//! GSM-7 and its character, and no two halves of a surrogate pair, are parted by the end of a page:
//! the unit that is left over is padding. Padding is CR, which phones strip from the end of each
//! page. Where the coding asks for the letters of a language, every page begins with them, because
//! Android takes them from every page.

use crate::data_coding::{Alphabet, DataCoding, LanguageCode, UnreadableCoding};
use crate::gsm7;
use crate::identifier::MessageIdentifier;
use crate::septets::{self, CONTENT_OCTETS, PAGE_SEPTETS};
use crate::serial::SerialNumber;
use crate::text::{AlertText, Encoding, PAGE_UTF16_UNITS};

/// Octets of a page.
pub const PAGE_OCTETS: usize = 88;
/// Pages of one message.
pub const PAGES_MAX: usize = 15;
/// Octets of a page's header.
const HEADER_OCTETS: usize = PAGE_OCTETS - CONTENT_OCTETS;
/// Carriage return: the padding, in both alphabets.
const CR: u8 = 0x0D;
/// What the letters of a language take in GSM-7, with the CR after them.
const LANGUAGE_SEPTETS: usize = 3;
/// What the letters of a language take in UCS-2: two septets in two octets.
const LANGUAGE_OCTETS: usize = 2;

const _: () = assert!(PAGE_UTF16_UNITS * 2 == CONTENT_OCTETS);

/// What all pages of one message say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Heading {
    /// Which warning it is.
    pub identifier: MessageIdentifier,
    /// Which issue of it.
    pub serial: SerialNumber,
    /// The language to tell phones; without one none is told.
    pub language: Option<LanguageCode>,
}

/// One page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// Which issue of a warning it belongs to.
    pub serial: SerialNumber,
    /// Which warning it belongs to.
    pub identifier: MessageIdentifier,
    /// Its alphabet.
    pub coding: DataCoding,
    /// Its place among the pages: 1 to `total`.
    pub number: u8,
    /// How many pages there are: 1 to 15.
    pub total: u8,
    /// What it carries.
    pub content: [u8; CONTENT_OCTETS],
}

/// A text that needs more than 15 pages, as no pair may be split over two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("the text needs {pages} pages, and a message has at most 15")]
pub struct TooManyPages {
    /// How many it needs.
    pub pages: usize,
}

/// Why octets, or pages, are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Unreadable {
    /// A page has another length.
    #[error("a page has 88 octets, and here are {0}")]
    Length(usize),
    /// Pages that don't make one message: another header, a number twice or missing, none at all.
    #[error("the pages don't make one message: page {0} is missing, comes twice or differs")]
    Incomplete(u8),
    /// A coding that is not text.
    #[error(transparent)]
    Coding(#[from] UnreadableCoding),
    /// The content is no text in its alphabet.
    #[error("the content of page {0} is no text")]
    Content(u8),
}

/// What pages say when they are read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Message {
    /// The text.
    pub text: String,
    /// The language that the pages tell.
    pub language: Option<LanguageCode>,
}

/// Cuts `text` into pages.
///
/// The letters of a language can cost a page: 90 instead of 93 characters, or 40 instead of 41,
/// are left on each.
pub fn encode(text: &AlertText, heading: &Heading) -> Result<Vec<Page>, TooManyPages> {
    let coding = DataCoding::choose(text.encoding(), heading.language);
    let ahead = heading.language.filter(|_| coding.has_language_ahead());
    let contents: Vec<[u8; CONTENT_OCTETS]> = match text.encoding() {
        Encoding::Gsm7 => gsm7_pages(text.as_str(), ahead),
        Encoding::Ucs2 => ucs2_pages(text.as_str(), ahead),
    };
    let pages = contents.len();
    let total = u8::try_from(pages).ok().filter(|_| pages <= PAGES_MAX);
    let total = total.ok_or(TooManyPages { pages })?;
    let page = |(content, number)| Page {
        serial: heading.serial,
        identifier: heading.identifier,
        coding,
        number,
        total,
        content,
    };
    Ok(contents.into_iter().zip(1..).map(page).collect())
}

fn gsm7_pages(text: &str, ahead: Option<LanguageCode>) -> Vec<[u8; CONTENT_OCTETS]> {
    let prefix: Vec<u8> = ahead.map_or_else(Vec::new, |language| {
        let [first, second] = language.octets();
        vec![first, second, CR]
    });
    let mut pages = Vec::new();
    let mut page = prefix.clone();
    let mut spelled = Vec::with_capacity(2);
    for ch in text.chars() {
        spelled.clear();
        gsm7::write(ch, &mut spelled);
        if page.len() + spelled.len() > PAGE_SEPTETS {
            let full = std::mem::replace(&mut page, prefix.clone());
            pages.push(pad_septets(full));
        }
        page.extend_from_slice(&spelled);
    }
    pages.push(pad_septets(page));
    pages
}

fn pad_septets(mut page: Vec<u8>) -> [u8; CONTENT_OCTETS] {
    page.resize(PAGE_SEPTETS, CR);
    septets::pack(&page)
}

fn ucs2_pages(text: &str, ahead: Option<LanguageCode>) -> Vec<[u8; CONTENT_OCTETS]> {
    let prefix: Vec<u8> = ahead.map_or_else(Vec::new, |language| {
        septets::pack(&language.octets())[..LANGUAGE_OCTETS].to_vec()
    });
    let mut pages = Vec::new();
    let mut page = prefix.clone();
    let mut units = [0; 2];
    for ch in text.chars() {
        let units = ch.encode_utf16(&mut units);
        if page.len() + units.len() * 2 > CONTENT_OCTETS {
            let full = std::mem::replace(&mut page, prefix.clone());
            pages.push(pad_units(&full));
        }
        page.extend(units.iter().flat_map(|unit| unit.to_be_bytes()));
    }
    pages.push(pad_units(&page));
    pages
}

fn pad_units(page: &[u8]) -> [u8; CONTENT_OCTETS] {
    let padding = [0, CR].into_iter().cycle();
    let mut octets = page.iter().copied().chain(padding);
    std::array::from_fn(|_| octets.next().unwrap_or(CR))
}

impl Page {
    /// The octets that go on the air: serial number, message identifier, data coding, page
    /// parameter, content.
    pub fn to_octets(&self) -> [u8; PAGE_OCTETS] {
        let mut octets = [0; PAGE_OCTETS];
        octets[..2].copy_from_slice(&self.serial.to_bits().to_be_bytes());
        octets[2..4].copy_from_slice(&self.identifier.number().to_be_bytes());
        octets[4] = self.coding.octet();
        octets[5] = self.number << 4 | self.total;
        octets[HEADER_OCTETS..].copy_from_slice(&self.content);
        octets
    }

    /// Reads a page. A page parameter with a 0 in it counts as page 1 of 1, as TS 23.041 asks of
    /// receivers.
    pub fn from_octets(octets: &[u8]) -> Result<Self, Unreadable> {
        let octets: &[u8; PAGE_OCTETS] = octets
            .try_into()
            .map_err(|_| Unreadable::Length(octets.len()))?;
        let (header, content) = octets.split_at(HEADER_OCTETS);
        let pair = |at: usize| u16::from_be_bytes([header[at], header[at + 1]]);
        let (number, total) = match (header[5] >> 4, header[5] & 0x0F) {
            (0, _) | (_, 0) => (1, 1),
            parts => parts,
        };
        let mut page = Self {
            serial: SerialNumber::from_bits(pair(0)),
            identifier: MessageIdentifier::new(pair(2)),
            coding: DataCoding::new(header[4]),
            number,
            total,
            content: [0; CONTENT_OCTETS],
        };
        page.content.copy_from_slice(content);
        Ok(page)
    }

    /// The letters of the language, where the coding puts them ahead, and the text of this page.
    /// UCS-2 is given as code units: a page of others may end in half a pair.
    fn read(&self) -> Result<(Option<LanguageCode>, Vec<u16>), Unreadable> {
        let has_language = self.coding.has_language_ahead();
        let broken = || Unreadable::Content(self.number);
        let mut language = None;
        let mut units: Vec<u16> = match self.coding.alphabet()? {
            Alphabet::Octets => return Err(broken()),
            Alphabet::Gsm7 => {
                let septets = septets::unpack(&self.content, PAGE_SEPTETS);
                let mut text = septets.as_slice();
                if has_language {
                    language = Some(read_language(&text[..2]).ok_or_else(broken)?);
                    text = &text[LANGUAGE_SEPTETS..];
                }
                gsm7::read(text).encode_utf16().collect()
            }
            Alphabet::Ucs2 => {
                let mut text = self.content.as_slice();
                if has_language {
                    let letters = septets::unpack(&text[..LANGUAGE_OCTETS], 2);
                    language = Some(read_language(&letters).ok_or_else(broken)?);
                    text = &text[LANGUAGE_OCTETS..];
                }
                let pairs = text.chunks_exact(2);
                pairs
                    .map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
                    .collect()
            }
        };
        let end = units.iter().rposition(|&unit| unit != u16::from(CR));
        units.truncate(end.map_or(0, |end| end + 1));
        Ok((language, units))
    }
}

fn read_language(letters: &[u8]) -> Option<LanguageCode> {
    let letters = std::str::from_utf8(letters).ok()?;
    LanguageCode::parse(letters).ok()
}

/// Reads the pages of one message, in any order.
pub fn decode(pages: &[Page]) -> Result<Message, Unreadable> {
    let first = pages.first().ok_or(Unreadable::Incomplete(1))?;
    let mut sorted: Vec<&Page> = pages.iter().collect();
    sorted.sort_by_key(|page| page.number);
    for (page, number) in sorted.iter().zip(1..) {
        let is_same = (page.serial, page.identifier, page.coding, page.total)
            == (first.serial, first.identifier, first.coding, first.total);
        if page.number != number || !is_same {
            return Err(Unreadable::Incomplete(number));
        }
    }
    if sorted.len() != usize::from(first.total) {
        return Err(Unreadable::Incomplete(first.total));
    }
    let mut units = Vec::new();
    let mut language = first.coding.language();
    for page in sorted {
        let (ahead, text) = page.read()?;
        language = language.or(ahead);
        units.extend(text);
    }
    let text = String::from_utf16(&units).map_err(|_| Unreadable::Content(first.number))?;
    Ok(Message { text, language })
}
