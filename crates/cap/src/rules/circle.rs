//! The text of a circle (CAP 1.2 §3.2.4, C11): `lat,lon radius`, the radius in kilometres.

use super::Circle;
use super::judge::Judge;
use super::polygon::read_pair;
use crate::finding::shown;
use crate::structure::is_decimal;

/// Half the circumference of the Earth in kilometres: no circle on it is larger.
const RADIUS_KM_MAX: f64 = 20_038.0;

/// The circle, or `None` with an error.
pub(super) fn read(text: &str, path: &str, judge: &mut Judge) -> Option<Circle> {
    let pieces: Vec<&str> = text.split_ascii_whitespace().take(3).collect();
    let [centre, radius] = pieces[..] else {
        let message = format!(
            "“{}” is no circle; write latitude,longitude, one space and the radius in \
             kilometres: 51.99,-2.16 1.5",
            shown(text)
        );
        judge.find("bad-circle", path, message);
        return None;
    };
    let (lat, lon) = match read_pair(centre) {
        Ok(point) => point,
        Err(fault) => {
            let message = format!("the centre ({}) {}", shown(centre), fault.advice());
            judge.find("bad-circle", path, message);
            return None;
        }
    };
    if text != format!("{centre} {radius}") {
        let message = "one space stands between centre and radius, and nothing around them";
        judge.find("circle-spacing", path, message);
    }
    let radius_km = read_radius(radius, path, judge)?;
    Some(Circle {
        lat,
        lon,
        radius_km,
    })
}

fn read_radius(text: &str, path: &str, judge: &mut Judge) -> Option<f64> {
    let number = is_decimal(text).then(|| text.parse::<f64>().ok()).flatten();
    let Some(radius_km) = number else {
        let message = format!(
            "the radius ({}) must be a decimal number of kilometres",
            shown(text)
        );
        judge.find("bad-circle", path, message);
        return None;
    };
    if radius_km < 0.0 {
        judge.find("bad-circle", path, "the radius must not be negative");
        return None;
    }
    if radius_km > RADIUS_KM_MAX {
        let message = format!(
            "the radius ({}) is larger than half the Earth's circumference ({RADIUS_KM_MAX} km); \
             it is in kilometres",
            shown(text)
        );
        judge.find("circle-too-large", path, message);
        return None;
    }
    if radius_km == 0.0 {
        let message = "the circle has the radius 0: a point is no area that phones could be in; \
                       give a radius in kilometres";
        judge.find("circle-without-radius", path, message);
    }
    Some(radius_km)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::severity::Use;

    #[test]
    fn circles_are_a_pair_and_a_radius() {
        // One row per rule: text, code or none.
        let cases = [
            ("51.99,-2.16 1.5", None),
            ("51.99,-2.16 20038", None),
            ("-90,180 .5", None),
            ("51.99,-2.16  1.5", Some("circle-spacing")),
            (" 51.99,-2.16 1.5", Some("circle-spacing")),
            ("51.99,-2.16\n1.5", Some("circle-spacing")),
            ("51.99,-2.16 0", Some("circle-without-radius")),
            ("51.99,-2.16 -0.0", Some("circle-without-radius")),
            ("51.99,-2.16 -1", Some("bad-circle")),
            ("51.99,-2.16 20038.1", Some("circle-too-large")),
            ("51.99,-2.16 1e3", Some("bad-circle")),
            ("51.99,-2.16 NaN", Some("bad-circle")),
            ("51.99,-2.16 5km", Some("bad-circle")),
            ("51.99,-2.16", Some("bad-circle")),
            ("51.99 -2.16 1", Some("bad-circle")),
            ("91,0 1", Some("bad-circle")),
            ("0,181 1", Some("bad-circle")),
            ("", Some("bad-circle")),
        ];
        for (text, want) in cases {
            let mut judge = Judge::new(Use::Check, None);
            read(text, "p", &mut judge);
            let found = judge.into_list();
            assert_eq!(found.first().map(|f| f.code), want, "{text:?}");
        }
    }
}
