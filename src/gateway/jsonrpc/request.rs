//! Requests, and what makes one.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ErrorObject;

/// How much is read of what is sent. Its bytes are counted by whoever takes them in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// So many arrays and objects may stand within each other. Whoever reads parameters into JSON values
    /// goes no deeper than 127.
    pub depth: usize,
    /// A batch may have so many members.
    pub batch: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { depth: 64, batch: 100 }
    }
}

/// The id of a request: the text of a JSON string, number or null, as it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id<'a>(&'a str);

impl<'a> Id<'a> {
    /// Of answers to what has no id that could be read.
    pub const NULL: Id<'static> = Id("null");

    fn of(raw: &'a RawValue) -> Option<Self> {
        let text = raw.get();
        let fits = matches!(text.bytes().next(), Some(b'"' | b'-' | b'0'..=b'9' | b'n'));
        fits.then_some(Id(text))
    }

    /// As JSON.
    pub fn as_json(&self) -> &'a str {
        self.0
    }
}

/// A request that follows the specification.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What the answer is to carry; `None` for a notification, which is not answered.
    pub id: Option<Id<'a>>,
    /// What is to be done.
    pub method: Cow<'a, str>,
    /// With what: an array, an object, or nothing at all.
    pub params: Option<&'a RawValue>,
}

/// Something that does not follow it, and how it is answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid<'a> {
    /// The id that it would have had, or null.
    pub id: Id<'a>,
    /// What is wrong.
    pub error: ErrorObject,
}

impl<'a> Invalid<'a> {
    fn nameless(error: ErrorObject) -> Self {
        Invalid { id: Id::NULL, error }
    }
}

/// What was sent at once.
#[derive(Debug)]
pub enum Incoming<'a> {
    /// One request.
    Single(Result<Request<'a>, Invalid<'a>>),
    /// Several, at least one.
    Batch(Vec<Result<Request<'a>, Invalid<'a>>>),
}

/// Reads what was sent.
///
/// # Errors
/// It is answered as a whole: it is no JSON, nested too deep, an empty batch or one that is too long.
pub fn parse<'a>(bytes: &'a [u8], bounds: &Bounds) -> Result<Incoming<'a>, Invalid<'a>> {
    let refuse = |error| Err(Invalid::nameless(error));
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return refuse(ErrorObject::no_json(error)),
    };
    if !depth_is_within(bytes, bounds.depth) {
        return refuse(ErrorObject::no_json(format!("it is nested deeper than {} levels", bounds.depth)));
    }
    if first_byte(text) != Some(b'[') {
        return match read_one(text) {
            Ok(one) => Ok(Incoming::Single(one)),
            Err(error) => refuse(ErrorObject::no_json(error)),
        };
    }
    let members = match members(text, bounds.batch) {
        Ok(members) => members,
        Err(error) => return refuse(ErrorObject::no_json(error)),
    };
    if members.count > bounds.batch {
        let detail = format!("a batch has at most {} members, and this one {}", bounds.batch, members.count);
        return refuse(ErrorObject::no_request(detail));
    }
    if members.count == 0 {
        return refuse(ErrorObject::no_request("a batch has at least one member"));
    }
    // What stands in the batch was read as JSON before.
    let read = |raw: &&'a RawValue| {
        read_one(raw.get()).unwrap_or_else(|error| Err(Invalid::nameless(ErrorObject::no_request(error))))
    };
    Ok(Incoming::Batch(members.first.iter().map(read).collect()))
}

