//! What a request from outside has brought along, on the way of everything that is asked on its behalf.

use std::rc::Rc;

/// A text that nobody in a run reads: the gateway [gives it](crate::service::ServiceIo::carrying) to whoever
/// comes in, requests, calls, events and raw messages carry it from handler to handler, and who goes
/// [out](crate::outside::OutboundRequest) again has it still. It is in memory alone: it takes no room on the
/// wire, stands in no trace and changes nothing. Most carry none, and pay a null pointer for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Baggage(Option<Rc<String>>);

impl Baggage {
    pub(crate) const NONE: Baggage = Baggage(None);

    pub(crate) fn new(text: Option<String>) -> Self {
        Baggage(text.map(Rc::new))
    }

    /// For whoever takes it to another thread.
    pub(crate) fn to_text(&self) -> Option<String> {
        self.0.as_deref().cloned()
    }
}
