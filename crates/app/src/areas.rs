//! Areas as JSON clients give them and as they are stored and answered.

use balefire_domain::provider::Limits;
use balefire_geometry::read::{Holes, geojson};
use balefire_geometry::{Reduction, Refusal, Shape, Unfit};
use serde_json::{Map, Value, json};

/// Why areas can't be taken.
#[derive(Clone, Debug, PartialEq)]
pub enum AreasRefusal {
    /// Not the object that the interface describes: what is wrong with it.
    Form(String),
    /// A polygon that is none.
    Shape(Refusal),
}

/// Rings of `[lat, lon]`.
pub(crate) type Polygons = Vec<Vec<[f64; 2]>>;

/// Points above which nothing is made to fit: an approval must not wait for the geometry.
const FITTED_POINTS_MAX: usize = 2_000;

const NAME_LISTS: [&str; 3] = ["ids", "names", "aggregate_names"];
const POLYGONS: &str = "simple_polygons";

/// Checks areas as a JSON client gives them, and puts the polygons that will be sent in place of
/// those that were given: rounded, and simplified above the limits of D22. Empty areas are allowed
/// here; what is refused without polygons is the submission (D12).
pub(crate) fn check(given: &Value) -> Result<Value, AreasRefusal> {
    let form = |what: String| AreasRefusal::Form(what);
    let object = match given {
        Value::Object(object) => object,
        // Old clients write an empty list for "no areas".
        Value::Array(list) if list.is_empty() => return Ok(json!({})),
        _ => return Err(form("areas is not of type object".to_owned())),
    };
    let mut checked = Map::new();
    for (key, value) in object {
        if NAME_LISTS.contains(&key.as_str()) {
            let is_names = value
                .as_array()
                .is_some_and(|names| names.iter().all(Value::is_string));
            if !is_names {
                return Err(form(format!("areas {key} is not a list of texts")));
            }
            checked.insert(key.clone(), value.clone());
        } else if key == POLYGONS {
            let shape = Shape::validate(&pairs(value)?).map_err(AreasRefusal::Shape)?;
            checked.insert(key.clone(), to_json(&shape));
        } else {
            let what = "areas Additional properties are not allowed";
            return Err(form(format!("{what} ({key} was unexpected)")));
        }
    }
    Ok(Value::Object(checked))
}

/// Areas for `check` from GeoJSON (RFC 7946): its polygons, holes kept out by slits, and the
/// names of the features that have one. Beside them what of the document is not in them, or why it
/// can't be read.
pub fn read_geojson(bytes: &[u8]) -> Result<(Value, Vec<String>), String> {
    let document: Value =
        serde_json::from_slice(bytes).map_err(|why| format!("this is no JSON: {why}"))?;
    let read = geojson::read_value(&document, Holes::Cut).map_err(|why| why.to_string())?;
    if read.shape.is_empty() {
        return Err("there is no polygon in it".to_owned());
    }
    let features = document["features"].as_array();
    let features = features.map_or(std::slice::from_ref(&document), Vec::as_slice);
    let name = |feature: &Value| feature["properties"]["name"].as_str().map(str::to_owned);
    let names: Vec<String> = features.iter().filter_map(name).collect();
    let areas = json!({ "names": names, POLYGONS: read.shape.to_pairs() });
    let remarks = read.remarks.iter().map(ToString::to_string);
    Ok((areas, remarks.collect()))
}

/// As [`check`], on a thread for long work: large areas take up to seconds, which no transaction
/// must hold its locks for.
pub(crate) async fn check_apart(given: Option<&Value>) -> Option<Result<Value, AreasRefusal>> {
    let given = given?.clone();
    let checked = tokio::task::spawn_blocking(move || check(&given)).await;
    Some(checked.expect("checking areas doesn't panic"))
}

/// Areas of a CAP document: names and the polygons that will be sent.
pub(crate) fn from_cap(names: &[String], shape: &Shape) -> Value {
    json!({ "names": names, POLYGONS: to_json(shape) })
}

fn to_json(shape: &Shape) -> Value {
    let broadcast = shape.for_broadcast();
    let (asked_points, points) = (shape.point_count(), broadcast.shape.point_count());
    match &broadcast.reduction {
        Reduction::NotNeeded => {}
        Reduction::Done { grown_area_m2, .. } => tracing::info!(
            event = "areas.simplified",
            asked_points,
            points,
            grown_area_m2,
            "a large area was simplified; the whole of what was asked for is covered"
        ),
        Reduction::NotPossible(obstacle) => tracing::warn!(
            event = "areas.not_simplified", points, reason = %obstacle,
            "a large area goes to the networks as it is"
        ),
    }
    json!(broadcast.shape.to_pairs())
}

