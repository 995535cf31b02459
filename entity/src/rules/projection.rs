//! Where a KPI is heading if it continues as before, and how fast it would have to move.

use rust_decimal::{Decimal, prelude::ToPrimitive};
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::kpi::{Bounds, Direction, Point};
use crate::value::period::Period;

/// How far a projection can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The projection rests on fewer than three points.
    Low,
    /// The projection rests on three points or more.
    Normal,
}

crate::labels! { Confidence {
    Low: "Low", "Rendah";
    Normal: "Normal", "Normal";
} }

impl Confidence {
    /// The confidence for a number of points.
    pub const fn of_points(points: u32) -> Self {
        if points < 3 { Self::Low } else { Self::Normal }
    }
}

/// The observed rate, continued in a straight line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Projection {
    /// The value for the period of the final target, not rounded; the bound of the KPI if the line passes it.
    pub value: Decimal,
    /// Whether the line passes a bound of the KPI.
    pub bounded: bool,
    /// The period of the final target.
    pub period: Period,
    /// The first period in which the final target would be met: the period of the actual value if it is met already; none if the
    /// KPI moves away from the target or does not move, or if there is no such period before the year 2200.
    pub met_in: Option<Period>,
    /// The number of known points on which the projection rests.
    pub points: u32,
    /// How far the projection can be trusted.
    pub confidence: Confidence,
}

/// Continues the rate from the baseline to the latest actual value, in periods of the actual value's frequency, up to the bounds
/// of the KPI.
///
/// There is no projection unless the actual value lies after the baseline. `points` is the number of known values, the baseline
/// included.
pub fn projection(
    direction: Direction,
    baseline: &Point,
    actual: &Point,
    final_target: &Point,
    bounds: Bounds,
    points: u32,
) -> Option<Projection> {
    let frequency = actual.period.frequency();
    let place = |point: &Point| point.period.index_in(frequency);
    let elapsed = place(actual) - place(baseline);
    if elapsed <= 0 {
        return None;
    }
    let elapsed = Decimal::from(elapsed);
    let moved = actual.value.checked_sub(baseline.value)?;
    let whole = Decimal::from(place(final_target) - place(baseline));
    let value = baseline.value.checked_add(moved.checked_mul(whole)?.checked_div(elapsed)?)?;

    let met_in = if direction.reaches(actual.value, final_target.value) {
        Some(actual.period)
    } else {
        periods_left(moved, elapsed, actual, final_target)
            .and_then(|periods| Period::from_index(frequency, place(actual).checked_add(periods)?))
    };
    Some(Projection {
        value: bounds.nearest(value),
        bounded: !bounds.contain(value),
        period: final_target.period,
        met_in,
        points,
        confidence: Confidence::of_points(points),
    })
}

/// The number of periods until the final target is met, at a rate of `moved` in `elapsed` periods.
fn periods_left(moved: Decimal, elapsed: Decimal, actual: &Point, final_target: &Point) -> Option<i64> {
    let missing = final_target.value.checked_sub(actual.value)?;
    let periods = missing.checked_mul(elapsed)?.checked_div(moved)?;
    // If the KPI moves away from the target, the line meets the target in the past.
    (periods > Decimal::ZERO).then(|| periods.ceil().to_i64()).flatten()
}

