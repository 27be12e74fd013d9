//! Area libraries, by version. A version is written in parts and read once it is complete.

use balefire_domain::area_names::Level;
use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// One version of a library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryVersion {
    /// The library's id.
    pub library: String,
    /// Its number, from 1.
    pub version: u32,
    /// What it was imported from.
    pub source: String,
    /// SHA-256 of what it holds.
    pub digest: String,
    /// How many areas it has.
    pub area_count: u32,
    /// When its import began.
    pub started_at: Timestamp,
    /// When it was complete; before that nobody uses it.
    pub completed_at: Option<Timestamp>,
}

/// An area as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct LibraryArea {
    /// Its place in the file, from 1.
    pub ordinal: u32,
    /// Its id.
    pub area_id: String,
    /// Its name.
    pub name: String,
    /// The area that it lies in.
    pub parent_id: Option<String>,
    /// What it is.
    pub level: Level,
    /// Rings of `[lat, lon]`, at full resolution: JSON.
    pub polygons: String,
    /// What would be sent, where that is not `polygons`: JSON.
    pub simple_polygons: Option<String>,
}

statements! {
    INSERT_VERSION: "INSERT INTO area_libraries
        (library, version, source, digest, area_count, started_at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    COMPLETE_VERSION: "UPDATE area_libraries SET completed_at = $3
        WHERE library = $1 AND version = $2 AND completed_at IS NULL
        AND area_count = (SELECT count(*) FROM library_areas
            WHERE library = $1 AND version = $2)";
    LAST_VERSION: "SELECT max(version) AS version FROM area_libraries WHERE library = $1";
    LOAD_VERSION: "SELECT * FROM area_libraries
        WHERE library = $1 AND version = $2 AND completed_at IS NOT NULL";
    LATEST_VERSION: "SELECT * FROM area_libraries
        WHERE library = $1 AND completed_at IS NOT NULL ORDER BY version DESC LIMIT 1";
    LIST_VERSIONS: "SELECT * FROM area_libraries
        WHERE completed_at IS NOT NULL ORDER BY library, version LIMIT $1";
    LIST_ABANDONED: "SELECT * FROM area_libraries
        WHERE completed_at IS NULL AND started_at < $1 ORDER BY library, version LIMIT $2";
    DELETE_ABANDONED: "DELETE FROM area_libraries
        WHERE library = $1 AND version = $2 AND completed_at IS NULL";
    INSERT_AREA: "INSERT INTO library_areas (library, version, ordinal, area_id, name, parent_id,
        level, polygons, simple_polygons) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    DELETE_AREAS: "DELETE FROM library_areas WHERE library = $1 AND version = $2
        AND ordinal > (SELECT max(ordinal) - $3 FROM library_areas
            WHERE library = $1 AND version = $2)";
    LIST_AREAS: "SELECT * FROM library_areas WHERE library = $1 AND version = $2 AND ordinal > $3
        ORDER BY ordinal LIMIT $4";
    LOAD_AREA: "SELECT * FROM library_areas WHERE library = $1 AND version = $2 AND area_id = $3";
}

