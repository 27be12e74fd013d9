//! The shape that goes on the air: the one asked for where it is small enough, else a simpler one
//! that covers it.

use balefire_domain::limits::{POINTS_UNCHANGED_MAX, POLYGONS_UNCHANGED_MAX};

use crate::reduce::reduce;
use crate::shape::Shape;
use crate::smooth::guard;

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
    /// It was smoothed and simplified.
    Done {
        /// Square metres that are sent beyond those asked for.
        grown_area_m2: f64,
        /// Which try was the first to cover what was asked for, from 1.
        tries: u32,
    },
    /// It is sent as it is, although it is large.
    NotPossible(Obstacle),
}

/// Why a large shape is sent as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// It lies too far east or west of its own middle to be measured in metres.
    #[error("the area reaches too far around the earth to be simplified")]
    TooWide,
    /// Its lines lie so close together that smoothing would take too long.
    #[error("the area has too many long lines close together to be simplified")]
    TooCrowded,
    /// No try covered what was asked for with fewer points.
    #[error("no simpler area covers the whole of it")]
    NoSimplerCover,
    /// The engine failed on it.
    #[error("the area could not be simplified")]
    EngineFailed,
}

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
    /// they are; more are smoothed and simplified, if the result is valid, covers every point of
    /// this shape and has fewer points. Nothing small is dropped. Can't fail: a shape that can't
    /// be simplified is sent as it is, and says why.
    pub fn for_broadcast(&self) -> Broadcast {
        let fits = self.polygon_count() <= POLYGONS_UNCHANGED_MAX
            && self.point_count() <= POINTS_UNCHANGED_MAX;
        if fits {
            return Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotNeeded,
            };
        }
        match guard(|| reduce(self)).unwrap_or(Err(Obstacle::EngineFailed)) {
            Ok((shape, tries)) => {
                let grown_area_m2 = (shape.area_m2() - self.area_m2()).max(0.0);
                Broadcast {
                    shape,
                    reduction: Reduction::Done {
                        grown_area_m2,
                        tries,
                    },
                }
            }
            Err(why) => Broadcast {
                shape: self.clone(),
                reduction: Reduction::NotPossible(why),
            },
        }
    }
}
