//! What a phone shows: an alert's text as cell broadcast carries it.
//!
//! [`AlertText::accept`] is the one way from what an author wrote to what is counted, hashed, shown
//! to the approver, frozen and sent (D11). It normalises once, refuses by name what can't be
//! carried, and never puts a `?` where a letter was. [`AlertText::normalise`] does the same for a
//! text that may still be too long, so that a page can count while somebody types.
//!
//! Nothing here does I/O, reads a clock or draws randomness, and nothing is escaped: HTML and XML
//! are escaped where text is rendered.
//!
//! Not done here: packing septets into pages. The providers' CBCs do that; [`AlertText::pages`]
//! only says how many pages they will need.

mod characters;
pub mod gsm7;
mod layout;
mod message_number;
mod refusal;
mod text;

pub use characters::{Scripts, WELSH_LETTERS};
pub use message_number::{InvalidMessageNumber, MessageNumber};
pub use refusal::TextRefusal;
pub use text::{AlertText, Encoding, Language};
