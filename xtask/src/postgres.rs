//! `cargo xtask postgres`: the tests' private server, for people who want to look into it or be
//! rid of it.

use std::path::Path;

use anyhow::Result;

use crate::cluster::{Cluster, Stop, Stopped};
use crate::say;

/// Starts the server unless it runs, and prints a URL for a database in it.
pub fn start(root: &Path) -> Result<bool> {
    let cluster = Cluster::of_workspace(root);
    let server = cluster.join()?;
    say(&server.url_of("postgres"));
    say(&format!("its files are in {}", cluster.folder().display()));
    Ok(true)
}

/// Stops the server, whoever uses it.
pub fn stop(root: &Path) -> Result<bool> {
    match Cluster::of_workspace(root).stop(Stop::Always)? {
        Stopped::Now | Stopped::InUse => say("the tests' PostgreSQL has stopped"),
        Stopped::WasNotRunning => say("the tests' PostgreSQL was not running"),
    }
    Ok(true)
}

/// Stops the server at the end of a run of CI, unless other tests of this checkout use it.
pub fn stop_if_unused(root: &Path) {
    match Cluster::of_workspace(root).stop(Stop::IfUnused) {
        Ok(Stopped::Now) => say("ci: stopped the tests' PostgreSQL"),
        Ok(Stopped::InUse) => say("ci: other tests use PostgreSQL; left it running"),
        Ok(Stopped::WasNotRunning) => {}
        Err(error) => say(&format!(
            "ci: couldn't stop the tests' PostgreSQL: {error:#}"
        )),
    }
}
