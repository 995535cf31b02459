//! The progress of many actions, by their weights.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{ActionPlan, exact_expected, exact_progress};
use crate::{
    rules::{
        bands::{Band, BandBounds, band, band_bounds},
        explanation::Explanation,
        reason::{Reason, ReasonCode},
    },
    value::{
        decimal::{self, Percent},
        period::Period,
    },
};

/// The version of the rule.
pub const VERSION: &str = "opd-progress-2";

/// The number of decimals that are certain in a quotient of sums. A third has no last decimal, and what was cut off must not
/// decide whether a half is rounded up.
const SURE_PLACES: u32 = 18;

/// The weighted mean of percentages, as the ratio of the sums; nothing without a weight above 0.
///
/// Each entry is a percentage from 0 to 100, not rounded, with its weight. The mean is 100.00 only if all percentages are 100,
/// and 0.00 only if all are 0, however small the weight of an exception is.
pub fn weighted_mean(entries: impl IntoIterator<Item = (Decimal, Decimal)>) -> Option<Percent> {
    let (mut sum, mut weights) = (Decimal::ZERO, Decimal::ZERO);
    let mut range = Range::default();
    for (value, weight) in entries {
        sum = sum.checked_add(value.checked_mul(weight)?)?;
        weights = weights.checked_add(weight)?;
        range.add(value, weight);
    }
    quotient(sum, weights).map(|mean| range.held(mean))
}

/// Whether all values with a weight are 100, or all are 0, which a mean of them must not hide.
struct Range {
    all_whole: bool,
    all_nothing: bool,
}

impl Default for Range {
    fn default() -> Self {
        Self { all_whole: true, all_nothing: true }
    }
}

impl Range {
    fn add(&mut self, value: Decimal, weight: Decimal) {
        let counts = !weight.is_zero();
        self.all_whole &= !counts || value >= Decimal::ONE_HUNDRED;
        self.all_nothing &= !counts || value.is_zero();
    }

    fn held(&self, mean: Percent) -> Percent {
        let mean = if self.all_whole { mean } else { mean.unreached() };
        if self.all_nothing { mean } else { mean.begun() }
    }
}

/// The progress of actions up to a quarter, 1 to 4, by their weights: of the actions of a programme or of an OPD.
pub fn mean_progress<'a>(plans: impl IntoIterator<Item = &'a ActionPlan>, quarter: u8) -> Option<Percent> {
    weighted_mean(plans.into_iter().map(|plan| (exact_progress(plan, quarter), plan.weight)))
}

fn quotient(part: Decimal, whole: Decimal) -> Option<Percent> {
    let exact = part.checked_div(whole)?;
    Some(Percent::of(exact.round_dp_with_strategy(SURE_PLACES, RoundingStrategy::MidpointAwayFromZero)))
}

/// The progress of an OPD against its targets.
#[derive(Clone, Debug, PartialEq)]
pub struct OpdProgress {
    /// How much of the year's targets is realised; nothing without actions that have a weight.
    pub progress: Option<Percent>,
    /// How much of the year's targets was to be realised by then.
    pub expected: Option<Percent>,
    /// The progress in percent of what was expected, not capped above; nothing if nothing was expected.
    pub achievement: Option<Percent>,
    /// The band of the achievement, by the bounds that hold at the end of the quarter.
    pub band: Option<Band>,
    /// How all of this was computed.
    pub explanation: Explanation,
}

/// The progress of an OPD up to a quarter, 1 to 4, of a year, over all its actions of that year.
///
/// The achievement is the ratio of the weighted sums, rounded once, and not the ratio of the rounded percentages.
pub fn opd_progress(plans: &[ActionPlan], year: i32, quarter: u8) -> OpdProgress {
    let period = Period::Quarter(year, quarter);
    let bounds = band_bounds(period.end());
    let sum = |of: fn(&ActionPlan, u8) -> Decimal| -> Decimal { plans.iter().map(|plan| of(plan, quarter) * plan.weight).sum() };
    let (realised, planned) = (sum(exact_progress), sum(exact_expected));
    let weights: Decimal = plans.iter().map(|plan| plan.weight).sum();

    let mean = |of: fn(&ActionPlan, u8) -> Decimal| weighted_mean(plans.iter().map(|plan| (of(plan, quarter), plan.weight)));
    let (progress, expected) = (mean(exact_progress), mean(exact_expected));
    let achievement = quotient(realised * Decimal::ONE_HUNDRED, planned);
    let reasons = reasons(Sums { realised, planned, weights }, progress.zip(expected), achievement, bounds);
    let explanation = Explanation::new("opd_progress", VERSION, reasons)
        .input("period", period)
        .input("actions", plans.len())
        .input("weights", shown(weights))
        .input("weighted_progress", shown(realised))
        .input("weighted_expected", shown(planned))
        .input("band_version", bounds.version);
    OpdProgress { progress, expected, achievement, band: achievement.map(|percent| band(percent, period.end())), explanation }
}

