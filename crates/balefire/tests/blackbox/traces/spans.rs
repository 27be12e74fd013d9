//! Reads what a collector was sent: `ExportTraceServiceRequest` of OTLP, as protocol buffers, as
//! far as the tests look at it.

use std::collections::BTreeMap;

/// A span.
#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) trace: Vec<u8>,
    pub(super) id: Vec<u8>,
    /// Empty where it has none.
    pub(super) parent: Vec<u8>,
    pub(super) name: String,
    /// Those that are texts.
    pub(super) attributes: BTreeMap<String, String>,
}

/// The spans of a request: in its `resource_spans` (1), their `scope_spans` (2), their `spans` (2).
pub(super) fn spans_of(request: &[u8]) -> Vec<Span> {
    let resources = parts(request, 1);
    let scopes = resources.iter().flat_map(|resource| parts(resource, 2));
    let spans: Vec<&[u8]> = scopes.flat_map(|scope| parts(scope, 2)).collect();
    spans.into_iter().map(span).collect()
}

fn span(bytes: &[u8]) -> Span {
    let one = |field| {
        parts(bytes, field)
            .first()
            .map_or(Vec::new(), |part| part.to_vec())
    };
    // A pair is a `key` (1) and a `value` (2), which may be a `string_value` (1).
    let attribute = |pair: &&[u8]| {
        let key = *parts(pair, 1).first()?;
        let value = *parts(pair, 2).first()?;
        Some((text(key), text(parts(value, 1).first()?)))
    };
    Span {
        trace: one(1),
        id: one(2),
        parent: one(4),
        name: text(&one(5)),
        attributes: parts(bytes, 9).iter().filter_map(attribute).collect(),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("a text of a message is UTF-8")
}

/// The parts of a message that are stored under this number with their lengths.
fn parts(mut message: &[u8], wanted: u64) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while !message.is_empty() {
        let tag = number(&mut message);
        let bytes = match tag & 7 {
            0 => {
                number(&mut message);
                continue;
            }
            1 => 8,
            2 => usize::try_from(number(&mut message)).expect("a length"),
            5 => 4,
            other => panic!("no message: a field of type {other}"),
        };
        let (part, rest) = message.split_at(bytes);
        message = rest;
        if tag >> 3 == wanted && tag & 7 == 2 {
            found.push(part);
        }
    }
    found
}

/// A number in groups of seven bits, the lowest first.
fn number(message: &mut &[u8]) -> u64 {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = message.split_first().expect("a number goes on");
        *message = rest;
        value |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return value;
        }
    }
    panic!("a number of more than 64 bits")
}
