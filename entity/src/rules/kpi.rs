//! A KPI compared with its targets: the target that applies, achievement, progress and standing.

mod bounds;
mod standing;

use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use bounds::Bounds;
pub use standing::{Standing, StandingBounds, StandingResult, standing, standing_bounds};

use super::reason::{Reason, ReasonCode};
use crate::value::{decimal::Percent, period::Period};

/// The direction in which a KPI should move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Greater values are better.
    Increase,
    /// Smaller values are better.
    Decrease,
}

crate::labels! { Direction {
    Increase: "Should increase", "Diharapkan naik";
    Decrease: "Should decrease", "Diharapkan turun";
} }

impl Direction {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["increase", "decrease"];

    /// Whether a value meets a target: it is as good or better.
    pub fn reaches(self, value: Decimal, target: Decimal) -> bool {
        match self {
            Self::Increase => value >= target,
            Self::Decrease => value <= target,
        }
    }

    /// Whether a target lies on the wrong side of the baseline, so that a KPI which reaches it has moved away.
    pub fn is_against(self, baseline: Decimal, target: Decimal) -> bool {
        !self.reaches(target, baseline)
    }

    /// Its word.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Increase => "increase",
            Self::Decrease => "decrease",
        }
    }
}

/// A value for a period: a baseline, a target or a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The period at whose end the value holds.
    pub period: Period,
    /// The value.
    pub value: Decimal,
}

/// The target that applies to a period, not rounded. `targets` are in the order of their periods.
///
/// It is the target of the period or, if there is none, the point on the straight line between its neighbours among the baseline
/// and the targets. After the last target, that target continues to apply. Before the first known point, and without any target,
/// there is none.
pub fn applicable_target(baseline: Option<&Point>, targets: &[Point], at: Period) -> Option<Decimal> {
    applying(baseline, targets, at).map(|applying| applying.value)
}

/// The target that applies, with its origin.
struct Applying {
    value: Decimal,
    origin: Reason,
}

fn applying(baseline: Option<&Point>, targets: &[Point], at: Period) -> Option<Applying> {
    let place = |period: Period| period.index_in(at.frequency());
    let here = place(at);
    let last = targets.last()?;

    if let Some(target) = targets.iter().find(|target| place(target.period) == here) {
        return Some(Applying {
            value: target.value,
            origin: Reason::new(ReasonCode::TargetOfPeriod).with("period", at).with("target", shown(target.value)),
        });
    }
    if place(last.period) < here {
        return Some(Applying {
            value: last.value,
            origin: Reason::new(ReasonCode::LastTargetContinues)
                .with("target", shown(last.value))
                .with("target_period", last.period)
                .with("period", at),
        });
    }

    let points = || baseline.into_iter().chain(targets);
    let from = points().filter(|point| place(point.period) <= here).max_by_key(|point| place(point.period))?;
    let to = points().filter(|point| place(point.period) > here).min_by_key(|point| place(point.period))?;
    let way = to.value.checked_sub(from.value)?;
    let gone = Decimal::from(here - place(from.period));
    let length = Decimal::from(place(to.period) - place(from.period));
    let value = from.value.checked_add(way.checked_mul(gone)?.checked_div(length)?)?;
    Some(Applying {
        value,
        origin: Reason::new(ReasonCode::TargetOnLine)
            .with("period", at)
            .with("target", shown(value))
            .with("from", shown(from.value))
            .with("from_period", from.period)
            .with("to", shown(to.value))
            .with("to_period", to.period),
    })
}

/// How much of the target was reached, in percent, as Indonesian performance reports (SAKIP) count it; or the reason why there is
/// no achievement.
///
/// `increase`: (1 + (actual - target) / |target|) x 100, which for a positive target is actual / target.
/// `decrease`: (1 + (target - actual) / |target|) x 100, which for a positive target is (2 x target - actual) / target.
/// With a target of 0 it is 100 if the target is met; otherwise there is none. It is never below 0 and not capped above. It is at
/// least 100 exactly if the target is met, whatever the signs.
pub fn achievement(direction: Direction, target: Decimal, actual: Decimal) -> Result<Percent, Reason> {
    let is_met = direction.reaches(actual, target);
    if target.is_zero() {
        let none = || Reason::new(ReasonCode::AchievementOfZero).with("actual", shown(actual));
        return is_met.then(|| Percent::of(Decimal::ONE_HUNDRED)).ok_or_else(none);
    }
    let percentage = beyond(direction, target, actual).and_then(|beyond| {
        beyond.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(target.abs())?.checked_add(Decimal::ONE_HUNDRED)
    });
    let percentage = percentage.ok_or(Reason::new(ReasonCode::AchievementTooLarge))?;
    let percent = Percent::of(percentage.max(Decimal::ZERO));
    // A gap that is too small for the division still is a gap.
    Ok(if is_met { percent } else { percent.unreached() })
}

