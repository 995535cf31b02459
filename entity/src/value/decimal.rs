//! Exact decimals: what people report, and what the service computes from it.

mod store;
mod wire;

use std::{error::Error, fmt, str::FromStr};

use rust_decimal::RoundingStrategy;

pub use wire::{PATTERN, decimal_input_schema};

/// An exact decimal in its shortest form: `12.50` and `12.5` are the same value and read `12.5`.
///
/// It has at most 15 significant digits, at most 12 decimal places and fewer than 16 digits before
/// the point. Fifteen significant digits is what a binary double keeps, so the same value comes back
/// from a SQLite `REAL` column and from a PostgreSQL `numeric` one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// The greatest number of significant digits of a value.
    pub const SIGNIFICANT_DIGITS: usize = 15;

    /// The greatest number of decimal places of a value.
    pub const DECIMAL_PLACES: usize = 12;

    /// The greatest number of digits before the decimal point.
    pub const INTEGER_DIGITS: usize = 15;

    /// The longest text that is read. Nobody who means a number writes a longer one.
    const LONGEST_INPUT: usize = 40;

    /// Takes a value that fits; nothing is rounded.
    pub fn new(value: rust_decimal::Decimal) -> Result<Self, InvalidDecimal> {
        let value = shortest(value);
        if value.abs() >= rust_decimal::Decimal::from(10_u64.pow(15)) {
            return Err(InvalidDecimal::TooLarge);
        }
        let significant = value.mantissa().unsigned_abs();
        if significant >= 10_u128.pow(15) || value.scale() as usize > Self::DECIMAL_PLACES {
            return Err(InvalidDecimal::TooPrecise);
        }
        Ok(Self(value))
    }

    /// Reads plain notation, `-?[0-9]+(\.[0-9]+)?`: no exponent, no leading `+`, no spaces.
    pub fn parse(text: &str) -> Result<Self, InvalidDecimal> {
        Self::read(text).and_then(Self::new)
    }

    /// Reads plain notation as [`Decimal::parse`] does, for a comparison: it may have more significant digits than a
    /// value that is stored.
    pub fn read(text: &str) -> Result<rust_decimal::Decimal, InvalidDecimal> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (integer, fraction) = match unsigned.split_once('.') {
            Some((integer, fraction)) if is_digits(fraction) => (integer, fraction),
            Some(_) => return Err(InvalidDecimal::NotADecimal),
            None => (unsigned, ""),
        };
        if !is_digits(integer) {
            return Err(InvalidDecimal::NotADecimal);
        }

        let integer = integer.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if integer.len() > Self::INTEGER_DIGITS {
            return Err(InvalidDecimal::TooLarge);
        }
        if fraction.len() > Self::DECIMAL_PLACES || text.len() > Self::LONGEST_INPUT {
            return Err(InvalidDecimal::TooPrecise);
        }

        // At most 15 + 12 digits are left, which always fit.
        let magnitude = integer.bytes().chain(fraction.bytes()).fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        let mantissa = if text.starts_with('-') { -magnitude } else { magnitude };
        rust_decimal::Decimal::try_from_i128_with_scale(mantissa, fraction.len() as u32).map_err(|_| InvalidDecimal::TooPrecise)
    }

    /// A computed result, rounded half up (away from zero) to at most `places` decimals.
    ///
    /// Round once, at the end. A computed result is for answers: it may have more significant digits
    /// than a value that is stored.
    pub fn computed(value: rust_decimal::Decimal, places: u32) -> Self {
        Self(shortest(round_half_up(value, places)))
    }

    /// The value, to compute with.
    pub fn inner(self) -> rust_decimal::Decimal {
        self.0
    }
}

/// Why a text or number is not accepted as a [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvalidDecimal {
    /// It is not written as a plain decimal.
    NotADecimal,
    /// It has more than 15 significant digits or more than 12 decimal places.
    TooPrecise,
    /// It has more than 15 digits before the decimal point.
    TooLarge,
}

impl fmt::Display for InvalidDecimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotADecimal => "a decimal is digits with an optional sign and decimal point, such as 28.3 or -4.45",
            Self::TooPrecise => "a decimal has at most 15 significant digits and at most 12 decimal places",
            Self::TooLarge => "a decimal has at most 15 digits before the decimal point",
        })
    }
}

impl Error for InvalidDecimal {}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        Self::parse(text)
    }
}

impl TryFrom<rust_decimal::Decimal> for Decimal {
    type Error = InvalidDecimal;

    fn try_from(value: rust_decimal::Decimal) -> Result<Self, InvalidDecimal> {
        Self::new(value)
    }
}

impl From<Decimal> for rust_decimal::Decimal {
    fn from(decimal: Decimal) -> Self {
        decimal.0
    }
}