impl Tx {
    /// Begins a new version. A unique violation means that another import took the number.
    pub async fn insert_library_version(
        &mut self,
        version: &LibraryVersion,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT_VERSION,
            version.library.clone(),
            i64::from(version.version),
            version.source.clone(),
            version.digest.clone(),
            i64::from(version.area_count),
            version.started_at.micros(),
        )
    }

    /// Lets a version be read, if it has all its areas; false where it has not.
    pub async fn complete_library_version(
        &mut self,
        library: &str,
        version: u32,
    ) -> Result<bool, StoreError> {
        let (library, now) = (library.to_owned(), self.now.micros());
        let rows = execute!(
            self,
            COMPLETE_VERSION,
            library.clone(),
            i64::from(version),
            now
        )?;
        Ok(rows == 1)
    }

    /// The highest number that a library ever had, complete or not; 0 when it is new.
    pub async fn last_library_version(&mut self, library: &str) -> Result<u32, StoreError> {
        let last = fetch_optional!(self, read_last, LAST_VERSION, library.to_owned())?;
        Ok(last.unwrap_or(0))
    }

    /// A complete version of a library; without a number the latest.
    pub async fn load_library_version(
        &mut self,
        library: &str,
        version: Option<u32>,
    ) -> Result<Option<LibraryVersion>, StoreError> {
        let library = library.to_owned();
        match version {
            Some(number) => {
                fetch_optional!(
                    self,
                    read_version,
                    LOAD_VERSION,
                    library.clone(),
                    i64::from(number)
                )
            }
            None => fetch_optional!(self, read_version, LATEST_VERSION, library.clone()),
        }
    }

    /// Complete versions, by library and number.
    pub async fn list_library_versions(
        &mut self,
        limit: u32,
    ) -> Result<Vec<LibraryVersion>, StoreError> {
        fetch_all!(self, read_version, LIST_VERSIONS, i64::from(limit))
    }

    /// Versions whose import began before an instant and never ended.
    pub async fn list_abandoned_libraries(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<LibraryVersion>, StoreError> {
        let limit = i64::from(limit);
        fetch_all!(self, read_version, LIST_ABANDONED, before.micros(), limit)
    }

    /// Takes at most `limit` areas of a version away that nobody reads, and the version itself when
    /// none is left; true when it is gone.
    pub async fn shrink_abandoned_library(
        &mut self,
        library: &str,
        version: u32,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let number = i64::from(version);
        let library = library.to_owned();
        let limit = i64::from(limit);
        if execute!(self, DELETE_AREAS, library.clone(), number, limit)? > 0 {
            return Ok(false);
        }
        execute!(self, DELETE_ABANDONED, library.clone(), number)?;
        Ok(true)
    }

    /// Adds an area to a version that is being written.
    pub async fn insert_library_area(
        &mut self,
        library: &str,
        version: u32,
        area: &LibraryArea,
    ) -> Result<(), StoreError> {
        execute_one!(
            self,
            INSERT_AREA,
            library.to_owned(),
            i64::from(version),
            i64::from(area.ordinal),
            area.area_id.clone(),
            area.name.clone(),
            area.parent_id.clone(),
            area.level.as_str(),
            area.polygons.clone(),
            area.simple_polygons.clone(),
        )
    }

    /// The areas of a version after `ordinal`, in order, at most `limit`.
    pub async fn list_library_areas(
        &mut self,
        library: &str,
        version: u32,
        after: u32,
        limit: u32,
    ) -> Result<Vec<LibraryArea>, StoreError> {
        let library = library.to_owned();
        let (version, after) = (i64::from(version), i64::from(after));
        let limit = i64::from(limit);
        fetch_all!(
            self,
            read_area,
            LIST_AREAS,
            library.clone(),
            version,
            after,
            limit
        )
    }

    /// An area of a version.
    pub async fn load_library_area(
        &mut self,
        library: &str,
        version: u32,
        area_id: &str,
    ) -> Result<Option<LibraryArea>, StoreError> {
        let (library, area_id) = (library.to_owned(), area_id.to_owned());
        let version = i64::from(version);
        fetch_optional!(
            self,
            read_area,
            LOAD_AREA,
            library.clone(),
            version,
            area_id.clone()
        )
    }
}

fn read_last(row: &impl Row) -> Result<u32, StoreError> {
    match row.opt_int("version")? {
        None => Ok(0),
        Some(_) => row.count("version"),
    }
}

fn read_version(row: &impl Row) -> Result<LibraryVersion, StoreError> {
    Ok(LibraryVersion {
        library: row.text("library")?,
        version: row.count("version")?,
        source: row.text("source")?,
        digest: row.text("digest")?,
        area_count: row.count("area_count")?,
        started_at: row.instant("started_at")?,
        completed_at: row.opt_instant("completed_at")?,
    })
}

fn read_area(row: &impl Row) -> Result<LibraryArea, StoreError> {
    Ok(LibraryArea {
        ordinal: row.count("ordinal")?,
        area_id: row.text("area_id")?,
        name: row.text("name")?,
        parent_id: row.opt_text("parent_id")?,
        level: row.word("level", Level::parse)?,
        polygons: row.text("polygons")?,
        simple_polygons: row.opt_text("simple_polygons")?,
    })
}
