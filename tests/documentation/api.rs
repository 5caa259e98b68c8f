//! `docs/api.md`: what a gateway says of itself and its services at `/openapi.json`, for people to read.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

use super::shapes::{reference, requires, shape};
use super::{Served, output};

const PAGE: &str = "docs/api.md";

/// Set to anything, it has the page written anew.
const UPDATE: &str = "REHEARSAL_UPDATE_DOCS";

const HEAD: &str = "\
# What can be asked of a gateway

This page is `/openapi.json` of `rehearsal serve scenarios/hello.ron`, set by a test, and not written by hand:
`REHEARSAL_UPDATE_DOCS=1 cargo test --test documentation` sets it anew. Another scenario has other services; ask its
gateway. [In from outside, and out](outside.md) walks through the same with examples.
";

#[test]
fn the_page_of_the_interface_is_what_a_gateway_says() {
    let (served, _) = Served::start("rehearsal serve scenarios/hello.ron");
    let folder = TempDir::new().unwrap();
    let url = format!("http://{}/openapi.json", served.address);
    let document = output("curl", &["-sf", &url], &served, folder.path());
    let page = set(&serde_json::from_str(&document).unwrap());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
    if std::env::var_os(UPDATE).is_some() {
        fs::write(path, page).unwrap();
        return;
    }
    let there = fs::read_to_string(path).unwrap_or_default();
    let differs = there.lines().zip(page.lines()).position(|(there, page)| there != page);
    let line = differs.unwrap_or_else(|| there.lines().count().min(page.lines().count())) + 1;
    assert!(there == page, "{PAGE}:{line} is not what the gateway says; set {UPDATE}=1 to have the page written anew");
}

/// The page of an OpenAPI document.
fn set(document: &Value) -> String {
    let mut page = HEAD.to_owned();
    let _ = writeln!(page, "\n{}", text(&document["info"]["description"]));
    for (path, operations) in members(&document["paths"]) {
        for (method, operation) in members(operations) {
            let _ = writeln!(page, "\n## {} {path}", method.to_uppercase());
            set_operation(operation, document, &mut page);
        }
    }
    page += "\n## Schemas\n";
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _ = writeln!(page, "\n### {name}\n");
        set_schema(schema, &mut page);
    }
    page
}

fn set_schema(schema: &Value, page: &mut String) {
    let description = text(&schema["description"]);
    if schema["properties"].is_null() {
        let gap = if description.is_empty() { "" } else { "\n\n" };
        let _ = writeln!(page, "{description}{gap}`{}`", shape(schema));
        return;
    }
    if !description.is_empty() {
        let _ = writeln!(page, "{description}\n");
    }
    *page += "| member | what | meaning |\n|---|---|---|\n";
    for (name, member) in members(&schema["properties"]) {
        let optional = if requires(schema, name) { "" } else { ", if known" };
        let meaning = cell(text(&member["description"]));
        let _ = writeln!(page, "| `{name}`{optional} | {} | {meaning} |", cell(&linked(member)));
    }
}

/// A body, or one of those that there may be: if it is a call, with its methods.
fn set_body(schema: &Value, page: &mut String) {
    let is_call = |one: &Value| !one["properties"]["method"].is_null();
    if let Some(calls) = schema["oneOf"].as_array().filter(|calls| calls.iter().all(is_call)) {
        *page += "\n| method | params | what it does |\n|---|---|---|\n";
        for call in calls {
            let method = &call["properties"]["method"];
            let named = method["enum"].as_array().map_or(std::slice::from_ref(&method["const"]), Vec::as_slice);
            let methods: Vec<String> = named.iter().map(|name| format!("`{}`", text(name))).collect();
            let params = match call["properties"].get("params") {
                Some(params) if requires(call, "params") => linked(params),
                Some(params) => format!("{}, or none", linked(params)),
                None => "none".to_owned(),
            };
            let does = cell(text(&call["description"]));
            let _ = writeln!(page, "| {} | {} | {does} |", methods.join(", "), cell(&params));
        }
        return;
    }
    if let Some(variants) = schema["anyOf"].as_array().filter(|all| all.iter().all(|one| one["title"].is_string())) {
        for variant in variants {
            let (title, description) = (text(&variant["title"]), text(&variant["description"]));
            let colon = if description.is_empty() { "" } else { ": " };
            let _ = write!(page, "\n**{title}**{colon}{description}");
            match shape(variant) {
                anything if anything == "anything" => *page += "\n",
                _ if variant["oneOf"].is_array() => {
                    *page += "\n";
                    set_body(variant, page);
                }
                shape => drop(writeln!(page, ": `{shape}`")),
            }
        }
        return;
    }
    let _ = writeln!(page, "\n{}", linked(schema));
}

fn set_operation(operation: &Value, document: &Value, page: &mut String) {
    let summary = format!("{}.", text(&operation["summary"]).trim_end_matches('.'));
    let said = [summary.as_str(), text(&operation["description"])];
    for said in said.into_iter().filter(|said| !said.trim_matches('.').is_empty()) {
        let _ = writeln!(page, "\n{said}");
    }
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        *page += "\n| parameter | in | required | schema |\n|---|---|---|---|\n";
    }
    for parameter in parameters {
        let required = if parameter["required"] == true { "yes" } else { "no" };
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let _ = writeln!(page, "| `{name}` | {place} | {required} | {} |", cell(&linked(&parameter["schema"])));
    }
    for (media_type, content) in members(&operation["requestBody"]["content"]) {
        let required = if operation["requestBody"]["required"] == true { "" } else { ", which may be left out" };
        let _ = writeln!(page, "\nThe body is `{media_type}`{required}:");
        set_body(&content["schema"], page);
    }
    *page += "\n| status | meaning | headers | body |\n|---|---|---|---|\n";
    for (status, response) in members(&operation["responses"]) {
        let response = resolve(response, document);
        let headers: Vec<String> = members(&response["headers"]).map(|(name, _)| format!("`{name}`")).collect();
        let body = |(media_type, content): (&String, &Value)| match linked(&content["schema"]) {
            anything if anything == "`anything`" => format!("`{media_type}`"),
            schema => format!("`{media_type}`: {schema}"),
        };
        let bodies: Vec<String> = members(&response["content"]).map(body).collect();
        let meaning = cell(text(&response["description"]));
        let _ = writeln!(page, "| {status} | {meaning} | {} | {} |", headers.join(", "), cell(&bodies.join("; ")));
    }
}

/// A schema in one line: a link, if it stands at the end of the page.
fn linked(schema: &Value) -> String {
    match reference(schema) {
        Some(name) => format!("[{name}](#{})", name.to_lowercase()),
        None => format!("`{}`", shape(schema)),
    }
}

/// What a reference into the same document refers to.
fn resolve<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    let pointer = reference.strip_prefix('#').expect("it refers to this document");
    document.pointer(pointer).unwrap_or_else(|| panic!("nothing stands at {reference}"))
}

pub fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text as a table has it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
