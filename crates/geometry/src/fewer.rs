//! The shape with at most so many points that covers another and adds least.
//!
//! Polygons that touch are first made one: grown by a fifth of a metre, joined, and what is left
//! as a hole between them kept out by a slit. Then points are taken out by moves that only add
//! ground (module `cover`). Where that adds more than is wanted, but not several times as much,
//! it is done again with lines drawn tight after each move, which takes longer. Where the bound on
//! the added ground and the bound on the points can't both be held, [`Shape::fewer_points`] holds
//! the points and says how much was added.

use std::borrow::Cow;
use std::collections::HashMap;

use balefire_domain::limits::POLYGONS_MAX;
use geo::algorithm::buffer::BufferStyle;
use geo::{Buffer, Polygon, unary_union};

use crate::combine::from_polygons;
use crate::cover::{Goal, enclose, reduce, refine};
use crate::point::Point;
use crate::shape::Shape;
use crate::smooth::guard;

/// The part of the requested ground that may be left out for the arithmetic: slits, in practice.
pub const UNCOVERED_PART_MAX: f64 = 1e-4;
/// Ground that may be added to a shape larger than [`LARGE_RADIUS_M`], as a part of it.
pub const GROWTH_LARGE_MAX: f64 = 0.15;
/// Ground that may be added to a smaller shape, as a part of it.
pub const GROWTH_SMALL_MAX: f64 = 0.6;
/// The radius, in metres, of a circle of the shape's area above which it is large.
pub const LARGE_RADIUS_M: f64 = 10_000.0;
/// Degrees by which polygons that touch are grown to become one: 0.2 m.
const JOINING_DEGREES: f64 = 2e-6;
/// Part of a bound on the ground that is aimed for: costs along the way are counted on a sphere.
const AIM: f64 = 0.98;
/// The same where more work is done.
const REFINED_AIM: f64 = 0.999;
/// The ground that was added quickly, in terms of the bound on it, beyond which more work is in
/// vain.
const WORTH_REFINING: f64 = 4.0;

/// A shape with fewer points, and what it cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Fewer {
    /// The shape.
    pub shape: Shape,
    /// Square metres of it that weren't asked for.
    pub grown_m2: f64,
    /// Square metres asked for that it leaves out: 0 unless holes were kept out by slits.
    pub uncovered_m2: f64,
}

/// What is asked of a shape with fewer points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// Points at most, closing points included.
    pub points: usize,
    /// Polygons at most.
    pub polygons: usize,
    /// Ground that may be added, as a part of what is asked for.
    pub growth: f64,
}

impl Shape {
    /// The radius in metres of a circle as large as the shape.
    pub fn radius_m(&self) -> f64 {
        (self.area_m2() / std::f64::consts::PI).sqrt()
    }

    /// The part of its ground that may be added in simplifying: 0.15 for shapes with a radius
    /// above 10 km, 0.6 for smaller ones.
    pub fn growth_max(&self) -> f64 {
        if self.radius_m() > LARGE_RADIUS_M {
            GROWTH_LARGE_MAX
        } else {
            GROWTH_SMALL_MAX
        }
    }

    /// A shape that covers this one and holds the wanted. Where they can't be held together the
    /// one on points goes first, then that on polygons, then that on ground; where even the points
    /// can't be had without dropping ground, `None`: more than 62 polygons of this kind lie on
    /// both sides of the antimeridian.
    pub fn fewer_points(&self, wanted: Wanted) -> Option<Fewer> {
        guard(|| self.find_fewer(wanted)).ok().flatten()
    }

    fn find_fewer(&self, wanted: Wanted) -> Option<Fewer> {
        let goal = |growth: f64| Goal {
            points: wanted.points,
            polygons: wanted.polygons,
            growth,
        };
        let holds = |shape: &Self| {
            shape.point_count() <= wanted.points && shape.polygon_count() <= wanted.polygons
        };
        let base = self.base();
        let quick = reduce(&base, goal(wanted.growth * AIM))
            .filter(holds)
            .or_else(|| reduce(&base, goal(f64::INFINITY)).filter(holds))
            .and_then(|shape| self.measure(shape));
        let Some(quick) = quick else {
            let joined = self.joined();
            let fewer = joined.and_then(|joined| reduce(&joined, goal(f64::INFINITY)));
            let fewer = fewer.filter(holds).and_then(|shape| self.measure(shape));
            return fewer.or_else(|| self.measure(enclose(self, wanted.points)?));
        };
        let bound_m2 = wanted.growth * self.area_m2();
        if quick.grown_m2 <= bound_m2 || quick.grown_m2 > bound_m2 * WORTH_REFINING {
            return Some(quick);
        }
        let refined = refine(&base, goal(wanted.growth * REFINED_AIM))
            .filter(holds)
            .and_then(|shape| self.measure(shape));
        let both = [refined, Some(quick)].into_iter().flatten();
        both.min_by(|a, b| a.grown_m2.total_cmp(&b.grown_m2))
    }

    /// As few points as adding no more than this part of the ground permits.
    pub(crate) fn fewest_within(&self, growth: f64) -> Option<Fewer> {
        let goal = Goal {
            points: 0,
            polygons: POLYGONS_MAX,
            growth: growth * AIM,
        };
        guard(|| reduce(&self.base(), goal).and_then(|shape| self.measure(shape)))
            .ok()
            .flatten()
    }

    /// The shape whose points are taken out: this one, or its polygons joined where they touch.
    fn base(&self) -> Cow<'_, Self> {
        let joined = self.touches_itself().then(|| self.joined()).flatten();
        joined.map_or(Cow::Borrowed(self), Cow::Owned)
    }

    /// `None` where too much is left out.
    fn measure(&self, shape: Self) -> Option<Fewer> {
        let uncovered_m2 = self.area_outside_m2(&shape).ok()?;
        let area_m2 = self.area_m2();
        if uncovered_m2 > UNCOVERED_PART_MAX * area_m2 {
            return None;
        }
        Some(Fewer {
            grown_m2: (shape.area_m2() - area_m2 + uncovered_m2).max(0.0),
            shape,
            uncovered_m2,
        })
    }

    /// Whether two polygons share a point of theirs.
    fn touches_itself(&self) -> bool {
        let mut first_seen: HashMap<Point, usize> = HashMap::new();
        let points = self.rings().iter().enumerate();
        points
            .flat_map(|(index, ring)| ring.points().iter().map(move |&point| (index, point)))
            .any(|(index, point)| *first_seen.entry(point).or_insert(index) != index)
    }

    /// The polygons that touch made one.
    fn joined(&self) -> Option<Self> {
        let style = BufferStyle::new(JOINING_DEGREES);
        let grown: Vec<Polygon<f64>> = self
            .to_polygons()
            .iter()
            .flat_map(|polygon| polygon.buffer_with_style(style.clone()))
            .collect();
        from_polygons(&unary_union(&grown)).ok()
    }
}
