//! When a report is due, and the periods for which a report is owed.

use chrono::{Datelike, NaiveDate};

use crate::value::period::{Frequency, Period};

/// The day of the month after a period on which the report for the period is due.
const DUE_DAY: u32 = 10;

/// The day on which the report for a period is due: the 10th of the month after it.
pub fn due_on(period: Period) -> NaiveDate {
    let next = period.end().succ_opt().unwrap_or(NaiveDate::MAX);
    next.with_day(DUE_DAY).unwrap_or(next)
}

/// The periods that have ended before `today`, beginning with the one in which `begun` lies, or with the next one if `begun` is
/// its last day.
pub fn owed_periods(frequency: Frequency, begun: NaiveDate, today: NaiveDate) -> Vec<Period> {
    let first = Period::containing(frequency, begun);
    let first = if first.end() == begun { first.next() } else { Some(first) };
    std::iter::successors(first, |period| period.next()).take_while(|period| period.end() < today).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn owed(frequency: Frequency, begun: &str, today: &str) -> Vec<String> {
        owed_periods(frequency, day(begun), day(today)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_report_is_due_on_the_tenth_of_the_month_after() {
        for (period, due) in [("2022", "2023-01-10"), ("2022-Q3", "2022-10-10"), ("2022-09", "2022-10-10")] {
            assert_eq!(due_on(Period::parse(period).unwrap()), day(due));
        }
    }

    #[test]
    fn periods_are_owed_once_they_have_ended() {
        assert_eq!(owed(Frequency::Yearly, "2021-12-31", "2024-05-01"), ["2022", "2023"]);
        assert_eq!(owed(Frequency::Yearly, "2021-12-31", "2022-12-31"), [""; 0]);
        assert_eq!(owed(Frequency::Quarterly, "2022-02-14", "2022-10-01"), ["2022-Q1", "2022-Q2", "2022-Q3"]);
        assert_eq!(owed(Frequency::Monthly, "2022-01-31", "2022-04-01"), ["2022-02", "2022-03"]);
    }
}