/// The change in each remaining period that the KPI needs to meet its final target, not rounded; none if no period remains.
pub fn required_pace(actual: &Point, final_target: &Point) -> Option<Decimal> {
    let frequency = actual.period.frequency();
    let left = final_target.period.index_in(frequency) - actual.period.index_in(frequency);
    if left <= 0 {
        return None;
    }
    final_target.value.checked_sub(actual.value)?.checked_div(Decimal::from(left))
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

    fn year(year: i32, value: Decimal) -> Point {
        Point { period: Period::Year(year), value }
    }

    #[test]
    fn stunting_is_heading_for_12_1_in_2024() {
        let (baseline, actual, target) = (point("2021", "28.3"), point("2022", "22.9"), point("2024", "14"));
        let heading = projection(Direction::Decrease, &baseline, &actual, &target, Bounds::default(), 2).unwrap();
        assert_eq!(heading.value, exact("12.1"));
        assert_eq!(heading.period, Period::Year(2024));
        assert_eq!(heading.met_in, Some(Period::Year(2024)));
        assert_eq!((heading.points, heading.confidence), (2, Confidence::Low));
        assert_eq!(required_pace(&actual, &target), Some(exact("-4.45")));
    }

    #[test]
    fn the_line_ends_at_the_bounds() {
        let percent = Bounds { minimum: Some(Decimal::ZERO), maximum: Some(Decimal::ONE_HUNDRED) };
        for (direction, baseline, actual, target, expected) in [
            (Direction::Decrease, "28.3", "12", "1", ("0", true)),
            (Direction::Increase, "20", "60", "95", ("100", true)),
            (Direction::Increase, "20", "40", "95", ("80", false)),
        ] {
            let (baseline, actual, target) = (point("2021", baseline), point("2022", actual), point("2024", target));
            let heading = projection(direction, &baseline, &actual, &target, percent, 2).unwrap();
            assert_eq!((heading.value, heading.bounded), (exact(expected.0), expected.1));
        }
    }

    #[test]
    fn three_points_are_trusted() {
        assert_eq!(Confidence::of_points(1), Confidence::Low);
        assert_eq!(Confidence::of_points(3), Confidence::Normal);
    }

    #[test]
    fn a_target_met_already_is_met_in_the_actuals_period() {
        let (baseline, actual, target) = (point("2021", "8"), point("2022", "14"), point("2026", "14"));
        let heading = projection(Direction::Increase, &baseline, &actual, &target, Bounds::default(), 2).unwrap();
        assert_eq!(heading.met_in, Some(Period::Year(2022)));
        assert_eq!(heading.value, exact("38"));
    }

    #[test]
    fn what_moves_away_or_stands_still_never_meets_it() {
        let (baseline, target) = (point("2021", "28.3"), point("2024", "14"));
        let of =
            |value| projection(Direction::Decrease, &baseline, &point("2022", value), &target, Bounds::default(), 2).unwrap();
        assert_eq!(of("30").met_in, None);
        assert_eq!(of("28.3").met_in, None);
        assert_eq!(of("28.3").value, exact("28.3"));
        assert_eq!(of("28.29").met_in, None, "in the year 3451, of which there is no period");
        assert_eq!(of("27.3").met_in, Some(Period::Year(2036)));
    }

    #[test]
    fn a_line_that_meets_the_target_exactly_needs_no_further_period() {
        let (baseline, actual, target) = (point("2021", "0"), point("2022", "10"), point("2024", "30"));
        let heading = projection(Direction::Increase, &baseline, &actual, &target, Bounds::default(), 2).unwrap();
        assert_eq!(heading.met_in, Some(Period::Year(2024)));
        assert_eq!(heading.value, target.value);
    }

    #[test]
    fn quarters_are_counted_as_quarters() {
        let (baseline, actual, target) = (point("2021-Q4", "0"), point("2022-Q2", "3"), point("2023-Q1", "8"));
        let heading = projection(Direction::Increase, &baseline, &actual, &target, Bounds::default(), 3).unwrap();
        assert_eq!(heading.value, exact("7.5"));
        assert_eq!(heading.met_in, Some(Period::Quarter(2023, 2)));
        assert_eq!(heading.confidence, Confidence::Normal);
        assert_eq!(required_pace(&actual, &target).unwrap().round_dp(4), exact("1.6667"));
    }

    #[test]
    fn no_time_passed_or_no_time_left_gives_nothing() {
        let (baseline, target) = (point("2022", "8"), point("2022", "14"));
        for period in ["2022", "2021"] {
            assert_eq!(projection(Direction::Increase, &baseline, &point(period, "9"), &target, Bounds::default(), 2), None);
        }
        assert_eq!(required_pace(&point("2022", "9"), &target), None);
        assert_eq!(required_pace(&point("2023", "9"), &target), None);
    }

    #[test]
    fn overflow_is_no_panic() {
        let (low, high) = (year(2021, Decimal::MIN), year(2022, Decimal::MAX));
        assert_eq!(projection(Direction::Increase, &low, &high, &year(2024, Decimal::ZERO), Bounds::default(), 2), None);
        assert_eq!(required_pace(&low, &high), None);
        let slow = year(2022, exact("0.0000000000000000000000000001"));
        let far = year(2024, exact("70000000000000000000000000000"));
        let heading = projection(Direction::Increase, &year(2021, Decimal::ZERO), &slow, &far, Bounds::default(), 2).unwrap();
        assert_eq!(heading.met_in, None);
    }

    fn any_value() -> impl Strategy<Value = Decimal> {
        (-1_000_000_i64..=1_000_000, 0_u32..=4).prop_map(|(mantissa, scale)| Decimal::new(mantissa, scale))
    }

    proptest! {
        #[test]
        fn the_projection_is_linear(
            from in any_value(),
            rate in any_value(),
            elapsed in 1_i32..=20,
            ahead in 0_i32..=20,
            target in any_value(),
        ) {
            let along = |years: i32| year(2000 + years, from + rate * Decimal::from(years));
            let final_target = year(2000 + elapsed + ahead, target);
            let heading =
                projection(Direction::Increase, &along(0), &along(elapsed), &final_target, Bounds::default(), 2).unwrap();
            prop_assert_eq!(heading.value, along(elapsed + ahead).value);
        }

        #[test]
        fn the_target_is_met_in_the_first_period_that_meets_it(
            from in any_value(),
            rate in any_value(),
            elapsed in 1_i32..=20,
            target in any_value(),
            increase in any::<bool>(),
        ) {
            let direction = if increase { Direction::Increase } else { Direction::Decrease };
            let along = |years: i32| year(2000 + years, from + rate * Decimal::from(years));
            let heading =
                projection(direction, &along(0), &along(elapsed), &year(2030, target), Bounds::default(), 2).unwrap();
            let expected = (elapsed..=199).map(along).find(|point| direction.reaches(point.value, target));
            prop_assert_eq!(heading.met_in, expected.map(|point| point.period));
        }

        #[test]
        fn the_required_pace_arrives(from in any_value(), target in any_value(), left in 1_i32..=50) {
            let pace = required_pace(&year(2022, from), &year(2022 + left, target)).unwrap();
            let arrived = from + pace * Decimal::from(left);
            prop_assert!((arrived - target).abs() < exact("0.000001"));
        }
    }
}
