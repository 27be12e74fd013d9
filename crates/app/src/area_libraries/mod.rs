//! Area libraries: importing them, and finding areas in them.
//!
//! An import makes a new version; older ones stay readable, and what is imported twice is not
//! stored twice. A version is written in transactions of some ten milliseconds (module `imports`);
//! nobody reads it before its last transaction, which has the audit entry too. An import that was
//! interrupted leaves nothing that is seen, and the next one takes it away.
//!
//! What is looked into is kept in memory as an index, at most [`LIBRARIES_KEPT_MAX`] versions.

mod fault;
mod geojson;
mod read;

use std::sync::Arc;

use balefire_domain::area_names::{Level, Place, aggregate};
use balefire_domain::audit::Actor;
use balefire_domain::limits::{
    IMPORT_BYTES_MAX, IMPORT_ROWS_MAX, IMPORT_TIME_MAX, LIBRARIES_KEPT_MAX,
    LIBRARY_VERSIONS_LISTED_MAX,
};
use balefire_geometry::area_index::{AreaIndex, IndexedArea, Overlap};
use balefire_geometry::{Broadcast, Shape};
use balefire_store::StoreError;
pub use balefire_store::area_libraries::{LibraryArea, LibraryVersion};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, Semaphore};

pub use fault::{FAULTS_TOLD_MAX, Fault, Faults};
pub(crate) use geojson::{Feature, Polygons, Position, read_features};
pub use read::{Fields, LevelOf, ReadArea, ReadAreas, not_simplified, read_areas, simplify_all};

use crate::imports::{Imported, begin_version};
use crate::people_reached::{COUNTS_AT_ONCE_MAX, KeptPopulation};
use crate::{App, repeat};

/// Rows that are read at once.
const ROWS_READ_MAX: u32 = 500;
/// The part of an area or of a shape that overlaps are told from: less is a border's inexactness.
pub const OVERLAP_PART_MIN: f64 = 0.005;

/// A library to import.
#[derive(Clone, Debug)]
pub struct NewLibrary {
    /// What it is called.
    pub library: String,
    /// What it is imported from.
    pub source: String,
    /// Its areas, as they are stored.
    pub areas: Vec<LibraryArea>,
    /// SHA-256 of what it holds.
    pub digest: String,
}

/// What a library says of an area beside its ground and names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AreaFacts {
    /// The area that it lies in.
    pub parent: Option<String>,
    /// What it is.
    pub level: Level,
}

/// A version of a library, ready to be looked into.
#[derive(Debug)]
pub struct Library {
    /// Which.
    pub version: LibraryVersion,
    /// Its areas.
    pub index: AreaIndex<AreaFacts>,
}

/// What was looked into lately, the latest last.
#[derive(Debug)]
pub struct Indexes {
    libraries: Mutex<Vec<Arc<Library>>>,
    pub(crate) population: Mutex<Option<KeptPopulation>>,
    /// Leave to count people for a request.
    pub(crate) counting: Arc<Semaphore>,
}

impl Default for Indexes {
    fn default() -> Self {
        Self {
            libraries: Mutex::default(),
            population: Mutex::default(),
            counting: Arc::new(Semaphore::new(COUNTS_AT_ONCE_MAX)),
        }
    }
}

impl NewLibrary {
    /// What is to be stored of areas and the shapes that would be sent for them.
    pub fn new(library: &str, source: &str, areas: &[ReadArea], sent: &[Broadcast]) -> Self {
        assert_eq!(areas.len(), sent.len(), "each area has its shape to send");
        let mut digest = Sha256::new();
        let numbered = (1_u32..).zip(areas.iter().zip(sent));
        let stored = numbered.map(|(ordinal, (area, sent))| {
            let polygons = json!(area.shape.to_pairs()).to_string();
            let (level, parent) = (area.level.as_str(), &area.parent);
            let said = json!([area.id, area.name, parent, level, polygons]).to_string();
            digest.update(said.as_bytes());
            digest.update(b"\n");
            LibraryArea {
                ordinal,
                area_id: area.id.clone(),
                name: area.name.clone(),
                parent_id: area.parent.clone(),
                level: area.level,
                polygons,
                simple_polygons: sent
                    .is_changed()
                    .then(|| json!(sent.shape.to_pairs()).to_string()),
            }
        });
        let areas = stored.collect();
        Self {
            library: library.to_owned(),
            source: source.to_owned(),
            areas,
            digest: balefire_domain::approval::hex(&digest.finalize()),
        }
    }
}

