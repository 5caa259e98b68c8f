//! The way into a run from outside: any thread may send somebody in, who does there what a service can
//! do, and comes back with what it has got.
//!
//! An [`Entrance`] leads to a [`Gateway`], which is a service like any other: it stands on a node, may be
//! killed, and is restarted by its supervisor. What enters by it acts as the gateway: its requests set
//! out from the gateway's node, at the instant that the wall clock shows
//! ([`run_paced`](crate::simulation::run_paced)), and pay for their way.
//!
//! ```
//! use std::sync::Arc;
//! use rehearsal_actors::outside::{Entrance, Gateway};
//! use rehearsal_actors::prelude::*;
//! use rehearsal_actors::simulation::{Cast, Pacing, Progress, ServiceSpec, Setup, run_paced};
//! use rehearsal_actors::stock::store::Store;
//! use rehearsal_actors::topology::{Link, Node, Topology};
//! use rehearsal_actors::units::SimDuration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut topology = Topology::new();
//! let edge = topology.add_node(Node::new("edge"))?;
//! let cloud = topology.add_node(Node::new("cloud"))?;
//! topology.add_symmetric(edge, cloud, Link::new(SimDuration::from_millis(10)))?;
//! let entrance = Entrance::new();
//! let mut setup = Setup::new(1, topology);
//! setup.services.push(Gateway::at("gateway", edge, &entrance));
//! setup.services.push(ServiceSpec::new("store", cloud, Cast::service(Store::default())));
//!
//! let progress = Arc::new(Progress::default());
//! let asking = std::thread::spawn({
//!     let progress = progress.clone();
//!     move || {
//!         entrance.wait_until_open(std::time::Duration::from_secs(10));
//!         let visit = entrance.enter(|io| async move { io.rest().get("store/data/x").await });
//!         let reply = actix_rt::System::new().block_on(visit);
//!         progress.interrupt.store(true, std::sync::atomic::Ordering::Relaxed);
//!         reply
//!     }
//! });
//! run_paced(setup, Pacing { stay_open: true, ..Pacing::default() }, None, progress)?;
//! let reply = asking.join().map_err(|_| "the thread panicked")??;
//! assert_eq!((reply.status, reply.elapsed), (404, SimDuration::from_millis(20)));
//! # Ok(())
//! # }
//! ```

pub mod catalogue;
mod entrance;
mod external;
mod gateway;
pub mod observation;
mod outbound;
pub mod registry;

pub use entrance::{Entrance, EntranceError, VISITORS_LIMIT, Visit};
pub use external::{External, OUTSIDE_LIMIT};
pub use gateway::Gateway;
pub use outbound::{
    Came, Errand, MALFORMED_ANSWER, Outbound, OutboundAnswer, OutboundRequest, REDIRECTED, REMOTE_ERROR,
};
