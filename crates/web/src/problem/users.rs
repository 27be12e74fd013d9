//! What is refused of people and of their signing in, in the words that existing clients know.

use axum::http::StatusCode;
use balefire_app::Failure;
use balefire_app::account_mail::MailRefusal;
use balefire_app::account_states::StateRefusal;
use balefire_app::accounts::AccountRefusal;
use balefire_app::change_password::PasswordChangeRefusal;
use balefire_app::credentials::CredentialRefusal;
use balefire_app::elevation::ElevateRefusal;
use balefire_app::sign_in::{CodeSendRefusal, SignInRefusal};
use balefire_domain::sign_in::{CodeRefusal, ElevationRefusal};

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

    /// An account did not change its state, or a member their permissions.
    pub(crate) fn account_state(failure: Failure<StateRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            StateRefusal::NotFound => Self::not_found(Shape::Internal),
            StateRefusal::AlreadyActive => {
                Self::message(StatusCode::BAD_REQUEST, "User is already active")
            }
            StateRefusal::LastMember(service) => Self::message(
                StatusCode::BAD_REQUEST,
                format!(
                    "User is the last active member of the service {service}: add somebody else \
                     first, or archive the service"
                ),
            ),
        })
    }

    /// A mail was not sent.
    pub(crate) fn mail(failure: Failure<MailRefusal>) -> Self {
        let refuse = |message: &str| Self::plain(StatusCode::BAD_REQUEST, message);
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            MailRefusal::NotFound => Self::not_found(Shape::Internal),
            MailRefusal::Email => refuse(words(AccountRefusal::Email).as_str()),
            MailRefusal::EmailTaken => refuse(words(AccountRefusal::EmailTaken).as_str()),
            MailRefusal::Host => refuse(
                "Links need the address of the author's application: send admin_base_url like \
                 https://alerts.example.org, or set http.author_url",
            ),
        })
    }

    /// A password was not changed: `{"errors":[{"field":"…","message":"…"}]}`.
    pub(crate) fn password_changed(failure: Failure<PasswordChangeRefusal>) -> Self {
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            PasswordChangeRefusal::Old(SignInRefusal::Password) => {
                Self::plain_field("_oldpassword", "Incorrect password")
            }
            PasswordChangeRefusal::Old(refusal) => Self::sign_in(Failure::Refused(refusal)),
            PasswordChangeRefusal::Token => Self::plain_field(
                "_token",
                "The link has expired or was used: ask for a new one",
            ),
            PasswordChangeRefusal::New(refusal) => {
                Self::plain_field("_password", &refusal.to_string())
            }
        })
    }

    /// An elevation was not approved, or not redeemed.
    pub(crate) fn elevation(status: StatusCode, failure: Failure<ElevateRefusal>) -> Self {
        let rule = |rule| match rule {
            ElevationRefusal::NotCapable => "User may not become a platform administrator",
            ElevationRefusal::ApproverNotCapable => {
                "approved_by may not be a platform administrator, and so approves nobody"
            }
            ElevationRefusal::OwnElevation => "Nobody approves their own elevation",
            ElevationRefusal::NotApproved => "Nobody has approved an elevation of this user",
            ElevationRefusal::Lapsed => {
                "The elevation was approved more than an hour ago: ask for another"
            }
        };
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            ElevateRefusal::NotFound => Self::not_found(Shape::Internal),
            ElevateRefusal::Rule(refusal) => Self::plain(status, rule(refusal)),
        })
    }

    /// Nothing was done with a security key.
    pub(crate) fn credential(failure: Failure<CredentialRefusal>) -> Self {
        let refuse = |message: &str| Self::message(StatusCode::BAD_REQUEST, message);
        Self::of_failure(Shape::Internal, failure, |refusal| match refusal {
            CredentialRefusal::NotFound => Self::not_found(Shape::Internal),
            CredentialRefusal::Last => {
                refuse("Cannot delete last remaining webauthn credential for user")
            }
            CredentialRefusal::TooMany => refuse("User has as many security keys as one may have"),
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
