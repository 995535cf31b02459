//! The standing of a KPI against its targets, with the reasons.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Direction, Point, achieved_ratio, applying, rounded, shown};
use crate::rules::reason::{Reason, ReasonCode};

/// The standing of a KPI, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The final target is met.
    Achieved,
    /// The KPI has covered at least 95 percent of the way that it should have covered by now.
    OnTrack,
    /// The KPI has covered at least 60 percent of that way.
    AtRisk,
    /// The KPI has covered less than that.
    OffTrack,
    /// The KPI has moved away from the target.
    Regressed,
    /// There is no verified measurement, or no target to compare it with.
    NoData,
}

impl Standing {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["achieved", "on_track", "at_risk", "off_track", "regressed", "no_data"];
}
crate::labels! { Standing {
    Achieved: "Achieved", "Tercapai";
    OnTrack: "On track", "Sesuai jalur";
    AtRisk: "At risk", "Berisiko";
    OffTrack: "Off track", "Keluar jalur";
    Regressed: "Regressed", "Memburuk";
    NoData: "No data", "Belum ada data";
} }

/// The bounds between the standings, as one version of the rule sets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StandingBounds {
    /// The name of the version.
    pub version: &'static str,
    /// The first day on which these bounds hold.
    pub valid_from: NaiveDate,
    /// The least ratio for `on_track`.
    pub on_track: Decimal,
    /// The least ratio for `at_risk`; a ratio below it is `off_track`.
    pub at_risk: Decimal,
}

/// Every version of the bounds, the oldest first.
const BOUNDS: &[StandingBounds] = &[StandingBounds {
    version: "kpi-standing-2",
    valid_from: NaiveDate::from_ymd_opt(1900, 1, 1).expect("the calendar has this day"),
    on_track: Decimal::from_parts(95, 0, 0, false, 2),
    at_risk: Decimal::from_parts(60, 0, 0, false, 2),
}];

/// The bounds that hold on a day. Before the first version, the bounds of the first version hold.
pub fn standing_bounds(on: NaiveDate) -> &'static StandingBounds {
    BOUNDS.iter().rev().find(|version| version.valid_from <= on).unwrap_or(&BOUNDS[0])
}

/// The standing of a KPI, with the data by which it was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandingResult {
    /// The standing.
    pub standing: Standing,
    /// The target that applies to the period of the actual value, not rounded.
    pub applicable_target: Option<Decimal>,
    /// How much of the way that it should have covered the KPI has covered, not rounded; `None` if the standing does not follow
    /// from a ratio.
    pub ratio: Option<Decimal>,
    /// The version of the bounds.
    pub rule_version: &'static str,
    /// The steps of the computation.
    pub reasons: Vec<Reason>,
}

/// The standing of a KPI at its latest verified actual value. `targets` are in the order of their periods.
///
/// The ratio is (actual - baseline) / (applicable target - baseline). It is compared with the bounds that hold at the end of the
/// period of the actual value. If the applicable target is no better than the baseline, there is no way to cover: reaching the
/// target is `on_track`, and missing it is `regressed`.
///
/// Without a baseline, an `increase` towards a positive target is measured from zero. A `decrease`, and an `increase` towards a
/// negative target, are measured by their achievement as a ratio, so that they never count as `regressed`.
pub fn standing(direction: Direction, baseline: Option<&Point>, targets: &[Point], actual: Option<&Point>) -> StandingResult {
    let bounds = standing_bounds(actual.map_or(NaiveDate::MAX, |actual| actual.period.end()));
    let mut result = StandingResult {
        standing: Standing::NoData,
        applicable_target: None,
        ratio: None,
        rule_version: bounds.version,
        reasons: Vec::new(),
    };
    let Some(actual) = actual else {
        result.reasons.push(Reason::new(ReasonCode::NoMeasurement));
        return result;
    };
    let Some(final_target) = targets.last() else {
        result.reasons.push(Reason::new(ReasonCode::NoTarget));
        return result;
    };

    let applying = applying(baseline, targets, actual.period);
    result.applicable_target = applying.as_ref().map(|applying| applying.value);
    let judgement = match &applying {
        Some(applying) => judge(direction, baseline.map(|point| point.value), applying.value, actual.value),
        None => Judgement::Impossible,
    };
    if let Judgement::Ratio { ratio, .. } = judgement {
        result.ratio = Some(ratio);
    }

    if direction.reaches(actual.value, final_target.value) {
        result.standing = Standing::Achieved;
        let met = compared(ReasonCode::FinalTargetMet, direction, actual.value, final_target.value);
        result.reasons.push(met.with("period", final_target.period));
        return result;
    }
    let Some(applying) = applying else {
        result.reasons.push(Reason::new(ReasonCode::NoTargetApplies).with("period", actual.period));
        return result;
    };
    result.reasons.push(applying.origin);
    result.standing = match judgement {
        Judgement::Ratio { ratio, how } => {
            let (standing, verdict) = grade(ratio, bounds);
            result.reasons.extend([how, verdict]);
            standing
        }
        Judgement::NoWayToGo { why, otherwise } => {
            let reached = direction.reaches(actual.value, applying.value);
            let code = if reached { ReasonCode::TargetMet } else { ReasonCode::TargetMissed };
            result.reasons.extend([why, compared(code, direction, actual.value, applying.value)]);
            if reached { Standing::OnTrack } else { otherwise }
        }
        Judgement::Impossible => {
            result.reasons.push(Reason::new(ReasonCode::TooLargeToCompare));
            Standing::NoData
        }
    };
    result
}

