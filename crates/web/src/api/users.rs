//! `/user`: people, and how they sign in.

mod account;
mod elevation;
mod finding;
mod mail;
mod password;
mod sign_in;
mod states;
mod view;
mod webauthn;

use axum::routing::{delete, get, post};

pub(crate) use view::{USER, USERS, render_person};

use crate::routes::{Body, Caller, Route};
use crate::schema::{Schema, required};

const LIST: Route = Route {
    method: "GET",
    path: "/user",
    operation: "list_users",
    caller: Caller::Admin,
    summary: "Everybody, in the order in which they were added",
    query: &[],
    body: Body::None,
    refusals: &[],
    is_repeatable: false,
    answers: &[(200, Some(view::USERS))],
    handler: || get(account::list),
};

pub(crate) const ROUTES: &[Route] = &[
    LIST,
    Route {
        method: "POST",
        operation: "create_user",
        summary: "Add a person with a password",
        body: Body::Json(account::NEW),
        answers: &[(201, Some(view::USER))],
        handler: || post(account::create),
        ..LIST
    },
    Route {
        path: "/user/{user}",
        operation: "read_user",
        summary: "A person",
        answers: &[(200, Some(view::USER))],
        handler: || get(account::read),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}",
        operation: "change_user",
        ..UPDATE
    },
    UPDATE,
    Route {
        refusals: &[404, 429],
        ..FIND
    },
    Route {
        path: "/user/{user}/organisations-and-services",
        operation: "list_user_organisations_and_services",
        summary: "Where a person belongs",
        answers: &[(200, Some(account::PLACES))],
        handler: || get(account::list_places),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/verify/password",
        operation: "verify_password",
        refusals: &[429],
        summary: "Whether this is the person's password",
        body: Body::Json(sign_in::PASSWORD),
        answers: &[(204, None)],
        handler: || post(sign_in::check_password),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/sms-code",
        operation: "send_sms_code",
        summary: "Send a code by SMS; nothing where five are good",
        body: Body::Json(sign_in::SMS),
        answers: &[(204, None)],
        handler: || post(sign_in::send_sms),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/email-code",
        operation: "send_email_code",
        summary: "Send a code or a link by e-mail; nothing where five are good",
        body: Body::Json(sign_in::MAIL),
        answers: &[(204, None)],
        handler: || post(sign_in::send_email),
        ..LIST
    },
    Route {
        method: "POST",
        path: "/user/{user}/verify/code",
        operation: "verify_code",
        refusals: &[429],
        summary: "Take a code, once, and begin a session",
        body: Body::Json(sign_in::CODE),
        answers: &[(204, None)],
        handler: || post(sign_in::check_code),
        ..LIST
    },
    Route {
        path: "/user/email",
        operation: "find_user_by_query",
        refusals: &[400, 404, 429],
        summary: "The person with an address",
        query: &[required("email", Schema::Text)],
        answers: &[(200, Some(view::USER))],
        handler: || get(finding::find_by_query),
        ..LIST
    },
    Route {
        path: "/user/email-or-none",
        operation: "find_user_by_email_or_none",
        summary: "The person with an address, or null",
        answers: &[(200, Some(view::USER_OR_NONE))],
        handler: || post(finding::find_or_none),
        ..FIND
    },
    Route {
        path: "/user/email-in-use",
        operation: "check_email_in_use",
        summary: "Whether somebody has an address",
        answers: &[(200, Some(Schema::Bool))],
        handler: || post(finding::is_in_use),
        ..FIND
    },
    Route {
        path: "/user/email-in-db",
        operation: "check_email_known",
        summary: "Whether somebody has an address",
        answers: &[(200, Some(Schema::Bool))],
        handler: || post(finding::is_in_use),
        ..FIND
    },
    Route {
        path: "/user/find-users-by-email",
        operation: "find_users_by_email",
        summary: "People by a part of their address, a hundred at most",
        answers: &[(200, Some(finding::FOUND))],
        handler: || post(finding::search),
        ..FIND
    },
    Route {
        path: "/user/invited",
        operation: "find_invited_user",
        refusals: &[404],
        summary: "The invitation that waits for an address",
        answers: &[(200, Some(finding::INVITED))],
        handler: || post(finding::find_invitation),
        ..FIND
    },
    Route {
        path: "/user/{user}/sms-code-new-auth",
        operation: "send_sms_code_to_new_number",
        summary: "Send a code to a new number",
        body: Body::Json(sign_in::SMS_TO),
        answers: &[(204, None)],
        handler: || post(sign_in::send_sms_to),
        ..FIND
    },
    Route {
        path: "/user/{user}/email-code-new-auth",
        operation: "send_email_code_to_new_address",
        summary: "Send a code to a new address",
        body: Body::Json(sign_in::MAIL_TO),
        answers: &[(204, None)],
        handler: || post(sign_in::send_email_to),
        ..FIND
    },
    WEBAUTHN_LOGIN,
    Route {
        path: "/user/{user}/verify/webauthn-login",
        operation: "verify_webauthn_login",
        refusals: &[429],
        ..WEBAUTHN_LOGIN
    },
    Route {
        path: "/user/{user}/reset-failed-login-count",
        operation: "reset_failed_logins",
        summary: "End a person's failures to sign in, and a lock",
        body: Body::None,
        handler: || post(states::forget_failures),
        ..FIND
    },
    Route {
        path: "/user/{user}/activate",
        operation: "activate_user",
        refusals: &[400],
        summary: "A new person's address is confirmed",
        body: Body::None,
        handler: || post(states::activate),
        ..FIND
    },
    Route {
        path: "/user/{user}/archive",
        operation: "archive_user",
        refusals: &[400],
        summary: "End an account",
        body: Body::None,
        answers: &[(204, None)],
        handler: || post(states::archive),
        ..FIND
    },
    Route {
        path: "/user/{user}/service/{service}/permission",
        operation: "set_user_permissions",
        summary: "Say what a member of a service may",
        body: Body::Json(states::PERMISSIONS),
        answers: &[(204, None)],
        handler: || post(states::set_permissions),
        ..FIND
    },
    Route {
        path: "/user/{user}/email-verification",
        operation: "send_email_verification",
        summary: "Mail the link that proves a new person's address",
        body: Body::Json(mail::CONFIRM),
        answers: &[(204, None)],
        handler: || post(mail::confirm),
        ..FIND
    },
    Route {
        path: "/user/{user}/change-email-verification",
        operation: "send_email_change_link",
        summary: "Mail the link that proves a person's new address",
        body: Body::Json(mail::ADDRESS),
        answers: &[(204, None)],
        handler: || post(mail::confirm_new),
        ..FIND
    },
    Route {
        path: "/user/{user}/email-already-registered",
        operation: "send_email_already_registered",
        summary: "Mail to an address that it has an account",
        body: Body::Json(mail::ADDRESS),
        answers: &[(204, None)],
        handler: || post(mail::already_registered),
        ..FIND
    },
    Route {
        path: "/user/reset-password",
        operation: "send_password_link",
        refusals: &[404],
        summary: "Mail the link that sets a new password, where an address has an account",
        body: Body::Json(mail::RESET),
        answers: &[(204, None)],
        handler: || post(mail::reset_password),
        ..FIND
    },
    Route {
        path: "/user/{user}/update-password",
        operation: "update_password",
        refusals: &[429],
        summary: "Set a new password, by the old one or by a link's token",
        body: Body::Json(password::NEW),
        handler: || post(password::change),
        ..FIND
    },
    Route {
        path: "/user/{user}/check-password-validity",
        operation: "check_password",
        summary: "Whether a person may take a password",
        body: Body::Json(password::ASKED),
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || post(password::check),
        ..FIND
    },
    Route {
        path: "/user/{user}/elevate",
        operation: "approve_elevation",
        refusals: &[422],
        summary: "Approve that another person becomes administrator; until when",
        body: Body::Json(elevation::APPROVAL),
        answers: &[(200, Some(Schema::Instant))],
        handler: || post(elevation::approve),
        ..FIND
    },
    Route {
        path: "/user/{user}/redeem-elevation",
        operation: "redeem_elevation",
        summary: "Become administrator for one session, as was approved",
        body: Body::None,
        answers: &[(200, Some(Schema::Id))],
        handler: || post(elevation::redeem),
        ..FIND
    },
    Route {
        path: "/user/{user}/webauthn",
        operation: "list_webauthn_credentials",
        summary: "A person's security keys",
        answers: &[(200, Some(webauthn::LISTED))],
        handler: || get(webauthn::list),
        ..LIST
    },
    Route {
        path: "/user/{user}/webauthn",
        operation: "add_webauthn_credential",
        summary: "Add a security key",
        body: Body::Json(webauthn::NEW),
        answers: &[(201, Some(webauthn::ONE))],
        handler: || post(webauthn::add),
        ..FIND
    },
    Route {
        path: "/user/{user}/webauthn/check-credentials",
        operation: "count_webauthn_credentials",
        summary: "How many security keys a person has, as a text",
        answers: &[(200, Some(webauthn::COUNTED))],
        handler: || get(webauthn::count),
        ..LIST
    },
    Route {
        path: "/user/{user}/webauthn/{credential}",
        operation: "rename_webauthn_credential",
        summary: "Name a security key anew",
        body: Body::Json(webauthn::RENAME),
        answers: &[(200, Some(webauthn::ONE))],
        handler: || post(webauthn::rename),
        ..FIND
    },
    Route {
        method: "DELETE",
        path: "/user/{user}/webauthn/{credential}",
        operation: "remove_webauthn_credential",
        refusals: &[400],
        summary: "Take a security key away that is not the last",
        answers: &[(204, None)],
        handler: || delete(webauthn::remove),
        ..LIST
    },
    Route {
        path: "/failed-logins/fetch-for-requester",
        operation: "list_failed_logins",
        summary: "Failures to sign in from the asker's address within the hour",
        answers: &[(200, Some(sign_in::FAILURES))],
        handler: || get(sign_in::show_failures),
        ..LIST
    },
    Route {
        path: "/failed-logins/check-failed-login-for-requester",
        operation: "check_failed_logins",
        refusals: &[429],
        summary: "Whether the asker's address may try to sign in now",
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || get(sign_in::check_failures),
        ..LIST
    },
];

