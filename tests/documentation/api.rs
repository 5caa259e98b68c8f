//! `docs/api.md`: what a gateway says of itself and its services at `/openapi.json`, for people to read.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;

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
            let _ = writeln!(page, "\n## {} {path}\n", method.to_uppercase());
            set_operation(operation, document, &mut page);
        }
    }
    page += "\n## Schemas\n";
    for (name, schema) in members(&document["components"]["schemas"]) {
        let _ = writeln!(page, "\n### {name}");
        set_json(schema, &mut page);
    }
    page
}

fn set_operation(operation: &Value, document: &Value, page: &mut String) {
    let description = text(&operation["description"]);
    let gap = if description.is_empty() { "" } else { "\n\n" };
    let _ = writeln!(page, "{}.{gap}{description}", text(&operation["summary"]).trim_end_matches('.'));
    let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
    if !parameters.is_empty() {
        *page += "\n| parameter | in | required | schema |\n|---|---|---|---|\n";
    }
    for parameter in parameters {
        let required = if parameter["required"] == true { "yes" } else { "no" };
        let (name, place) = (text(&parameter["name"]), text(&parameter["in"]));
        let _ = writeln!(page, "| `{name}` | {place} | {required} | {} |", cell(&schema(&parameter["schema"])));
    }
    for (media_type, content) in members(&operation["requestBody"]["content"]) {
        let required = if operation["requestBody"]["required"] == true { "" } else { ", which may be left out" };
        let _ = writeln!(page, "\nThe body is `{media_type}`{required}:");
        set_json(&content["schema"], page);
    }
    *page += "\n| status | meaning | headers | body |\n|---|---|---|---|\n";
    for (status, response) in members(&operation["responses"]) {
        let response = resolve(response, document);
        let headers: Vec<String> = members(&response["headers"]).map(|(name, _)| format!("`{name}`")).collect();
        let body = |(media_type, content): (&String, &Value)| match schema(&content["schema"]) {
            anything if anything == "`{}`" => format!("`{media_type}`"),
            schema => format!("`{media_type}`: {schema}"),
        };
        let bodies: Vec<String> = members(&response["content"]).map(body).collect();
        let meaning = cell(text(&response["description"]));
        let _ = writeln!(page, "| {status} | {meaning} | {} | {} |", headers.join(", "), cell(&bodies.join("; ")));
    }
}

/// A schema in one line: a link, if it stands at the end of the page.
fn schema(schema: &Value) -> String {
    match schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        Some(name) => format!("[{name}](#{})", name.to_lowercase()),
        None => format!("`{schema}`"),
    }
}

fn set_json(value: &Value, page: &mut String) {
    let json = serde_json::to_string_pretty(value).unwrap();
    let _ = writeln!(page, "\n```json\n{json}\n```");
}

/// What a reference into the same document refers to.
fn resolve<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    let pointer = reference.strip_prefix('#').expect("it refers to this document");
    document.pointer(pointer).unwrap_or_else(|| panic!("nothing stands at {reference}"))
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A text as a table has it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