/// That an actual value meets or misses a target.
fn compared(code: ReasonCode, direction: Direction, actual: Decimal, target: Decimal) -> Reason {
    let reason = Reason::new(code).with("actual", shown(actual)).with("target", shown(target));
    reason.with("direction", direction.as_str())
}

/// How an actual value is judged that has not met the final target.
enum Judgement {
    /// By a ratio, with the way in which it was computed.
    Ratio { ratio: Decimal, how: Reason },
    /// By whether it meets the applicable target; if it does not, its standing is `otherwise`.
    NoWayToGo { why: Reason, otherwise: Standing },
    /// Not at all, because no target applies or the numbers overflow.
    Impossible,
}

fn judge(direction: Direction, baseline: Option<Decimal>, target: Decimal, actual: Decimal) -> Judgement {
    let (ratio, how) = match (baseline, direction) {
        (None, Direction::Decrease) if target.is_zero() => {
            return Judgement::NoWayToGo {
                why: Reason::new(ReasonCode::ZeroTargetWithoutBaseline),
                otherwise: Standing::OffTrack,
            };
        }
        (None, _) if direction == Direction::Decrease || target < Decimal::ZERO => {
            let ratio = achieved_ratio(direction, target, actual).map(|ratio| ratio.max(Decimal::ZERO));
            let (less, from) = match direction {
                Direction::Increase => (shown(target), shown(actual)),
                Direction::Decrease => (shown(actual), shown(target)),
            };
            let how = Reason::new(ReasonCode::RatioOfAchievement).with("from", from).with("less", less);
            (ratio, how.with("divisor", shown(target.abs())))
        }
        (baseline, direction) => {
            let start = baseline.unwrap_or(Decimal::ZERO);
            // Without a baseline it is measured from zero.
            let reason = |with_baseline, from_zero| match baseline {
                Some(baseline) => Reason::new(with_baseline).with("baseline", shown(baseline)).with("target", shown(target)),
                None => Reason::new(from_zero).with("target", shown(target)),
            };
            if direction.reaches(start, target) {
                let why = reason(ReasonCode::NoWayToGo, ReasonCode::NoWayFromZero);
                return Judgement::NoWayToGo { why, otherwise: Standing::Regressed };
            }
            let ratio = actual.checked_sub(start).zip(target.checked_sub(start)).and_then(|(gone, way)| gone.checked_div(way));
            (ratio, reason(ReasonCode::Ratio, ReasonCode::RatioFromZero).with("actual", shown(actual)))
        }
    };
    match ratio {
        Some(ratio) => Judgement::Ratio { ratio, how },
        None => Judgement::Impossible,
    }
}

/// The standing for a ratio, with the reason.
fn grade(ratio: Decimal, bounds: &StandingBounds) -> (Standing, Reason) {
    let shown = shown_beside(ratio, &[Decimal::ZERO, bounds.at_risk, bounds.on_track]);
    let reason = |code| Reason::new(code).with("ratio", shown);
    let StandingBounds { on_track, at_risk, .. } = bounds;
    if ratio < Decimal::ZERO {
        (Standing::Regressed, reason(ReasonCode::RatioRegressed))
    } else if ratio >= *on_track {
        (Standing::OnTrack, reason(ReasonCode::RatioOnTrack).with("from", on_track))
    } else if ratio >= *at_risk {
        (Standing::AtRisk, reason(ReasonCode::RatioAtRisk).with("from", at_risk).with("below", on_track))
    } else {
        (Standing::OffTrack, reason(ReasonCode::RatioOffTrack).with("below", at_risk))
    }
}

