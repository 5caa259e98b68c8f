use crate::random::Stream;
use crate::supervision::spec::{Backoff, Intensity, Restart, Shutdown, Strategy};
use crate::units::{SimDuration, SimTime};
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Normal,
    Shutdown,
    Failed,
    NodeCrashed,
}
pub(crate) enum Action {
    Start(usize),
    Stop(usize, Shutdown),
    Wait(u64, SimDuration),
    Finish(Exit),
}
pub(crate) struct Minder {
    children: Vec<(Restart, Shutdown)>,
}
impl Minder {
    pub(crate) fn new(
        _: Strategy,
        _: Intensity,
        _: Option<Backoff>,
        children: Vec<(Restart, Shutdown)>,
        _: Stream,
    ) -> Self {
        Minder { children }
    }
    pub(crate) fn start(&mut self, _: SimTime) -> Vec<Action> {
        (0..self.children.len()).map(Action::Start).collect()
    }
    pub(crate) fn started(&mut self, _: usize, _: SimTime) -> Vec<Action> {
        vec![]
    }
    pub(crate) fn deferred(&mut self, _: usize, _: SimTime) -> Vec<Action> {
        vec![]
    }
    pub(crate) fn start_failed(&mut self, _: usize, _: SimTime) -> Vec<Action> {
        vec![]
    }
    pub(crate) fn exited(&mut self, child: usize, e: Exit, _: SimTime) -> Vec<Action> {
        if self.children[child].0 == Restart::Permanent && e != Exit::Shutdown {
            vec![Action::Start(child)]
        } else {
            vec![]
        }
    }
    pub(crate) fn resume(&mut self, _: u64, _: SimTime) -> Vec<Action> {
        vec![]
    }
    pub(crate) fn stop(&mut self, _: SimTime) -> Vec<Action> {
        vec![Action::Finish(Exit::Shutdown)]
    }
    pub(crate) fn is_up(&self) -> bool {
        true
    }
    pub(crate) fn will_restart(&self, _: usize) -> bool {
        true
    }
}
