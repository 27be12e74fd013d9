//! `/service/{service}/broadcast-message`: an author's and approver's client.

mod create;
mod list;
mod provider_statuses;
mod read;
mod status;
mod update;
mod view;

pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use provider_statuses::show_provider_statuses;
pub(crate) use read::read;
pub(crate) use status::change_status;
pub(crate) use update::update;
pub(crate) use view::render_alert;
