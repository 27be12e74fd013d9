//! A shape: the polygons of an alert, valid by construction.

use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};

use crate::antimeridian::split_wide;
use crate::area::ring_area_m2;
use crate::refusal::Refusal;
use crate::ring::Ring;
use crate::sweep::{Line, Rule, find_conflict};

/// The ground an alert is for: polygons without holes that may touch but share no ground. May be
/// empty (an alert without polygons is refused when it is submitted, not here; D12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Shape {
    rings: Vec<Ring>,
}

/// What becomes of a ring whose last point isn't its first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenRings {
    /// Refused: what every route of ours does, as CAP 1.2 wants it.
    Refuse,
    /// Closed with a copy of the first point, for sources that leave it out.
    Close,
}

impl Shape {
    /// Checks polygons as received, each a list of (latitude, longitude) in degrees, and rounds
    /// them to 6 decimals. The order of polygons and points stays.
    ///
    /// Counts come before any geometry. Ranges and closing are checked on the numbers as received,
    /// all else on the rounded ones, which are those that are sent. A point that repeats the one
    /// before it after rounding is left out. A ring that touches itself, even at one point, is
    /// refused as one that crosses itself; polygons may touch each other at points and along
    /// edges. A ring over the antimeridian becomes one polygon on each side where only the short
    /// way round can be meant, and is refused by name otherwise (module `antimeridian`). Time is
    /// O(n log n) for any input, and more only for what is cut there.
    pub fn validate(polygons: &[Vec<(f64, f64)>]) -> Result<Self, Refusal> {
        Self::validate_with(polygons, OpenRings::Refuse)
    }

    /// `validate` with a choice about open rings.
    pub fn validate_with(
        polygons: &[Vec<(f64, f64)>],
        open_rings: OpenRings,
    ) -> Result<Self, Refusal> {
        if polygons.len() > POLYGONS_MAX {
            return Err(Refusal::TooManyPolygons {
                count: polygons.len(),
            });
        }
        let count = polygons.iter().map(Vec::len).sum();
        if count > POINTS_MAX {
            return Err(Refusal::TooManyPoints { count });
        }
        let (mut rings, mut received) = (Vec::new(), Vec::new());
        for (polygon, pairs) in polygons.iter().enumerate() {
            match Ring::validate(polygon, pairs, open_rings) {
                Ok(ring) => rings.push(ring),
                Err(Refusal::CrossesAntimeridian { .. }) => {
                    rings.extend(split_wide(polygon, pairs, open_rings)?);
                }
                Err(refusal) => return Err(refusal),
            }
            received.resize(rings.len(), polygon);
        }
        let shape = Self { rings };
        let lines: Vec<Line> = shape.lines(0, false).collect();
        match find_conflict(&lines, Rule::Nested) {
            None => Ok(shape),
            Some((a, b)) => {
                let (a, b) = (received[lines[a].polygon], received[lines[b].polygon]);
                Err(Refusal::Overlap {
                    polygon: a.min(b),
                    other: a.max(b),
                })
            }
        }
    }

    /// Reads back what [`Shape::to_pairs`] gave of a valid shape. Ranges, closing and area are
    /// checked, and not again whether lines cross or polygons overlap.
    pub fn restore(polygons: &[Vec<(f64, f64)>]) -> Result<Self, Refusal> {
        let rings = polygons.iter().enumerate();
        let rings = rings.map(|(polygon, pairs)| Ring::restore(polygon, pairs));
        Ok(Self {
            rings: rings.collect::<Result<Vec<Ring>, Refusal>>()?,
        })
    }

    /// The rings, in the order received.
    pub fn rings(&self) -> &[Ring] {
        &self.rings
    }

    /// Whether there is no polygon at all.
    pub fn is_empty(&self) -> bool {
        self.rings.is_empty()
    }

    /// How many polygons.
    pub fn polygon_count(&self) -> usize {
        self.rings.len()
    }

    /// How many points, closing points included.
    pub fn point_count(&self) -> usize {
        self.rings.iter().map(|ring| ring.points().len()).sum()
    }

    /// Square metres of ground on the WGS 84 ellipsoid.
    pub fn area_m2(&self) -> f64 {
        self.rings.iter().map(ring_area_m2).sum()
    }

    /// Pairs of latitude and longitude in degrees, at most 6 decimals: `simple_polygons` and the
    /// `areas` of a payload.
    pub fn to_pairs(&self) -> Vec<Vec<[f64; 2]>> {
        let pairs = |ring: &Ring| {
            ring.points()
                .iter()
                .map(|point| [point.lat.degrees(), point.lon.degrees()])
                .collect()
        };
        self.rings.iter().map(pairs).collect()
    }

    /// Whether every polygon of `other` lies within one polygon of this shape. Exact, with no
    /// tolerance. A polygon that lies partly in one and partly in a second one that touches it
    /// counts as not covered.
    pub fn covers(&self, other: &Self) -> bool {
        let mut lines: Vec<Line> = self.lines(0, false).collect();
        lines.extend(other.lines(self.rings.len(), true));
        find_conflict(&lines, Rule::Nested).is_none()
    }

    fn lines(&self, first_polygon: usize, is_inner: bool) -> impl Iterator<Item = Line> + '_ {
        let numbered = self.rings.iter().enumerate();
        numbered.flat_map(move |(index, ring)| ring.lines(first_polygon + index, is_inner))
    }
}
