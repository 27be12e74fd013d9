//! Rows of ours as an import writes and compares them.

use std::fmt;

use crate::time::Timestamp;

/// A value of a column.
#[derive(Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Null,
    /// A text.
    Text(String),
    /// A whole number; an instant is its microseconds.
    Int(i64),
    /// A yes or no.
    Bool(bool),
}

/// No value is shown: there are texts of alerts, addresses and secrets among them.
impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "null",
            Self::Text(_) => "text",
            Self::Int(_) => "int",
            Self::Bool(_) => "bool",
        })
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u32> for Cell {
    fn from(count: u32) -> Self {
        Self::Int(i64::from(count))
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Timestamp> for Cell {
    fn from(at: Timestamp) -> Self {
        Self::Int(at.micros())
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Cell {
    /// Whether this is what a database gives back as `text`, a cast of the column.
    pub fn is(&self, text: Option<&str>) -> bool {
        match (self, text) {
            (Self::Null, None) => true,
            (Self::Text(own), Some(text)) => own == text,
            (Self::Int(own), Some(text)) => text.parse() == Ok(*own),
            (Self::Bool(own), Some(text)) => *own == matches!(text, "true" | "1"),
            (Self::Null, Some(_)) | (_, None) => false,
        }
    }

    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Int(_) | Self::Bool(_) => None,
        }
    }
}

/// A table of ours that an import writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// `organisations`
    Organisations,
    /// `users`
    Users,
    /// `organisation_members`
    OrganisationMembers,
    /// `services`
    Services,
    /// `memberships`
    Memberships,
    /// `template_folders`
    TemplateFolders,
    /// `templates`
    Templates,
    /// `template_versions`
    TemplateVersions,
    /// `api_keys`
    ApiKeys,
    /// `webauthn_credentials`
    Credentials,
    /// `feature_toggles`
    FeatureToggles,
    /// `alerts`
    Alerts,
    /// `alert_versions`
    AlertVersions,
    /// `edit_reasons`
    EditReasons,
    /// `events`
    Events,
    /// `lanes`
    Lanes,
    /// `deliveries`
    Deliveries,
    /// `attempts`
    Attempts,
}

impl Table {
    /// All of them, what others refer to first.
    pub const ALL: [Self; 18] = [
        Self::Organisations,
        Self::Users,
        Self::OrganisationMembers,
        Self::Services,
        Self::Memberships,
        Self::TemplateFolders,
        Self::Templates,
        Self::TemplateVersions,
        Self::ApiKeys,
        Self::Credentials,
        Self::FeatureToggles,
        Self::Alerts,
        Self::AlertVersions,
        Self::EditReasons,
        Self::Events,
        Self::Lanes,
        Self::Deliveries,
        Self::Attempts,
    ];

    /// Its name in our schema.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Organisations => "organisations",
            Self::Users => "users",
            Self::OrganisationMembers => "organisation_members",
            Self::Services => "services",
            Self::Memberships => "memberships",
            Self::TemplateFolders => "template_folders",
            Self::Templates => "templates",
            Self::TemplateVersions => "template_versions",
            Self::ApiKeys => "api_keys",
            Self::Credentials => "webauthn_credentials",
            Self::FeatureToggles => "feature_toggles",
            Self::Alerts => "alerts",
            Self::AlertVersions => "alert_versions",
            Self::EditReasons => "edit_reasons",
            Self::Events => "events",
            Self::Lanes => "lanes",
            Self::Deliveries => "deliveries",
            Self::Attempts => "attempts",
        }
    }

    /// How many of its first columns are its key.
    pub const fn key_columns(self) -> usize {
        match self {
            Self::OrganisationMembers
            | Self::Memberships
            | Self::TemplateVersions
            | Self::AlertVersions
            | Self::Lanes => 2,
            Self::Organisations
            | Self::Users
            | Self::Services
            | Self::TemplateFolders
            | Self::Templates
            | Self::ApiKeys
            | Self::Credentials
            | Self::FeatureToggles
            | Self::Alerts
            | Self::EditReasons
            | Self::Events
            | Self::Deliveries
            | Self::Attempts => 1,
        }
    }

    /// The columns that an import writes, the key first.
    pub const fn columns(self) -> &'static [&'static str] {
        super::columns::of(self)
    }

    /// Whether a later run compares this column: not what the use of this service changes by
    /// itself, and not what is made anew in each run.
    pub fn is_compared(self, column: &str) -> bool {
        match self {
            Self::Lanes | Self::Attempts => false,
            Self::Organisations | Self::OrganisationMembers | Self::Memberships => {
                column != "created_at"
            }
            Self::Users => !matches!(
                column,
                "password_hash"
                    | "password_changed_at"
                    | "email_validated_at"
                    | "logged_in_at"
                    | "is_platform_admin"
            ),
            Self::TemplateFolders => column != "created_at",
            Self::ApiKeys => !matches!(column, "secret" | "version"),
            Self::Credentials => !matches!(column, "logged_in_at" | "updated_at"),
            Self::Alerts => !matches!(column, "next_seq" | "text"),
            Self::AlertVersions => column != "text",
            Self::Events => !matches!(column, "content_hash" | "channel" | "text"),
            Self::Deliveries => matches!(
                column,
                "event_id" | "provider" | "seq" | "kind" | "sent_at" | "message_number"
            ),
            Self::Services
            | Self::Templates
            | Self::TemplateVersions
            | Self::FeatureToggles
            | Self::EditReasons => true,
        }
    }

    /// The table that this column names a row of.
    pub fn target(self, column: &str) -> Option<Self> {
        match (self, column) {
            (
                _,
                "user_id" | "created_by" | "updated_by" | "submitted_by" | "approved_by"
                | "cancelled_by" | "rejected_by" | "went_live_by",
            ) => Some(Self::Users),
            (_, "service_id") => Some(Self::Services),
            (_, "organisation_id") => Some(Self::Organisations),
            (_, "folder_id" | "parent_id") => Some(Self::TemplateFolders),
            (_, "api_key_id" | "cancelled_by_api_key_id" | "rejected_by_api_key_id") => {
                Some(Self::ApiKeys)
            }
            _ => None,
        }
    }
}

