//! Telephone numbers, links and addresses in a text, and what else its approver should look at
//! twice.
//!
//! A wrong number in an alert sends a country to somebody's telephone; a wrong link, to anybody's
//! page. So all of them are listed, and what the service's own list ([`Allowed`]) lacks is a
//! warning. The search would rather list a price than miss a number: a needless line costs the
//! approver a look.
//!
//! Found as links: names with a scheme or `www.`, numeric addresses, and names whose end is a
//! country's or a usual one, as phones make these into links without being asked. Not found:
//! numbers in words, and links broken by spaces. Not judged: whether a name of plain letters
//! imitates another (`g0v.uk`); the list shows that it is not the service's.

mod hosts;
mod links;
mod numbers;

use std::collections::BTreeSet;

pub use hosts::{InvalidHost, parse_host};
pub use numbers::{InvalidNumber, parse_number};

use crate::characters;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactKind {
    /// A telephone number.
    Number,
    /// A link.
    Link,
    /// An e-mail address.
    Email,
    /// A word of letters of several alphabets.
    MixedWord,
    /// An invisible character that the text's script may need.
    Invisible,
}

impl FactKind {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Link => "link",
            Self::Email => "email",
            Self::MixedWord => "mixed-word",
            Self::Invisible => "invisible",
        }
    }
}

/// Something in a text that its approver should look at.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fact {
    /// What it is.
    pub kind: FactKind,
    /// As it stands in the text; an invisible character as `U+200D`.
    pub text: String,
    /// Where it begins: in characters of the text as it is sent, the first one being 1.
    pub position: usize,
    /// What is compared with the service's list: digits with a `+` where one was written, or the
    /// name of the host in lower case. Empty for what no list allows.
    pub value: String,
    /// What is odd about it, in plain words.
    pub oddities: Vec<&'static str>,
}

/// The telephone numbers and hosts of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// As [`parse_number`] gives them.
    pub numbers: BTreeSet<String>,
    /// As [`parse_host`] gives them. Each stands for its subdomains too.
    pub hosts: BTreeSet<String>,
}

impl Fact {
    /// Whether the service's list has it.
    pub fn is_allowed(&self, allowed: &Allowed) -> bool {
        match self.kind {
            FactKind::Number => allowed.numbers.contains(&self.value),
            FactKind::Link | FactKind::Email => {
                let is_below = |own: &String| {
                    let above = self.value.strip_suffix(own.as_str());
                    above.is_some_and(|above| above.is_empty() || above.ends_with('.'))
                };
                allowed.hosts.iter().any(is_below)
            }
            FactKind::MixedWord | FactKind::Invisible => false,
        }
    }

    /// What the approver is warned of, in plain words; nothing where all is well.
    pub fn warnings(&self, allowed: &Allowed) -> Vec<String> {
        let (text, position) = (&self.text, self.position);
        let missing = match self.kind {
            _ if self.is_allowed(allowed) => None,
            FactKind::Number => Some(format!(
                "the number {text} at position {position} is not on the service's list: ring it \
                 before you approve"
            )),
            FactKind::Link => Some(format!(
                "the link {text} at position {position} leads to {}, which is not on the \
                 service's list: open it before you approve",
                self.value
            )),
            FactKind::Email => Some(format!(
                "the address {text} at position {position} is at {}, which is not on the \
                 service's list",
                self.value
            )),
            FactKind::MixedWord => Some(format!(
                "the word {text} at position {position} has letters of several alphabets that may \
                 look alike"
            )),
            FactKind::Invisible => Some(format!(
                "the text has the invisible character {text} at position {position}"
            )),
        };
        let odd = self.oddities.iter();
        let odd = odd.map(|oddity| format!("{text} at position {position}: {oddity}"));
        missing.into_iter().chain(odd).collect()
    }
}

/// All that a text, as it is sent, shows or hides of this kind, by place.
pub fn facts(text: &str) -> Vec<Fact> {
    let chars: Vec<char> = text.chars().collect();
    let links = links::find(&chars);
    let mut facts: Vec<Fact> = numbers::find(&chars)
        .into_iter()
        .filter(|number| !links.iter().any(|link| link.overlaps(&number.place)))
        .map(|number| Fact {
            kind: FactKind::Number,
            text: chars[number.place.clone()].iter().collect(),
            position: number.place.start + 1,
            value: number.value,
            oddities: Vec::new(),
        })
        .collect();
    facts.extend(mixed_words(&chars, &links));
    facts.extend(invisible(&chars));
    facts.extend(links.into_iter().map(|link| link.into_fact(&chars)));
    facts.sort_by_key(|fact| (fact.position, fact.kind));
    facts
}

/// The first letter of another alphabet in each link whose host mixes alphabets, or looks like
/// plain letters without being any: places from 0. Such a text is refused.
pub(crate) fn misleading_letters(text: &[char]) -> Vec<(usize, char)> {
    // Nothing but ASCII misleads nobody in this way, and is nearly every text.
    if text.iter().all(char::is_ascii) {
        return Vec::new();
    }
    let links = links::find(text);
    links
        .iter()
        .filter_map(|link| link.misleading(text))
        .collect()
}

fn mixed_words(chars: &[char], links: &[links::Link]) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut start = 0;
    while start < chars.len() {
        let rest = &chars[start..];
        let length = rest.iter().take_while(|ch| ch.is_alphabetic()).count();
        let word: String = rest[..length].iter().collect();
        let place = start..start + length;
        if !word.is_ascii()
            && hosts::mixes_alphabets(&word)
            && !links.iter().any(|link| link.overlaps(&place))
        {
            facts.push(Fact {
                kind: FactKind::MixedWord,
                text: word,
                position: start + 1,
                value: String::new(),
                oddities: Vec::new(),
            });
        }
        start += length.max(1);
    }
    facts
}

fn invisible(chars: &[char]) -> impl Iterator<Item = Fact> {
    let hidden = chars.iter().enumerate().filter(|&(_, &ch)| {
        characters::is_joiner(ch)
            || characters::is_direction_mark(ch)
            || characters::is_selector(ch)
    });
    hidden.map(|(index, &ch)| Fact {
        kind: FactKind::Invisible,
        text: format!("U+{:04X}", u32::from(ch)),
        position: index + 1,
        value: String::new(),
        oddities: Vec::new(),
    })
}
