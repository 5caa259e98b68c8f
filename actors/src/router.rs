//! Routers: one a node, the address book of its services.
//!
//! | message | from | what comes of it |
//! |---|---|---|
//! | [`NotDelivered`] | the router of the node where a message found nobody | the sender's request ends as undelivered |
//!
//! The notice travels over the network like everything else: it takes its time and can be lost.

use std::fmt;

use actix::prelude::*;
use serde::{Serialize, Serializer};

use crate::context::{Accepts, Networked, ServiceContext};
use crate::network::ports::Delivery;
use crate::network::waits::{Answer, WaitKey};
use crate::outcome::Undelivered;
use crate::units::Bytes;

/// Word of a request that nobody will answer, on its way back to the sender's router.
#[derive(Clone)]
pub(crate) struct NotDelivered {
    pub(crate) wait: WaitKey,
    pub(crate) why: Why,
}

/// Why nobody will answer a request.
#[derive(Clone)]
pub(crate) enum Why {
    /// It could not be handed over.
    Undelivered(Undelivered),
    /// It was, to a service of that name, which is gone.
    Interrupted(String),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Undelivered(why) => why.fmt(f),
            Why::Interrupted(by) => write!(f, "`{by}` is gone, and had it in its hands"),
        }
    }
}

impl NotDelivered {
    /// On the wire: the request's number and the reason.
    pub(crate) fn size(&self) -> Bytes {
        Bytes(8 + self.why.to_string().len() as u64)
    }
}

impl Serialize for NotDelivered {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.why)
    }
}

/// The router of one node.
pub(crate) struct RouterActor;

impl Actor for RouterActor {
    type Context = ServiceContext<Self>;
}

impl Networked for RouterActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<NotDelivered>();
    }
}

impl Handler<Delivery<NotDelivered>> for RouterActor {
    type Result = ();

    fn handle(&mut self, notice: Delivery<NotDelivered>, ctx: &mut ServiceContext<Self>) {
        let NotDelivered { wait, why } = notice.body;
        let answer = match why {
            Why::Undelivered(why) => Answer::Undelivered(why),
            Why::Interrupted(by) => Answer::Interrupted(by),
        };
        ctx.network().settle(wait, answer);
    }
}