/// A row of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Where it goes.
    pub table: Table,
    /// Its values in the order of [`Table::columns`].
    pub cells: Vec<Cell>,
    /// Whether the next run looks for it: not for what has an id of this run alone.
    pub is_sought: bool,
}

impl Record {
    /// A row; its columns are named in the order of [`Table::columns`], which is checked.
    pub fn new(table: Table, cells: impl IntoIterator<Item = (&'static str, Cell)>) -> Self {
        let (names, cells): (Vec<&str>, Vec<Cell>) = cells.into_iter().unzip();
        assert_eq!(names, table.columns(), "the columns of {}", table.as_str());
        Self {
            table,
            cells,
            is_sought: true,
        }
    }

    /// The key's values.
    pub fn key(&self) -> &[Cell] {
        &self.cells[..self.table.key_columns()]
    }

    /// The name of the row: its key.
    pub fn name(&self) -> String {
        let of = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            Cell::Int(number) => number.to_string(),
            Cell::Null | Cell::Bool(_) => String::new(),
        };
        self.key().iter().map(of).collect::<Vec<_>>().join("/")
    }

    /// The value of a column.
    pub fn get(&self, column: &str) -> &Cell {
        let place = self.place(column);
        &self.cells[place]
    }

    /// Puts another value in.
    pub fn set(&mut self, column: &str, cell: Cell) {
        let place = self.place(column);
        self.cells[place] = cell;
    }

    fn place(&self, column: &str) -> usize {
        let mut names = self.table.columns().iter();
        let place = names.position(|name| *name == column);
        place.expect("the caller names a column of the table")
    }

    /// The columns in which a stored row, whose values come as casts to text, is another.
    pub fn differences(&self, stored: &[Option<String>]) -> Vec<&'static str> {
        let columns = self.table.columns().iter().zip(&self.cells).zip(stored);
        columns
            .filter(|((name, cell), stored)| {
                self.table.is_compared(name) && !cell.is(stored.as_deref())
            })
            .map(|((name, _), _)| *name)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_value_is_compared_as_each_engine_casts_it() {
        let at = Cell::from(Timestamp::from_micros(-5));
        for (cell, text, want) in [
            (Cell::Null, None, true),
            (Cell::Null, Some(""), false),
            (Cell::from("a"), Some("a"), true),
            (Cell::from("a"), None, false),
            (at, Some("-5"), true),
            (Cell::from(true), Some("1"), true),
            (Cell::from(true), Some("true"), true),
            (Cell::from(false), Some("0"), true),
            (Cell::from(false), Some("false"), true),
            (Cell::from(false), Some("true"), false),
        ] {
            assert_eq!(cell.is(text), want, "{cell:?} {text:?}");
        }
    }

    #[test]
    fn what_the_use_of_the_service_changes_is_no_difference() {
        let mut record = Record::new(
            Table::FeatureToggles,
            [
                ("name", "a".into()),
                ("is_enabled", true.into()),
                ("display_html", Cell::Null),
            ],
        );
        let stored = [Some("a".to_owned()), Some("0".to_owned()), None];
        assert_eq!(record.differences(&stored), ["is_enabled"]);
        record.set("is_enabled", false.into());
        assert!(record.differences(&stored).is_empty());
        for (table, column) in [
            (Table::Users, "password_hash"),
            (Table::Users, "logged_in_at"),
            (Table::ApiKeys, "secret"),
            (Table::Alerts, "next_seq"),
        ] {
            assert!(!table.is_compared(column), "{column}");
        }
        for (table, column) in [
            (Table::Users, "state"),
            (Table::Alerts, "status"),
            (Table::ApiKeys, "revoked_at"),
            (Table::Memberships, "permissions"),
        ] {
            assert!(table.is_compared(column), "{column}");
        }
    }

    #[test]
    fn no_value_is_shown() {
        assert_eq!(format!("{:?}", Cell::from("hush")), "text");
    }
}
