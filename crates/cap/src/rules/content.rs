//! What is used of an accepted message.

use crate::date::DateTime;
use crate::finding::Finding;
use crate::references::Reference;

/// What an accepted message says, and what its sender should know.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted<T> {
    /// What is used of it.
    pub content: T,
    /// Findings that are no errors.
    pub warnings: Vec<Finding>,
}

/// What is used of an accepted Alert.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertContent {
    /// Identity, first part; also the alert's reference (R28).
    pub identifier: String,
    /// Identity, second part.
    pub sender: String,
    /// Identity, third part: compare its instant.
    pub sent: DateTime,
    /// The event of the first info.
    pub event: String,
    /// The description of the first info, as written; not blank.
    pub text: String,
    /// The language of the first info; `en-US` where none is written.
    pub language: String,
    /// What the first info in another language says, if there is one.
    pub second: Option<LanguageText>,
    /// The areas of all infos; each has at least one polygon or circle.
    pub areas: Vec<AreaContent>,
}

/// The same warning in a second language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageText {
    /// Its language; `en-US` where none is written.
    pub language: String,
    /// Its description, as written; not blank.
    pub text: String,
    /// Its headline, as written.
    pub headline: Option<String>,
}

/// What is used of an area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaContent {
    /// Its areaDesc.
    pub name: String,
    /// Closed rings of at least four `(lat, lon)` pairs in degrees, WGS 84, in range. Whether they
    /// are shapes (no crossing, some area) is for the `geometry` crate to say.
    pub polygons: Vec<Vec<(f64, f64)>>,
    /// Circles; the radius of each is above 0.
    pub circles: Vec<Circle>,
}

/// A point with everything around it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Latitude of its centre in degrees, WGS 84, -90 to 90.
    pub lat: f64,
    /// Longitude of its centre in degrees, WGS 84, -180 to 180.
    pub lon: f64,
    /// Its radius in kilometres, at most half the Earth's circumference.
    pub radius_km: f64,
}

/// What is used of an accepted Update.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateContent {
    /// What the alert is to say from now on, and the identity of this message.
    pub alert: AlertContent,
    /// The messages that it changes; at least one.
    pub references: Vec<Reference>,
}

/// What is used of an accepted Cancel.
#[derive(Clone, Debug, PartialEq)]
pub struct CancelContent {
    /// Identity, first part.
    pub identifier: String,
    /// Identity, second part.
    pub sender: String,
    /// Identity, third part.
    pub sent: DateTime,
    /// The messages to end; at least one.
    pub references: Vec<Reference>,
}
