//! The duty items that a change of a delivery's state asks for (D19).

use super::event::{DutyKind, Effect};
use super::state::{Delivery, HoldReason, MootReason, State};

/// What a person on duty is told, or need be told no more, because `was` became `is`.
pub(super) fn of_change(was: &Delivery, is: &Delivery) -> Vec<Effect> {
    let delivery = is.id;
    let open = |kind| Effect::OpenDutyItem { kind, delivery };
    let mut effects = Vec::new();
    if is_unroutable(is.state) && !is_unroutable(was.state) {
        effects.push(open(DutyKind::Unroutable));
    }
    if is.is_stuck && !was.is_stuck {
        effects.push(open(DutyKind::Stuck));
    }
    if is.state.is_terminal() {
        effects.push(Effect::CloseDutyItems { delivery });
    }
    if is_unanswered(is.state) {
        effects.push(open(DutyKind::CancelUnanswered));
    }
    effects
}

const fn is_unroutable(state: State) -> bool {
    matches!(
        state,
        State::Held {
            reason: HoldReason::NoRoute | HoldReason::ProxiesDisabled,
            ..
        }
    )
}

const fn is_unanswered(state: State) -> bool {
    matches!(
        state,
        State::Moot {
            reason: MootReason::EndedWithoutAnswer,
            ..
        }
    )
}
