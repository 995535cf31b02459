//! The reasons of a computed figure: each has a code for programs, the parameters, and a sentence in both languages.

use std::collections::BTreeMap;
use std::fmt::Display;

use rust_decimal::Decimal;
use sea_orm::EnumIter;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a reason says. The text of a code names its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReasonCode {
    /// Standing: the KPI has no verified measurement.
    NoMeasurement,
    /// Standing: the KPI has no target.
    NoTarget,
    /// Standing: the final target is met.
    FinalTargetMet,
    /// Standing: the period lies before the first known point, so no target applies to it.
    NoTargetApplies,
    /// Standing: the period has a target of its own.
    TargetOfPeriod,
    /// Standing: the last target continues to apply.
    LastTargetContinues,
    /// Standing: the target that applies is a point on the line between two known points.
    TargetOnLine,
    /// Standing: the ratio of the way that is covered.
    Ratio,
    /// Standing: the same, measured from zero because there is no baseline.
    RatioFromZero,
    /// Standing: the achievement as a ratio, because there is no baseline.
    RatioOfAchievement,
    /// Standing: the ratio is that of `on_track`.
    RatioOnTrack,
    /// Standing: the ratio is that of `at_risk`.
    RatioAtRisk,
    /// Standing: the ratio is that of `off_track`.
    RatioOffTrack,
    /// Standing: the ratio is that of `regressed`.
    RatioRegressed,
    /// Standing: the target asks for no better than the baseline.
    NoWayToGo,
    /// Standing: without a baseline, the target asks for no better than zero.
    NoWayFromZero,
    /// Standing: without a baseline, a target of 0 has no achievement.
    ZeroTargetWithoutBaseline,
    /// Standing: the target that applies is met.
    TargetMet,
    /// Standing: the target that applies is missed.
    TargetMissed,
    /// Standing: the values are too large to compare.
    TooLargeToCompare,
    /// Standing: there is no achievement of a target of 0 that is missed.
    AchievementOfZero,
    /// Standing: the achievement is too large to be written.
    AchievementTooLarge,
    /// Standing: there is no progress, because the baseline is the final target.
    ProgressWithoutWay,
    /// Standing: there is no progress, because the final target lies on the wrong side of the baseline.
    ProgressAgainstDirection,
    /// Standing: there is no progress, because the values are too large to compare.
    ProgressTooLarge,
    /// Standing: a verified value does not count yet, because its period has not begun.
    ValueNotBegun,
    /// Standing: the projection ends at a bound of the KPI.
    ProjectionBounded,
    /// State of an action: the year's target is reached.
    ActionDone,
    /// State of an action: the due day has passed.
    ActionOverdue,
    /// State of an action: the realisation is below the target of the last quarter that ended.
    ActionBehind,
    /// State of an action: nothing is realised, and nothing is due.
    ActionNotStarted,
    /// State of an action: something is realised before the first quarter has ended.
    ActionBegunEarly,
    /// State of an action: the realisation meets the target of the last quarter that ended.
    ActionKeepsUp,
    /// State of an action: its progress.
    ActionProgress,
    /// State of an action: its progress, with a year's target of 0.
    ActionProgressOfZero,
    /// Progress of an OPD: there is no action with a weight.
    NoWeightedAction,
    /// Progress of an OPD: the progress is a weighted mean.
    MeanProgress,
    /// Progress of an OPD: the expected progress is a weighted mean.
    MeanExpected,
    /// Progress of an OPD: there is no achievement, because nothing was expected yet.
    NothingExpected,
    /// Progress of an OPD: the achievement.
    OpdAchievement,
    /// Progress of an OPD: the bounds of the performance bands.
    BandBounds,
    /// Satisfaction index: computed from the means of the answers.
    IkmOfMeans,
    /// Satisfaction index: computed from the sums of the answers.
    IkmOfSums,
    /// Satisfaction index: the grade is the best one.
    GradeFrom,
    /// Satisfaction index: the grade lies between two bounds.
    GradeBetween,
    /// Satisfaction index: the grade is the last one.
    GradeBelow,
}

