//! The performance band of an achievement, by Permendagri 86/2017, which grades how plans are carried out.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::value::decimal::Percent;

/// A performance band, the best first.
///
/// A share of programmes that run is not an achievement and has no band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Band {
    /// Very high (sangat tinggi).
    VeryHigh,
    /// High (tinggi).
    High,
    /// Medium (sedang).
    Medium,
    /// Low (rendah).
    Low,
    /// Very low (sangat rendah).
    VeryLow,
}

crate::labels! { Band {
    VeryHigh: "Very high", "Sangat tinggi";
    High: "High", "Tinggi";
    Medium: "Medium", "Sedang";
    Low: "Low", "Rendah";
    VeryLow: "Very low", "Sangat rendah";
} }

/// The bounds of the bands, as one regulation sets them.
///
/// The table of the regulation has whole numbers with gaps (…75, 76…). For a percentage with two decimals these bounds leave no
/// gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BandBounds {
    /// The regulation that sets the bounds.
    pub version: &'static str,
    /// The first day on which these bounds hold.
    pub valid_from: NaiveDate,
    /// The least achievement in percent for `very_high`.
    pub very_high: Decimal,
    /// The least achievement in percent for `high`.
    pub high: Decimal,
    /// The least achievement in percent for `medium`.
    pub medium: Decimal,
    /// An achievement above this value is `low`, and one up to and including it is `very_low`.
    pub above_very_low: Decimal,
}

/// Every version of the bounds, the oldest first.
const VERSIONS: &[BandBounds] = &[BandBounds {
    version: "Permendagri 86/2017",
    valid_from: NaiveDate::from_ymd_opt(2017, 1, 1).expect("the calendar has this day"),
    very_high: Decimal::from_parts(91, 0, 0, false, 0),
    high: Decimal::from_parts(76, 0, 0, false, 0),
    medium: Decimal::from_parts(66, 0, 0, false, 0),
    above_very_low: Decimal::from_parts(50, 0, 0, false, 0),
}];

/// The bounds that hold on a day. Before the first version, the bounds of the first version hold.
pub fn band_bounds(on: NaiveDate) -> &'static BandBounds {
    VERSIONS.iter().rev().find(|version| version.valid_from <= on).unwrap_or(&VERSIONS[0])
}

/// The band of an achievement in percent, by the bounds that hold on a day.
pub fn band(percent: impl Into<Decimal>, on: NaiveDate) -> Band {
    let percent = Percent::of(percent.into()).inner();
    let bounds = band_bounds(on);
    if percent >= bounds.very_high {
        Band::VeryHigh
    } else if percent >= bounds.high {
        Band::High
    } else if percent >= bounds.medium {
        Band::Medium
    } else if percent > bounds.above_very_low {
        Band::Low
    } else {
        Band::VeryLow
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn band_of(text: &str) -> Band {
        band(text.parse::<Decimal>().unwrap(), NaiveDate::from_ymd_opt(2022, 12, 31).unwrap())
    }

    #[test]
    fn every_bound_is_on_its_side() {
        for (percent, expected) in [
            ("102.69", Band::VeryHigh),
            ("91", Band::VeryHigh),
            ("90.99", Band::High),
            ("90.50", Band::High),
            ("76", Band::High),
            ("75.99", Band::Medium),
            ("75.50", Band::Medium),
            ("71.79", Band::Medium),
            ("66.00", Band::Medium),
            ("65.99", Band::Low),
            ("50.40", Band::Low),
            ("50.01", Band::Low),
            ("50", Band::VeryLow),
            ("0", Band::VeryLow),
            ("-3", Band::VeryLow),
        ] {
            assert_eq!(band_of(percent), expected, "{percent}");
        }
    }

    #[test]
    fn a_percentage_has_two_decimals_before_it_is_graded() {
        assert_eq!(band_of("90.995"), Band::VeryHigh);
        assert_eq!(band_of("50.004"), Band::VeryLow);
    }

    #[test]
    fn a_day_before_the_regulation_is_read_by_it() {
        assert_eq!(band_bounds(NaiveDate::MIN).version, "Permendagri 86/2017");
        assert!(VERSIONS.is_sorted_by(|left, right| left.valid_from < right.valid_from));
    }

    proptest! {
        #[test]
        fn more_is_never_worse(left in -10_000_i64..20_000, right in -10_000_i64..20_000) {
            let on = NaiveDate::from_ymd_opt(2022, 12, 31).unwrap();
            let (less, more) = (left.min(right), left.max(right));
            prop_assert!(band(Decimal::new(more, 2), on) <= band(Decimal::new(less, 2), on));
        }
    }
}
