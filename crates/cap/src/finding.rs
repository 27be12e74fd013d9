//! What is wrong with a document, for the person who sent it.

mod rule;

use std::fmt;

use balefire_domain::limits;
pub(crate) use balefire_domain::shown::named;
use serde::Serialize;

pub use rule::Rule;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is taken; its sender should know this all the same.
    Warning,
}

/// One thing that is wrong, or strange, in a document. In JSON it has the keys `rule`, `severity`,
/// `path`, `line`, `column` and `message`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule that it is about.
    pub rule: Rule,
    /// What is wrong, in kebab case; stable, for tests and logs. Each code belongs to one rule.
    #[serde(skip)]
    pub code: &'static str,
    /// Whether the document is refused for it.
    pub severity: Severity,
    /// Where: `alert/info[1]/area[2]/polygon[1]`. Elements that may occur several times are
    /// numbered from 1. Empty for what concerns the document as a whole.
    pub path: String,
    /// Line in the document as it was sent, from 1. That of the element or attribute at fault, of
    /// the nearest element above it where it is absent, 1 for the document as a whole. Findings of
    /// [`crate::rules`] alone are about a typed message and know no place: they say 1.
    pub line: usize,
    /// Column in that line, from 1, in characters; a byte order mark is none.
    pub column: usize,
    /// What is wrong and what to do, in plain words.
    pub message: String,
    /// Byte offset of the place in the text that the parser reads, where it is known when the
    /// finding is made; otherwise the path tells.
    #[serde(skip)]
    pub(crate) at: Option<usize>,
}

impl Finding {
    /// A finding for which the document is refused.
    pub fn error(code: &'static str, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, path.into(), message.into())
    }

    /// A finding that its sender should know, and that does no harm.
    pub fn warning(
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self::new(Severity::Warning, code, path.into(), message.into())
    }

    fn new(severity: Severity, code: &'static str, path: String, message: String) -> Self {
        Self {
            rule: Rule::of(code),
            code,
            severity,
            path,
            line: 1,
            column: 1,
            message,
            at: None,
        }
    }

    /// The same finding, at this byte of the text that the parser reads.
    pub(crate) fn at(mut self, offset: usize) -> Self {
        self.at = Some(offset);
        self
    }

    /// Whether the document is refused for this.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() && self.at.is_some() {
            write!(f, "line {}: {}", self.line, self.message)
        } else if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Collects findings up to [`limits::CAP_FINDINGS_MAX`] errors and as many warnings, so that a
/// flood of warnings can't hide an error, and a hostile document can't make a report without end.
#[derive(Default)]
pub(crate) struct Findings {
    list: Vec<Finding>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    /// Adds one, or only counts it when there are enough.
    pub fn push(&mut self, finding: Finding) {
        let count = match finding.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= limits::CAP_FINDINGS_MAX {
            self.list.push(finding);
        }
    }

    /// Adds a finding that does no harm. Its place is looked up by its path.
    pub fn warning(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.push(Finding::warning(code, path, message));
    }

    /// How many errors there are, those that are only counted included.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// Whether no more errors are kept, so that looking for more is of no use.
    pub fn is_full(&self) -> bool {
        self.errors >= limits::CAP_FINDINGS_MAX
    }

    /// The findings in the order of the document, and a last line about those that are left out.
    pub fn into_list(mut self) -> Vec<Finding> {
        let kept = limits::CAP_FINDINGS_MAX;
        let left_out = self.errors.saturating_sub(kept) + self.warnings.saturating_sub(kept);
        if left_out > 0 {
            let message = format!("{left_out} more findings are not shown; mend these first");
            self.list
                .push(Finding::warning("more-findings", "", message));
        }
        self.list
    }
}

/// Characters of a document that a message shows; more is cut.
const SHOWN_CHARS_MAX: usize = 40;

/// A piece of the document as a message may show it: cut, and with every character named that
/// would play tricks with a terminal or a page (controls, direction marks).
pub(crate) fn shown(text: &str) -> String {
    balefire_domain::shown::shown(text, SHOWN_CHARS_MAX)
}

/// A number with its noun, for messages: `1 pair`, `3 pairs`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_warnings_hides_no_error_and_a_report_ends() {
        let mut findings = Findings::default();
        for _ in 0..1_000 {
            findings.warning("empty-event", "", "w");
        }
        findings.push(Finding::error("bad-circle", "alert", "e"));
        let list = findings.into_list();
        assert!(list.iter().any(|f| f.code == "bad-circle"));
        assert_eq!(list.len(), limits::CAP_FINDINGS_MAX + 2);
        assert!(
            list.last()
                .is_some_and(|f| f.message.starts_with("900 more"))
        );
    }

    #[test]
    fn shown_text_is_cut_and_harmless() {
        assert_eq!(shown("a\u{9b}b\u{202e}c"), "aU+009BbU+202Ec");
        assert_eq!(shown(&"x".repeat(100)), format!("{}…", "x".repeat(40)));
    }
}
