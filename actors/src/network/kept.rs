//! Messages that came while their receiver was between two lives, and wait for the next.

use std::collections::{BTreeMap, VecDeque};

use crate::network::Network;
use crate::network::header::Message;
use crate::network::ports::Body;
use crate::trace::ServiceId;

/// So many messages are kept for one service. What comes beyond that is refused.
const KEPT_LIMIT: usize = 65_536;

/// Arrives once more.
type Arrive = Box<dyn FnOnce(&Network)>;

/// For whom messages are kept, and those that are: whether each counts, as second copies do not.
#[derive(Default)]
pub(crate) struct Kept {
    services: BTreeMap<ServiceId, VecDeque<(bool, Arrive)>>,
}

impl Kept {
    /// From now on, what comes for a service is kept.
    pub(crate) fn begin(&mut self, service: ServiceId) {
        self.services.entry(service).or_default();
    }

    /// Whether something may be kept for it.
    pub(crate) fn has(&self, service: ServiceId) -> bool {
        self.services.contains_key(&service)
    }

    /// Nothing is kept for it any more: what was, is to arrive.
    pub(crate) fn end(&mut self, service: ServiceId) -> impl Iterator<Item = Arrive> + use<> {
        self.services.remove(&service).unwrap_or_default().into_iter().map(|(_, arrive)| arrive)
    }

    /// Keeps a message and takes its body, or leaves it where it is; whether it does.
    pub(super) fn keep<B: Body>(&mut self, message: &mut Message, body: &mut Option<B>) -> bool {
        let header = message.header;
        let Some(kept) = self.services.get_mut(&header.to).filter(|kept| kept.len() < KEPT_LIMIT) else { return false };
        let Some(body) = body.take() else { return false };
        let counts = !header.duplicate;
        let mut message = Message { header, way: message.way.take() };
        kept.push_back((
            counts,
            Box::new(move |network| {
                message.header.arrives = network.now().as_nanos();
                network.ports.of::<B>().arrive_again(network, message, body);
            }),
        ));
        true
    }

    /// For whom messages are kept.
    pub(super) fn services(&self) -> Vec<ServiceId> {
        self.services.keys().copied().collect()
    }

    /// How many messages are kept, without second copies.
    pub(super) fn len(&self) -> u64 {
        self.services.values().flatten().filter(|(counts, _)| *counts).count() as u64
    }
}
