//! What the public is told of an alert's area: few names that people know, instead of many wards.
//!
//! Wards are named by their authority. Of the authorities of one county, more than three become the
//! county; two or three are named one by one where the alert touches no other county's, and become
//! the county otherwise; a single one keeps its name. Whatever has no county above it, and whatever
//! is of no known level, is named by itself. A county that was chosen as a whole stands for its
//! authorities.

use std::collections::{BTreeMap, BTreeSet};

/// How many authorities of one county are named one by one at most.
const AUTHORITIES_NAMED_MAX: usize = 3;

/// What kind of area one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// A part of an authority that few people know by name.
    Ward,
    /// A local authority: a district, or one with no county above it.
    Authority,
    /// A county: authorities lie in it.
    County,
    /// Anything else: a country, a flood area, a site.
    #[default]
    Other,
}

impl Level {
    /// The word for it: `ward`, `authority`, `county`, `other`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ward => "ward",
            Self::Authority => "authority",
            Self::County => "county",
            Self::Other => "other",
        }
    }

    /// The level of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Ward, Self::Authority, Self::County, Self::Other]
            .into_iter()
            .find(|level| level.as_str() == word)
    }
}

/// An area as far as its name goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is.
    pub level: Level,
    /// The id of the area that it lies in.
    pub parent: Option<String>,
}

/// The names to publish for these areas, sorted, none twice. `find` gives the place of an id; a
/// parent that it does not know counts as absent.
pub fn aggregate(chosen: &[Place], find: impl Fn(&str) -> Option<Place>) -> Vec<String> {
    let parent = |place: &Place| place.parent.as_deref().and_then(&find);
    let authority_of = |place: &Place| match place.level {
        Level::Ward => parent(place).unwrap_or_else(|| place.clone()),
        Level::Authority | Level::County | Level::Other => place.clone(),
    };
    let mut alone: BTreeMap<String, String> = BTreeMap::new();
    let mut counties: BTreeMap<String, (Place, BTreeMap<String, String>)> = BTreeMap::new();
    for place in chosen.iter().map(authority_of) {
        let county = parent(&place)
            .filter(|over| place.level == Level::Authority && over.level == Level::County);
        match county {
            Some(county) => {
                let entry = counties.entry(county.id.clone());
                let (_, authorities) = entry.or_insert_with(|| (county, BTreeMap::new()));
                authorities.insert(place.id, place.name);
            }
            None => {
                alone.insert(place.id, place.name);
            }
        }
    }
    counties.retain(|id, _| !alone.contains_key(id));
    let is_only_one = counties.len() == 1;
    let mut names: BTreeSet<String> = alone.into_values().collect();
    for (county, authorities) in counties.into_values() {
        let is_named_singly =
            authorities.len() == 1 || (authorities.len() <= AUTHORITIES_NAMED_MAX && is_only_one);
        if is_named_singly {
            names.extend(authorities.into_values());
        } else {
            names.insert(county.name);
        }
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counties with five and three districts, a unitary authority, wards in all, and a site.
    fn places() -> BTreeMap<String, Place> {
        let rows = [
            ("lincs", Level::County, None),
            ("norfolk", Level::County, None),
            ("leeds", Level::Authority, None),
            ("boston", Level::Authority, Some("lincs")),
            ("lincoln", Level::Authority, Some("lincs")),
            ("lindsey", Level::Authority, Some("lincs")),
            ("holland", Level::Authority, Some("lincs")),
            ("kesteven", Level::Authority, Some("lincs")),
            ("norwich", Level::Authority, Some("norfolk")),
            ("breckland", Level::Authority, Some("norfolk")),
            ("broadland", Level::Authority, Some("norfolk")),
            ("skirbeck", Level::Ward, Some("boston")),
            ("fenside", Level::Ward, Some("boston")),
            ("wainfleet", Level::Ward, Some("lindsey")),
            ("headingley", Level::Ward, Some("leeds")),
            ("lost", Level::Ward, Some("nowhere")),
            ("loose", Level::Ward, None),
            ("sizewell", Level::Other, Some("norfolk")),
        ];
        let place = |(id, level, parent): (&str, Level, Option<&str>)| {
            let (id, parent) = (id.to_owned(), parent.map(str::to_owned));
            let name = id.to_uppercase();
            (
                id.clone(),
                Place {
                    id,
                    name,
                    level,
                    parent,
                },
            )
        };
        rows.map(place).into()
    }

    #[test]
    fn many_areas_become_few_names() {
        // What was chosen, and what is published.
        let rows: &[(&[&str], &[&str])] = &[
            (&[], &[]),
            (&["skirbeck"], &["BOSTON"]),
            (&["skirbeck", "fenside"], &["BOSTON"]),
            (&["skirbeck", "boston"], &["BOSTON"]),
            (&["skirbeck", "wainfleet"], &["BOSTON", "LINDSEY"]),
            (
                &["boston", "lincoln", "lindsey"],
                &["BOSTON", "LINCOLN", "LINDSEY"],
            ),
            (&["boston", "lincoln", "lindsey", "holland"], &["LINCS"]),
            (&["boston", "lincoln", "norwich"], &["LINCS", "NORWICH"]),
            (
                &["boston", "lincoln", "norwich", "breckland"],
                &["LINCS", "NORFOLK"],
            ),
            (&["boston", "norwich"], &["BOSTON", "NORWICH"]),
            (
                &["boston", "lincoln", "headingley"],
                &["BOSTON", "LEEDS", "LINCOLN"],
            ),
            (&["headingley"], &["LEEDS"]),
            (&["lincs"], &["LINCS"]),
            (&["lincs", "skirbeck"], &["LINCS"]),
            (
                &["lincs", "norwich", "breckland"],
                &["BRECKLAND", "LINCS", "NORWICH"],
            ),
            (&["lost", "loose"], &["LOOSE", "LOST"]),
            (&["sizewell", "norwich"], &["NORWICH", "SIZEWELL"]),
        ];
        let places = places();
        for (chosen, want) in rows {
            let chosen: Vec<Place> = chosen.iter().map(|id| places[*id].clone()).collect();
            let names = aggregate(&chosen, |id| places.get(id).cloned());
            assert_eq!(names, *want, "{chosen:?}");
        }
    }

    #[test]
    fn a_level_is_written_as_it_is_read() {
        for level in [Level::Ward, Level::Authority, Level::County, Level::Other] {
            assert_eq!(Level::parse(level.as_str()), Some(level));
        }
        assert_eq!(Level::parse("Ward"), None);
    }
}