impl ReasonCode {
    /// The sentence in English and in Indonesian. A name in braces stands for a parameter; `{reaches}`, `{misses}` and `{bounds}`
    /// stand for what follows from the parameters `direction`, `minimum` and `maximum`.
    pub const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::NoMeasurement => ("there is no verified measurement", "belum ada capaian yang terverifikasi"),
            Self::NoTarget => ("there is no target", "belum ada target"),
            Self::FinalTargetMet => (
                "actual {actual} is {reaches} the final target {target} ({period})",
                "capaian {actual} {reaches} target akhir {target} ({period})",
            ),
            Self::NoTargetApplies => (
                "no target applies to {period}, before the first known point",
                "tidak ada target yang berlaku untuk {period}, sebelum titik pertama yang diketahui",
            ),
            Self::TargetOfPeriod => ("the target of {period} is {target}", "target {period} adalah {target}"),
            Self::LastTargetContinues => (
                "the last target, {target} for {target_period}, goes on in {period}",
                "target terakhir, {target} untuk {target_period}, tetap berlaku pada {period}",
            ),
            Self::TargetOnLine => (
                "the target that applies to {period} is {target}, on the line from {from} ({from_period}) to {to} ({to_period})",
                "target yang berlaku untuk {period} adalah {target}, pada garis dari {from} ({from_period}) ke {to} ({to_period})",
            ),
            Self::Ratio => (
                "ratio ({actual} - {baseline}) / ({target} - {baseline})",
                "rasio ({actual} - {baseline}) / ({target} - {baseline})",
            ),
            Self::RatioFromZero => (
                "measured from zero without a baseline: ratio ({actual} - 0) / ({target} - 0)",
                "diukur dari nol karena tanpa nilai awal: rasio ({actual} - 0) / ({target} - 0)",
            ),
            Self::RatioOfAchievement => (
                "without a baseline: ratio 1 + ({from} - {less}) / {divisor}, not below 0",
                "tanpa nilai awal: rasio 1 + ({from} - {less}) / {divisor}, tidak di bawah 0",
            ),
            Self::RatioOnTrack => ("ratio {ratio} is at least {from}", "rasio {ratio} paling sedikit {from}"),
            Self::RatioAtRisk => {
                ("ratio {ratio} is at least {from} and below {below}", "rasio {ratio} paling sedikit {from} dan di bawah {below}")
            }
            Self::RatioOffTrack => {
                ("ratio {ratio} is at least 0 and below {below}", "rasio {ratio} paling sedikit 0 dan di bawah {below}")
            }
            Self::RatioRegressed => ("ratio {ratio} is below 0", "rasio {ratio} di bawah 0"),
            Self::NoWayToGo => (
                "the target {target} asks for no better than {baseline}",
                "target {target} tidak meminta lebih baik daripada {baseline}",
            ),
            Self::NoWayFromZero => (
                "measured from zero without a baseline: the target {target} asks for no better than 0",
                "diukur dari nol karena tanpa nilai awal: target {target} tidak meminta lebih baik daripada 0",
            ),
            Self::ZeroTargetWithoutBaseline => (
                "there is no baseline, and no achievement of a target of 0",
                "tidak ada nilai awal, dan target 0 tidak memiliki tingkat capaian",
            ),
            Self::TargetMet => ("actual {actual} is {reaches} the target {target}", "capaian {actual} {reaches} target {target}"),
            Self::TargetMissed => {
                ("actual {actual} is {misses} the target {target}", "capaian {actual} {misses} target {target}")
            }
            Self::TooLargeToCompare => ("the values are too large to compare", "nilai-nilainya terlalu besar untuk dibandingkan"),
            Self::AchievementOfZero => (
                "no achievement: the target is 0, and the actual {actual} does not meet it",
                "tanpa tingkat capaian: targetnya 0, dan capaian {actual} tidak memenuhinya",
            ),
            Self::AchievementTooLarge => {
                ("no achievement: it is too large to be written", "tanpa tingkat capaian: nilainya terlalu besar untuk ditulis")
            }
            Self::ProgressWithoutWay => (
                "no progress: the baseline {baseline} is the final target, so there is no way to go",
                "tanpa kemajuan: nilai awal {baseline} sama dengan target akhir, sehingga tidak ada jarak yang ditempuh",
            ),
            Self::ProgressAgainstDirection => (
                "no progress: the final target {target} lies {misses} the baseline {baseline}, against the direction {direction}",
                "tanpa kemajuan: target akhir {target} {misses} nilai awal {baseline}, berlawanan dengan arah {direction}",
            ),
            Self::ProgressTooLarge => (
                "no progress: the values are too large to compare",
                "tanpa kemajuan: nilai-nilainya terlalu besar untuk dibandingkan",
            ),
            Self::ValueNotBegun => (
                "there is a verified value of {period}, which counts once that period has begun",
                "ada nilai terverifikasi untuk {period}, yang baru dihitung setelah periode itu dimulai",
            ),
            Self::ProjectionBounded => (
                "the projection ends at a bound: values of this KPI are {bounds}",
                "proyeksi berhenti pada batas: nilai indikator ini {bounds}",
            ),
            Self::ActionDone => (
                "verified realisation {realisation} is at least the year's target {target}",
                "realisasi terverifikasi {realisation} mencapai target tahunan {target}",
            ),
            Self::ActionOverdue => (
                "the year's target {target} is not reached, and {due_on} has passed",
                "target tahunan {target} belum tercapai, dan {due_on} telah lewat",
            ),
            Self::ActionBehind => (
                "verified realisation {realisation} is below the target {target} of {period}",
                "realisasi terverifikasi {realisation} di bawah target {target} untuk {period}",
            ),
            Self::ActionNotStarted => {
                ("nothing is realised, and nothing is due", "belum ada realisasi, dan belum ada yang jatuh tempo")
            }
            Self::ActionBegunEarly => {
                ("something is realised before {period} has ended", "sudah ada realisasi sebelum {period} berakhir")
            }
            Self::ActionKeepsUp => (
                "verified realisation {realisation} is at least the target {target} of {period}",
                "realisasi terverifikasi {realisation} mencapai target {target} untuk {period}",
            ),
            Self::ActionProgress => (
                "progress is {progress}: {realisation} / {target} x 100, from 0 to 100",
                "kemajuan {progress}: {realisation} / {target} x 100, dari 0 sampai 100",
            ),
            Self::ActionProgressOfZero => (
                "progress is {progress}: the year's target is 0, which counts as 100 when done, else 0",
                "kemajuan {progress}: target tahunannya 0, yang dihitung 100 bila selesai, selain itu 0",
            ),
            Self::NoWeightedAction => ("there is no action with a weight", "tidak ada renaksi yang berbobot"),
            Self::MeanProgress => (
                "progress {progress} is the weighted mean {sum} / {weights}",
                "kemajuan {progress} adalah rata-rata tertimbang {sum} / {weights}",
            ),
            Self::MeanExpected => (
                "expected {expected} is the weighted mean {sum} / {weights}",
                "kemajuan yang diharapkan {expected} adalah rata-rata tertimbang {sum} / {weights}",
            ),
            Self::NothingExpected => {
                ("no achievement: nothing was expected yet", "tanpa tingkat capaian: belum ada yang diharapkan")
            }
            Self::OpdAchievement => (
                "achievement {achievement} is {realised} / {planned} x 100",
                "tingkat capaian {achievement} adalah {realised} / {planned} x 100",
            ),
            Self::BandBounds => (
                "by {regulation} the band is very_high from {very_high}, high from {high}, medium from {medium}, low above {low}, \
                 else very_low",
                "menurut {regulation} predikatnya sangat tinggi mulai {very_high}, tinggi mulai {high}, sedang mulai {medium}, \
                 rendah di atas {low}, selain itu sangat rendah",
            ),
            Self::IkmOfMeans => (
                "IKM {ikm} is {sum} / 9 x 25, rounded to 2 decimals",
                "IKM {ikm} adalah {sum} / 9 x 25, dibulatkan menjadi 2 desimal",
            ),
            Self::IkmOfSums => (
                "IKM {ikm} is {sum} / ({respondents} x 9) x 25, rounded to 2 decimals",
                "IKM {ikm} adalah {sum} / ({respondents} x 9) x 25, dibulatkan menjadi 2 desimal",
            ),
            Self::GradeFrom => ("{ikm} is at least {from}: {grade}", "{ikm} paling sedikit {from}: {grade}"),
            Self::GradeBetween => (
                "{ikm} is at least {from} and below {below}: {grade}",
                "{ikm} paling sedikit {from} dan di bawah {below}: {grade}",
            ),
            Self::GradeBelow => ("{ikm} is below {below}: {grade}", "{ikm} di bawah {below}: {grade}"),
        }
    }
}