fn pairs(value: &Value) -> Result<Vec<Vec<(f64, f64)>>, AreasRefusal> {
    let list = |value: &Value, what: String| {
        value
            .as_array()
            .cloned()
            .ok_or(AreasRefusal::Form(format!("areas {what} is not a list")))
    };
    let mut polygons = Vec::new();
    for (p, polygon) in list(value, POLYGONS.to_owned())?.iter().enumerate() {
        let mut points = Vec::new();
        for (n, point) in list(polygon, format!("polygon {}", p + 1))?
            .iter()
            .enumerate()
        {
            let numbers: Option<Vec<f64>> = point
                .as_array()
                .and_then(|pair| pair.iter().map(Value::as_f64).collect());
            let Some([lat, lon]) = numbers.as_deref() else {
                return Err(AreasRefusal::Form(format!(
                    "areas polygon {}, point {} is not a pair of numbers, latitude and longitude",
                    p + 1,
                    n + 1
                )));
            };
            points.push((*lat, *lon));
        }
        polygons.push(points);
    }
    Ok(polygons)
}

/// The polygons of stored areas: rings of `[lat, lon]`.
pub(crate) fn polygons(areas: &Value) -> Vec<Vec<[f64; 2]>> {
    areas
        .get(POLYGONS)
        .and_then(|polygons| serde_json::from_value(polygons.clone()).ok())
        .unwrap_or_default()
}

/// The shape of stored areas, an alert's or an update's; `None` where they can't be read.
pub fn stored_areas_shape(areas: &Value) -> Option<Shape> {
    let rings = polygons(areas);
    let pairs: Vec<Vec<(f64, f64)>> = rings
        .iter()
        .map(|ring| ring.iter().map(|at| (at[0], at[1])).collect())
        .collect();
    Shape::restore(&pairs).ok()
}

/// The polygons of stored areas as a provider takes them: as they are where they fit (D15), else
/// simpler ones that cover them. What doesn't fit is refused here, at approval, and never by a
/// broadcast centre afterwards.
pub(crate) fn fitted(polygons: &[Vec<[f64; 2]>], limits: &Limits) -> Result<Polygons, Unfit> {
    let points = polygons.iter().map(Vec::len).sum();
    let unfit = Unfit {
        polygons: polygons.len(),
        points,
        limits: *limits,
    };
    if limits.takes_all(polygons.len(), points) {
        return Ok(polygons.to_vec());
    }
    if points > FITTED_POINTS_MAX {
        return Err(unfit);
    }
    let pairs = |ring: &Vec<[f64; 2]>| ring.iter().map(|[lat, lon]| (*lat, *lon)).collect();
    let pairs: Vec<Vec<(f64, f64)>> = polygons.iter().map(pairs).collect();
    // Stored areas are valid.
    let shape = Shape::validate(&pairs).map_err(|_| unfit)?;
    Ok(shape.fit(limits)?.to_pairs())
}

