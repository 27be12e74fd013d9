//! `areas …` and `population …` on the command line.

use std::path::PathBuf;

use balefire_domain::area_names::Level;
use balefire_domain::ids::AlertId;
use clap::{Args, Subcommand, ValueEnum};

use super::word;

#[derive(Debug, Subcommand)]
pub(crate) enum AreasCommand {
    /// Print the shape that can be broadcast in place of a large one, as GeoJSON. Needs no
    /// database.
    ///
    /// At most 12 polygons and 250 points pass unchanged, rounded to 6 decimals. More are
    /// simplified to at most 250 points that cover the whole of what was asked for. `covers` says
    /// so and `grown_by_m2` what was added: at most 15 % for areas above 10 km in radius and 60 %
    /// below, or the command says what it missed and exits with 1.
    Simplify {
        /// GeoJSON: a Polygon, MultiPolygon, GeometryCollection, Feature or FeatureCollection, in
        /// degrees, longitude first, of at most 1,000 polygons and 50,000 points.
        file: PathBuf,
        /// What becomes of holes, which an alert can't have.
        #[arg(long, value_enum, default_value_t = HolesChoice::Cut)]
        holes: HolesChoice,
    },
    /// Import a library of areas from GeoJSON, as a new version. Older versions stay readable.
    ///
    /// Each area is checked and gets the simpler shape that would be sent for it: at most 250
    /// points, covering all of it. A file with a faulty feature is refused as a whole, each fault
    /// named by the feature's id. What is imported twice is stored once. Try it first with
    /// --dry-run: that says what would be imported, and where it lies.
    ///
    /// Example: balefire areas import countries.geojson --library ctry19 --id-field ctry19cd
    /// --name-field ctry19nm
    Import(Box<ImportAreas>),
    /// List the libraries with their versions; of a named library its areas.
    List {
        /// The library whose areas to list.
        library: Option<String>,
        /// Which of its versions; without it the latest.
        #[arg(long, requires = "library")]
        version: Option<u32>,
    },
    /// Show an area: its name, what it lies in, and its polygons.
    Show {
        /// The library.
        library: String,
        /// The area's id.
        area: String,
        /// Which version; without it the latest.
        #[arg(long)]
        version: Option<u32>,
    },
    /// Find areas by name, by place, or by the ground they share with a shape.
    Find(FindAreas),
    /// Say which few names the public is told for areas, or for a shape of its own.
    ///
    /// Wards are named by their authority. Of the authorities of one county more than three become
    /// the county; two or three do too where another county's authorities are among the areas, and
    /// are named one by one otherwise.
    Names {
        /// The library.
        library: String,
        /// An area's id; may be given several times.
        #[arg(
            long = "area",
            value_name = "ID",
            required_unless_present_any = ["overlaps", "alert"]
        )]
        areas: Vec<String>,
        /// A shape (GeoJSON, KML or well-known text): the areas that it overlaps.
        #[arg(long, value_name = "FILE", conflicts_with = "areas")]
        overlaps: Option<PathBuf>,
        /// An alert: the areas that it overlaps.
        #[arg(long, value_name = "ID", conflicts_with_all = ["areas", "overlaps"])]
        alert: Option<AlertId>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HolesChoice {
    /// A polygon with a hole is refused.
    Refuse,
    /// The hole's ground stays out: a slit of 0.1 to 0.3 m leads to it.
    Cut,
    /// The hole's ground is taken in.
    Fill,
}

impl From<HolesChoice> for balefire_geometry::Holes {
    fn from(choice: HolesChoice) -> Self {
        match choice {
            HolesChoice::Refuse => Self::Refuse,
            HolesChoice::Cut => Self::Cut,
            HolesChoice::Fill => Self::Fill,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportAreas {
    /// A GeoJSON FeatureCollection of Polygons and MultiPolygons, longitude before latitude (WGS
    /// 84).
    #[arg(required_unless_present = "builtin", conflicts_with = "builtin")]
    pub(crate) file: Option<PathBuf>,
    /// Import what Balefire brings along.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["id_field", "name_field",
        "parent_field", "level_field", "level"])]
    pub(crate) builtin: Option<Builtin>,
    /// What the library is called: letters, digits, `-`, `_` and `.`.
    #[arg(long, value_name = "ID", value_parser = library_name,
        required_unless_present = "builtin")]
    pub(crate) library: Option<String>,
    /// The property with an area's id; `id` also means the feature's own.
    #[arg(long, value_name = "FIELD", required_unless_present = "builtin")]
    pub(crate) id_field: Option<String>,
    /// The property with an area's name.
    #[arg(long, value_name = "FIELD", required_unless_present = "builtin")]
    pub(crate) name_field: Option<String>,
    /// The property with the id of the area that it lies in, of this or of another library.
    #[arg(long, value_name = "FIELD")]
    pub(crate) parent_field: Option<String>,
    /// What the areas are, for the names that the public is told: ward, authority, county or
    /// other.
    #[arg(long, default_value = "other", conflicts_with = "level_field",
        value_parser = word("ward, authority, county or other", Level::parse))]
    pub(crate) level: Level,
    /// The property that says so of each area.
    #[arg(long, value_name = "FIELD")]
    pub(crate) level_field: Option<String>,
    /// Leave faulty features out instead of refusing the file.
    #[arg(long)]
    pub(crate) skip_faulty: bool,
    /// Only say what would be imported.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// Libraries that Balefire brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Builtin {
    /// The world's countries, from Natural Earth (public domain), 1:50 million.
    Countries,
}

