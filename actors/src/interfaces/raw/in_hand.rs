//! Requests that a service has taken and not answered yet.

use std::collections::BTreeMap;

use super::msg::MsgId;
use crate::network::waits::WaitKey;
use crate::trace::ServiceId;

/// A request in somebody's hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) wait: WaitKey,
    pub(crate) asker: ServiceId,
}

/// The requests in the hands of one service. What it never answers is forgotten some time after
/// nobody awaits it any more: there are never more than twice as many as are awaited, and a few.
#[derive(Default)]
pub(crate) struct InHand {
    held: BTreeMap<MsgId, Held>,
    /// When there are so many, it is time to look for those that nobody awaits.
    look_at: usize,
}

/// It does not pay to look through fewer.
const FEW: usize = 64;

impl InHand {
    /// A request is taken. `is_awaited`: whether anybody still awaits one.
    pub(crate) fn take(&mut self, id: MsgId, held: Held, is_awaited: impl Fn(WaitKey) -> bool) {
        if self.held.len() >= self.look_at.max(FEW) {
            self.held.retain(|_, held| is_awaited(held.wait));
            self.look_at = 2 * self.held.len();
        }
        self.held.insert(id, held);
    }

    /// A request is answered. False if it was answered before, or was none.
    pub(crate) fn release(&mut self, id: MsgId) -> bool {
        self.held.remove(&id).is_some()
    }

    /// Whether a request has yet to be answered.
    pub(crate) fn has(&self, id: MsgId) -> bool {
        self.held.contains_key(&id)
    }

    /// Lets go of everything, in the order of the messages: the service is gone.
    pub(crate) fn let_go(&mut self) -> Vec<Held> {
        std::mem::take(&mut self.held).into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Held = Held { wait: WaitKey::NONE, asker: ServiceId(3) };

    #[test]
    fn a_request_is_answered_once() {
        let mut in_hand = InHand::default();
        in_hand.take(MsgId(1), HELD, |_| true);
        assert!(in_hand.has(MsgId(1)));
        assert_eq!((in_hand.release(MsgId(1)), in_hand.release(MsgId(1))), (true, false));
        assert_eq!(in_hand.let_go(), []);
    }

    #[test]
    fn what_is_never_answered_does_not_pile_up_once_nobody_awaits_it() {
        let mut in_hand = InHand::default();
        for id in 0..10_000 {
            in_hand.take(MsgId(id), HELD, |_| false);
            assert!(in_hand.held.len() <= FEW + 1);
        }
        for id in 10_000..20_000 {
            in_hand.take(MsgId(id), HELD, |_| true);
        }
        assert!(in_hand.let_go().len() >= 10_000, "what is awaited stays");
    }
}
