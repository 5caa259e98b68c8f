//! Graphviz. The language: <https://graphviz.org/doc/info/lang.html>.

use crate::typeset::clean;

use super::{Drawing, Edge, EdgeKind, Item, Vertex, VertexKind};

pub(super) fn write(drawing: &Drawing) -> String {
    let mut out = String::new();
    let title = quoted(std::slice::from_ref(&drawing.title));
    out.push_str("digraph rehearsal {\n");
    out.push_str(&format!("  label={title}; labelloc=t; rankdir=LR; fontname=\"sans-serif\";\n"));
    out.push_str("  node [fontname=\"sans-serif\", fontsize=11];\n");
    out.push_str("  edge [fontname=\"sans-serif\", fontsize=9];\n");
    let mut frames = 0;
    for item in &drawing.items {
        set_item(item, 1, &mut frames, &mut out);
    }
    for edge in &drawing.edges {
        set_edge(edge, &mut out);
    }
    out.push_str("}\n");
    out
}

fn set_item(item: &Item, depth: usize, frames: &mut usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match item {
        Item::Vertex(Vertex { id, label, kind }) => {
            let look = match kind {
                VertexKind::Node => "shape=box",
                VertexKind::NodeDown => "shape=box, style=dashed, color=gray, fontcolor=gray",
                VertexKind::Service => "shape=box, style=\"rounded,filled\", fillcolor=lightblue",
                VertexKind::Remark => "shape=note, color=gray, fontcolor=gray",
            };
            out.push_str(&format!("{indent}{id} [label={}, {look}];\n", quoted(label)));
        }
        Item::Frame { label, items } => {
            // Only what is called `cluster…` is drawn with a frame.
            out.push_str(&format!("{indent}subgraph cluster{frames} {{\n"));
            out.push_str(&format!(
                "{indent}  label={}; style=rounded; color=gray;\n",
                quoted(std::slice::from_ref(label))
            ));
            *frames += 1;
            for item in items {
                set_item(item, depth + 1, frames, out);
            }
            out.push_str(&format!("{indent}}}\n"));
        }
    }
}

fn set_edge(Edge { from, to, label, kind }: &Edge, out: &mut String) {
    let look = match kind {
        EdgeKind::Link => "",
        EdgeKind::LinkBothWays => "dir=none",
        EdgeKind::Application => "color=blue",
        EdgeKind::ApplicationBothWays => "color=blue, dir=both",
        EdgeKind::Placement => "style=dotted, arrowhead=none, constraint=false",
    };
    let mut attributes: Vec<String> = Vec::new();
    if !label.is_empty() {
        attributes.push(format!("label={}", quoted(std::slice::from_ref(label))));
    }
    if !look.is_empty() {
        attributes.push(look.to_owned());
    }
    out.push_str(&format!("  {from} -> {to} [{}];\n", attributes.join(", ")));
}

/// Lines as one quoted string. Within quotes a backslash begins an escape of the label (`\n`, `\N`
/// for the node's name, …) and `&` an HTML entity, so both are written as what stands for themselves.
fn quoted(lines: &[String]) -> String {
    let mut out = String::from("\"");
    for (at, line) in lines.iter().enumerate() {
        if at > 0 {
            out.push_str("\\n");
        }
        for c in clean(line).chars() {
            match c {
                '"' => out.push_str("\\\""),
                '\\' => out.push_str("\\\\"),
                '&' => out.push_str("&amp;"),
                c => out.push(c),
            }
        }
    }
    out.push('"');
    out
}
