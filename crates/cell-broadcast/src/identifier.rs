//! Message identifiers: which warning a page belongs to (3GPP TS 23.041 §9.4.1.2.2).

use std::fmt;

use balefire_domain::channel::Channel;

/// Names a kind of cell broadcast message. Phones decide by it whether, and how loudly, a message
/// is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIdentifier(u16);

/// What lies between an alert's identifier and that of its other languages.
const LANGUAGE_DISTANCE: u16 = 13;
/// Warnings and tests that have another identifier for other languages.
const IN_TWO_LANGUAGES: std::ops::RangeInclusive<u16> = 4370..=4382;

impl MessageIdentifier {
    /// The identifier with this number.
    pub const fn new(number: u16) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// The identifier of a channel's alerts.
    pub const fn of(channel: Channel) -> Self {
        Self(match channel {
            Channel::Government => 4370,
            Channel::Severe => 4378,
            Channel::Test => 4380,
            Channel::Operator => 4382,
        })
    }

    /// The channel whose alerts have this identifier, or this one for other languages.
    pub fn channel(self) -> Option<Channel> {
        let is_own = |channel: &Channel| {
            let own = Self::of(*channel);
            own == self || own.in_another_language() == Some(self)
        };
        Channel::ALL.into_iter().find(is_own)
    }

    /// The identifier under which the same alert is sent in a further language, which phones show
    /// by their own language. `None` where the standard has none.
    pub const fn in_another_language(self) -> Option<Self> {
        match self.0 {
            number if number >= *IN_TWO_LANGUAGES.start() && number <= *IN_TWO_LANGUAGES.end() => {
                Some(Self(number + LANGUAGE_DISTANCE))
            }
            4396 | 4398 => Some(Self(self.0 + 1)),
            _ => None,
        }
    }

    /// What it is for; `None` for a number that is no public warning's.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            4352 => "ETWS: earthquake",
            4353 => "ETWS: tsunami",
            4354 => "ETWS: earthquake and tsunami",
            4355 => "ETWS: test",
            4356 => "ETWS: other emergency",
            4370 => "the gravest alert, always on (presidential, EU level 1)",
            4371 => "extreme, immediate, observed",
            4372 => "extreme, immediate, likely",
            4373 => "extreme, expected, observed",
            4374 => "extreme, expected, likely",
            4375 => "severe, immediate, observed",
            4376 => "severe, immediate, likely",
            4377 => "severe, expected, observed",
            4378 => "severe, expected, likely",
            4379 => "missing child",
            4380 => "monthly test",
            4381 => "exercise",
            4382 => "defined by the operator",
            4383 => "the gravest alert, further language",
            4384 => "extreme, immediate, observed, further language",
            4385 => "extreme, immediate, likely, further language",
            4386 => "extreme, expected, observed, further language",
            4387 => "extreme, expected, likely, further language",
            4388 => "severe, immediate, observed, further language",
            4389 => "severe, immediate, likely, further language",
            4390 => "severe, expected, observed, further language",
            4391 => "severe, expected, likely, further language",
            4392 => "missing child, further language",
            4393 => "monthly test, further language",
            4394 => "exercise, further language",
            4395 => "defined by the operator, further language",
            4396 => "public safety",
            4397 => "public safety, further language",
            4398 => "state or local test",
            4399 => "state or local test, further language",
            4400 => "geo-fencing trigger",
            6400 => "EU-Info (older networks)",
            _ => return None,
        })
    }
}

impl fmt::Display for MessageIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_has_its_identifier_and_one_for_a_further_language() {
        let cases = [
            (Channel::Government, 0x1112, 0x111F),
            (Channel::Severe, 0x111A, 0x1127),
            (Channel::Test, 0x111C, 0x1129),
            (Channel::Operator, 0x111E, 0x112B),
        ];
        for (channel, own, further) in cases {
            let identifier = MessageIdentifier::of(channel);
            assert_eq!(identifier.number(), own, "{channel:?}");
            let other = identifier.in_another_language().unwrap();
            assert_eq!(other.number(), further, "{channel:?}");
            assert_eq!(identifier.channel(), Some(channel));
            assert_eq!(other.channel(), Some(channel));
        }
    }

    #[test]
    fn a_further_language_is_named_after_its_first_and_has_no_further_one() {
        for number in 0..=u16::MAX {
            let identifier = MessageIdentifier::new(number);
            let Some(other) = identifier.in_another_language() else {
                continue;
            };
            assert!(
                other.name().unwrap().ends_with(", further language"),
                "{number}"
            );
            assert_eq!(other.in_another_language(), None, "{number}");
        }
        for number in [4352, 4369, 4383, 4395, 4397, 4399, 4400, 6400] {
            let identifier = MessageIdentifier::new(number);
            assert_eq!(identifier.in_another_language(), None, "{number}");
        }
    }
}
