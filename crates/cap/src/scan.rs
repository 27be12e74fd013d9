//! One pass over the text before the parser sees it.
//!
//! The parser builds a tree of whatever depth and size it is given, takes processing instructions,
//! and overlooks a few things that namespaces in XML forbid. This pass bounds and refuses all of
//! that, without recursion and in one sweep. It splits the text exactly as XML 1.0 does (comments,
//! CDATA, tags with quoted values), so that what stands inside a comment or CDATA is only text,
//! and what it counted is what the parser will find. Where the two could differ it refuses.

use balefire_domain::limits;
use memchr::memchr;

use crate::finding::{Finding, shown};

/// What the pass learned that the parser's tree no longer tells.
#[derive(Default)]
pub(crate) struct Scan {
    /// Byte offsets of the start tags of elements that directly hold a CDATA section, ascending.
    cdata_parents: Vec<usize>,
    /// The first processing instruction, for which the document is refused.
    pub instruction: Option<Finding>,
}

impl Scan {
    /// Whether the element whose start tag begins at this byte directly holds a CDATA section.
    pub fn holds_cdata(&self, start: usize) -> bool {
        self.cdata_parents.binary_search(&start).is_ok()
    }
}

/// Reads the whole text once. Findings have their offset in it. The first error ends the pass;
/// only a processing instruction does not, so that its sender hears of the rest too.
pub(crate) fn scan(text: &str) -> Result<Scan, Vec<Finding>> {
    let mut scanner = Scanner {
        text,
        at: 0,
        open: Vec::with_capacity(limits::XML_DEPTH_MAX),
        pieces: 0,
        elements: 0,
        attributes: 0,
        prefixes: Vec::new(),
        found: Scan::default(),
    };
    if let Err(error) = scanner.run() {
        return Err(std::iter::once(error)
            .chain(scanner.found.instruction)
            .collect());
    }
    let mut found = scanner.found;
    found.cdata_parents.sort_unstable();
    found.cdata_parents.dedup();
    Ok(found)
}

struct Scanner<'a> {
    text: &'a str,
    /// Byte offset of what is read next.
    at: usize,
    /// Byte offsets of the start tags of the open elements; never longer than the depth allowed.
    open: Vec<usize>,
    /// Tags, comments and whatever else starts with `<`, so far.
    pieces: usize,
    elements: usize,
    attributes: usize,
    /// Every prefix that the document declares, once.
    prefixes: Vec<&'a str>,
    found: Scan,
}

