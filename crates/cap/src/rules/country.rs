//! Where a service's country lies, to notice latitude and longitude exchanged (C10).

use super::judge::Judge;

/// A box around a country in degrees, WGS 84. It doesn't go over the antimeridian.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Country {
    /// Its least latitude.
    pub south: f64,
    /// Its least longitude.
    pub west: f64,
    /// Its greatest latitude.
    pub north: f64,
    /// Its greatest longitude.
    pub east: f64,
}

impl Country {
    /// Reads `south,west,north,east` in degrees; `None` where that is no box.
    pub fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(',').map(|number| number.trim().parse::<f64>());
        let mut next = |limit: f64| {
            let degrees = numbers.next()?.ok()?;
            (degrees.abs() <= limit).then_some(degrees)
        };
        let (south, west, north, east) = (next(90.0)?, next(180.0)?, next(90.0)?, next(180.0)?);
        let is_box = south < north && west < east && numbers.next().is_none();
        is_box.then_some(Self {
            south,
            west,
            north,
            east,
        })
    }

    fn holds(&self, (lat, lon): (f64, f64)) -> bool {
        (self.south..=self.north).contains(&lat) && (self.west..=self.east).contains(&lon)
    }
}

/// Warns when no point of a shape lies in the country: with latitude and longitude exchanged, or
/// wherever it may be.
pub(super) fn check(points: &[(f64, f64)], path: &str, judge: &mut Judge) {
    let Some(country) = judge.country else { return };
    if points.is_empty() || points.iter().any(|point| country.holds(*point)) {
        return;
    }
    if points.iter().any(|(lat, lon)| country.holds((*lon, *lat))) {
        let message = "latitude and longitude seem to be exchanged: as written this lies outside \
                       the country, the other way round inside; latitude comes first";
        judge.find("lat-lon-swapped", path, message);
    } else {
        let message = "this lies wholly outside the country";
        judge.find("outside-country", path, message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::severity::Use;

    /// Points, and the code of what is found.
    type Row<'a> = (&'a [(f64, f64)], Option<&'a str>);

    #[test]
    fn a_country_is_a_box_of_four_numbers() {
        let uk = Country::parse("49, -9,61,2.5").expect("it is a box");
        assert!(uk.holds((52.0, -2.0)) && !uk.holds((-2.0, 52.0)));
        for text in [
            "",
            "49,-9,61",
            "49,-9,61,2.5,1",
            "61,-9,49,2.5",
            "49,2.5,61,-9",
            "a,b,c,d",
        ] {
            assert_eq!(Country::parse(text), None, "{text}");
        }
        for text in ["49,-9,91,2.5", "NaN,-9,61,2.5", "49,-9,61,inf"] {
            assert_eq!(Country::parse(text), None, "{text}");
        }
    }

    #[test]
    fn exchanged_and_foreign_points_are_told_apart() {
        let uk = Country {
            south: 49.0,
            west: -9.0,
            north: 61.0,
            east: 2.5,
        };
        let cases: [Row; 4] = [
            (&[(52.0, -2.0), (10.0, 10.0)], None),
            (&[(-2.0, 52.0), (-2.1, 52.1)], Some("lat-lon-swapped")),
            (&[(10.0, 10.0)], Some("outside-country")),
            (&[], None),
        ];
        for (points, want) in cases {
            let mut judge = Judge::new(Use::Check, Some(uk));
            check(points, "p", &mut judge);
            let found = judge.into_list();
            assert_eq!(found.first().map(|f| f.code), want, "{points:?}");
        }
        let mut judge = Judge::new(Use::Check, None);
        check(&[(10.0, 10.0)], "p", &mut judge);
        assert!(judge.into_list().is_empty());
    }
}
