//! Long lists of what is mostly alike.

use std::ops::Index;

/// A list in which the same value mostly stands many times in a row: a million services that nobody
/// has declared a supervisor for take as little room as one.
#[derive(Clone, Debug)]
pub(crate) struct Runs<T> {
    /// Where each run ends, and the value of all that are in it.
    runs: Vec<(usize, T)>,
}

impl<T> Default for Runs<T> {
    fn default() -> Self {
        Runs { runs: Vec::new() }
    }
}

impl<T: PartialEq> FromIterator<T> for Runs<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut runs: Vec<(usize, T)> = Vec::new();
        for (index, value) in values.into_iter().enumerate() {
            match runs.last_mut() {
                Some((end, last)) if *last == value => *end = index + 1,
                _ => runs.push((index + 1, value)),
            }
        }
        Runs { runs }
    }
}

impl<T> Runs<T> {
    pub(crate) fn len(&self) -> usize {
        self.runs.last().map_or(0, |(end, _)| *end)
    }

    /// Where each run begins and ends, and its value.
    pub(crate) fn each(&self) -> impl Iterator<Item = (usize, usize, &T)> {
        let begins = std::iter::once(0).chain(self.runs.iter().map(|(end, _)| *end));
        begins.zip(&self.runs).map(|(begin, (end, value))| (begin, *end, value))
    }
}

impl<T> Index<usize> for Runs<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.runs[self.runs.partition_point(|(end, _)| *end <= index)].1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_holds_what_it_was_made_of(values in prop::collection::vec(0..3u8, 0..60)) {
            let runs: Runs<u8> = values.iter().copied().collect();
            prop_assert_eq!(runs.len(), values.len());
            let one_by_one: Vec<u8> = (0..runs.len()).map(|index| runs[index]).collect();
            prop_assert_eq!(&one_by_one, &values);
            let by_runs: Vec<u8> = runs.each().flat_map(|(begin, end, value)| vec![*value; end - begin]).collect();
            prop_assert_eq!(&by_runs, &values);
            let neighbours: Vec<u8> = runs.each().map(|(_, _, value)| *value).collect();
            prop_assert!(neighbours.windows(2).all(|pair| pair[0] != pair[1]), "equal neighbours are one run");
        }
    }
}
