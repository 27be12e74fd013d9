//! The areas of one library, found by id, by name, by place and by the ground they share.
//!
//! An R-tree holds a box for every polygon (not for every area: islands far from their mainland
//! would make a box of half an ocean), so that a lookup by place looks at the lines of the few
//! polygons whose box holds it. Whether a place lies in a polygon is decided exactly, on whole
//! millionths of a degree; a place on a border is in both areas.
//!
//! Not done here: distances to borders. What is near is told by the boxes, which is what "look in
//! the surroundings too" needs.

use std::collections::HashMap;

use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};

use crate::ground::{Bounds, Ground};
use crate::place_name::fold;
use crate::point::Point;
use crate::shape::Shape;

/// Metres in a degree of latitude, at least.
const DEGREE_M_MIN: f64 = 110_574.0;
/// Beyond this latitude a degree of longitude is too short to tell what is near.
const LATITUDE_NEAR_MAX: f64 = 89.0;

/// An area of a library. `T` is what its owner knows of it.
#[derive(Clone, Debug)]
pub struct IndexedArea<T> {
    /// Its id, as the library's source has it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its ground at full resolution.
    pub shape: Shape,
    /// What its owner knows of it.
    pub data: T,
}

/// How much an area and a shape share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlap {
    /// The part of the area that the shape covers, 0 to 1.
    pub of_area: f64,
    /// The part of the shape that lies in the area, 0 to 1.
    pub of_shape: f64,
}

/// The areas of one library.
#[derive(Debug)]
pub struct AreaIndex<T> {
    areas: Vec<IndexedArea<T>>,
    by_id: HashMap<String, usize>,
    /// Folded names, sorted.
    by_name: Vec<(String, usize)>,
    tree: RTree<Entry>,
    bounds: Option<Bounds>,
}

/// The box of a polygon, and which it is: area and ring.
type Entry = GeomWithData<Rectangle<[f64; 2]>, (usize, usize)>;

impl<T> AreaIndex<T> {
    /// Indexes areas. Of several with one id the first is found by it.
    pub fn new(areas: Vec<IndexedArea<T>>) -> Self {
        let mut by_id = HashMap::with_capacity(areas.len());
        let mut by_name = Vec::with_capacity(areas.len());
        let (mut entries, mut bounds) = (Vec::new(), None);
        for (index, area) in areas.iter().enumerate() {
            by_id.entry(area.id.clone()).or_insert(index);
            by_name.push((fold(&area.name), index));
            for (ring, points) in area.shape.rings().iter().enumerate() {
                let own = points.bounds();
                let corners = ([own.west, own.south], [own.east, own.north]);
                let rectangle = Rectangle::from_corners(corners.0, corners.1);
                entries.push(GeomWithData::new(rectangle, (index, ring)));
                bounds = Some(bounds.map_or(own, |all: Bounds| all.with(&own)));
            }
        }
        by_name.sort_unstable();
        Self {
            areas,
            by_id,
            by_name,
            tree: RTree::bulk_load(entries),
            bounds,
        }
    }

    /// All areas, in the order given.
    pub fn areas(&self) -> &[IndexedArea<T>] {
        &self.areas
    }

    /// The box around all; `None` where there is no ground.
    pub fn bounds(&self) -> Option<Bounds> {
        self.bounds
    }

    /// The area with this id.
    pub fn by_id(&self, id: &str) -> Option<&IndexedArea<T>> {
        self.by_id.get(id).map(|&index| &self.areas[index])
    }

    /// Areas of this name; where there is none, areas whose names begin so. Without regard to case
    /// and accents, in the order of their names, at most `limit`.
    pub fn by_name(&self, name: &str, limit: usize) -> Vec<&IndexedArea<T>> {
        let wanted = fold(name);
        if wanted.is_empty() {
            return Vec::new();
        }
        let first = self.by_name.partition_point(|(known, _)| *known < wanted);
        let rest = &self.by_name[first..];
        let take = |is_meant: &dyn Fn(&str) -> bool| -> Vec<&IndexedArea<T>> {
            let meant = rest.iter().take_while(|(known, _)| is_meant(known));
            meant
                .take(limit)
                .map(|&(_, index)| &self.areas[index])
                .collect()
        };
        let exact = take(&|known| known == wanted);
        if exact.is_empty() {
            return take(&|known| known.starts_with(&wanted));
        }
        exact
    }

    /// The areas that a place lies in, borders included, in the order given.
    pub fn at(&self, place: Point) -> Vec<&IndexedArea<T>> {
        let at = [place.lon.degrees(), place.lat.degrees()];
        let mut found: Vec<usize> = self
            .tree
            .locate_all_at_point(&at)
            .map(|entry| entry.data)
            .filter(|&(area, ring)| self.areas[area].shape.rings()[ring].contains(place))
            .map(|(area, _)| area)
            .collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|index| &self.areas[index]).collect()
    }

    /// The areas that share ground with a shape, those that share most of it first. Slivers below
    /// `part_min` of the area and of the shape alike are left out.
    pub fn overlapping(&self, shape: &Shape, part_min: f64) -> Vec<(&IndexedArea<T>, Overlap)> {
        let ground = Ground::of(shape);
        let Some(bounds) = ground.bounds() else {
            return Vec::new();
        };
        let whole = ground.square_degrees();
        let mut found = Vec::new();
        for index in self.meeting(&bounds) {
            let own = Ground::of(&self.areas[index].shape);
            let shared = own.shared_with(&ground);
            let overlap = Overlap {
                of_area: part(shared, own.square_degrees()),
                of_shape: part(shared, whole),
            };
            if shared > 0.0 && overlap.of_area.max(overlap.of_shape) >= part_min {
                found.push((&self.areas[index], overlap));
            }
        }
        found.sort_by(|(_, a), (_, b)| b.of_shape.total_cmp(&a.of_shape));
        found
    }

    /// The areas whose box lies within so many metres of a box, in the order given.
    pub fn near(&self, bounds: &Bounds, metres: f64) -> Vec<&IndexedArea<T>> {
        let lat = metres / DEGREE_M_MIN;
        let farthest = bounds.north.abs().max(bounds.south.abs()) + lat;
        let lon = if farthest >= LATITUDE_NEAR_MAX {
            360.0
        } else {
            lat / farthest.to_radians().cos()
        };
        let wider = Bounds {
            west: bounds.west - lon,
            south: bounds.south - lat,
            east: bounds.east + lon,
            north: bounds.north + lat,
        };
        // What goes out over the antimeridian comes in on the other side.
        let turned = [-360.0, 0.0, 360.0].map(|turn| Bounds {
            west: wider.west + turn,
            east: wider.east + turn,
            ..wider
        });
        let mut found: Vec<usize> = turned.iter().flat_map(|one| self.meeting(one)).collect();
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|index| &self.areas[index]).collect()
    }

    /// Areas with a polygon whose box meets this one.
    fn meeting(&self, bounds: &Bounds) -> Vec<usize> {
        let (low, high) = ([bounds.west, bounds.south], [bounds.east, bounds.north]);
        let envelope = AABB::from_corners(low, high);
        let entries = self.tree.locate_in_envelope_intersecting(&envelope);
        let mut found: Vec<usize> = entries.map(|entry| entry.data.0).collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

fn part(shared: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        (shared / whole).min(1.0)
    } else {
        0.0
    }
}

#[cfg(test)]
#[path = "area_index_tests.rs"]
mod tests;
