//! `rehearsal inspect`: what a service can be called by.

use std::process::ExitCode;

use rehearsal_actors::interfaces::rpc::{Inspection, InterfaceDescription, MethodDescription};
use serde_json::json;

use super::arguments::client::Inspect;
use super::asking::{Question, find, is_unknown_method, is_url, named, set_json};
use super::complaint::Complaint;
use super::console;
use super::trouble::Trouble;
use crate::client::{Error, RemoteService, Specs};
use crate::typeset::{FAINT, HEADING, WIDTH, clean, paint, width, wrap};

pub(super) fn inspect(arguments: &Inspect) -> Result<ExitCode, Complaint> {
    let Inspect { target, whom, json, door } = arguments;
    let question = Question::new(*json, named(target), door.gateway());
    question.unless_asked(is_url(target) || !whom.registry.is_empty()).tell(ask(arguments))
}

fn ask(arguments: &Inspect) -> Result<ExitCode, Complaint> {
    let service = find(&arguments.target, &arguments.whom, &arguments.door)?;
    let described = describe(&service)?;
    let text = match (&described, arguments.json) {
        (Described::Inspection(inspection), true) => set_json(&json!(inspection)),
        (Described::Specs(specs), true) => set_json(&json!(specs)),
        (Described::Inspection(inspection), false) => set_inspection(inspection, service.url()),
        (Described::Specs(specs), false) => set_specs(specs, service.url()),
    };
    console::say(&text)?;
    Ok(ExitCode::SUCCESS)
}

/// What a service says of itself: one of Rehearsal with types and interfaces, one of gemstone without.
enum Described {
    Inspection(Inspection),
    Specs(Specs),
}

impl Described {
    /// Specs, with types if they have them.
    fn of(specs: Specs) -> Self {
        let interfaces = specs.more.get("interfaces").cloned().map(serde_json::from_value);
        let endpoints = specs.more.get("endpoints").cloned().and_then(|said| serde_json::from_value(said).ok());
        match interfaces {
            Some(Ok(interfaces)) => {
                let endpoints = endpoints.unwrap_or_default();
                Described::Inspection(Inspection { service: specs.name, interfaces, endpoints })
            }
            _ => Described::Specs(specs),
        }
    }
}

