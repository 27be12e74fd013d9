//! What holds for every route.

mod bound_body;
mod guard;
mod source;

pub(crate) use bound_body::bound_body;
pub(crate) use guard::guard;
pub(crate) use source::Peer;
