//! What becomes of each character: carried, downgraded, blank, or refused (R16, D11).
//!
//! Only what keeps its meaning is downgraded. Superscripts, fractions and symbols are refused
//! instead, because `10²` must not become `102`.

use serde::{Deserialize, Serialize};
use unicode_normalization::char::decompose_canonical;
use unicode_properties::{
    GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory,
};
use unicode_script::{Script, UnicodeScript};

use crate::gsm7;

/// The letters of Welsh that GSM-7 lacks (R17). One of them makes a text Welsh, and UCS-2.
pub const WELSH_LETTERS: &str = "ÀÁÂÈÊËÌÍÎÏÒÓÔÙÚÛÝáâêëíîïóôúûýÿŴŵŶŷŸẀẁẂẃẄẅỲỳ";

/// Which scripts a text may be written in (`[text] scripts`, D11).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scripts {
    /// GSM-7 and the letters of Welsh: what every phone shows.
    #[default]
    GsmWelsh,
    /// Every printable character, by UCS-2. Characters beyond 16 bits go as surrogate pairs, which
    /// phones show though the standard does not ask it of them.
    Any,
}

/// A character that is white space, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blank {
    /// It ends the line.
    Newline,
    /// It is some kind of space.
    Space,
    /// It is shown by nothing and is left out.
    Nothing,
}

/// What a character that is not blank is sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// As this character.
    As(char),
    /// As these characters; none at all for an accent that can't be carried.
    Words(&'static str),
}

/// Whether `ch` is one of the letters of Welsh that GSM-7 lacks.
pub(crate) fn is_welsh(ch: char) -> bool {
    !ch.is_ascii() && WELSH_LETTERS.contains(ch)
}

/// Joins its neighbours and is shown only through them: Persian and the scripts of India need it.
pub(crate) fn is_joiner(ch: char) -> bool {
    matches!(ch, '\u{200C}' | '\u{200D}')
}

/// Tells the direction of its neighbours; shown by nothing.
pub(crate) fn is_direction_mark(ch: char) -> bool {
    matches!(ch, '\u{200E}' | '\u{200F}' | '\u{61C}')
}

/// Chooses between forms of the character before it; shown through that only.
pub(crate) fn is_selector(ch: char) -> bool {
    matches!(ch, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' | '\u{180B}'..='\u{180D}')
        || ch == '\u{180F}'
}

/// Whether a selector after `before` has forms to choose from: text or emoji, a form of a Chinese
/// character, of a Mongolian or a Myanmar letter.
pub(crate) fn may_vary(before: char, selector: char) -> bool {
    match selector {
        '\u{FE0E}' | '\u{FE0F}' => before.is_emoji_char(),
        '\u{180B}'..='\u{180F}' => before.script() == Script::Mongolian,
        '\u{FE00}' => matches!(before.script(), Script::Han | Script::Myanmar),
        _ => before.script() == Script::Han,
    }
}

/// Whether a joiner between these does anything: in the scripts whose letters change by their
/// neighbours, and ZWJ between the parts of an emoji.
pub(crate) fn may_join(before: char, joiner: char, after: char) -> bool {
    let is_emoji = |ch: char| is_selector(ch) || (!ch.is_ascii() && ch.is_emoji_char());
    if joiner == '\u{200D}' && is_emoji(before) && is_emoji(after) {
        return true;
    }
    let joins = |ch: char| match ch.script() {
        // Marks that several scripts share take part in what their letters do.
        Script::Inherited => is_mark(ch),
        script => JOINING_SCRIPTS.contains(&script),
    };
    joins(before) && joins(after)
}

/// Scripts whose letters take their form, or their order, from their neighbours.
const JOINING_SCRIPTS: [Script; 24] = [
    Script::Arabic,
    Script::Syriac,
    Script::Nko,
    Script::Mandaic,
    Script::Mongolian,
    Script::Adlam,
    Script::Hanifi_Rohingya,
    Script::Devanagari,
    Script::Bengali,
    Script::Gurmukhi,
    Script::Gujarati,
    Script::Oriya,
    Script::Tamil,
    Script::Telugu,
    Script::Kannada,
    Script::Malayalam,
    Script::Sinhala,
    Script::Tibetan,
    Script::Myanmar,
    Script::Khmer,
    Script::Balinese,
    Script::Javanese,
    Script::Chakma,
    Script::Meetei_Mayek,
];

/// A mark on the letter before it, which takes no room of its own.
pub(crate) fn is_mark(ch: char) -> bool {
    !ch.is_ascii()
        && !is_selector(ch)
        && matches!(
            ch.general_category(),
            GeneralCategory::NonspacingMark | GeneralCategory::EnclosingMark
        )
}

/// A letter of a script that is written from right to left: with none in a text, marks of
/// direction do nothing but mislead.
pub(crate) fn is_right_to_left(ch: char) -> bool {
    let in_a_block = matches!(
        u32::from(ch),
        0x590..=0x8FF
            | 0xFB1D..=0xFDFF
            | 0xFE70..=0xFEFC
            | 0x1_0800..=0x1_0FFF
            | 0x1_E800..=0x1_EFFF
    );
    in_a_block && ch.general_category_group() == GeneralCategoryGroup::Letter
}

/// The blank that `ch` is, if it is one.
pub(crate) fn blank(ch: char, scripts: Scripts) -> Option<Blank> {
    match ch {
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
            Some(Blank::Newline)
        }
        ' '
        | '\t'
        | '\u{A0}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200A}'
        | '\u{202F}'
        | '\u{205F}'
        | '\u{2800}'
        | '\u{3000}' => Some(Blank::Space),
        '\u{AD}'
        | '\u{34F}'
        | '\u{180E}'
        | '\u{200B}'
        | '\u{2060}'..='\u{2064}'
        | '\u{FEFF}'
        | '\u{115F}'
        | '\u{1160}'
        | '\u{3164}'
        | '\u{FFA0}' => Some(Blank::Nothing),
        _ if scripts == Scripts::GsmWelsh && is_selector(ch) => Some(Blank::Nothing),
        _ if scripts == Scripts::GsmWelsh && (is_joiner(ch) || is_direction_mark(ch)) => {
            Some(Blank::Nothing)
        }
        _ => None,
    }
}

