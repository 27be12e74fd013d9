//! `/user`: people, and how they sign in.

mod account;
mod sign_in;
mod view;

use axum::routing::{get, post};

use crate::routes::{Body, Caller, Route};

const LIST: Route = Route {
    method: "GET",
    path: "/user",
    caller: Caller::Admin,
    summary: "Everybody, in the order in which they were added",
    query: &[],
    body: Body::None,
    answers: &[(200, Some(view::USERS))],
    handler: || get(account::list),
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        summary: "Add a person with a password",
        body: Body::Json(account::NEW),
        answers: &[(201, Some(view::USER))],
        handler: || post(account::create),
        ..LIST
    },
    Route {
        path: "/user/{user}",
        summary: "A person",
        answers: &[(200, Some(view::USER))],
        handler: || get(account::read),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}",
        ..UPDATE
    },
    UPDATE,
    Route {
        method: "POST",
        path: "/user/email",
        summary: "The person who signs in with an address",
        body: Body::Json(sign_in::EMAIL),
        answers: &[(200, Some(view::USER))],
        handler: || post(sign_in::find),
        ..LIST
    },
    Route {
        path: "/user/{user}/organisations-and-services",
        summary: "Where a person belongs",
        answers: &[(200, Some(account::PLACES))],
        handler: || get(account::list_places),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/verify/password",
        summary: "Whether this is the person's password",
        body: Body::Json(sign_in::PASSWORD),
        answers: &[(204, None)],
        handler: || post(sign_in::check_password),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/sms-code",
        summary: "Send a code by SMS; nothing where five are good",
        body: Body::Json(sign_in::SMS),
        answers: &[(204, None)],
        handler: || post(sign_in::send_sms),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/email-code",
        summary: "Send a code or a link by e-mail; nothing where five are good",
        body: Body::Json(sign_in::MAIL),
        answers: &[(204, None)],
        handler: || post(sign_in::send_email),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/verify/code",
        summary: "Take a code, once, and begin a session",
        body: Body::Json(sign_in::CODE),
        answers: &[(204, None)],
        handler: || post(sign_in::check_code),
        ..LIST
    },
];

const UPDATE: Route = Route {
    method: "POST",
    path: "/user/{user}/update",
    summary: "Change a person, or sign them out",
    body: Body::Json(account::CHANGE),
    answers: &[(200, Some(view::USER))],
    handler: || post(account::update),
    ..LIST
};
