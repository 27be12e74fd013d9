//! What holds for a provider just now, in one statement: it is read in every transaction of
//! dispatch.

use balefire_domain::lane::{Conditions, HoldReason};
use balefire_domain::provider::ProviderName;

use crate::sql::{Row, StoreError, misspelt};
use crate::store::Tx;

statements! {
    LOAD: "SELECT 'failing' AS what, route AS name FROM route_results
            WHERE provider = $1 AND NOT is_good
        UNION ALL
        SELECT 'paused', provider FROM provider_pauses WHERE provider = $1
        UNION ALL
        SELECT 'restored', id FROM database_epochs WHERE needs_release AND released_at IS NULL
        UNION ALL
        SELECT 'quarantine', id FROM database_epochs WHERE quarantine_until > $2
        UNION ALL
        SELECT 'epoch', id FROM database_epochs
            WHERE id = (SELECT id FROM database_epochs ORDER BY began_at DESC, id DESC LIMIT 1)";
}

impl Tx {
    /// The failing routes of a provider, whether it is paused, and whether the database holds
    /// everything back.
    pub async fn load_conditions(
        &mut self,
        provider: &ProviderName,
    ) -> Result<Conditions, StoreError> {
        let now = self.now.micros();
        let rows = fetch_all!(
            self,
            |row| Ok((row.text("what")?, row.text("name")?)),
            LOAD,
            provider.as_str().to_owned(),
            now
        )?;
        let mut conditions = Conditions::default();
        for (what, name) in rows {
            match what.as_str() {
                "failing" => {
                    conditions.failing.insert(name);
                }
                "paused" => conditions.is_paused = true,
                "restored" => conditions.hold = Some(HoldReason::Restored),
                // A history that nobody has entered yet is one that nobody has judged.
                "epoch" if self.is_another_epoch(&name) => {
                    conditions.hold = conditions.hold.or(Some(HoldReason::Quarantine));
                }
                "quarantine" if conditions.hold.is_none() => {
                    conditions.hold = Some(HoldReason::Quarantine);
                }
                "epoch" | "quarantine" => {}
                _ => return Err(misspelt("what", &what)),
            }
        }
        Ok(conditions)
    }
}
