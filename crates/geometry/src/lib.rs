//! Shapes on the ground: which are valid, how large they are, and the simpler shape that is
//! broadcast in place of a large one.
//!
//! - [`Shape::validate`] reads polygons of (latitude, longitude) pairs as they come in, from any
//!   route (D12): counts first, then ranges, closed rings, rounding to 6 decimals, area, rings
//!   that neither cross nor touch themselves, polygons that share no ground. A [`Refusal`] says
//!   which rule, polygon and point, in words that a client is shown.
//! - [`Shape::for_broadcast`] gives the shape to send (D22), [`Shape::fewer_points`] one within
//!   given bounds. Both are valid and cover what was asked for, checked on the result.
//! - [`Shape::area_m2`] is the area on the ellipsoid; [`Shape::contains`], [`Shape::overlaps`],
//!   [`Shape::covers`] and [`Shape::intersection_area_m2`] compare shapes; [`Shape::union`] and
//!   [`Shape::grown_by`] make new ones.
//! - [`Shape::circle`] and [`read`] make shapes of circles, GeoJSON, WKT and KML.
//!
//! Positions are whole millionths of a degree, so that all rules are exact and a shape that was
//! found valid is valid on the wire too. Lines are straight in latitude and longitude, as maps and
//! broadcast centres draw them. Metres are another type and exist only within `for_broadcast`.
//!
//! No input makes these functions panic. Validity and covering take O(n log n) for the worst of
//! inputs; taking points out is bounded work on a grid; `geo`'s engine, which joins and grows
//! shapes, runs under `catch_unwind`.
//!
//! Deliberately not done: holes in a [`Shape`] (a polygon is its exterior; CAP and the payloads
//! have none; readers refuse, cut or fill them), rings around a pole, and any lookup of places.

mod antimeridian;
mod area;
pub mod area_index;
pub mod broadcast;
pub mod circle;
pub mod combine;
mod compare;
mod cover;
mod cut;
pub mod earlier;
mod exact;
pub mod fewer;
pub mod fit;
mod frame;
pub mod ground;
mod grow;
mod mend;
pub mod place_name;
pub mod point;
pub mod population;
mod projection;
pub mod read;
pub mod refusal;
pub mod ring;
pub mod shape;
mod simplify;
mod smooth;
mod status;
mod sweep;

pub use broadcast::{Broadcast, Obstacle, Reduction};
pub use combine::Unmade;
pub use fit::Unfit;
pub use point::{Latitude, Longitude, Point};
pub use read::{Holes, ReadRefusal, Reading, Remark};
pub use refusal::{Axis, Refusal};
pub use ring::Ring;
pub use shape::{OpenRings, Shape};
