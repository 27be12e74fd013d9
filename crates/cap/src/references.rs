//! The `references` element: which earlier messages this one is about.

use serde::Serialize;

use crate::date::DateTime;
use crate::finding::shown;
use crate::rules::Judge;

/// One earlier message: its identity triple (CAP 1.2 §3.2.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// Who sent it.
    pub sender: String,
    /// Its identifier.
    pub identifier: String,
    /// When it was sent: compare instants, not texts (`+00:00` and `-00:00` are one).
    pub sent: DateTime,
}

/// How many triples there should be.
pub(crate) fn count(text: &str) -> usize {
    pieces(text).count()
}

fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_ascii_whitespace()
}

/// Reads triples `sender,identifier,sent`, split at white space of any length (D41). Each triple
/// that is none becomes an error at `path`; the others come back in order.
pub(crate) fn parse(text: &str, path: &str, judge: &mut Judge) -> Vec<Reference> {
    let mut references = Vec::new();
    for (n, triple) in pieces(text).enumerate() {
        if judge.is_full() {
            break;
        }
        match parse_triple(triple) {
            Ok(reference) => references.push(reference),
            Err(fault) => {
                let message = format!("reference {} ({}) {fault}", n + 1, shown(triple));
                judge.find("bad-reference", path, message);
            }
        }
    }
    references
}

fn parse_triple(triple: &str) -> Result<Reference, String> {
    let parts: Vec<&str> = triple.splitn(5, ',').collect();
    let [sender, identifier, sent] = parts[..] else {
        let is = match parts.len() {
            1 => "1 part".to_owned(),
            2 => "2 parts".to_owned(),
            _ => "more than 3 parts".to_owned(),
        };
        return Err(format!("has {is}; write sender,identifier,sent"));
    };
    if sender.is_empty() || identifier.is_empty() {
        return Err("has an empty part; write sender,identifier,sent".to_owned());
    }
    let sent =
        DateTime::parse(sent).map_err(|fault| format!("has a date that {}", fault.advice()))?;
    Ok(Reference {
        sender: sender.to_owned(),
        identifier: identifier.to_owned(),
        sent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Use;

    fn read(text: &str) -> (Vec<Reference>, usize) {
        let mut judge = Judge::new(Use::Dispatch, None);
        let references = parse(text, "alert/references", &mut judge);
        (references, judge.errors())
    }

    #[test]
    fn triples_are_split_at_white_space_of_any_length() {
        let a = "a@b,1,2026-11-23T04:09:03-00:00";
        let b = "a@b,2,2026-11-23T05:09:03+01:00";
        // One row per rule: text, triples read, errors.
        let cases = [
            (a.to_owned(), 1, 0),
            (format!("{a} {b}"), 2, 0),
            (format!("\n  {a}\t\n  {b}\n"), 2, 0),
            (String::new(), 0, 0),
            (" \n".to_owned(), 0, 0),
            ("a@b,1".to_owned(), 0, 1),
            (format!("{a} a@b,1"), 1, 1),
            ("1".to_owned(), 0, 1),
            (format!("{a},x"), 0, 1),
            (format!("{a},{b}"), 0, 1),
            (",1,2026-11-23T04:09:03-00:00".to_owned(), 0, 1),
            ("a@b,,2026-11-23T04:09:03-00:00".to_owned(), 0, 1),
            ("a@b,1,".to_owned(), 0, 1),
            ("a@b,1,2026-11-23T04:09:03Z".to_owned(), 0, 1),
        ];
        for (text, triples, errors) in cases {
            let (read, found) = read(&text);
            assert_eq!((read.len(), found), (triples, errors), "{text}");
        }
        let (read, _) = read(&format!("{a} {b}"));
        assert_eq!(read[0].sent.at, read[1].sent.at);
    }
}
