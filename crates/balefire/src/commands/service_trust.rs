//! `service trust|untrust|demand-signature`.

use std::process::ExitCode;

use balefire_app::signatures::TrustRefusal;
use balefire_app::{App, Failure};
use balefire_domain::audit::Actor;
use balefire_domain::ids::ServiceId;
use balefire_signature::Certificate;
use serde_json::json;

use super::{Session, cap_sign, service};
use crate::cli::ServiceCommand;

pub(super) async fn run(
    session: &Session,
    app: &App,
    actor: Actor,
    command: ServiceCommand,
) -> anyhow::Result<ExitCode> {
    match command {
        ServiceCommand::Trust {
            id, certificate, ..
        } => {
            let Some(file) = certificate else {
                return Ok(match app.list_trusted(id).await? {
                    None => session.refuse(&words(&TrustRefusal::NoService, id)),
                    Some(certificates) => tell(session, &certificates),
                });
            };
            let certificates = cap_sign::certificates(&file)?;
            let trusted = app.trust_certificates(actor, id, &certificates).await;
            finish(session, id, trusted)
        }
        ServiceCommand::Untrust { id, fingerprint } => {
            let fingerprint = fingerprint.to_ascii_lowercase();
            let trusted = app.untrust_certificate(actor, id, &fingerprint).await;
            finish(session, id, trusted)
        }
        ServiceCommand::DemandSignature { id, demands } => {
            match app.set_demands_signature(actor, id, demands).await {
                Ok(changed) => {
                    let word = if demands {
                        "signed documents only"
                    } else {
                        "any document"
                    };
                    session.print(&service::shown(&changed), || format!("{id} takes {word}"));
                    Ok(ExitCode::SUCCESS)
                }
                Err(Failure::Store(error)) => Err(error.into()),
                Err(Failure::Refused(refusal)) => Ok(session.refuse(&words(&refusal, id))),
            }
        }
        _ => unreachable!("the other commands of services are done elsewhere"),
    }
}

fn finish(
    session: &Session,
    id: ServiceId,
    trusted: Result<Vec<Certificate>, Failure<TrustRefusal>>,
) -> anyhow::Result<ExitCode> {
    match trusted {
        Ok(certificates) => Ok(tell(session, &certificates)),
        Err(Failure::Store(error)) => Err(error.into()),
        Err(Failure::Refused(refusal)) => Ok(session.refuse(&words(&refusal, id))),
    }
}

fn tell(session: &Session, certificates: &[Certificate]) -> ExitCode {
    session.print(&json!(certificates), || {
        if certificates.is_empty() {
            return "nobody is trusted".to_owned();
        }
        let line = |c: &Certificate| {
            let kind = if c.is_authority {
                "authority"
            } else {
                "signer"
            };
            let (until, subject) = (c.validity.until.to_cap(), &c.subject);
            format!("{}  {kind:<9}  until {until}  {subject}", c.fingerprint)
        };
        certificates.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    ExitCode::SUCCESS
}

fn words(refusal: &TrustRefusal, id: ServiceId) -> String {
    match refusal {
        TrustRefusal::NoService => {
            format!("there is no service {id}: see `balefire service list`")
        }
        TrustRefusal::NoCertificate => format!(
            "the service trusts no certificate of this fingerprint: see `balefire service trust \
             {id} --list`"
        ),
        TrustRefusal::LastCertificate => format!(
            "the service takes signed documents only, and this is the last certificate that it \
             trusts: trust another first, or run `balefire service demand-signature {id} off`"
        ),
        TrustRefusal::NobodyTrusted => format!(
            "the service trusts nobody's signature yet: `balefire service trust {id} CERT.pem` \
             comes first"
        ),
        TrustRefusal::SignerWithAuthority => "the file has a signer's certificate and an \
             authority's: whoever trusts an authority trusts everybody for whom it vouches. Name \
             the one that is meant, in a file of its own"
            .to_owned(),
        TrustRefusal::OfNoUse { subject } => format!(
            "no signature can be verified by the certificate of {subject}: its key is neither RSA \
             of 2048 to 8192 bits nor ECDSA on P-256 or P-384, and it issues no certificates"
        ),
        TrustRefusal::Ended { subject, until } => format!(
            "the certificate of {subject} ended at {}: ask for its next one",
            until.to_cap()
        ),
    }
}
