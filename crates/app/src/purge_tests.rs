//! Taking away what tests made through the author application: their services, people, keys and
//! failures to sign in. The routes that call these exist in no environment that the public sees.
//!
//! People stay as ended accounts, since alerts and the audit trail name them; so does a service of
//! which an alert is on the air or on its way.

use std::time::Duration;

use balefire_domain::ids::{ServiceId, UserId};
use balefire_store::StoreError;
use serde_json::json;

use crate::service_settings::ADMIN_CLIENT;
use crate::{Act, App, repeat};

/// How the address of everybody begins whom tests make up.
const TEST_ADDRESS: &str = "emergency-alerts-fake-";
/// People of one purge.
const PEOPLE_PURGED_MAX: u32 = 1_000;
/// What is made at this very instant goes, too.
const A_MOMENT: Duration = Duration::from_secs(1);

impl App {
    /// Takes away the services that a person began, each in a transaction of its own; how many are
    /// gone and how many stay.
    pub async fn purge_services_of(&self, by: UserId) -> Result<(u64, u64), StoreError> {
        let begun = repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin_read("list_begun", now).await?;
            tx.list_services_begun_by(by).await
        })
        .await?;
        let (mut gone, mut kept) = (0, 0);
        for service in begun {
            if repeat(|| self.purge_service(service)).await? {
                gone += 1;
            } else {
                kept += 1;
            }
        }
        Ok((gone, kept))
    }

    async fn purge_service(&self, id: ServiceId) -> Result<bool, StoreError> {
        let mut tx = self.store.begin("purge_service", self.clock.now()).await?;
        let Some(service) = tx.lock_service(id).await? else {
            return Ok(true);
        };
        let later = tx.now + A_MOMENT;
        let (alerts, _) = tx.purge_alerts(id, later).await?;
        let is_gone = tx.purge_service(id).await?;
        let details = json!({ "name": service.name, "alerts": alerts, "is_gone": is_gone });
        let act = Act::new(ADMIN_CLIENT, "service.purge", format!("service {id}"));
        self.audit_act(&mut tx, act.of(Some(id)).with(details))
            .await?;
        tx.commit().await?;
        Ok(is_gone)
    }

    /// Ends the accounts of the people whom tests made up, and forgets how they signed in; how
    /// many.
    pub async fn purge_test_people(&self) -> Result<u64, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("purge_test_people", now).await?;
            let people = tx
                .list_people_named(TEST_ADDRESS, PEOPLE_PURGED_MAX)
                .await?;
            let mut count = 0;
            for id in people {
                if let Some(mut account) = tx.lock_account(id).await? {
                    tx.purge_sign_ins_of(id).await?;
                    self.end_account(&mut tx, &mut account, "user.purge")
                        .await?;
                    count += 1;
                }
            }
            tx.commit().await?;
            Ok(count)
        })
        .await
    }

    /// Forgets every failure to sign in, so that nobody waits and no account is locked; how many.
    pub async fn purge_failed_logins(&self) -> Result<u64, StoreError> {
        repeat(|| async {
            let now = self.clock.now();
            let mut tx = self.store.begin("purge_failed_logins", now).await?;
            let count = tx.purge_failed_logins().await?;
            let act = Act::new(ADMIN_CLIENT, "user.purge_failures", "user".to_owned());
            self.audit_act(&mut tx, act.with(json!({ "forgotten": count })))
                .await?;
            tx.commit().await?;
            Ok(count)
        })
        .await
    }

    /// Revokes every key of a service, and takes those away that no alert names; how many are gone.
    /// `None`: no such service.
    pub async fn purge_keys(&self, service: ServiceId) -> Result<Option<u64>, StoreError> {
        repeat(|| async {
            let mut tx = self.store.begin("purge_keys", self.clock.now()).await?;
            if tx.lock_service(service).await?.is_none() {
                return Ok(None);
            }
            let revoked = tx.revoke_api_keys(service).await?;
            let gone = tx.purge_unused_keys(service).await?;
            let act = Act::new(ADMIN_CLIENT, "key.purge", format!("service {service}"));
            let details = json!({ "revoked": revoked, "gone": gone });
            self.audit_act(&mut tx, act.of(Some(service)).with(details))
                .await?;
            tx.commit().await?;
            Ok(Some(gone))
        })
        .await
    }
}
