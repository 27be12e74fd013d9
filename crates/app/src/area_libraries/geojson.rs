//! Reading a GeoJSON FeatureCollection (RFC 7946) feature by feature.
//!
//! What it promises: memory for one feature at a time beside the text itself, whatever stands in
//! it; every size is bounded before it is built (properties too); what is wrong with a feature is
//! said of that feature and the next is read. What breaks the JSON itself ends the reading, with
//! its line and column.
//!
//! Not done: geometry collections, and coordinates of other systems than WGS 84 (refused where the
//! file names one; numbers that are no degrees are refused by their range).

use std::cell::RefCell;
use std::fmt;

use balefire_domain::shown::shown;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Bytes of the geometry of one feature: 50,000 points, written at length, have half of it.
const GEOMETRY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of all properties of one feature: parsed, they take up to sixteen times as much.
const PROPERTIES_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of a feature's own id.
const ID_BYTES_MAX: usize = 4 * 1024;
/// Bytes of what names the coordinates' system.
const CRS_BYTES_MAX: usize = 64 * 1024;
/// Characters of the file that a message shows.
const SHOWN_CHARS_MAX: usize = 80;
/// What names WGS 84 in the `crs` of older files.
const WGS_84: [&str; 5] = ["CRS84", "EPSG:4326", "EPSG::4326", "WGS84", "WGS 84"];

/// Rings of longitude and latitude; the first of a polygon is its outside, the others holes.
pub(crate) type Polygons = Vec<Vec<Vec<Position>>>;

/// A feature as it stands in the file.
pub(crate) struct Feature {
    /// Its properties.
    pub properties: Map<String, Value>,
    /// Its own id.
    pub id: Option<Value>,
    /// Its polygons, or why there are none.
    pub polygons: Result<Polygons, String>,
}

/// A feature, or why it can't be read at all.
pub(crate) type Given = Result<Feature, String>;

/// Longitude and latitude; a height is left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Position(pub f64, pub f64);

#[derive(Deserialize)]
struct RawFeature<'a> {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default, borrow)]
    geometry: Option<&'a RawValue>,
    #[serde(default, borrow)]
    properties: Option<&'a RawValue>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawGeometry<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default, borrow)]
    coordinates: Option<&'a RawValue>,
}

impl<'de> Deserialize<'de> for Position {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Position;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a pair of numbers, longitude and latitude")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Position, A::Error> {
                let missing = || A::Error::custom("a point has fewer than two numbers");
                let lon = seq.next_element()?.ok_or_else(missing)?;
                let lat = seq.next_element()?.ok_or_else(missing)?;
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Position(lon, lat))
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

/// Reads a FeatureCollection and gives each feature with its number, from 1, to `take`, which may
/// end the reading by saying why.
pub(crate) fn read_features(
    text: &[u8],
    take: impl FnMut(usize, Given) -> Result<(), String>,
) -> Result<(), String> {
    let taken = RefCell::new(take);
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut json = serde_json::Deserializer::from_slice(text);
    Collection(&taken)
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| error.to_string())
}

type Take<F> = RefCell<F>;
struct Collection<'t, F>(&'t Take<F>);
struct Features<'t, F>(&'t Take<F>);

impl<'de, F: FnMut(usize, Given) -> Result<(), String>> DeserializeSeed<'de> for Collection<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(usize, Given) -> Result<(), String>> Visitor<'de> for Collection<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a GeoJSON FeatureCollection")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let (mut has_features, mut kind) = (false, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "type" => kind = Some(map.next_value::<String>()?),
                "crs" => check_crs(map.next_value()?).map_err(A::Error::custom)?,
                "features" if has_features => {
                    return Err(A::Error::custom("there are two lists `features`"));
                }
                "features" => {
                    has_features = true;
                    map.next_value_seed(Features(self.0))?;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match kind.as_deref() {
            Some("FeatureCollection") if has_features => Ok(()),
            Some("FeatureCollection") => Err(A::Error::custom("it has no list `features`")),
            Some(_) | None => Err(A::Error::custom("it is no GeoJSON FeatureCollection")),
        }
    }
}

impl<'de, F: FnMut(usize, Given) -> Result<(), String>> DeserializeSeed<'de> for Features<'_, F> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(usize, Given) -> Result<(), String>> Visitor<'de> for Features<'_, F> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of features")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut number = 0;
        while let Some(feature) = seq.next_element::<RawFeature<'de>>()? {
            number += 1;
            (self.0.borrow_mut())(number, feature.read()).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

impl RawFeature<'_> {
    fn read(self) -> Result<Feature, String> {
        let properties = bounded(self.properties, PROPERTIES_BYTES_MAX, "properties")?;
        let is_feature = self.kind.as_deref() == Some("Feature");
        Ok(Feature {
            properties: properties.unwrap_or_default(),
            id: bounded(self.id, ID_BYTES_MAX, "id")?,
            polygons: if is_feature {
                read_polygons(self.geometry)
            } else {
                Err("it is no Feature".to_owned())
            },
        })
    }
}

/// A member of a feature, where there is one: its size is bounded before it is built.
fn bounded<T: DeserializeOwned>(
    raw: Option<&RawValue>,
    bytes_max: usize,
    name: &str,
) -> Result<Option<T>, String> {
    let Some(raw) = raw else {
        return Ok(None);
    };
    if raw.get().len() > bytes_max {
        return Err(format!("its `{name}` has more than {bytes_max} bytes"));
    }
    serde_json::from_str(raw.get()).map_err(|_| format!("its `{name}` can't be read"))
}

fn read_polygons(geometry: Option<&RawValue>) -> Result<Polygons, String> {
    let geometry = geometry.ok_or("it has no geometry")?;
    if geometry.get().len() > GEOMETRY_BYTES_MAX {
        return Err(format!(
            "its geometry is larger than {GEOMETRY_BYTES_MAX} bytes"
        ));
    }
    let geometry: Option<RawGeometry> = serde_json::from_str(geometry.get())
        .map_err(|_| "its geometry is no object with a type".to_owned())?;
    let geometry = geometry.ok_or("it has no geometry")?;
    let coordinates = geometry.coordinates.map_or("null", RawValue::get);
    let misread = |error: serde_json::Error| {
        let said = error.to_string();
        let what = said.split(" at line ").next().unwrap_or_default();
        format!(
            "its coordinates are not those of a {}: {what}",
            geometry.kind
        )
    };
    match geometry.kind.as_str() {
        "Polygon" => {
            let polygon = serde_json::from_str(coordinates).map_err(misread)?;
            Ok(vec![polygon])
        }
        "MultiPolygon" => serde_json::from_str(coordinates).map_err(misread),
        kind => {
            let kind = shown(kind, SHOWN_CHARS_MAX);
            Err(format!(
                "it is a {kind}, and areas are Polygons or MultiPolygons"
            ))
        }
    }
}

fn check_crs(crs: &RawValue) -> Result<(), String> {
    let crs: Option<Value> = bounded(Some(crs), CRS_BYTES_MAX, "crs")?;
    let name = crs.as_ref().and_then(|crs| crs.pointer("/properties/name"));
    match name.and_then(Value::as_str) {
        None => Ok(()),
        Some(name) if WGS_84.iter().any(|known| name.contains(known)) => Ok(()),
        Some(name) => {
            let name = shown(name, SHOWN_CHARS_MAX);
            Err(format!(
                "its coordinates are in {name}: convert them to longitude and latitude (WGS 84, \
                 EPSG:4326) first"
            ))
        }
    }
}
