//! Panics of services, caught at their hosts.
//!
//! While a service runs, the process's panic hook writes down what happened instead of printing
//! it; the host that catches the panic picks the note up. Panics anywhere else go to the hook that
//! was installed before.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Once;

/// What is known of a panic that was caught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Caught {
    pub(crate) message: String,
    /// File, line and column.
    pub(crate) place: Option<String>,
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
    static NOTE: RefCell<Option<Caught>> = const { RefCell::new(None) };
}

/// Puts the hook in place, once a process.
pub(crate) fn install_hook() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                return before(info);
            }
            let caught = Caught {
                message: message_of(info.payload()),
                place: info.location().map(|l| format!("{}:{}:{}", l.file(), l.line(), l.column())),
            };
            NOTE.with_borrow_mut(|note| *note = Some(caught));
        }));
    });
}

/// Runs a service's code; a panic in it ends here.
#[inline]
pub(crate) fn catch<R>(code: impl FnOnce() -> R) -> Result<R, Caught> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(code));
    GUARDED.set(outer);
    result.map_err(explain)
}

#[cold]
fn explain(payload: Box<dyn Any + Send>) -> Caught {
    let caught = NOTE.take().unwrap_or_else(|| Caught { message: message_of(payload.as_ref()), place: None });
    // What a panic carries may panic in turn when it is dropped; what that carries is let be.
    let outer = GUARDED.replace(true);
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(another);
    }
    GUARDED.set(outer);
    caught
}

fn message_of(payload: &(dyn Any + Send)) -> String {
    match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic that carries no text".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_and_place_of_a_panic_are_noted() {
        install_hook();
        let line = line!() + 1;
        let caught = catch(|| panic!("lost {} of them", 3)).err();
        let place = caught.as_ref().and_then(|c| c.place.clone()).unwrap_or_default();
        assert_eq!(caught.map(|c| c.message).as_deref(), Some("lost 3 of them"));
        assert!(place.contains(&format!("panics.rs:{line}:")), "{place}");
    }

    #[test]
    fn what_does_not_panic_comes_through() {
        assert_eq!(catch(|| 5), Ok(5));
    }
}
