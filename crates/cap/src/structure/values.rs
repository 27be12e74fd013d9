//! The values of elements that hold neither any text nor words: languages, numbers, addresses.
//!
//! These are the lexical forms of XML Schema part 2, so that a document which a schema validator
//! takes is not refused here and the other way round. White space around a value is no part of it.

use crate::date::XML_SPACE;

/// Digits of a number that count; more is no number that anybody measured.
const DIGITS_MAX: usize = 24;

/// `xs:language`: parts of up to 8 letters (digits too, after the first part) between hyphens.
pub(super) fn is_language(text: &str) -> bool {
    let mut parts = text.trim_matches(XML_SPACE).split('-');
    let first = parts.next().unwrap_or_default();
    let fits = |part: &str| (1..=8).contains(&part.len());
    fits(first)
        && first.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| fits(part) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// `xs:integer` of at most 24 digits.
pub(super) fn is_integer(text: &str) -> bool {
    let digits = without_sign(text.trim_matches(XML_SPACE));
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number && digits.trim_start_matches('0').len() <= DIGITS_MAX
}

/// `xs:decimal` of at most 24 digits: no exponent, no words.
pub(crate) fn is_decimal(text: &str) -> bool {
    let number = without_sign(text.trim_matches(XML_SPACE));
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (number, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let has_digit = !whole.is_empty() || fraction.is_some_and(|part| !part.is_empty());
    let significant = whole.trim_start_matches('0').len();
    let counts = match fraction {
        Some(fraction) => significant < DIGITS_MAX && significant + fraction.len() <= DIGITS_MAX,
        None => significant <= DIGITS_MAX,
    };
    has_digit && digits(whole) && fraction.is_none_or(digits) && counts
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

/// `xs:anyURI`: a URI reference (RFC 3986 §4.1), where every character that must be escaped may
/// also stand as it is.
pub(super) fn is_uri(text: &str) -> bool {
    let text = text.trim_matches(XML_SPACE);
    let (rest, fragment) = split_at_first(text, '#');
    let (rest, query) = split_at_first(rest, '?');
    let in_query = |b: u8| is_pchar(b) || matches!(b, b'/' | b'?');
    let in_fragment = |b: u8| in_query(b) || matches!(b, b'[' | b']');
    if !fragment.is_none_or(|part| consists_of(part, in_fragment))
        || !query.is_none_or(|part| consists_of(part, in_query))
    {
        return false;
    }
    let hierarchy = match rest.split_once(':') {
        Some((scheme, after)) if is_scheme(scheme) => after,
        // Without a scheme a colon may not stand before the first slash.
        Some((before, _)) if !before.contains('/') => return false,
        _ => rest,
    };
    let path = match hierarchy.strip_prefix("//") {
        Some(after) => {
            let end = authority_end(after);
            if !is_authority(&after[..end]) {
                return false;
            }
            &after[end..]
        }
        None => hierarchy,
    };
    consists_of(path, |b| is_pchar(b) || b == b'/')
}

fn split_at_first(text: &str, mark: char) -> (&str, Option<&str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

/// Where the authority ends: at the first slash that is not inside `[…]`.
fn authority_end(text: &str) -> usize {
    let bracket = text.find('[').filter(|at| !text[..*at].contains('/'));
    let from = bracket
        .and_then(|at| text[at..].find(']').map(|length| at + length))
        .unwrap_or(0);
    text[from..]
        .find('/')
        .map_or(text.len(), |length| from + length)
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// `user@host:port`, where the host may be an address in brackets or empty.
fn is_authority(text: &str) -> bool {
    let in_name = |b: u8| is_pchar(b) && !matches!(b, b':' | b'@');
    let host_and_port = match text.split_once('@') {
        Some((user, rest)) if consists_of(user, |b| in_name(b) || b == b':') => rest,
        _ => text,
    };
    let port = if host_and_port.starts_with('[') {
        match host_and_port.split_once(']') {
            Some((_, "")) => return true,
            Some((_, after)) => after.strip_prefix(':'),
            None => None,
        }
    } else {
        match host_and_port.split_once(':') {
            Some((host, port)) if consists_of(host, in_name) => Some(port),
            Some(_) => None,
            None => return consists_of(host_and_port, in_name),
        }
    };
    port.is_some_and(|digits| {
        digits.bytes().all(|b| b.is_ascii_digit()) && digits.parse::<i32>().is_ok()
    })
}

/// `pchar` of RFC 3986, and the characters that RFC 3987 and XML Schema let stand unescaped.
fn is_pchar(b: u8) -> bool {
    b.is_ascii_alphanumeric()
        || b"-._~!$&'()*+,;=:@".contains(&b)
        || b <= b' '
        || b >= 0x7F
        || b"<>\"{}|\\^`".contains(&b)
}

/// Whether the text has only such bytes, and whole percent escapes.
fn consists_of(text: &str, is_allowed: impl Fn(u8) -> bool) -> bool {
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [] => return true,
            [b'%', a, b, after @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => {
                rest = after;
            }
            [b, after @ ..] if *b != b'%' && is_allowed(*b) => rest = after,
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_valid: fn(&str) -> bool, valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(is_valid(text), "{text:?} is valid");
        }
        for text in invalid {
            assert!(!is_valid(text), "{text:?} is not valid");
        }
    }

    #[test]
    fn languages_are_parts_between_hyphens() {
        check(
            is_language,
            &[
                "en",
                "e",
                "en-GB",
                " en ",
                "i-klingon",
                "en-1",
                "zh-cmn-Hans-CN",
                "abcdefgh",
            ],
            &[
                "",
                " ",
                "abcdefghi",
                "en-abcdefghi",
                "en-",
                "-en",
                "en_GB",
                "123",
                "é",
                "en GB",
            ],
        );
    }

    #[test]
    fn integers_have_up_to_24_digits() {
        let long = "1".repeat(DIGITS_MAX);
        let too_long = "1".repeat(DIGITS_MAX + 1);
        let padded = format!("{}1", "0".repeat(40));
        check(
            is_integer,
            &["1", "+1", "-0", " 1\n", &long, &padded],
            &[
                "", " ", "-", "+ ", "1.0", "1.", "--1", "- 1", "1 1", "\u{661}", &too_long,
            ],
        );
    }

    #[test]
    fn decimals_have_no_exponent_and_up_to_24_digits() {
        let long = format!("0.{}", "1".repeat(DIGITS_MAX));
        let too_long = format!("1.{}", "0".repeat(DIGITS_MAX));
        let too_long_whole = format!("{}.", "1".repeat(DIGITS_MAX));
        check(
            is_decimal,
            &[
                "1", "1.5", ".5", "5.", "+.5", "-0.0", " 1 ", "0.", "00.5", &long,
            ],
            &[
                "",
                " ",
                ".",
                "-",
                "-.",
                "- ",
                "1e5",
                "INF",
                "NaN",
                "1..2",
                "1,5",
                &too_long,
                &too_long_whole,
            ],
        );
    }

    #[test]
    fn addresses_are_uri_references() {
        let valid = [
            "",
            "http://a",
            "a b",
            "%41",
            "#a",
            "a:b:c",
            "http://[::1]",
            "http://a:80",
            "?a?b",
            "http://é",
            "{x}",
            "mailto:x@y",
            "//",
            "///",
            "http:",
            "a/b:c",
            "#[",
            "x::",
            "x:@",
            "http://[a/b]",
            "http://@",
            "http://u:p@h",
            "http://:80",
            "a@b",
            "urn:oid:1.2",
            "http://a:2147483647",
            "http://1.2.3.4.com/",
            "./a:b",
            "/a:b",
            "http:/a//b",
        ];
        let invalid = [
            "%zz",
            "#a#b",
            "::",
            ":a",
            "1a:b",
            "http://[::1",
            "http://a:8x",
            "http://a:",
            "http://u@h@i",
            "http://a/%",
            "http://a/[x]",
            "[x]",
            "1:2",
            "a%2",
            "x:/[",
            "?[",
            "http://[1:2]x/",
            "a b:c",
            "a_b:c",
            "//[",
            "é:b",
            "a@b:c",
            "http://a:2147483648",
            "http://a?[",
            "a%20:c",
            "x:%",
        ];
        check(is_uri, &valid, &invalid);
    }
}
