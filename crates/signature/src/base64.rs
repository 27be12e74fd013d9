//! Base64 as a signature may be spelt: one way only.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Encodes in one line.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes text that may be broken by the white space of XML and by nothing else. The padding must
/// be there, and the unused bits of the last character must be zero (RFC 4648 §3.5): otherwise the
/// same bytes could be spelt in several ways, and a changed document would still verify.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r');
    let packed: String = text.chars().filter(|c| !is_space(*c)).collect();
    STANDARD.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_string_has_one_spelling() {
        let rows = [
            ("fQ==", Some(vec![0x7D])),
            (" f\tQ\r\n=\n= ", Some(vec![0x7D])),
            ("fW==", None),
            ("fR==", None),
            ("fQ=", None),
            ("fQ", None),
            ("fQ===", None),
            ("AAE=", Some(vec![0, 1])),
            ("AAF=", None),
            ("AA\u{A0}E=", None),
            ("AA-_", None),
            ("AA,=", None),
            ("", Some(vec![])),
        ];
        for (text, want) in rows {
            assert_eq!(decode(text), want, "{text}");
        }
    }
}
