//! The shape that goes on the air: the one asked for where it is small enough, else a simpler one
//! that covers it.

use balefire_domain::limits::{POINTS_UNCHANGED_MAX, POLYGONS_MAX, POLYGONS_UNCHANGED_MAX};

use crate::fewer::{Fewer, Wanted};
use crate::shape::Shape;

/// Ground that may be added to get to the points that pass unchanged, as a part of what is asked
/// for. (Scotland with its islands and lochs takes a third.)
const GROWTH_TO_FEW_MAX: f64 = 1.0;

/// The shape to send in place of one that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Broadcast {
    /// What is sent. It covers what was asked for.
    pub shape: Shape,
    /// How it came about.
    pub reduction: Reduction,
}

/// Whether a shape was simplified.
#[derive(Clone, Debug, PartialEq)]
pub enum Reduction {
    /// It is small enough to be sent as it is (D22).
    NotNeeded,
    /// It was simplified.
    Done {
        /// Square metres that are sent beyond those asked for.
        grown_area_m2: f64,
    },
    /// It is sent as it is, although it is large.
    NotPossible(Obstacle),
}

/// Why a large shape is sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// Fewer points would add more ground than is permitted.
    #[error("no simpler area covers the whole of it without adding too much")]
    NoSimplerCover,
}

/// Points of a simplified shape: below 250, as the areas of libraries must have.
const POINTS_SIMPLIFIED_MAX: usize = 249;

impl Broadcast {
    /// Whether what is sent differs from what was asked for.
    pub fn is_changed(&self) -> bool {
        matches!(self.reduction, Reduction::Done { .. })
    }

    /// Square metres that are sent beyond those asked for.
    pub fn grown_area_m2(&self) -> f64 {
        match self.reduction {
            Reduction::Done { grown_area_m2, .. } => grown_area_m2,
            Reduction::NotNeeded | Reduction::NotPossible(_) => 0.0,
        }
    }
}

impl Shape {
    /// The shape to broadcast for this one (D22). At most 12 polygons and 250 points are sent as
    /// they are. More are simplified to below 250 points, by adding no more ground than
    /// [`Shape::growth_max`] where that can be done, and at most as much as there is; where that
    /// isn't enough, to as few points as [`Shape::growth_max`] permits. What is sent is valid, and
    /// covers this shape but for [`crate::fewer::UNCOVERED_PART_MAX`]. Nothing small is dropped.
    /// Can't fail: a shape that can't be simplified is sent as it is, and says why.
    pub fn for_broadcast(&self) -> Broadcast {
        let has_few_points = self.point_count() <= POINTS_UNCHANGED_MAX;
        if has_few_points && self.polygon_count() <= POLYGONS_UNCHANGED_MAX {
            return Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotNeeded,
            };
        }
        let growth = self.growth_max();
        let area_m2 = self.area_m2();
        let within = |fewer: &Fewer, growth: f64| {
            fewer.grown_m2 <= growth * area_m2
                && (fewer.shape.point_count() < self.point_count()
                    || fewer.shape.polygon_count() < self.polygon_count())
        };
        let wanted = Wanted {
            points: POINTS_SIMPLIFIED_MAX,
            polygons: if has_few_points {
                POLYGONS_UNCHANGED_MAX
            } else {
                POLYGONS_MAX
            },
            growth,
        };
        let most = if has_few_points {
            growth
        } else {
            GROWTH_TO_FEW_MAX
        };
        let few = self.fewer_points(wanted).filter(|few| within(few, most));
        let found = few.or_else(|| {
            let fewest = self.fewest_within(growth);
            fewest.filter(|fewer| within(fewer, growth))
        });
        match found {
            Some(fewer) => Broadcast {
                shape: fewer.shape,
                reduction: Reduction::Done {
                    grown_area_m2: fewer.grown_m2,
                },
            },
            None => Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotPossible(Obstacle::NoSimplerCover),
            },
        }
    }
}