fn describe(service: &RemoteService) -> Result<Described, Complaint> {
    match service.call("inspect", ()) {
        Ok(inspection) => return Ok(Described::Inspection(inspection)),
        // Somebody else's `inspect` may be another thing.
        Err(error) if is_unknown_method(&error) || matches!(error, Error::Unexpected { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    match service.specs() {
        Ok(specs) => Ok(Described::of(specs)),
        Err(error) if is_unknown_method(&error) => Err(Complaint::Client(Trouble::Silent(service.url().to_owned()))),
        Err(error) => Err(error.into()),
    }
}

fn head(name: &str, url: &str) -> String {
    format!("{}  {}\n", paint(HEADING, clean(name)), paint(FAINT, clean(url)))
}

fn set_inspection(inspection: &Inspection, url: &str) -> String {
    let mut out = head(&inspection.service, url);
    if inspection.interfaces.is_empty() && inspection.endpoints.is_empty() {
        out.push_str("\nIt has neither interfaces nor endpoints: nothing can be asked of it.\n");
    }
    for InterfaceDescription { name, version, methods } in &inspection.interfaces {
        let version = if version.is_empty() { String::new() } else { format!(" {}", clean(version)) };
        out.push_str(&format!("\n{}{}\n", paint(HEADING, clean(name)), paint(FAINT, version)));
        for method in methods {
            set_method(method, &mut out);
        }
    }
    if !inspection.endpoints.is_empty() {
        out.push_str(&format!("\n{}\n", paint(HEADING, "endpoints")));
    }
    for endpoint in &inspection.endpoints {
        out.push_str(&format!("  {}\n", clean(endpoint)));
    }
    out
}

fn set_method(method: &MethodDescription, out: &mut String) {
    let params: Vec<String> =
        method.params.iter().map(|param| format!("{}: {}", clean(&param.name), clean(&param.type_name))).collect();
    let replies = match method.replies.as_deref() {
        Some("()") => String::new(),
        Some(replies) => format!(" -> {}", clean(replies)),
        None => " -> whatever it decides".to_owned(),
    };
    let name = clean(&method.name);
    let line = format!("{name}({}){replies}", params.join(", "));
    if width(&line) + 2 <= WIDTH || params.is_empty() {
        out.push_str(&format!("  {}\n", paint_name(&line, &name)));
    } else {
        out.push_str(&format!("  {}(\n", paint(HEADING, &name)));
        for param in params {
            out.push_str(&format!("      {param},\n"));
        }
        out.push_str(&format!("  ){replies}\n"));
    }
    set_indented(&method.doc, out);
    if !method.raises.is_empty() {
        set_indented(&format!("Raises {}.", method.raises.join(", ")), out);
    }
}

/// The beginning of a line, which is a name, in the style of names.
fn paint_name(line: &str, name: &str) -> String {
    format!("{}{}", paint(HEADING, name), line.strip_prefix(name).unwrap_or_default())
}

fn set_indented(text: &str, out: &mut String) {
    const INDENT: usize = 6;
    // A text of several paragraphs keeps them.
    for paragraph in text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
        let words = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in wrap(&words, WIDTH - INDENT, usize::MAX) {
            out.push_str(&format!("{:INDENT$}{line}\n", ""));
        }
    }
}

fn set_specs(specs: &Specs, url: &str) -> String {
    let mut out = head(&specs.name, url);
    out.push('\n');
    if specs.methods.is_empty() {
        out.push_str("It names no methods.\n");
    }
    for (method, doc) in &specs.methods {
        out.push_str(&format!("  {}\n", paint(HEADING, clean(method))));
        set_indented(doc.as_deref().unwrap_or_default(), &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use anstream::adapter::strip_str;
    use rehearsal_actors::interfaces::rpc::Parameter;

    use super::*;

    fn method(name: &str, doc: &str, params: &[(&str, &str)], replies: Option<&str>) -> MethodDescription {
        let params = params.iter().map(|(name, kind)| Parameter { name: (*name).into(), type_name: (*kind).into() });
        MethodDescription {
            name: name.into(),
            doc: doc.into(),
            params: params.collect(),
            replies: replies.map(str::to_owned),
            raises: Vec::new(),
        }
    }

    fn inspection(methods: Vec<MethodDescription>) -> Inspection {
        let interface = InterfaceDescription { name: "cart".into(), version: "1.2".into(), methods };
        Inspection { service: "cart".into(), interfaces: vec![interface], endpoints: Vec::new() }
    }

    #[test]
    fn methods_are_listed_with_what_they_take_and_do() {
        let mut add =
            method("add", "Puts something into a cart.", &[("customer", "String"), ("item", "u32")], Some("Cart"));
        add.raises = vec!["OutOfStock".into(), "UnknownItem".into()];
        let clear = method("clear", "", &[], Some("()"));
        let watch = method("watch", "First.\n\nSecond.", &[], None);
        let set = set_inspection(&inspection(vec![add, clear, watch]), "http://gate/api/cart");
        assert_eq!(
            strip_str(&set).to_string(),
            "cart  http://gate/api/cart\n\
             \n\
             cart 1.2\n\
             \x20 add(customer: String, item: u32) -> Cart\n\
             \x20     Puts something into a cart.\n\
             \x20     Raises OutOfStock, UnknownItem.\n\
             \x20 clear()\n\
             \x20 watch() -> whatever it decides\n\
             \x20     First.\n\
             \x20     Second.\n"
        );
    }

    #[test]
    fn endpoints_are_listed_behind_interfaces() {
        let endpoints = vec!["GET /items/{id}".to_owned(), "POST /items".to_owned()];
        let inspection = Inspection { service: "shop".into(), interfaces: Vec::new(), endpoints };
        let set = strip_str(&set_inspection(&inspection, "http://gate/api/shop")).to_string();
        assert_eq!(set, "shop  http://gate/api/shop\n\nendpoints\n  GET /items/{id}\n  POST /items\n");
    }

    #[test]
    fn long_ones_stay_within_80_columns() {
        let params: Vec<(&str, &str)> = vec![("parameter_of_some_length", "Map<String, u64>"); 4];
        let long = method("method", &"word ".repeat(60), &params, Some("Vec<Order>"));
        let set = strip_str(&set_inspection(&inspection(vec![long]), "http://gate/")).to_string();
        assert!(set.lines().all(|line| width(line) <= WIDTH), "{set}");
        assert!(set.contains("\n      parameter_of_some_length: Map<String, u64>,\n"), "{set}");
        assert!(set.contains("\n  ) -> Vec<Order>\n"), "{set}");
    }

    #[test]
    fn names_cannot_disturb_the_terminal() {
        let nasty = "\u{1b}[2J\u{202e}x\ny";
        let method = method(nasty, nasty, &[(nasty, nasty)], Some(nasty));
        let mut inspection = inspection(vec![method]);
        inspection.service = nasty.to_owned();
        let set = strip_str(&set_inspection(&inspection, nasty)).to_string();
        assert!(!set.contains(['\u{1b}', '\u{202e}']), "{set:?}");
    }
}