/// What `ch`, which is not blank and is composed (NFC), is sent as; `None` when it must be refused.
pub(crate) fn sent(ch: char, scripts: Scripts) -> Option<Sent> {
    if let Some(plain) = plain_typography(ch) {
        return Some(Sent::Words(plain));
    }
    match scripts {
        Scripts::Any => may_be_shown(ch).then_some(Sent::As(ch)),
        Scripts::GsmWelsh if is_carried(ch) => Some(Sent::As(ch)),
        Scripts::GsmWelsh => plain_letter(ch),
    }
}

/// Whether `ch` is printable, or one of the invisible characters that printable text needs.
/// Private and unassigned code points, controls, overrides of direction and tags are not.
pub(crate) fn may_be_shown(ch: char) -> bool {
    if is_joiner(ch) || is_direction_mark(ch) {
        return true;
    }
    let broken = matches!(ch, '\u{FFFC}' | '\u{FFFD}');
    !broken
        && !matches!(
            ch.general_category(),
            GeneralCategory::Control
                | GeneralCategory::Format
                | GeneralCategory::Surrogate
                | GeneralCategory::PrivateUse
                | GeneralCategory::Unassigned
        )
}

/// Whether every phone shows `ch` as it is.
fn is_carried(ch: char) -> bool {
    !ch.is_control() && (gsm7::spelling(ch).is_some() || is_welsh(ch))
}

/// The plain form of quotes, dashes and dots that word processors put in. It holds for all scripts:
/// one curly quote would more than halve the room of an English text.
fn plain_typography(ch: char) -> Option<&'static str> {
    let plain = match ch {
        '‘' | '’' | '‚' | '‛' | '′' | '‵' | '‹' | '›' | '`' | '´' | 'ʹ' | 'ʻ' | 'ʼ' | 'ˈ' => {
            "'"
        }
        '“' | '”' | '„' | '‟' | '″' | '‶' | '«' | '»' | '〃' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '―' | '⁃' | '−' | '﹘' | '﹣' => "-",
        '…' => "...",
        '‥' => "..",
        '•' => "*",
        '⁄' => "/",
        _ => return None,
    };
    Some(plain)
}

/// A letter without the accents, strokes or ties that neither GSM-7 nor Welsh has.
fn plain_letter(ch: char) -> Option<Sent> {
    if is_accent(ch) {
        return Some(Sent::Words(""));
    }
    if let Some(letters) = plain_letters(ch) {
        return Some(Sent::Words(letters));
    }
    // Full-width forms stand at a fixed distance from ASCII.
    if ('\u{FF01}'..='\u{FF5E}').contains(&ch) {
        let narrow = char::from_u32(u32::from(ch) - 0xFEE0)?;
        return sent(narrow, Scripts::GsmWelsh);
    }
    let mut base = None;
    let mut rest_is_accents = true;
    decompose_canonical(ch, |part| {
        if base.is_none() {
            base = Some(part);
        } else {
            rest_is_accents &= is_accent(part);
        }
    });
    base.filter(|&base| rest_is_accents && is_carried(base))
        .map(Sent::As)
}

/// Letters that no decomposition takes apart.
fn plain_letters(ch: char) -> Option<&'static str> {
    let letters = match ch {
        'Ð' | 'Đ' | 'Ɖ' => "D",
        'ð' | 'đ' => "d",
        'Ħ' => "H",
        'ħ' => "h",
        'ı' => "i",
        'ȷ' => "j",
        'Ł' => "L",
        'ł' => "l",
        'Ŋ' => "N",
        'ŋ' => "n",
        'Œ' => "OE",
        'œ' => "oe",
        'Ŧ' => "T",
        'ŧ' => "t",
        'Þ' => "Th",
        'þ' => "th",
        'ſ' => "s",
        'ẞ' => "SS",
        'Ĳ' => "IJ",
        'ĳ' => "ij",
        'ﬀ' => "ff",
        'ﬁ' => "fi",
        'ﬂ' => "fl",
        'ﬃ' => "ffi",
        'ﬄ' => "ffl",
        'ﬅ' | 'ﬆ' => "st",
        _ => return None,
    };
    Some(letters)
}

/// A mark over, under or through the letter before it.
fn is_accent(ch: char) -> bool {
    matches!(ch, '\u{300}'..='\u{36F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_43_letters_of_welsh_and_gsm7_has_none_of_them() {
        assert_eq!(WELSH_LETTERS.chars().count(), 43);
        for ch in WELSH_LETTERS.chars() {
            assert_eq!(gsm7::spelling(ch), None, "{ch}");
        }
    }

    #[test]
    fn every_downgrade_is_something_that_every_phone_shows() {
        for ch in '\0'..=char::MAX {
            let shown = match sent(ch, Scripts::GsmWelsh) {
                Some(Sent::As(plain)) => is_carried(plain),
                Some(Sent::Words(words)) => words.chars().all(is_carried),
                None => true,
            };
            assert!(shown, "{ch:?}");
        }
    }
}
