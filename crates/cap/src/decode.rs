//! Bytes to text: UTF-8, or ISO-8859-1 and US-ASCII where the XML declaration names them.
//!
//! A document that one program reads as UTF-8 and another as something else has two meanings, and
//! the approver sees only one of them. So the encoding is settled before anything is parsed: a
//! document is UTF-8 unless its declaration names one of the other two, each byte of which is one
//! character that nobody reads differently. A UTF-8 byte order mark may stand in front of UTF-8
//! only. Everything else is refused by its name.

use std::borrow::Cow;

use balefire_domain::limits;
use memchr::memchr;

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

/// How bytes are characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Utf8,
    /// ISO-8859-1: the byte is the number of the character.
    Latin1,
    Ascii,
}

impl Encoding {
    /// The encoding of a name, which has no case (XML 1.0 §4.3.3).
    fn of(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" => Some(Self::Utf8),
            "iso-8859-1" => Some(Self::Latin1),
            "us-ascii" => Some(Self::Ascii),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Latin1 => "ISO-8859-1",
            Self::Ascii => "US-ASCII",
        }
    }
}

/// Reads the text of a document, or says why it can't be read.
pub(crate) fn decode(bytes: &[u8]) -> Result<Source<'_>, Finding> {
    if bytes.len() > limits::BODY_BYTES_MAX {
        return Err(too_large(""));
    }
    let unmarked = bytes.strip_prefix(b"\xEF\xBB\xBF");
    let has_mark = unmarked.is_some();
    let bytes = unmarked.unwrap_or(bytes);
    refuse_wide_encodings(bytes)?;
    let (declaration, rest) = bytes.split_at(declaration_length(bytes)?);
    let (declaration, declared) = check_declaration(declaration)?;
    if has_mark && declared != Encoding::Utf8 {
        let name = declared.name();
        return Err(encoding(format!(
            "the document starts with the byte order mark of UTF-8 and says that it is {name}; \
             remove the one that is wrong"
        )));
    }
    let text = characters(rest, declared).map_err(|at| {
        let at = declaration.len() + at;
        let (byte, name) = (bytes[at], declared.name());
        let message = format!("a byte is no {name} (0x{byte:02X}); send the document as UTF-8");
        let (line, column) = place::after(&bytes[..at]);
        let finding = encoding(message).at(at);
        Finding {
            line,
            column,
            ..finding
        }
    })?;
    if text.len() > limits::BODY_BYTES_MAX {
        return Err(too_large(" in UTF-8"));
    }
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

/// Refuses a document that came with the words `charset=utf-8` and whose declaration names another
/// encoding, where its bytes are other characters in that one: for some readers what stands outside
/// counts (RFC 7303 §3.2), for others what stands inside.
pub fn check_charset_utf8(bytes: &[u8]) -> Result<(), Finding> {
    let declared = declaration_length(bytes).and_then(|to| check_declaration(&bytes[..to]));
    match declared {
        Ok((_, declared)) if declared != Encoding::Utf8 && !bytes.is_ascii() => {
            let name = declared.name();
            Err(encoding(format!(
                "the content type says charset=utf-8 and the document says {name}; leave the \
                 charset out, or send the document as UTF-8"
            )))
        }
        _ => Ok(()),
    }
}

/// The characters of bytes, at most twice as many bytes in UTF-8; or where the first byte stands
/// that is none.
fn characters(bytes: &[u8], encoding: Encoding) -> Result<Cow<'_, str>, usize> {
    match (encoding, std::str::from_utf8(bytes)) {
        (Encoding::Utf8, text) => text.map(Cow::Borrowed).map_err(|error| error.valid_up_to()),
        (_, Ok(text)) if text.is_ascii() => Ok(Cow::Borrowed(text)),
        (Encoding::Latin1, _) => Ok(bytes.iter().copied().map(char::from).collect()),
        (Encoding::Ascii, _) => {
            let at = bytes.iter().position(|byte| !byte.is_ascii());
            Err(at.unwrap_or_default())
        }
    }
}

