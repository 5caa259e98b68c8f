//! Policies: what changes the network at a period, by chance.

use rehearsal_actors::changes::{Factor, Policy};
use rehearsal_actors::units::SimDuration;

use super::decode::{Raw, Spanned};
use super::fields::Fields;
use super::mistakes::{Mistake, Mistakes};
use super::strikes::Victims;
use super::values::{limited, unknown_word};

const MOST_POLICIES: usize = 100;
/// The most a drift may multiply by in one go.
const MOST_FACTOR: f64 = 1000.0;

/// Reads the list of policies.
pub(crate) fn read_policies(raw: Raw<'_>, victims: &Victims<'_>, mistakes: &mut Mistakes) -> Vec<Policy> {
    let list = raw.items("a list of policies", mistakes);
    let list = list.and_then(|list| limited(list, MOST_POLICIES, "policies", mistakes));
    list.unwrap_or_default().into_iter().filter_map(|raw| read_policy(raw, victims, mistakes)).collect()
}

fn read_policy(raw: Raw<'_>, victims: &Victims<'_>, mistakes: &mut Mistakes) -> Option<Policy> {
    let Some((word, rest)) = raw.variant() else {
        raw.unexpected("a policy such as `Flap(every: \"500ms\", down: 0.02, up: 0.5)`", mistakes);
        return None;
    };
    match word.value {
        "Flap" => read_flap(rest, mistakes),
        "Drift" => read_drift(&word, rest, mistakes),
        "Kill" => victims.read_policy(rest, mistakes),
        _ => {
            unknown_word(&word, "a policy", ["Flap", "Drift", "Kill"].into_iter(), mistakes);
            None
        }
    }
}

pub(super) fn read_every(fields: &mut Fields<'_>, mistakes: &mut Mistakes) -> Option<SimDuration> {
    fields.required("every", "\"500ms\"", mistakes)?.some_time("a period", mistakes)
}

fn read_flap(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Policy> {
    #[derive(Clone, Copy, PartialEq)]
    enum What {
        Nodes,
        Links,
    }
    let mut fields = raw.fields("a flap", mistakes)?;
    let every = read_every(&mut fields, mistakes);
    let down = fields.required("down", "0.02", mistakes).and_then(|raw| raw.quantity(mistakes));
    let up = fields.required("up", "0.5", mistakes).and_then(|raw| raw.quantity(mistakes));
    let on = match fields.optional("on", mistakes) {
        None => vec![What::Nodes],
        Some(raw) => {
            let known = [("Nodes", What::Nodes), ("Links", What::Links)];
            let items = raw.items("a list of Nodes and Links", mistakes);
            if items.as_ref().is_some_and(Vec::is_empty) {
                mistakes.add(raw.span(), Mistake::new("a flap of nothing").label("write `[Nodes]`, `[Links]` or both"));
            }
            items.iter().flatten().filter_map(|item| item.choice("Nodes or Links", &known, mistakes)).collect()
        }
    };
    fields.finish(mistakes);
    let (nodes, links) = (on.contains(&What::Nodes), on.contains(&What::Links));
    Some(Policy::Flap { every: every?, down: down?, up: up?, nodes, links })
}

fn read_drift(word: &Spanned<&str>, raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Policy> {
    let mut fields = raw.fields("a drift", mistakes)?;
    let every = read_every(&mut fields, mistakes);
    let mut factor = |name| {
        let raw: Option<Raw<'_>> = fields.optional(name, mistakes);
        (raw.is_some(), raw.and_then(|raw| read_factor(raw, mistakes)))
    };
    let (latency, bandwidth, processing) = (factor("latency"), factor("bandwidth"), factor("processing"));
    fields.finish(mistakes);
    if !(latency.0 || bandwidth.0 || processing.0) {
        let mistake = Mistake::new("a drift of nothing").label("add `latency`, `bandwidth` or `processing`");
        mistakes.add(word.span, mistake.help("for instance `latency: (0.9, 1.1)`"));
        return None;
    }
    Some(Policy::Drift { every: every?, latency: latency.1, bandwidth: bandwidth.1, processing: processing.1 })
}

fn read_factor(raw: Raw<'_>, mistakes: &mut Mistakes) -> Option<Factor> {
    let members = raw.members();
    let Some([low, high]) = members.as_deref() else {
        raw.unexpected("a range of factors such as `(0.9, 1.1)`", mistakes);
        return None;
    };
    let ppm = |raw: &Raw<'_>, mistakes: &mut Mistakes| {
        // One part in a million is the least that is told apart.
        raw.decimal(0.000_001, MOST_FACTOR, mistakes).map(|factor| (factor * 1e6).round() as u32)
    };
    let (low_ppm, high_ppm) = (ppm(low, mistakes), ppm(high, mistakes));
    let (low_ppm, high_ppm) = (low_ppm?, high_ppm?);
    if low_ppm > high_ppm {
        mistakes.add(low.span(), Mistake::new("the lower end of a range comes first").label("swap the two"));
        return None;
    }
    Some(Factor { low_ppm, high_ppm })
}