/// A computed percentage, always written with two decimals: `87.50`.
///
/// It is `100.00` only if all of it is reached, and `0.00` only if nothing is: 29,999 of 30,000 are `99.99`, and one of 30,000 is
/// `0.01`. Every share, progress and achievement is rounded by [`Percent::of`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(rust_decimal::Decimal);

impl Percent {
    /// The number of decimals to which a percentage is rounded and with which it is written.
    pub const PLACES: u32 = 2;

    /// The least percentage that is more than nothing.
    const LEAST: rust_decimal::Decimal = rust_decimal::Decimal::from_parts(1, 0, 0, false, Self::PLACES);

    /// The greatest percentage that is less than all.
    const MOST: rust_decimal::Decimal = rust_decimal::Decimal::from_parts(9999, 0, 0, false, Self::PLACES);

    /// Rounds a percentage half up (away from zero) to two decimals. Call it once, at the end. A value below 100 stays below 100,
    /// and a value that is not 0 does not become 0.
    pub fn of(percentage: rust_decimal::Decimal) -> Self {
        let rounded = Self::index(percentage);
        if percentage < rust_decimal::Decimal::ONE_HUNDRED && rounded.0 >= rust_decimal::Decimal::ONE_HUNDRED {
            rounded.unreached()
        } else if rounded.0.is_zero() && !percentage.is_zero() {
            Self(if percentage.is_sign_negative() { -Self::LEAST } else { Self::LEAST })
        } else {
            rounded
        }
    }

    /// Rounds a percentage that is known not to be reached, however little is missing: the result is below 100.
    #[must_use]
    pub fn unreached(self) -> Self {
        Self(self.0.min(Self::MOST))
    }

    /// Rounds a percentage that is known to have begun, however little there is: the result is above 0.
    #[must_use]
    pub fn begun(self) -> Self {
        Self(self.0.max(Self::LEAST))
    }

    /// Rounds an index on a scale up to 100 half up to two decimals, as its regulation says. An index is not a share.
    pub fn index(value: rust_decimal::Decimal) -> Self {
        Self(shortest(round_half_up(value, Self::PLACES)))
    }

    /// The share of `part` in `whole`, in percent; nothing if the whole is 0.
    ///
    /// A share over groups is the share of the sums, never the mean of the groups' shares.
    pub fn share(part: u64, whole: u64) -> Option<Self> {
        let hundredfold = rust_decimal::Decimal::from(part).checked_mul(rust_decimal::Decimal::ONE_HUNDRED)?;
        hundredfold.checked_div(rust_decimal::Decimal::from(whole)).map(Self::of)
    }

