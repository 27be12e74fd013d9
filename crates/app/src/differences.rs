//! What a network will get otherwise than the approver reads it: the first of two languages alone,
//! or a simpler area. Told before anybody decides; nothing of it is refused here.

use std::fmt;

use balefire_domain::provider::ProviderName;
use balefire_domain::second_text::SecondText;
use balefire_geometry::{Shape, Unfit};
use serde_json::Value;

use crate::{App, areas};

/// Square metres of a square kilometre.
const KM2: f64 = 1_000_000.0;

/// One way in which what a network gets differs from what is approved.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// It carries one language, and the alert has two.
    OneLanguage,
    /// It takes less of a shape: a simpler one goes out, which covers the whole.
    SimplerArea {
        /// Points of the simpler one, closing points counted.
        points: usize,
        /// Square metres that it has and the approved one does not.
        more_m2: f64,
    },
    /// It can't take the area, nor a simpler one: an approval will be refused.
    Unfit(Unfit),
    /// The configuration has it no more: what is for it waits.
    Unknown,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneLanguage => f.write_str("gets the first language alone: it can't carry two"),
            Self::SimplerArea { points, more_m2 } => write!(
                f,
                "gets a simpler area of {points} points, which covers the whole and {:.3} km2 more",
                more_m2 / KM2
            ),
            Self::Unfit(unfit) => write!(f, "can't take it, and no approval counts: {unfit}"),
            Self::Unknown => f.write_str(
                "is in the configuration no more: what is for it waits, with the first language \
                 alone",
            ),
        }
    }
}

impl App {
    /// What differs at each of these networks, if these areas and languages were approved now.
    pub fn list_differences(
        &self,
        stored_areas: &Value,
        second: Option<&SecondText>,
        networks: &[ProviderName],
    ) -> Vec<(ProviderName, Difference)> {
        let polygons = areas::polygons(stored_areas);
        let of_network = |name: &ProviderName| {
            let Some(profile) = self.settings.profile(name) else {
                return vec![(name.clone(), Difference::Unknown)];
            };
            let is_cut = second.is_some() && !profile.capabilities.second_language;
            let language = is_cut.then_some(Difference::OneLanguage);
            let area = match areas::fitted(&polygons, &profile.limits) {
                Ok(fitted) if fitted == polygons => None,
                Ok(fitted) => Some(Difference::SimplerArea {
                    points: fitted.iter().map(Vec::len).sum(),
                    more_m2: area_m2(&fitted) - area_m2(&polygons),
                }),
                Err(unfit) => Some(Difference::Unfit(unfit)),
            };
            let both = language.into_iter().chain(area);
            both.map(|difference| (name.clone(), difference)).collect()
        };
        networks.iter().flat_map(of_network).collect()
    }
}

/// Square metres of polygons; 0 of such as can't be read.
fn area_m2(polygons: &areas::Polygons) -> f64 {
    let pairs = |ring: &Vec<[f64; 2]>| ring.iter().map(|[lat, lon]| (*lat, *lon)).collect();
    let pairs: Vec<Vec<(f64, f64)>> = polygons.iter().map(pairs).collect();
    Shape::restore(&pairs).map_or(0.0, |shape| shape.area_m2())
}