/// Whether arrays and objects stand within each other no deeper than that. It does not look for other
/// mistakes, and has no stack that could overflow.
pub(crate) fn depth_is_within(json: &[u8], limit: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for byte in json {
        match (in_text, byte) {
            (true, _) if escaped => escaped = false,
            (true, b'\\') => escaped = true,
            (_, b'"') => in_text = !in_text,
            (false, b'[' | b'{') => {
                depth += 1;
                if depth > limit {
                    return false;
                }
            }
            (false, b']' | b'}') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    true
}

fn first_byte(json: &str) -> Option<u8> {
    json.bytes().find(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// Reads what should be a request.
///
/// # Errors
/// It is no JSON.
fn read_one(text: &str) -> Result<Result<Request<'_>, Invalid<'_>>, serde_json::Error> {
    if first_byte(text) != Some(b'{') {
        serde_json::from_str::<IgnoredAny>(text)?;
        return Ok(Err(Invalid::nameless(ErrorObject::no_request("a request is an object"))));
    }
    serde_json::from_str::<Object<'_>>(text).map(Object::check)
}

/// The members of a batch.
struct Members<'a> {
    /// No more than asked for.
    first: Vec<&'a RawValue>,
    count: usize,
}

/// Reads an array, and keeps so many of its members; the others are looked at only to see that they are JSON.
struct MembersUpTo(usize);

impl<'de> DeserializeSeed<'de> for MembersUpTo {
    type Value = Members<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Members<'de>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for MembersUpTo {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<Members<'de>, A::Error> {
        let mut first = Vec::new();
        while first.len() < self.0 {
            match array.next_element()? {
                Some(member) => first.push(member),
                None => return Ok(Members { count: first.len(), first }),
            }
        }
        let mut count = first.len();
        while array.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Members { first, count })
    }
}

fn members(text: &str, up_to: usize) -> Result<Members<'_>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_str(text);
    let members = MembersUpTo(up_to).deserialize(&mut json)?;
    json.end().map(|()| members)
}

/// An object that should be a request: its members as they stand there.
#[derive(Default)]
struct Object<'a> {
    jsonrpc: Option<&'a RawValue>,
    method: Option<&'a RawValue>,
    params: Option<&'a RawValue>,
    id: Option<&'a RawValue>,
    /// The member that stands there twice.
    twice: Option<&'static str>,
}

enum Member {
    Jsonrpc,
    Method,
    Params,
    Id,
    Other,
}

impl<'de> Deserialize<'de> for Member {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = Member;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Member, E> {
                Ok(match name {
                    "jsonrpc" => Member::Jsonrpc,
                    "method" => Member::Method,
                    "params" => Member::Params,
                    "id" => Member::Id,
                    _ => Member::Other,
                })
            }
        }

        deserializer.deserialize_identifier(Name)
    }
}

impl<'de> Deserialize<'de> for Object<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyObject;

        impl<'de> Visitor<'de> for AnyObject {
            type Value = Object<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
                let mut object = Object::default();
                while let Some(member) = map.next_key::<Member>()? {
                    let (name, place) = match member {
                        Member::Jsonrpc => ("jsonrpc", &mut object.jsonrpc),
                        Member::Method => ("method", &mut object.method),
                        Member::Params => ("params", &mut object.params),
                        Member::Id => ("id", &mut object.id),
                        Member::Other => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    if place.replace(map.next_value()?).is_some() {
                        object.twice = Some(name);
                    }
                }
                Ok(object)
            }
        }

        deserializer.deserialize_map(AnyObject)
    }
}

impl<'a> Object<'a> {
    /// The request that it is, if it follows section 4 of the specification.
    fn check(self) -> Result<Request<'a>, Invalid<'a>> {
        let id = self.id.filter(|_| self.twice != Some("id")).and_then(Id::of);
        let invalid =
            |detail: &str| Err(Invalid { id: id.unwrap_or(Id::NULL), error: ErrorObject::no_request(detail) });
        if let Some(name) = self.twice {
            return invalid(&format!("`{name}` stands there twice"));
        }
        if self.id.is_some() && id.is_none() {
            return invalid("`id` is a string, a number or null");
        }
        if self.jsonrpc.and_then(text_of).as_deref() != Some("2.0") {
            return invalid("`jsonrpc` is \"2.0\"");
        }
        let Some(method) = self.method.and_then(text_of) else {
            return invalid("`method` is a string");
        };
        if self.params.is_some_and(|params| !params.get().starts_with(['[', '{'])) {
            return invalid("`params` is an array or an object");
        }
        Ok(Request { id, method, params: self.params })
    }
}

/// The text that a JSON string stands for.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') { serde_json::from_str(raw.get()).ok().map(Cow::Owned) } else { Some(Cow::Borrowed(inner)) }
}
