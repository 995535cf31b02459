//! The villages that a programme reaches on a day, computed from the entries about them.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use crate::coverage::CoverageStatus::{self, Built, Planned};

/// An entry about a village: its coverage from a day on, until the next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The coverage.
    pub status: CoverageStatus,
    /// The first day on which the entry holds.
    pub effective_on: NaiveDate,
}

/// What a new entry adds to the entries of its village.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Nothing, because the entry at this position says the same.
    Known(usize),
    /// It comes after all other entries.
    News,
    /// It would change what held before the last entry, which cannot be changed.
    TooEarly,
}

/// What `new` adds to the entries of its village, which come oldest first.
///
/// A built village can be planned again only from a later day: within one day, the later stage counts.
pub fn arrival(entries: &[Entry], new: Entry) -> Arrival {
    if let Some(position) = entries.iter().position(|entry| *entry == new) {
        return Arrival::Known(position);
    }
    match entries.last() {
        Some(last) if new.effective_on < last.effective_on => Arrival::TooEarly,
        Some(last) if new.status == last.status => Arrival::Known(entries.len() - 1),
        Some(last) if new.status == Planned && new.effective_on == last.effective_on => Arrival::TooEarly,
        _ => Arrival::News,
    }
}

/// The number of villages that are built at the end of a day. The entries of a village come in the order in which they were
/// recorded.
pub fn built<'a>(entries: impl IntoIterator<Item = (&'a str, Entry)>, day: NaiveDate) -> usize {
    let until = entries.into_iter().filter(|(_, entry)| entry.effective_on <= day);
    let last = until.map(|(village, entry)| (village, entry.status)).collect::<BTreeMap<_, _>>();
    last.values().filter(|status| **status == Built).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn on(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn entry(status: CoverageStatus, day: &str) -> Entry {
        Entry { status, effective_on: on(day) }
    }

    #[test]
    fn what_is_known_adds_nothing() {
        let entries = [entry(Planned, "2022-01-01"), entry(Built, "2022-06-30")];
        assert_eq!(arrival(&entries, entries[0]), Arrival::Known(0));
        assert_eq!(arrival(&entries, entries[1]), Arrival::Known(1));
        assert_eq!(arrival(&entries, entry(Built, "2022-12-31")), Arrival::Known(1));
    }

    #[test]
    fn entries_only_come_after_one_another() {
        let entries = [entry(Planned, "2022-01-01"), entry(Built, "2022-06-30")];
        assert_eq!(arrival(&[], entries[0]), Arrival::News);
        assert_eq!(arrival(&entries[..1], entries[1]), Arrival::News);
        assert_eq!(arrival(&entries[..1], entry(Built, "2022-01-01")), Arrival::News);
        assert_eq!(arrival(&entries, entry(Built, "2022-06-29")), Arrival::TooEarly);
        assert_eq!(arrival(&entries, entry(Planned, "2022-06-30")), Arrival::TooEarly);
        assert_eq!(arrival(&entries, entry(Planned, "2022-07-01")), Arrival::News);
    }

    #[test]
    fn a_village_counts_while_it_is_built() {
        let entries = [
            ("Anyar", entry(Planned, "2022-01-01")),
            ("Anyar", entry(Built, "2022-06-30")),
            ("Bayan", entry(Built, "2022-06-30")),
            ("Bayan", entry(Planned, "2023-01-01")),
        ];
        for (day, expected) in [("2022-06-29", 0), ("2022-06-30", 2), ("2022-12-31", 2), ("2023-01-01", 1)] {
            assert_eq!(built(entries, on(day)), expected, "{day}");
        }
    }
}