fn too_large(how: &str) -> Finding {
    let max = limits::BODY_BYTES_MAX;
    let message = format!("the document is larger than {max} bytes{how}, which is the limit");
    Finding::error("too-large", "", message)
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

/// How many bytes the XML declaration has; 0 where the document does not start with one.
fn declaration_length(bytes: &[u8]) -> Result<usize, Finding> {
    match bytes.strip_prefix(b"<?xml") {
        Some([b' ' | b'\t' | b'\r' | b'\n', ..]) => {}
        Some(_) | None => return Ok(0),
    }
    let head = &bytes[..bytes.len().min(1_000)];
    let end = head.windows(2).position(|pair| pair == b"?>");
    end.map(|at| at + 2)
        .ok_or_else(|| syntax("the XML declaration has no end `?>`"))
}

/// Reads `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>`, the last two optional, or
/// nothing at all: its text, and the encoding of what follows.
fn check_declaration(bytes: &[u8]) -> Result<(&str, Encoding), Finding> {
    let malformed = || syntax("the XML declaration is not well formed");
    let text = std::str::from_utf8(bytes).map_err(|_| malformed())?;
    if text.is_empty() {
        return Ok((text, Encoding::Utf8));
    }
    if !text.is_ascii() {
        return Err(malformed());
    }
    let inner = text
        .strip_prefix("<?xml")
        .and_then(|rest| rest.strip_suffix("?>"));
    let mut rest = inner.ok_or_else(malformed)?;
    let mut expected = ["version", "encoding", "standalone"].iter();
    let (mut has_version, mut declared) = (false, Encoding::Utf8);
    while !rest.trim_ascii_start().is_empty() {
        if !rest.starts_with(|c: char| c.is_ascii_whitespace()) {
            return Err(malformed());
        }
        let (name, value, after) =
            split_attribute(rest.trim_ascii_start()).ok_or_else(malformed)?;
        if !expected.any(|known| *known == name) {
            return Err(malformed());
        }
        if name == "encoding" {
            declared = Encoding::of(value).ok_or_else(|| not_accepted(value))?;
        } else {
            check_declared(name, value)?;
        }
        has_version |= name == "version";
        rest = after;
    }
    if has_version {
        Ok((text, declared))
    } else {
        Err(malformed())
    }
}

fn not_accepted(name: &str) -> Finding {
    encoding(format!(
        "the encoding {} is not accepted; send the document as UTF-8",
        shown(name)
    ))
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
        _ => Err(syntax("the XML declaration is not well formed")),
    }
}

/// `\r\n` and a lone `\r` are one line end (XML 1.0 §2.11).
fn unify_line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    if memchr(b'\r', text.as_bytes()).is_some() {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_encodings_and_xml_1_0_are_read() {
        // One row per way to announce an encoding: bytes, code of the finding or none.
        let cases: [(&[u8], Option<&str>); 41] = [
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
            (b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", None),
            (
                b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xE9\x85\xFF</a>",
                None,
            ),
            (b"<?xml version='1.0' encoding='US-ASCII'?><a>e</a>", None),
            (
                b"<?xml version='1.0' encoding='us-ascii'?><a>\xC3\xA9</a>",
                Some("encoding"),
            ),
            (
                b"\xEF\xBB\xBF<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                Some("encoding"),
            ),
            (
                b"\xEF\xBB\xBF<?xml version='1.0' encoding='US-ASCII'?><a/>",
                Some("encoding"),
            ),
            (
                b"\xFF\xFE<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-15'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='windows-1252'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='IBM037'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding=' ISO-8859-1'?><a/>",
                Some("encoding"),
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1' encoding='utf-8'?><a/>",
                Some("xml-syntax"),
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1\xE9'?><a/>",
                Some("xml-syntax"),
            ),
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?> \n",
                Some("empty"),
            ),
            (b"<?xml version='1.0' encoding='US-ASCII'?>", Some("empty")),
            (
                b"<?xml version='1.0' standalone='no'encoding='ISO-8859-1'?><a/>",
                Some("xml-syntax"),
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
        let error = decode(b"<?xml version='1.0' encoding='windows-1252'?><a>\xE9</a>").err();
        assert!(error.is_some_and(|f| f.message.contains("windows-1252")));
        let error = decode(b"<?xml version='1.0' encoding='us-ascii'?>\n<a>\xE9</a>").err();
        let error = error.expect("it is no ASCII");
        assert!(error.message.contains("US-ASCII (0xE9)"), "{error}");
        assert_eq!((error.line, error.column), (2, 4));
    }

    #[test]
    fn each_byte_of_latin_1_is_the_character_of_its_number() {
        let declaration = b"<?xml version='1.0' encoding='ISO-8859-1'?>";
        let all: Vec<u8> = (1..=255).collect();
        let document = [declaration.as_slice(), &all].concat();
        let source = decode(&document).expect("every byte is a character");
        let want: String = (1..=255_u8).map(char::from).collect();
        assert_eq!(source.text, want.replace('\r', "\n"));
        assert_eq!(source.declaration.as_bytes(), declaration);
    }

    #[test]
    fn latin_1_is_bounded_by_what_it_is_in_utf_8() {
        let declaration = b"<?xml version='1.0' encoding='ISO-8859-1'?>";
        let half = limits::BODY_BYTES_MAX / 2;
        for (count, want) in [(half, None), (half + 1, Some("too-large"))] {
            let document = [declaration.as_slice(), &vec![0xE9; count]].concat();
            assert_eq!(decode(&document).err().map(|f| f.code), want);
        }
    }

    #[test]
    fn what_came_as_utf8_may_not_say_that_it_is_latin_1() {
        let rows: [(&[u8], bool); 5] = [
            (
                b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9</a>",
                false,
            ),
            (
                b"<?xml version='1.0' encoding='iso-8859-1'?><a>\xC3\xA9</a>",
                false,
            ),
            (b"<?xml version='1.0' encoding='ISO-8859-1'?><a>e</a>", true),
            (
                b"<?xml version='1.0' encoding='UTF-8'?><a>\xC3\xA9</a>",
                true,
            ),
            (b"\xEF\xBB\xBF<a>\xC3\xA9</a>", true),
        ];
        for (document, want) in rows {
            let is = check_charset_utf8(document).is_ok();
            assert_eq!(is, want, "{}", String::from_utf8_lossy(document));
        }
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
