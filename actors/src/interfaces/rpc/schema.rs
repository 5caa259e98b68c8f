//! What parameters look like in JSON: JSON Schema (draft 2020-12, which OpenAPI 3.1 takes over).

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use serde_reflection::{ContainerFormat, Error, Format, FormatHolder, Registry, Tracer, TracerConfig, VariantFormat};

use super::inspection::parameters;
use crate::panics::catch;

/// So many times a type is read, so that all variants of the enums in it are seen.
const ROUNDS: usize = 256;
/// So deep may a schema be; what lies deeper is left open.
const DEPTH: usize = 16;

/// JSON Schemas of what a method takes. `{}`, which anything fits, stands where a type's `Deserialize`
/// does not give away what it wants.
#[derive(Clone, Debug, PartialEq)]
pub struct Schemas {
    /// Of the parameters as one value: an object where they have names, an array where they have not.
    pub whole: Value,
    /// Of each parameter, in the order of [`MethodDescription::params`](super::MethodDescription::params).
    pub each: Vec<Value>,
}

/// What serde-reflection saw of a type.
struct Traced {
    format: Format,
    registry: Registry,
    /// Enums of which there are more variants than were seen.
    open: BTreeSet<String>,
}

/// Looks at a type until every variant of every enum in it was seen; `None` if it wants to see real data.
fn trace<P: DeserializeOwned>() -> Option<Traced> {
    let mut enums = BTreeSet::new();
    loop {
        let mut tracer = Tracer::new(TracerConfig::default());
        let (mut format, _) = tracer.trace_simple_type::<P>().ok()?;
        for _ in 0..ROUNDS {
            // Every name has to be asked for: that is what lets the tracer go on to the next variant.
            let unseen = enums.iter().filter(|name: &&String| tracer.check_incomplete_enum(name).is_some()).count();
            if unseen == 0 {
                break;
            }
            format = tracer.trace_simple_type::<P>().ok()?.0;
        }
        // What is not known is left open.
        let _ = format.normalize();
        match tracer.registry() {
            Ok(registry) => return Some(Traced { format, registry, open: BTreeSet::new() }),
            Err(Error::MissingVariants(names)) => {
                let known = enums.len();
                enums.extend(names.iter().cloned());
                if enums.len() == known {
                    return unchecked::<P>(names.into_iter().collect());
                }
            }
            Err(_) => return unchecked::<P>(BTreeSet::new()),
        }
    }
}

fn unchecked<P: DeserializeOwned>(open: BTreeSet<String>) -> Option<Traced> {
    let mut tracer = Tracer::new(TracerConfig::default());
    let (mut format, _) = tracer.trace_simple_type::<P>().ok()?;
    let _ = format.normalize();
    Some(Traced { format, registry: tracer.registry_unchecked(), open })
}

/// The schemas of the parameters that make up a value of this type.
pub(super) fn schemas_of<P: DeserializeOwned>() -> Schemas {
    // It is the type's own code that runs, on data that nobody has sent.
    let Ok(Some(traced)) = catch(trace::<P>) else {
        return Schemas { whole: anything(), each: vec![anything()] };
    };
    let writer = Writer { registry: &traced.registry, open: &traced.open };
    let each = parameters(&traced.format, &traced.registry);
    Schemas {
        whole: writer.format(&traced.format, &mut Vec::new()),
        each: each.into_iter().map(|(_, format)| writer.format(format, &mut Vec::new())).collect(),
    }
}

fn anything() -> Value {
    json!({})
}

/// Writes formats as schemas. Named types are written out where they are used, so that a schema stands
/// for itself; a type inside of itself is left open.
struct Writer<'a> {
    registry: &'a Registry,
    open: &'a BTreeSet<String>,
}

