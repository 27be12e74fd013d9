//! What a service becomes when somebody sets it up to broadcast (R95, R96).

use crate::alert::Mode;
use crate::channel::Channel;
use crate::permission::{Permission, Permissions};
use crate::provider::ProviderName;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BroadcastSettings {
    /// Whether its alerts are real.
    pub mode: Mode,
    /// Its channel.
    pub channel: Channel,
    /// The providers it may use; absent: all that are enabled.
    pub providers: Option<Vec<ProviderName>>,
}

/// What a change of mode does beside setting the mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModeChange {
    /// It goes live now: its members and invitations keep the right to view, so that whoever may
    /// alert for real is given that anew, by two persons.
    pub goes_live: bool,
    /// Whether it has been live until now, and since when is kept.
    pub keeps_live_since: bool,
}

/// What follows from a mode that is set.
pub fn change_mode(from: Mode, to: Mode) -> ModeChange {
    ModeChange {
        goes_live: from == Mode::Training && to == Mode::Live,
        keeps_live_since: from == Mode::Live && to == Mode::Live,
    }
}

/// What is left to members and invitations of a service that goes live.
pub fn permissions_at_going_live() -> Permissions {
    [Permission::ViewActivity].into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_given_anew_where_alerts_become_real() {
        use Mode::{Live, Training};
        for (from, to, goes_live, keeps) in [
            (Training, Live, true, false),
            (Live, Live, false, true),
            (Live, Training, false, false),
            (Training, Training, false, false),
        ] {
            let change = change_mode(from, to);
            assert_eq!(change.goes_live, goes_live, "{from:?} {to:?}");
            assert_eq!(change.keeps_live_since, keeps, "{from:?} {to:?}");
        }
        let left = permissions_at_going_live();
        assert!(
            !left
                .iter()
                .any(|permission| permission.needs_second_person())
        );
    }
}
