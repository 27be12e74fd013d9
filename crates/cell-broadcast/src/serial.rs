//! Serial numbers: which issue of a warning a page belongs to (3GPP TS 23.041 §9.4.1.2.1).
//!
//! A phone shows a message once for each pair of message identifier and serial number, in the area
//! that the geographical scope names. So an update takes the next update number, or a phone that
//! has seen the alert drops it; and a new alert takes a message code that no phone may remember
//! ([`next_code`]). Codes are given out at one place and kept: two places that pick the same pair
//! silence one of two alerts.

use std::fmt;

/// In which area a phone takes two messages of one serial number for the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// One cell, and the message is shown at once.
    CellImmediate = 0,
    /// The whole network.
    Network = 1,
    /// A location, service or tracking area.
    Area = 2,
    /// One cell.
    Cell = 3,
}

impl Scope {
    const ALL: [Self; 4] = [Self::CellImmediate, Self::Network, Self::Area, Self::Cell];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CellImmediate => "cell-immediate",
            Self::Network => "network",
            Self::Area => "area",
            Self::Cell => "cell",
        }
    }

    /// The scope that [`Scope::as_str`] spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// How many message codes there are: 10 bits.
pub const CODES: u16 = 1024;
/// How many update numbers there are: 4 bits.
const UPDATES: u8 = 16;
/// An update number is newer than another when it is ahead by 1 to 8 (mod 16).
const NEWER_MAX: u8 = 8;

/// A serial number: geographical scope, message code and update number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber {
    scope: Scope,
    code: u16,
    update: u8,
}

impl SerialNumber {
    /// The serial number of these parts; `None` when the code needs more than 10 bits or the update
    /// number more than 4.
    pub const fn new(scope: Scope, code: u16, update: u8) -> Option<Self> {
        if code >= CODES || update >= UPDATES {
            return None;
        }
        Some(Self {
            scope,
            code,
            update,
        })
    }

    /// Reads the 16 bits of a page.
    pub const fn from_bits(bits: u16) -> Self {
        let scope = match bits >> 14 {
            0 => Scope::CellImmediate,
            1 => Scope::Network,
            2 => Scope::Area,
            _ => Scope::Cell,
        };
        let [_, low] = bits.to_be_bytes();
        Self {
            scope,
            code: (bits >> 4) & (CODES - 1),
            update: low & (UPDATES - 1),
        }
    }

    /// The 16 bits of a page: scope, code, update number.
    pub const fn to_bits(self) -> u16 {
        (self.scope as u16) << 14 | self.code << 4 | self.update as u16
    }

    /// The geographical scope.
    pub const fn scope(self) -> Scope {
        self.scope
    }

    /// The message code: 0 to 1023.
    pub const fn code(self) -> u16 {
        self.code
    }

    /// The update number: 0 to 15.
    pub const fn update(self) -> u8 {
        self.update
    }

    /// The serial number of the next update of the same message: after 15 comes 0.
    #[must_use]
    pub const fn next_update(self) -> Self {
        Self {
            update: (self.update + 1) % UPDATES,
            ..self
        }
    }

    /// Whether a phone that has shown `seen` takes this for a newer issue of the same message: the
    /// same scope and code, and an update number ahead by 1 to 8 (mod 16).
    pub const fn is_newer_than(self, seen: Self) -> bool {
        let ahead = (self.update + UPDATES - seen.update) % UPDATES;
        self.scope as u8 == seen.scope as u8
            && self.code == seen.code
            && ahead >= 1
            && ahead <= NEWER_MAX
    }
}

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:04X}", self.to_bits())
    }
}

/// The message code for a new alert: the first after `last` (after 1023 comes 0) that is not in
/// `remembered`. `None` when all are.
///
/// `remembered` are the codes that were sent under the same message identifier for as long as a
/// phone may remember them: 24 hours on Android. The caller draws `last` and stores the answer in
/// the transaction that makes the alert.
pub fn next_code(last: Option<u16>, remembered: &[u16]) -> Option<u16> {
    let first = last.map_or(0, |last| (last % CODES + 1) % CODES);
    let mut is_taken = [false; CODES as usize];
    for code in remembered {
        is_taken[usize::from(code % CODES)] = true;
    }
    let mut codes = (0..CODES).map(|step| (first + step) % CODES);
    codes.find(|&code| !is_taken[usize::from(code)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_stand_where_the_standard_puts_them() {
        let serial = |scope, code, update| SerialNumber::new(scope, code, update).unwrap();
        let cases = [
            (serial(Scope::CellImmediate, 0, 0), 0x0000),
            (serial(Scope::Network, 0, 0), 0x4000),
            (serial(Scope::Area, 1, 1), 0x8011),
            (serial(Scope::Cell, 1023, 15), 0xFFFF),
            (serial(Scope::Network, 0x2AA, 5), 0x6AA5),
        ];
        for (serial, bits) in cases {
            assert_eq!(serial.to_bits(), bits, "{serial}");
        }
        for bits in 0..=u16::MAX {
            assert_eq!(SerialNumber::from_bits(bits).to_bits(), bits);
        }
        assert_eq!(SerialNumber::new(Scope::Cell, 1024, 0), None);
        assert_eq!(SerialNumber::new(Scope::Cell, 0, 16), None);
    }

    #[test]
    fn newer_is_ahead_by_one_to_eight() {
        let at = |update| SerialNumber::new(Scope::Network, 7, update).unwrap();
        // What was seen, what comes, whether it is newer.
        let cases = [
            (0, 0, false),
            (0, 1, true),
            (0, 8, true),
            (0, 9, false),
            (0, 15, false),
            (15, 0, true),
            (15, 7, true),
            (15, 8, false),
            (9, 1, true),
            (9, 2, false),
        ];
        for (seen, update, want) in cases {
            assert_eq!(
                at(update).is_newer_than(at(seen)),
                want,
                "{seen} then {update}"
            );
        }
        let other = SerialNumber::new(Scope::Network, 8, 1).unwrap();
        assert!(
            !other.is_newer_than(at(0)),
            "another message is no newer issue of this one"
        );
    }

    #[test]
    fn each_update_is_newer_than_the_one_before() {
        let mut serial = SerialNumber::new(Scope::Area, 1023, 0).unwrap();
        for _ in 0..40 {
            let next = serial.next_update();
            assert!(next.is_newer_than(serial), "{serial} {next}");
            assert!(!serial.is_newer_than(next), "{serial} {next}");
            assert_eq!((next.scope(), next.code()), (serial.scope(), serial.code()));
            serial = next;
        }
    }

    #[test]
    fn a_new_alert_takes_no_code_that_a_phone_remembers() {
        let all: Vec<u16> = (0..CODES).collect();
        let cases = [
            (None, &[][..], Some(0)),
            (None, &[0, 1, 3], Some(2)),
            (Some(5), &[], Some(6)),
            (Some(5), &[6, 7], Some(8)),
            (Some(1023), &[], Some(0)),
            (Some(1022), &[1023, 0], Some(1)),
            (Some(3), &all[..], None),
            (Some(3), &all[1..], Some(0)),
        ];
        for (last, remembered, want) in cases {
            assert_eq!(next_code(last, remembered), want, "{last:?}");
        }
    }
}
