//! The public satisfaction index (IKM) and its grade, as Permenpan-RB 14/2017 computes them.

use std::{error::Error, fmt, ops::RangeInclusive};

use chrono::NaiveDate;
use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::explanation::Explanation;
use super::reason::{Reason, ReasonCode};
use crate::value::decimal::Percent;

/// The number of elements of a survey, from requirements (u1) to facilities (u9). Each weighs exactly one ninth.
const ELEMENTS: usize = 9;

/// The factor by which the mean of the elements, from 1 to 4, is multiplied.
const FACTOR: Decimal = Decimal::from_parts(25, 0, 0, false, 0);

/// The lowest answer to a question.
const LOWEST: i64 = 1;

/// The highest answer to a question.
const HIGHEST: i64 = 4;

/// The answers to the nine elements, u1 to u9.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scores(Answers);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// The mean answer to each element.
    Means([Decimal; ELEMENTS]),
    /// The sum of the answers to each element, with the number of respondents; nothing was rounded.
    Sums { sums: [i64; ELEMENTS], respondents: i64 },
}

impl Scores {
    /// The greatest number of decimals of a mean answer.
    pub const PLACES: u32 = 6;

    /// Takes the mean answers to u1 to u9, each from 1 to 4; nothing is rounded. The error names the first one that is not
    /// possible.
    pub fn new(means: [Decimal; ELEMENTS]) -> Result<Self, InvalidScore> {
        let answers = Decimal::from(LOWEST)..=Decimal::from(HIGHEST);
        let fits = |mean: &Decimal| answers.contains(mean) && mean.normalize().scale() <= Self::PLACES;
        match means.iter().position(|mean| !fits(mean)) {
            Some(position) => Err(InvalidScore { element: position + 1 }),
            None => Ok(Self(Answers::Means(means))),
        }
    }

    /// Takes the sums of the answers of so many respondents to u1 to u9. The error names the first one that is not possible.
    pub fn of_sums(sums: [i64; ELEMENTS], respondents: u32) -> Result<Self, InvalidScore> {
        let possible = Self::possible_sums(respondents);
        match sums.iter().position(|sum| respondents == 0 || !possible.contains(sum)) {
            Some(position) => Err(InvalidScore { element: position + 1 }),
            None => Ok(Self(Answers::Sums { sums, respondents: respondents.into() })),
        }
    }

    /// The possible sums of the answers of so many respondents to one element, if each answers with 1 to 4.
    pub fn possible_sums(respondents: u32) -> RangeInclusive<i64> {
        let respondents = i64::from(respondents);
        respondents * LOWEST..=respondents * HIGHEST
    }
}

/// A mean answer that is not from 1 to 4 or has more than six decimals, or a sum that so many respondents cannot have given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidScore {
    /// The number of the element, from 1 to 9.
    pub element: usize,
}

impl fmt::Display for InvalidScore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "u{} must be a mean from 1 to 4 with at most 6 decimals, or the sum of answers from 1 to 4", self.element)
    }
}

impl Error for InvalidScore {}

/// The grade of a public service, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
pub enum Grade {
    /// Very good (sangat baik).
    A,
    /// Good (baik).
    B,
    /// Not good (kurang baik).
    C,
    /// Bad (tidak baik).
    D,
}

crate::labels! { Grade {
    A: "A, very good", "A, sangat baik";
    B: "B, good", "B, baik";
    C: "C, fair", "C, kurang baik";
    D: "D, poor", "D, tidak baik";
} }

impl Grade {
    /// The grade, as answers show it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
        }
    }

    /// The quality of the service that the grade stands for.
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
    /// Very good (sangat baik).
    VeryGood,
    /// Good (baik).
    Good,
    /// Not good (kurang baik).
    Fair,
    /// Bad (tidak baik).
    Poor,
}

