//! `rehearsal check`: finds mistakes, runs nothing.

use std::process::ExitCode;

use super::arguments::Check;
use super::complaint::Complaint;
use super::console;
use super::opened::{Opened, open};
use crate::gateway::leads_to;
use crate::registry::Registry;
use crate::typeset::{GOOD, WARN, clean, paint, plural};

/// Checks every file, whatever is wrong with those before it.
pub(super) fn check(arguments: &Check, registry: &Registry) -> Result<ExitCode, Complaint> {
    let all = arguments.scenarios.len();
    let mut bad = 0;
    for path in &arguments.scenarios {
        match open(path, registry, None, None) {
            Ok(scenario) => console::say(&verdict(&path.to_string_lossy(), &scenario))?,
            // The last word on a single file are its own mistakes.
            Err(complaint) if all == 1 => return Err(complaint),
            Err(complaint) => {
                console::complain(&complaint);
                bad += 1;
            }
        }
    }
    if bad > 0 { Err(Complaint::Checked { bad, all }) } else { Ok(ExitCode::SUCCESS) }
}

/// `shop.ron: ok, 30 nodes, 212 links, 7 services`, and what may be worth a look.
fn verdict(path: &str, scenario: &Opened) -> String {
    let Opened { setup, violated, outside, door, .. } = scenario;
    let mut out = format!(
        "{}: {}, {}, {}, {}\n",
        clean(path),
        paint(GOOD, "ok"),
        plural(setup.topology.node_count() as u64, "node", "nodes"),
        plural(setup.topology.link_count() as u64, "link", "links"),
        plural(setup.services.len() as u64, "service", "services"),
    );
    for requirement in violated {
        out.push_str(&format!("  {} {}\n", paint(WARN, "violated:"), clean(requirement)));
    }
    for service in outside {
        let note = format!("`{service}` lives outside: runs of this are paced, with --pace or `serve`");
        out.push_str(&format!("  {} {}\n", paint(WARN, "note:"), clean(&note)));
    }
    // Without a gateway, names are nobody's paths.
    let reached = setup.services.iter().filter(|_| door.is_some());
    for service in reached.filter(|service| !leads_to(service.name.as_str())) {
        let name = service.name.as_str();
        let note = format!("`{name}` is not reached over REST: /{name} is no path of a service. JSON-RPC reaches it");
        out.push_str(&format!("  {} {}\n", paint(WARN, "note:"), clean(&note)));
    }
    out
}