impl<'a> Writer<'a> {
    /// `within`: the named types that it stands in.
    fn format(&self, format: &'a Format, within: &mut Vec<&'a str>) -> Value {
        match format {
            Format::Variable(_) => anything(),
            Format::TypeName(name) => self.named(name, within),
            Format::Unit => json!({ "type": "null" }),
            Format::Bool => json!({ "type": "boolean" }),
            Format::I8 => integer(i8::MIN.into(), i8::MAX as u64),
            Format::I16 => integer(i16::MIN.into(), i16::MAX as u64),
            Format::I32 => integer(i32::MIN.into(), i32::MAX as u64),
            Format::I64 => integer(i64::MIN, i64::MAX as u64),
            Format::U8 => integer(0, u8::MAX.into()),
            Format::U16 => integer(0, u16::MAX.into()),
            Format::U32 => integer(0, u32::MAX.into()),
            Format::U64 => integer(0, u64::MAX),
            // JSON's numbers, as they are read here, end before these do.
            Format::I128 => integer(i64::MIN, u64::MAX),
            Format::U128 => integer(0, u64::MAX),
            Format::F32 | Format::F64 => json!({ "type": "number" }),
            Format::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
            Format::Str => json!({ "type": "string" }),
            Format::Bytes => json!({ "type": "array", "items": integer(0, u8::MAX.into()) }),
            Format::Option(inner) => json!({ "anyOf": [self.format(inner, within), { "type": "null" }] }),
            Format::Seq(inner) => json!({ "type": "array", "items": self.format(inner, within) }),
            Format::Map { value, .. } => {
                json!({ "type": "object", "additionalProperties": self.format(value, within) })
            }
            Format::Tuple(formats) => self.tuple(formats, within),
            Format::TupleArray { content, size } => {
                let items = self.format(content, within);
                json!({ "type": "array", "items": items, "minItems": size, "maxItems": size })
            }
        }
    }

    fn named(&self, name: &'a str, within: &mut Vec<&'a str>) -> Value {
        let container = self.registry.get(name).filter(|_| !self.open.contains(name));
        let Some(container) = container.filter(|_| within.len() < DEPTH && !within.contains(&name)) else {
            return anything();
        };
        within.push(name);
        let schema = match container {
            ContainerFormat::UnitStruct => json!({ "type": "null" }),
            ContainerFormat::NewTypeStruct(inner) => self.format(inner, within),
            ContainerFormat::TupleStruct(formats) => self.tuple(formats, within),
            ContainerFormat::Struct(fields) => {
                self.object(fields.iter().map(|field| (field.name.as_str(), &field.value)), within)
            }
            ContainerFormat::Enum(variants) => {
                let each = variants.values().map(|variant| self.variant(&variant.name, &variant.value, within));
                json!({ "oneOf": each.collect::<Vec<Value>>() })
            }
        };
        within.pop();
        schema
    }

    fn tuple(&self, formats: &'a [Format], within: &mut Vec<&'a str>) -> Value {
        let len = formats.len();
        let items: Vec<Value> = formats.iter().map(|format| self.format(format, within)).collect();
        json!({ "type": "array", "prefixItems": items, "minItems": len, "maxItems": len })
    }

    /// Whoever reads a struct may know fields that need not be there, and does not say so, unless they are
    /// options: every other one is said to be required.
    fn object(&self, fields: impl Iterator<Item = (&'a str, &'a Format)>, within: &mut Vec<&'a str>) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, format) in fields {
            if !matches!(format, Format::Option(_)) {
                required.push(name);
            }
            properties.insert(name.to_owned(), self.format(format, within));
        }
        json!({ "type": "object", "properties": properties, "required": required })
    }

    /// Variants are told by their names, as serde does unless it is told otherwise.
    fn variant(&self, name: &str, format: &'a VariantFormat, within: &mut Vec<&'a str>) -> Value {
        let content = match format {
            VariantFormat::Unit => return json!({ "const": name }),
            VariantFormat::Variable(_) => anything(),
            VariantFormat::NewType(inner) => self.format(inner, within),
            VariantFormat::Tuple(formats) => self.tuple(formats, within),
            VariantFormat::Struct(fields) => {
                self.object(fields.iter().map(|field| (field.name.as_str(), &field.value)), within)
            }
        };
        let properties = json!({ name: content });
        json!({ "type": "object", "properties": properties, "required": [name], "additionalProperties": false })
    }
}

