//! What a handler is given: the caller, the ids of the path, the body. Each is checked before the
//! handler runs, in the order of the handler's arguments.

mod body;
mod caller;
mod fields;
mod path;
mod request_key;
mod strict_json;

pub(crate) use body::{CapBody, JsonBody};
pub(crate) use caller::{Admin, Author, Holder, PublicSite, Publisher};
pub(crate) use fields::Fields;
pub(crate) use path::{AlertPath, DaysPath, ServicePath};
pub(crate) use request_key::{Repeatable, once};
