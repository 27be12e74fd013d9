//! What a failure of the SDK says to a person.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;

/// Errors looked through below one another; real chains have under ten.
const CHAIN_MAX: usize = 32;

/// Why a request was not made, in a few words.
pub fn why_not_made(error: &(dyn Error + 'static)) -> &'static str {
    if let Some(error) = chain(error).find_map(|cause| cause.downcast_ref::<CredentialsError>()) {
        return credentials(error);
    }
    // The SDK's own bound on waiting for credentials has no public type.
    if innermost(error).starts_with("identity resolver timed out") {
        return "the AWS credentials did not come in time";
    }
    "the AWS request could not be made"
}

/// What is wrong with credentials.
pub const fn credentials(error: &CredentialsError) -> &'static str {
    match error {
        CredentialsError::CredentialsNotLoaded(_) => "there are no AWS credentials",
        CredentialsError::ProviderTimedOut(_) => "the AWS credentials did not come in time",
        CredentialsError::InvalidConfiguration(_) => {
            "the configuration of the AWS credentials can't be used"
        }
        _ => "the AWS credentials could not be fetched",
    }
}

/// The innermost cause, which says most.
pub fn innermost(error: &(dyn Error + 'static)) -> String {
    chain(error)
        .last()
        .map_or_else(String::new, ToString::to_string)
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&cause| cause.source()).take(CHAIN_MAX)
}
