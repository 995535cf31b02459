//! Whether the report on an action for a quarter came on time.

use chrono::NaiveDate;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::obligations;
use crate::value::period::Period;

/// The timeliness of a report, compared with the day on which it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Timeliness {
    /// The report was submitted by its due day.
    OnTime,
    /// The report was submitted after its due day.
    Late,
    /// The report was not submitted, and its due day has passed.
    Missing,
    /// The report was not submitted yet, or its quarter has not ended, so there is nothing to judge.
    NotDue,
}

crate::labels! { Timeliness {
    OnTime: "On time", "Tepat waktu";
    Late: "Late", "Terlambat";
    Missing: "Missing", "Belum ada";
    NotDue: "Not due yet", "Belum jatuh tempo";
} }

/// The timeliness of the report for a quarter, 1 to 4, at the end of a day.
///
/// The report is due on the 10th of the month after the quarter. Until the quarter has ended before `as_of`, it is `not_due`,
/// even if it came early. A report that was submitted after `as_of` did not exist on that day.
pub fn timeliness(year: i32, quarter: u8, handed_in_on: Option<NaiveDate>, as_of: NaiveDate) -> Timeliness {
    let period = Period::Quarter(year, quarter);
    let due_on = obligations::due_on(period);
    match handed_in_on.filter(|day| *day <= as_of) {
        _ if as_of <= period.end() => Timeliness::NotDue,
        Some(day) if day <= due_on => Timeliness::OnTime,
        Some(_) => Timeliness::Late,
        None if as_of > due_on => Timeliness::Missing,
        None => Timeliness::NotDue,
    }
}

/// The number of reports by timeliness.
///
/// A report counts as due once its quarter has ended and either it was submitted or its due day has passed. So `due` is always
/// `on_time` + `late` + `missing`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReportCounts {
    /// The number of reports that can be judged.
    pub due: u32,
    /// The number of reports that were submitted by their due day.
    pub on_time: u32,
    /// The number of reports that were submitted after their due day.
    pub late: u32,
    /// The number of reports that were not submitted although their due day has passed.
    pub missing: u32,
}

impl FromIterator<Timeliness> for ReportCounts {
    fn from_iter<I: IntoIterator<Item = Timeliness>>(reports: I) -> Self {
        let mut counts = Self::default();
        for report in reports {
            let count = match report {
                Timeliness::OnTime => &mut counts.on_time,
                Timeliness::Late => &mut counts.late,
                Timeliness::Missing => &mut counts.missing,
                Timeliness::NotDue => continue,
            };
            *count += 1;
            counts.due += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use sea_orm::Iterable;

    use super::Timeliness::{Late, Missing, NotDue, OnTime};
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_report_is_due_on_the_tenth_of_the_month_after() {
        for (quarter, handed_in_on, as_of, expected) in [
            (3, Some("2022-10-10"), "2022-12-31", OnTime),
            (3, Some("2022-10-01"), "2022-10-01", OnTime),
            (3, Some("2022-10-11"), "2022-12-31", Late),
            (3, None, "2022-10-11", Missing),
            (3, None, "2022-10-10", NotDue),
            (3, None, "2022-10-01", NotDue),
            (4, Some("2023-01-10"), "2023-01-10", OnTime),
            (4, Some("2023-01-11"), "2023-01-11", Late),
        ] {
            assert_eq!(timeliness(2022, quarter, handed_in_on.map(day), day(as_of)), expected, "{handed_in_on:?} as of {as_of}");
        }
    }

    #[test]
    fn what_came_after_the_day_was_not_there_yet() {
        assert_eq!(timeliness(2022, 1, Some(day("2022-04-20")), day("2022-04-10")), NotDue);
        assert_eq!(timeliness(2022, 1, Some(day("2022-04-20")), day("2022-04-19")), Missing);
        assert_eq!(timeliness(2022, 1, Some(day("2022-04-20")), day("2022-04-20")), Late);
    }

    #[test]
    fn an_early_report_counts_once_its_quarter_has_ended() {
        assert_eq!(timeliness(2022, 1, Some(day("2022-03-20")), day("2022-03-31")), NotDue);
        assert_eq!(timeliness(2022, 1, Some(day("2022-03-20")), day("2022-04-01")), OnTime);
    }

    #[test]
    fn what_is_not_due_is_not_counted() {
        let counts: ReportCounts = [OnTime, Late, NotDue, OnTime, Missing].into_iter().collect();
        assert_eq!(counts, ReportCounts { due: 4, on_time: 2, late: 1, missing: 1 });
        assert_eq!(Timeliness::iter().collect::<ReportCounts>().due, 3);
    }

    #[test]
    fn words_are_in_snake_case() {
        assert_eq!(serde_json::to_value([OnTime, NotDue]).unwrap(), serde_json::json!(["on_time", "not_due"]));
    }

    proptest! {
        #[test]
        fn once_judged_a_report_that_was_handed_in_stays_so(
            quarter in 1_u8..=4,
            handed_in in 0_i64..500,
            as_of in 0_i64..500,
            later in 0_i64..500,
        ) {
            let after = |days| day("2022-01-01") + chrono::Duration::days(days);
            let judged = timeliness(2022, quarter, Some(after(handed_in)), after(as_of));
            let afterwards = timeliness(2022, quarter, Some(after(handed_in)), after(as_of + later));
            match judged {
                OnTime | Late => prop_assert_eq!(afterwards, judged),
                Missing => prop_assert!(matches!(afterwards, Missing | Late)),
                NotDue => {}
            }
        }
    }
}
