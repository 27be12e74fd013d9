//! Areas of every generation (R33), and what they are here.
//!
//! What is sent is `simple_polygons` alone, and it is carried over number by number. Ids and names
//! are for people. In the generations that have a key `areas`, an author's application wrote ids
//! there and a document's reader wrote names: which of them it was, the alert's key tells.

use serde_json::{Map, Value, json};

use super::Refusal;
use crate::limits::{POINTS_MAX, POLYGONS_MAX};

const POLYGONS: &str = "simple_polygons";
/// The lists of texts that areas hold here.
const LISTS: [&str; 3] = ["ids", "names", "aggregate_names"];
/// Texts of one list, and characters of one.
const TEXTS_MAX: usize = 10_000;
const TEXT_CHARS_MAX: usize = 1_000;
/// Points of the least ring: three corners, the first again.
const RING_POINTS_MIN: usize = 4;

/// The areas as they are stored here. `is_by_key`: a document was sent with a key, by no person.
///
/// Refused are lists that are none, points that are no places, and more than we take.
pub fn areas(earlier: Option<&Value>, is_by_key: bool) -> Result<Value, Refusal> {
    let earlier = match earlier {
        None | Some(Value::Null) => return Ok(json!({})),
        Some(Value::Array(list)) if list.is_empty() => return Ok(json!({})),
        Some(Value::Object(object)) => object,
        Some(_) => {
            return Err(Refusal::of(
                "areas",
                "are neither an object nor an empty list",
            ));
        }
    };
    let mut here = Map::new();
    for key in LISTS {
        if let Some(list) = earlier.get(key).filter(|list| !list.is_null()) {
            here.insert(key.to_owned(), texts(key, list)?);
        }
    }
    if let Some(list) = earlier.get("areas").filter(|list| !list.is_null()) {
        let list = texts("areas", list)?;
        // What stands there under its right name already is newer.
        let name = if is_by_key { "names" } else { "ids" };
        here.entry(name).or_insert(list);
    }
    if is_by_key {
        // The backfill of old rows put a document's names under `ids`.
        let ids = here.remove("ids");
        if let Some(ids) = ids {
            here.entry("names").or_insert(ids);
        }
    }
    if let Some(polygons) = earlier.get(POLYGONS).filter(|polygons| !polygons.is_null()) {
        check_polygons(polygons)?;
        here.insert(POLYGONS.to_owned(), polygons.clone());
    }
    Ok(Value::Object(here))
}

/// The polygons of areas as [`areas`] gives them: rings of latitude and longitude.
pub fn polygons(areas: &Value) -> Vec<Vec<[f64; 2]>> {
    areas
        .get(POLYGONS)
        .and_then(|polygons| serde_json::from_value(polygons.clone()).ok())
        .unwrap_or_default()
}

fn texts(key: &str, list: &Value) -> Result<Value, Refusal> {
    let is_text = |one: &Value| {
        one.as_str()
            .is_some_and(|text| text.chars().count() <= TEXT_CHARS_MAX && !text.contains('\0'))
    };
    let list_is_sound = list
        .as_array()
        .is_some_and(|list| list.len() <= TEXTS_MAX && list.iter().all(is_text));
    if !list_is_sound {
        return Err(Refusal::of(
            "areas",
            &format!("have under `{key}` no list of texts"),
        ));
    }
    Ok(list.clone())
}

fn check_polygons(polygons: &Value) -> Result<(), Refusal> {
    let refused = |what: String| Refusal::of("areas", &what);
    let Some(rings) = polygons.as_array() else {
        return Err(refused("have polygons that are no list".to_owned()));
    };
    if rings.len() > POLYGONS_MAX {
        let count = rings.len();
        return Err(refused(format!(
            "have {count} polygons; {POLYGONS_MAX} are the most"
        )));
    }
    let mut points = 0;
    for (number, ring) in rings.iter().enumerate() {
        let ring = ring.as_array().map_or(&[][..], Vec::as_slice);
        points += ring.len();
        if ring.len() < RING_POINTS_MIN || !ring.iter().all(is_place) {
            let number = number + 1;
            return Err(refused(format!(
                "have a polygon {number} that is no list of {RING_POINTS_MIN} or more places"
            )));
        }
        if points > POINTS_MAX {
            return Err(refused(format!("have more than {POINTS_MAX} points")));
        }
    }
    Ok(())
}

