//! Providers: what is declared about each mobile network (D15). Nothing about a provider is a
//! branch in code.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits;

/// A provider's name: 1 to 32 of `a-z`, `0-9`, `-` and `_`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProviderName(String);

/// Why a text is no provider's name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` can't be a provider's name: 1 to 32 of a-z, 0-9, - and _, beginning with a letter")]
pub struct InvalidProviderName(String);

impl ProviderName {
    /// Checks the spelling.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidProviderName> {
        let name = name.into();
        let ok = name.len() <= 32
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            && name != "all";
        if ok {
            Ok(Self(name))
        } else {
            Err(InvalidProviderName(name))
        }
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProviderName {
    type Error = InvalidProviderName;
    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::new(name)
    }
}

impl From<ProviderName> for String {
    fn from(name: ProviderName) -> Self {
        name.0
    }
}

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The message format that a provider's CBC speaks behind its proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// CAP 1.2.
    Cap,
    /// IBAG 1.0: the same with a message number.
    Ibag,
}

impl Format {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cap => "cap",
            Self::Ibag => "ibag",
        }
    }
}

/// A CBC site behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// The first site.
    CbcA,
    /// The second site.
    CbcB,
}

impl Site {
    /// The word on the wire (`cbc_target`).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CbcA => "cbc_a",
            Self::CbcB => "cbc_b",
        }
    }
}

/// One way to a provider: a proxy, and the CBC site behind it where the proxy serves two.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The function's name at the Lambda Invoke API.
    pub proxy: String,
    /// The site, where the proxy serves two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<Site>,
}

impl Route {
    /// `ee-1-proxy`, or `ee-1-proxy/cbc_a`: the route's name in tables and logs.
    pub fn name(&self) -> String {
        match self.site {
            None => self.proxy.clone(),
            Some(site) => format!("{}/{}", self.proxy, site.as_str()),
        }
    }
}

/// What a provider's proxies and CBCs can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capabilities {
    /// The same identifier twice is applied once.
    #[serde(default)]
    pub dedup: bool,
    /// The CBC sites share their state.
    #[serde(default)]
    pub shared_sites: bool,
    /// It takes an update in one message. Elsewhere a cancel and then an alert go out (ADR 17).
    /// Wants `dedup` and `shared_sites`: otherwise an old text could stay on the air or come back.
    #[serde(default)]
    pub update: bool,
    /// A bare success of the Invoke API counts as accepted.
    #[serde(default)]
    pub success_is_accepted: bool,
    /// The proxy is ours: it enforces `not_after` and answers with an outcome.
    #[serde(default)]
    pub own_protocol: bool,
    /// Several messages of one alert may be on the air at once: a second language goes out beside
    /// the first. Elsewhere phones get the first alone.
    #[serde(default)]
    pub second_language: bool,
}

/// How much of a shape a provider's CBC takes. What is above is made smaller at approval, or the
/// approval is refused: a refusal at the time of sending comes too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Polygons of one alert, 1 to 1,000.
    pub polygons: usize,
    /// Points of one alert in all, closing points counted, 4 to 50,000.
    pub points: usize,
    /// Decimals of a degree, 2 to 6: 6 are about 10 centimetres, 2 about a kilometre.
    pub decimals: u8,
}

impl Default for Limits {
    /// What the broadcast centres of the UK are known to take.
    fn default() -> Self {
        Self {
            polygons: limits::POLYGONS_MAX,
            points: 6_000,
            decimals: 6,
        }
    }
}

impl Limits {
    /// Whether so many polygons and points with up to 6 decimals may stay as they are.
    pub const fn takes_all(&self, polygons: usize, points: usize) -> bool {
        polygons <= self.polygons && points <= self.points && self.decimals >= 6
    }
}

/// The declared profile of one provider.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Profile {
    /// Its name.
    pub name: ProviderName,
    /// What its CBC speaks.
    pub format: Format,
    /// The ways to it, best first.
    pub routes: Vec<Route>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How long its proxy may keep trying after we stopped waiting (D25).
    pub upstream_timeout: Duration,
    /// What its `language` says for English and for Welsh (R59).
    pub languages: Languages,
    /// How much of a shape it takes.
    pub limits: Limits,
}

/// The spelling of the two languages at one provider (R59).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Languages {
    /// English, and all that is not Welsh.
    pub english: String,
    /// Welsh.
    pub welsh: String,
}

impl Languages {
    /// What the provider calls the language of this tag (RFC 3066): its own word for English and
    /// Welsh, the tag itself for any other.
    pub fn word_for<'a>(&'a self, tag: &'a str) -> &'a str {
        let primary = tag.split('-').next().unwrap_or(tag);
        if primary.eq_ignore_ascii_case("en") {
            &self.english
        } else if primary.eq_ignore_ascii_case("cy") {
            &self.welsh
        } else {
            tag
        }
    }

    /// `en-GB` and `cy-GB` for CAP, `English` and `Welsh` for IBAG.
    pub fn of(format: Format) -> Self {
        let (english, welsh) = match format {
            Format::Cap => ("en-GB", "cy-GB"),
            Format::Ibag => ("English", "Welsh"),
        };
        Self {
            english: english.to_owned(),
            welsh: welsh.to_owned(),
        }
    }
}
