//! `/v2/broadcast`: the public API of services' keys.

mod options;
mod post;

pub(crate) use options::options;
pub(crate) use post::post;