/// A value for a sentence that compares it: with two decimals, or as many as keep it on its side of the bound.
fn shown_beside(value: Decimal, bounds: &[Decimal]) -> Decimal {
    (2..=Decimal::MAX_SCALE)
        .map(|places| rounded(value, places))
        .find(|short| bounds.iter().all(|bound| short.cmp(bound) == value.cmp(bound)))
        .unwrap_or(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use sea_orm::Iterable;

    use super::super::{achievement, progress};
    use super::*;
    use crate::rules::reason::sentences;
    use crate::value::period::Period;

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn point(period: &str, value: &str) -> Point {
        Point { period: Period::parse(period).unwrap(), value: exact(value) }
    }

    fn year(year: i32) -> Period {
        Period::Year(year)
    }

    #[test]
    fn its_words_are_those_of_answers() {
        let words = Standing::iter().map(|standing| serde_json::to_value(standing).unwrap()).collect::<Vec<_>>();
        assert_eq!(words, Standing::WORDS);
    }

    #[test]
    fn stunting_is_on_track_in_2022() {
        let (baseline, targets) = (point("2021", "28.3"), [point("2024", "14")]);
        let result = standing(Direction::Decrease, Some(&baseline), &targets, Some(&point("2022", "22.9")));
        assert_eq!(result.standing, Standing::OnTrack);
        assert_eq!(rounded(result.applicable_target.unwrap(), 4), exact("23.5333"));
        assert_eq!(rounded(result.ratio.unwrap(), 2), exact("1.13"));
        assert_eq!(result.rule_version, "kpi-standing-2");
        assert_eq!(
            sentences(&result.reasons),
            [
                "the target that applies to 2022 is 23.5333, on the line from 28.3 (2021) to 14 (2024)",
                "ratio (22.9 - 28.3) / (23.5333 - 28.3)",
                "ratio 1.13 is at least 0.95",
            ]
        );
    }

    #[test]
    fn waste_stations_would_be_at_risk_with_12_in_2022() {
        let (baseline, targets) = (point("2021", "8"), [point("2022", "14"), point("2026", "43")]);
        let result = standing(Direction::Increase, Some(&baseline), &targets, Some(&point("2022", "12")));
        assert_eq!(result.standing, Standing::AtRisk);
        assert_eq!(rounded(result.ratio.unwrap(), 2), exact("0.67"));
        assert_eq!(
            sentences(&result.reasons),
            ["the target of 2022 is 14", "ratio (12 - 8) / (14 - 8)", "ratio 0.67 is at least 0.60 and below 0.95",]
        );
    }

    #[test]
    fn every_bound_is_on_its_side() {
        let (baseline, targets) = (point("2021", "0"), [point("2022", "100"), point("2023", "200")]);
        for (actual, expected, last_reason) in [
            ("200", Standing::Achieved, "actual 200 is at least the final target 200 (2023)"),
            ("199.99", Standing::OnTrack, "ratio 2 is at least 0.95"),
            ("95", Standing::OnTrack, "ratio 0.95 is at least 0.95"),
            ("94.9999", Standing::AtRisk, "ratio 0.949999 is at least 0.60 and below 0.95"),
            ("60", Standing::AtRisk, "ratio 0.6 is at least 0.60 and below 0.95"),
            ("59.99", Standing::OffTrack, "ratio 0.5999 is at least 0 and below 0.60"),
            ("0", Standing::OffTrack, "ratio 0 is at least 0 and below 0.60"),
            ("-0.1", Standing::Regressed, "ratio -0.001 is below 0"),
        ] {
            let result = standing(Direction::Increase, Some(&baseline), &targets, Some(&point("2022", actual)));
            assert_eq!(result.standing, expected, "{actual}");
            assert_eq!(result.reasons.last().unwrap().in_english(), last_reason);
        }
    }

    #[test]
    fn nothing_measured_or_nothing_aimed_at_is_no_data() {
        let (baseline, targets) = (point("2021", "28.3"), [point("2024", "14")]);
        let actual = point("2022", "22.9");
        let unmeasured = standing(Direction::Decrease, Some(&baseline), &targets, None);
        assert_eq!(unmeasured.standing, Standing::NoData);
        assert_eq!(sentences(&unmeasured.reasons), ["there is no verified measurement"]);
        let untargeted = standing(Direction::Decrease, Some(&baseline), &[], Some(&actual));
        assert_eq!(untargeted.standing, Standing::NoData);
        assert_eq!(sentences(&untargeted.reasons), ["there is no target"]);
        let early = standing(Direction::Decrease, Some(&baseline), &targets, Some(&point("2020", "29")));
        assert_eq!(early.standing, Standing::NoData);
        assert_eq!(sentences(&early.reasons), ["no target applies to 2020, before the first known point"]);
    }

    #[test]
    fn a_target_at_the_baseline_is_kept_or_lost() {
        let (baseline, targets) = (point("2021", "10"), [point("2022", "10"), point("2024", "5")]);
        let of = |actual| standing(Direction::Decrease, Some(&baseline), &targets, Some(&point("2022", actual)));
        assert_eq!(of("10").standing, Standing::OnTrack);
        assert_eq!(of("9").standing, Standing::OnTrack);
        assert_eq!(of("10.1").standing, Standing::Regressed);
        assert_eq!(of("10.1").ratio, None);
        assert_eq!(
            sentences(&of("10.1").reasons),
            ["the target of 2022 is 10", "the target 10 asks for no better than 10", "actual 10.1 is above the target 10",]
        );
    }

    #[test]
    fn a_target_that_allows_a_dip_does_not_reward_falling_deeper() {
        let (baseline, targets) = (point("2021", "10"), [point("2022", "8"), point("2026", "20")]);
        let of = |actual| standing(Direction::Increase, Some(&baseline), &targets, Some(&point("2022", actual)));
        assert_eq!(of("9").standing, Standing::OnTrack);
        assert_eq!(of("8").standing, Standing::OnTrack);
        assert_eq!(of("7").standing, Standing::Regressed);
    }

    #[test]
    fn without_a_baseline_an_increase_is_measured_from_zero() {
        let targets = [point("2022", "40")];
        let of = |actual| standing(Direction::Increase, None, &targets, Some(&point("2022", actual)));
        let running = of("35");
        assert_eq!(running.standing, Standing::AtRisk);
        assert_eq!(running.ratio, Some(exact("0.875")));
        assert_eq!(
            sentences(&running.reasons),
            [
                "the target of 2022 is 40",
                "measured from zero without a baseline: ratio (35 - 0) / (40 - 0)",
                "ratio 0.88 is at least 0.60 and below 0.95",
            ]
        );
        assert_eq!(of("40").standing, Standing::Achieved);
        assert_eq!(of("38").standing, Standing::OnTrack);
        assert_eq!(of("-1").standing, Standing::Regressed);
    }

    #[test]
    fn without_a_baseline_a_decrease_is_measured_by_its_achievement() {
        let targets = [point("2022", "10")];
        let of = |actual| standing(Direction::Decrease, None, &targets, Some(&point("2022", actual)));
        assert_eq!(of("10").standing, Standing::Achieved);
        assert_eq!(of("10.5").standing, Standing::OnTrack);
        assert_eq!(of("12").standing, Standing::AtRisk);
        assert_eq!(of("12").reasons[1].in_english(), "without a baseline: ratio 1 + (10 - 12) / 10, not below 0");
        assert_eq!(of("15").standing, Standing::OffTrack);
        assert_eq!(of("1000").standing, Standing::OffTrack);
        let none_left = standing(Direction::Decrease, None, &[point("2022", "0")], Some(&point("2022", "3")));
        assert_eq!(none_left.standing, Standing::OffTrack);
    }

    #[test]
    fn without_a_baseline_a_negative_target_is_measured_by_its_achievement() {
        for (direction, target, actual, expected) in [
            (Direction::Increase, "-1.5", "-0.5", Standing::Achieved),
            (Direction::Increase, "-10", "-10.5", Standing::OnTrack),
            (Direction::Increase, "-1.5", "-2", Standing::AtRisk),
            (Direction::Increase, "-1.5", "-3", Standing::OffTrack),
            (Direction::Decrease, "-2", "-2.5", Standing::Achieved),
            (Direction::Decrease, "-2", "-1.5", Standing::AtRisk),
            (Direction::Decrease, "-2", "7", Standing::OffTrack),
        ] {
            let result = standing(direction, None, &[point("2022", target)], Some(&point("2022", actual)));
            assert_eq!(result.standing, expected, "{direction:?} {target} {actual}: {:?}", result.reasons);
        }
    }

    #[test]
    fn growth_below_zero_moves_towards_its_target() {
        let (baseline, targets) = (point("2019", "-5"), [point("2020", "-1.5")]);
        let of = |actual| standing(Direction::Increase, Some(&baseline), &targets, Some(&point("2020", actual))).standing;
        assert_eq!(of("-3"), Standing::OffTrack);
        assert_eq!(of("-0.5"), Standing::Achieved);
        assert_eq!(of("-6"), Standing::Regressed);
    }

    #[test]
    fn overflow_is_no_panic() {
        let baseline = Point { period: year(2021), value: Decimal::MIN };
        let targets = [Point { period: year(2022), value: Decimal::MAX }];
        let actual = Point { period: year(2022), value: Decimal::ZERO };
        let result = standing(Direction::Increase, Some(&baseline), &targets, Some(&actual));
        assert_eq!(result.standing, Standing::NoData);
    }

    #[test]
    fn bounds_are_in_order_of_their_days() {
        assert!(BOUNDS.is_sorted_by(|left, right| left.valid_from < right.valid_from));
        assert_eq!(standing_bounds(NaiveDate::MIN).version, "kpi-standing-2");
    }

    fn any_direction() -> impl Strategy<Value = Direction> {
        prop_oneof![Just(Direction::Increase), Just(Direction::Decrease)]
    }

    fn any_value() -> impl Strategy<Value = Decimal> {
        prop_oneof![
            (-20_i64..=20).prop_map(Decimal::from),
            (-999_999_999_999_999_i64..=999_999_999_999_999, 0_u32..=12)
                .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        ]
    }

    fn any_baseline() -> impl Strategy<Value = Option<Point>> {
        proptest::option::of((2015..=2024, any_value()).prop_map(|(at, value)| Point { period: year(at), value }))
    }

    fn any_targets() -> impl Strategy<Value = Vec<Point>> {
        proptest::collection::btree_map(2018..=2030, any_value(), 0..4)
            .prop_map(|targets| targets.into_iter().map(|(at, value)| Point { period: year(at), value }).collect())
    }

    proptest! {
        #[test]
        fn meeting_the_final_target_is_100_and_achieved(
            direction in any_direction(),
            baseline in any_baseline(),
            targets in any_targets(),
            at in 2010..=2035,
        ) {
            if let Some(last) = targets.last() {
                let actual = Point { period: year(at), value: last.value };
                let percent = achievement(direction, last.value, actual.value).unwrap();
                prop_assert_eq!(percent.to_string(), "100.00");
                let result = standing(direction, baseline.as_ref(), &targets, Some(&actual));
                prop_assert_eq!(result.standing, Standing::Achieved);
                let is_ahead = |baseline: &Point| baseline.value != last.value && !direction.is_against(baseline.value, last.value);
                if let Some(baseline) = baseline.filter(is_ahead) {
                    let done = progress(direction, baseline.value, last.value, last.value).unwrap();
                    prop_assert_eq!(done.to_string(), "100.00");
                }
            }
        }

        #[test]
        fn a_better_actual_never_stands_worse(
            direction in any_direction(),
            baseline in any_baseline(),
            targets in any_targets(),
            at in 2010..=2035,
            left in any_value(),
            right in any_value(),
        ) {
            let (worse, better) = match direction {
                Direction::Increase => (left.min(right), left.max(right)),
                Direction::Decrease => (left.max(right), left.min(right)),
            };
            let of = |value| {
                standing(direction, baseline.as_ref(), &targets, Some(&Point { period: year(at), value })).standing
            };
            prop_assert!(of(better) <= of(worse), "{:?} against {:?}", of(better), of(worse));
        }

        #[test]
        fn a_standing_always_gives_its_reasons(
            direction in any_direction(),
            baseline in any_baseline(),
            targets in any_targets(),
            actual in proptest::option::of((2010..=2035, any_value())),
        ) {
            let actual = actual.map(|(at, value)| Point { period: year(at), value });
            let result = standing(direction, baseline.as_ref(), &targets, actual.as_ref());
            prop_assert!(!result.reasons.is_empty());
        }
    }
}
