//! White space: where spaces and line ends of a text go (R16).

use crate::characters::is_joiner;

/// The most line ends in a row: one empty line.
const NEWLINES_MAX: usize = 2;

/// Builds a text from its characters and lets no needless white space in: none at either end of
/// the text or of a line, one space between words, none before a comma or a full stop, and at
/// most one empty line.
#[derive(Default)]
pub(crate) struct Layout {
    text: String,
    newlines: usize,
    space: bool,
    joiner: Option<char>,
}

impl Layout {
    /// A line ends here.
    pub(crate) fn end_line(&mut self) {
        self.newlines += 1;
        self.space = false;
        self.joiner = None;
    }

    /// A space stands here.
    pub(crate) fn space(&mut self) {
        self.space = true;
        self.joiner = None;
    }

    /// A character that is no white space stands here. A joiner that has nothing to join is left
    /// out.
    pub(crate) fn push(&mut self, ch: char) {
        let follows_directly = !self.text.is_empty() && self.newlines == 0 && !self.space;
        if is_joiner(ch) {
            if follows_directly {
                self.joiner.get_or_insert(ch);
            }
            return;
        }
        if !self.text.is_empty() {
            if self.newlines > 0 {
                let newlines = self.newlines.min(NEWLINES_MAX);
                self.text.extend(std::iter::repeat_n('\n', newlines));
            } else if self.space && !matches!(ch, ',' | '.') {
                self.text.push(' ');
            }
        }
        self.text.extend(self.joiner.take());
        self.text.push(ch);
        self.newlines = 0;
        self.space = false;
    }

    /// The text; white space at its end is left out.
    pub(crate) fn finish(self) -> String {
        self.text
    }
}
