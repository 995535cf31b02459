//! The public satisfaction index (IKM) and its grade, as Permenpan-RB 14/2017 computes them.

use std::{error::Error, fmt};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explanation::Explanation;
use crate::value::decimal::Percent;

/// The elements of a survey, from requirements (u1) to facilities (u9); each weighs exactly one ninth.
const ELEMENTS: usize = 9;

/// What the mean of the elements, from 1 to 4, is multiplied by.
const FACTOR: Decimal = Decimal::from_parts(25, 0, 0, false, 0);

/// The mean answers to the nine elements, u1 to u9, each from 1.00 to 4.00 with at most two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores([Decimal; ELEMENTS]);

impl Scores {
    /// The least an element can score.
    pub const LOWEST: Decimal = Decimal::ONE;

    /// The most an element can score.
    pub const HIGHEST: Decimal = Decimal::from_parts(4, 0, 0, false, 0);

    /// The most decimals of a score.
    pub const PLACES: u32 = 2;

    /// Takes the scores of u1 to u9; nothing is rounded. The error names the first that does not fit.
    pub fn new(scores: [Decimal; ELEMENTS]) -> Result<Self, InvalidScore> {
        let fits = |score: &Decimal| (Self::LOWEST..=Self::HIGHEST).contains(score) && score.normalize().scale() <= Self::PLACES;
        match scores.iter().position(|score| !fits(score)) {
            Some(position) => Err(InvalidScore { element: position + 1 }),
            None => Ok(Self(scores)),
        }
    }

    fn sum(&self) -> Decimal {
        self.0.iter().sum()
    }
}

/// A score that is not from 1.00 to 4.00 or has more than two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScore {
    /// The element, 1 to 9.
    pub element: usize,
}

impl fmt::Display for InvalidScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u{} must be from 1.00 to 4.00 with at most 2 decimals", self.element)
    }
}

impl Error for InvalidScore {}

/// The grade of a public service, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
pub enum Grade {
    /// Sangat baik.
    A,
    /// Baik.
    B,
    /// Kurang baik.
    C,
    /// Tidak baik.
    D,
}

impl Grade {
    /// The grade as it is written in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// What the grade says of the service.
    pub const fn quality(self) -> Quality {
        match self {
            Self::A => Quality::VeryGood,
            Self::B => Quality::Good,
            Self::C => Quality::Fair,
            Self::D => Quality::Poor,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The quality of a public service, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Sangat baik.
    VeryGood,
    /// Baik.
    Good,
    /// Kurang baik.
    Fair,
    /// Tidak baik.
    Poor,
}

/// The lower bounds of the grades, as one regulation sets them; below the last is `D`.
///
/// The regulation's table has gaps of 0.01 (88.30, 88.31); of an index with two decimals these bounds leave none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IkmBounds {
    /// The regulation.
    pub version: &'static str,
    /// The day from which it holds.
    pub valid_from: NaiveDate,
    /// `A` from here on.
    pub a: Decimal,
    /// `B` from here on.
    pub b: Decimal,
    /// `C` from here on.
    pub c: Decimal,
}

/// Every version, the oldest first.
const VERSIONS: &[IkmBounds] = &[IkmBounds {
    version: "Permenpan-RB 14/2017",
    valid_from: NaiveDate::from_ymd_opt(2017, 1, 1).expect("the day exists"),
    a: Decimal::from_parts(8831, 0, 0, false, 2),
    b: Decimal::from_parts(7661, 0, 0, false, 2),
    c: Decimal::from_parts(6500, 0, 0, false, 2),
}];

/// The bounds that hold on a day; a day before the first version is read by the first.
pub fn ikm_bounds(on: NaiveDate) -> &'static IkmBounds {
    VERSIONS.iter().rev().find(|version| version.valid_from <= on).unwrap_or(&VERSIONS[0])
}

/// The index, from 25.00 to 100.00: the mean of the nine elements x 25.
pub fn ikm(scores: &Scores) -> Percent {
    Percent::of(scores.sum() * FACTOR / Decimal::from(ELEMENTS))
}

/// The grade of an index, by the bounds that hold on a day; it has two decimals before it is graded.
pub fn grade(index: impl Into<Decimal>, on: NaiveDate) -> Grade {
    let index = Percent::of(index.into()).inner();
    let bounds = ikm_bounds(on);
    if index >= bounds.a {
        Grade::A
    } else if index >= bounds.b {
        Grade::B
    } else if index >= bounds.c {
        Grade::C
    } else {
        Grade::D
    }
}

/// The index of a survey and its grade, with what they were computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct IkmResult {
    /// The index.
    pub ikm: Percent,
    /// The grade.
    pub grade: Grade,
    /// How both were computed.
    pub explanation: Explanation,
}

