//! The text format of Prometheus, version 0.0.4: families of samples, one sample a line.

use std::fmt::{Display, Write};

/// What a family of samples is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only ever grows, but for a new beginning.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts of what is no greater than each of some bounds.
    Histogram,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// Names and values of labels.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// A page of figures.
#[derive(Debug, Default)]
pub(super) struct Text {
    text: String,
}

impl Text {
    /// Begins a family, whose samples all follow before the next one begins. `help` is one line without
    /// backslashes.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &'static str) -> Family<'_> {
        // Writing to a text does not fail.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {}\n", kind.name());
        Family { name, text: &mut self.text }
    }

    /// A family of one sample.
    pub(super) fn single(&mut self, name: &'static str, kind: Kind, help: &'static str, value: impl Display) {
        self.family(name, kind, help).sample(&[], value);
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A family that has been begun.
pub(super) struct Family<'a> {
    name: &'static str,
    text: &'a mut String,
}

impl Family<'_> {
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        self.line("", labels, None, value);
    }

    /// A histogram: how many values are no greater than each bound, how many there are, and their sum.
    pub(super) fn histogram(&mut self, labels: Labels<'_>, buckets: &[(f64, u64)], count: u64, sum: f64) {
        for (bound, up_to) in buckets {
            self.line("_bucket", labels, Some(&bound.to_string()), up_to);
        }
        self.line("_bucket", labels, Some("+Inf"), count);
        self.line("_sum", labels, None, sum);
        self.line("_count", labels, None, count);
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, bound: Option<&str>, value: impl Display) {
        self.text.push_str(self.name);
        self.text.push_str(suffix);
        let mut opens = '{';
        for (name, value) in labels.iter().copied().chain(bound.map(|bound| ("le", bound))) {
            self.text.push(std::mem::replace(&mut opens, ','));
            self.text.push_str(name);
            self.text.push_str("=\"");
            value.chars().for_each(|character| self.push_escaped(character));
            self.text.push('"');
        }
        if opens == ',' {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {value}");
    }

    fn push_escaped(&mut self, character: char) {
        match character {
            '\\' => self.text.push_str("\\\\"),
            '"' => self.text.push_str("\\\""),
            '\n' => self.text.push_str("\\n"),
            other => self.text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_labels_are_escaped() {
        let mut text = Text::default();
        let mut family = text.family("names", Kind::Gauge, "Odd names.");
        family.sample(&[("name", "a\"b\\c\nd"), ("other", "é")], 1);
        family.sample(&[], 0.5);
        let expected = [
            "# HELP names Odd names.",
            "# TYPE names gauge",
            r#"names{name="a\"b\\c\nd",other="é"} 1"#,
            "names 0.5",
            "",
        ];
        assert_eq!(text.finish(), expected.join("\n"));
    }

    #[test]
    fn a_histogram_ends_in_all_there_is() {
        let mut text = Text::default();
        let mut family = text.family("seconds", Kind::Histogram, "Times.");
        family.histogram(&[("of", "x")], &[(0.001, 1), (2.5, 3)], 4, 12.25);
        let expected = [
            "# HELP seconds Times.",
            "# TYPE seconds histogram",
            r#"seconds_bucket{of="x",le="0.001"} 1"#,
            r#"seconds_bucket{of="x",le="2.5"} 3"#,
            r#"seconds_bucket{of="x",le="+Inf"} 4"#,
            r#"seconds_sum{of="x"} 12.25"#,
            r#"seconds_count{of="x"} 4"#,
            "",
        ];
        assert_eq!(text.finish(), expected.join("\n"));
    }
}
