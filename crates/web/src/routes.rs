//! The table of the routes: method, path, who may call, what goes in and what comes out. The
//! router, the OpenAPI document and the tests of who may reach what are made of it: a route that
//! is not in it does not exist.

use axum::Router;
use axum::routing::MethodRouter;

use crate::WebState;
use crate::api;
use crate::schema::{Property, Schema};

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// Anybody, without a token.
    Anybody,
    /// The client `notify-admin`: the author application.
    Admin,
    /// The client `govuk-alerts`: the public site.
    PublicSite,
    /// The client `govuk-alerts-publish`: what publishes it.
    Publisher,
    /// A service, by a key.
    ServiceKey,
    /// A person, for whom a client vouches.
    Person,
}

/// What is sent to a route.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// Nothing that is looked at.
    None,
    /// JSON, whatever it calls itself.
    Json(Schema),
    /// A CAP 1.2 document, `application/cap+xml`.
    Cap,
}

/// One route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// `GET`, `POST`, `DELETE` or `OPTIONS`.
    pub method: &'static str,
    /// The path, with its parameters in braces. A parameter is a UUID unless its module says
    /// otherwise.
    pub path: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Parameters behind the question mark.
    pub query: &'static [Property],
    /// What is sent.
    pub body: Body,
    /// The answers that are a success; `None`: without JSON.
    pub answers: &'static [(u16, Option<Schema>)],
    /// What answers. The method is said here again, in axum's words.
    pub(crate) handler: fn() -> MethodRouter<WebState>,
}

/// Every route that exists in every environment, group by group.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    const GROUPS: &[&[Route]] = &[
        api::status::ROUTES,
        api::broadcast::ROUTES,
        api::broadcast_message::ROUTES,
        api::alert_history::ROUTES,
        api::templates::ROUTES,
        api::template_folders::ROUTES,
        api::populations::ROUTES,
        api::service::ROUTES,
        api::invitations::ROUTES,
        api::organisations::ROUTES,
        api::admin_actions::ROUTES,
        api::public_site::ROUTES,
        api::publish_tasks::ROUTES,
        api::users::ROUTES,
        api::client_notes::ROUTES,
        api::v3::ROUTES,
    ];
    GROUPS.iter().copied().flatten()
}

/// Routes that only tests need: in staging and live they do not exist.
pub fn test_routes() -> impl Iterator<Item = &'static Route> {
    const GROUPS: &[&[Route]] = &[
        api::broadcast_message::TEST_ROUTES,
        api::templates::TEST_ROUTES,
        api::publish_tasks::TEST_ROUTES,
        api::users::TEST_ROUTES,
        api::admin_actions::TEST_ROUTES,
        api::test_purges::TEST_ROUTES,
    ];
    GROUPS.iter().copied().flatten()
}

/// The router of some routes, bare.
pub(crate) fn table_router<'r>(routes: impl Iterator<Item = &'r Route>) -> Router<WebState> {
    routes.fold(Router::new(), |router, route| {
        router.route(route.path, (route.handler)())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_there_once_and_says_what_it_does() {
        let mut seen = BTreeSet::new();
        for route in routes().chain(test_routes()) {
            let name = format!("{} {}", route.method, route.path);
            assert!(seen.insert(name.clone()), "{name} is there twice");
            assert!(
                !route.summary.is_empty() && !route.answers.is_empty(),
                "{name}"
            );
            assert!(
                !route.summary.ends_with('.'),
                "{name}: a summary is no sentence"
            );
        }
    }
}
