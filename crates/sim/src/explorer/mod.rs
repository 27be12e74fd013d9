//! Every reachable state of one lane (one alert at one provider).
//!
//! # What moves
//!
//! A [`World`](world::World) is the real [`Lane`](balefire_domain::lane::Lane) and what surrounds
//! it: requests that wait in our process or are on their way, answers, the provider's memory, dead
//! processes. [`actions`] lists what can happen next; every order is tried. Only
//! [`step`](balefire_domain::lane::step()) decides about the lane; the explorer carries out its
//! effects as the shell would.
//!
//! # What the environment does
//!
//! It lets a request leave any time before its deadline and be applied any time before its drain;
//! it loses requests and answers, refuses, answers something unknown (a 5xx, a function error, a
//! foreign identifier) while the request goes on, delivers answers as late as it likes and once
//! more, kills the owner of an attempt, declares a living owner dead, cancels at any moment and
//! lets the alert end. There is no budget for such faults: only the number of attempts is bounded
//! ([`Setup::attempts_max`](setup::Setup::attempts_max)), and everything else follows.
//!
//! # Time
//!
//! The clock stands at zero and passing time moves every instant towards it ([`normal`]), so that
//! states which differ only in their date are one state. An attempt lives two seconds and drains
//! for one more; the alert's end is far off until the environment leaps to it.
//!
//! # What it does not show
//!
//! One lane with one alert and its cancels; and, in [`pair`], two lanes of one alert. No update, no
//! database. Holds by configuration, the `stuck` flag and the length of the back-off decide nothing
//! about order and are left out. "Settles" means that a good end stays reachable, not that a fair
//! environment must reach it. The provider forgets nothing that it took, except where a variant
//! says so. `docs/reliability/explorer.md` tells all of it in full.

pub mod act;
pub mod actions;
pub mod expected;
pub mod fingerprint;
pub mod moves;
pub mod narrate;
pub mod normal;
pub mod pages;
pub mod pair;
pub mod properties;
pub mod run;
pub mod search;
pub mod setup;
pub mod variants;
mod variants_updates;
pub mod world;

#[cfg(test)]
mod tests;

pub use moves::Moves;
pub use properties::{Property, Sight};
pub use search::{Explored, Violation, explore};
pub use setup::{Conduct, Setup};
pub use variants::Variant;
