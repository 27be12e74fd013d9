//! What the tests of every crate share: a clock that stands still until it is told to move,
//! randomness that a seed names, a private PostgreSQL, and waiting without sleeping.
//!
//! Nothing here may be a normal dependency of a crate that ships.

pub mod clock;
pub mod desks;
pub mod entropy;
pub mod http_server;
pub mod moto;
pub mod poll;
pub mod postgres;
