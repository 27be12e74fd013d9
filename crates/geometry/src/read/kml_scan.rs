//! What the XML parser must not even be shown: it compares each attribute of a tag with each, and
//! keeps a level per open element.

use super::{ReadRefusal, form};

/// Levels of nested elements: folders within folders and a polygon in them.
const DEPTH_MAX: usize = 64;
/// Bytes of one tag: a few attributes.
const TAG_BYTES_MAX: usize = 2_048;

/// Refuses document types, processing instructions other than the XML declaration, tags that are
/// too long and elements nested too deeply. What is malformed is left to the parser.
pub(super) fn refuse_hostile(text: &str) -> Result<(), ReadRefusal> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(start) = text[at..].find('<').map(|found| at + found) {
        let tag = &text[start..];
        let refuse = |rule: &str| Err(form(&format!("byte {}", start + 1), rule));
        if tag.starts_with("<!--") {
            at = start + end_of(tag, "-->");
        } else if tag.starts_with("<![CDATA[") {
            at = start + end_of(tag, "]]>");
        } else if tag.starts_with("<!") {
            return refuse("a document type is not permitted");
        } else if tag.starts_with("<?") {
            if !tag.starts_with("<?xml ") {
                return refuse("a processing instruction is not permitted");
            }
            at = start + end_of(tag, "?>");
        } else {
            let length = length_of_tag(tag);
            if length > TAG_BYTES_MAX {
                return refuse("the tag is too long");
            }
            if tag.starts_with("</") {
                depth = depth.saturating_sub(1);
            } else if !tag[..length].ends_with("/>") {
                depth += 1;
            }
            if depth > DEPTH_MAX {
                return refuse("the elements are nested too deeply");
            }
            at = start + length;
        }
    }
    Ok(())
}

fn end_of(text: &str, end: &str) -> usize {
    text.find(end).map_or(text.len(), |at| at + end.len())
}

/// Bytes up to the `>` that isn't within quotes.
fn length_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return at + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.len()
}
