//! Where people, or phones, are: versions of cells, kept by the page. A version is written in parts
//! and read once it is complete.

use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// One version of the cells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PopulationVersion {
    /// Its number, from 1.
    pub version: u32,
    /// What it was imported from.
    pub source: String,
    /// SHA-256 of what it holds.
    pub digest: String,
    /// How many cells it has.
    pub cell_count: u32,
    /// When its import began.
    pub started_at: Timestamp,
    /// When it was complete; before that nobody uses it.
    pub completed_at: Option<Timestamp>,
}

statements! {
    INSERT_VERSION: "INSERT INTO population_versions
        (version, source, digest, cell_count, started_at) VALUES ($1, $2, $3, $4, $5)";
    COMPLETE_VERSION: "UPDATE population_versions SET completed_at = $2
        WHERE version = $1 AND completed_at IS NULL
        AND $3 = (SELECT count(*) FROM population_pages WHERE version = $1)";
    LAST_VERSION: "SELECT max(version) AS version FROM population_versions";
    LATEST_VERSION: "SELECT * FROM population_versions
        WHERE completed_at IS NOT NULL ORDER BY version DESC LIMIT 1";
    LIST_VERSIONS: "SELECT * FROM population_versions
        WHERE completed_at IS NOT NULL ORDER BY version LIMIT $1";
    LIST_ABANDONED: "SELECT * FROM population_versions
        WHERE completed_at IS NULL AND started_at < $1 ORDER BY version LIMIT $2";
    DELETE_ABANDONED: "DELETE FROM population_versions
        WHERE version = $1 AND completed_at IS NULL";
    INSERT_PAGE: "INSERT INTO population_pages (version, page, cells) VALUES ($1, $2, $3)";
    DELETE_PAGES: "DELETE FROM population_pages WHERE version = $1
        AND page > (SELECT max(page) - $2 FROM population_pages WHERE version = $1)";
    LIST_PAGES: "SELECT page, cells FROM population_pages WHERE version = $1 AND page > $2
        ORDER BY page LIMIT $3";
}

impl Tx {
    /// Begins a new version. A unique violation means that another import took the number.
    pub async fn insert_population_version(
        &mut self,
        version: &PopulationVersion,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT_VERSION,
            i64::from(version.version),
            version.source.clone(),
            version.digest.clone(),
            i64::from(version.cell_count),
            version.started_at.micros(),
        )
    }

    /// Lets a version be read, if it has so many pages; false where it has not.
    pub async fn complete_population_version(
        &mut self,
        version: u32,
        pages: u32,
    ) -> Result<bool, StoreError> {
        let now = self.now.micros();
        let (version, pages) = (i64::from(version), i64::from(pages));
        let rows = execute!(self, COMPLETE_VERSION, version, now, pages)?;
        Ok(rows == 1)
    }

    /// The highest number that ever was, complete or not; 0 when there is none.
    pub async fn last_population_version(&mut self) -> Result<u32, StoreError> {
        let last = fetch_optional!(self, read_last, LAST_VERSION)?;
        Ok(last.unwrap_or(0))
    }

    /// The latest complete version.
    pub async fn latest_population_version(
        &mut self,
    ) -> Result<Option<PopulationVersion>, StoreError> {
        fetch_optional!(self, read_version, LATEST_VERSION)
    }

    /// Complete versions, by number.
    pub async fn list_population_versions(
        &mut self,
        limit: u32,
    ) -> Result<Vec<PopulationVersion>, StoreError> {
        fetch_all!(self, read_version, LIST_VERSIONS, i64::from(limit))
    }

    /// Versions whose import began before an instant and never ended.
    pub async fn list_abandoned_populations(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<PopulationVersion>, StoreError> {
        let limit = i64::from(limit);
        fetch_all!(self, read_version, LIST_ABANDONED, before.micros(), limit)
    }

    /// Takes at most `limit` pages of a version away that nobody reads, and the version itself when
    /// none is left; true when it is gone.
    pub async fn shrink_abandoned_population(
        &mut self,
        version: u32,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let version = i64::from(version);
        let limit = i64::from(limit);
        if execute!(self, DELETE_PAGES, version, limit)? > 0 {
            return Ok(false);
        }
        execute!(self, DELETE_ABANDONED, version)?;
        Ok(true)
    }

    /// Adds a page of cells (a JSON array) to a version that is being written.
    pub async fn insert_population_page(
        &mut self,
        version: u32,
        page: u32,
        cells: &str,
    ) -> Result<(), StoreError> {
        let (version, page) = (i64::from(version), i64::from(page));
        execute_one!(self, INSERT_PAGE, version, page, cells.to_owned())
    }

    /// The pages of a version after `page`, in order, at most `limit`: numbers and JSON.
    pub async fn list_population_pages(
        &mut self,
        version: u32,
        after: u32,
        limit: u32,
    ) -> Result<Vec<(u32, String)>, StoreError> {
        let (version, after) = (i64::from(version), i64::from(after));
        fetch_all!(
            self,
            read_page,
            LIST_PAGES,
            version,
            after,
            i64::from(limit)
        )
    }
}

fn read_last(row: &impl Row) -> Result<u32, StoreError> {
    match row.opt_int("version")? {
        None => Ok(0),
        Some(_) => row.count("version"),
    }
}

fn read_page(row: &impl Row) -> Result<(u32, String), StoreError> {
    Ok((row.count("page")?, row.text("cells")?))
}

fn read_version(row: &impl Row) -> Result<PopulationVersion, StoreError> {
    Ok(PopulationVersion {
        version: row.count("version")?,
        source: row.text("source")?,
        digest: row.text("digest")?,
        cell_count: row.count("cell_count")?,
        started_at: row.instant("started_at")?,
        completed_at: row.opt_instant("completed_at")?,
    })
}
