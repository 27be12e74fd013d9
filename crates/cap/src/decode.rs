//! Bytes to text: UTF-8 and nothing else.
//!
//! A document that one program reads as UTF-8 and another as something else has two meanings, and
//! the approver sees only one of them. So the encoding is settled before anything is parsed: a
//! UTF-8 byte order mark may stand in front, the XML declaration may name UTF-8, everything else
//! is refused by its name.

use std::borrow::Cow;

use balefire_domain::limits;

use crate::finding::{Finding, shown};
use crate::place;

/// The text of a document after its byte order mark and XML declaration, with line ends as XML
/// 1.0 §2.11 wants them.
pub(crate) struct Source<'a> {
    /// What the parser reads.
    pub text: Cow<'a, str>,
    /// The XML declaration, which stands before `text`; empty without one.
    pub declaration: &'a str,
}

/// Reads the text of a document, or says why it can't be read.
pub(crate) fn decode(bytes: &[u8]) -> Result<Source<'_>, Finding> {
    if bytes.len() > limits::BODY_BYTES_MAX {
        let max = limits::BODY_BYTES_MAX;
        let message = format!("the document is larger than {max} bytes, which is the limit");
        return Err(Finding::error("too-large", "", message));
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    refuse_wide_encodings(bytes)?;
    let length = declaration_length(bytes)?;
    if let Some(length) = length {
        check_declaration(&bytes[..length])?;
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let message = format!(
            "a byte is no UTF-8 (0x{:02X}); send the document as UTF-8",
            bytes[at]
        );
        let (line, column) = place::after(&bytes[..at]);
        let finding = encoding(message).at(at);
        Finding {
            line,
            column,
            ..finding
        }
    })?;
    let (declaration, text) = text.split_at(length.unwrap_or(0));
    if text.trim_ascii().is_empty() {
        return Err(Finding::error("empty", "", "the document is empty"));
    }
    // The parser would take a second mark, or one after the declaration, for the first.
    if text.starts_with('\u{FEFF}') {
        let message = "a byte order mark may stand only at the very beginning, and once";
        return Err(encoding(message));
    }
    Ok(Source {
        text: unify_line_ends(text),
        declaration,
    })
}

fn encoding(message: impl Into<String>) -> Finding {
    Finding::error("encoding", "", message)
}

fn syntax(message: &str) -> Finding {
    Finding::error("xml-syntax", "", message).at(0)
}

/// UTF-16 and UTF-32 show in their byte order mark or in the zeros of the first characters.
fn refuse_wide_encodings(bytes: &[u8]) -> Result<(), Finding> {
    let head = &bytes[..bytes.len().min(4)];
    let name = match head {
        [0xFF, 0xFE, 0, 0] | [0, 0, 0xFE, 0xFF] | [0, 0, 0, _] | [_, 0, 0, 0] => "UTF-32",
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] | [0, ..] | [_, 0, ..] => "UTF-16",
        _ => return Ok(()),
    };
    Err(encoding(format!(
        "the document looks like {name}; send it as UTF-8"
    )))
}

/// How many bytes the XML declaration has, if the document starts with one.
fn declaration_length(bytes: &[u8]) -> Result<Option<usize>, Finding> {
    match bytes.strip_prefix(b"<?xml") {
        Some([b' ' | b'\t' | b'\r' | b'\n', ..]) => {}
        Some(_) | None => return Ok(None),
    }
    let head = &bytes[..bytes.len().min(1_000)];
    let end = head.windows(2).position(|pair| pair == b"?>");
    end.map(|at| Some(at + 2))
        .ok_or_else(|| syntax("the XML declaration has no end `?>`"))
}

/// Reads `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, the last two optional.
fn check_declaration(bytes: &[u8]) -> Result<(), Finding> {
    let malformed = || syntax("the XML declaration is not well formed");
    if !bytes.is_ascii() {
        return Err(malformed());
    }
    let text = String::from_utf8_lossy(bytes);
    let inner = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.strip_suffix("?>"));
    let mut rest = inner.ok_or_else(malformed)?;
    let mut expected = ["version", "encoding", "standalone"].iter();
    let mut has_version = false;
    while !rest.trim_ascii_start().is_empty() {
        if !rest.starts_with(|c: char| c.is_ascii_whitespace()) {
            return Err(malformed());
        }
        let (name, value, after) =
            split_attribute(rest.trim_ascii_start()).ok_or_else(malformed)?;
        if !expected.any(|known| *known == name) {
            return Err(malformed());
        }
        check_declared(name, value)?;
        has_version |= name == "version";
        rest = after;
    }
    if has_version {
        Ok(())
    } else {
        Err(malformed())
    }
}

