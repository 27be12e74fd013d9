//! What is refused of people and of their signing in, in the words that existing clients know.

use axum::http::StatusCode;
use balefire_app::Failure;
use balefire_app::accounts::AccountRefusal;
use balefire_app::sign_in::{CodeSendRefusal, SignInRefusal};
use balefire_domain::sign_in::CodeRefusal;

use super::{Problem, Shape};

impl Problem {
    /// An account was not made: `{"message":{"<field>":["…"]},"result":"error"}`.
    pub(crate) fn account_made(failure: Failure<AccountRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| {
            let field = match refusal {
                AccountRefusal::NotFound | AccountRefusal::NotAllowed => {
                    return Self::not_found(Shape::Internal);
                }
                AccountRefusal::Name => "name",
                AccountRefusal::Email | AccountRefusal::EmailTaken => "email_address",
                AccountRefusal::Mobile | AccountRefusal::MobileMissing => "mobile_number",
                AccountRefusal::Password(_) => "password",
            };
            Self::field(StatusCode::BAD_REQUEST, field, words(refusal))
        })
    }

    /// An account was not changed: `{"errors":["…"]}`.
    pub(crate) fn account_changed(failure: Failure<AccountRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            AccountRefusal::NotFound => Self::not_found(Shape::Internal),
            AccountRefusal::NotAllowed => Self::plain(StatusCode::FORBIDDEN, words(refusal)),
            refusal => Self::plain(StatusCode::BAD_REQUEST, words(refusal)),
        })
    }

    /// A try to sign in failed.
    pub(crate) fn sign_in(failure: Failure<SignInRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            SignInRefusal::NotFound => Self::not_found(Shape::Internal),
            SignInRefusal::Wait(wait) => Self::too_many_requests(wait),
            SignInRefusal::Password => {
                Self::field(StatusCode::BAD_REQUEST, "password", "Incorrect password")
            }
            SignInRefusal::Code(CodeRefusal::NotFound) => {
                Self::message(StatusCode::NOT_FOUND, "Code not found")
            }
            SignInRefusal::Code(CodeRefusal::Expired) => {
                Self::message(StatusCode::BAD_REQUEST, "Code has expired")
            }
            SignInRefusal::Code(CodeRefusal::Used) => {
                Self::message(StatusCode::BAD_REQUEST, "Code has been used")
            }
            SignInRefusal::Locked => {
                Self::message(StatusCode::FORBIDDEN, "Maximum login count exceeded")
            }
            SignInRefusal::Webauthn => {
                Self::message(StatusCode::FORBIDDEN, "The security key did not sign in")
            }
        })
    }

    /// A code was not sent.
    pub(crate) fn code_sent(failure: Failure<CodeSendRefusal>) -> Self {
        let refuse = |message: &str| Self::plain(StatusCode::BAD_REQUEST, message);
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            CodeSendRefusal::NotFound => Self::not_found(Shape::Internal),
            CodeSendRefusal::Recipient => {
                refuse("Enter a valid email address or mobile number to send the code to")
            }
            CodeSendRefusal::LinkHost => {
                refuse("email_auth_link_host is not an address like https://alerts.example.org")
            }
        })
    }
}

fn words(refusal: AccountRefusal) -> String {
    let words = match refusal {
        AccountRefusal::NotFound => "No result found",
        AccountRefusal::Name => "Enter a name of at most 255 characters",
        AccountRefusal::Email => "Enter a valid email address",
        AccountRefusal::EmailTaken => "Email address is already in use",
        AccountRefusal::Mobile => "Enter a valid mobile number",
        AccountRefusal::MobileMissing => "Enter a mobile number to send the codes to",
        AccountRefusal::NotAllowed => {
            "Only the person and those who manage the users of a service of theirs may change this"
        }
        AccountRefusal::Password(refusal) => return refusal.to_string(),
    };
    words.to_owned()
}
