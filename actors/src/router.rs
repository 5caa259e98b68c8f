//! Routers: they give out connections, know which address is whose, and send on what is for others.
//!
//! A node, which is a machine here, has router 0, and further ones if services are declared to have
//! them, as processes of one machine would: what is said among them stays on the machine and costs
//! nothing. Their address book is common to all of a run, and plain data.

pub mod address;
pub(crate) mod book;
mod forwarding;

use std::fmt;
use std::rc::Rc;

use actix::prelude::*;
use serde::{Serialize, Serializer};

pub use address::{Address, BadAddress, ConnectionId, MachineId, RouterId};
pub use book::{KnownDirectory, Routing, Standing};
use forwarding::Gate;
pub use forwarding::HOP_LIMIT;

use crate::context::{Accepts, Networked, ServiceContext};
use crate::interfaces::raw::{Msg, RawMessage};
use crate::interfaces::rpc::{NobodyHere, StrayCall};
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

/// A message that was sent and forgotten and found nobody, on its way back to the sender's router.
#[derive(Clone, Serialize)]
pub(crate) struct Returned {
    /// What is told to the connection that sent it.
    pub(crate) msg: Msg,
    /// What the message's outcome is booked by; `NONE` if it has one already.
    #[serde(skip)]
    pub(crate) wait: WaitKey,
    #[serde(skip)]
    pub(crate) why: Undelivered,
}

/// A router of one node.
///
/// | message | from | what comes of it |
/// |---|---|---|
/// | [`NotDelivered`] | the router of the node where a request found nobody | the sender's request ends as undelivered |
/// | [`Returned`] | the router that could not deliver a message that was sent and forgotten | `MSG_NOT_DELIVERED` for the sender's connection |
/// | [`RawMessage`] | anybody, at an inter-machine router | it goes on to the next machine |
/// | [`RawMessage`] | anybody, for an address that is nobody's | it is refused, and [`NotDelivered`] or [`Returned`] goes back |
/// | [`StrayCall`] | callers, likewise | likewise |
///
/// The notices travel over the network like everything else: they take their time and can be lost.
pub(crate) struct RouterActor;

impl Actor for RouterActor {
    type Context = ServiceContext<Self>;
}

impl Networked for RouterActor {
    fn accepts(accepts: &mut Accepts<Self>) {
        accepts.message::<NotDelivered>().message::<Returned>();
        accepts.network.set_receiver::<RawMessage>(accepts.id, Rc::new(Gate::new(accepts.cell.clone())));
        accepts.network.set_receiver::<StrayCall>(accepts.id, Rc::new(NobodyHere));
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

impl Handler<Delivery<Returned>> for RouterActor {
    type Result = ();

    fn handle(&mut self, notice: Delivery<Returned>, ctx: &mut ServiceContext<Self>) {
        if notice.duplicate {
            return;
        }
        let Returned { msg, wait, why } = notice.body;
        ctx.network().settle(wait, Answer::Undelivered(why));
        ctx.network().hand_back(ctx.id(), msg);
    }
}

impl Handler<Delivery<RawMessage>> for RouterActor {
    type Result = ();

    fn handle(&mut self, delivery: Delivery<RawMessage>, ctx: &mut ServiceContext<Self>) {
        // A second copy is recognised as such, as TCP would.
        if !delivery.duplicate {
            ctx.network().forward(ctx.id(), delivery.body);
        }
    }
}
