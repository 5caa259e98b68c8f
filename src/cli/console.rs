//! Standard output and standard error.
//!
//! Styles are stripped where nobody would see them: when the stream is no terminal, or `NO_COLOR`
//! is set (<https://no-color.org>).

use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};

use super::complaint::Complaint;

/// Prints to the standard output. Somebody who stops listening (`| head`) has heard enough: that is
/// no error.
pub(super) fn say(text: &str) -> io::Result<()> {
    say_on(text).map(drop)
}

/// The same, for those who have more to say: whether there is anybody left to hear it.
pub(super) fn say_on(text: &str) -> io::Result<bool> {
    let mut out = AutoStream::auto(io::stdout());
    is_heard(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
}

/// Prints what is no text with styles to the standard output, byte for byte.
pub(super) fn say_bytes(bytes: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    is_heard(out.write_all(bytes).and_then(|()| out.flush())).map(drop)
}

fn is_heard(written: io::Result<()>) -> io::Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error),
    }
}

/// Prints to the standard error. If nobody can be told, nobody can be told that either.
pub(super) fn note(text: &str) {
    let mut out = AutoStream::auto(io::stderr());
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints what is wrong to the standard error.
pub(super) fn complain(complaint: &Complaint) {
    let colour = AutoStream::choice(&io::stderr()) != ColorChoice::Never;
    note(&complaint.render(colour));
}