/// One step of the computation of a figure, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What it says.
    pub code: ReasonCode,
    /// The values that its sentence names.
    pub parameters: BTreeMap<&'static str, String>,
}

impl Reason {
    /// A reason whose parameters are still to be added.
    pub const fn new(code: ReasonCode) -> Self {
        Self { code, parameters: BTreeMap::new() }
    }

    /// Adds a parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.parameters.insert(name, value.to_string());
        self
    }

    /// The sentence in English.
    pub fn in_english(&self) -> String {
        let is_decrease = self.is_decrease();
        self.sentence(self.code.texts().0, |name| match name {
            "reaches" => if is_decrease { "at most" } else { "at least" }.to_owned(),
            "misses" => if is_decrease { "above" } else { "below" }.to_owned(),
            "bounds" => self.bounds(["to", "or more", "or less", "anything"], |value| value.to_owned()),
            _ => self.parameter(name).to_owned(),
        })
    }

    /// The sentence in Indonesian, which writes decimals with a comma.
    pub fn in_indonesian(&self) -> String {
        let is_decrease = self.is_decrease();
        self.sentence(self.code.texts().1, |name| match name {
            "reaches" => if is_decrease { "paling banyak" } else { "paling sedikit" }.to_owned(),
            "misses" => if is_decrease { "di atas" } else { "di bawah" }.to_owned(),
            "direction" => if is_decrease { "turun" } else { "naik" }.to_owned(),
            "bounds" => self.bounds(["sampai", "atau lebih", "atau kurang", "bebas"], with_comma),
            _ => with_comma(self.parameter(name)),
        })
    }

    fn is_decrease(&self) -> bool {
        self.parameter("direction") == "decrease"
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    fn bounds(&self, [to, or_more, or_less, anything]: [&str; 4], shown: impl Fn(&str) -> String) -> String {
        let bound = |name| self.parameters.get(name).map(|value| shown(value));
        match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => format!("{least} {to} {most}"),
            (Some(least), None) => format!("{least} {or_more}"),
            (None, Some(most)) => format!("{most} {or_less}"),
            (None, None) => anything.to_owned(),
        }
    }

    /// A text with what stands for each name in braces.
    fn sentence(&self, text: &str, value: impl Fn(&str) -> String) -> String {
        let mut sentence = String::with_capacity(text.len() + 32);
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').unwrap_or((after, ""));
            sentence.push_str(before);
            sentence.push_str(&value(name));
            rest = after;
        }
        sentence.push_str(rest);
        sentence
    }
}

