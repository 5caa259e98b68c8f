//! Mermaid flowcharts. The language: <https://mermaid.js.org/syntax/flowchart.html>.

use crate::typeset::clean;

use super::{Drawing, Edge, EdgeKind, Item, Vertex, VertexKind};

pub(super) fn write(drawing: &Drawing) -> String {
    let mut out = String::new();
    // The title stands in front matter, which is YAML; a JSON string is a YAML string. Mermaid looks
    // for directives, `%%{…}%%`, before it knows what is a string.
    let title = serde_json::Value::from(clean(&drawing.title).into_owned()).to_string().replace('%', "\\u0025");
    out.push_str(&format!("---\ntitle: {title}\n---\nflowchart LR\n"));
    let mut frames = 0;
    for item in &drawing.items {
        set_item(item, 1, &mut frames, &mut out);
    }
    for edge in &drawing.edges {
        set_edge(edge, &mut out);
    }
    out.push_str("  classDef down stroke-dasharray: 4, color: #888888\n");
    out.push_str("  classDef service fill: #add8e6, color: #000000\n");
    out.push_str("  classDef remark stroke: none, fill: none, color: #888888\n");
    out
}

fn set_item(item: &Item, depth: usize, frames: &mut usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match item {
        Item::Vertex(Vertex { id, label, kind }) => {
            let label = quoted(label);
            out.push_str(&indent);
            out.push_str(&match kind {
                VertexKind::Node => format!("{id}[{label}]\n"),
                VertexKind::NodeDown => format!("{id}[{label}]:::down\n"),
                VertexKind::Service => format!("{id}({label}):::service\n"),
                VertexKind::Remark => format!("{id}[{label}]:::remark\n"),
            });
        }
        Item::Frame { label, items } => {
            out.push_str(&format!("{indent}subgraph frame{frames}[{}]\n", quoted(std::slice::from_ref(label))));
            *frames += 1;
            for item in items {
                set_item(item, depth + 1, frames, out);
            }
            out.push_str(&format!("{indent}end\n"));
        }
    }
}

fn set_edge(Edge { from, to, label, kind }: &Edge, out: &mut String) {
    let arrow = match kind {
        EdgeKind::Link => "-->",
        EdgeKind::LinkBothWays => "---",
        EdgeKind::Application => "==>",
        EdgeKind::ApplicationBothWays => "<==>",
        EdgeKind::Placement => "-.-",
    };
    let label = match label.is_empty() {
        true => String::new(),
        false => format!("|{}|", quoted(std::slice::from_ref(label))),
    };
    out.push_str(&format!("  {from} {arrow}{label} {to}\n"));
}

/// Lines as one quoted label. What Mermaid, its Markdown, its formulas or HTML would take for more
/// than itself is written as an entity, for which Mermaid has `#code;`.
fn quoted(lines: &[String]) -> String {
    let mut out = String::from("\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push_str("<br/>");
        }
        let line = clean(line);
        let marker = list_marker(&line);
        for (at, c) in line.char_indices() {
            match c {
                '"' | '#' | '&' | '<' | '>' | '`' | '*' | '_' | '~' | '\\' | '%' | '$' | '|' => {
                    out.push_str(&format!("#{};", u32::from(c)));
                }
                c if Some(at) == marker => out.push_str(&format!("#{};", u32::from(c))),
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}

/// Where the character stands that makes the line a Markdown list or heading: `- x`, `1. x`.
fn list_marker(line: &str) -> Option<usize> {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ');
    digits.starts_with(['-', '+', '=', '.', ')']).then_some(line.len() - digits.len())
}