impl App {
    /// Stores a library as a new version, or finds that its latest version says the same. May take
    /// minutes; `progress` is told how many areas are stored.
    pub async fn import_areas(
        &self,
        actor: Actor,
        new: &NewLibrary,
        progress: impl Fn(usize),
    ) -> Result<Imported, StoreError> {
        if let Some(version) = self.find_library_version(&new.library, None).await?
            && version.digest == new.digest
        {
            return Ok(Imported {
                version: version.version,
                is_new: false,
            });
        }
        self.sweep_libraries().await?;
        let version = self.begin_library(new).await?;
        let mut stored = 0;
        while stored < new.areas.len() {
            let rest = &new.areas[stored..];
            let part = &rest[..part_len(rest)];
            let began = self.clock.monotonic();
            repeat(|| async {
                let mut tx = self.store.begin("import_areas", self.clock.now()).await?;
                for area in part {
                    tx.insert_library_area(&new.library, version, area).await?;
                }
                tx.commit().await
            })
            .await?;
            stored += part.len();
            progress(stored);
            self.let_others_write(began).await;
        }
        self.complete_library(actor, new, version).await?;
        Ok(Imported {
            version,
            is_new: true,
        })
    }

    async fn begin_library(&self, new: &NewLibrary) -> Result<u32, StoreError> {
        let area_count = u32::try_from(new.areas.len()).expect("areas are bounded far below");
        begin_version(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("begin_library", now).await?;
            let version = tx.last_library_version(&new.library).await? + 1;
            tx.insert_library_version(&LibraryVersion {
                library: new.library.clone(),
                version,
                source: new.source.clone(),
                digest: new.digest.clone(),
                area_count,
                started_at: now,
                completed_at: None,
            })
            .await?;
            tx.commit().await?;
            Ok(version)
        })
        .await
    }

    async fn complete_library(
        &self,
        actor: Actor,
        new: &NewLibrary,
        version: u32,
    ) -> Result<(), StoreError> {
        let details = json!({ "version": version, "areas": new.areas.len(),
            "source": new.source, "digest": new.digest });
        repeat(|| async {
            let mut tx = self
                .store
                .begin("complete_library", self.clock.now())
                .await?;
            if !tx.complete_library_version(&new.library, version).await? {
                // Taken away as abandoned: it took longer than an import may.
                return Err(StoreError::cut_off("an import of areas"));
            }
            let (action, object) = ("areas.import", format!("library {}", new.library));
            self.audit(&mut tx, actor, action, object, None, details.clone())
                .await?;
            tx.commit().await
        })
        .await?;
        tracing::info!(
            event = "areas.imported", library = %new.library, version,
            areas = new.areas.len(), "a library of areas has a new version"
        );
        Ok(())
    }

    /// Takes away what imports left that were interrupted long ago.
    async fn sweep_libraries(&self) -> Result<(), StoreError> {
        let before = self.clock.now() - IMPORT_TIME_MAX;
        let limit = LIBRARY_VERSIONS_LISTED_MAX;
        let abandoned = repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("abandoned_libraries", now).await?;
            tx.list_abandoned_libraries(before, limit).await
        })
        .await?;
        let rows = u32::try_from(IMPORT_ROWS_MAX).expect("it is a few hundred");
        for version in abandoned {
            let (library, number) = (&version.library, version.version);
            self.take_away(|| async {
                let mut tx = self.store.begin("sweep_library", self.clock.now()).await?;
                let is_gone = tx.shrink_abandoned_library(library, number, rows).await?;
                tx.commit().await?;
                Ok(is_gone)
            })
            .await?;
        }
        Ok(())
    }

    /// Every version of every library, by name and number.
    pub async fn list_library_versions(&self) -> Result<Vec<LibraryVersion>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_libraries", now).await?;
            tx.list_library_versions(LIBRARY_VERSIONS_LISTED_MAX).await
        })
        .await
    }

    /// A version of a library; without a number the latest.
    pub async fn find_library_version(
        &self,
        library: &str,
        number: Option<u32>,
    ) -> Result<Option<LibraryVersion>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("find_library", now).await?;
            tx.load_library_version(library, number).await
        })
        .await
    }

    /// A version of a library, ready to be looked into; without a number the latest. `None` where
    /// there is none.
    pub async fn open_library(
        &self,
        library: &str,
        number: Option<u32>,
    ) -> Result<Option<Arc<Library>>, StoreError> {
        let Some(version) = self.find_library_version(library, number).await? else {
            return Ok(None);
        };
        // Held while it is read, so that it is read once.
        let mut kept = self.indexes.libraries.lock().await;
        let is_it = |one: &Arc<Library>| one.version == version;
        let opened = match kept.iter().position(is_it) {
            Some(place) => kept.remove(place),
            None => Arc::new(self.read_library(version).await?),
        };
        kept.push(Arc::clone(&opened));
        if kept.len() > LIBRARIES_KEPT_MAX {
            kept.remove(0);
        }
        Ok(Some(opened))
    }

    async fn read_library(&self, version: LibraryVersion) -> Result<Library, StoreError> {
        let mut areas = Vec::new();
        let mut after = 0;
        loop {
            let rows = repeat(|| async {
                let now = self.clock.now();
                let mut tx = self.store.begin_read("read_library", now).await?;
                let name = &version.library;
                tx.list_library_areas(name, version.version, after, ROWS_READ_MAX)
                    .await
            })
            .await?;
            let Some(last) = rows.last() else {
                break;
            };
            after = last.ordinal;
            areas.push(rows);
        }
        let index = move || areas.into_iter().flatten().map(indexed).collect();
        let indexed = tokio::task::spawn_blocking(move || {
            let areas: Result<Vec<_>, StoreError> = index();
            areas.map(AreaIndex::new)
        });
        Ok(Library {
            version,
            index: indexed.await.expect("indexing doesn't panic")?,
        })
    }

    /// An area as it is stored; without a number of the latest version.
    pub async fn load_library_area(
        &self,
        library: &str,
        number: Option<u32>,
        area: &str,
    ) -> Result<Option<(LibraryVersion, LibraryArea)>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("load_library_area", now).await?;
            let Some(version) = tx.load_library_version(library, number).await? else {
                return Ok(None);
            };
            let found = tx.load_library_area(library, version.version, area).await?;
            Ok(found.map(|area| (version, area)))
        })
        .await
    }

    /// The names that the public is told for these areas of a library. Parents are looked for in
    /// the library, then in the latest version of every other.
    pub async fn public_names(
        &self,
        library: &Library,
        areas: &[&IndexedArea<AreaFacts>],
    ) -> Result<Vec<String>, StoreError> {
        let mut others = Vec::new();
        let names: std::collections::BTreeSet<String> = self
            .list_library_versions()
            .await?
            .into_iter()
            .map(|version| version.library)
            .filter(|name| *name != library.version.library)
            .collect();
        let is_complete = |places: &[Place], found: &dyn Fn(&str) -> Option<Place>| {
            places.iter().all(|place| match &place.parent {
                Some(parent) => found(parent).is_some_and(|over| match &over.parent {
                    Some(top) => found(top).is_some(),
                    None => true,
                }),
                None => true,
            })
        };
        let chosen: Vec<Place> = areas.iter().map(|area| place_of(area)).collect();
        let find_in = |others: &[Arc<Library>], id: &str| {
            let own = library.index.by_id(id);
            let other = || others.iter().find_map(|other| other.index.by_id(id));
            own.or_else(other).map(place_of)
        };
        for name in names {
            if is_complete(&chosen, &|id| find_in(&others, id)) {
                break;
            }
            others.extend(self.open_library(&name, None).await?);
        }
        Ok(aggregate(&chosen, |id| find_in(&others, id)))
    }

    /// The names that the public is told for a shape of its own: those of the areas of a library
    /// that it overlaps.
    pub async fn public_names_of_shape(
        &self,
        library: &Arc<Library>,
        shape: &Shape,
    ) -> Result<Vec<String>, StoreError> {
        let found = overlapping(library, shape).await;
        let areas: Vec<&IndexedArea<AreaFacts>> = found
            .iter()
            .filter_map(|(id, _)| library.index.by_id(id))
            .collect();
        self.public_names(library, &areas).await
    }
}

