//! The promises: one function for each, over what was committed, what was sent and what the
//! providers' centres really did.
//!
//! [`safety`](super::safety) judges what happens when it happens, [`liveness`](super::liveness)
//! that things end.

macro_rules! properties {
    ($($name:ident = $promise:literal;)*) => {
        /// A promise, named as in the design.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "each has its sentence in `promise`")]
        pub enum Property {
            $($name,)*
        }

        impl Property {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What it promises.
            pub const fn promise(self) -> &'static str {
                match self {
                    $(Self::$name => $promise,)*
                }
            }
        }
    };
}

properties! {
    S1 = "what a provider applies of one alert comes in the order of its events";
    S2 = "a message is applied once, save where a provider without dedup left it unknown";
    S3 = "nothing is applied after what comes later was applied or closed";
    S4 = "nothing counts as acknowledged that its provider did not apply";
    S5 = "in one lane only one event is in flight, and only one attempt per slot";
    S6 = "nothing leaves before its intent is durable, and each intent leaves once";
    S7 = "nothing leaves but what was approved";
    S8 = "nothing leaves at or after its end or its attempt's deadline";
    S9 = "what is settled stays so, and an acceptance that a living process has heard is stored";
    S10 = "every attempt of a delivery carries the same bytes";
    S11 = "an approved or cancelled alert has its delivery at every one of its providers";
    S12 = "one provider's trouble changes nothing at another";
    S13 = "an alert whose cancel has ended is off the air";
    S15 = "once an update is done, its text is on the air and no earlier one";
    L1 = "an alert is acknowledged soon after its provider can be reached";
    L2 = "a cancel ends soon after its provider can be reached";
    L3 = "after a crash every lane moves with the next sweep";
    L5 = "no lane is ever left without a time to wake";
    L6 = "what has run out of time is closed within a minute";
    L7 = "what takes too long is told to a person";
    Alive = "the loops of a process end only when they are told to";
    Repeatable = "the same seed gives the same trace";
}
