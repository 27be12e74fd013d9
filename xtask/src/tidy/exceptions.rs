//! Exceptions: comments that permit what a rule forbids, with a reason.

use super::{Finding, TextFile, extension};

/// A reason shorter than this is none.
const REASON_CHARS_MIN: usize = 12;

/// A comment that permits what a rule forbids.
struct Exception<'a> {
    path: &'a str,
    rule: &'a str,
    /// The lines it covers: its own, and those of the comment it stands in, and the next.
    first: usize,
    last: usize,
    has_reason: bool,
}

impl Exception<'_> {
    fn covers(&self, finding: &Finding) -> bool {
        self.path == finding.path
            && self.rule == finding.rule
            && self.has_reason
            && (self.rule == "file-length" || (self.first..=self.last).contains(&finding.line))
    }
}

/// Takes out what an exception permits, and puts in the exceptions that permit nothing.
pub fn settle(files: &[TextFile], findings: Vec<Finding>) -> Vec<Finding> {
    let exceptions: Vec<Exception<'_>> = files.iter().flat_map(exceptions_of).collect();
    let unused = exceptions
        .iter()
        .filter(|exception| !findings.iter().any(|finding| exception.covers(finding)));
    let unused: Vec<Finding> = unused
        .map(|exception| Finding {
            path: exception.path.to_owned(),
            line: exception.first,
            rule: "exception",
            words: if exception.has_reason {
                format!(
                    "nothing here breaks the rule {}: take this away",
                    exception.rule
                )
            } else {
                "say why, behind a colon".to_owned()
            },
        })
        .collect();
    let kept = findings
        .into_iter()
        .filter(|finding| !exceptions.iter().any(|exception| exception.covers(finding)));
    kept.chain(unused).collect()
}

fn exceptions_of(file: &TextFile) -> Vec<Exception<'_>> {
    let lines: Vec<&str> = file.text.lines().collect();
    let comments: Vec<(usize, &str)> = match &file.source {
        Some(source) => source
            .comments
            .iter()
            .map(|c| (c.line, c.text.as_str()))
            .collect(),
        None => match extension(&file.path) {
            "toml" => marked(&lines, "#"),
            "sql" => marked(&lines, "--"),
            _ => Vec::new(),
        },
    };
    let is_comment = |line: usize| {
        let text = lines.get(line - 1).map_or("", |text| text.trim_start());
        ["//", "#", "--"].iter().any(|mark| text.starts_with(mark)) && !text.starts_with("#[")
    };
    let mut exceptions = Vec::new();
    for (line, text) in comments {
        let Some((_, rest)) = text.split_once("tidy-allow(") else {
            continue;
        };
        let Some((rule, reason)) = rest.split_once(')') else {
            continue;
        };
        let reason = reason.strip_prefix(':').unwrap_or_default().trim();
        let mut last = line;
        while is_comment(last) {
            last += 1;
        }
        let has_reason = reason.chars().count() >= REASON_CHARS_MIN;
        exceptions.push(Exception {
            path: &file.path,
            rule,
            first: line,
            last,
            has_reason,
        });
    }
    exceptions
}

fn marked<'a>(lines: &[&'a str], mark: &str) -> Vec<(usize, &'a str)> {
    let lines = lines.iter().enumerate();
    lines
        .filter_map(|(at, line)| Some((at + 1, &line[line.find(mark)?..])))
        .collect()
}

#[cfg(test)]
mod tests {
    use crate::tidy::findings_in;

    const SLEEPY: &str = "//! Docs.\n#[cfg(test)]\nmod tests {\n    fn f() { sleep(d) }\n}\n";

    #[test]
    fn an_exception_with_a_reason_is_heard_and_one_without_is_not() {
        let with = |comment: &str| {
            let text = SLEEPY.replace("    fn", &format!("    // {comment}\n    fn"));
            findings_in(&[("crates/app/src/lib.rs", &text)])
        };
        let path = "crates/app/src/lib.rs";
        assert_eq!(with("quiet"), [format!("{path}:5 sleep")]);
        assert!(with("tidy-allow(sleep): the kernel's own timer is the subject").is_empty());
        let unheard = [format!("{path}:4 exception"), format!("{path}:5 sleep")];
        assert_eq!(with("tidy-allow(sleep)"), unheard);
        assert_eq!(
            with("tidy-allow(todo): this is about something else"),
            unheard
        );
    }
}