/// The sums over an OPD's actions: of weight x progress, of weight x expected progress, and of the weights.
struct Sums {
    realised: Decimal,
    planned: Decimal,
    weights: Decimal,
}

fn reasons(sums: Sums, means: Option<(Percent, Percent)>, achievement: Option<Percent>, bounds: &BandBounds) -> Vec<Reason> {
    let Some((progress, expected)) = means else {
        return vec![Reason::new(ReasonCode::NoWeightedAction)];
    };
    let (realised, planned, weights) = (shown(sums.realised), shown(sums.planned), shown(sums.weights));
    let mean = |code, sum| Reason::new(code).with("sum", sum).with("weights", weights);
    let mut reasons = vec![
        mean(ReasonCode::MeanProgress, realised).with("progress", progress),
        mean(ReasonCode::MeanExpected, planned).with("expected", expected),
    ];
    let Some(achievement) = achievement else {
        reasons.push(Reason::new(ReasonCode::NothingExpected));
        return reasons;
    };
    let BandBounds { version, very_high, high, medium, above_very_low, .. } = bounds;
    let reason = Reason::new(ReasonCode::OpdAchievement).with("achievement", achievement);
    reasons.push(reason.with("realised", realised).with("planned", planned));
    let reason = Reason::new(ReasonCode::BandBounds).with("regulation", version).with("very_high", very_high);
    reasons.push(reason.with("high", high).with("medium", medium).with("low", above_very_low));
    reasons
}

