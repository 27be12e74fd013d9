//! What a text costs, character by character: for the author's editor and for `text count`.

use std::collections::BTreeMap;

use balefire_domain::limits;
use unicode_normalization::char::canonical_combining_class;

use crate::characters::{self, Scripts};
use crate::gsm7::{self, Spelling};
use crate::reading;
use crate::refusal::TextRefusal;
use crate::text::{AlertText, Encoding};

/// Refusals that are told of one text.
pub const REFUSALS_MAX: usize = 100;

/// Which alphabet a character needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Needs {
    /// The default alphabet of GSM-7: one septet.
    Default,
    /// The extension table of GSM-7: two septets.
    Extension,
    /// UCS-2, with the whole text: one unit, or two beyond 16 bits.
    Ucs2,
}

impl Needs {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Extension => "extension",
            Self::Ucs2 => "ucs2",
        }
    }

    fn of(ch: char) -> Self {
        match gsm7::spelling(ch) {
            Some(Spelling::Default(_)) => Self::Default,
            Some(Spelling::Extension(_)) => Self::Extension,
            None => Self::Ucs2,
        }
    }
}

/// What becomes of a character that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    /// It is sent as it is.
    Kept,
    /// It is sent as something else.
    Changed,
    /// It is one with the letter before it.
    Joined,
    /// It is left out: needless white space, or invisible.
    LeftOut,
    /// It can't be sent: the text is refused.
    Refused,
}

impl Fate {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Changed => "changed",
            Self::Joined => "joined",
            Self::LeftOut => "left-out",
            Self::Refused => "refused",
        }
    }
}

/// One character that was written, and what it costs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cost {
    /// The character.
    pub written: char,
    /// What becomes of it.
    pub fate: Fate,
    /// What is sent for it; empty when nothing is.
    pub sent: String,
    /// What is sent needs this alphabet; absent when nothing is sent.
    pub needs: Option<Needs>,
    /// Units that it takes in this text.
    pub units: usize,
}

/// What a text costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// What would be sent: normalised, and without what is refused.
    pub text: AlertText,
    /// Pages that it needs when no pair is split.
    pub pages: usize,
    /// For each character that was written, in order. Empty for a text that is too long to be
    /// read ([`limits::TEXT_BYTES_MAX`]).
    pub costs: Vec<Cost>,
    /// Why it can't be sent, in the order in which an author meets it; empty when it can be. At
    /// most [`REFUSALS_MAX`].
    pub refusals: Vec<TextRefusal>,
}

impl Measure {
    /// Units that are left: septets or UTF-16 code units; negative when the text is too long.
    pub fn remaining(&self) -> i64 {
        let count = |units: usize| i64::try_from(units).unwrap_or(i64::MAX);
        count(self.text.encoding().units_max()) - count(self.text.units())
    }

    /// Units of padding that lie between pages because no pair is split: what the pages have room
    /// for, less the text, up to the end of its last page.
    pub fn wasted(&self) -> usize {
        let mut wasted = 0;
        let mut room = 0;
        let encoding = self.text.encoding();
        for ch in self.text.as_str().chars() {
            let units = encoding.units_of(ch);
            if units > room {
                wasted += room;
                room = encoding.page_units();
            }
            room -= units;
        }
        wasted
    }

    /// The characters that alone make the text UCS-2, each once, in order of appearance, with the
    /// places where they were written, from 1.
    pub fn forcing_ucs2(&self) -> Vec<(char, Vec<usize>)> {
        let mut forcing: Vec<(char, Vec<usize>)> = Vec::new();
        let mut known = BTreeMap::new();
        for (cost, position) in self.costs.iter().zip(1..) {
            for ch in cost.sent.chars().filter(|&ch| Needs::of(ch) == Needs::Ucs2) {
                let index = *known.entry(ch).or_insert(forcing.len());
                match forcing.get_mut(index) {
                    Some((_, places)) => places.push(position),
                    None => forcing.push((ch, vec![position])),
                }
            }
        }
        forcing
    }
}

/// Measures what an author wrote. Never fails: what can't be sent is told in
/// [`Measure::refusals`], and the rest is counted as if it were not there.
///
/// [`AlertText::accept`] takes a text exactly when there are no refusals.
pub fn measure(raw: &str, scripts: Scripts) -> Measure {
    let mut refusals = Vec::new();
    if raw.len() > limits::TEXT_BYTES_MAX {
        let encoding = Encoding::Gsm7;
        refusals.push(TextRefusal::TooLong { encoding });
        return Measure {
            text: AlertText::count(String::new()),
            pages: 0,
            costs: Vec::new(),
            refusals,
        };
    }
    let mut refused = vec![false; raw.chars().count() + 1];
    let placed = reading::read(raw, scripts, &mut |refusal| {
        match refusal {
            TextRefusal::Character { position, .. }
            | TextRefusal::Marks { position, .. }
            | TextRefusal::Link { position, .. } => refused[position] = true,
            TextRefusal::Placeholder { .. } | TextRefusal::Empty | TextRefusal::TooLong { .. } => {}
        }
        if refusals.len() < REFUSALS_MAX {
            refusals.push(refusal);
        }
        Ok(())
    });
    let placed = placed.expect("a reading that takes every refusal ends");
    let text = AlertText::count(placed.iter().map(|&(ch, _)| ch).collect());
    if text.is_empty() && refusals.is_empty() {
        refusals.push(TextRefusal::Empty);
    }
    refusals.extend(text.check_length().err());
    let costs = costs(raw, &placed, &refused, text.encoding());
    Measure {
        pages: text.pages(),
        text,
        costs,
        refusals,
    }
}

fn costs(raw: &str, placed: &[(char, usize)], refused: &[bool], encoding: Encoding) -> Vec<Cost> {
    let mut rest = placed;
    let cost = |(written, position): (char, usize)| {
        let own = rest
            .iter()
            .take_while(|&&(_, place)| place == position)
            .count();
        let (sent, after) = rest.split_at(own);
        rest = after;
        let sent: String = sent.iter().map(|&(ch, _)| ch).collect();
        let mut as_written = [0; 4];
        let fate = if refused[position] {
            Fate::Refused
        } else if sent == *written.encode_utf8(&mut as_written) {
            Fate::Kept
        } else if !sent.is_empty() {
            Fate::Changed
        } else if joins_the_letter_before(written) {
            Fate::Joined
        } else {
            Fate::LeftOut
        };
        Cost {
            written,
            fate,
            needs: sent.chars().map(Needs::of).max(),
            units: sent.chars().map(|ch| encoding.units_of(ch)).sum(),
            sent,
        }
    };
    raw.chars().zip(1..).map(cost).collect()
}

/// Marks, and the later letters of a Korean syllable.
fn joins_the_letter_before(ch: char) -> bool {
    canonical_combining_class(ch) != 0 || (characters::may_be_shown(ch) && ch.is_alphabetic())
}
