//! Reporting periods: a year, a half-year, a quarter or a month, each with a first and a last day and a number in its series.

use std::{borrow::Cow, cmp::Ordering, error::Error, fmt, ops::RangeInclusive, str::FromStr};

use chrono::{Datelike, NaiveDate};
use sea_orm::{DeriveActiveEnum, EnumIter, sea_query::StringLen};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

/// How often a KPI is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Frequency {
    /// The KPI is measured once a year.
    Yearly,
    /// The KPI is measured once in each half-year (semester).
    Semesterly,
    /// The KPI is measured once in each quarter (triwulan).
    Quarterly,
    /// The KPI is measured once a month.
    Monthly,
}

crate::labels! { Frequency {
    Yearly: "Yearly", "Tahunan";
    Semesterly: "Every half year", "Semesteran";
    Quarterly: "Quarterly", "Triwulanan";
    Monthly: "Monthly", "Bulanan";
} }

impl Frequency {
    /// Its words, in their order.
    pub const WORDS: &'static [&'static str] = &["yearly", "semesterly", "quarterly", "monthly"];

    const fn periods_a_year(self) -> i64 {
        match self {
            Self::Yearly => 1,
            Self::Semesterly => 2,
            Self::Quarterly => 4,
            Self::Monthly => 12,
        }
    }
}

/// A period, written `2022`, `2022-S1`, `2022-Q3` or `2022-09`.
///
/// A period comes from [`Period::parse`], [`Period::containing`] or [`Period::from_index`], which accept only the years 1900 to
/// 2199 and half-years, quarters and months that exist. Periods are sorted by their ends; if two end together, the longer one
/// comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Period {
    /// A calendar year.
    Year(i32),
    /// A year and its half: 1 is January to June, 2 July to December.
    Half(i32, u8),
    /// A year and its quarter, 1 to 4.
    Quarter(i32, u8),
    /// A year and its month, 1 to 12.
    Month(i32, u8),
}

impl Period {
    /// The form of a period, as a regular expression for the API document.
    pub const PATTERN: &str = "^(19|20|21)[0-9]{2}(-S[12]|-Q[1-4]|-(0[1-9]|1[0-2]))?$";

    const YEARS: RangeInclusive<i64> = 1900..=2199;

    /// Takes a period exactly as written.
    pub fn parse(text: &str) -> Result<Self, InvalidPeriod> {
        let (year, part) = match text.split_once('-') {
            Some((year, part)) => (year, Some(part)),
            None => (text, None),
        };
        let year = number(year, 4).filter(|year| Self::YEARS.contains(year)).ok_or(InvalidPeriod)? as i32;
        let Some(part) = part else {
            return Ok(Self::Year(year));
        };
        let numbered = |text: &str, digits: usize, most: i64| {
            number(text, digits).filter(|part| (1..=most).contains(part)).map(|part| part as u8)
        };
        if let Some(half) = part.strip_prefix('S') {
            numbered(half, 1, 2).map(|half| Self::Half(year, half))
        } else if let Some(quarter) = part.strip_prefix('Q') {
            numbered(quarter, 1, 4).map(|quarter| Self::Quarter(year, quarter))
        } else {
            numbered(part, 2, 12).map(|month| Self::Month(year, month))
        }
        .ok_or(InvalidPeriod)
    }

    /// The frequency of the period.
    pub const fn frequency(self) -> Frequency {
        match self {
            Self::Year(_) => Frequency::Yearly,
            Self::Half(..) => Frequency::Semesterly,
            Self::Quarter(..) => Frequency::Quarterly,
            Self::Month(..) => Frequency::Monthly,
        }
    }

    /// The first day of the period.
    pub fn start(self) -> NaiveDate {
        first_day(self.first_month())
    }

    /// The last day of the period, at which a value of the period holds.
    pub fn end(self) -> NaiveDate {
        let after = first_day(self.first_month() + 12 / self.frequency().periods_a_year());
        after.pred_opt().unwrap_or(after)
    }

