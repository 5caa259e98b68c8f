//! The summary of a run, for people: what ran, what came of it, how long it took.
//!
//! Plain text of at most 80 columns, whatever the names, with ANSI styles that whoever prints may
//! strip. Sections with nothing to say are left out. Made from a [`Finished`] run alone.

mod directories;
mod expectations;
mod services;
mod supervision;
mod traffic;
mod trouble;

use rehearsal_actors::report::Ending;
use rehearsal_actors::units::SimTime;

use crate::finished::Finished;
use crate::typeset::{
    BAD, FAINT, GOOD, HEADING, NO_BREAK, WIDTH, clean, count, duration, fit, paint, plural, times, wall, width, wrap,
};

/// Where the values of the sections that are no tables begin.
const VALUES_AT: usize = 14;

/// How much to say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// What fits on a screen or two: long lists stop, and say how many more there are.
    #[default]
    Short,
    /// Every service with its counters, failed steps and kept step values, every list to its end.
    Full,
}

impl Detail {
    /// How many entries of a list that could be long.
    fn most(self) -> usize {
        match self {
            Detail::Short => 10,
            Detail::Full => usize::MAX,
        }
    }

    /// How many lines of a text that could be long.
    fn lines(self) -> usize {
        match self {
            Detail::Short => 2,
            Detail::Full => usize::MAX,
        }
    }
}

/// Sets the summary of a run.
pub fn render(run: &Finished, detail: Detail) -> String {
    let sections = [
        title(run),
        traffic::counters(run, detail),
        traffic::outcomes(run),
        traffic::latency(run),
        services::table(run, detail),
        services::details(run, detail),
        trouble::causes(run, detail),
        trouble::failed_steps(run, detail),
        trouble::requirements(run, detail),
        directories::table(run, detail),
        supervision::restarts(run, detail),
        supervision::given_up(run, detail),
        supervision::recovery(run, detail),
        supervision::still_down(run, detail),
        supervision::failures(run, detail),
        expectations::verdicts(run, detail),
        bottom_line(run, detail),
    ];
    let told: Vec<String> = sections.into_iter().filter(|section| !section.is_empty()).collect();
    told.join("\n")
}

fn title(run: &Finished) -> String {
    let seed = format!("seed {}", run.report.seed);
    let name = fit(&run.scenario, WIDTH - width(&seed) - 2);
    let blanks = WIDTH - width(&name) - width(&seed);
    let size = [
        plural(run.nodes as u64, "node", "nodes"),
        plural(run.links as u64, "link", "links"),
        plural(run.report.services.len() as u64, "service", "services"),
    ];
    format!("{}{:blanks$}{seed}\n{}\n", paint(HEADING, name), "", size.join(", "))
}

/// What everybody looks for last, where they look for it: at the bottom.
fn bottom_line(run: &Finished, detail: Detail) -> String {
    let report = &run.report;
    let mut out = traffic::totals(run);
    out.push_str(&directories::failovers(run));
    out.push_str(&trouble::faults(run, detail));
    let took = format!("{} virtual in {}", duration(report.ended_at.since(SimTime::ZERO)), wall(run.wall));
    let took = match run.times_real_time() {
        Some(factor) => format!("{took}: {} real time", times(factor)),
        None => took,
    };
    out.push_str(&entry("time", &took, detail));
    out.push_str(&pace(run, detail));
    out.push_str(&entry("trace hash", &report.trace_hash.to_string(), detail));
    match run.what_went_wrong() {
        None => {
            let why = match run.report.ending {
                Ending::Quiescent => "nothing was left to happen",
                Ending::Closed => "it was open until it was told to close",
                _ => "its time was over",
            };
            out.push_str(&labelled(&paint(GOOD, "ended well"), "ended well", why, detail));
        }
        Some(why) => out.push_str(&labelled(&paint(BAD, "ended badly"), "ended badly", &why, detail)),
    }
    out
}

/// How a paced run kept to the wall clock.
fn pace(run: &Finished, detail: Detail) -> String {
    let Some(pacing) = &run.report.pacing else { return String::new() };
    let kept = match pacing.lag {
        Some(lag) => {
            let (p50, p99, max) = (duration(lag.p50), duration(lag.p99), duration(lag.max));
            format!("{}, behind the wall clock by {p50} (p50), {p99} (p99), {max} (max)", pacing.pace)
        }
        None => pacing.pace.to_string(),
    };
    entry("pace", &kept, detail)
}

/// A label and its value, which goes on below itself where it is long.
fn entry(label: &str, value: &str, detail: Detail) -> String {
    labelled(&paint(HEADING, label), label, value, detail)
}

/// An [`entry`] whose label is painted already; `label` is what it looks like unpainted.
fn labelled(painted: &str, label: &str, value: &str, detail: Detail) -> String {
    let lead = format!("{painted}{:blanks$}", "", blanks = VALUES_AT.saturating_sub(width(label)));
    hang(&lead, VALUES_AT, value, detail.lines())
}

/// `lead`, which takes `indent` columns, and `text` behind it, broken to hang below its beginning.
fn hang(lead: &str, indent: usize, text: &str, lines: usize) -> String {
    let mut out = String::new();
    for (at, line) in wrap(text, WIDTH - indent, lines).iter().enumerate() {
        match at {
            0 => out.push_str(lead),
            _ => out.extend(std::iter::repeat_n(' ', indent)),
        }
        out.push_str(line);
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
    }
    out
}

/// A list that says how much it leaves out: every entry a number and what there were so many of.
fn tally(title: &str, entries: &[(&str, u64)], detail: Detail) -> String {
    let mut out = format!("{}\n", paint(HEADING, title));
    let numbers = entries.iter().map(|(_, n)| count(*n).len()).max().unwrap_or(0);
    for (what, n) in entries.iter().take(detail.most()) {
        let lead = format!("  {:>numbers$}  ", count(*n));
        out.push_str(&hang(&lead, numbers + 4, what, detail.lines()));
    }
    out.push_str(&more(entries.len(), detail));
    out
}

/// `  and 12 more (-v shows all)`, if a list of `len` entries was cut short.
fn more(len: usize, detail: Detail) -> String {
    match len.saturating_sub(detail.most()) {
        0 => String::new(),
        left => paint(FAINT, format!("  and {} more (-v shows all)", count(left as u64))) + "\n",
    }
}

/// `3 a, 2 b`: what there is of each kind, most first.
fn listing<'a>(entries: impl IntoIterator<Item = (&'a String, &'a u64)>) -> String {
    let said: Vec<String> = most_first(entries).iter().map(|(what, n)| number_of(*n, what)).collect();
    said.join(", ")
}

/// `3 a`, which no line breaks behind the number.
fn number_of(n: u64, what: &str) -> String {
    format!("{}{NO_BREAK}{}", count(n), clean(what))
}

/// Most first; of equally many, in order of their names.
fn most_first<'a>(entries: impl IntoIterator<Item = (&'a String, &'a u64)>) -> Vec<(&'a str, u64)> {
    let mut sorted: Vec<(&str, u64)> = entries.into_iter().map(|(what, n)| (what.as_str(), *n)).collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    sorted
}

#[cfg(test)]
mod tests;
