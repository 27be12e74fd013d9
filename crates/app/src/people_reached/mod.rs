//! How many people, or phones, an alert reaches: importing where they are, and counting them.
//!
//! Nothing here decides about an alert: an estimate that can't be made is "unknown", and delays
//! nobody. Versions are kept as those of area libraries are.

mod read;
mod wkt;

use std::sync::Arc;

use balefire_domain::audit::Actor;
use balefire_domain::limits::{IMPORT_BYTES_MAX, IMPORT_TIME_MAX, LIBRARY_VERSIONS_LISTED_MAX};
use balefire_domain::phones::bleed_m;
use balefire_geometry::Shape;
use balefire_geometry::ground::Ground;
use balefire_geometry::population::{Cell, Population, Reached};
use balefire_store::StoreError;
pub use balefire_store::population::PopulationVersion;
use serde_json::json;
use sha2::{Digest, Sha256};

pub use read::{ReadCells, StoredCell, read_cells};
pub use wkt::WktRefusal;
use wkt::read_wkt;

use crate::imports::{Imported, begin_version};
use crate::{App, Failure, repeat};

/// Cells of one page.
const CELLS_PER_PAGE: usize = 1_000;
/// Pages that are read, or taken away, at once.
const PAGES_AT_ONCE: u32 = 50;

/// Requests for which people are counted at once.
pub(crate) const COUNTS_AT_ONCE_MAX: usize = 2;

/// The population that was looked into last.
pub(crate) type KeptPopulation = (PopulationVersion, Arc<Population>);

/// Cells to import.
#[derive(Clone, Debug)]
pub struct NewPopulation {
    /// What they are imported from.
    pub source: String,
    /// How many cells.
    pub cell_count: usize,
    /// SHA-256 of what they say.
    pub digest: String,
    pages: Vec<String>,
}

/// How many an alert reaches.
#[derive(Clone, Debug, PartialEq)]
pub struct PeopleReached {
    /// Which figures it comes from.
    pub version: PopulationVersion,
    /// Within the area.
    pub within: Reached,
    /// Metres beyond the border at which the alert is still received.
    pub bleed_m: f64,
    /// Within the area and that distance around it; `None` where that can't be told.
    pub with_bleed: Option<Reached>,
}

impl NewPopulation {
    /// What is to be stored of these cells.
    pub fn new(source: &str, cells: &[StoredCell]) -> Self {
        let (mut pages, mut page) = (Vec::new(), String::new());
        let mut digest = Sha256::new();
        let mut on_page = 0;
        for cell in cells {
            let said = json!(cell).to_string();
            digest.update(said.as_bytes());
            digest.update(b"\n");
            page.push(if page.is_empty() { '[' } else { ',' });
            page.push_str(&said);
            on_page += 1;
            if on_page == CELLS_PER_PAGE || page.len() >= IMPORT_BYTES_MAX {
                page.push(']');
                pages.push(std::mem::take(&mut page));
                on_page = 0;
            }
        }
        if !page.is_empty() {
            page.push(']');
            pages.push(page);
        }
        Self {
            source: source.to_owned(),
            cell_count: cells.len(),
            digest: balefire_domain::approval::hex(&digest.finalize()),
            pages,
        }
    }
}

impl App {
    /// Stores cells as a new version, or finds that the latest says the same. `progress` is told
    /// about how many cells are stored.
    pub async fn import_population(
        &self,
        actor: Actor,
        new: &NewPopulation,
        progress: impl Fn(usize),
    ) -> Result<Imported, StoreError> {
        if let Some(version) = self.latest_population().await?
            && version.digest == new.digest
        {
            return Ok(Imported {
                version: version.version,
                is_new: false,
            });
        }
        self.sweep_populations().await?;
        let version = self.begin_population(new).await?;
        for (page, number) in new.pages.iter().zip(1_u32..) {
            let began = self.clock.monotonic();
            repeat(|| async {
                let now = self.clock.now();
                let mut tx = self.store.begin("import_population", now).await?;
                tx.insert_population_page(version, number, page).await?;
                tx.commit().await
            })
            .await?;
            let stored = (number as usize) * CELLS_PER_PAGE;
            progress(stored.min(new.cell_count));
            self.let_others_write(began).await;
        }
        self.complete_population(actor, new, version).await?;
        Ok(Imported {
            version,
            is_new: true,
        })
    }

