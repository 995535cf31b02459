//! The bounds of a KPI's values.

use std::fmt;

use rust_decimal::Decimal;

/// The bounds of the values of a KPI; a side may have no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The least value.
    pub minimum: Option<Decimal>,
    /// The greatest value.
    pub maximum: Option<Decimal>,
}

impl Bounds {
    /// Whether a value lies within the bounds; the bounds themselves do.
    pub fn contain(self, value: Decimal) -> bool {
        self.nearest(value) == value
    }

    /// The nearest value that lies within the bounds: the bound itself if the value lies beyond it.
    pub fn nearest(self, value: Decimal) -> Decimal {
        let value = self.maximum.map_or(value, |most| value.min(most));
        self.minimum.map_or(value, |least| value.max(least))
    }
}

/// The allowed values, for a sentence: `0 to 100`, `0 or more`, `100 or less`, `anything`.
impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.minimum, self.maximum) {
            (Some(least), Some(most)) => write!(f, "{least} to {most}"),
            (Some(least), None) => write!(f, "{least} or more"),
            (None, Some(most)) => write!(f, "{most} or less"),
            (None, None) => f.write_str("anything"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn bounds(minimum: Option<i64>, maximum: Option<i64>) -> Bounds {
        Bounds { minimum: minimum.map(Decimal::from), maximum: maximum.map(Decimal::from) }
    }

    #[test]
    fn the_bounds_themselves_lie_within() {
        let percent = bounds(Some(0), Some(100));
        for (value, within) in [("0", true), ("100.0", true), ("50", true), ("-0.01", false), ("104.5", false)] {
            assert_eq!(percent.contain(value.parse().unwrap()), within, "{value}");
        }
        assert_eq!(percent.nearest("104.5".parse().unwrap()), Decimal::ONE_HUNDRED);
        assert_eq!(percent.nearest("-2".parse().unwrap()), Decimal::ZERO);
        assert!(bounds(None, None).contain(Decimal::MAX) && bounds(Some(0), None).contain(Decimal::MAX));
    }

    #[test]
    fn they_say_what_they_allow() {
        let texts = [bounds(Some(0), Some(100)), bounds(Some(0), None), bounds(None, Some(5)), bounds(None, None)];
        assert_eq!(texts.map(|bounds| bounds.to_string()), ["0 to 100", "0 or more", "5 or less", "anything"]);
    }

    proptest! {
        #[test]
        fn the_nearest_value_lies_within(least in -50_i64..50, width in 0_i64..50, value in -200_i64..200) {
            let bounds = bounds(Some(least), Some(least + width));
            let nearest = bounds.nearest(value.into());
            prop_assert!(bounds.contain(nearest));
            prop_assert_eq!(nearest == Decimal::from(value), bounds.contain(value.into()));
        }
    }
}
