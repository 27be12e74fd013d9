//! The box around a shape, whether a point is inside, and the ground that two shapes share.

use geo::{BooleanOps, Coord, LineString, MultiPolygon, Polygon};

use crate::area::degrees_area_m2;
use crate::combine::Unmade;
use crate::ground::Bounds;
use crate::point::{LONGITUDE_MAX, Longitude, Point, turn};
use crate::ring::Ring;
use crate::shape::Shape;
use crate::smooth::guard;
use crate::sweep::{Line, Rule, find_conflict};

impl Ring {
    /// The box around the ring, in degrees.
    pub fn bounds(&self) -> Bounds {
        let nothing = Bounds {
            west: f64::MAX,
            south: f64::MAX,
            east: f64::MIN,
            north: f64::MIN,
        };
        self.points().iter().fold(nothing, |bounds, point| {
            let (lat, lon) = (point.lat.degrees(), point.lon.degrees());
            bounds.with(&Bounds {
                west: lon,
                south: lat,
                east: lon,
                north: lat,
            })
        })
    }

    /// Whether the point lies inside or on the line. Exact.
    pub fn contains(&self, point: Point) -> bool {
        let mut is_inside = false;
        for pair in self.points().windows(2) {
            let (south, north) = (pair[0].min(pair[1]), pair[0].max(pair[1]));
            if (south..=north).contains(&point) && turn(south, north, point) == 0 {
                return true;
            }
            // Latitudes alone: a line along the parallel of the point is not crossed.
            if (south.lat <= point.lat) != (north.lat <= point.lat) && turn(south, north, point) < 0
            {
                is_inside = !is_inside;
            }
        }
        is_inside
    }
}

impl Shape {
    /// The box around everything; `None` for the empty shape. A shape on both sides of the
    /// antimeridian has a box all around the earth: each ring has its own.
    pub fn bounds(&self) -> Option<Bounds> {
        let boxes = self.rings().iter().map(Ring::bounds);
        boxes.reduce(|a, b| a.with(&b))
    }

    /// Whether a point lies in the shape or on its edge. Exact; O(n).
    pub fn contains(&self, point: Point) -> bool {
        // At the antimeridian the same place has two longitudes.
        let other_side = Longitude::from_degrees(-point.lon.degrees())
            .filter(|_| point.lon.micro().abs() == LONGITUDE_MAX)
            .map(|lon| Point { lon, ..point });
        [Some(point), other_side]
            .into_iter()
            .flatten()
            .any(|point| self.rings().iter().any(|ring| ring.contains(point)))
    }

    /// Whether the two share ground; touching at points and along edges is not sharing. Exact;
    /// O(n log n).
    pub fn overlaps(&self, other: &Self) -> bool {
        let near = |shape: &Self, bounds: Option<Bounds>, first: usize| -> Vec<Line> {
            let rings = shape.rings().iter().enumerate();
            rings
                .filter(|(_, ring)| bounds.is_some_and(|bounds| bounds.meets(&ring.bounds())))
                .flat_map(|(index, ring)| ring.lines(first + index, false))
                .collect()
        };
        let mut lines = near(self, other.bounds(), 0);
        lines.extend(near(other, self.bounds(), self.polygon_count()));
        find_conflict(&lines, Rule::Nested).is_some()
    }

    /// Square metres of ground that both have.
    pub fn intersection_area_m2(&self, other: &Self) -> Result<f64, Unmade> {
        if !self.overlaps(other) {
            return Ok(0.0);
        }
        if self.covers(other) {
            return Ok(other.area_m2());
        }
        if other.covers(self) {
            return Ok(self.area_m2());
        }
        let (a, b) = (self.near(other), other.near(self));
        guard(|| polygons_area_m2(&a.intersection(&b))).map_err(|_| Unmade::EngineFailed)
    }

    /// Square metres of ground of this shape that `other` doesn't have.
    pub fn area_outside_m2(&self, other: &Self) -> Result<f64, Unmade> {
        if other.covers(self) {
            return Ok(0.0);
        }
        let (a, b) = (self.to_polygons(), other.near(self));
        guard(|| polygons_area_m2(&a.difference(&b))).map_err(|_| Unmade::EngineFailed)
    }

    /// The polygons whose boxes meet the other's, in degrees.
    fn near(&self, other: &Self) -> MultiPolygon<f64> {
        let bounds = other.bounds();
        let rings = self.rings().iter();
        rings
            .filter(|ring| bounds.is_some_and(|bounds| bounds.meets(&ring.bounds())))
            .map(to_polygon)
            .collect()
    }

    /// All polygons in degrees, x east and y north.
    pub(crate) fn to_polygons(&self) -> MultiPolygon<f64> {
        self.rings().iter().map(to_polygon).collect()
    }
}

pub(crate) fn to_polygon(ring: &Ring) -> Polygon<f64> {
    let at = |point: &Point| Coord {
        x: point.lon.degrees(),
        y: point.lat.degrees(),
    };
    Polygon::new(
        LineString(ring.points().iter().map(at).collect()),
        Vec::new(),
    )
}

/// Square metres of polygons in degrees, holes left out.
fn polygons_area_m2(polygons: &MultiPolygon<f64>) -> f64 {
    let area = |polygon: &Polygon<f64>| {
        let holes = polygon.interiors().iter();
        degrees_area_m2(&polygon.exterior().0)
            - holes.map(|hole| degrees_area_m2(&hole.0)).sum::<f64>()
    };
    polygons.iter().map(area).sum()
}
