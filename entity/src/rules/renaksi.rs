//! The progress of an action (renaksi), its state, and the progress of many actions by their weights.

mod mean;
mod state;

use chrono::NaiveDate;
use rust_decimal::Decimal;

pub use mean::{OpdProgress, VERSION as OPD_PROGRESS_VERSION, mean_progress, opd_progress, weighted_mean};
pub use state::{ActionState, ExplainedAction, VERSION as ACTION_STATE_VERSION, explain, last_ended_quarter, state};

use crate::value::{
    decimal::{self, Percent},
    period::Period,
};

/// The last quarter, whose cumulative target is the target of the year.
const YEAR_END: u8 = 4;

/// The data of an action from which its progress is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionPlan {
    /// The year of the action.
    pub year: i32,
    /// The weight of the action among the others, which is not negative.
    pub weight: Decimal,
    /// The day by which the whole action is to be done.
    pub due_on: Option<NaiveDate>,
    /// The cumulative target for the end of each quarter.
    pub targets: [Decimal; 4],
    /// The cumulative realisation at the end of each quarter, as far as it is verified.
    pub realisation: [Option<Decimal>; 4],
}

/// The realisation up to the end of a quarter, 1 to 4: the last one that was reported up to it, or 0.
pub fn realised(realisation: &[Option<Decimal>; 4], quarter: u8) -> Decimal {
    last_reported(realisation, quarter).unwrap_or_default()
}

fn last_reported(realisation: &[Option<Decimal>; 4], quarter: u8) -> Option<Decimal> {
    realisation.iter().take(usize::from(quarter)).rev().copied().flatten().next()
}

/// The realisation without quarters that have not begun. Earlier versions accepted reports for these; they count from the
/// beginning of their quarter.
pub fn begun<T>(year: i32, realisation: [Option<T>; 4], on: NaiveDate) -> [Option<T>; 4] {
    let mut quarter = 0;
    realisation.map(|value| {
        quarter += 1;
        value.filter(|_| Period::Quarter(year, quarter).has_begun(on))
    })
}

/// The cumulative target for the end of a quarter; 0 before the first quarter.
pub fn target(targets: &[Decimal; 4], quarter: u8) -> Decimal {
    targets.iter().take(usize::from(quarter)).next_back().copied().unwrap_or_default()
}

/// The greatest weight that an action can have.
pub const HEAVIEST: Decimal = Decimal::from_parts(1000, 0, 0, false, 0);

/// Whether an action may have this weight: more than 0 and at most 1,000.
pub fn is_weight(weight: Decimal) -> bool {
    Decimal::ZERO < weight && weight <= HEAVIEST
}

/// How much of the year's target was realised up to a quarter, in percent from 0 to 100 with two decimals. It is 100.00 only if
/// all of it was realised, and 0.00 only if nothing was.
pub fn progress(plan: &ActionPlan, quarter: u8) -> Percent {
    Percent::of(exact_progress(plan, quarter))
}

/// Whether the report for a quarter, 1 to 4, makes the cumulative realisation fall: it is below that of the last reported quarter
/// before it, or above that of the next one. `reported` is what is reported for the quarters.
///
/// That can happen if something is counted again or lost, but it needs a reason.
pub fn falls(reported: &[Option<Decimal>; 4], quarter: u8, realisation: Decimal) -> bool {
    let before = last_reported(reported, quarter.saturating_sub(1));
    let after = reported.iter().skip(usize::from(quarter)).copied().flatten().next();
    before.is_some_and(|before| realisation < before) || after.is_some_and(|after| after < realisation)
}

/// The progress as a mean takes it, not rounded.
///
/// If the year's target is 0, it counts as 100 when it is reached and as 0 before.
pub fn exact_progress(plan: &ActionPlan, quarter: u8) -> Decimal {
    if is_reached(plan, quarter) {
        return Decimal::ONE_HUNDRED;
    }
    share_below(realised(&plan.realisation, quarter), target(&plan.targets, YEAR_END))
}

/// How much of the year's target is to be reached by the end of a quarter, in percent from 0 to 100, not rounded.
///
/// A year's target of 0 is expected in full at the end of the year, and not before.
pub fn exact_expected(plan: &ActionPlan, quarter: u8) -> Decimal {
    let (due, whole) = (target(&plan.targets, quarter), target(&plan.targets, YEAR_END));
    if quarter >= YEAR_END || (due >= whole && !whole.is_zero()) {
        return Decimal::ONE_HUNDRED;
    }
    share_below(due, whole)
}