/// A pair of numbers, latitude and longitude in degrees.
fn is_place(point: &Value) -> bool {
    let pair: Option<Vec<f64>> = point
        .as_array()
        .and_then(|pair| pair.iter().map(Value::as_f64).collect());
    matches!(pair.as_deref(), Some([lat, lon]) if lat.abs() <= 90.0 && lon.abs() <= 180.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ring() -> Value {
        json!([[[53.1, 0.1], [53.2, 0.1], [53.2, 0.244_127], [53.1, 0.1]]])
    }

    #[test]
    fn each_generation_becomes_ours() {
        let ring = ring();
        // generation, by a key, what it was, what it is here
        let rows = [
            ("a: empty list", false, json!([]), json!({})),
            ("a: empty object", false, json!({}), json!({})),
            ("a: null", false, Value::Null, json!({})),
            (
                "b: ids of an author",
                false,
                json!({"areas": ["wd1"], "simple_polygons": ring}),
                json!({"ids": ["wd1"], "simple_polygons": ring}),
            ),
            (
                "c: both",
                false,
                json!({"areas": ["wd1"], "ids": ["wd1", "wd2"], "simple_polygons": ring}),
                json!({"ids": ["wd1", "wd2"], "simple_polygons": ring}),
            ),
            (
                "d: names of a document",
                true,
                json!({"areas": ["River Steeping"], "simple_polygons": ring}),
                json!({"names": ["River Steeping"], "simple_polygons": ring}),
            ),
            (
                "d: names twice",
                true,
                json!({"areas": ["A"], "names": ["A"], "simple_polygons": ring}),
                json!({"names": ["A"], "simple_polygons": ring}),
            ),
            (
                "d: names that the backfill put under ids",
                true,
                json!({"ids": ["A"], "simple_polygons": ring}),
                json!({"names": ["A"], "simple_polygons": ring}),
            ),
            (
                "e: final of an author",
                false,
                json!({"ids": ["w"], "names": ["W"], "aggregate_names": ["X"],
                    "simple_polygons": ring}),
                json!({"ids": ["w"], "names": ["W"], "aggregate_names": ["X"],
                    "simple_polygons": ring}),
            ),
            (
                "e: final of a document",
                true,
                json!({"names": ["W"], "simple_polygons": ring}),
                json!({"names": ["W"], "simple_polygons": ring}),
            ),
        ];
        for (generation, is_by_key, was, want) in rows {
            let is = areas(Some(&was), is_by_key).expect(generation);
            assert_eq!(is, want, "{generation}");
            assert_eq!(
                areas(Some(&is), is_by_key),
                Ok(want),
                "{generation}, once more"
            );
        }
    }

    #[test]
    fn what_is_no_area_is_refused() {
        for bad in [
            json!("all"),
            json!(["wd1"]),
            json!({"simple_polygons": {}}),
            json!({"simple_polygons": [[]]}),
            json!({"simple_polygons": [[[1, 2], [1, 3], [1, 2]]]}),
            json!({"simple_polygons": [[[1, 2], [1, 3], [2, 3], [1]]]}),
            json!({"simple_polygons": [[[1, 2], [1, 3], [2, 3], [1, "2"]]]}),
            json!({"simple_polygons": [[[91, 2], [1, 3], [2, 3], [91, 2]]]}),
            json!({"simple_polygons": [[[1, 2], [1, 181], [2, 3], [1, 2]]]}),
            json!({"simple_polygons": [[[1, 2], [1, 3], [2, 3], [1, 2, 3]]]}),
            json!({"simple_polygons": vec![ring()[0].clone(); POLYGONS_MAX + 1]}),
            json!({"names": [1]}),
            json!({"ids": "wd1"}),
            json!({"areas": [null]}),
            json!({"names": ["a\u{0}"]}),
        ] {
            assert!(areas(Some(&bad), false).is_err(), "{bad:.80}");
        }
    }

    fn a_ring() -> impl Strategy<Value = Vec<[f64; 2]>> {
        prop::collection::vec((-90.0..=90.0_f64, -180.0..=180.0_f64), 3..9).prop_map(|points| {
            let mut ring: Vec<[f64; 2]> = points.into_iter().map(|(a, b)| [a, b]).collect();
            ring.push(ring[0]);
            ring
        })
    }

    proptest! {
        #[test]
        fn polygons_stay_as_they_are_whatever_the_generation(
            rings in prop::collection::vec(a_ring(), 0..5),
            names in prop::collection::vec("[a-zé ]{0,9}", 0..4),
            keys in prop::collection::btree_set(
                prop::sample::select(vec!["areas", "ids", "names", "aggregate_names"]), 0..4),
            is_by_key: bool,
        ) {
            let mut was = Map::new();
            for key in &keys {
                was.insert((*key).to_owned(), json!(names));
            }
            was.insert(POLYGONS.to_owned(), json!(rings));
            // As a database gives it back.
            let text = Value::Object(was).to_string();
            let read: Value = serde_json::from_str(&text).expect("our own JSON");
            let here = areas(Some(&read), is_by_key).expect("it is sound");
            prop_assert_eq!(here[POLYGONS].to_string(), json!(rings).to_string());
            prop_assert_eq!(polygons(&here), rings);
            let again: Value = serde_json::from_str(&here.to_string()).expect("our own JSON");
            prop_assert_eq!(areas(Some(&again), is_by_key).expect("sound"), here.clone());
            prop_assert!(here.get("areas").is_none());
            prop_assert!(!is_by_key || here.get("ids").is_none());
        }
    }
}
