//! Named values (C13): `eventCode`, `parameter` and `geocode`.

use super::is_blank;
use super::judge::Judge;
use crate::alert::NamedValue;
use crate::finding::shown;

/// Acronyms that documents name systems by; the standard wants them in capitals and without dots.
const ACRONYMS: [&str; 10] = [
    "SAME", "FIPS", "FIPS6", "FIPS10", "ZIP", "UGC", "SGC", "VTEC", "NUTS2", "NUTS3",
];

/// Checks the named values of one kind; `path` without their number.
pub(super) fn check(values: &[NamedValue], path: &str, judge: &mut Judge) {
    for (n, named) in values.iter().enumerate() {
        let path = || format!("{path}[{}]", n + 1);
        if is_blank(&named.name) || is_blank(&named.value) {
            let message = "valueName and value should not be empty; this one is not used";
            judge.find("empty-value", path(), message);
        } else if let Some(acronym) = acronym_written_otherwise(&named.name) {
            let message = format!(
                "“{}” is an acronym; write it as {acronym}, without dots",
                shown(&named.name)
            );
            judge.find("acronym-form", format!("{}/valueName", path()), message);
        }
    }
}

/// How an acronym should be written that isn't.
fn acronym_written_otherwise(name: &str) -> Option<String> {
    let known = ACRONYMS
        .iter()
        .find(|acronym| name.eq_ignore_ascii_case(acronym));
    if let Some(acronym) = known {
        return (name != *acronym).then(|| (*acronym).to_owned());
    }
    let mut letters = name.strip_suffix('.').unwrap_or(name).split('.');
    let is_dotted = name.matches('.').count() >= 2
        && letters.all(|letter| letter.len() == 1 && letter.as_bytes()[0].is_ascii_alphabetic());
    is_dotted.then(|| name.replace('.', "").to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acronyms_are_written_in_capitals_without_dots() {
        let cases = [
            ("SAME", None),
            ("same", Some("SAME")),
            ("Fips6", Some("FIPS6")),
            ("S.A.M.E.", Some("SAME")),
            ("u.g.c", Some("UGC")),
            ("TargetAreaCode", None),
            ("profile:CAP-CP:Location:0.3", None),
            ("layer:SOREM:1.0:Broadcast_Immediately", None),
            ("a.b.example", None),
            ("v.1", None),
            ("..", None),
        ];
        for (name, want) in cases {
            assert_eq!(acronym_written_otherwise(name).as_deref(), want, "{name}");
        }
    }
}
