//! What a service says of its interfaces.

use std::any::type_name;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_reflection::{ContainerFormat, Format, FormatHolder, Registry, Tracer, TracerConfig};

/// Everything that a service may be called by: the answer of `inspect`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "what a service can be called by: an object with `service` and `interfaces`")]
pub struct Inspection {
    /// What the service is called.
    pub service: String,
    /// In order of registration.
    pub interfaces: Vec<InterfaceDescription>,
    /// What it answers over REST: methods with their patterns, as `GET /items/{id}`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
}

/// An interface of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "an interface: an object with `name`, `version` and `methods`")]
pub struct InterfaceDescription {
    /// Its name, unique in the service.
    pub name: String,
    /// Its version, in the author's words.
    pub version: String,
    /// In order of registration.
    pub methods: Vec<MethodDescription>,
}

/// A method of an interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a method: an object with `name`, `doc`, `params`, `replies` and `raises`")]
pub struct MethodDescription {
    /// Its name, unique in the interface.
    pub name: String,
    /// What it does, in the author's words.
    pub doc: String,
    /// What it takes.
    pub params: Vec<Parameter>,
    /// What it replies, as Rust calls it; nothing where the handler decides that (`raw_rpc`).
    pub replies: Option<String>,
    /// The errors that it declares.
    pub raises: Vec<String>,
}

/// A parameter of a method.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(expecting = "a parameter: an object with `name` and `type`")]
pub struct Parameter {
    /// The name of a field; the position where fields have no names; `value` for a method that takes one
    /// value alone.
    pub name: String,
    /// What it is, as Rust writes it.
    #[serde(rename = "type")]
    pub type_name: String,
}

impl Parameter {
    fn new(name: impl Into<String>, type_name: impl Into<String>) -> Self {
        Parameter { name: name.into(), type_name: type_name.into() }
    }
}

/// The parameters that make up a value of this type, as far as its `Deserialize` gives them away: one
/// that wants to see real data before it says anything is one value with the name of its type.
pub(crate) fn parameters_of<P: DeserializeOwned>() -> Vec<Parameter> {
    let mut tracer = Tracer::new(TracerConfig::default());
    let traced = tracer.trace_simple_type::<P>();
    let Ok((mut format, _)) = traced else {
        return vec![Parameter::new("value", short_name::<P>())];
    };
    let registry = tracer.registry_unchecked();
    // What is not known is written as such.
    let _ = format.normalize();
    let each = |(name, format): (String, &Format)| Parameter::new(name, write(format));
    parameters(&format, &registry).into_iter().map(each).collect()
}

/// The parameters that a value of this format is made of, by name.
pub(super) fn parameters<'a>(format: &'a Format, registry: &'a Registry) -> Vec<(String, &'a Format)> {
    let numbered = |formats: &'a [Format]| formats.iter().enumerate().map(|(i, format)| (i.to_string(), format));
    match format {
        Format::Unit => Vec::new(),
        Format::Tuple(formats) => numbered(formats).collect(),
        Format::TypeName(name) => match registry.get(name) {
            Some(ContainerFormat::UnitStruct) => Vec::new(),
            Some(ContainerFormat::NewTypeStruct(inner)) => parameters(inner, registry),
            Some(ContainerFormat::TupleStruct(formats)) => numbered(formats).collect(),
            Some(ContainerFormat::Struct(fields)) => {
                fields.iter().map(|field| (field.name.clone(), &field.value)).collect()
            }
            Some(ContainerFormat::Enum(_)) | None => vec![("value".to_owned(), format)],
        },
        other => vec![("value".to_owned(), other)],
    }
}

/// A type as Rust writes it.
fn write(format: &Format) -> String {
    match format {
        Format::Variable(_) => "?".to_owned(),
        Format::TypeName(name) => name.clone(),
        Format::Unit => "()".to_owned(),
        Format::Bool => "bool".to_owned(),
        Format::I8 => "i8".to_owned(),
        Format::I16 => "i16".to_owned(),
        Format::I32 => "i32".to_owned(),
        Format::I64 => "i64".to_owned(),
        Format::I128 => "i128".to_owned(),
        Format::U8 => "u8".to_owned(),
        Format::U16 => "u16".to_owned(),
        Format::U32 => "u32".to_owned(),
        Format::U64 => "u64".to_owned(),
        Format::U128 => "u128".to_owned(),
        Format::F32 => "f32".to_owned(),
        Format::F64 => "f64".to_owned(),
        Format::Char => "char".to_owned(),
        Format::Str => "String".to_owned(),
        Format::Bytes => "Bytes".to_owned(),
        Format::Option(inner) => format!("Option<{}>", write(inner)),
        Format::Seq(inner) => format!("Vec<{}>", write(inner)),
        Format::Map { key, value } => format!("Map<{}, {}>", write(key), write(value)),
        Format::Tuple(formats) => format!("({})", formats.iter().map(write).collect::<Vec<_>>().join(", ")),
        Format::TupleArray { content, size } => format!("[{}; {size}]", write(content)),
    }
}

/// The name of a type without the modules that it stands in.
pub(crate) fn short_name<T>() -> String {
    let mut short = String::new();
    let mut word = String::new();
    for character in type_name::<T>().chars() {
        match character {
            ':' => word.clear(),
            character if character.is_alphanumeric() || character == '_' => word.push(character),
            character => {
                short.push_str(&std::mem::take(&mut word));
                short.push(character);
            }
        }
    }
    short + &word
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only their types are looked at")]
    struct Order {
        customer: String,
        items: Vec<Item>,
        urgent: bool,
        notes: BTreeMap<String, Option<f64>>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "as above")]
    struct Item {
        count: u32,
    }

    #[derive(Deserialize)]
    enum Colour {
        Red,
        Green,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "as above")]
    struct Paint(Colour, u8);

    /// Wants to see a number that is not 0.
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "as above")]
    struct Picky(std::num::NonZeroU8);

    fn described<P: DeserializeOwned>() -> Vec<(String, String)> {
        parameters_of::<P>().into_iter().map(|parameter| (parameter.name, parameter.type_name)).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect()
    }

    #[test]
    fn fields_are_parameters_with_names_and_types() {
        let expected =
            [("customer", "String"), ("items", "Vec<Item>"), ("urgent", "bool"), ("notes", "Map<String, Option<f64>>")];
        assert_eq!(described::<Order>(), pairs(&expected));
    }

    #[test]
    fn fields_without_names_are_numbered_and_a_single_value_is_the_value() {
        assert_eq!(described::<(i64, String)>(), pairs(&[("0", "i64"), ("1", "String")]));
        assert_eq!(described::<Paint>(), pairs(&[("0", "Colour"), ("1", "u8")]));
        assert_eq!(described::<u64>(), pairs(&[("value", "u64")]));
        assert_eq!(described::<Vec<Item>>(), pairs(&[("value", "Vec<Item>")]));
        assert_eq!(described::<Colour>(), pairs(&[("value", "Colour")]));
        assert_eq!(described::<()>(), pairs(&[]));
        assert_eq!(described::<Picky>(), pairs(&[("value", "Picky")]));
        assert!(matches!((Colour::Red, Colour::Green), (Colour::Red, Colour::Green)));
    }

    #[test]
    fn names_of_types_are_without_their_modules() {
        assert_eq!(short_name::<Vec<Item>>(), "Vec<Item>");
        assert_eq!(
            short_name::<Result<BTreeMap<String, u8>, (i8, &str)>>(),
            "Result<BTreeMap<String, u8>, (i8, &str)>"
        );
    }
}