/// The achievement as a ratio, neither rounded nor bounded below; `None` for a target of 0.
fn achieved_ratio(direction: Direction, target: Decimal, actual: Decimal) -> Option<Decimal> {
    beyond(direction, target, actual)?.checked_div(target.abs())?.checked_add(Decimal::ONE)
}

/// By how much a value exceeds a target; negative if it falls short.
fn beyond(direction: Direction, target: Decimal, actual: Decimal) -> Option<Decimal> {
    match direction {
        Direction::Increase => actual.checked_sub(target),
        Direction::Decrease => target.checked_sub(actual),
    }
}

/// How much of the way from the baseline to the final target is done, in percent; or the reason why there is no progress:
/// the final target equals the baseline or lies on its wrong side.
///
/// It is negative if the KPI moves away from the target, and at least 100 exactly if the final target is met.
pub fn progress(direction: Direction, baseline: Decimal, final_target: Decimal, actual: Decimal) -> Result<Percent, Reason> {
    if baseline == final_target {
        return Err(Reason::new(ReasonCode::ProgressWithoutWay).with("baseline", shown(baseline)));
    }
    if direction.is_against(baseline, final_target) {
        let reason = Reason::new(ReasonCode::ProgressAgainstDirection).with("target", shown(final_target));
        return Err(reason.with("baseline", shown(baseline)).with("direction", direction.as_str()));
    }
    let share = || {
        let (done, whole) = (actual.checked_sub(baseline)?, final_target.checked_sub(baseline)?);
        done.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole).map(Percent::of)
    };
    let percent = share().ok_or(Reason::new(ReasonCode::ProgressTooLarge))?;
    Ok(if direction.reaches(actual, final_target) { percent } else { percent.unreached() })
}

/// A value for a sentence, with at most four decimals.
fn shown(value: Decimal) -> Decimal {
    rounded(value, 4)
}

