//! Why a text can't be sent, in words that its author can act on.

use std::fmt;

use balefire_domain::limits;

use crate::characters::may_be_shown;
use crate::text::Encoding;

/// Why a text can't be sent. [`fmt::Display`] names the field "the text"; an interface that calls
/// it something else uses [`TextRefusal::message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum TextRefusal {
    /// A character that can be neither carried nor downgraded.
    Character {
        /// The character, composed (NFC).
        ch: char,
        /// Where it stands in what the author wrote: in characters, the first one being 1.
        position: usize,
    },
    /// A stack of marks on one letter, which covers the lines around it.
    Marks {
        /// The first mark too many.
        ch: char,
        /// Where its letter stands, counted as in [`TextRefusal::Character`].
        position: usize,
    },
    /// A link whose name mixes alphabets, or only looks like plain letters.
    Link {
        /// The first letter of another alphabet.
        ch: char,
        /// Where it stands, counted as in [`TextRefusal::Character`].
        position: usize,
    },
    /// A name in double brackets, as templates have it, in whose place nothing would be put.
    Placeholder {
        /// Where it begins, counted as in [`TextRefusal::Character`].
        position: usize,
    },
    /// Nothing is left after normalising.
    Empty,
    /// More than fits on 15 pages; or more than [`limits::TEXT_BYTES_MAX`] as it was written, which
    /// is told as [`Encoding::Gsm7`].
    TooLong {
        /// The encoding that the text needs, which decides how much fits.
        encoding: Encoding,
    },
}

impl TextRefusal {
    /// The sentence for the author, beginning with the interface's name of the field: `Content`
    /// for the JSON API, `description` for CAP (R17, R29). The sentences about length are those
    /// that existing clients know.
    pub fn message(&self, field: &str) -> String {
        match *self {
            Self::Character { ch, position } => {
                let code = u32::from(ch);
                if may_be_shown(ch) {
                    format!(
                        "{field}: the character {ch} (U+{code:04X}) at position {position} can't \
                         be shown by every phone: remove it"
                    )
                } else {
                    format!(
                        "{field}: the invisible character U+{code:04X} at position {position} \
                         can't be sent: remove it"
                    )
                }
            }
            Self::Marks { ch, position } => format!(
                "{field}: too many marks on the letter at position {position}, up to U+{:04X}: \
                 remove them",
                u32::from(ch)
            ),
            Self::Link { ch, position } => format!(
                "{field}: the link at position {position} has {ch} (U+{:04X}), which looks like \
                 another letter: write the link anew in plain letters",
                u32::from(ch)
            ),
            Self::Placeholder { position } => format!(
                "{field}: nothing would be put in the place of the ((…)) at position {position}: \
                 write there what people should read"
            ),
            Self::Empty => format!("{field} is empty: write what people should do"),
            Self::TooLong {
                encoding: Encoding::Gsm7,
            } => {
                format!(
                    "{field} must be {} characters or fewer",
                    grouped(limits::TEXT_GSM7_MAX)
                )
            }
            Self::TooLong {
                encoding: Encoding::Ucs2,
            } => format!(
                "{field} must be {} characters or fewer (because it could not be GSM7 encoded)",
                grouped(limits::TEXT_UCS2_MAX)
            ),
        }
    }
}

impl fmt::Display for TextRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message("the text"))
    }
}

/// A number below a million with a comma between its thousands.
fn grouped(number: usize) -> String {
    if number < 1000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1000, number % 1000)
    }
}
