//! Services that demand signatures: whose they trust. What comes in is checked by `submit_cap`.

use balefire_domain::audit::Actor;
use balefire_domain::ids::ServiceId;
use balefire_domain::time::Timestamp;
use balefire_signature::Certificate;
use balefire_store::StoreError;
use balefire_store::service_certificates::ServiceCertificate;
use balefire_store::services::Service;
use serde_json::json;

use crate::{Act, App, Failure, repeat};

/// Why a service's trust was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrustRefusal {
    /// There is no such service.
    NoService,
    /// No trusted certificate has this fingerprint.
    NoCertificate,
    /// It demands signatures, and this is the last certificate that it trusts.
    LastCertificate,
    /// Signatures can't be demanded where nobody's is trusted.
    NobodyTrusted,
    /// A signer's certificate beside an authority's: trust in the authority is trust in everybody
    /// for whom it vouches, which a file with a signer's chain does not mean.
    SignerWithAuthority,
    /// No signature can be verified by this certificate.
    OfNoUse {
        /// Whose it is.
        subject: String,
    },
    /// This certificate has ended.
    Ended {
        /// Whose it is.
        subject: String,
        /// Its last instant.
        until: Timestamp,
    },
}

/// Whether certificates that a person names together can be trusted.
fn check_trust(certificates: &[Certificate], now: Timestamp) -> Result<(), TrustRefusal> {
    for certificate in certificates {
        let subject = certificate.subject.clone();
        if !certificate.is_of_use() {
            return Err(TrustRefusal::OfNoUse { subject });
        }
        let until = certificate.validity.until;
        if until.seconds() < now.seconds() {
            return Err(TrustRefusal::Ended { subject, until });
        }
    }
    let authorities = certificates.iter().filter(|c| c.is_authority).count();
    if authorities > 0 && authorities < certificates.len() {
        return Err(TrustRefusal::SignerWithAuthority);
    }
    Ok(())
}

impl App {
    /// Trusts certificates for a service's documents: the signer's own, or an authority's. Those
    /// that are trusted already stay; all that it trusts now.
    pub async fn trust_certificates(
        &self,
        actor: Actor,
        service: ServiceId,
        certificates: &[Certificate],
    ) -> Result<Vec<Certificate>, Failure<TrustRefusal>> {
        let now = self.clock.now();
        check_trust(certificates, now).map_err(Failure::Refused)?;
        let mut tx = self.store.begin("trust_certificates", now).await?;
        if tx.lock_service(service).await?.is_none() {
            return Err(Failure::Refused(TrustRefusal::NoService));
        }
        for certificate in certificates {
            let row = ServiceCertificate {
                service_id: service,
                fingerprint: certificate.fingerprint.clone(),
                pem: certificate.to_pem(),
                valid_until: certificate.validity.until,
            };
            if tx.insert_service_certificate(&row).await? {
                let details = json!({ "fingerprint": certificate.fingerprint,
                    "subject": certificate.subject, "issuer": certificate.issuer });
                let act = Act::new(actor, "service.trust", format!("service {service}"))
                    .of(Some(service))
                    .with(details)
                    .changing(
                        json!({ "is_trusted": false }),
                        json!({ "is_trusted": true }),
                    );
                self.audit_act(&mut tx, act).await?;
            }
        }
        let rows = tx.list_service_certificates(service).await?;
        tx.commit().await?;
        Ok(read_certificates(&rows))
    }

    /// Ends the trust in a certificate; what is still trusted.
    pub async fn untrust_certificate(
        &self,
        actor: Actor,
        service: ServiceId,
        fingerprint: &str,
    ) -> Result<Vec<Certificate>, Failure<TrustRefusal>> {
        let mut tx = self
            .store
            .begin("untrust_certificate", self.clock.now())
            .await?;
        let Some(known) = tx.lock_service(service).await? else {
            return Err(Failure::Refused(TrustRefusal::NoService));
        };
        if !tx.delete_service_certificate(service, fingerprint).await? {
            return Err(Failure::Refused(TrustRefusal::NoCertificate));
        }
        let rows = tx.list_service_certificates(service).await?;
        if known.demands_signature && rows.is_empty() {
            return Err(Failure::Refused(TrustRefusal::LastCertificate));
        }
        let details = json!({ "fingerprint": fingerprint });
        let act = Act::new(actor, "service.untrust", format!("service {service}"))
            .of(Some(service))
            .with(details)
            .changing(
                json!({ "is_trusted": true }),
                json!({ "is_trusted": false }),
            );
        self.audit_act(&mut tx, act).await?;
        tx.commit().await?;
        Ok(read_certificates(&rows))
    }

    /// The certificates that a service trusts; `None` when there is no such service.
    pub async fn list_trusted(
        &self,
        service: ServiceId,
    ) -> Result<Option<Vec<Certificate>>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("list_trusted", self.clock.now())
                .await?;
            if tx.load_service(service).await?.is_none() {
                return Ok(None);
            }
            let rows = tx.list_service_certificates(service).await?;
            Ok(Some(read_certificates(&rows)))
        })
        .await
    }

    /// Whether a service takes signed documents only.
    pub async fn set_demands_signature(
        &self,
        actor: Actor,
        id: ServiceId,
        demands: bool,
    ) -> Result<Service, Failure<TrustRefusal>> {
        let mut tx = self
            .store
            .begin("demand_signature", self.clock.now())
            .await?;
        let Some(before) = tx.lock_service(id).await? else {
            return Err(Failure::Refused(TrustRefusal::NoService));
        };
        if demands && tx.list_service_certificates(id).await?.is_empty() {
            return Err(Failure::Refused(TrustRefusal::NobodyTrusted));
        }
        let after = Service {
            demands_signature: demands,
            ..before.clone()
        };
        let service = self
            .save_service(&mut tx, actor, "service.demand_signature", &before, after)
            .await?;
        tx.commit().await?;
        Ok(service)
    }

    /// Whose signatures count for a document of this service; `None` where none is demanded. What
    /// the service says now holds, whatever was read with the key.
    pub(crate) async fn load_demanded(
        &self,
        service: ServiceId,
    ) -> Result<Option<Vec<Certificate>>, StoreError> {
        repeat(|| async {
            let mut tx = self
                .store
                .begin_read("load_demanded", self.clock.now())
                .await?;
            match tx.load_service(service).await? {
                Some(known) if known.demands_signature => {
                    let rows = tx.list_service_certificates(service).await?;
                    Ok(Some(read_certificates(&rows)))
                }
                Some(_) | None => Ok(None),
            }
        })
        .await
    }
}

/// The certificates of rows. One that this version can't read any more is trusted no longer, and
/// said so.
fn read_certificates(rows: &[ServiceCertificate]) -> Vec<Certificate> {
    let read = |row: &ServiceCertificate| match Certificate::from_pem(row.pem.as_bytes()) {
        Ok(mut certificates) => certificates.pop(),
        Err(fault) => {
            tracing::error!(
                event = "certificate.unreadable", service.id = %row.service_id,
                fingerprint = row.fingerprint, error = %fault,
                "a trusted certificate can't be read: trust it again"
            );
            None
        }
    };
    rows.iter().filter_map(read).collect()
}
