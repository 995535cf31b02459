//! How old the data of a KPI is: how many periods have ended since the last one that has a value.

use chrono::NaiveDate;

use super::obligations::due_on;
use crate::value::period::{Frequency, Period};

/// The age of a KPI's data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Age {
    /// The number of periods that ended after that of the last known value; nothing if no value is known.
    pub periods: Option<u32>,
    /// The day on which the value of the first of them was due; nothing if none ended.
    pub due_on: Option<NaiveDate>,
    /// Whether that day has passed.
    pub stale: bool,
}

/// The age on a day of the data of a KPI whose last known value is that of a period. A period has ended on the day after its
/// last one.
pub fn age(frequency: Frequency, last_known: Option<Period>, today: NaiveDate) -> Age {
    let Some(last_known) = last_known else { return Age::default() };
    let current = Period::containing(frequency, today);
    let (known, ended) = (last_known.index_in(frequency), current.index() - 1);
    let first = Period::from_index(frequency, known + 1).filter(|first| first.end() < today);
    let due_on = first.map(due_on);
    Age {
        periods: Some(u32::try_from(ended - known).unwrap_or_default()),
        due_on,
        stale: due_on.is_some_and(|due_on| due_on < today),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn of(frequency: Frequency, last_known: &str, today: &str) -> (Option<u32>, Option<String>, bool) {
        let age = age(frequency, Period::parse(last_known).ok(), today.parse().unwrap());
        (age.periods, age.due_on.map(|day| day.to_string()), age.stale)
    }

    #[test]
    fn a_value_grows_old_with_each_period_that_ends() {
        let due = |day: &str| Some(day.to_owned());
        assert_eq!(of(Frequency::Yearly, "2022", "2022-10-04"), (Some(0), None, false));
        assert_eq!(of(Frequency::Yearly, "2022", "2023-12-31"), (Some(0), None, false));
        assert_eq!(of(Frequency::Yearly, "2022", "2024-01-10"), (Some(1), due("2024-01-10"), false));
        assert_eq!(of(Frequency::Yearly, "2022", "2024-01-11"), (Some(1), due("2024-01-10"), true));
        assert_eq!(of(Frequency::Yearly, "2022", "2026-11-25"), (Some(3), due("2024-01-10"), true));
        assert_eq!(of(Frequency::Quarterly, "2022-Q2", "2022-10-05"), (Some(1), due("2022-10-10"), false));
        assert_eq!(of(Frequency::Semesterly, "2022-S1", "2023-01-01"), (Some(1), due("2023-01-10"), false));
        assert_eq!(of(Frequency::Monthly, "2022-08", "2022-11-01"), (Some(2), due("2022-10-10"), true));
        // A value of the period that has not ended.
        assert_eq!(of(Frequency::Monthly, "2022-11", "2022-11-01"), (Some(0), None, false));
    }

    #[test]
    fn what_was_never_known_has_no_age() {
        assert_eq!(of(Frequency::Yearly, "never", "2026-11-25"), (None, None, false));
    }

    proptest! {
        #[test]
        fn time_never_makes_it_younger(year in 2000_i32..2030, days in 0_i64..6_000, later in 0_i64..1_000) {
            let day = |days| NaiveDate::from_ymd_opt(2010, 1, 1).unwrap() + chrono::Duration::days(days);
            for frequency in [Frequency::Yearly, Frequency::Semesterly, Frequency::Quarterly, Frequency::Monthly] {
                let last_known = Some(Period::containing(frequency, NaiveDate::from_ymd_opt(year, 5, 1).unwrap()));
                let (now, then) = (age(frequency, last_known, day(days)), age(frequency, last_known, day(days + later)));
                prop_assert!(now.periods <= then.periods && now.stale <= then.stale);
                prop_assert_eq!(now.periods > Some(0), now.due_on.is_some());
            }
        }
    }
}