    /// The number of the period in the series of its frequency: consecutive periods differ by 1.
    pub fn index(self) -> i64 {
        match self {
            Self::Year(year) => i64::from(year),
            Self::Half(year, half) => i64::from(year) * 2 + i64::from(half) - 1,
            Self::Quarter(year, quarter) => i64::from(year) * 4 + i64::from(quarter) - 1,
            Self::Month(year, month) => i64::from(year) * 12 + i64::from(month) - 1,
        }
    }

    /// The number of the period of another frequency in which this period ends: counted in months, `2022` ends in `2022-12`.
    pub fn index_in(self, frequency: Frequency) -> i64 {
        Self::containing(frequency, self.end()).index()
    }

    /// The period with this number; none outside the years 1900 to 2199.
    pub fn from_index(frequency: Frequency, index: i64) -> Option<Self> {
        let periods_a_year = frequency.periods_a_year();
        let year = index.div_euclid(periods_a_year);
        if !Self::YEARS.contains(&year) {
            return None;
        }
        let year = year as i32;
        let part = index.rem_euclid(periods_a_year) as u8 + 1;
        Some(match frequency {
            Frequency::Yearly => Self::Year(year),
            Frequency::Semesterly => Self::Half(year, part),
            Frequency::Quarterly => Self::Quarter(year, part),
            Frequency::Monthly => Self::Month(year, part),
        })
    }

    /// A text that comes before or with those of all periods that end on this day or later: a period is written with its year first.
    /// An index of periods by their texts is read from there.
    pub fn text_from(day: NaiveDate) -> String {
        format!("{:04}", day.year())
    }

    /// A text that comes after those of all periods that end on this day or earlier.
    pub fn text_after(day: NaiveDate) -> String {
        format!("{:04}", day.year() + 1)
    }

    /// Whether the period has begun on a day. A measurement or report of a period that has not begun cannot be known.
    pub fn has_begun(self, on: NaiveDate) -> bool {
        self.start() <= on
    }

    /// The next period; none after the year 2199.
    pub fn next(self) -> Option<Self> {
        Self::from_index(self.frequency(), self.index() + 1)
    }

    /// The period of this frequency in which the day lies.
    ///
    /// A day before 1900 gives the first period, and a day after 2199 the last one.
    pub fn containing(frequency: Frequency, day: NaiveDate) -> Self {
        if i64::from(day.year()) < *Self::YEARS.start() {
            return Self::of_month(frequency, *Self::YEARS.start() as i32, 1);
        }
        if i64::from(day.year()) > *Self::YEARS.end() {
            return Self::of_month(frequency, *Self::YEARS.end() as i32, 12);
        }
        Self::of_month(frequency, day.year(), day.month() as u8)
    }

    const fn of_month(frequency: Frequency, year: i32, month: u8) -> Self {
        match frequency {
            Frequency::Yearly => Self::Year(year),
            Frequency::Semesterly => Self::Half(year, (month - 1) / 6 + 1),
            Frequency::Quarterly => Self::Quarter(year, (month - 1) / 3 + 1),
            Frequency::Monthly => Self::Month(year, month),
        }
    }

    /// The first month of the period, counted from January of the year 0.
    fn first_month(self) -> i64 {
        self.index() * (12 / self.frequency().periods_a_year())
    }
}

/// The first day of a month counted from January of the year 0.
fn first_day(month: i64) -> NaiveDate {
    let month_of_year = month.rem_euclid(12) as u32 + 1;
    i32::try_from(month.div_euclid(12))
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month_of_year, 1))
        // Only a `Period` that was built by hand outside the years 1900 to 2199 gets here.
        .unwrap_or(if month < 0 { NaiveDate::MIN } else { NaiveDate::MAX })
}

/// Reads a number of exactly so many ASCII digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The error for a text that is no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidPeriod;

impl fmt::Display for InvalidPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a period is a year such as 2022, a half-year such as 2022-S1, a quarter such as 2022-Q3 or a month such as 2022-09, \
             from 1900 to 2199",
        )
    }
}

