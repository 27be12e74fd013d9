//! What a CAP Alert or Update says, made ready to be stored: its texts normalised and counted, its
//! polygons and circles checked and turned into the shape that will be sent.

use balefire_cap::Document;
use balefire_cap::alert::{Alert, Info};
use balefire_cap::rules::{AlertContent, AreaContent, Circle};
use balefire_cell_broadcast::{AlertText, TextRefusal};
use balefire_domain::approval::hex;
use balefire_domain::limits::{POINTS_MAX, REFERENCE_CHARS_MAX};
use balefire_domain::second_text::SecondText;
use balefire_geometry::{Point, Refusal, Shape};
use balefire_store::alerts::CapIdentity;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::submit_cap::SubmitRefusal;
use crate::{App, areas};

/// Metres in a kilometre: CAP gives a radius in kilometres, the geometry takes metres.
const KILOMETRE_M: f64 = 1_000.0;
/// Circles beside polygons of one document: each becomes 65 points.
const CIRCLES_MAX: usize = POINTS_MAX / 65;

pub(crate) struct Prepared {
    pub(crate) content: AlertContent,
    pub(crate) text: AlertText,
    pub(crate) second: Option<SecondText>,
    pub(crate) areas: Value,
    /// The fingerprint of the certificate that signed it, where a signature was demanded.
    pub(crate) signer: Option<String>,
    digest: String,
}

impl Prepared {
    pub(crate) fn identity(&self) -> CapIdentity {
        CapIdentity {
            sender: self.content.sender.clone(),
            identifier: self.content.identifier.clone(),
            sent: self.content.sent.at,
            digest: self.digest.clone(),
        }
    }
}

/// The digest of what a message says. Its signature says nothing: who repeats a document may have
/// signed it anew, and ECDSA gives another signature each time.
fn digest(alert: &Alert) -> String {
    let said = Alert {
        signatures: Vec::new(),
        ..alert.clone()
    };
    let said = serde_json::to_vec(&said).expect("a message can be written as JSON");
    hex(&Sha256::digest(&said))
}

impl App {
    /// Checks what the rules can't: texts and shapes.
    pub(crate) fn prepare_content(
        &self,
        document: &Document,
        content: AlertContent,
        signer: Option<String>,
    ) -> Result<Prepared, SubmitRefusal> {
        if content.identifier.chars().count() > REFERENCE_CHARS_MAX {
            return Err(SubmitRefusal::IdentifierTooLong);
        }
        let text = self.accept(&content.text).map_err(SubmitRefusal::Text)?;
        let second = self.second(&content)?;
        let said_areas = areas_once(document, &content);
        let shape = shape(&said_areas)?;
        let names: Vec<String> = said_areas.iter().map(|area| area.name.clone()).collect();
        let areas = areas::from_cap(&names, &shape);
        let digest = digest(&document.alert);
        Ok(Prepared {
            content,
            text,
            second,
            areas,
            signer,
            digest,
        })
    }

    fn accept(&self, text: &str) -> Result<AlertText, TextRefusal> {
        AlertText::accept(text, self.settings.scripts)
    }

    /// The second language, counted for itself.
    fn second(&self, content: &AlertContent) -> Result<Option<SecondText>, SubmitRefusal> {
        let Some(second) = &content.second else {
            return Ok(None);
        };
        let text = self.accept(&second.text).map_err(|refusal| {
            let language = second.language.clone();
            SubmitRefusal::SecondText { language, refusal }
        })?;
        Ok(Some(SecondText {
            first_language: content.language.clone(),
            language: second.language.clone(),
            content: second.text.clone(),
            text: text.into_string(),
        }))
    }
}

/// The areas, those that the second language only says again left out: its infos repeat the shapes
/// of the first's, under names of their own.
fn areas_once(document: &Document, content: &AlertContent) -> Vec<AreaContent> {
    let is_first = |info: &Info| {
        let language = info.language_or_default();
        language.eq_ignore_ascii_case(&content.language)
    };
    let infos = document.alert.infos.iter();
    let in_first = infos.flat_map(|info| info.areas.iter().map(move |_| is_first(info)));
    let (mut once, mut again) = (Vec::new(), Vec::new());
    for (area, is_first) in content.areas.iter().cloned().zip(in_first) {
        if is_first { &mut once } else { &mut again }.push(area);
    }
    for mut area in again {
        area.polygons
            .retain(|polygon| !once.iter().any(|known| known.polygons.contains(polygon)));
        area.circles
            .retain(|circle| !once.iter().any(|known| known.circles.contains(circle)));
        if !(area.polygons.is_empty() && area.circles.is_empty()) {
            once.push(area);
        }
    }
    once
}

/// The ground of all areas. Polygons that overlap each other are refused as they always were; a
/// circle may lie over anything, and is joined with what it meets.
fn shape(areas: &[AreaContent]) -> Result<Shape, SubmitRefusal> {
    let polygons: Vec<_> = areas
        .iter()
        .flat_map(|area| area.polygons.iter().cloned())
        .collect();
    let circles: Vec<_> = areas.iter().flat_map(|area| &area.circles).collect();
    let count = polygons.len() + circles.len();
    if count > CIRCLES_MAX.max(polygons.len()) {
        return Err(SubmitRefusal::Shape(Refusal::TooManyPolygons { count }));
    }
    let mut shapes = vec![Shape::validate(&polygons).map_err(SubmitRefusal::Shape)?];
    for circle in circles {
        shapes.push(circle_shape(circle).map_err(SubmitRefusal::Shape)?);
    }
    match shapes.as_slice() {
        [polygons] => Ok(polygons.clone()),
        shapes => Shape::union(shapes).map_err(SubmitRefusal::NotJoined),
    }
}

fn circle_shape(circle: &Circle) -> Result<Shape, Refusal> {
    let metres = circle.radius_km * KILOMETRE_M;
    // The rules refuse a centre that is nowhere.
    let centre =
        Point::from_degrees(circle.lat, circle.lon).ok_or(Refusal::CircleRadius { metres })?;
    Shape::circle(centre, metres)
}
