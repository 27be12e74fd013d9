//! Collects what the rules find, weighed for one use.

use super::country::Country;
use super::severity::{Use, Weight, row_of};
use crate::finding::{Finding, Findings};

/// The findings about one message, for one use of it.
pub(crate) struct Judge {
    /// What the message is judged for.
    pub used_for: Use,
    /// Where the service's country lies, if that is known.
    pub country: Option<Country>,
    findings: Findings,
}

impl Judge {
    /// With no finding yet.
    pub fn new(used_for: Use, country: Option<Country>) -> Self {
        Self {
            used_for,
            country,
            findings: Findings::default(),
        }
    }

    /// Adds a finding as the table weighs it; nothing where the table says that it is none.
    pub fn find(
        &mut self,
        code: &'static str,
        path: impl Into<String>,
        message: impl Into<String>,
    ) {
        match self.weight(code) {
            Weight::Error => self.findings.push(Finding::error(code, path, message)),
            Weight::Warning => self.findings.push(Finding::warning(code, path, message)),
            Weight::None | Weight::Later => {}
        }
    }

    /// Whether a finding of this code would count: what takes time need not be looked for
    /// otherwise.
    pub fn looks_for(&self, code: &'static str) -> bool {
        matches!(self.weight(code), Weight::Error | Weight::Warning)
    }

    fn weight(&self, code: &'static str) -> Weight {
        let row = row_of(code);
        debug_assert!(row.is_some(), "the code {code} has no row in the table");
        row.map_or(Weight::Error, |row| row.weight(self.used_for))
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.findings.errors()
    }

    /// Whether no more errors are kept, so that looking for more is of no use.
    pub fn is_full(&self) -> bool {
        self.findings.is_full()
    }

    /// The findings, in the order in which they were found.
    pub fn into_list(self) -> Vec<Finding> {
        self.findings.into_list()
    }
}
