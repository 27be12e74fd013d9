//! From what was written to what is sent, character by character, with the place of each.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, compose};

use crate::characters::{self, Blank, Scripts, Sent};
use crate::contacts;
use crate::layout::{Layout, Placed};
use crate::refusal::TextRefusal;

/// Marks on one letter: no language needs more once a letter is composed, and a stack of them
/// covers the lines above and below.
pub(crate) const MARKS_MAX: usize = 4;

/// Told of each refusal: `Err` ends the reading with it, `Ok` goes on without the character.
type OnRefusal<'a> = &'a mut dyn FnMut(TextRefusal) -> Result<(), TextRefusal>;

/// Normalises `raw`: what is sent, each character with the place of the one that was written for
/// it, counted in characters from 1. Blanks shape the layout; a letter is composed with its accents
/// before it is judged, so that `w` and a combining circumflex are `ŵ`.
pub(crate) fn read(
    raw: &str,
    scripts: Scripts,
    on_refusal: OnRefusal<'_>,
) -> Result<Vec<Placed>, TextRefusal> {
    let mut reader = Reader {
        scripts,
        layout: Layout::default(),
        marks: 0,
        on_refusal,
    };
    let keeps_direction = scripts == Scripts::Any && raw.chars().any(characters::is_right_to_left);
    let mut letter = String::new();
    let mut letter_position = 1;
    let mut before = None;
    for (ch, position) in raw.chars().zip(1..) {
        let blank = match characters::blank(ch, scripts) {
            None if characters::is_direction_mark(ch) && !keeps_direction => Some(Blank::Nothing),
            blank => blank,
        };
        let ends_letter = match blank {
            Some(Blank::Nothing) => false,
            Some(Blank::Newline | Blank::Space) => true,
            None => canonical_combining_class(ch) == 0,
        };
        if ends_letter {
            reader.write_letter(&letter, letter_position)?;
            letter.clear();
        }
        match blank {
            Some(Blank::Newline) if ch == '\n' && before == Some('\r') => {}
            Some(Blank::Newline) => reader.layout.end_line(position),
            Some(Blank::Space) => reader.layout.space(position),
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
    reader.write_letter(&letter, letter_position)?;
    let text = reader.layout.finish();
    let text = match scripts {
        Scripts::GsmWelsh => text,
        Scripts::Any => compose_neighbours(&text),
    };
    refuse_misleading_links(&text, reader.on_refusal)?;
    Ok(text)
}

struct Reader<'a> {
    scripts: Scripts,
    layout: Layout,
    marks: usize,
    on_refusal: OnRefusal<'a>,
}

impl Reader<'_> {
    /// Writes one letter and its accents as they are sent.
    fn write_letter(&mut self, letter: &str, position: usize) -> Result<(), TextRefusal> {
        // Most letters stand alone, and composing costs more than all the rest.
        if let &[ascii] = letter.as_bytes() {
            return self.write(char::from(ascii), position);
        }
        letter.nfc().try_for_each(|ch| self.write(ch, position))
    }

    /// Writes one composed character as it is sent.
    fn write(&mut self, ch: char, position: usize) -> Result<(), TextRefusal> {
        match characters::sent(ch, self.scripts) {
            Some(Sent::As(ch)) if characters::is_mark(ch) => {
                self.marks += 1;
                if self.marks > MARKS_MAX {
                    return (self.on_refusal)(TextRefusal::Marks { ch, position });
                }
                self.layout.push(ch, position);
            }
            Some(Sent::As(ch)) => {
                self.marks = 0;
                self.layout.push(ch, position);
            }
            Some(Sent::Words(words)) => {
                self.marks = 0;
                words.chars().for_each(|ch| self.layout.push(ch, position));
            }
            None => return (self.on_refusal)(TextRefusal::Character { ch, position }),
        }
        Ok(())
    }
}

/// A few scripts compose letters with letters (Hangul, Bengali and others), which the reading above
/// looked at one by one. A composed letter stands at the place of its first part.
fn compose_neighbours(text: &[Placed]) -> Vec<Placed> {
    let mut composed = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(&(first, position)) = rest.first() {
        let mut starter = first;
        let grows = |&&(ch, _): &&Placed| {
            if canonical_combining_class(ch) != 0 {
                return true;
            }
            match compose(starter, ch) {
                Some(whole) => {
                    starter = whole;
                    true
                }
                None => false,
            }
        };
        let length = 1 + rest[1..].iter().take_while(grows).count();
        let (cluster, after) = rest.split_at(length);
        let whole = cluster.iter().map(|&(ch, _)| ch).nfc();
        composed.extend(whole.map(|ch| (ch, position)));
        rest = after;
    }
    composed
}

fn refuse_misleading_links(text: &[Placed], on_refusal: OnRefusal<'_>) -> Result<(), TextRefusal> {
    let chars: Vec<char> = text.iter().map(|&(ch, _)| ch).collect();
    for (index, ch) in contacts::misleading_letters(&chars) {
        let (_, position) = text[index];
        on_refusal(TextRefusal::Link { ch, position })?;
    }
    Ok(())
}
