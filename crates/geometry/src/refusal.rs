//! Why a shape is refused, in words for the person or the system that sent it.

use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};

use crate::circle::{CIRCLE_RADIUS_M_MAX, CIRCLE_RADIUS_M_MIN};

/// Why a shape is refused. Polygons and points are counted from 0 in the fields and from 1 in the
/// text; points are those received, the closing one included.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// More polygons than `limits::POLYGONS_MAX`.
    #[error("Too many polygons ({count}); the maximum is {POLYGONS_MAX}")]
    TooManyPolygons {
        /// How many came.
        count: usize,
    },
    /// More points, over all polygons, than `limits::POINTS_MAX`.
    #[error("Too many coordinates ({count}); the maximum is {POINTS_MAX}")]
    TooManyPoints {
        /// How many came, closing points included.
        count: usize,
    },
    /// NaN or an infinity.
    #[error("polygon {}, point {}: {axis} is not a finite number", .polygon + 1, .point + 1)]
    NotFinite {
        /// Which polygon.
        polygon: usize,
        /// Which of its points.
        point: usize,
        /// Which of the two numbers.
        axis: Axis,
    },
    /// A latitude beyond 90 degrees or a longitude beyond 180.
    #[error(
        "polygon {}, point {}: {axis} {degrees} is outside -{limit} to {limit}",
        .polygon + 1, .point + 1, limit = .axis.limit_degrees()
    )]
    OutOfRange {
        /// Which polygon.
        polygon: usize,
        /// Which of its points.
        point: usize,
        /// Which of the two numbers.
        axis: Axis,
        /// The number as received.
        degrees: f64,
    },
    /// Fewer than the 4 points of a closed triangle.
    #[error(
        "polygon {} has {count} points; it needs at least 4, the last equal to the first",
        .polygon + 1
    )]
    TooFewPoints {
        /// Which polygon.
        polygon: usize,
        /// How many points came.
        count: usize,
    },
    /// The last point isn't the first (CAP 1.2, clause 3.2.4, polygon).
    #[error("polygon {} is not closed: its last point must be equal to its first", .polygon + 1)]
    NotClosed {
        /// Which polygon.
        polygon: usize,
    },
    /// More than 180 degrees of longitude in a way that can be read twice: a line of 180 to 270
    /// degrees, or a ring around a pole.
    #[error(
        "polygon {} spans more than 180 degrees of longitude in a way that can be read twice, or \
         goes around a pole; where it crosses the antimeridian (longitude 180), send it as two \
         polygons, one on each side",
        .polygon + 1
    )]
    CrossesAntimeridian {
        /// Which polygon.
        polygon: usize,
    },
    /// Nothing is left inside once the points are rounded to 6 decimals.
    #[error("polygon {} has no area, its points rounded to 6 decimals", .polygon + 1)]
    NoArea {
        /// Which polygon.
        polygon: usize,
    },
    /// Two lines of one ring share a point that isn't the end of one and the start of the next.
    #[error(
        "polygon {} crosses or touches itself: the line from point {} meets the line from point {}",
        .polygon + 1, .line + 1, .other_line + 1
    )]
    MeetsItself {
        /// Which polygon.
        polygon: usize,
        /// The point where the one line begins.
        line: usize,
        /// The point where the other line begins.
        other_line: usize,
    },
    /// A hole that is no valid ring.
    #[error("polygon {}, hole {} is no valid ring", .polygon + 1, .hole + 1)]
    HoleInvalid {
        /// Which polygon.
        polygon: usize,
        /// Which of its holes.
        hole: usize,
    },
    /// Holes that cross, touch or leave the exterior or one another.
    #[error(
        "polygon {} has holes that cross, touch or leave its exterior or one another",
        .polygon + 1
    )]
    HolesMeet {
        /// Which polygon.
        polygon: usize,
    },
    /// A radius that no circle can have here.
    #[error(
        "a circle's radius is {metres} m; it must be from {CIRCLE_RADIUS_M_MIN} to \
         {CIRCLE_RADIUS_M_MAX} m"
    )]
    CircleRadius {
        /// Metres as received.
        metres: f64,
    },
    /// A circle that a ring of latitudes and longitudes can't go around.
    #[error("a circle of {metres} m there reaches a pole; send a polygon")]
    CircleOverPole {
        /// Metres as received.
        metres: f64,
    },
    /// Two polygons have ground in common.
    #[error(
        "polygons {} and {} overlap; polygons may touch but not share ground",
        .polygon + 1, .other + 1
    )]
    Overlap {
        /// The first of the two.
        polygon: usize,
        /// The second of the two.
        other: usize,
    },
}

impl Refusal {
    /// Which polygon it is about, from 0; `None` where it is about all or none.
    pub fn polygon(&self) -> Option<usize> {
        match *self {
            Self::TooManyPolygons { .. }
            | Self::TooManyPoints { .. }
            | Self::CircleRadius { .. }
            | Self::CircleOverPole { .. } => None,
            Self::NotFinite { polygon, .. }
            | Self::OutOfRange { polygon, .. }
            | Self::TooFewPoints { polygon, .. }
            | Self::NotClosed { polygon }
            | Self::CrossesAntimeridian { polygon }
            | Self::NoArea { polygon }
            | Self::MeetsItself { polygon, .. }
            | Self::HoleInvalid { polygon, .. }
            | Self::HolesMeet { polygon }
            | Self::Overlap { polygon, .. } => Some(polygon),
        }
    }
}

/// One of the two numbers of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// North and south, -90 to 90.
    Latitude,
    /// East and west, -180 to 180.
    Longitude,
}

impl Axis {
    pub(crate) fn limit_degrees(self) -> f64 {
        match self {
            Self::Latitude => 90.0,
            Self::Longitude => 180.0,
        }
    }
}

impl std::fmt::Display for Axis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Latitude => "latitude",
            Self::Longitude => "longitude",
        })
    }
}