/// The ids of the areas of a library that a shape overlaps, those that have most of it first. On a
/// thread for long work.
pub async fn overlapping(library: &Arc<Library>, shape: &Shape) -> Vec<(String, Overlap)> {
    let (library, shape) = (Arc::clone(library), shape.clone());
    let work = tokio::task::spawn_blocking(move || {
        let found = library.index.overlapping(&shape, OVERLAP_PART_MIN);
        let ids = found
            .into_iter()
            .map(|(area, overlap)| (area.id.clone(), overlap));
        ids.collect()
    });
    work.await.expect("measuring ground doesn't panic")
}

fn place_of(area: &IndexedArea<AreaFacts>) -> Place {
    Place {
        id: area.id.clone(),
        name: area.name.clone(),
        level: area.data.level,
        parent: area.data.parent.clone(),
    }
}

fn indexed(area: LibraryArea) -> Result<IndexedArea<AreaFacts>, StoreError> {
    Ok(IndexedArea {
        shape: stored_shape(&area.polygons).ok_or_else(|| StoreError::Inconsistency {
            column: "polygons".to_owned(),
            value: "no polygons of ours".to_owned(),
        })?,
        id: area.area_id,
        name: area.name,
        data: AreaFacts {
            parent: area.parent_id,
            level: area.level,
        },
    })
}

/// A shape as it is stored: JSON rings of `[lat, lon]`.
pub fn stored_shape(json: &str) -> Option<Shape> {
    let rings: Vec<Vec<(f64, f64)>> = serde_json::from_str(json).ok()?;
    Shape::restore(&rings).ok()
}

/// How many of these areas go into one transaction: at least one.
fn part_len(areas: &[LibraryArea]) -> usize {
    let bytes = |area: &LibraryArea| {
        area.polygons.len() + area.simple_polygons.as_ref().map_or(0, String::len)
    };
    let mut sum = 0;
    let fits = |area: &&LibraryArea| {
        sum += bytes(area);
        sum <= IMPORT_BYTES_MAX
    };
    let fitting = areas.iter().take(IMPORT_ROWS_MAX).take_while(fits).count();
    fitting.max(1)
}

#[cfg(test)]
mod tests;