/// The index of a survey and its grade, by the bounds that hold on a day: the last of the survey's period.
pub fn explain(scores: &Scores, on: NaiveDate) -> IkmResult {
    let ikm = ikm(scores);
    let grade = grade(ikm, on);
    let IkmBounds { version, a, b, c, .. } = ikm_bounds(on);
    let reasons = vec![
        format!("IKM {ikm} is {} / {ELEMENTS} x {FACTOR}, rounded to 2 decimals", scores.sum()),
        match grade {
            Grade::A => format!("{ikm} is at least {a}: A"),
            Grade::B => format!("{ikm} is at least {b} and below {a}: B"),
            Grade::C => format!("{ikm} is at least {c} and below {b}: C"),
            Grade::D => format!("{ikm} is below {c}: D"),
        },
    ];
    let explanation = (1..).zip(scores.0).fold(Explanation::new("ikm", *version, reasons), |explanation, (element, score)| {
        explanation.input(&format!("u{element}"), format!("{score:.2}"))
    });
    IkmResult { ikm, grade, explanation }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;
    use sea_orm::Iterable;
    use serde_json::json;

    use super::*;

    fn exact(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn on() -> NaiveDate {
        NaiveDate::from_ymd_opt(2022, 12, 31).unwrap()
    }

    fn all(score: &str) -> Scores {
        Scores::new([exact(score); ELEMENTS]).unwrap()
    }

    #[test]
    fn the_weight_is_exactly_one_ninth() {
        for (score, expected, letter) in [
            ("3.00", "75.00", Grade::C),
            ("3.20", "80.00", Grade::B),
            ("3.60", "90.00", Grade::A),
            ("4.00", "100.00", Grade::A),
            ("1.00", "25.00", Grade::D),
        ] {
            let result = explain(&all(score), on());
            assert_eq!((result.ikm.to_string().as_str(), result.grade), (expected, letter), "{score}");
        }
    }

    #[test]
    fn every_bound_is_on_its_side() {
        for (index, expected) in [
            ("100", Grade::A),
            ("88.31", Grade::A),
            ("88.305", Grade::A),
            ("88.304", Grade::B),
            ("88.30", Grade::B),
            ("76.61", Grade::B),
            ("76.60", Grade::C),
            ("65", Grade::C),
            ("64.995", Grade::C),
            ("64.99", Grade::D),
            ("25", Grade::D),
        ] {
            assert_eq!(grade(exact(index), on()), expected, "{index}");
        }
    }

    #[test]
    fn the_index_is_rounded_half_up_before_it_is_graded() {
        // 31.79 / 9 x 25 = 88.3055…, which is A only once it is 88.31.
        let mut scores = [exact("3.53"); ELEMENTS];
        scores[8] = exact("3.55");
        let result = explain(&Scores::new(scores).unwrap(), on());
        assert_eq!((result.ikm.to_string().as_str(), result.grade), ("88.31", Grade::A));
    }

    #[test]
    fn a_score_that_does_not_fit_is_named() {
        for score in ["0.99", "4.01", "-3", "0", "3.255"] {
            let mut scores = [exact("3"); ELEMENTS];
            scores[4] = exact(score);
            assert_eq!(Scores::new(scores), Err(InvalidScore { element: 5 }), "{score}");
        }
        assert!(Scores::new([exact("3.2500"); ELEMENTS]).is_ok());
        assert_eq!(InvalidScore { element: 5 }.to_string(), "u5 must be from 1.00 to 4.00 with at most 2 decimals");
    }

    #[test]
    fn an_index_explains_itself() {
        let mut scores = [exact("3.1"); ELEMENTS];
        scores[0] = exact("3.45");
        assert_eq!(
            serde_json::to_value(explain(&Scores::new(scores).unwrap(), on()).explanation).unwrap(),
            json!({
                "rule": "ikm",
                "rule_version": "Permenpan-RB 14/2017",
                "inputs": {
                    "u1": "3.45", "u2": "3.10", "u3": "3.10", "u4": "3.10", "u5": "3.10",
                    "u6": "3.10", "u7": "3.10", "u8": "3.10", "u9": "3.10",
                },
                "reasons": [
                    "IKM 78.47 is 28.25 / 9 x 25, rounded to 2 decimals",
                    "78.47 is at least 76.61 and below 88.31: B",
                ],
            })
        );
    }

    #[test]
    fn a_day_before_the_regulation_is_read_by_it() {
        assert_eq!(ikm_bounds(NaiveDate::MIN).version, "Permenpan-RB 14/2017");
        assert!(VERSIONS.is_sorted_by(|left, right| left.valid_from < right.valid_from));
    }

    #[test]
    fn grades_are_letters_with_a_quality_each() {
        let qualities = Grade::iter().map(Grade::quality);
        assert!(qualities.eq(Quality::iter()));
        for grade in Grade::iter() {
            assert_eq!(serde_json::to_value(grade).unwrap(), grade.as_str());
        }
        assert_eq!(serde_json::to_value(Quality::VeryGood).unwrap(), "very_good");
    }

    fn any_scores() -> impl Strategy<Value = [i64; ELEMENTS]> {
        prop::array::uniform9(100_i64..=400)
    }

    fn scores(hundredths: [i64; ELEMENTS]) -> Scores {
        Scores::new(hundredths.map(|score| Decimal::new(score, 2))).unwrap()
    }

    proptest! {
        #[test]
        fn the_index_is_from_25_to_100(hundredths in any_scores()) {
            let index = ikm(&scores(hundredths)).inner();
            prop_assert!((Decimal::from(25)..=Decimal::ONE_HUNDRED).contains(&index));
        }

        #[test]
        fn equal_scores_give_25_times_the_score(hundredths in 100_i64..=400) {
            prop_assert_eq!(ikm(&scores([hundredths; ELEMENTS])).inner(), Decimal::new(hundredths * 25, 2));
        }

        #[test]
        fn more_is_never_worse(hundredths in any_scores(), element in 0..ELEMENTS, better in 100_i64..=400) {
            let mut raised = hundredths;
            raised[element] = raised[element].max(better);
            let (before, after) = (explain(&scores(hundredths), on()), explain(&scores(raised), on()));
            prop_assert!(after.ikm >= before.ikm && after.grade <= before.grade);
        }

        #[test]
        fn the_order_of_the_elements_does_not_matter(hundredths in any_scores()) {
            let mut backwards = hundredths;
            backwards.reverse();
            prop_assert_eq!(ikm(&scores(hundredths)), ikm(&scores(backwards)));
        }
    }
}
