//! What a handler is given: the caller, the ids of the path, the body. Each is checked before the
//! handler runs, in the order of the handler's arguments.

mod asked;
mod body;
mod caller;
mod fields;
mod item_path;
mod path;
mod query;
mod request_key;
mod source;
mod strict_json;

pub(crate) use asked::{Asked, Page};
pub(crate) use body::{CapBody, JsonBody};
pub(crate) use caller::{Admin, Author, Holder, PublicSite, Publisher};
pub(crate) use fields::Fields;
pub(crate) use item_path::{FolderPath, ItemPath, TemplatePath, TemplateVersionPath};
pub(crate) use path::{
    AdminActionPath, AlertPath, CredentialPath, DaysPath, DutyItemPath, InvitationPath, KeyPath,
    MemberPath, OrganisationInvitationPath, OrganisationMemberPath, OrganisationPath,
    ServiceInvitationPath, ServicePath, TokenPath, UserPath,
};
pub(crate) use query::Query;
pub(crate) use request_key::{Repeatable, once};
pub(crate) use source::Source;
