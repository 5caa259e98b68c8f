//! What is printed: two plain tables of at most 100 columns, or one JSON object.

use serde_json::{Value, json};

use crate::measure::{CASES, CROWDS, Crowd, Figure, Findings};
use crate::peers::Column;
use crate::process::Whole;
use crate::targets::{Mark, Verdict};
use crate::workloads::Case;

/// The figures, a line for each workload and size, a column for each runtime.
pub fn figures(findings: &Findings) -> String {
    let mut text = String::from(
        "Nanoseconds a message, in the fastest round; + how far the median round lies above it, if\n\
         there was more than one. For idle services, bytes each, resident.\n\n",
    );
    text += &line("workload", "size", &Column::ALL.map(|column| column.heading().to_string()));
    for case in CASES {
        let cells = Column::ALL.map(|column| findings.figure(case, column).map_or("-".into(), message_cell));
        text += &line(case.workload(), &case.size(), &cells);
    }
    for services in CROWDS {
        let case = Case::Idle(services);
        let cells = Column::ALL.map(|column| findings.crowd(services, column).map_or("-".into(), crowd_cell));
        text += &line(case.workload(), &case.size(), &cells);
    }
    text += &notes(findings);
    text
}

fn line(workload: &str, size: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("{cell:>12}")).collect();
    format!("{workload:<14}{size:>9}{cells}\n")
}

fn message_cell(figure: &Figure) -> String {
    if figure.rounds == 1 {
        return short(figure.fastest);
    }
    format!("{} +{:.0}%", short(figure.fastest), (figure.median / figure.fastest - 1.0) * 100.0)
}

fn crowd_cell(crowd: &Crowd) -> String {
    format!("{} B", crowd.growth.resident / u64::from(crowd.services))
}

/// Three figures that count.
fn short(value: f64) -> String {
    match value {
        v if v < 1.0 => format!("{v:.3}"),
        v if v < 10.0 => format!("{v:.2}"),
        v if v < 100.0 => format!("{v:.1}"),
        v => format!("{v:.0}"),
    }
}

/// What a cell does not say: which of two peers it is, and what of it was start-up.
fn notes(findings: &Findings) -> String {
    let mut text = String::new();
    for case in CASES {
        for column in Column::ALL {
            let Some(figure) = findings.figure(case, column) else {
                continue;
            };
            let start_up = figure.steady.filter(|steady| figure.fastest > 1.1 * steady);
            if let Some(steady) = start_up {
                text += &format!(
                    "{case}, {}: {} ns over a run of {} messages, {} ns after its start-up.\n",
                    figure.peer,
                    short(figure.fastest),
                    figure.messages,
                    short(steady),
                );
            }
        }
        let better = findings.figure(case, Column::BareLoop);
        let others = findings
            .figures
            .iter()
            .filter(|figure| figure.case == case && figure.column == Column::BareLoop && Some(*figure) != better);
        for other in others {
            let better = better.map_or("", |figure| figure.peer);
            text += &format!("{case}: the bare loop is {better}; {} takes {} ns.\n", other.peer, short(other.fastest));
        }
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The targets, a line each.
pub fn targets(verdicts: &[Verdict]) -> String {
    let mut text =
        format!("{:<58}{:>9}{:>9}{:>9}{:>9}{:>5}\n", "target", "ours", "theirs", "measured", "wanted", "met");
    for verdict in verdicts {
        let target = &verdict.target;
        let (ours, theirs) = verdict.measured.unzip();
        let cell = |value: Option<f64>| value.map_or("-".into(), short);
        let wanted = match target.mark {
            Mark::AtMost(mark) => format!("<= {mark}"),
            Mark::AtLeast(mark) => format!(">= {mark}"),
        };
        let met = verdict.is_met().map_or("-", |met| if met { "yes" } else { "NO" });
        let name = if target.second_mark { format!("to aim for: {}", target.name()) } else { target.name() };
        text += &format!(
            "{name:<58}{:>9}{:>9}{:>9}{wanted:>9}{met:>5}\n",
            cell(ours),
            cell(theirs.flatten()),
            cell(verdict.value()),
        );
    }
    text
}

/// Everything, for other programs.
pub fn json(findings: &Findings, whole: Option<&Whole>, verdicts: &[Verdict]) -> Value {
    let figures = findings.figures.iter().map(|figure| {
        json!({
            "workload": figure.case.workload(),
            "size": figure.case.size(),
            "peer": figure.peer,
            "column": figure.column.heading(),
            "messages": figure.messages,
            "rounds": figure.rounds,
            "fastest_ns": figure.fastest,
            "median_ns": figure.median,
            "steady_ns": figure.steady,
        })
    });
    let crowds = findings.crowds.iter().map(|crowd| {
        json!({
            "services": crowd.services,
            "peer": crowd.peer,
            "column": crowd.column.heading(),
            "resident_bytes": crowd.growth.resident,
            "peak_bytes": crowd.growth.peak,
        })
    });
    let targets = verdicts.iter().map(|verdict| {
        let (ours, theirs) = verdict.measured.unzip();
        let (wanted, mark) = match verdict.target.mark {
            Mark::AtMost(mark) => ("at most", mark),
            Mark::AtLeast(mark) => ("at least", mark),
        };
        json!({
            "name": verdict.target.name(),
            "second_mark": verdict.target.second_mark,
            "ours": ours,
            "theirs": theirs.flatten(),
            "measured": verdict.value(),
            "wanted": wanted,
            "mark": mark,
            "met": verdict.is_met(),
        })
    });
    let problems = findings.problems.iter().map(
        |problem| json!({ "case": problem.case.to_string(), "peer": problem.peer, "what": problem.what.to_string() }),
    );
    json!({
        "figures": figures.collect::<Vec<_>>(),
        "idle": crowds.collect::<Vec<_>>(),
        "sockshop": whole.map(|whole| json!({ "wall_s": whole.fastest.as_secs_f64(), "peak_bytes": whole.peak })),
        "targets": targets.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::targets::TARGETS;

    #[test]
    fn both_tables_fit_in_100_columns() {
        let figure = |column| Figure {
            case: Case::PingPong(10_000),
            peer: "bare-calendar",
            column,
            messages: 1_000_000,
            fastest: 4_242.0,
            median: 2.0 * 4_242.0,
            rounds: 7,
            steady: Some(42.0),
        };
        let findings = Findings { figures: Column::ALL.map(figure).to_vec(), ..Findings::default() };
        let verdicts = TARGETS.map(|target| target.judge(&findings, None));
        for line in figures(&findings).lines().chain(targets(&verdicts).lines()) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