/// Whether what was verified up to a quarter reaches the year's target.
///
/// Without a verified report nothing is reached. With one, a year's target of 0 is reached, because it asks for no more.
fn is_reached(plan: &ActionPlan, quarter: u8) -> bool {
    last_reported(&plan.realisation, quarter).is_some_and(|realised| realised >= target(&plan.targets, YEAR_END))
}

/// The percentage of a part in its whole, not below 0; it is 0 if the whole is 0.
fn share_below(part: Decimal, whole: Decimal) -> Decimal {
    let share = part.checked_mul(Decimal::ONE_HUNDRED).and_then(|hundredfold| hundredfold.checked_div(whole));
    share.unwrap_or_default().max(Decimal::ZERO)
}

/// A value for a sentence or an input: as it was reported, in its shortest form.
fn shown(value: Decimal) -> decimal::Decimal {
    decimal::Decimal::computed(value, decimal::Decimal::DECIMAL_PLACES as u32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    pub(super) fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// An action of 2022 with whole targets; `-` in the realisation is a quarter without a verified report.
    pub(super) fn plan(targets: [i64; 4], realisation: &str) -> ActionPlan {
        let mut reported = realisation.split_whitespace().map(|text| text.parse().ok());
        ActionPlan {
            year: 2022,
            weight: Decimal::ONE,
            due_on: None,
            targets: targets.map(Decimal::from),
            realisation: std::array::from_fn(|_| reported.next().flatten()),
        }
    }

    #[test]
    fn the_last_report_up_to_a_quarter_counts() {
        let realisation = plan([0; 4], "- 3 - 7").realisation;
        let up_to = |quarter| realised(&realisation, quarter);
        assert_eq!([0, 1, 2, 3, 4].map(up_to), [0, 0, 3, 3, 7].map(Decimal::from));
    }

    #[test]
    fn what_was_reported_of_quarters_to_come_does_not_count_yet() {
        let of = |day: &str| begun(2022, plan([0; 4], "1 2 - 9").realisation, day.parse().unwrap()).map(|value| value.is_some());
        assert_eq!(of("2021-12-31"), [false; 4]);
        assert_eq!(of("2022-04-01"), [true, true, false, false]);
        assert_eq!(of("2022-09-30"), [true, true, false, false]);
        assert_eq!(of("2022-10-01"), [true, true, false, true]);
    }

    #[test]
    fn a_correction_downwards_counts_as_it_is() {
        assert_eq!(realised(&plan([0; 4], "5 3").realisation, 4), exact("3"));
    }

    #[test]
    fn progress_is_the_share_of_the_years_target() {
        let plan = plan([2, 4, 8, 12], "1 5 - 14");
        let at = |quarter| progress(&plan, quarter).to_string();
        assert_eq!([1, 2, 3, 4].map(at), ["8.33", "41.67", "41.67", "100.00"]);
    }

    #[test]
    fn progress_is_rounded_half_up_and_never_below_zero() {
        assert_eq!(progress(&plan([0, 0, 0, 800], "1"), 4).to_string(), "0.13");
        assert_eq!(progress(&plan([0, 0, 0, 8], "-1.5"), 4).to_string(), "0.00");
    }

    #[test]
    fn progress_is_whole_or_nothing_only_where_it_is() {
        assert_eq!(progress(&plan([0, 0, 0, 30_000], "29999"), 4).to_string(), "99.99");
        assert_eq!(progress(&plan([0, 0, 0, 30_000], "1"), 4).to_string(), "0.01");
        assert_eq!(progress(&plan([0, 0, 0, 30_000], "0"), 4).to_string(), "0.00");
    }

    #[test]
    fn a_realisation_falls_below_the_quarter_before_or_above_the_next() {
        let reported = |text| plan([0; 4], text).realisation;
        for (before, quarter, realisation, expected) in [
            ("55", 2, "20", true),
            ("55", 2, "55", false),
            ("55 - -", 3, "54.9", true),
            ("- 20", 1, "55", true),
            ("- 20", 1, "20", false),
            ("55 20", 1, "10", false),
            ("55 20", 2, "60", false),
            ("5 - 9", 2, "7", false),
            ("5 - 9", 2, "10", true),
            ("- 3 -", 2, "0", false),
            ("", 4, "0", false),
        ] {
            assert_eq!(
                falls(&reported(before), quarter, exact(realisation)),
                expected,
                "{realisation} as {quarter} of {before:?}"
            );
        }
    }

    #[test]
    fn a_weight_is_more_than_nothing_and_at_most_a_thousand() {
        for (weight, expected) in [("0", false), ("-1", false), ("0.000000000001", true), ("1000", true), ("1000.1", false)] {
            assert_eq!(is_weight(exact(weight)), expected, "{weight}");
        }
    }

    #[test]
    fn a_years_target_of_zero_is_reached_by_a_verified_report() {
        let at = |realisation: &str, quarter| progress(&plan([0; 4], realisation), quarter).to_string();
        assert_eq!(at("", 4), "0.00");
        assert_eq!(at("- 0", 1), "0.00");
        assert_eq!(at("- 0", 2), "100.00");
        assert_eq!(at("- 0", 4), "100.00");
    }

    #[test]
    fn the_targets_say_what_is_expected() {
        let expected = |targets, quarter| exact_expected(&plan(targets, ""), quarter);
        assert_eq!([1, 2, 3, 4].map(|quarter| expected([0, 2, 6, 8], quarter)), [0, 25, 75, 100].map(Decimal::from));
        assert_eq!([1, 2, 3, 4].map(|quarter| expected([8; 4], quarter)), [100; 4].map(Decimal::from));
        assert_eq!([1, 2, 3, 4].map(|quarter| expected([0; 4], quarter)), [0, 0, 0, 100].map(Decimal::from));
    }

    #[test]
    fn overflow_is_no_panic() {
        let least = exact("0.000000000001");
        let plan =
            ActionPlan { targets: [Decimal::MAX, least, least, least], realisation: [Some(Decimal::MAX); 4], ..plan([0; 4], "") };
        assert_eq!(exact_progress(&plan, 1), Decimal::ONE_HUNDRED);
        assert_eq!(exact_expected(&plan, 1), Decimal::ONE_HUNDRED);
        assert_eq!(share_below(Decimal::MIN, least), Decimal::ZERO);
    }

    prop_compose! {
        /// An action whose cumulative targets and realisation never fall.
        pub(super) fn any_plan()(
            steps in [0_i64..1_000, 0_i64..1_000, 0_i64..1_000, 0_i64..1_000],
            gains in [proptest::option::of(0_i64..1_000), proptest::option::of(0_i64..1_000),
                      proptest::option::of(0_i64..1_000), proptest::option::of(0_i64..1_000)],
            weight in 0_i64..500,
            scale in 0_u32..4,
        ) -> ActionPlan {
            let (mut planned, mut gained) = (0, 0);
            ActionPlan {
                year: 2022,
                weight: Decimal::new(weight, 1),
                due_on: None,
                targets: steps.map(|step| { planned += step; Decimal::new(planned, scale) }),
                realisation: gains.map(|gain| gain.map(|gain| { gained += gain; Decimal::new(gained, scale) })),
            }
        }
    }

    proptest! {
        #[test]
        fn progress_and_what_is_expected_are_percentages_that_never_fall(plan in any_plan()) {
            for of in [exact_progress, exact_expected] {
                let series = [0, 1, 2, 3, 4].map(|quarter| of(&plan, quarter));
                prop_assert!(series.is_sorted());
                prop_assert!(Decimal::ZERO <= series[0] && series[4] <= Decimal::ONE_HUNDRED);
            }
            prop_assert_eq!(exact_expected(&plan, 4), Decimal::ONE_HUNDRED);
        }

        #[test]
        fn who_keeps_to_the_plan_has_the_progress_that_is_expected(plan in any_plan(), quarter in 1_u8..=4) {
            prop_assume!(!target(&plan.targets, YEAR_END).is_zero());
            let kept = ActionPlan { realisation: plan.targets.map(Some), ..plan };
            prop_assert_eq!(exact_progress(&kept, quarter), exact_expected(&kept, quarter));
        }
    }
}