/// The lower bounds of the grades, as one regulation sets them; an index below the last bound is graded `D`.
///
/// The table of the regulation has gaps of 0.01 (88.30, 88.31). For an index with two decimals these bounds leave no gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IkmBounds {
    /// The regulation that sets the bounds.
    pub version: &'static str,
    /// The first day on which these bounds hold.
    pub valid_from: NaiveDate,
    /// The least index for `A`.
    pub a: Decimal,
    /// The least index for `B`.
    pub b: Decimal,
    /// The least index for `C`.
    pub c: Decimal,
}

/// Every version of the bounds, the oldest first.
const VERSIONS: &[IkmBounds] = &[IkmBounds {
    version: "Permenpan-RB 14/2017",
    valid_from: NaiveDate::from_ymd_opt(2017, 1, 1).expect("the calendar has this day"),
    a: Decimal::from_parts(8831, 0, 0, false, 2),
    b: Decimal::from_parts(7661, 0, 0, false, 2),
    c: Decimal::from_parts(6500, 0, 0, false, 2),
}];

/// The bounds that hold on a day. Before the first version, the bounds of the first version hold.
pub fn ikm_bounds(on: NaiveDate) -> &'static IkmBounds {
    VERSIONS.iter().rev().find(|version| version.valid_from <= on).unwrap_or(&VERSIONS[0])
}

/// The index, from 25.00 to 100.00: the mean of the nine elements x 25, rounded once.
pub fn ikm(scores: &Scores) -> Percent {
    let (sum, over) = match &scores.0 {
        Answers::Means(means) => (means.iter().sum(), Decimal::from(ELEMENTS)),
        Answers::Sums { sums, respondents } => (total(sums), Decimal::from(*respondents) * Decimal::from(ELEMENTS)),
    };
    Percent::index(sum * FACTOR / over)
}

fn total(sums: &[i64]) -> Decimal {
    sums.iter().copied().map(Decimal::from).sum()
}

