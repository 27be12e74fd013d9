//! Switches of the author's client, by name.

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// A switch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureToggle {
    /// Its name.
    pub name: String,
    /// Whether it is on.
    pub is_enabled: bool,
    /// What the client shows while it is on.
    pub display_html: Option<String>,
}

statements! {
    LOAD: "SELECT * FROM feature_toggles WHERE name = $1";
    LIST: "SELECT * FROM feature_toggles ORDER BY name LIMIT $1";
    SAVE: "INSERT INTO feature_toggles (name, is_enabled, display_html) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET is_enabled = excluded.is_enabled,
            display_html = excluded.display_html";
}

impl Tx {
    /// The switch of this name.
    pub async fn load_feature_toggle(
        &mut self,
        name: &str,
    ) -> Result<Option<FeatureToggle>, StoreError> {
        fetch_optional!(self, read, LOAD, name.to_owned())
    }

    /// The switches by name, `max` at most.
    pub async fn list_feature_toggles(
        &mut self,
        max: u32,
    ) -> Result<Vec<FeatureToggle>, StoreError> {
        fetch_all!(self, read, LIST, i64::from(max))
    }

    /// Stores a switch, in the place of the one of its name.
    pub async fn save_feature_toggle(&mut self, toggle: &FeatureToggle) -> Result<(), StoreError> {
        execute_one!(
            self,
            SAVE,
            toggle.name.clone(),
            toggle.is_enabled,
            toggle.display_html.clone()
        )
    }
}

fn read(row: &impl Row) -> Result<FeatureToggle, StoreError> {
    Ok(FeatureToggle {
        name: row.text("name")?,
        is_enabled: row.bool("is_enabled")?,
        display_html: row.opt_text("display_html")?,
    })
}
