//! How a KPI does against its targets: the target that applies, achievement, progress and standing.

mod standing;

use rust_decimal::{Decimal, RoundingStrategy};
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use standing::{Standing, StandingBounds, StandingResult, standing, standing_bounds};

use crate::value::{decimal::Percent, period::Period};

/// Which way a KPI should move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// More is better.
    Increase,
    /// Less is better.
    Decrease,
}

impl Direction {
    /// Whether a value reaches a target: it is as good or better.
    pub fn reaches(self, value: Decimal, target: Decimal) -> bool {
        match self {
            Self::Increase => value >= target,
            Self::Decrease => value <= target,
        }
    }

    /// How a value that reaches a target compares to it, in words.
    const fn reaching(self) -> &'static str {
        match self {
            Self::Increase => "at least",
            Self::Decrease => "at most",
        }
    }

    /// How a value that does not reach a target compares to it, in words.
    const fn missing(self) -> &'static str {
        match self {
            Self::Increase => "below",
            Self::Decrease => "above",
        }
    }
}

/// A value of a period: a baseline, a target or a measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// The period at whose end the value stands.
    pub period: Period,
    /// The value.
    pub value: Decimal,
}

/// The target that applies to a period, not rounded; `targets` are in the order of their periods.
///
/// It is the target of the period or, where there is none, the point of the straight line between its
/// neighbours among the baseline and the targets. After the last target that target goes on. Before
/// the first known point, and without any target, there is none.
pub fn applicable_target(baseline: Option<&Point>, targets: &[Point], at: Period) -> Option<Decimal> {
    applying(baseline, targets, at).map(|applying| applying.value)
}

/// The target that applies, and where it comes from.
struct Applying {
    value: Decimal,
    origin: String,
}

fn applying(baseline: Option<&Point>, targets: &[Point], at: Period) -> Option<Applying> {
    let place = |period: Period| period.index_in(at.frequency());
    let here = place(at);
    let last = targets.last()?;

    if let Some(target) = targets.iter().find(|target| place(target.period) == here) {
        return Some(Applying { value: target.value, origin: format!("the target of {at} is {}", shown(target.value)) });
    }
    if place(last.period) < here {
        return Some(Applying {
            value: last.value,
            origin: format!("the last target, {} for {}, goes on in {at}", shown(last.value), last.period),
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
        origin: format!(
            "the target that applies to {at} is {}, on the line from {} ({}) to {} ({})",
            shown(value),
            shown(from.value),
            from.period,
            shown(to.value),
            to.period,
        ),
    })
}

/// How much of the target was reached, in percent, as Indonesian performance reports (SAKIP) count it.
///
/// `increase`: actual / target; `decrease`: (2 x target - actual) / target. Of a target of 0 it is 100
/// when met, else there is none. Never below 0, not capped above.
pub fn achievement(direction: Direction, target: Decimal, actual: Decimal) -> Option<Percent> {
    if target.is_zero() {
        return direction.reaches(actual, target).then(|| Percent::of(Decimal::ONE_HUNDRED));
    }
    let ratio = achieved_ratio(direction, target, actual)?;
    Some(Percent::of(ratio.checked_mul(Decimal::ONE_HUNDRED)?.max(Decimal::ZERO)))
}

/// The achievement as a ratio: not rounded, not bounded below; nothing for a target of 0.
fn achieved_ratio(direction: Direction, target: Decimal, actual: Decimal) -> Option<Decimal> {
    match direction {
        Direction::Increase => actual.checked_div(target),
        Direction::Decrease => target.checked_mul(Decimal::TWO)?.checked_sub(actual)?.checked_div(target),
    }
}

/// How much of the way from the baseline to the final target is done, in percent.
///
/// Negative when it moves away; nothing where the baseline is the final target.
pub fn progress(baseline: Decimal, final_target: Decimal, actual: Decimal) -> Option<Percent> {
    let done = actual.checked_sub(baseline)?;
    let whole = final_target.checked_sub(baseline)?;
    done.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(whole).map(Percent::of)
}

/// A value for a sentence: at most four decimals.
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

    /// Rounded as `formulas.md` writes its examples.
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
            achievement(direction, target, exact(actual)).map(|percent| percent.to_string())
        };
        assert_eq!(of(Direction::Decrease, target, "22.9").unwrap(), "102.69");
        assert_eq!(of(Direction::Increase, exact("2.8"), "2.01").unwrap(), "71.79");
        assert_eq!(of(Direction::Increase, exact("40"), "35").unwrap(), "87.50");
        assert_eq!(of(Direction::Increase, exact("14"), "-1").unwrap(), "0.00");
        assert_eq!(of(Direction::Decrease, exact("14"), "100").unwrap(), "0.00");
    }

    #[test]
    fn a_target_of_zero_is_met_or_has_no_achievement() {
        let of =
            |direction, actual: &str| achievement(direction, exact("0.00"), exact(actual)).map(|percent| percent.to_string());
        assert_eq!(of(Direction::Decrease, "0").unwrap(), "100.00");
        assert_eq!(of(Direction::Decrease, "-1").unwrap(), "100.00");
        assert_eq!(of(Direction::Decrease, "1"), None);
        assert_eq!(of(Direction::Increase, "1").unwrap(), "100.00");
        assert_eq!(of(Direction::Increase, "-1"), None);
    }

    #[test]
    fn progress_is_the_share_of_the_whole_way() {
        let of = |actual: &str| progress(exact("28.3"), exact("14"), exact(actual)).unwrap().to_string();
        assert_eq!(of("22.9"), "37.76");
        assert_eq!(of("14"), "100.00");
        assert_eq!(of("28.3"), "0.00");
        assert_eq!(of("30"), "-11.89");
        assert_eq!(progress(exact("14"), exact("14.0"), exact("20")), None);
    }

    #[test]
    fn overflow_is_no_panic() {
        let (most, least) = (Decimal::MAX, Decimal::MIN);
        let baseline = Point { period: year(2021), value: least };
        let targets = [Point { period: year(2022), value: most }];
        assert_eq!(applicable_target(Some(&baseline), &targets, year(2021)), None);
        assert_eq!(progress(least, most, Decimal::ZERO), None);
        assert_eq!(achievement(Direction::Decrease, most, Decimal::ONE), None);
    }

    fn any_value() -> impl Strategy<Value = Decimal> {
        prop_oneof![
            (-20_i64..=20).prop_map(Decimal::from),
            (-999_999_999_999_999_i64..=999_999_999_999_999, 0_u32..=12)
                .prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale)),
        ]
    }

    proptest! {
        #[test]
        fn the_line_stays_between_its_neighbours(from in any_value(), to in any_value(), at in 2021..=2030) {
            let baseline = Point { period: year(2020), value: from };
            let targets = [Point { period: year(2030), value: to }];
            let value = applicable_target(Some(&baseline), &targets, year(at)).unwrap();
            prop_assert!(from.min(to) <= value && value <= from.max(to));
        }
    }
}
