//! The latest that is known of each route, by tests and by real sends (D17).

use balefire_domain::time::Timestamp;

use crate::sql::{Row, StoreError};
use crate::store::Tx;

/// What is known of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteResult {
    /// The provider.
    pub provider: String,
    /// The route.
    pub route: String,
    /// When it was last used.
    pub at: Timestamp,
    /// Whether it worked.
    pub is_good: bool,
    /// What it answered.
    pub detail: String,
    /// When it last brought an alert or a cancel through.
    pub carried_at: Option<Timestamp>,
}

statements! {
    SAVE: "INSERT INTO route_results (provider, route, at, is_good, detail, carried_at)
        VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (provider, route) DO UPDATE
        SET at = excluded.at, is_good = excluded.is_good, detail = excluded.detail,
            carried_at = coalesce(excluded.carried_at, route_results.carried_at)
        -- One from the future was stored by a clock that has been put right since.
        WHERE route_results.at <= excluded.at OR route_results.at > excluded.at + 60000000";
    LIST: "SELECT * FROM route_results ORDER BY provider, route";
    CARRIED: "SELECT carried_at FROM route_results WHERE provider = $1 AND route = $2";
}

impl Tx {
    /// Remembers how a send over a route ended just now.
    pub async fn save_route_result(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> Result<(), StoreError> {
        let carried_at = is_good.then_some(self.now);
        self.save_route_use(provider, route, is_good, detail, carried_at)
            .await
    }

    /// Remembers how a test of a route ended just now: it orders the routes as a send does, and is
    /// no traffic.
    pub async fn save_route_test(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> Result<(), StoreError> {
        self.save_route_use(provider, route, is_good, detail, None)
            .await
    }

    async fn save_route_use(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
        carried_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute!(
            self,
            SAVE,
            provider.to_owned(),
            route.to_owned(),
            now,
            is_good,
            detail.to_owned(),
            carried_at.map(Timestamp::micros)
        )
        .map(drop)
    }

    /// All that is known.
    pub async fn list_route_results(&mut self) -> Result<Vec<RouteResult>, StoreError> {
        fetch_all!(self, read, LIST)
    }

    /// When a route last brought an alert or a cancel through.
    pub async fn load_carried_at(
        &mut self,
        provider: &str,
        route: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let carried = fetch_optional!(
            self,
            |row| row.opt_instant("carried_at"),
            CARRIED,
            provider.to_owned(),
            route.to_owned()
        )?;
        Ok(carried.flatten())
    }
}

fn read(row: &impl Row) -> Result<RouteResult, StoreError> {
    Ok(RouteResult {
        provider: row.text("provider")?,
        route: row.text("route")?,
        at: row.instant("at")?,
        is_good: row.bool("is_good")?,
        detail: row.text("detail")?,
        carried_at: row.opt_instant("carried_at")?,
    })
}
