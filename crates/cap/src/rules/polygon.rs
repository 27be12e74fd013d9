//! The text of a polygon (CAP 1.2 §3.2.4): `lat,lon` pairs between white space, at least four, the
//! last equal to the first.

use super::judge::Judge;
use crate::finding::{counted, shown};
use crate::structure::is_decimal;

/// Faulty pairs named per polygon; the sender sees the pattern by then.
const FAULTS_NAMED_MAX: usize = 5;

/// The pieces that should be pairs. XML text has no white space of ASCII but its own four.
pub(super) fn pairs(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_ascii_whitespace()
}

/// The pairs `(lat, lon)` in degrees. What is wrong with them is named with its number and text;
/// then the result is not to be used.
pub(super) fn read(text: &str, path: &str, judge: &mut Judge) -> Vec<(f64, f64)> {
    let mut points = Vec::new();
    let mut faults = 0;
    for (n, pair) in pairs(text).enumerate() {
        match read_pair(pair) {
            Ok(point) => points.push(point),
            Err(_) if faults == FAULTS_NAMED_MAX => return points,
            Err(fault) => {
                faults += 1;
                let message = format!("pair {} ({}) {}", n + 1, shown(pair), fault.advice());
                judge.find(fault.code(), path, message);
            }
        }
    }
    if faults == 0 {
        check_ring(text, &points, path, judge);
    }
    points
}

fn check_ring(text: &str, points: &[(f64, f64)], path: &str, judge: &mut Judge) {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        judge.find("polygon-too-short", path, "the polygon is empty");
        return;
    };
    if points.len() < 4 {
        let count = counted(points.len(), "pair");
        let message = format!("the polygon has {count}; it needs at least 4");
        judge.find("polygon-too-short", path, message);
    } else if first != last {
        let first = pairs(text).next().unwrap_or_default();
        let last = pairs(text).next_back().unwrap_or_default();
        let message = format!(
            "the polygon is not closed: its last pair ({}) must equal its first ({})",
            shown(last),
            shown(first)
        );
        judge.find("polygon-not-closed", path, message);
    } else if pairs(text).next() != pairs(text).next_back() {
        let message = "the first and the last pair are equal but written differently";
        judge.find("polygon-closed-differently", path, message);
    }
}

/// What is wrong with one pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Parts,
    Number,
    Latitude,
    Longitude,
}

impl Fault {
    fn code(self) -> &'static str {
        match self {
            Self::Parts => "bad-pair",
            Self::Number => "bad-coordinate",
            Self::Latitude => "latitude-out-of-range",
            Self::Longitude => "longitude-out-of-range",
        }
    }

    /// What is wrong, after the text of the pair.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Parts => "must be two numbers with one comma between: lat,lon",
            Self::Number => "must be decimal degrees without letters, such as 53.10569,0.24453",
            Self::Latitude => "has a latitude outside -90 to 90; latitude comes first",
            Self::Longitude => "has a longitude outside -180 to 180; latitude comes first",
        }
    }
}

/// One pair: latitude, longitude in degrees.
pub(super) fn read_pair(pair: &str) -> Result<(f64, f64), Fault> {
    let (lat, lon) = pair.split_once(',').ok_or(Fault::Parts)?;
    if lat.is_empty() || lon.is_empty() || lon.contains(',') {
        return Err(Fault::Parts);
    }
    let (lat, lon) = (read_degrees(lat)?, read_degrees(lon)?);
    if !(-90.0..=90.0).contains(&lat) {
        return Err(Fault::Latitude);
    }
    if !(-180.0..=180.0).contains(&lon) {
        return Err(Fault::Longitude);
    }
    Ok((lat, lon))
}

/// A decimal number; `NaN`, `inf` and exponents are none.
fn read_degrees(text: &str) -> Result<f64, Fault> {
    if !is_decimal(text) {
        return Err(Fault::Number);
    }
    text.parse().map_err(|_| Fault::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::severity::Use;

    #[test]
    fn polygons_are_closed_rings_of_pairs_in_range() {
        let square = "1,2 1,3 2,3 1,2";
        // One row per rule: text, code of the finding or none.
        let cases = [
            (square.to_owned(), None),
            ("\n 1,2\t1,3  \n2,3   1,2 ".to_owned(), None),
            ("-90,-180 90,180 0.5,.5 -90,-180".to_owned(), None),
            (
                "1.0,2 1,3 2,3 1,2.00".to_owned(),
                Some("polygon-closed-differently"),
            ),
            (String::new(), Some("polygon-too-short")),
            ("  \n".to_owned(), Some("polygon-too-short")),
            ("1,2 1,3 1,2".to_owned(), Some("polygon-too-short")),
            ("1,2 1,3 2,3 2,2".to_owned(), Some("polygon-not-closed")),
            (format!("x,2 {square}"), Some("bad-coordinate")),
            (format!("NaN,2 {square}"), Some("bad-coordinate")),
            (format!("inf,2 {square}"), Some("bad-coordinate")),
            (format!("1e1,2 {square}"), Some("bad-coordinate")),
            (format!("1,0x2 {square}"), Some("bad-coordinate")),
            (format!("\u{661},2 {square}"), Some("bad-coordinate")),
            (format!("1 {square}"), Some("bad-pair")),
            (format!("1,2,3 {square}"), Some("bad-pair")),
            (format!("1, 2 {square}"), Some("bad-pair")),
            (format!(", {square}"), Some("bad-pair")),
            (format!("1;2 {square}"), Some("bad-pair")),
            (
                format!("90.000001,2 {square}"),
                Some("latitude-out-of-range"),
            ),
            (format!("-95,2 {square}"), Some("latitude-out-of-range")),
            (format!("1,180.5 {square}"), Some("longitude-out-of-range")),
            (format!("1,-200 {square}"), Some("longitude-out-of-range")),
        ];
        for (text, want) in cases {
            let mut judge = Judge::new(Use::Check, None);
            read(&text, "p", &mut judge);
            let is = judge.into_list().first().map(|finding| finding.code);
            assert_eq!(is, want, "{text}");
        }
    }

    #[test]
    fn a_faulty_pair_is_named_by_number_and_text() {
        let mut judge = Judge::new(Use::Check, None);
        read(
            "1,2 1,3 2,three 1,2",
            "alert/info[1]/area[2]/polygon[1]",
            &mut judge,
        );
        let finding = judge.into_list().remove(0);
        assert!(finding.message.starts_with("pair 3 (2,three)"), "{finding}");
        assert_eq!(finding.path, "alert/info[1]/area[2]/polygon[1]");
    }

    #[test]
    fn pairs_are_latitude_then_longitude() {
        let mut judge = Judge::new(Use::Check, None);
        let points = read("53.1,0.2 53.2,0.2 53.2,0.3 53.1,0.2", "p", &mut judge);
        assert_eq!(points[1], (53.2, 0.2));
        assert!(judge.into_list().is_empty());
    }
}
