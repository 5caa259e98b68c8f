//! JSON schemas as people write them down: `{ name: string, port?: integer 1..65535 }`.

use serde_json::Value;

use super::api::{members, text};

/// What a schema lets pass, in one line. What it says in words is left out.
///
/// # Panics
/// It says something that this has no words for, which the page would keep from its readers.
pub fn shape(schema: &Value) -> String {
    let known = |(keyword, _): &(&String, &Value)| !KNOWN.contains(&keyword.as_str());
    if let Some((keyword, _)) = members(schema).find(known) {
        panic!("`{keyword}` has yet to be put in words: {schema}");
    }
    if let Some(name) = reference(schema) {
        return name.to_owned();
    }
    if let Some(value) = schema.get("const") {
        return value.to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        return joined(values.iter().map(Value::to_string));
    }
    if let Some(variants) = schema.get("anyOf").or(schema.get("oneOf")).and_then(Value::as_array) {
        return joined(variants.iter().map(shape));
    }
    match &schema["type"] {
        Value::Array(types) => joined(types.iter().map(|one| of_type(text(one), schema))),
        one => of_type(text(one), schema),
    }
}

/// The name of the schema that one refers to.
pub fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

/// Whether an object must have a member of that name.
pub fn requires(schema: &Value, name: &str) -> bool {
    schema["required"].as_array().is_some_and(|required| required.iter().any(|one| one == name))
}

const KNOWN: [&str; 22] = [
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "description",
    "enum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "pattern",
    "prefixItems",
    "properties",
    "required",
    "title",
    "type",
];

fn joined(shapes: impl Iterator<Item = String>) -> String {
    shapes.collect::<Vec<_>>().join(" | ")
}

fn of_type(one: &str, schema: &Value) -> String {
    match one {
        "" => "anything".to_owned(),
        "object" => object(schema),
        "array" => array(schema),
        "string" => string(schema),
        _ => format!("{one}{}", range(schema)),
    }
}

fn object(schema: &Value) -> String {
    let member = |(name, value): (&String, &Value)| {
        let optional = if requires(schema, name) { "" } else { "?" };
        format!("{name}{optional}: {}", shape(value))
    };
    let known: Vec<String> = members(&schema["properties"]).map(member).collect();
    if known.is_empty() { "object".to_owned() } else { format!("{{ {} }}", known.join(", ")) }
}

fn array(schema: &Value) -> String {
    if let Some(items) = schema["prefixItems"].as_array() {
        return format!("[{}]", items.iter().map(shape).collect::<Vec<_>>().join(", "));
    }
    match schema.get("items") {
        Some(item) => format!("[{}, …]", shape(item)),
        None => "array".to_owned(),
    }
}

fn string(schema: &Value) -> String {
    let pattern = schema["pattern"].as_str().map(|pattern| format!("like {pattern}"));
    let length = match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
        (None, None) => None,
        (Some(least), None) => Some(format!("of {least} or more characters")),
        (None, Some(most)) => Some(format!("of {most} characters at most")),
        (Some(least), Some(most)) => Some(format!("of {least}..{most} characters")),
    };
    let format = schema["format"].as_str().map(|format| format!("({format})"));
    let parts: Vec<String> = [Some("string".to_owned()), format, length, pattern].into_iter().flatten().collect();
    parts.join(" ")
}

fn range(schema: &Value) -> String {
    match (&schema["minimum"], &schema["maximum"], &schema["exclusiveMinimum"]) {
        (Value::Null, Value::Null, Value::Null) => String::new(),
        (Value::Null, Value::Null, above) => format!(" > {above}"),
        (least, Value::Null, _) => format!(" >= {least}"),
        (Value::Null, most, _) => format!(" <= {most}"),
        (least, most, _) => format!(" {least}..{most}"),
    }
}
