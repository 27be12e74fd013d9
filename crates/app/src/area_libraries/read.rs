//! From the features of a file to areas that are valid, and to the shapes that would be sent.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use balefire_domain::area_names::Level;
use balefire_domain::limits::{
    AREA_NAME_CHARS_MAX, AREAS_PER_LIBRARY_MAX, LIBRARY_POINTS_MAX, POINTS_UNCHANGED_MAX,
};
use balefire_domain::shown::{is_reordering, named};
use balefire_geometry::{Broadcast, OpenRings, Reduction, Shape};
use serde_json::{Map, Value};

use super::fault::{Fault, Faults};
use super::geojson::{Feature, Polygons, read_features};

/// Which properties of a feature say what.
#[derive(Clone, Debug)]
pub struct Fields {
    /// The id: a text or a whole number, unique in the file.
    pub id: String,
    /// The name.
    pub name: String,
    /// The id of the area that it lies in; absent: none is read.
    pub parent: Option<String>,
    /// What the areas are.
    pub level: LevelOf,
}

/// What says what an area is.
#[derive(Clone, Debug)]
pub enum LevelOf {
    /// All are this.
    All(Level),
    /// A property with one of the levels' words.
    Field(String),
}

/// An area that was read.
#[derive(Clone, Debug)]
pub struct ReadArea {
    /// Its number in the file, from 1.
    pub number: usize,
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The area that it lies in.
    pub parent: Option<String>,
    /// What it is.
    pub level: Level,
    /// Its ground.
    pub shape: Shape,
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct ReadAreas {
    /// The areas that are valid, in the order of the file.
    pub areas: Vec<ReadArea>,
    /// What is wrong with the others.
    pub faults: Faults,
    /// Areas with holes, which are filled: an alert has none.
    pub with_holes: usize,
    /// Areas whose lines touched or crossed themselves and were set right.
    pub mended: usize,
}

/// Reads the areas of a GeoJSON file. The error is what keeps the file from being read at all.
pub fn read_areas(text: &[u8], fields: &Fields) -> Result<ReadAreas, String> {
    let mut read = ReadAreas::default();
    let mut first_with: HashMap<String, usize> = HashMap::new();
    let mut points = 0;
    read_features(text, |number, feature| {
        if number > AREAS_PER_LIBRARY_MAX {
            return Err(format!(
                "it has more than {AREAS_PER_LIBRARY_MAX} features: split it into libraries"
            ));
        }
        let mut told_id = None;
        let area = feature.and_then(|feature| {
            let id = read_id(&feature, &fields.id)?;
            told_id = Some(id.clone());
            match first_with.insert(id.clone(), number) {
                Some(first) => Err(format!("feature {first} has the same id")),
                None => read_area(number, id, &feature, fields, &mut read),
            }
        });
        match area {
            Ok(area) => {
                points += area.shape.point_count();
                read.areas.push(area);
            }
            Err(what) => read.faults.push(Fault {
                number,
                id: told_id,
                what,
            }),
        }
        if points > LIBRARY_POINTS_MAX {
            return Err(format!("it has more than {LIBRARY_POINTS_MAX} points"));
        }
        Ok(())
    })?;
    Ok(read)
}

fn read_area(
    number: usize,
    id: String,
    feature: &Feature,
    fields: &Fields,
    read: &mut ReadAreas,
) -> Result<ReadArea, String> {
    let name = read_name(&feature.properties, &fields.name)?;
    let parent = match &fields.parent {
        None => None,
        Some(field) => match feature.properties.get(field) {
            None | Some(Value::Null) => None,
            Some(value) => Some(as_id(value, field)?),
        },
    };
    let level = read_level(&feature.properties, &fields.level)?;
    let polygons = feature.polygons.as_ref().map_err(Clone::clone)?;
    if polygons.iter().any(|rings| rings.len() > 1) {
        read.with_holes += 1;
    }
    let (shape, is_mended) = read_shape(polygons)?;
    read.mended += usize::from(is_mended);
    Ok(ReadArea {
        number,
        id,
        name,
        parent,
        level,
        shape,
    })
}

/// The outsides of the polygons as a shape, and whether it had to be set right.
pub(crate) fn read_shape(polygons: &Polygons) -> Result<(Shape, bool), String> {
    let outsides: Vec<Vec<(f64, f64)>> = polygons
        .iter()
        .filter_map(|rings| rings.first())
        .map(|ring| ring.iter().map(|at| (at.1, at.0)).collect())
        .collect();
    if outsides.is_empty() {
        return Err("it has no polygon".to_owned());
    }
    match Shape::validate_with(&outsides, OpenRings::Close) {
        Ok(shape) => Ok((shape, false)),
        Err(refusal) => match Shape::mend(&outsides) {
            Some(shape) => Ok((shape, true)),
            None => Err(refusal.to_string()),
        },
    }
}

fn read_id(feature: &Feature, field: &str) -> Result<String, String> {
    match feature.properties.get(field) {
        Some(value) => as_id(value, field),
        // The feature's own id goes by the name that RFC 7946 gives it.
        None if field == "id" => match &feature.id {
            Some(value) => as_id(value, field),
            None => Err("it has no id".to_owned()),
        },
        None => Err(format!("it has no `{field}`, which is to be its id")),
    }
}

fn as_id(value: &Value, field: &str) -> Result<String, String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
        _ => {
            return Err(format!(
                "its `{field}` is neither a text nor a whole number"
            ));
        }
    };
    bounded(text, field)
}