#[derive(Debug, Args)]
pub(crate) struct FindAreas {
    #[command(flatten)]
    pub(crate) by: FindBy,
    /// With --point: also areas within so many kilometres (of their bounding boxes).
    #[arg(long, value_name = "KM", requires = "point", value_parser = kilometres,
        conflicts_with_all = ["name", "overlaps", "alert"])]
    pub(crate) near: Option<f64>,
    /// Only in this library; without it in the latest version of every library.
    #[arg(long, value_name = "ID")]
    pub(crate) library: Option<String>,
    /// Which of its versions; without it the latest.
    #[arg(long, requires = "library")]
    pub(crate) version: Option<u32>,
}

/// What areas are found by: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct FindBy {
    /// A name, or how it begins; case and accents make no difference.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// A place: latitude and longitude in degrees, such as 53.79,-1.75.
    #[arg(long, value_name = "LAT,LON", allow_hyphen_values = true, value_parser = place)]
    pub(crate) point: Option<(f64, f64)>,
    /// A shape (GeoJSON, KML or well-known text): areas that share ground with it, and how much.
    #[arg(long, value_name = "FILE")]
    pub(crate) overlaps: Option<PathBuf>,
    /// An alert: areas that share ground with it, and how much.
    #[arg(long, value_name = "ID")]
    pub(crate) alert: Option<AlertId>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PopulationCommand {
    /// Import how many people, or phones, are where, as a new version.
    ///
    /// The file is GeoJSON (polygons with a count each) or a table (CSV) whose first line names its
    /// columns: `count`, and `lat`, `lon` with `size_m` or `size_degrees`; or `west`, `south`,
    /// `east`, `north`; or `wkt`. Cells must not overlap. The latest version is what
    /// `balefire alert show` and POST /populations count with. Give counts as they should be
    /// counted: a business district by its working day, for example.
    Import {
        /// The file.
        file: PathBuf,
        /// The property, or column, with the count.
        #[arg(long, value_name = "FIELD", default_value = "count")]
        count_field: String,
        /// Leave faulty cells out instead of refusing the file.
        #[arg(long)]
        skip_faulty: bool,
        /// Only say what would be imported.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the versions.
    List,
    /// Estimate how many phones a shape reaches, with what is received beyond its border.
    Estimate {
        /// A shape: GeoJSON, KML or well-known text.
        file: PathBuf,
    },
}

fn library_name(text: &str) -> Result<String, String> {
    let is_fine = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if (1..=64).contains(&text.len()) && text.chars().all(is_fine) {
        Ok(text.to_owned())
    } else {
        Err("it has 1 to 64 letters, digits, `-`, `_` and `.`".to_owned())
    }
}

fn place(text: &str) -> Result<(f64, f64), String> {
    let numbers = text.split_once(',').and_then(|(lat, lon)| {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        Some((number(lat)?, number(lon)?))
    });
    match numbers {
        Some((lat, lon)) if lat.abs() <= 90.0 && lon.abs() <= 180.0 => Ok((lat, lon)),
        _ => Err(
            "it is a latitude from -90 to 90 and a longitude from -180 to 180, such as \
                  53.79,-1.75"
                .to_owned(),
        ),
    }
}

fn kilometres(text: &str) -> Result<f64, String> {
    let km: Option<f64> = text.parse().ok();
    km.filter(|km| (0.0..=1_000.0).contains(km))
        .ok_or_else(|| "it is a number from 0 to 1,000".to_owned())
}
