//! What is wrong with an import, feature by feature.

use std::fmt;

/// Faults that are told one by one; of more only the number.
pub const FAULTS_TOLD_MAX: usize = 100;

/// What is wrong with one feature of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which feature, or line, of the file, from 1.
    pub number: usize,
    /// The id that it has, where it has one.
    pub id: Option<String>,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.id {
            Some(id) => write!(f, "feature {} ({id}): {}", self.number, self.what),
            None => write!(f, "feature {}: {}", self.number, self.what),
        }
    }
}

/// Faults in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// The first [`FAULTS_TOLD_MAX`].
    pub told: Vec<Fault>,
    /// How many there are altogether.
    pub count: usize,
}

impl Faults {
    /// Adds one.
    pub(crate) fn push(&mut self, fault: Fault) {
        self.count += 1;
        if self.told.len() < FAULTS_TOLD_MAX {
            self.told.push(fault);
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
