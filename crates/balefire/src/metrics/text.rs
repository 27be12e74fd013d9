//! The format that Prometheus reads, for figures that are not measured but looked up.

use std::fmt::Write as _;

use super::families::Family;

/// Families of samples, as text.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// Adds a family with its samples: label values in the order of the family's labels, and the
    /// figure. A family without a sample is left out.
    pub(super) fn add<const N: usize>(
        &mut self,
        family: &Family,
        labels: [&str; N],
        samples: impl IntoIterator<Item = ([String; N], f64)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let (name, help, kind) = (family.name, family.help, family.kind.as_str());
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        for (values, figure) in samples {
            self.write(format_args!("{name}"));
            for (n, (label, value)) in labels.iter().zip(&values).enumerate() {
                let before = if n == 0 { '{' } else { ',' };
                self.write(format_args!("{before}{label}=\"{}\"", escaped(value)));
            }
            let after = if N == 0 { "" } else { "}" };
            self.write(format_args!("{after} {figure}\n"));
        }
        self.0.push('\n');
    }

    /// All that was added.
    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn write(&mut self, what: std::fmt::Arguments<'_>) {
        self.0.write_fmt(what).expect("a text can be written to");
    }
}

fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::families::Kind;
    use super::*;

    const FAMILY: Family = Family {
        name: "a_total",
        kind: Kind::Counter,
        help: "What it is.",
    };

    #[test]
    fn samples_stand_below_their_family_and_values_are_escaped() {
        let mut text = Text::default();
        text.add(&FAMILY, [], [([], 1.5)]);
        let odd = ["a\"b\\c\nd".to_owned(), String::new()];
        text.add(&FAMILY, ["x", "y"], [(odd, 0.0)]);
        text.add(&FAMILY, ["x"], []);
        let head = "# HELP a_total What it is.\n# TYPE a_total counter\n";
        let want =
            format!("{head}a_total 1.5\n\n{head}a_total{{x=\"a\\\"b\\\\c\\nd\",y=\"\"}} 0\n\n");
        assert_eq!(text.into_string(), want);
    }
}