impl Error for InvalidPeriod {}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Year(year) => write!(f, "{year:04}"),
            Self::Half(year, half) => write!(f, "{year:04}-S{half}"),
            Self::Quarter(year, quarter) => write!(f, "{year:04}-Q{quarter}"),
            Self::Month(year, month) => write!(f, "{year:04}-{month:02}"),
        }
    }
}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        Self::parse(text)
    }
}

impl Ord for Period {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.end(), self.start()).cmp(&(other.end(), other.start()))
    }
}

impl PartialOrd for Period {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

impl PartialSchema for Period {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A year (`2022`), a half-year (`2022-S1`), a quarter (`2022-Q3`) or a month (`2022-09`)."))
            .pattern(Some(Self::PATTERN))
            .max_length(Some(7))
            .examples(["2022", "2022-S1", "2022-Q3", "2022-09"])
            .into()
    }
}

impl ToSchema for Period {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn period(text: &str) -> Period {
        Period::parse(text).unwrap()
    }

    fn any_frequency() -> impl Strategy<Value = Frequency> {
        prop_oneof![Just(Frequency::Yearly), Just(Frequency::Semesterly), Just(Frequency::Quarterly), Just(Frequency::Monthly)]
    }

    fn any_period() -> impl Strategy<Value = Period> {
        prop_oneof![
            (1900..=2199).prop_map(Period::Year),
            (1900..=2199, 1_u8..=2).prop_map(|(year, half)| Period::Half(year, half)),
            (1900..=2199, 1_u8..=4).prop_map(|(year, quarter)| Period::Quarter(year, quarter)),
            (1900..=2199, 1_u8..=12).prop_map(|(year, month)| Period::Month(year, month)),
        ]
    }

    proptest! {
        #[test]
        fn texts_of_periods_lie_between_those_of_their_ends(period in any_period(), days in 0_i64..800) {
            let text = period.to_string();
            let (before, after) = (period.end() - TimeDelta::days(days), period.end() + TimeDelta::days(days));
            prop_assert!(Period::text_from(before) <= text && text < Period::text_after(after), "{text}");
        }
    }

