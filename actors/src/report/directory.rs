//! Who registered with which directory, and who had to look elsewhere.

use std::collections::BTreeMap;

/// What the directories did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectoryReport {
    /// Each directory's part, by name.
    pub by_directory: BTreeMap<String, DirectoryFigures>,
    /// Requests that were taken to another provider after one had failed.
    pub provider_failovers: u64,
    /// Providers that registered with another directory after theirs had fallen silent.
    pub directory_failovers: u64,
}

/// One directory's part in the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DirectoryFigures {
    /// Entries that providers registered, those that were there already not counted.
    pub registered: u64,
    /// Entries that their providers took back.
    pub withdrawn: u64,
    /// Entries that were dropped because their provider was silent.
    pub dropped: u64,
    /// Entries that other directories shared with it, those that were there already not counted.
    pub shared: u64,
    /// Lookups that it answered.
    pub lookups: u64,
}