/// `name = "value" rest`.
fn split_attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_ascii_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, rest) = rest[1..].split_once(quote)?;
    Some((name.trim_ascii_end(), value, rest))
}

fn check_declared(name: &str, value: &str) -> Result<(), Finding> {
    match (name, value) {
        ("version", "1.0") | ("standalone", "yes" | "no") => Ok(()),
        ("version", other) => {
            let message = format!("XML version {} is not accepted; use XML 1.0", shown(other));
            Err(Finding::error("xml-version", "", message))
        }
        ("encoding", other) if other.eq_ignore_ascii_case("utf-8") => Ok(()),
        ("encoding", other) => Err(encoding(format!(
            "the encoding {} is not accepted; send the document as UTF-8",
            shown(other)
        ))),
        _ => Err(syntax("the XML declaration is not well formed")),
    }
}

/// `\r\n` and a lone `\r` are one line end (XML 1.0 §2.11).
fn unify_line_ends(text: &str) -> Cow<'_, str> {
    if memchr::memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_utf8_and_xml_1_0_are_read() {
        // One row per way to announce an encoding: bytes, code of the finding or none.
        let cases: [(&[u8], Option<&str>); 26] = [
            (b"<a/>", None),
            (b"\xEF\xBB\xBF<a/>", None),
            (b"<?xml version='1.0'?><a/>", None),
            (
                b"<?xml\tversion = \"1.0\"\n encoding='utf-8' standalone=\"no\" ?><a/>",
                None,
            ),
            (
                b"\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?><a/>",
                None,
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='UTF-16'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='UTF-7'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='utf-8\xE9'?><a/>",
                Some("xml-syntax"),
            ),
            (b"\xEF\xBB\xBF\xEF\xBB\xBF<a/>", Some("encoding")),
            (b"<?xml version='1.0'?>\xEF\xBB\xBF<a/>", Some("encoding")),
            (b"\xFF\xFE<\0a\0", Some("encoding")),
            (b"\xFE\xFF\0<\0a", Some("encoding")),
            (b"<\0a\0/\0>\0", Some("encoding")),
            (b"\0<\0a\0/\0>", Some("encoding")),
            (b"\xFF\xFE\0\0", Some("encoding")),
            (b"<a>\xE9</a>", Some("encoding")),
            (b"<?xml version='1.1'?><a/>", Some("xml-version")),
            (b"<?xml encoding='utf-8'?><a/>", Some("xml-syntax")),
            (
                b"<?xml encoding='utf-8' version='1.0'?><a/>",
                Some("xml-syntax"),
            ),
            (
                b"<?xml version='1.0' version='1.0'?><a/>",
                Some("xml-syntax"),
            ),
            (
                b"<?xml version='1.0'encoding='utf-8'?><a/>",
                Some("xml-syntax"),
            ),
            (
                b"<?xml version='1.0' standalone='maybe'?><a/>",
                Some("xml-syntax"),
            ),
            (b"<?xml version='1.0'", Some("xml-syntax")),
            (b"", Some("empty")),
            (b" \n\xEF\xBB", Some("encoding")),
        ];
        for (bytes, want) in cases {
            let is = decode(bytes).err().map(|f| f.code);
            assert_eq!(is, want, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn the_declared_encoding_is_named() {
        let error = decode(b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>").err();
        assert!(error.is_some_and(|f| f.message.contains("ISO-8859-1")));
    }

    #[test]
    fn a_document_over_the_limit_is_refused_unread() {
        let bytes = vec![b'<'; limits::BODY_BYTES_MAX + 1];
        assert_eq!(decode(&bytes).err().map(|f| f.code), Some("too-large"));
    }

    #[test]
    fn line_ends_are_unified() {
        let source = decode(b"<a>1\r\n2\r3\n</a>").expect("it is UTF-8");
        assert_eq!(source.text, "<a>1\n2\n3\n</a>");
    }
}