    #[test]
    fn a_period_has_a_start_and_an_end() {
        for (text, start, end) in [
            ("2022", "2022-01-01", "2022-12-31"),
            ("2022-S1", "2022-01-01", "2022-06-30"),
            ("2022-S2", "2022-07-01", "2022-12-31"),
            ("2022-Q3", "2022-07-01", "2022-09-30"),
            ("2022-Q4", "2022-10-01", "2022-12-31"),
            ("2022-09", "2022-09-01", "2022-09-30"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("1900", "1900-01-01", "1900-12-31"),
            ("2199-12", "2199-12-01", "2199-12-31"),
        ] {
            assert_eq!((period(text).start(), period(text).end()), (day(start), day(end)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "22",
            "1899",
            "2200",
            "2022-",
            "2022-Q",
            "2022-Q0",
            "2022-Q5",
            "2022-q3",
            "2022-S",
            "2022-S0",
            "2022-S3",
            "2022-s1",
            "2022-S01",
            "2022-00",
            "2022-13",
            "2022-9",
            "2022-Q03",
            "2022-09-01",
            " 2022",
            "+2022",
            "2022-+9",
            "2022Q3",
            "-2022",
            "٢٠٢٢",
        ] {
            assert_eq!(Period::parse(text), Err(InvalidPeriod), "{text:?}");
        }
    }

    #[test]
    fn json_is_the_text() {
        assert_eq!(serde_json::to_string(&period("2022-Q3")).unwrap(), "\"2022-Q3\"");
        assert_eq!(serde_json::from_str::<Period>("\"2022-09\"").unwrap(), Period::Month(2022, 9));
        assert!(serde_json::from_str::<Period>("2022").is_err());
        let refused = serde_json::from_str::<Period>("\"2022-13\"").unwrap_err();
        assert!(refused.to_string().starts_with("a period is a year such as 2022"));
        assert_eq!(serde_json::to_string(&Frequency::Quarterly).unwrap(), "\"quarterly\"");
        assert_eq!(serde_json::to_string(&Frequency::Semesterly).unwrap(), "\"semesterly\"");
    }

    #[test]
    fn periods_are_in_the_order_of_their_ends() {
        let mut periods =
            ["2023", "2022-12", "2022-S2", "2022", "2022-Q2", "2022-Q4", "2022-01", "2022-S1", "2022-Q1", "2022-03"].map(period);
        periods.sort();
        assert_eq!(
            periods.map(|period| period.to_string()),
            ["2022-01", "2022-Q1", "2022-03", "2022-S1", "2022-Q2", "2022", "2022-S2", "2022-Q4", "2022-12", "2023"]
        );
    }

    #[test]
    fn there_is_nothing_after_2199() {
        for last in ["2199", "2199-S2", "2199-Q4", "2199-12"] {
            assert_eq!(period(last).next(), None);
        }
        assert_eq!(period("2022-S2").next(), Some(period("2023-S1")));
        assert_eq!(period("2022-Q4").next(), Some(period("2023-Q1")));
        assert_eq!(period("2022-12").next(), Some(period("2023-01")));
        assert_eq!(Period::from_index(Frequency::Yearly, 1899), None);
        assert_eq!(Period::from_index(Frequency::Monthly, i64::MIN), None);
        assert_eq!(Period::from_index(Frequency::Quarterly, i64::MAX), None);
    }

    #[test]
    fn a_day_outside_the_years_gives_the_first_or_last_period() {
        assert_eq!(Period::containing(Frequency::Quarterly, NaiveDate::MIN), period("1900-Q1"));
        assert_eq!(Period::containing(Frequency::Monthly, NaiveDate::MAX), period("2199-12"));
    }

    #[test]
    fn a_hand_made_period_does_not_panic() {
        for period in [Period::Year(i32::MAX), Period::Month(i32::MIN, 0), Period::Quarter(2022, 255), Period::Half(2022, 0)] {
            let _ = (period.start(), period.end(), period.index(), period.next(), period.to_string());
        }
    }

    #[test]
    fn a_period_has_a_place_in_the_series_of_other_frequencies() {
        assert_eq!(period("2022").index_in(Frequency::Monthly), period("2022-12").index());
        assert_eq!(period("2022-05").index_in(Frequency::Semesterly), period("2022-S1").index());
        assert_eq!(period("2022-S2").index_in(Frequency::Quarterly), period("2022-Q4").index());
        assert_eq!(period("2022-05").index_in(Frequency::Quarterly), period("2022-Q2").index());
        assert_eq!(period("2022-Q1").index_in(Frequency::Yearly), period("2022").index());
    }

    proptest! {
        #[test]
        fn text_reads_back(period in any_period()) {
            prop_assert_eq!(Period::parse(&period.to_string()).unwrap(), period);
            prop_assert_eq!(Period::from_index(period.frequency(), period.index()), Some(period));
        }

        #[test]
        fn the_next_period_starts_the_day_after(period in any_period()) {
            if let Some(next) = period.next() {
                prop_assert_eq!(next.index(), period.index() + 1);
                prop_assert_eq!(Some(next.start()), period.end().succ_opt());
                prop_assert!(period < next);
            }
        }

        #[test]
        fn only_equal_periods_compare_as_equal(left in any_period(), right in any_period()) {
            prop_assert_eq!(left.cmp(&right) == Ordering::Equal, left == right);
            prop_assert_eq!(left.cmp(&right), right.cmp(&left).reverse());
        }

        #[test]
        fn a_period_contains_its_days(period in any_period(), frequency in any_frequency()) {
            prop_assert_eq!(Period::containing(period.frequency(), period.start()), period);
            prop_assert_eq!(Period::containing(period.frequency(), period.end()), period);
            let other = Period::containing(frequency, period.end());
            prop_assert!(other.start() <= period.end() && period.end() <= other.end());
        }

        #[test]
        fn a_period_has_begun_from_its_first_day_on(period in any_period()) {
            prop_assert!(period.has_begun(period.start()) && period.has_begun(period.end()));
            prop_assert!(period.start().pred_opt().is_some_and(|before| !period.has_begun(before)));
        }

        #[test]
        fn no_text_panics(text in "[-0-9QS]{0,9}|.*") {
            let _ = Period::parse(&text);
        }
    }
}