fn rounded(value: Decimal, places: u32) -> Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero).normalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn point(period: &str, value: &str) -> Point {
        Point { period: Period::parse(period).unwrap(), value: exact(value) }
    }

    fn year(year: i32) -> Period {
        Period::Year(year)
    }

    /// Rounded as in the examples of the formulas.
    fn to(places: u32, value: Option<Decimal>) -> String {
        rounded(value.unwrap(), places).to_string()
    }

    /// The share of the stunted, which should fall from 28.3 (2021) to 14 (2024).
    fn stunting() -> (Point, [Point; 1]) {
        (point("2021", "28.3"), [point("2024", "14")])
    }

    /// Waste stations: 8 built by 2021, 14 due in 2022 and 43 in 2026.
    fn tps3r() -> (Point, [Point; 2]) {
        (point("2021", "8"), [point("2022", "14"), point("2026", "43")])
    }

    #[test]
    fn the_stunting_target_of_2022_lies_on_the_line() {
        let (baseline, targets) = stunting();
        let at = |period| applicable_target(Some(&baseline), &targets, period);
        assert_eq!(to(4, at(year(2022))), "23.5333");
        assert_eq!(to(4, at(year(2023))), "18.7667");
        assert_eq!(at(year(2021)), Some(exact("28.3")));
        assert_eq!(at(year(2024)), Some(exact("14")));
        assert_eq!(at(year(2030)), Some(exact("14")));
        assert_eq!(at(year(2020)), None);
    }

    #[test]
    fn the_line_goes_through_every_target() {
        let (baseline, targets) = tps3r();
        let at = |period| applicable_target(Some(&baseline), &targets, period);
        assert_eq!(at(year(2022)), Some(exact("14")));
        assert_eq!(at(year(2024)), Some(exact("28.5")));
        assert_eq!(at(year(2026)), Some(exact("43")));
        assert_eq!(applicable_target(None, &targets, year(2024)), Some(exact("28.5")));
        assert_eq!(applicable_target(None, &targets, year(2021)), None);
        assert_eq!(applicable_target(Some(&baseline), &[], year(2021)), None);
    }

    #[test]
    fn the_line_counts_in_the_periods_of_the_kpi() {
        let baseline = point("2022-Q1", "0");
        let targets = [point("2022-Q4", "9"), point("2023-Q2", "19")];
        let at = |text: &str| applicable_target(Some(&baseline), &targets, Period::parse(text).unwrap());
        assert_eq!(at("2022-Q2"), Some(exact("3")));
        assert_eq!(at("2022-Q3"), Some(exact("6")));
        assert_eq!(at("2023-Q1"), Some(exact("14")));
    }

    #[test]
    fn achievement_is_counted_as_in_sakip() {
        let (baseline, targets) = stunting();
        let target = applicable_target(Some(&baseline), &targets, year(2022)).unwrap();
        let of = |direction, target: Decimal, actual: &str| {
            achievement(direction, target, exact(actual)).ok().map(|percent| percent.to_string())
        };
        assert_eq!(of(Direction::Decrease, target, "22.9").unwrap(), "102.69");
        assert_eq!(of(Direction::Increase, exact("2.8"), "2.01").unwrap(), "71.79");
        assert_eq!(of(Direction::Increase, exact("40"), "35").unwrap(), "87.50");
        assert_eq!(of(Direction::Increase, exact("14"), "-1").unwrap(), "0.00");
        assert_eq!(of(Direction::Decrease, exact("14"), "100").unwrap(), "0.00");
    }

    #[test]
    fn achievement_holds_for_all_signs() {
        for (direction, target, actual, expected) in [
            (Direction::Increase, "-1.5", "-3", "0.00"),
            (Direction::Increase, "-1.5", "-0.5", "166.67"),
            (Direction::Increase, "-1.5", "-1.5", "100.00"),
            (Direction::Increase, "-1.5", "-1.8", "80.00"),
            (Direction::Increase, "-1.5", "3", "400.00"),
            (Direction::Decrease, "-2", "-3", "150.00"),
            (Direction::Decrease, "-2", "-1", "50.00"),
            (Direction::Decrease, "-2", "1", "0.00"),
            (Direction::Increase, "30000", "29999", "99.99"),
            (Direction::Increase, "999999999999999", "999999999999998", "99.99"),
            (Direction::Decrease, "30000", "30001", "99.99"),
        ] {
            let percent = achievement(direction, exact(target), exact(actual)).unwrap();
            assert_eq!(percent.to_string(), expected, "{direction:?} {target} {actual}");
        }
    }

    #[test]
    fn a_target_of_zero_is_met_or_has_no_achievement() {
        let of = |direction, actual: &str| {
            achievement(direction, exact("0.00"), exact(actual)).ok().map(|percent| percent.to_string())
        };
        assert_eq!(of(Direction::Decrease, "0").unwrap(), "100.00");
        assert_eq!(of(Direction::Decrease, "-1").unwrap(), "100.00");
        assert_eq!(of(Direction::Decrease, "1"), None);
        assert_eq!(of(Direction::Increase, "1").unwrap(), "100.00");
        assert_eq!(of(Direction::Increase, "-1"), None);
        let reason = achievement(Direction::Increase, Decimal::ZERO, exact("-1")).unwrap_err();
        assert_eq!(reason.in_english(), "no achievement: the target is 0, and the actual -1 does not meet it");
    }

    #[test]
    fn progress_is_the_share_of_the_whole_way() {
        let of = |actual: &str| progress(Direction::Decrease, exact("28.3"), exact("14"), exact(actual)).unwrap().to_string();
        assert_eq!(of("22.9"), "37.76");
        assert_eq!(of("14"), "100.00");
        assert_eq!(of("28.3"), "0.00");
        assert_eq!(of("30"), "-11.89");
        assert_eq!(of("14.0001"), "99.99");
        let still = progress(Direction::Decrease, exact("14"), exact("14.0"), exact("20")).unwrap_err();
        assert_eq!(still.in_english(), "no progress: the baseline 14 is the final target, so there is no way to go");
    }

    #[test]
    fn there_is_no_progress_towards_a_target_on_the_wrong_side() {
        let reason = progress(Direction::Increase, exact("10"), exact("5"), exact("4")).unwrap_err();
        assert_eq!(
            reason.in_english(),
            "no progress: the final target 5 lies below the baseline 10, against the direction increase"
        );
        let reason = progress(Direction::Decrease, exact("5"), exact("10"), exact("4")).unwrap_err();
        assert_eq!(
            reason.in_english(),
            "no progress: the final target 10 lies above the baseline 5, against the direction decrease"
        );
    }

    #[test]
    fn overflow_is_no_panic() {
        let (most, least) = (Decimal::MAX, Decimal::MIN);
        let baseline = Point { period: year(2021), value: least };
        let targets = [Point { period: year(2022), value: most }];
        assert_eq!(applicable_target(Some(&baseline), &targets, year(2021)), None);
        assert!(progress(Direction::Increase, least, most, Decimal::ZERO).is_err());
        assert!(achievement(Direction::Decrease, most, Decimal::MIN).is_err());
        let least = exact("0.000000000001");
        assert!(
            achievement(Direction::Increase, least, exact("999999999999999")).unwrap_err().code
                == ReasonCode::AchievementTooLarge
        );
    }

    fn any_value() -> impl Strategy<Value = Decimal> {
        prop_oneof![
            (-20_i64..=20).prop_map(Decimal::from),
            (-999_999_999_999_999_i64..=999_999_999_999_999, 0_u32..=12)
                .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        ]
    }

    fn any_direction() -> impl Strategy<Value = Direction> {
        prop_oneof![Just(Direction::Increase), Just(Direction::Decrease)]
    }

    proptest! {
        #[test]
        fn a_target_is_met_exactly_where_the_achievement_is_at_least_100(
            direction in any_direction(),
            target in any_value(),
            actual in any_value(),
            near in -3_i64..=3,
        ) {
            for actual in [actual, target, target + Decimal::new(near, 12)] {
                let met = direction.reaches(actual, target);
                match achievement(direction, target, actual) {
                    Ok(percent) => {
                        prop_assert_eq!(met, percent.inner() >= Decimal::ONE_HUNDRED, "{} of {}", actual, target);
                        prop_assert!(percent.inner() >= Decimal::ZERO);
                    }
                    Err(_) if target.is_zero() => prop_assert!(!met),
                    // More than 10^26 times the target.
                    Err(reason) => prop_assert_eq!(reason.code, ReasonCode::AchievementTooLarge),
                }
            }
        }

        #[test]
        fn the_final_target_is_met_exactly_where_the_progress_is_at_least_100(
            direction in any_direction(),
            baseline in any_value(),
            target in any_value(),
            actual in any_value(),
        ) {
            for actual in [actual, target, baseline] {
                if let Ok(percent) = progress(direction, baseline, target, actual) {
                    prop_assert!(!direction.is_against(baseline, target));
                    prop_assert_eq!(direction.reaches(actual, target), percent.inner() >= Decimal::ONE_HUNDRED);
                    prop_assert_eq!(actual == baseline, percent.inner().is_zero());
                }
            }
        }

        #[test]
        fn a_better_actual_never_has_a_smaller_achievement(
            direction in any_direction(),
            target in any_value(),
            left in any_value(),
            right in any_value(),
        ) {
            let (worse, better) = match direction {
                Direction::Increase => (left.min(right), left.max(right)),
                Direction::Decrease => (left.max(right), left.min(right)),
            };
            let of = |actual| achievement(direction, target, actual).ok();
            if let (Some(worse), Some(better)) = (of(worse), of(better)) {
                prop_assert!(better >= worse);
            }
        }

        #[test]
        fn the_line_stays_between_its_neighbours(from in any_value(), to in any_value(), at in 2021..=2030) {
            let baseline = Point { period: year(2020), value: from };
            let targets = [Point { period: year(2030), value: to }];
            let value = applicable_target(Some(&baseline), &targets, year(at)).unwrap();
            prop_assert!(from.min(to) <= value && value <= from.max(to));
        }
    }
}