/// The grade of an index, by the bounds that hold on a day. The index has two decimals before it is graded.
pub fn grade(index: impl Into<Decimal>, on: NaiveDate) -> Grade {
    let index = Percent::index(index.into()).inner();
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

/// The index of a survey and its grade, with the inputs from which they were computed.
#[derive(Clone, Debug, PartialEq)]
pub struct IkmResult {
    /// The index.
    pub ikm: Percent,
    /// The grade.
    pub grade: Grade,
    /// How both were computed.
    pub explanation: Explanation,
}

/// The index of a survey and its grade, by the bounds that hold on a day, which is the last day of the survey's period.
pub fn explain(scores: &Scores, on: NaiveDate) -> IkmResult {
    let ikm = ikm(scores);
    let grade = grade(ikm, on);
    let IkmBounds { version, a, b, c, .. } = ikm_bounds(on);
    let counted = match &scores.0 {
        Answers::Means(means) => Reason::new(ReasonCode::IkmOfMeans).with("sum", means.iter().sum::<Decimal>()),
        Answers::Sums { sums, respondents } => {
            Reason::new(ReasonCode::IkmOfSums).with("sum", total(sums)).with("respondents", respondents)
        }
    };
    let graded = match grade {
        Grade::A => Reason::new(ReasonCode::GradeFrom).with("from", a),
        Grade::B => Reason::new(ReasonCode::GradeBetween).with("from", b).with("below", a),
        Grade::C => Reason::new(ReasonCode::GradeBetween).with("from", c).with("below", b),
        Grade::D => Reason::new(ReasonCode::GradeBelow).with("below", c),
    };
    let reasons = vec![counted.with("ikm", ikm), graded.with("ikm", ikm).with("grade", grade)];
    let explanation = inputs(Explanation::new("ikm", *version, reasons), scores);
    IkmResult { ikm, grade, explanation }
}

fn inputs(explanation: Explanation, scores: &Scores) -> Explanation {
    let name = |element: usize| format!("u{}", element + 1);
    match &scores.0 {
        Answers::Means(means) => means.iter().enumerate().fold(explanation, |explanation, (element, mean)| {
            let mean = mean.normalize();
            let places = mean.scale().max(2) as usize;
            explanation.input(&name(element), format!("{mean:.places$}"))
        }),
        Answers::Sums { sums, respondents } => {
            let explanation = explanation.input("respondents", respondents);
            sums.iter().enumerate().fold(explanation, |explanation, (element, sum)| explanation.input(&name(element), sum))
        }
    }
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
        for score in ["0.99", "4.01", "-3", "0", "3.2555555"] {
            let mut scores = [exact("3"); ELEMENTS];
            scores[4] = exact(score);
            assert_eq!(Scores::new(scores), Err(InvalidScore { element: 5 }), "{score}");
        }
        assert!(Scores::new([exact("3.25000000"); ELEMENTS]).is_ok());
        assert!(Scores::new([exact("3.315436"); ELEMENTS]).is_ok());
        assert!(InvalidScore { element: 5 }.to_string().starts_with("u5 must be a mean from 1 to 4 with at most 6 decimals"));
    }

    /// 149 answers: the means, rounded to 2 decimals before, would give 88.33 and an A.
    const SUMS: [i64; ELEMENTS] = [494, 502, 509, 527, 562, 530, 562, 530, 520];

    #[test]
    fn sums_give_the_official_grade() {
        let result = explain(&Scores::of_sums(SUMS, 149).unwrap(), on());
        assert_eq!((result.ikm.to_string().as_str(), result.grade), ("88.29", Grade::B));
        let explanation = result.explanation.as_json();
        assert_eq!(explanation["inputs"]["respondents"], "149");
        assert_eq!(explanation["inputs"]["u9"], "520");
        assert_eq!(explanation["reasons"][0], "IKM 88.29 is 4736 / (149 x 9) x 25, rounded to 2 decimals");

        let to = |places| SUMS.map(|sum| (Decimal::from(sum) / Decimal::from(149)).round_dp(places));
        let exact_enough = explain(&Scores::new(to(6)).unwrap(), on());
        assert_eq!((exact_enough.ikm.to_string().as_str(), exact_enough.grade), ("88.29", Grade::B));
        let coarse = explain(&Scores::new(to(2)).unwrap(), on());
        assert_eq!((coarse.ikm.to_string().as_str(), coarse.grade), ("88.33", Grade::A));
    }

    #[test]
    fn a_sum_that_so_many_cannot_have_answered_is_named() {
        for (element, sum) in [(1, 148), (9, 597), (3, 0), (4, -149)] {
            let mut sums = SUMS;
            sums[element - 1] = sum;
            assert_eq!(Scores::of_sums(sums, 149), Err(InvalidScore { element }), "{sum}");
        }
        assert!(Scores::of_sums([149; ELEMENTS], 149).is_ok() && Scores::of_sums([596; ELEMENTS], 149).is_ok());
        assert_eq!(Scores::of_sums([0; ELEMENTS], 0), Err(InvalidScore { element: 1 }));
        assert_eq!(Scores::possible_sums(u32::MAX), 4_294_967_295..=17_179_869_180);
    }

    #[test]
    fn an_index_explains_itself() {
        let mut scores = [exact("3.1"); ELEMENTS];
        scores[0] = exact("3.45");
        assert_eq!(
            explain(&Scores::new(scores).unwrap(), on()).explanation.as_json(),
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
        fn sums_and_the_means_they_stand_for_give_the_same(hundredths in any_scores(), respondents in 1_u32..1_000) {
            // Answers of a hundred times as many have whole sums.
            let (sums, of) = (hundredths.map(|mean| mean * i64::from(respondents)), respondents * 100);
            prop_assert_eq!(ikm(&Scores::of_sums(sums, of).unwrap()), ikm(&scores(hundredths)));
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
