//! Links and e-mail addresses in a text.

use std::ops::Range;

use super::hosts;
use super::{Fact, FactKind};

/// What ends a link or stands around it.
const AROUND: &str = "\"'()<>[]{}|\u{201C}\u{201D}\u{300A}\u{300B}\u{300C}\u{300D}\u{FF08}\u{FF09}";
/// What ends a sentence, and no link.
const AT_END: &str = ".,;:!?*-\u{3002}\u{FF0C}\u{FF0E}\u{FF01}\u{FF1F}\u{061F}\u{060C}";

/// A link or an address: places in the text, counted from 0.
#[derive(Clone, Debug)]
pub(super) struct Link {
    place: Range<usize>,
    host: Range<usize>,
    is_email: bool,
    has_user: bool,
}

/// All links and addresses, by place.
pub(super) fn find(text: &[char]) -> Vec<Link> {
    let mut links = Vec::new();
    let mut start = 0;
    for word in text.split(|ch| ch.is_whitespace() || AROUND.contains(*ch)) {
        let place = start..start + word.len();
        start = place.end + 1;
        // Without a dot or a colon there is neither a name nor a scheme.
        if word
            .iter()
            .any(|&ch| hosts::is_dot(ch) || ch == ':' || ch == '@')
        {
            find_in_word(text, place, &mut links);
        }
    }
    links
}

fn find_in_word(text: &[char], word: Range<usize>, links: &mut Vec<Link>) {
    let chars = &text[word.clone()];
    if let Some(at) = chars.windows(3).position(|three| three == [':', '/', '/']) {
        let letters = chars[..at].iter().rev();
        let scheme = letters.take_while(|ch| ch.is_ascii_alphanumeric()).count();
        let place = trimmed(text, word.start + at - scheme..word.end);
        let host_start = (word.start + at + 3).min(place.end);
        links.extend(link(text, place, host_start));
        return;
    }
    // Names that a comma or a semicolon glues together are looked at one by one.
    let mut start = word.start;
    for part in chars.split(|ch| matches!(ch, ',' | ';' | '،' | '，' | '、')) {
        let place = trimmed(text, start..start + part.len());
        start += part.len() + 1;
        // `see:gov.uk` is a link behind a colon, `gov.uk:443` has a port.
        let skip = text[place.clone()]
            .iter()
            .position(|&ch| ch == ':')
            .filter(|&at| !text[place.start + at + 1].is_ascii_digit())
            .map_or(0, |at| at + 1);
        let place = place.start + skip..place.end;
        let found = link(text, place.clone(), place.start);
        links.extend(found.filter(|link| {
            let host = hosts::normal(&text[link.host.clone()].iter().collect::<String>());
            hosts::is_bare_link(&host)
        }));
    }
}

fn trimmed(text: &[char], mut place: Range<usize>) -> Range<usize> {
    while place.start < place.end && AT_END.contains(text[place.end - 1]) {
        place.end -= 1;
    }
    while place.start < place.end && AT_END.contains(text[place.start]) {
        place.start += 1;
    }
    place
}

/// The link at `place` whose host, or user and host, begins at `start`; `None` without a host.
fn link(text: &[char], place: Range<usize>, start: usize) -> Option<Link> {
    let authority = &text[start..place.end];
    let end = authority
        .iter()
        .position(|ch| matches!(ch, '/' | '?' | '#' | '\\'));
    let mut host = start..end.map_or(place.end, |end| start + end);
    let user = text[host.clone()].iter().rposition(|&ch| ch == '@');
    if let Some(at) = user {
        host.start += at + 1;
    }
    if let Some(at) = text[host.clone()].iter().position(|&ch| ch == ':') {
        host.end = host.start + at;
    }
    if host.is_empty() {
        return None;
    }
    let has_scheme = place.start != start;
    Some(Link {
        is_email: user.is_some() && !has_scheme && end.is_none(),
        has_user: user.is_some() && has_scheme,
        place,
        host,
    })
}

impl Link {
    pub(super) fn overlaps(&self, place: &Range<usize>) -> bool {
        self.place.start < place.end && place.start < self.place.end
    }

    pub(super) fn misleading(&self, text: &[char]) -> Option<(usize, char)> {
        let (index, ch) = hosts::misleading(&text[self.host.clone()])?;
        Some((self.host.start + index, ch))
    }

    pub(super) fn into_fact(self, text: &[char]) -> Fact {
        let host: String = text[self.host.clone()].iter().collect();
        let host = hosts::normal(&host);
        let mut oddities = Vec::new();
        if host.split('.').any(|label| label.starts_with("xn--")) {
            oddities.push("its name is punycode, and is shown as other letters than these");
        } else if !host.is_ascii() {
            oddities.push("its name has letters beyond a to z");
        }
        if hosts::is_numeric(&host) {
            oddities.push("it leads to a numeric address, not to a name");
        }
        if self.has_user {
            oddities.push("what stands before the @ is not where it leads");
        }
        Fact {
            kind: if self.is_email {
                FactKind::Email
            } else {
                FactKind::Link
            },
            text: text[self.place.clone()].iter().collect(),
            position: self.place.start + 1,
            value: host,
            oddities,
        }
    }
}