pub(crate) const TEST_ROUTES: &[Route] = &[
    Route {
        method: "DELETE",
        path: "/user/{user}/purge-password-history",
        operation: "purge_password_history",
        summary: "Forget which passwords a person had",
        answers: &[(200, Some(Schema::Object(&[])))],
        handler: || delete(password::purge_history),
        ..LIST
    },
    Route {
        path: "/verify-code/{user}",
        operation: "read_newest_code",
        caller: Caller::Anybody,
        summary: "A person's newest code",
        answers: &[(200, Some(Schema::Plain))],
        handler: || get(sign_in::show_code),
        ..LIST
    },
];

const FIND: Route = Route {
    method: "POST",
    path: "/user/email",
    operation: "find_user_by_email",
    summary: "The person who signs in with an address",
    body: Body::Json(sign_in::EMAIL),
    answers: &[(200, Some(view::USER))],
    handler: || post(sign_in::find),
    ..LIST
};

const WEBAUTHN_LOGIN: Route = Route {
    path: "/user/{user}/complete/webauthn-login",
    operation: "complete_webauthn_login",
    refusals: &[429],
    summary: "What a security key said, by the client that asked it: begin a session",
    body: Body::Json(webauthn::LOGIN),
    answers: &[(204, None)],
    handler: || post(webauthn::complete),
    ..FIND
};

const UPDATE: Route = Route {
    method: "POST",
    path: "/user/{user}/update",
    operation: "update_user",
    summary: "Change a person, or sign them out",
    body: Body::Json(account::CHANGE),
    answers: &[(200, Some(view::USER))],
    handler: || post(account::update),
    ..LIST
};
