//! Asking the processor to fetch what will be looked at soon.

use prefetch_index::prefetch_index;

/// What a processor fetches at once, in bytes.
const LINE: usize = 64;

/// Of what is larger, so many lines are fetched.
const LINES: usize = 4;

/// Lets the processor fetch so many bytes from `first` on, which is where what is wanted begins. (A number, so that
/// the lines behind it can be named as elements behind it.)
#[inline(always)]
pub(crate) fn prefetch_from(first: &u32, bytes: usize) {
    for line in 0..bytes.div_ceil(LINE).min(LINES) {
        prefetch_index(std::slice::from_ref(first), line * LINE / size_of::<u32>());
    }
}
