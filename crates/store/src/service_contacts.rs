//! The telephone numbers and hosts that a service's alerts may name without a warning.

use balefire_domain::ids::ServiceId;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// A telephone number.
    Number,
    /// A host, with all below it.
    Host,
}

impl ContactKind {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Host => "host",
        }
    }

    /// The kind that [`ContactKind::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Number, Self::Host]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// An entry of a service's list.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Contact {
    /// What it is.
    pub kind: ContactKind,
    /// The number or host, as texts are compared with it.
    pub value: String,
}

statements! {
    INSERT: "INSERT INTO service_contacts (service_id, kind, value, created_at)
        VALUES ($1, $2, $3, $4) ON CONFLICT (service_id, kind, value) DO NOTHING";
    DELETE: "DELETE FROM service_contacts WHERE service_id = $1 AND kind = $2 AND value = $3";
    LIST: "SELECT * FROM service_contacts WHERE service_id = $1 ORDER BY kind, value";
}

impl Tx {
    /// Adds an entry to a service's list; false when it was there.
    pub async fn insert_contact(
        &mut self,
        service: ServiceId,
        contact: &Contact,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let rows = execute!(
            self,
            INSERT,
            service.to_string(),
            contact.kind.as_str(),
            contact.value.clone(),
            now
        )?;
        Ok(rows == 1)
    }

    /// Takes an entry off a service's list; false when it was not there.
    pub async fn delete_contact(
        &mut self,
        service: ServiceId,
        contact: &Contact,
    ) -> Result<bool, StoreError> {
        let rows = execute!(
            self,
            DELETE,
            service.to_string(),
            contact.kind.as_str(),
            contact.value.clone()
        )?;
        Ok(rows == 1)
    }

    /// A service's list, hosts first, each by its value.
    pub async fn list_contacts(&mut self, service: ServiceId) -> Result<Vec<Contact>, StoreError> {
        fetch_all!(self, read, LIST, service.to_string())
    }
}

fn read(row: &impl Row) -> Result<Contact, StoreError> {
    Ok(Contact {
        kind: row.word("kind", ContactKind::parse)?,
        value: row.text("value")?,
    })
}