fn read_name(properties: &Map<String, Value>, field: &str) -> Result<String, String> {
    match properties.get(field) {
        Some(Value::String(text)) => bounded(text.trim().to_owned(), field),
        Some(_) => Err(format!("its `{field}` is no text")),
        None => Err(format!("it has no `{field}`, which is to be its name")),
    }
}

fn bounded(text: String, field: &str) -> Result<String, String> {
    if text.is_empty() || text.chars().count() > AREA_NAME_CHARS_MAX {
        return Err(format!(
            "its `{field}` must have 1 to {AREA_NAME_CHARS_MAX} characters"
        ));
    }
    // Names stand on terminals and in front of the public.
    let is_tricky = |c: &char| c.is_control() || is_reordering(*c);
    if let Some(c) = text.chars().find(is_tricky) {
        let c = named(c);
        return Err(format!(
            "its `{field}` has the control character {c}: take it out"
        ));
    }
    Ok(text)
}

fn read_level(properties: &Map<String, Value>, level: &LevelOf) -> Result<Level, String> {
    match level {
        LevelOf::All(level) => Ok(*level),
        LevelOf::Field(field) => properties
            .get(field)
            .and_then(Value::as_str)
            .and_then(Level::parse)
            .ok_or_else(|| format!("its `{field}` is not ward, authority, county or other")),
    }
}

/// The shapes that would be sent for these areas, in their order: on every processor, for a
/// coastline takes long. `progress` is told how many are done, by whichever thread did one.
pub fn simplify_all(areas: &[ReadArea], progress: &(dyn Fn(usize) + Sync)) -> Vec<Broadcast> {
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let results: Mutex<Vec<(usize, Broadcast)>> = Mutex::new(Vec::with_capacity(areas.len()));
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(area) = areas.get(index) else {
                return;
            };
            let broadcast = area.shape.for_broadcast();
            let mut results = results.lock().expect("no thread panics with the lock");
            results.push((index, broadcast));
            drop(results);
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..threads.min(areas.len()) {
            scope.spawn(work);
        }
    });
    let mut results = results
        .into_inner()
        .expect("no thread panics with the lock");
    results.sort_unstable_by_key(|&(index, _)| index);
    results
        .into_iter()
        .map(|(_, broadcast)| broadcast)
        .collect()
}

/// Why an area is sent as it is although it has many points; `None` where it has few or was
/// simplified.
pub fn not_simplified(broadcast: &Broadcast) -> Option<String> {
    let points = broadcast.shape.point_count();
    match broadcast.reduction {
        Reduction::NotPossible(why) => Some(why.to_string()),
        Reduction::NotNeeded | Reduction::Done { .. } if points > POINTS_UNCHANGED_MAX => {
            Some(format!("{points} points are left"))
        }
        Reduction::NotNeeded | Reduction::Done { .. } => None,
    }
}
