//! Routers: one a node, the address book of its services.
//!
//! | message | from | what comes of it |
//! |---|---|---|
//! | [`NotDelivered`] | the router of the node where a message found nobody | the sender's request ends as undelivered |
//!
//! The notice travels over the network like everything else: it takes its time and can be lost.

use actix::prelude::*;
use serde::{Serialize, Serializer};

use crate::context::{Accepts, Networked, ServiceContext};
use crate::network::ports::Delivery;
use crate::network::waits::{Answer, WaitKey};
use crate::outcome::Undelivered;
use crate::units::Bytes;

/// A message that could not be handed over, on its way back to the sender's router.
#[derive(Clone)]
pub(crate) struct NotDelivered {
    pub(crate) wait: WaitKey,
    pub(crate) why: Undelivered,
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
        ctx.network().settle(wait, Answer::Undelivered(why));
    }
}