impl<'a> Scanner<'a> {
    fn run(&mut self) -> Result<(), Finding> {
        while let Some(length) = memchr(b'<', self.rest().as_bytes()) {
            self.check_entities(self.at, self.at + length)?;
            self.at += length;
            self.markup()?;
        }
        self.check_entities(self.at, self.text.len())
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Whatever starts with `<`.
    fn markup(&mut self) -> Result<(), Finding> {
        self.pieces += 1;
        if self.pieces > limits::XML_MARKS_MAX {
            let max = limits::XML_MARKS_MAX;
            let message = format!("the document has more than {max} tags, comments and the like");
            return Err(Finding::error("too-much-markup", "", message).at(self.at));
        }
        let rest = self.rest();
        if rest.starts_with("<!--") {
            self.skip_past(4, "-->", "a comment has no end `-->`")
        } else if rest.starts_with("<![CDATA[") {
            if let Some(parent) = self.open.last().copied()
                && self.found.cdata_parents.last() != Some(&parent)
            {
                self.found.cdata_parents.push(parent);
            }
            self.skip_past(9, "]]>", "a CDATA section has no end `]]>`")
        } else if rest.starts_with("</") {
            self.open.pop();
            self.skip_past(2, ">", "an end tag has no `>`")
        } else if rest.starts_with("<!") {
            Err(self.declaration())
        } else if rest.starts_with("<?") {
            self.instruction()
        } else {
            self.start_tag()
        }
    }

    fn skip_past(&mut self, skip: usize, end: &str, message: &str) -> Result<(), Finding> {
        let Some(length) = find(&self.text[self.at + skip..], end) else {
            return Err(syntax(self.at, message));
        };
        self.at += skip + length + end.len();
        Ok(())
    }

    fn declaration(&self) -> Finding {
        let name = self.rest().as_bytes().get(2..9).unwrap_or_default();
        if name.eq_ignore_ascii_case(b"DOCTYPE") {
            Finding::error("doctype", "", "document type declarations are not allowed").at(self.at)
        } else {
            syntax(self.at, "`<!` starts neither a comment nor a CDATA section")
        }
    }

    fn instruction(&mut self) -> Result<(), Finding> {
        if self.rest().starts_with("<?xml ") {
            let message = "the XML declaration must be the very first thing in the document; \
                           remove what stands before it";
            return Err(syntax(self.at, message));
        }
        let message = "processing instructions are not allowed; remove this one";
        let at = self.at;
        self.found
            .instruction
            .get_or_insert_with(|| Finding::error("processing-instruction", "", message).at(at));
        self.skip_past(2, "?>", "a processing instruction has no end `?>`")
    }

    /// `<name a="b" c='d'>` or the same with `/>`.
    fn start_tag(&mut self) -> Result<(), Finding> {
        let start = self.at;
        self.count_element()?;
        self.at += 1;
        if self.rest().starts_with(':') {
            return Err(syntax(start, "the name of an element starts with a colon"));
        }
        self.skip_name();
        if self.at - start > limits::XML_ATTRIBUTE_BYTES_MAX {
            return Err(too_long(start, "the name of an element"));
        }
        let mut names: Vec<&str> = Vec::new();
        loop {
            self.skip_space();
            let rest = self.rest();
            if rest.starts_with('>') {
                self.at += 1;
                self.open.push(start);
                return Ok(());
            } else if rest.starts_with("/>") {
                self.at += 2;
                return Ok(());
            }
            let name = self.attribute(start)?;
            if names.contains(&name) {
                let message = format!("the attribute {} stands twice in one tag", shown(name));
                return Err(syntax(start, &message));
            }
            names.push(name);
            if names.len() > limits::XML_ATTRIBUTES_PER_ELEMENT_MAX {
                return Err(self.too_many_attributes());
            }
        }
    }

    fn count_element(&mut self) -> Result<(), Finding> {
        if self.open.len() >= limits::XML_DEPTH_MAX {
            let max = limits::XML_DEPTH_MAX;
            let message = format!("elements are nested deeper than {max} levels");
            return Err(Finding::error("too-deep", "", message).at(self.at));
        }
        self.elements += 1;
        if self.elements > limits::XML_ELEMENTS_MAX {
            let message = format!(
                "the document has more than {} elements",
                limits::XML_ELEMENTS_MAX
            );
            return Err(Finding::error("too-many-elements", "", message).at(self.at));
        }
        Ok(())
    }

    fn too_many_attributes(&self) -> Finding {
        let message = "the document has too many attributes; CAP 1.2 has none at all";
        Finding::error("too-many-attributes", "", message).at(self.at)
    }

    /// One attribute, from its name past its closing quote. `start` is its tag's offset.
    fn attribute(&mut self, start: usize) -> Result<&'a str, Finding> {
        let malformed = "a tag is not well formed";
        let from = self.at;
        self.skip_name();
        let name = &self.text[from..self.at];
        self.skip_space();
        if name.is_empty() || !self.rest().starts_with('=') {
            return Err(syntax(start, malformed));
        }
        self.at += 1;
        self.skip_space();
        let quote = match self.rest().as_bytes().first() {
            Some(quote @ (b'"' | b'\'')) => *quote,
            _ => return Err(syntax(start, malformed)),
        };
        self.at += 1;
        let Some(length) = memchr(quote, self.rest().as_bytes()) else {
            return Err(syntax(
                start,
                "the value of an attribute has no closing quote",
            ));
        };
        if length.max(name.len()) > limits::XML_ATTRIBUTE_BYTES_MAX {
            return Err(too_long(start, "an attribute"));
        }
        let value = &self.rest()[..length];
        if value.contains('<') {
            return Err(syntax(start, "the value of an attribute holds a bare `<`"));
        }
        self.check_entities(self.at, self.at + length)?;
        self.check_namespace(start, name, value)?;
        self.at += length + 1;
        self.attributes += 1;
        if self.attributes > limits::XML_ATTRIBUTES_MAX {
            return Err(self.too_many_attributes());
        }
        Ok(name)
    }

