//! The clock of the source system, by which a row that arrives late does not overwrite newer data.

use chrono::{DateTime, TimeDelta, Utc};

use crate::http::language::Text;
use crate::http::problem::FieldError;

/// How far the clock of a source system may run ahead.
const AHEAD: TimeDelta = TimeDelta::minutes(5);

/// The field error of a row whose time lies in the future. If it were accepted, every row that comes before that time would be
/// stale.
pub(super) fn field_error(changed_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Option<FieldError> {
    let text = Text::new(
        "It lies more than 5 minutes in the future: the clock or the time zone of the source system is wrong.",
        "Waktu ini lebih dari 5 menit di masa depan: jam atau zona waktu sistem asal keliru.",
    );
    changed_at.filter(|time| *time > now + AHEAD).map(|_| FieldError::at("/source_updated_at", "in_future", text))
}

/// Whether what is stored is newer than a row. A stored time in the future, which earlier versions accepted, is not compared.
pub(super) fn is_newer(stored: Option<DateTime<Utc>>, row: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    let stored = stored.filter(|time| *time <= now + AHEAD);
    stored.zip(row).is_some_and(|(stored, row)| row < stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_ahead_is_refused_and_holds_nothing_up() {
        let now = DateTime::<Utc>::UNIX_EPOCH + TimeDelta::days(20_000);
        let at = |minutes: i64| Some(now + TimeDelta::minutes(minutes));
        for (minutes, is_field_error) in [(-10, false), (0, false), (5, false), (6, true)] {
            assert_eq!(field_error(at(minutes), now).is_some(), is_field_error, "{minutes}");
        }
        assert!(is_newer(at(-1), at(-2), now) && !is_newer(at(-2), at(-1), now) && !is_newer(at(-1), at(-1), now));
        assert!(!is_newer(at(60), at(-1), now) && !is_newer(None, at(-1), now) && !is_newer(at(-1), None, now));
    }
}
