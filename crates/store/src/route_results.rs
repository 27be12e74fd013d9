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
}

statements! {
    UPSERT: "INSERT INTO route_results (provider, route, at, is_good, detail)
        VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (provider, route) DO UPDATE
        SET at = excluded.at, is_good = excluded.is_good, detail = excluded.detail
        WHERE route_results.at <= excluded.at";
    LIST: "SELECT * FROM route_results ORDER BY provider, route";
}

impl Tx {
    /// Remembers how a route worked just now.
    pub async fn save_route_result(
        &mut self,
        provider: &str,
        route: &str,
        is_good: bool,
        detail: &str,
    ) -> Result<(), StoreError> {
        let now = self.now.micros();
        execute!(
            self,
            UPSERT,
            provider.to_owned(),
            route.to_owned(),
            now,
            is_good,
            detail.to_owned()
        )
        .map(drop)
    }

    /// All that is known.
    pub async fn list_route_results(&mut self) -> Result<Vec<RouteResult>, StoreError> {
        fetch_all!(self, read, LIST)
    }
}

fn read(row: &impl Row) -> Result<RouteResult, StoreError> {
    Ok(RouteResult {
        provider: row.text("provider")?,
        route: row.text("route")?,
        at: row.instant("at")?,
        is_good: row.bool("is_good")?,
        detail: row.text("detail")?,
    })
}
