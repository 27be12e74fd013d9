//! Common Alerting Protocol 1.2: reads what agencies send, safely, and says what is wrong with it.
//!
//! A document goes through these steps, and each one refuses before the next one starts:
//!
//! 1. [`read`](fn@read): size, encoding, no document type, no processing instruction, depth and
//!    numbers bounded before the parser runs; well-formed XML; the structure that the OASIS schema
//!    demands; the typed [`Alert`](alert::Alert), which keeps every element of the document.
//! 2. [`check_kind`](rules::check_kind): status Actual, msgType Alert or Cancel.
//! 3. [`accept_alert`](rules::accept_alert) or [`accept_cancel`](rules::accept_cancel): the rules
//!    of the standard's text that no schema can say, and this product's own (D13, D41, D45).
//!
//! [`check`](fn@check) runs all three and reports everything it finds, for the command line;
//! [`check_structure`] runs only the first. Each finding names its [`Rule`], its path and the line
//! and column of the place in the document as it was sent.
//!
//! [`write`](fn@write) is the way back: a typed message to canonical XML.
//!
//! Promised: no input makes anything here panic, recurse without bound or take more than linear
//! time; whatever is refused is refused with a path into the document and a sentence for its
//! sender.
//!
//! Deliberately not done: shapes are not judged here (validity, overlap, area are the `geometry`
//! crate's), the text is not counted (the `cell-broadcast` crate's), signatures are kept but not
//! verified, nothing is fetched from any address that a document names.

pub mod alert;
mod canonical;
mod check;
mod date;
mod decode;
mod finding;
pub mod outgoing;
mod place;
mod read;
mod references;
pub mod rules;
mod scan;
mod structure;
mod write;

pub use check::{Report, Summary, check, check_as, check_structure};
pub use date::{DateFault, DateTime};
pub use decode::check_charset_utf8;
pub use finding::{Finding, Rule, Severity};
pub use read::{Document, read, read_and_look};
pub use references::Reference;
pub use write::write;
