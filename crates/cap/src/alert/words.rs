//! The closed lists of words of CAP 1.2. The structure table takes its enumerations from here.

use std::fmt;

use serde::Serialize;

/// An enum whose variants are words of the standard, written as the standard writes them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        pub enum $name {
            $($(#[$word_doc])* $word),+
        }

        impl $name {
            /// Every word, in the standard's order.
            pub const WORDS: &'static [&'static str] = &[$(stringify!($word)),+];

            /// The variant that is written so, if there is one; upper and lower case matter.
            pub fn from_word(word: &str) -> Option<Self> {
                match word {
                    $(stringify!($word) => Some(Self::$word),)+
                    _ => None,
                }
            }

            /// The word as the standard writes it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$word => stringify!($word)),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// `status`: how the message is to be handled.
    Status {
        /// To be acted on by everybody it is for.
        Actual,
        /// For the participants of an exercise.
        Exercise,
        /// For the functions of alerting networks.
        System,
        /// A technical test: to be disregarded.
        Test,
        /// Not to be acted on.
        Draft,
    }
}

words! {
    /// `msgType`: what the message does.
    MsgType {
        /// A first message.
        Alert,
        /// Replaces the messages that it references.
        Update,
        /// Withdraws the messages that it references.
        Cancel,
        /// Acknowledges them.
        Ack,
        /// Refuses them.
        Error,
    }
}

words! {
    /// `scope`: who may see the message.
    Scope {
        /// Everybody.
        Public,
        /// Whom `restriction` names.
        Restricted,
        /// Whom `addresses` names.
        Private,
    }
}

words! {
    /// `category`: the kind of event.
    Category {
        /// Geophysical.
        Geo,
        /// Meteorological, floods included.
        Met,
        /// General emergency and public safety.
        Safety,
        /// Law enforcement, military, homeland security.
        Security,
        /// Rescue and recovery.
        Rescue,
        /// Fire suppression and rescue.
        Fire,
        /// Medical and public health.
        Health,
        /// Pollution and other environmental events.
        Env,
        /// Public and private transport.
        Transport,
        /// Utilities, telecommunication, other infrastructure.
        Infra,
        /// Chemical, biological, radiological, nuclear or explosive threat or attack.
        CBRNE,
        /// Other events.
        Other,
    }
}

words! {
    /// `responseType`: what people should do.
    ResponseType {
        /// Take shelter.
        Shelter,
        /// Leave.
        Evacuate,
        /// Make preparations.
        Prepare,
        /// Carry out what was planned.
        Execute,
        /// Avoid the event.
        Avoid,
        /// Watch for information.
        Monitor,
        /// Judge the information (not for public warnings).
        Assess,
        /// There is no threat any more.
        AllClear,
        /// Nothing.
        None,
    }
}

words! {
    /// `urgency`: when to respond.
    Urgency {
        /// At once.
        Immediate,
        /// Within the hour.
        Expected,
        /// In the near future.
        Future,
        /// Not any more.
        Past,
        /// Not known.
        Unknown,
    }
}

words! {
    /// `severity`: how bad the event is.
    Severity {
        /// Extraordinary threat to life or property.
        Extreme,
        /// Significant threat.
        Severe,
        /// Possible threat.
        Moderate,
        /// Minimal threat.
        Minor,
        /// Not known.
        Unknown,
    }
}

words! {
    /// `certainty`: how sure the event is.
    Certainty {
        /// Has happened or goes on.
        Observed,
        /// More than even chances.
        Likely,
        /// Possible, not likely.
        Possible,
        /// Not expected.
        Unlikely,
        /// Not known.
        Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_itself() {
        for word in Category::WORDS {
            assert_eq!(Category::from_word(word).map(Category::word), Some(*word));
        }
        assert_eq!(Category::from_word("geo"), None);
        assert_eq!(Status::from_word("Actual "), None);
    }
}
