//! XML in canonical form (Canonical XML 1.1), written directly: no declaration, no white space
//! between elements, every element with its end tag, four characters escaped.
//!
//! A document that is canonical as it stands has one spelling, so a signature over it is a
//! signature over its very bytes, and a repeated rendering is byte-identical.

/// Writes one document. Names are the caller's own constants; text may be anything.
pub(crate) struct Canonical {
    out: String,
}

impl Canonical {
    /// Begins the document with its root, which declares the only namespace.
    pub fn begin(root: &str, namespace: &str) -> Self {
        Self {
            out: format!("<{root} xmlns=\"{namespace}\">"),
        }
    }

    /// A start tag.
    pub fn open(&mut self, name: &str) {
        self.out.extend(["<", name, ">"]);
    }

    /// An end tag.
    pub fn close(&mut self, name: &str) {
        self.out.extend(["</", name, ">"]);
    }

    /// An element that holds text.
    pub fn element(&mut self, name: &str, text: &str) {
        self.open(name);
        escape(text, &mut self.out);
        self.close(name);
    }

    /// An element that holds text, where there is one.
    pub fn optional(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            self.element(name, text);
        }
    }

    /// Ends the document.
    pub fn end(mut self, root: &str) -> Vec<u8> {
        self.close(root);
        self.out.into_bytes()
    }
}

/// Whether XML 1.0 can hold this character (§2.2).
pub(crate) fn is_xml_char(c: char) -> bool {
    !matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Text as Canonical XML 1.1 §2.3 writes it. What XML can't hold becomes U+FFFD, so that the
/// document stays one; whoever renders for a provider refuses such a text before.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c if is_xml_char(c) => out.push(c),
            _ => out.push('\u{FFFD}'),
        }
    }
}
