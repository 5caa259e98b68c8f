//! `rehearsal discover`: which services there are.

use std::process::ExitCode;

use rehearsal_actors::interfaces::rpc::Inspection;
use serde_json::json;
use wildmatch::WildMatch;

use super::arguments::client::Discover;
use super::asking::{Question, gateway, is_unknown_method, registries, remark, set_json};
use super::complaint::Complaint;
use super::console;
use crate::client::{LocateError, same_host};
use crate::typeset::{Cell, Column, HEADING, Table, clean, count, paint, plural};

/// What was found.
#[derive(Default)]
struct Found {
    services: Vec<Inspection>,
    /// Those that live elsewhere.
    urls: Vec<String>,
}

pub(super) fn discover(arguments: &Discover) -> Result<ExitCode, Complaint> {
    let Discover { pattern, registry, look, door } = arguments;
    let question = Question::new(look.json, json!({"pattern": pattern}), door.gateway());
    question.unless_asked(!registry.is_empty()).tell(ask(arguments))
}

fn ask(arguments: &Discover) -> Result<ExitCode, Complaint> {
    let found = if arguments.registry.is_empty() { at_gateway(arguments)? } else { at_registries(arguments)? };
    if found.services.is_empty() && found.urls.is_empty() {
        let (name, asked) = (arguments.pattern.clone(), arguments.registry.len().max(1));
        return Err(LocateError::Unknown { name, asked }.into());
    }
    let text = match (arguments.look.json, arguments.look.quiet) {
        (true, _) => set_json(&json!({"services": found.services, "urls": found.urls})),
        (false, true) => set_names(&found),
        (false, false) => set(&found),
    };
    console::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// Everybody behind the gateway, and those elsewhere who have registered there.
fn at_gateway(arguments: &Discover) -> Result<Found, Complaint> {
    let gateway = gateway(&arguments.door)?;
    let pattern = WildMatch::new(&arguments.pattern);
    let mut services = gateway.services()?;
    services.retain(|service| pattern.matches(&service.service));
    services.sort_by(|one, other| one.service.cmp(&other.service));
    let mut urls = match gateway.registry()?.locate(&arguments.pattern) {
        // Nobody can have registered with a gateway without a registry.
        Err(error) if is_unknown_method(&error) => Vec::new(),
        located => located?,
    };
    urls.retain(|url| !same_host(url, gateway.url()));
    Ok(Found { services, urls })
}

/// Whatever the registries know together: URLs, without names.
fn at_registries(arguments: &Discover) -> Result<Found, Complaint> {
    let (urls, failed) = registries(&arguments.door, &arguments.registry)?.locate_all(&arguments.pattern)?;
    if !arguments.look.quiet {
        for error in failed {
            remark(&format!("Not asked: {error}"));
        }
    }
    Ok(Found { urls, ..Found::default() })
}

fn set(found: &Found) -> String {
    let mut out = String::new();
    if !found.services.is_empty() {
        let title = plural(found.services.len() as u64, "service", "services");
        let mut table =
            Table::new(vec![Column::text(&title), Column::text("interfaces"), Column::number("methods")], 2);
        for service in &found.services {
            let named = |interface: &rehearsal_actors::interfaces::rpc::InterfaceDescription| {
                format!("{} {}", interface.name, interface.version).trim_end().to_owned()
            };
            let interfaces = service.interfaces.iter().map(named).collect::<Vec<_>>().join(", ");
            let methods: usize = service.interfaces.iter().map(|interface| interface.methods.len()).sum();
            table.row(vec![Cell::styled(&*service.service, HEADING), interfaces.into(), methods.to_string().into()]);
        }
        out.push_str(&table.set());
    }
    if !found.urls.is_empty() {
        let n = found.urls.len() as u64;
        match out.is_empty() {
            true => out.push_str(&format!("{}\n", paint(HEADING, plural(n, "service", "services")))),
            false => out.push_str(&format!("\n{}\n", paint(HEADING, format!("{} elsewhere", count(n))))),
        }
        for url in &found.urls {
            out.push_str(&format!("  {}\n", clean(url)));
        }
    }
    out
}

/// A line each, for other programs.
fn set_names(found: &Found) -> String {
    let names = found.services.iter().map(|service| &service.service).chain(&found.urls);
    names.map(|name| format!("{}\n", clean(name))).collect()
}
