//! The predicate of an SPBE index, by Permenpan-RB 59/2020.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The predicate of an index of e-government (SPBE), the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SpbePredicate {
    /// Outstanding (memuaskan).
    Memuaskan,
    /// Very good (sangat baik).
    SangatBaik,
    /// Good (baik).
    Baik,
    /// Sufficient (cukup).
    Cukup,
    /// Poor (kurang).
    Kurang,
}

crate::labels! { SpbePredicate {
    Memuaskan: "Excellent", "Memuaskan";
    SangatBaik: "Very good", "Sangat baik";
    Baik: "Good", "Baik";
    Cukup: "Fair", "Cukup";
    Kurang: "Poor", "Kurang";
} }

/// The lower bounds of the predicates, as one regulation sets them; an index below the last bound is `kurang`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpbeBounds {
    /// The regulation that sets the bounds.
    pub version: &'static str,
    /// The first day on which these bounds hold.
    pub valid_from: NaiveDate,
    /// The least index for `memuaskan`.
    pub memuaskan: Decimal,
    /// The least index for `sangat_baik`.
    pub sangat_baik: Decimal,
    /// The least index for `baik`.
    pub baik: Decimal,
    /// The least index for `cukup`.
    pub cukup: Decimal,
}

/// Every version of the bounds, the oldest first.
const VERSIONS: &[SpbeBounds] = &[SpbeBounds {
    version: "Permenpan-RB 59/2020",
    valid_from: NaiveDate::from_ymd_opt(2020, 1, 1).expect("the calendar has this day"),
    memuaskan: Decimal::from_parts(42, 0, 0, false, 1),
    sangat_baik: Decimal::from_parts(35, 0, 0, false, 1),
    baik: Decimal::from_parts(26, 0, 0, false, 1),
    cukup: Decimal::from_parts(18, 0, 0, false, 1),
}];

/// The bounds that hold on a day. Before the first version, the bounds of the first version hold.
pub fn spbe_bounds(on: NaiveDate) -> &'static SpbeBounds {
    VERSIONS.iter().rev().find(|version| version.valid_from <= on).unwrap_or(&VERSIONS[0])
}

/// The predicate of an index, by the bounds that hold on a day.
pub fn predicate(index: impl Into<Decimal>, on: NaiveDate) -> SpbePredicate {
    let index = index.into();
    let bounds = spbe_bounds(on);
    if index >= bounds.memuaskan {
        SpbePredicate::Memuaskan
    } else if index >= bounds.sangat_baik {
        SpbePredicate::SangatBaik
    } else if index >= bounds.baik {
        SpbePredicate::Baik
    } else if index >= bounds.cukup {
        SpbePredicate::Cukup
    } else {
        SpbePredicate::Kurang
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn predicate_of(text: &str) -> SpbePredicate {
        predicate(text.parse::<Decimal>().unwrap(), NaiveDate::from_ymd_opt(2022, 12, 31).unwrap())
    }

    #[test]
    fn every_bound_is_on_its_side() {
        for (index, expected) in [
            ("5", SpbePredicate::Memuaskan),
            ("4.2", SpbePredicate::Memuaskan),
            ("4.19", SpbePredicate::SangatBaik),
            ("3.5", SpbePredicate::SangatBaik),
            ("3.49", SpbePredicate::Baik),
            ("2.8", SpbePredicate::Baik),
            ("2.60", SpbePredicate::Baik),
            ("2.59", SpbePredicate::Cukup),
            ("2.01", SpbePredicate::Cukup),
            ("1.8", SpbePredicate::Cukup),
            ("1.79", SpbePredicate::Kurang),
            ("1", SpbePredicate::Kurang),
        ] {
            assert_eq!(predicate_of(index), expected, "{index}");
        }
    }

    #[test]
    fn a_day_before_the_regulation_is_read_by_it() {
        assert_eq!(spbe_bounds(NaiveDate::MIN).version, "Permenpan-RB 59/2020");
        assert!(VERSIONS.is_sorted_by(|left, right| left.valid_from < right.valid_from));
    }

    #[test]
    fn predicates_keep_their_own_words() {
        assert_eq!(serde_json::to_value(SpbePredicate::SangatBaik).unwrap(), "sangat_baik");
    }
}
