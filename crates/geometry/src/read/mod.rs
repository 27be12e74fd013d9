//! Shapes from files and documents: GeoJSON, WKT, KML, and CAP's circles.
//!
//! Each reader bounds what it takes before any geometry: bytes, depth, polygons with their holes
//! (`limits::POLYGONS_MAX`), points (`limits::POINTS_MAX`). A [`ReadRefusal`] says where and which
//! rule. Positions are longitude first in GeoJSON, WKT and KML, latitude first in CAP. What isn't
//! used is told as a [`Remark`]: altitudes, holes, features without geometry.

pub mod cap_circle;
pub mod geojson;
pub mod kml;
mod kml_scan;
pub mod wkt;

use balefire_domain::limits::{POINTS_MAX, POLYGONS_MAX};

use crate::cut::slit_polygon;
use crate::refusal::Refusal;
use crate::shape::Shape;

/// Bytes of one document: that of a request's body.
pub const BYTES_MAX: usize = balefire_domain::limits::BODY_BYTES_MAX;
/// Levels of collections in collections.
pub const DEPTH_MAX: usize = 16;

/// What becomes of holes. A shape has none: CAP and the payloads know no holes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Holes {
    /// A polygon with a hole is refused by name.
    Refuse,
    /// The ground of a hole stays out: a slit of 0.1 to 0.3 m leads to it, whose ground is lost.
    #[default]
    Cut,
    /// The ground of a hole is taken in.
    Fill,
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The shape; empty where the document holds no polygon.
    pub shape: Shape,
    /// What of the document isn't in the shape.
    pub remarks: Vec<Remark>,
}

/// What of a document isn't in the shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Remark {
    /// Altitudes, or other further numbers of a position.
    #[error("the altitudes of {points} points were left out")]
    AltitudesIgnored {
        /// How many positions had one.
        points: usize,
    },
    /// Holes kept out by slits.
    #[error("{holes} holes are kept out of the area, each by a slit 0.1 to 0.3 m wide")]
    HolesCut {
        /// How many.
        holes: usize,
    },
    /// Holes taken in.
    #[error("{holes} holes were filled: their ground is part of the area")]
    HolesFilled {
        /// How many.
        holes: usize,
    },
    /// Features that have no geometry.
    #[error("{features} features have no geometry and were left out")]
    NoGeometry {
        /// How many.
        features: usize,
    },
}

/// Why a document can't be read as a shape.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ReadRefusal {
    /// More bytes than [`BYTES_MAX`].
    #[error("the document has {bytes} bytes; the maximum is {BYTES_MAX}")]
    TooLong {
        /// How many.
        bytes: usize,
    },
    /// Not what the format wants there.
    #[error("{place}: {rule}")]
    Form {
        /// Where: a path, or a line and a column.
        place: String,
        /// What is wanted there, or what may not be there.
        rule: String,
    },
    /// A polygon that is none, or too much of them.
    #[error("{place}: {refusal}")]
    Shape {
        /// Where the polygon is that is refused.
        place: String,
        /// Which rule it breaks; its polygons are numbered over the whole document.
        refusal: Refusal,
    },
}

/// A polygon as it is drawn, in pairs of latitude and longitude.
struct Drawn {
    place: String,
    exterior: Vec<(f64, f64)>,
    holes: Vec<Vec<(f64, f64)>>,
}

/// What a reader has found so far, within the bounds.
#[derive(Default)]
struct Sketch {
    polygons: Vec<Drawn>,
    rings: usize,
    points: usize,
    altitudes: usize,
    no_geometry: usize,
}

impl Sketch {
    /// Counts a ring before it is read.
    fn count_ring(&mut self, place: &str) -> Result<(), ReadRefusal> {
        self.rings += 1;
        self.bound(place)
    }

    /// Counts a position before it is kept.
    fn count_point(&mut self, place: &str) -> Result<(), ReadRefusal> {
        self.points += 1;
        self.bound(place)
    }

    fn bound(&self, place: &str) -> Result<(), ReadRefusal> {
        let refusal = if self.rings > POLYGONS_MAX {
            Refusal::TooManyPolygons { count: self.rings }
        } else if self.points > POINTS_MAX {
            Refusal::TooManyPoints { count: self.points }
        } else {
            return Ok(());
        };
        Err(ReadRefusal::Shape {
            place: place.to_owned(),
            refusal,
        })
    }

    /// The rings of one polygon, the exterior first.
    fn add(&mut self, place: String, mut rings: Vec<Vec<(f64, f64)>>) {
        if rings.is_empty() {
            return;
        }
        let exterior = rings.remove(0);
        self.polygons.push(Drawn {
            place,
            exterior,
            holes: rings,
        });
    }

    /// The valid shape of all polygons.
    fn finish(self, holes: Holes) -> Result<Reading, ReadRefusal> {
        let mut rings = Vec::with_capacity(self.polygons.len());
        let hole_count: usize = self.polygons.iter().map(|drawn| drawn.holes.len()).sum();
        for (index, drawn) in self.polygons.iter().enumerate() {
            if holes == Holes::Refuse && !drawn.holes.is_empty() {
                return Err(form(
                    &drawn.place,
                    "a polygon with holes, which an alert can't have",
                ));
            }
            let ring = match holes {
                Holes::Cut => slit_polygon(index, &drawn.exterior, &drawn.holes),
                Holes::Refuse | Holes::Fill => Ok(drawn.exterior.clone()),
            };
            rings.push(ring.map_err(|refusal| self.refused(refusal))?);
        }
        let shape = Shape::validate(&rings).map_err(|refusal| self.refused(refusal))?;
        let mut remarks = Vec::new();
        match (hole_count, holes) {
            (0, _) | (_, Holes::Refuse) => {}
            (holes, Holes::Cut) => remarks.push(Remark::HolesCut { holes }),
            (holes, Holes::Fill) => remarks.push(Remark::HolesFilled { holes }),
        }
        if self.altitudes > 0 {
            remarks.push(Remark::AltitudesIgnored {
                points: self.altitudes,
            });
        }
        if self.no_geometry > 0 {
            remarks.push(Remark::NoGeometry {
                features: self.no_geometry,
            });
        }
        Ok(Reading { shape, remarks })
    }

    fn refused(&self, refusal: Refusal) -> ReadRefusal {
        let drawn = refusal
            .polygon()
            .and_then(|polygon| self.polygons.get(polygon));
        ReadRefusal::Shape {
            place: drawn.map_or_else(|| "the document".to_owned(), |drawn| drawn.place.clone()),
            refusal,
        }
    }
}

fn form(place: &str, rule: &str) -> ReadRefusal {
    ReadRefusal::Form {
        place: place.to_owned(),
        rule: rule.to_owned(),
    }
}

fn refuse_long(bytes: usize) -> Result<(), ReadRefusal> {
    if bytes > BYTES_MAX {
        return Err(ReadRefusal::TooLong { bytes });
    }
    Ok(())
}
