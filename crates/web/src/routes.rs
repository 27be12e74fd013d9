//! The table of the routes: method, path, who may call, what goes in and what comes out. The
//! router, the OpenAPI document and the tests of who may reach what are made of it: a route that
//! is not in it does not exist.

use std::collections::BTreeSet;

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
    /// Its name: a verb and what it is about. Clients are generated with it.
    pub operation: &'static str,
    /// Who may call it.
    pub caller: Caller,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Parameters behind the question mark.
    pub query: &'static [Property],
    /// What is sent.
    pub body: Body,
    /// The statuses of its refusals, beside those that follow from the rest ([`Route::refusals`]).
    pub(crate) refusals: &'static [u16],
    /// Whether an `Idempotency-Key` names the request.
    pub is_repeatable: bool,
    /// The answers that are a success; `None`: without JSON.
    pub answers: &'static [(u16, Option<Schema>)],
    /// What answers. The method is said here again, in axum's words.
    pub(crate) handler: fn() -> MethodRouter<WebState>,
}

impl Route {
    /// The status of every answer that is no success. Those that any route may give are among
    /// them: 500 is a fault of ours, and 503 a database or a process that is away.
    pub fn refusals(&self) -> BTreeSet<u16> {
        let of_caller: &[u16] = match self.caller {
            Caller::Anybody => &[],
            Caller::Admin | Caller::PublicSite | Caller::Publisher => &[401, 403],
            Caller::ServiceKey => &[401, 403, 429],
            // The token is made for a body, which therefore is read whatever the method.
            Caller::Person => &[400, 401, 403, 413],
        };
        let of_path: &[u16] = if self.path.contains('{') { &[404] } else { &[] };
        let of_body: &[u16] = match self.body {
            Body::None => &[],
            Body::Json(_) => &[400, 413],
            Body::Cap => &[400, 404, 413, 415],
        };
        let of_key: &[u16] = if self.is_repeatable { &[400, 422] } else { &[] };
        let parts = [of_caller, of_path, of_body, of_key, self.refusals];
        let refused = parts.into_iter().flatten().copied();
        let answered = |status: &u16| self.answers.iter().any(|(known, _)| known == status);
        let refused = refused.chain([500, 503]);
        refused.filter(|status| !answered(status)).collect()
    }
}

/// Routes about one matter, and its name.
pub(crate) type Group = (&'static str, &'static [Route]);

/// Every route that exists in every environment.
pub(crate) const GROUPS: &[Group] = &[
    ("status", api::status::ROUTES),
    ("cap", api::broadcast::ROUTES),
    ("alerts", api::broadcast_message::ROUTES),
    ("alert-history", api::alert_history::ROUTES),
    ("templates", api::templates::ROUTES),
    ("template-folders", api::template_folders::ROUTES),
    ("populations", api::populations::ROUTES),
    ("services", api::service::ROUTES),
    ("invitations", api::invitations::ROUTES),
    ("organisations", api::organisations::ROUTES),
    ("admin-actions", api::admin_actions::ROUTES),
    ("public-site", api::public_site::ROUTES),
    ("publish-tasks", api::publish_tasks::ROUTES),
    ("users", api::users::ROUTES),
    ("client-notes", api::client_notes::ROUTES),
    ("v3", api::v3::ROUTES),
];

/// Every route that exists in every environment, group by group.
pub fn routes() -> impl Iterator<Item = &'static Route> {
    GROUPS.iter().flat_map(|(_, routes)| *routes)
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
    use super::*;

    #[test]
    fn every_route_is_there_once_and_says_what_it_does() {
        let (mut seen, mut operations) = (BTreeSet::new(), BTreeSet::new());
        for route in routes().chain(test_routes()) {
            let name = format!("{} {}", route.method, route.path);
            assert!(seen.insert(name.clone()), "{name} is there twice");
            let operation = route.operation;
            assert!(operations.insert(operation), "{operation} is there twice");
            let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            assert!(operation.chars().all(is_plain), "{operation}");
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