    /// The value, for computing or comparing.
    pub fn inner(self) -> rust_decimal::Decimal {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

impl From<Percent> for rust_decimal::Decimal {
    fn from(percent: Percent) -> Self {
        percent.0
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn round_half_up(value: rust_decimal::Decimal, places: u32) -> rust_decimal::Decimal {
    value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero)
}

/// The same value without trailing zeros and without a sign on zero.
fn shortest(value: rust_decimal::Decimal) -> rust_decimal::Decimal {
    if value.is_zero() { rust_decimal::Decimal::ZERO } else { value.normalize() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn exact(text: &str) -> rust_decimal::Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn plain_notation_is_read_and_shortened() {
        for (written, read) in [
            ("28.3", "28.3"),
            ("14", "14"),
            ("-4.45", "-4.45"),
            ("12.500000", "12.5"),
            ("007.10", "7.1"),
            ("-0.000", "0"),
            ("120", "120"),
            ("0.000000000001", "0.000000000001"),
            ("999999999999999", "999999999999999"),
            ("123456789012.345", "123456789012.345"),
            ("28.300000000000000000000000000000000000", "28.3"),
        ] {
            assert_eq!(Decimal::parse(written).unwrap().to_string(), read);
        }
    }

    #[test]
    fn other_notations_are_not_decimals() {
        for text in
            ["", "-", ".", "1.", ".5", "+1", "--1", "1e3", "1E3", " 1", "1 ", "1,5", "1.2.3", "NaN", "inf", "0x1", "1_000", "١"]
        {
            assert_eq!(Decimal::parse(text), Err(InvalidDecimal::NotADecimal), "{text:?}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_never_rounded() {
        for text in ["1234567890123.456", "0.0000000000001", "1.0000000000000001", "-999999999999999.9"] {
            assert_eq!(Decimal::parse(text), Err(InvalidDecimal::TooPrecise), "{text}");
            assert_eq!(Decimal::new(exact(text)), Err(InvalidDecimal::TooPrecise), "{text}");
        }
        for text in ["1000000000000000", "-1000000000000000", "1000000000000000.5"] {
            assert_eq!(Decimal::parse(text), Err(InvalidDecimal::TooLarge), "{text}");
            assert_eq!(Decimal::new(exact(text)), Err(InvalidDecimal::TooLarge), "{text}");
        }
        assert_eq!(Decimal::parse(&"9".repeat(1_000)), Err(InvalidDecimal::TooLarge));
        assert_eq!(Decimal::parse(&format!("1.{}", "0".repeat(1_000))), Err(InvalidDecimal::TooPrecise));
    }

    #[test]
    fn equal_values_are_equal_however_they_were_written() {
        assert_eq!(Decimal::parse("2.80").unwrap(), Decimal::new(exact("2.8000")).unwrap());
        assert!(Decimal::parse("2.01").unwrap() < Decimal::parse("2.8").unwrap());
    }

    #[test]
    fn computed_results_round_half_away_from_zero() {
        assert_eq!(Decimal::computed(exact("23.535"), 2).to_string(), "23.54");
        assert_eq!(Decimal::computed(exact("-4.445"), 2).to_string(), "-4.45");
        assert_eq!(Decimal::computed(exact("12.1000"), 4).to_string(), "12.1");
        assert_eq!(Decimal::computed(exact("-0.001"), 2).to_string(), "0");
        assert_eq!(Decimal::computed(rust_decimal::Decimal::MAX, 2).inner(), rust_decimal::Decimal::MAX);
    }

    #[test]
    fn percentages_have_two_decimals() {
        assert_eq!(Percent::of(exact("100")).to_string(), "100.00");
        assert_eq!(Percent::of(exact("102.6912")).to_string(), "102.69");
        assert_eq!(Percent::of(exact("71.785714")).to_string(), "71.79");
        assert_eq!(Percent::of(exact("0.005")).to_string(), "0.01");
        assert_eq!(Percent::of(exact("-37.5")).to_string(), "-37.50");
    }

    #[test]
    fn no_percentage_is_100_or_0_that_is_not_one() {
        for (exact_value, shown) in [
            ("99.995", "99.99"),
            ("99.9999999999999999999999", "99.99"),
            ("100.004", "100.00"),
            ("0.0000000001", "0.01"),
            ("0.004", "0.01"),
            ("-0.004", "-0.01"),
            ("0", "0.00"),
            ("-0.0", "0.00"),
        ] {
            assert_eq!(Percent::of(exact(exact_value)).to_string(), shown, "{exact_value}");
        }
        assert_eq!(Percent::share(29_999, 30_000).unwrap().to_string(), "99.99");
        assert_eq!(Percent::share(1, 30_000).unwrap().to_string(), "0.01");
        assert_eq!(Percent::index(exact("99.996")).to_string(), "100.00", "an index is no share");
    }

    #[test]
    fn a_share_is_the_ratio_of_the_sums() {
        assert_eq!(Percent::share(35, 40).unwrap().to_string(), "87.50");
        assert_eq!(Percent::share(0, 0), None);
        assert_eq!(Percent::share(0, 7).unwrap().to_string(), "0.00");
        assert_eq!(Percent::share(u64::MAX, 1).unwrap().inner(), exact("1844674407370955161500"));
    }

    #[test]
    fn the_mean_of_the_groups_shares_is_another_number() {
        // The six dimensions in 2022: 35 of 40 programmes run.
        let groups = [(8, 10), (4, 4), (8, 9), (5, 6), (7, 7), (3, 4)];
        let (running, planned) = groups.iter().fold((0, 0), |(running, planned), group| (running + group.0, planned + group.1));
        assert_eq!((running, planned), (35, 40));
        let shares: rust_decimal::Decimal =
            groups.iter().map(|(part, whole)| Percent::share(*part, *whole).unwrap().inner()).sum();
        let mean = Percent::of(shares / rust_decimal::Decimal::from(groups.len()));
        assert_eq!(mean.to_string(), "87.87");
        assert_eq!(Percent::share(running, planned).unwrap().to_string(), "87.50");
    }

    proptest! {
        #[test]
        fn a_value_survives_its_own_text(mantissa in -999_999_999_999_999_i64..=999_999_999_999_999, scale in 0_u32..=12) {
            let value = Decimal::new(rust_decimal::Decimal::new(mantissa, scale)).unwrap();
            prop_assert_eq!(Decimal::parse(&value.to_string()).unwrap(), value);
            prop_assert!(value.to_string().len() <= 29);
        }

        #[test]
        fn parsing_and_constructing_agree(integer in "[0-9]{1,17}", fraction in "[0-9]{1,11}") {
            let text = format!("{integer}.{fraction}");
            prop_assert_eq!(Decimal::parse(&text), Decimal::new(exact(&text)));
        }

        #[test]
        fn a_share_is_whole_or_nothing_exactly_where_it_is(part in 0_u64..=1_000_000_000, more in 0_u64..=1_000_000_000) {
            if let Some(share) = Percent::share(part, part + more) {
                prop_assert_eq!(share.to_string() == "100.00", more == 0);
                prop_assert_eq!(share.to_string() == "0.00", part == 0);
            }
        }

        #[test]
        fn no_text_panics(text in "[-+0-9.eE]{0,60}|.*") {
            let _ = Decimal::parse(&text);
        }
    }
}