fn integer(minimum: i64, maximum: u64) -> Value {
    json!({ "type": "integer", "minimum": minimum, "maximum": maximum })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "only their types are looked at")]
    struct Order {
        customer: String,
        items: Vec<(u16, f32)>,
        paid_by: Payment,
        note: Option<char>,
        more: BTreeMap<u8, bool>,
    }

    #[derive(Deserialize)]
    #[expect(dead_code, reason = "as above")]
    enum Payment {
        Cash,
        Card { number: String },
        Both(i8, Box<Payment>),
        Voucher(Currency),
    }

    #[derive(Deserialize)]
    enum Currency {
        Pounds,
        Euros,
    }

    #[test]
    fn numbers_texts_and_lists_say_what_fits() {
        assert_eq!(schemas_of::<u8>().whole, json!({ "type": "integer", "minimum": 0, "maximum": 255 }));
        assert_eq!(schemas_of::<i64>().whole["minimum"], json!(i64::MIN));
        assert_eq!(schemas_of::<u64>().whole["maximum"], json!(u64::MAX));
        assert_eq!(schemas_of::<String>().each, [json!({ "type": "string" })]);
        assert_eq!(schemas_of::<Vec<bool>>().whole, json!({ "type": "array", "items": { "type": "boolean" } }));
        assert_eq!(schemas_of::<()>(), Schemas { whole: json!({ "type": "null" }), each: vec![] });
    }

    #[test]
    fn fields_are_properties_and_what_is_no_option_is_required() {
        let Schemas { whole, each } = schemas_of::<Order>();
        assert_eq!(whole["required"], json!(["customer", "items", "paid_by", "more"]));
        assert_eq!(whole["properties"]["customer"], each[0]);
        let price = json!([{ "type": "integer", "minimum": 0, "maximum": 65535 }, { "type": "number" }]);
        let item = json!({ "type": "array", "prefixItems": price, "minItems": 2, "maxItems": 2 });
        assert_eq!(each[1], json!({ "type": "array", "items": item }));
        let letter = json!({ "type": "string", "minLength": 1, "maxLength": 1 });
        assert_eq!(each[3], json!({ "anyOf": [letter, { "type": "null" }] }));
        assert_eq!(each[4], json!({ "type": "object", "additionalProperties": { "type": "boolean" } }));
    }

    #[test]
    fn every_variant_of_every_enum_is_there_and_a_type_within_itself_is_open() {
        let Schemas { each, .. } = schemas_of::<Order>();
        let only = |name: &str, content: Value| {
            let properties = json!({ name: content });
            json!({ "type": "object", "properties": properties, "required": [name], "additionalProperties": false })
        };
        let card =
            json!({ "type": "object", "properties": { "number": { "type": "string" } }, "required": ["number"] });
        let both = json!([{ "type": "integer", "minimum": -128, "maximum": 127 }, {}]);
        let both = json!({ "type": "array", "prefixItems": both, "minItems": 2, "maxItems": 2 });
        let currencies = json!({ "oneOf": [{ "const": "Pounds" }, { "const": "Euros" }] });
        let variants =
            [json!({ "const": "Cash" }), only("Card", card), only("Both", both), only("Voucher", currencies)];
        assert_eq!(each[2], json!({ "oneOf": variants }));
        assert!(matches!((Currency::Pounds, Currency::Euros), (Currency::Pounds, Currency::Euros)));
    }

    #[test]
    fn what_wants_to_see_real_data_is_left_open() {
        let open = Schemas { whole: json!({}), each: vec![json!({})] };
        assert_eq!(schemas_of::<Value>(), open);
        assert_eq!(schemas_of::<std::num::NonZeroU8>(), open);

        #[derive(Debug)]
        struct Hostile;
        impl<'de> Deserialize<'de> for Hostile {
            fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                panic!("on purpose")
            }
        }
        crate::panics::install_hook();
        assert_eq!(schemas_of::<Hostile>(), open);
    }
}
