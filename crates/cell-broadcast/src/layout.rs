//! White space: where spaces and line ends of a text go (R16), and which invisible characters stay.

use crate::characters::{self, is_joiner};

/// The most line ends in a row: one empty line.
const NEWLINES_MAX: usize = 2;

/// A character of the text, with the place of the one that was written for it.
pub(crate) type Placed = (char, usize);

/// Builds a text from its characters and lets no needless white space in: none at either end of
/// the text or of a line, one space between words, none before a comma or a full stop, and at
/// most one empty line.
#[derive(Default)]
pub(crate) struct Layout {
    text: Vec<Placed>,
    newlines: [usize; NEWLINES_MAX],
    newline_count: usize,
    space: Option<usize>,
    joiner: Option<Placed>,
}

impl Layout {
    /// A line ends at this place.
    pub(crate) fn end_line(&mut self, position: usize) {
        if let Some(place) = self.newlines.get_mut(self.newline_count) {
            *place = position;
            self.newline_count += 1;
        }
        self.space = None;
        self.joiner = None;
    }

    /// A space stands at this place.
    pub(crate) fn space(&mut self, position: usize) {
        self.space.get_or_insert(position);
        self.joiner = None;
    }

    /// The character directly before the next one, if nothing blank lies between.
    fn neighbour(&self) -> Option<char> {
        if self.newline_count > 0 || self.space.is_some() {
            return None;
        }
        self.text.last().map(|&(ch, _)| ch)
    }

    /// A character that is no white space stands here. What is invisible and does nothing to its
    /// neighbours is left out: a joiner that has nothing to join, a variation selector without
    /// anything to vary.
    pub(crate) fn push(&mut self, ch: char, position: usize) {
        let neighbour = self.neighbour();
        if is_joiner(ch) {
            if neighbour.is_some() {
                self.joiner.get_or_insert((ch, position));
            }
            return;
        }
        if characters::is_selector(ch)
            && !neighbour.is_some_and(|before| characters::may_vary(before, ch))
        {
            return;
        }
        if !self.text.is_empty() {
            if self.newline_count > 0 {
                let places = &self.newlines[..self.newline_count];
                self.text.extend(places.iter().map(|&place| ('\n', place)));
            } else if let Some(place) = self.space.filter(|_| !matches!(ch, ',' | '.')) {
                self.text.push((' ', place));
            }
        }
        if let (Some((joiner, place)), Some(before)) = (self.joiner.take(), neighbour)
            && characters::may_join(before, joiner, ch)
        {
            self.text.push((joiner, place));
        }
        self.text.push((ch, position));
        self.newline_count = 0;
        self.space = None;
    }

    /// The text; white space at its end is left out.
    pub(crate) fn finish(self) -> Vec<Placed> {
        self.text
    }
}
