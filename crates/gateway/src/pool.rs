//! Warm connections, a few per route.
//!
//! The pool lends and takes back, and does nothing by itself. What it lends was alive a moment ago;
//! what dies between that moment and the first byte is replaced by the caller, which knows that
//! nothing was written.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use balefire_domain::limits::IDLE_CONNECTIONS_PER_ROUTE_MAX;
use balefire_domain::time::Timestamp;

use crate::connection::Connection;

/// The idle connections of every route. Routes come from the configuration, so there are few.
#[derive(Default)]
pub(crate) struct Pool {
    routes: Mutex<HashMap<String, Vec<Connection>>>,
}

impl Pool {
    /// The connection used last that is usable at `now`. Those found unusable are closed.
    pub(crate) fn take(&self, route: &str, now: Timestamp) -> Option<Connection> {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = routes.get_mut(route)?;
        idle.retain(|connection| connection.is_usable(now));
        idle.pop()
    }

    /// Keeps a connection that rests, unless the route has enough.
    pub(crate) fn put(&self, route: &str, connection: Connection, now: Timestamp) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        let idle = routes.entry(route.to_owned()).or_default();
        idle.retain(|connection| connection.is_usable(now));
        if idle.len() < IDLE_CONNECTIONS_PER_ROUTE_MAX {
            idle.push(connection);
        }
    }
}
