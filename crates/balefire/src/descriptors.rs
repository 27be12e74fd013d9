//! File descriptors: how many this process may have, and how many of them requests may take.

use anyhow::Context;
use balefire_domain::limits::HTTP_CONNECTIONS_MAX;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// With fewer nothing works: connections to the database, to every route of every network, files.
const DESCRIPTORS_MIN: u64 = 128;
/// More than anything here needs; some machines permit millions.
const DESCRIPTORS_MAX: u64 = 65_536;

/// Raises the limit as far as this process may, and gives half of it to requests at most: the rest
/// is for alerts. Errors where the limit is too low to work at all.
pub(crate) fn share_out() -> anyhow::Result<usize> {
    let limit = raise();
    anyhow::ensure!(
        limit >= DESCRIPTORS_MIN,
        "this process may open {limit} files and connections, and needs {DESCRIPTORS_MIN} at the \
         very least: raise the limit (`ulimit -n`, or LimitNOFILE in the unit)"
    );
    let half = usize::try_from(limit / 2).context("a limit of this machine")?;
    Ok(half.min(HTTP_CONNECTIONS_MAX))
}

fn raise() -> u64 {
    let found = getrlimit(Resource::Nofile);
    let hard = found
        .maximum
        .unwrap_or(DESCRIPTORS_MAX)
        .min(DESCRIPTORS_MAX);
    let soft = found.current.unwrap_or(DESCRIPTORS_MAX);
    if soft >= hard {
        return soft;
    }
    let wanted = Rlimit {
        current: Some(hard),
        maximum: found.maximum,
    };
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}