/// A value with a decimal comma if it is a decimal.
fn with_comma(value: &str) -> String {
    if value.contains('.') && value.parse::<Decimal>().is_ok() { value.replace('.', ",") } else { value.to_owned() }
}

/// The English sentences of reasons.
#[cfg(test)]
pub fn sentences(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(Reason::in_english).collect()
}

#[cfg(test)]
mod tests {
    use sea_orm::Iterable;

    use super::*;

    /// The names in braces.
    fn names(text: &str) -> Vec<&str> {
        let mut names = text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0)).collect::<Vec<_>>();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn both_languages_name_the_same_parameters() {
        for code in ReasonCode::iter() {
            let (en, id) = code.texts();
            assert_eq!(names(en), names(id), "{code:?}");
            assert_ne!(en, id, "{code:?}");
        }
    }

    #[test]
    fn a_sentence_names_its_parameters_in_both_languages() {
        let reason = Reason::new(ReasonCode::FinalTargetMet).with("actual", "13.9").with("target", 14).with("period", "2024");
        let reason = reason.with("direction", "decrease");
        assert_eq!(reason.in_english(), "actual 13.9 is at most the final target 14 (2024)");
        assert_eq!(reason.in_indonesian(), "capaian 13,9 paling banyak target akhir 14 (2024)");
        let bounded = |minimum: Option<&str>, maximum: Option<&str>| {
            let reason = Reason::new(ReasonCode::ProjectionBounded);
            let reason = minimum.into_iter().fold(reason, |reason, value| reason.with("minimum", value));
            maximum.into_iter().fold(reason, |reason, value| reason.with("maximum", value))
        };
        assert!(bounded(Some("0"), Some("99.5")).in_english().ends_with("are 0 to 99.5"));
        assert!(bounded(Some("0"), Some("99.5")).in_indonesian().ends_with("ini 0 sampai 99,5"));
        assert!(bounded(Some("0"), None).in_english().ends_with("are 0 or more"));
        assert!(bounded(None, Some("0")).in_indonesian().ends_with("ini 0 atau kurang"));
    }

    #[test]
    fn what_is_no_decimal_keeps_its_points() {
        assert_eq!(with_comma("Permendagri 86/2017 v1.2"), "Permendagri 86/2017 v1.2");
        assert_eq!((with_comma("-4.45"), with_comma("2022-Q3")), ("-4,45".to_owned(), "2022-Q3".to_owned()));
    }
}