    /// What namespaces in XML 1.0 forbid and the parser overlooks: a prefix bound to nothing,
    /// `x:xmlns` taken for a declaration, a name that starts with a colon.
    fn check_namespace(&mut self, start: usize, name: &'a str, value: &str) -> Result<(), Finding> {
        if name.starts_with(':') {
            let message = format!("the attribute {} starts with a colon", shown(name));
            return Err(syntax(start, &message));
        }
        if name.ends_with(":xmlns") {
            let message = format!(
                "the attribute {} is not allowed; it looks like a namespace",
                shown(name)
            );
            return Err(Finding::error("prefixed-xmlns", "", message).at(start));
        }
        let Some(prefix) = name.strip_prefix("xmlns:") else {
            return Ok(());
        };
        if value.is_empty() {
            let message = format!("the prefix {} is bound to no namespace", shown(prefix));
            return Err(syntax(start, &message));
        }
        if !self.prefixes.contains(&prefix) {
            self.prefixes.push(prefix);
        }
        if self.prefixes.len() > limits::XML_PREFIXES_MAX {
            return Err(self.too_many_attributes());
        }
        Ok(())
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn skip_name(&mut self) {
        let stops = |byte: &u8| b" \t\n\r=>/<\"'".contains(byte);
        let rest = self.rest().as_bytes();
        self.at += rest.iter().position(stops).unwrap_or(rest.len());
    }

    /// Every `&` in the text from `from` to `to` starts one of XML's five entities or the number
    /// of a character that XML allows.
    fn check_entities(&self, from: usize, to: usize) -> Result<(), Finding> {
        let mut at = from;
        while let Some(skip) = memchr(b'&', &self.text.as_bytes()[at..to]) {
            at += skip;
            let Some(length) = memchr(b';', &self.text.as_bytes()[at..to]) else {
                return Err(syntax(at, "a bare `&`; write `&amp;`"));
            };
            let name = &self.text[at + 1..at + length];
            if let Some(number) = name.strip_prefix('#') {
                if !is_character_number(number) {
                    let message = format!("&{}; is no character that XML allows", shown(name));
                    return Err(syntax(at, &message));
                }
            } else if !matches!(name, "lt" | "gt" | "amp" | "quot" | "apos") {
                return Err(entity(at, name));
            }
            at += length + 1;
        }
        Ok(())
    }
}

/// Where the mark that ends a comment, CDATA or a tag first stands.
fn find(text: &str, end: &str) -> Option<usize> {
    memchr::memmem::find(text.as_bytes(), end.as_bytes())
}

fn too_long(at: usize, what: &str) -> Finding {
    let max = limits::XML_ATTRIBUTE_BYTES_MAX;
    Finding::error("too-long", "", format!("{what} has more than {max} bytes")).at(at)
}

fn syntax(at: usize, message: &str) -> Finding {
    Finding::error("xml-syntax", "", message).at(at)
}

fn entity(at: usize, name: &str) -> Finding {
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_name {
        return syntax(at, "a bare `&`; write `&amp;`");
    }
    let message = format!(
        "the entity &{}; is not allowed; write the character itself",
        shown(name)
    );
    Finding::error("entity", "", message).at(at)
}

/// Whether `number` (decimal, or hexadecimal after `x`) is that of a character in XML 1.0 §2.2.
fn is_character_number(number: &str) -> bool {
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    let significant = digits.trim_start_matches('0');
    if digits.is_empty() || significant.len() > 7 || !digits.chars().all(|c| c.is_digit(radix)) {
        return false;
    }
    let number = u32::from_str_radix(significant, radix).unwrap_or(0);
    match char::from_u32(number) {
        Some('\t' | '\n' | '\r') => true,
        Some(c) => c >= ' ' && !matches!(c, '\u{FFFE}' | '\u{FFFF}'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_code(text: &str) -> Option<&'static str> {
        match scan(text) {
            Ok(found) => found.instruction.map(|finding| finding.code),
            Err(findings) => findings.first().map(|finding| finding.code),
        }
    }

    #[test]
    fn what_is_refused_before_parsing_is_named() {
        // One row per rule: text, code of the finding or none.
        let cases = [
            ("<a><b c='>' d=\"'\"/>x &amp; &#x41; &#9;</a>", None),
            ("<a><!-- <!DOCTYPE x> <?pi?> &x; --></a>", None),
            ("<a><![CDATA[ <!DOCTYPE x> <?pi?> &x; ]]></a>", None),
            ("<!DOCTYPE a><a/>", Some("doctype")),
            ("<!doctype a><a/>", Some("doctype")),
            ("<a/><!DOCTYPE a>", Some("doctype")),
            (
                "<!-- --><!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
                Some("doctype"),
            ),
            ("<?pi x?><!DOCTYPE a><a/>", Some("doctype")),
            ("<a/><?pi x", Some("xml-syntax")),
            ("<!ENTITY a 'b'><a/>", Some("xml-syntax")),
            ("<?pi x?><a/>", Some("processing-instruction")),
            (
                "<a><?xml-stylesheet href='x'?></a>",
                Some("processing-instruction"),
            ),
            ("\n<?xml version='1.0'?><a/>", Some("xml-syntax")),
            ("<a>&nbsp;</a>", Some("entity")),
            ("<a b='&nbsp;'/>", Some("entity")),
            ("<a>& </a>", Some("xml-syntax")),
            ("<a>fish & chips; more</a>", Some("xml-syntax")),
            ("<a>&#xD800;</a>", Some("xml-syntax")),
            ("<a>&#0;</a>", Some("xml-syntax")),
            ("<a>&#xFFFF;</a>", Some("xml-syntax")),
            ("<a>&#x110000;</a>", Some("xml-syntax")),
            ("<a>&#99999999999999999999;</a>", Some("xml-syntax")),
            ("<a>&#;</a>", Some("xml-syntax")),
            ("<a>&#x;</a>", Some("xml-syntax")),
            ("<a>&#x+1;</a>", Some("xml-syntax")),
            ("<a xmlns='u' xmlns='v'/>", Some("xml-syntax")),
            ("<a xmlns:b='v' b:xmlns='u'/>", Some("prefixed-xmlns")),
            ("<a xmlns:b=''/>", Some("xml-syntax")),
            ("<a :b='c'/>", Some("xml-syntax")),
            ("<:a/>", Some("xml-syntax")),
            ("<a b='<'/>", Some("xml-syntax")),
            ("<a b=c/>", Some("xml-syntax")),
            ("<a b='c", Some("xml-syntax")),
            ("<a", Some("xml-syntax")),
            ("<!-- ", Some("xml-syntax")),
            ("<a><![CDATA[ ]]", Some("xml-syntax")),
            ("</a", Some("xml-syntax")),
        ];
        for (text, want) in cases {
            assert_eq!(first_code(text), want, "{text}");
        }
    }

    #[test]
    fn depth_and_numbers_are_bounded_exactly() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        let wide = |count: usize| {
            let attributes: Vec<String> = (0..count).map(|n| format!(" a{n}=''")).collect();
            format!("<a{}/>", attributes.concat())
        };
        let prefixed = |count: usize| {
            let all: Vec<String> = (0..count).map(|n| format!("<b xmlns:p{n}='u'/>")).collect();
            format!("<a>{}</a>", all.concat())
        };
        let longest = limits::XML_ATTRIBUTE_BYTES_MAX;
        let cases = [
            (nested(limits::XML_DEPTH_MAX), None),
            (nested(limits::XML_DEPTH_MAX + 1), Some("too-deep")),
            (nested(200_000), Some("too-deep")),
            (many(limits::XML_ELEMENTS_MAX), None),
            (
                many(limits::XML_ELEMENTS_MAX + 1),
                Some("too-many-elements"),
            ),
            (wide(limits::XML_ATTRIBUTES_PER_ELEMENT_MAX), None),
            (
                wide(limits::XML_ATTRIBUTES_PER_ELEMENT_MAX + 1),
                Some("too-many-attributes"),
            ),
            (prefixed(limits::XML_PREFIXES_MAX), None),
            (format!("<a b='{}'/>", "x".repeat(longest)), None),
            (
                format!("<a b='{}'/>", "x".repeat(longest + 1)),
                Some("too-long"),
            ),
            (format!("<{}/>", "x".repeat(longest)), Some("too-long")),
            (
                format!("<a {}=''/>", "x".repeat(longest + 1)),
                Some("too-long"),
            ),
            (
                prefixed(limits::XML_PREFIXES_MAX + 1),
                Some("too-many-attributes"),
            ),
        ];
        for (text, want) in cases {
            let start = text.chars().take(60).collect::<String>();
            assert_eq!(first_code(&text), want, "{start}");
        }
    }
}
