//! The smallest service that can be called.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::prelude::*;

/// Offers the interface `hello`, version 1.0:
///
/// | method | what it replies |
/// |---|---|
/// | `say_hello(name)` | `"hello NAME"`; it nacks an empty name |
/// | `echo(value)` | the value |
///
/// Counts `hellos said`.
#[derive(Debug, Default)]
pub struct Hello;

/// Whom to greet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whom {
    /// The name.
    pub name: String,
}

/// What is to come back.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// Anything.
    pub value: Value,
}

impl Hello {
    async fn say_hello(self: Rc<Self>, io: ServiceIo, Whom { name }: Whom) -> Result<String, Failure> {
        if name.is_empty() {
            return Err(Failure::nack("nobody is to be greeted"));
        }
        io.count("hellos said", 1);
        Ok(format!("hello {name}"))
    }

    async fn echo(self: Rc<Self>, _: ServiceIo, Said { value }: Said) -> Result<Value, Failure> {
        Ok(value)
    }
}

impl Service for Hello {
    fn interfaces(interfaces: &mut Interfaces<Self>) {
        interfaces.interface("hello", "1.0").rpc("say_hello", "Greets whoever is named.", Hello::say_hello).rpc(
            "echo",
            "Says the same again.",
            Hello::echo,
        );
    }
}