/// A sum for a sentence or an input, with at most four decimals.
fn shown(value: Decimal) -> decimal::Decimal {
    decimal::Decimal::computed(value, 4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::tests::{any_plan, exact, plan};
    use super::*;
    use crate::rules::reason::sentences;

    fn mean(entries: &[(&str, &str)]) -> Option<String> {
        weighted_mean(entries.iter().map(|(value, weight)| (exact(value), exact(weight)))).map(|percent| percent.to_string())
    }

    fn weighted(weight: i64, plan: ActionPlan) -> ActionPlan {
        ActionPlan { weight: Decimal::from(weight), ..plan }
    }

    fn texts(result: &OpdProgress) -> [Option<String>; 3] {
        [result.progress, result.expected, result.achievement].map(|percent| percent.map(|percent| percent.to_string()))
    }

    #[test]
    fn a_mean_counts_each_by_its_weight() {
        assert_eq!(mean(&[("100", "1"), ("50", "1")]).unwrap(), "75.00");
        assert_eq!(mean(&[("100", "3"), ("50", "1")]).unwrap(), "87.50");
        assert_eq!(mean(&[("100", "0.5"), ("0", "1")]).unwrap(), "33.33");
        assert_eq!(mean(&[("100", "0"), ("40", "2")]).unwrap(), "40.00");
    }

    #[test]
    fn there_is_no_mean_without_weights() {
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[("100", "0"), ("50", "0.0")]), None);
        assert_eq!(weighted_mean([(Decimal::MAX, Decimal::TWO)]), None);
    }

    #[test]
    fn a_mean_is_rounded_once() {
        // Rounded before, 1.005 and 1 would give 1.01 instead of 1.00.
        assert_eq!(mean(&[("1.005", "1"), ("1", "1")]).unwrap(), "1.00");
    }

    #[test]
    fn a_mean_is_whole_or_nothing_only_where_all_are() {
        assert_eq!(mean(&[("100", "1000"), ("99.9999999999", "0.000000000001")]).unwrap(), "99.99");
        assert_eq!(mean(&[("0", "1000"), ("0.0000000001", "0.000000000001")]).unwrap(), "0.01");
        assert_eq!(mean(&[("100", "1"), ("0", "0")]).unwrap(), "100.00");
        assert_eq!(mean(&[("0", "1"), ("100", "0")]).unwrap(), "0.00");
    }

    #[test]
    fn a_third_that_was_cut_off_does_not_decide_a_half() {
        let third = weighted(3, plan([0, 0, 0, 3], "1"));
        let nothing = weighted(797, plan([0, 0, 0, 3], ""));
        assert_eq!(mean_progress([&third, &nothing], 4).unwrap().to_string(), "0.13");
    }

    #[test]
    fn a_programme_without_actions_has_no_progress() {
        assert_eq!(mean_progress([], 4), None);
    }

    #[test]
    fn an_opd_is_held_against_what_was_expected() {
        let plans = [weighted(2, plan([2, 4, 8, 12], "2 3")), plan([0, 5, 5, 10], "- 5"), plan([0; 4], "")];
        let result = opd_progress(&plans, 2022, 2);
        // Progress: (2 x 25 + 50 + 0) / 4. Expected: (2 x 33.3333 + 50 + 0) / 4.
        assert_eq!(texts(&result), ["25.00", "29.17", "85.71"].map(|text| Some(text.to_owned())));
        assert_eq!(result.band, Some(Band::High));
        assert_eq!(
            result.explanation.as_json(),
            json!({
                "rule": "opd_progress",
                "rule_version": "opd-progress-2",
                "inputs": {
                    "period": "2022-Q2", "actions": "3", "weights": "4",
                    "weighted_progress": "100", "weighted_expected": "116.6667",
                    "band_version": "Permendagri 86/2017",
                },
                "reasons": [
                    "progress 25.00 is the weighted mean 100 / 4",
                    "expected 29.17 is the weighted mean 116.6667 / 4",
                    "achievement 85.71 is 100 / 116.6667 x 100",
                    "by Permendagri 86/2017 the band is very_high from 91, high from 76, medium from 66, low above 50, else very_low",
                ],
            })
        );
    }

    #[test]
    fn an_achievement_is_not_capped() {
        let result = opd_progress(&[plan([2, 4, 8, 10], "3")], 2022, 1);
        assert_eq!(texts(&result), ["30.00", "20.00", "150.00"].map(|text| Some(text.to_owned())));
        assert_eq!(result.band, Some(Band::VeryHigh));
    }

    #[test]
    fn nothing_expected_is_no_achievement() {
        let result = opd_progress(&[plan([0, 4, 8, 10], "1")], 2022, 1);
        assert_eq!(texts(&result), [Some("10.00".to_owned()), Some("0.00".to_owned()), None]);
        assert_eq!(result.band, None);
        assert_eq!(result.explanation.reasons[2].in_english(), "no achievement: nothing was expected yet");
    }

    #[test]
    fn an_opd_without_actions_has_no_progress() {
        for plans in [&[][..], &[weighted(0, plan([1, 2, 3, 4], "1"))]] {
            let result = opd_progress(plans, 2022, 4);
            assert_eq!(texts(&result), [None, None, None]);
            assert_eq!(sentences(&result.explanation.reasons), ["there is no action with a weight"]);
        }
    }

    proptest! {
        #[test]
        fn a_mean_lies_between_its_values(entries in prop::collection::vec((0_i64..=10_000, 1_i64..500), 1..20)) {
            let values = || entries.iter().map(|(value, _)| Decimal::new(*value, 2));
            let mean = weighted_mean(values().zip(entries.iter().map(|(_, weight)| Decimal::new(*weight, 1)))).unwrap().inner();
            prop_assert!(values().min().unwrap() <= mean && mean <= values().max().unwrap());
        }

        #[test]
        fn only_the_ratio_of_the_weights_matters(plans in prop::collection::vec(any_plan(), 0..10), factor in 1_i64..50) {
            let scale = |plan: &ActionPlan| ActionPlan { weight: plan.weight * Decimal::from(factor), ..*plan };
            let scaled: Vec<_> = plans.iter().map(scale).collect();
            let (left, right) = (opd_progress(&plans, 2022, 3), opd_progress(&scaled, 2022, 3));
            prop_assert_eq!(texts(&left), texts(&right));
        }

        #[test]
        fn the_order_does_not_matter(plans in prop::collection::vec(any_plan(), 0..10), quarter in 1_u8..=4) {
            let backwards: Vec<_> = plans.iter().rev().copied().collect();
            prop_assert_eq!(texts(&opd_progress(&plans, 2022, quarter)), texts(&opd_progress(&backwards, 2022, quarter)));
            prop_assert_eq!(opd_progress(&plans, 2022, quarter).progress, mean_progress(&plans, quarter));
        }

        #[test]
        fn at_the_end_of_the_year_the_achievement_is_the_progress(plans in prop::collection::vec(any_plan(), 0..10)) {
            let result = opd_progress(&plans, 2022, 4);
            prop_assert_eq!(result.achievement, result.progress);
        }
    }
}