    async fn begin_population(&self, new: &NewPopulation) -> Result<u32, StoreError> {
        let cell_count = u32::try_from(new.cell_count).expect("cells are bounded far below");
        begin_version(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("begin_population", now).await?;
            let version = tx.last_population_version().await? + 1;
            tx.insert_population_version(&PopulationVersion {
                version,
                source: new.source.clone(),
                digest: new.digest.clone(),
                cell_count,
                started_at: now,
                completed_at: None,
            })
            .await?;
            tx.commit().await?;
            Ok(version)
        })
        .await
    }

    async fn complete_population(
        &self,
        actor: Actor,
        new: &NewPopulation,
        version: u32,
    ) -> Result<(), StoreError> {
        let pages = u32::try_from(new.pages.len()).expect("cells are bounded far below");
        let details = json!({ "version": version, "cells": new.cell_count,
            "source": new.source, "digest": new.digest });
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("complete_population", now).await?;
            if !tx.complete_population_version(version, pages).await? {
                return Err(StoreError::cut_off("an import of a population"));
            }
            let (action, object) = ("population.import", format!("population {version}"));
            self.audit(&mut tx, actor, action, object, None, details.clone())
                .await?;
            tx.commit().await
        })
        .await?;
        tracing::info!(
            event = "population.imported",
            version,
            cells = new.cell_count,
            "the figures of where people are have a new version"
        );
        Ok(())
    }

    /// Takes away what imports left that were interrupted long ago.
    async fn sweep_populations(&self) -> Result<(), StoreError> {
        let before = self.clock.now() - IMPORT_TIME_MAX;
        let abandoned = repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("abandoned_populations", now).await?;
            let limit = LIBRARY_VERSIONS_LISTED_MAX;
            tx.list_abandoned_populations(before, limit).await
        })
        .await?;
        for version in abandoned {
            self.take_away(|| async {
                let now = self.clock.now();
                let mut tx = self.store.begin("sweep_population", now).await?;
                let number = version.version;
                let is_gone = tx
                    .shrink_abandoned_population(number, PAGES_AT_ONCE)
                    .await?;
                tx.commit().await?;
                Ok(is_gone)
            })
            .await?;
        }
        Ok(())
    }

    /// Every version of the figures, by number.
    pub async fn list_populations(&self) -> Result<Vec<PopulationVersion>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_populations", now).await?;
            tx.list_population_versions(LIBRARY_VERSIONS_LISTED_MAX)
                .await
        })
        .await
    }

    async fn latest_population(&self) -> Result<Option<PopulationVersion>, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("latest_population", now).await?;
            tx.latest_population_version().await
        })
        .await
    }

    /// The latest figures, ready to be looked into; `None` where there are none.
    async fn open_population(&self) -> Result<Option<KeptPopulation>, StoreError> {
        let Some(version) = self.latest_population().await? else {
            return Ok(None);
        };
        // Held while it is read, so that it is read once.
        let mut kept = self.indexes.population.lock().await;
        if let Some(known) = kept.as_ref()
            && known.0 == version
        {
            return Ok(Some(known.clone()));
        }
        let population = Arc::new(self.read_population(version.version).await?);
        let opened = (version, population);
        *kept = Some(opened.clone());
        Ok(Some(opened))
    }

    async fn read_population(&self, version: u32) -> Result<Population, StoreError> {
        let (mut pages, mut after) = (Vec::new(), 0);
        loop {
            let read = repeat(|| async {
                let now = self.clock.now();
                let mut tx = self.store.begin_read("read_population", now).await?;
                tx.list_population_pages(version, after, PAGES_AT_ONCE)
                    .await
            })
            .await?;
            let Some((last, _)) = read.last() else {
                break;
            };
            after = *last;
            pages.extend(read.into_iter().map(|(_, cells)| cells));
        }
        let indexing = tokio::task::spawn_blocking(move || {
            let mut cells = Vec::new();
            for page in pages {
                cells.extend(read_page(&page).ok_or_else(|| StoreError::Inconsistency {
                    column: "cells".to_owned(),
                    value: "no cells of ours".to_owned(),
                })?);
            }
            Ok(Population::new(cells))
        });
        indexing.await.expect("indexing doesn't panic")
    }

    /// Who is within an area in well-known text; 0 where nothing is known. Of many such requests a
    /// few are counted at once and the others wait: an area made to be slow takes seconds, and the
    /// processors have alerts to send.
    pub async fn count_people(&self, wkt: String) -> Result<f64, Failure<WktRefusal>> {
        let counting = Arc::clone(&self.indexes.counting);
        // Kept by the work and not by the request, which may go away before the work ends.
        let permit = counting.acquire_owned().await.expect("nobody closes it");
        let reading = tokio::task::spawn_blocking(move || (read_wkt(&wkt), permit));
        let (ground, permit) = reading.await.expect("reading an area doesn't panic");
        let ground = ground.map_err(Failure::Refused)?;
        let Some((_, population)) = self.open_population().await? else {
            return Ok(0.0);
        };
        let counting = tokio::task::spawn_blocking(move || {
            let count = population.within(&ground).count;
            drop(permit);
            count
        });
        Ok(counting.await.expect("counting doesn't panic"))
    }

    /// How many an alert for this shape reaches; `None` where no figures were ever imported.
    pub async fn people_reached(&self, shape: Shape) -> Result<Option<PeopleReached>, StoreError> {
        let Some((version, population)) = self.open_population().await? else {
            return Ok(None);
        };
        let counting = tokio::task::spawn_blocking(move || {
            let within = population.within(&Ground::of(&shape));
            let bleed_m = bleed_m(within.count, shape.area_m2());
            let wider = shape.grown_by(bleed_m).ok();
            let with_bleed = wider.map(|wider| population.within(&Ground::of(&wider)));
            PeopleReached {
                version,
                within,
                bleed_m,
                with_bleed,
            }
        });
        Ok(Some(counting.await.expect("counting doesn't panic")))
    }
}

fn read_page(page: &str) -> Option<Vec<Cell>> {
    let stored: Vec<StoredCell> = serde_json::from_str(page).ok()?;
    let cell = |stored: &StoredCell| {
        Some(Cell {
            count: stored.n,
            ground: read::ground_of(stored)?,
        })
    };
    stored.iter().map(cell).collect()
}

#[cfg(test)]
mod tests;