/// Whether a payload's polygons are others than `approved`, and cover them.
pub(crate) fn is_simpler(payload: &str, approved: &[Vec<[f64; 2]>]) -> bool {
    let read: Value = serde_json::from_str(payload).unwrap_or_default();
    let areas = read["areas"].as_array().map(Vec::as_slice);
    let ring = |area: &Value| serde_json::from_value(area["polygon"].clone()).ok();
    let sent: Option<Polygons> = areas.unwrap_or_default().iter().map(ring).collect();
    let Some(sent) = sent.filter(|sent| !sent.is_empty() && sent != approved) else {
        return false;
    };
    let shape = |polygons: &[Vec<[f64; 2]>]| {
        let pairs = |ring: &Vec<[f64; 2]>| ring.iter().map(|[lat, lon]| (*lat, *lon)).collect();
        Shape::validate(&polygons.iter().map(pairs).collect::<Vec<Vec<_>>>())
    };
    match (shape(&sent), shape(approved)) {
        (Ok(sent), Ok(approved)) => sent.covers(&approved),
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// The names of stored areas.
pub(crate) fn names(areas: &Value) -> Vec<String> {
    areas
        .get("names")
        .and_then(|names| serde_json::from_value(names.clone()).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_of_json_clients_are_checked_where_they_come_in() {
        let ring = json!([[53.0, 0.0], [53.1, 0.0], [53.1, 0.1], [53.0, 0.0]]);
        for (given, want) in [
            (json!({}), Ok(json!({}))),
            (json!([]), Ok(json!({}))),
            (
                json!({"ids": ["a"], "names": ["A"]}),
                Ok(json!({"ids": ["a"], "names": ["A"]})),
            ),
            (
                json!({"simple_polygons": [ring]}),
                Ok(json!({"simple_polygons": [ring]})),
            ),
            (json!([1]), Err("areas is not of type object")),
            (
                json!({"names": "A"}),
                Err("areas names is not a list of texts"),
            ),
            (
                json!({"simple_polygons": 1}),
                Err("areas simple_polygons is not a list"),
            ),
            (
                json!({"simple_polygons": [1]}),
                Err("areas polygon 1 is not a list"),
            ),
            (
                json!({"simple_polygons": [[["a", 1]]]}),
                Err("areas polygon 1, point 1 is not a pair of numbers, latitude and longitude"),
            ),
            (
                json!({"wkt": ""}),
                Err("areas Additional properties are not allowed (wkt was unexpected)"),
            ),
        ] {
            let want = want.map_err(|what| AreasRefusal::Form(what.to_owned()));
            assert_eq!(check(&given), want, "{given}");
        }
    }

    #[test]
    fn a_polygon_that_is_none_is_refused() {
        let open = json!({"simple_polygons": [[[53.0, 0.0], [53.1, 0.0], [53.1, 0.1]]]});
        assert!(matches!(check(&open), Err(AreasRefusal::Shape(_))));
    }

    #[test]
    fn a_payload_is_simpler_where_its_polygons_are_others_and_cover() {
        let small = vec![vec![[53.0, 0.0], [53.1, 0.0], [53.1, 0.1], [53.0, 0.0]]];
        let large = json!([[52.9, -0.1], [53.3, -0.1], [53.3, 0.3], [52.9, -0.1]]);
        let beside = json!([[54.0, 0.0], [54.1, 0.0], [54.1, 0.1], [54.0, 0.0]]);
        for (what, areas, want) in [
            ("the same", json!([{ "polygon": small[0] }]), false),
            ("a larger one", json!([{ "polygon": large }]), true),
            ("one beside", json!([{ "polygon": beside }]), false),
            ("none", json!([]), false),
            ("nonsense", json!([{ "polygon": 1 }]), false),
        ] {
            let payload = json!({ "areas": areas }).to_string();
            assert_eq!(is_simpler(&payload, &small), want, "{what}");
        }
        assert!(!is_simpler("{", &small));
    }

    #[test]
    fn geojson_gives_polygons_with_the_latitude_first_and_the_names_of_features() {
        let ring = json!([[1.0, 50.0], [2.0, 50.0], [2.0, 51.0], [1.0, 50.0]]);
        let far = json!([[5.0, 50.0], [6.0, 50.0], [6.0, 51.0], [5.0, 50.0]]);
        let polygon = json!({ "type": "Polygon", "coordinates": [ring] });
        let both = json!({ "type": "MultiPolygon", "coordinates": [[ring], [far]] });
        let named = json!({ "type": "Feature", "properties": { "name": "Here" },
            "geometry": polygon });
        let unnamed = json!({ "type": "Feature", "properties": null,
            "geometry": { "type": "Polygon", "coordinates": [far] } });
        let features = json!({ "type": "FeatureCollection", "features": [named, unnamed] });
        for (what, given, names, count) in [
            ("a polygon", polygon, json!([]), 1),
            ("several", both, json!([]), 2),
            ("a feature", named, json!(["Here"]), 1),
            ("features", features, json!(["Here"]), 2),
        ] {
            let (areas, remarks) = read_geojson(given.to_string().as_bytes()).expect(what);
            assert_eq!(areas["names"], names, "{what}");
            let polygons = areas[POLYGONS].as_array().expect("a list");
            assert_eq!(polygons.len(), count, "{what}");
            let first: Vec<[f64; 2]> = serde_json::from_value(polygons[0].clone()).expect("pairs");
            assert!(first.contains(&[50.0, 1.0]), "{what}: {first:?}");
            assert!(remarks.is_empty() && check(&areas).is_ok(), "{what}");
        }
        for (given, want) in [
            (r#"{"type":"Point","coordinates":[1,2]}"#, "Point"),
            (
                r#"{"type":"FeatureCollection","features":[]}"#,
                "no polygon",
            ),
            ("{", "JSON"),
        ] {
            let why = read_geojson(given.as_bytes()).expect_err(given);
            assert!(why.contains(want), "{given}: {why}");
        }
    }
}
