//! What a phone shows: an alert's text as cell broadcast carries it.
//!
//! [`AlertText::accept`] is the one way from what an author wrote to what is counted, hashed, shown
//! to the approver, frozen and sent (D11). It normalises once, refuses by name what can't be
//! carried, and never puts a `?` where a letter was. [`AlertText::normalise`] does the same for a
//! text that may still be too long, so that a page can count while somebody types.
//!
//! [`measure`] tells what each character costs. [`facts`] lists the telephone numbers and links of
//! a text for its approver. [`pages`] makes and reads the 88 octets that go on the air, with their
//! [`MessageIdentifier`], [`SerialNumber`] and [`DataCoding`] (3GPP TS 23.041 and TS 23.038).
//!
//! Nothing here does I/O, reads a clock or draws randomness, and nothing is escaped: HTML and XML
//! are escaped where text is rendered. docs/text.md has the rules and the tables.
//!
//! The providers' CBCs make the pages that are broadcast; those made here show beforehand what
//! these will be.

mod characters;
mod contacts;
mod data_coding;
pub mod gsm7;
mod identifier;
mod layout;
mod measure;
mod message_number;
pub mod national;
pub mod pages;
mod placeholder;
mod reading;
mod refusal;
pub mod septets;
mod serial;
mod text;

pub use characters::{Scripts, WELSH_LETTERS};
pub use contacts::{
    Allowed, Fact, FactKind, InvalidHost, InvalidNumber, facts, parse_host, parse_number,
};
pub use data_coding::{Alphabet, DataCoding, InvalidLanguageCode, LanguageCode, UnreadableCoding};
pub use identifier::MessageIdentifier;
pub use measure::{Cost, Fate, Measure, Needs, REFUSALS_MAX, measure};
pub use message_number::{InvalidMessageNumber, MessageNumber};
pub use placeholder::placeholder_at;
pub use refusal::TextRefusal;
pub use serial::{CODES, Scope, SerialNumber, next_code};
pub use text::{AlertText, Encoding, Language};
