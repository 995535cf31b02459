//! Why the standing of a KPI is what it is, in sentences for people, out of the reasons that the API gives.

use entity::rules::reason::ReasonCode;
use entity::value::period::Period;
use rust_decimal::Decimal;

use super::read::Reason;
use crate::charts::figures::Unit;
use crate::charts::words::Words;

/// A reason whose values are written as people write them.
struct Told<'a> {
    reason: &'a Reason,
    unit: &'a Unit,
    words: Words,
}

/// The sentences, in the order of the reasons.
pub(super) fn sentences(reasons: &[Reason], unit: &Unit, words: Words) -> Vec<String> {
    reasons.iter().filter_map(|reason| Told { reason, unit, words }.sentence()).collect()
}

impl Told<'_> {
    fn text(&self, name: &str) -> &str {
        self.reason.parameters.get(name).map_or("", String::as_str)
    }

    /// A value of the KPI.
    fn value(&self, name: &str) -> String {
        let text = self.text(name);
        text.parse::<Decimal>().map_or_else(|_| text.to_owned(), |value| self.words.value(value.round_dp(2), self.unit))
    }

    fn period(&self, name: &str) -> String {
        let text = self.text(name);
        Period::parse(text).map_or_else(|_| text.to_owned(), |period| self.words.period(period))
    }

    /// A ratio in percent. The reason has as many decimals as keep it on its side of a bound.
    fn share(&self, name: &str) -> String {
        let text = self.text(name);
        let percent = text.parse::<Decimal>().ok().and_then(|ratio| ratio.checked_mul(Decimal::ONE_HUNDRED));
        percent.map_or_else(|| text.to_owned(), |percent| self.words.percent(percent))
    }

    /// The bounds of the KPI's values, as far as it has any.
    fn bounds(&self) -> String {
        let bound = |name: &str| self.reason.parameters.contains_key(name).then(|| self.value(name));
        match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) => self.words.of(format!("{least} sampai {most}"), format!("{least} to {most}")),
            (Some(least), None) => self.words.of(format!("{least} atau lebih"), format!("{least} or more")),
            (None, most) => {
                let most = most.unwrap_or_default();
                self.words.of(format!("{most} atau kurang"), format!("{most} or less"))
            }
        }
    }

    /// The sentence. None for what is no reason of a standing.
    fn sentence(&self) -> Option<String> {
        use ReasonCode as Code;
        let (value, period, share) = (|name| self.value(name), |name| self.period(name), |name| self.share(name));
        let both = |id: String, en: String| Some(self.words.of(id, en));
        let plain = |id: &str, en: &str| Some(self.words.of(id, en).to_owned());
        match self.reason.code {
            Code::NoMeasurement => plain("Belum ada nilai yang terverifikasi.", "There is no verified value yet."),
            Code::NoTarget => plain("Belum ada target.", "There is no target yet."),
            Code::FinalTargetMet => {
                let (actual, target, by) = (value("actual"), value("target"), period("period"));
                both(
                    format!("Nilai terakhir, {actual}, sudah memenuhi target akhir: {target} pada {by}."),
                    format!("The latest value, {actual}, meets the final target already: {target} in {by}."),
                )
            }
            Code::NoTargetApplies => {
                let at = period("period");
                both(
                    format!("Nilai terakhir adalah dari {at}, sebelum titik pertama yang dapat dibandingkan dengannya."),
                    format!("The latest value is of {at}, before the first point that it could be compared with."),
                )
            }
            Code::TargetOfPeriod => {
                let (target, at) = (value("target"), period("period"));
                both(format!("Target untuk {at} adalah {target}."), format!("The target for {at} is {target}."))
            }
            Code::LastTargetContinues => {
                let (target, of, at) = (value("target"), period("target_period"), period("period"));
                both(
                    format!("Target terakhir, {target} untuk {of}, tetap berlaku pada {at}."),
                    format!("The last target, {target} for {of}, still applies in {at}."),
                )
            }
            Code::TargetOnLine => {
                let [target, from, to] = ["target", "from", "to"].map(value);
                let [at, from_period, to_period] = ["period", "from_period", "to_period"].map(period);
                both(
                    format!(
                        "Tidak ada target khusus untuk {at}: di garis lurus dari {from} ({from_period}) ke {to} ({to_period}), \
                         yang berlaku adalah {target}."
                    ),
                    format!(
                        "There is no target for {at} itself: on the straight line from {from} ({from_period}) to {to} ({to_period}), \
                         {target} applies."
                    ),
                )
            }
            Code::Ratio => {
                let [baseline, target, actual] = ["baseline", "target", "actual"].map(value);
                both(
                    format!("Dari nilai awal {baseline} semestinya sudah sampai {target}; nilai terakhir adalah {actual}."),
                    format!("From the baseline, {baseline}, it should have come to {target}; the latest value is {actual}."),
                )
            }
            Code::RatioFromZero => {
                let [target, actual] = ["target", "actual"].map(value);
                both(
                    format!(
                        "Tanpa nilai awal, diukur dari nol: semestinya sudah sampai {target}; nilai terakhir adalah {actual}."
                    ),
                    format!(
                        "Without a baseline it is measured from zero: it should have come to {target}; the latest value is {actual}."
                    ),
                )
            }
            Code::RatioOfAchievement => plain(
                "Tanpa nilai awal, nilai terakhir dibandingkan langsung dengan target itu.",
                "Without a baseline, the latest value is compared with that target itself.",
            ),
            Code::RatioOnTrack => {
                let (ratio, from) = (share("ratio"), share("from"));
                both(
                    format!("Itu {ratio} dari yang semestinya; sesuai jalur berarti paling sedikit {from}."),
                    format!("That is {ratio} of what it should be; on track means at least {from}."),
                )
            }
            Code::RatioAtRisk => {
                let [ratio, from, below] = ["ratio", "from", "below"].map(share);
                both(
                    format!("Itu {ratio} dari yang semestinya; berisiko berarti {from} sampai di bawah {below}."),
                    format!("That is {ratio} of what it should be; at risk means from {from} to below {below}."),
                )
            }
            Code::RatioOffTrack => {
                let (ratio, below) = (share("ratio"), share("below"));
                both(
                    format!("Itu {ratio} dari yang semestinya; tertinggal berarti di bawah {below}."),
                    format!("That is {ratio} of what it should be; off track means below {below}."),
                )
            }
            Code::RatioRegressed => plain(
                "Nilainya bergerak ke arah yang berlawanan dengan target.",
                "The value has moved in the opposite direction of the target.",
            ),
            Code::NoWayToGo => {
                let (target, baseline) = (value("target"), value("baseline"));
                both(
                    format!("Target itu, {target}, tidak meminta lebih baik daripada nilai awal {baseline}."),
                    format!("That target, {target}, asks for no better than the baseline, {baseline}."),
                )
            }
            Code::NoWayFromZero => {
                let target = value("target");
                both(
                    format!("Tanpa nilai awal, diukur dari nol, dan target {target} tidak meminta lebih baik daripada itu."),
                    format!(
                        "Without a baseline it is measured from zero, and the target of {target} asks for no better than that."
                    ),
                )
            }
            Code::ZeroTargetWithoutBaseline => plain(
                "Tanpa nilai awal dan dengan target nol, hanya dapat dikatakan apakah target itu terpenuhi.",
                "Without a baseline and with a target of zero, all that can be said is whether that target is met.",
            ),
            Code::TargetMet => {
                let actual = value("actual");
                both(
                    format!("Nilai terakhir, {actual}, memenuhi target itu."),
                    format!("The latest value, {actual}, meets that target."),
                )
            }
            Code::TargetMissed => {
                let actual = value("actual");
                both(
                    format!("Nilai terakhir, {actual}, tidak memenuhi target itu."),
                    format!("The latest value, {actual}, misses that target."),
                )
            }
            Code::TooLargeToCompare => {
                plain("Nilai-nilainya terlalu besar untuk dibandingkan.", "The values are too large to be compared.")
            }
            Code::AchievementOfZero => plain(
                "Dari target nol yang tidak terpenuhi tidak dapat dihitung tingkat capaian.",
                "Of a target of zero that is missed no achievement can be computed.",
            ),
            Code::AchievementTooLarge => {
                plain("Tingkat capaiannya terlalu besar untuk ditulis.", "The achievement is too large to be written.")
            }
            Code::ProgressWithoutWay => {
                let baseline = value("baseline");
                both(
                    format!("Nilai awal {baseline} sama dengan target akhir, jadi tidak ada jarak yang harus ditempuh."),
                    format!("The baseline, {baseline}, is the final target, so there is no way to go."),
                )
            }
            Code::ProgressAgainstDirection => {
                let (target, baseline) = (value("target"), value("baseline"));
                both(
                    format!(
                        "Target akhir {target} lebih buruk daripada nilai awal {baseline}, jadi jarak ke sana tidak dihitung."
                    ),
                    format!(
                        "The final target, {target}, is worse than the baseline, {baseline}, so the way to it is not counted."
                    ),
                )
            }
            Code::ProgressTooLarge => plain(
                "Nilai-nilainya terlalu besar untuk menghitung jarak yang ditempuh.",
                "The values are too large to compute the way that is done.",
            ),
            Code::ValueNotBegun => {
                let at = period("period");
                both(
                    format!("Ada nilai terverifikasi untuk {at}; nilai itu baru dihitung setelah periode tersebut dimulai."),
                    format!("There is a verified value for {at}, which counts once that period has begun."),
                )
            }
            Code::ProjectionBounded => {
                let bounds = self.bounds();
                both(
                    format!("Prakiraannya berhenti pada batas: nilai indikator ini {bounds}."),
                    format!("The forecast ends at a bound: values of this indicator are {bounds}."),
                )
            }
            Code::ActionDone
            | Code::ActionOverdue
            | Code::ActionBehind
            | Code::ActionNotStarted
            | Code::ActionBegunEarly
            | Code::ActionKeepsUp
            | Code::ActionProgress
            | Code::ActionProgressOfZero
            | Code::NoWeightedAction
            | Code::MeanProgress
            | Code::MeanExpected
            | Code::NothingExpected
            | Code::OpdAchievement
            | Code::BandBounds
            | Code::IkmOfMeans
            | Code::IkmOfSums
            | Code::GradeFrom
            | Code::GradeBetween
            | Code::GradeBelow => None,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use entity::kpi::UnitKind;
    use entity::rules::kpi::{Direction, Point, standing};

    use super::*;
    use crate::http::language::Language;

    const PERCENT: Unit = Unit { kind: UnitKind::Percent, label: None };

    fn point(period: &str, value: &str) -> Point {
        Point { period: Period::parse(period).unwrap(), value: value.parse().unwrap() }
    }

    /// What is said of a standing in both languages.
    fn told(direction: Direction, baseline: Option<&Point>, targets: &[Point], actual: Option<&Point>) -> [String; 2] {
        let reasons = standing(direction, baseline, targets, actual).reasons.into_iter().map(|reason| Reason {
            code: reason.code,
            parameters: reason.parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        });
        let reasons = reasons.collect::<Vec<_>>();
        [Language::Indonesian, Language::English]
            .map(|language| sentences(&reasons, &PERCENT, Words(language)).join(" ").replace('\u{a0}', " "))
    }

    #[test]
    fn a_standing_is_explained_as_it_was_found() {
        let (baseline, targets) = (point("2021", "28.3"), [point("2024", "14")]);
        let of = |value: &str| told(Direction::Decrease, Some(&baseline), &targets, Some(&point("2022", value)));
        assert_eq!(
            of("22.9"),
            [
                "Tidak ada target khusus untuk 2022: di garis lurus dari 28,3 % (2021) ke 14 % (2024), yang berlaku adalah 23,53 %. Dari nilai \
                 awal 28,3 % semestinya sudah sampai 23,53 %; nilai terakhir adalah 22,9 %. Itu 113 % dari yang semestinya; sesuai \
                 jalur berarti paling sedikit 95 %.",
                "There is no target for 2022 itself: on the straight line from 28.3% (2021) to 14% (2024), 23.53% applies. From the baseline, \
                 28.3%, it should have come to 23.53%; the latest value is 22.9%. That is 113% of what it should be; on track means at \
                 least 95%.",
            ]
        );
        assert!(of("24")[1].ends_with("at risk means from 60% to below 95%."), "{:?}", of("24"));
        assert!(of("28")[0].ends_with("tertinggal berarti di bawah 60 %."), "{:?}", of("28"));
        assert!(of("30")[1].ends_with("opposite direction of the target."), "{:?}", of("30"));
        assert_eq!(of("14")[0], "Nilai terakhir, 14 %, sudah memenuhi target akhir: 14 % pada 2024.");
        assert_eq!(told(Direction::Increase, None, &targets, None)[1], "There is no verified value yet.");
        assert_eq!(told(Direction::Increase, None, &[], Some(&baseline))[0], "Belum ada target.");
    }

    #[test]
    fn a_share_stays_on_its_side_of_a_bound() {
        let (baseline, targets) = (point("2021", "0"), [point("2022", "100"), point("2024", "200")]);
        let said = told(Direction::Increase, Some(&baseline), &targets, Some(&point("2022", "94.999")));
        assert!(said[1].ends_with("That is 94.999% of what it should be; at risk means from 60% to below 95%."), "{said:?}");
    }

    #[test]
    fn every_reason_of_a_standing_is_a_sentence_in_both_languages() {
        use sea_orm::Iterable;

        for code in ReasonCode::iter() {
            let (rule, _) = code.texts();
            let names = rule.split('{').skip(1).filter_map(|rest| rest.split('}').next()).chain(["minimum"]);
            let parameters =
                names.map(|name| (name.to_owned(), if name.contains("period") { "2022-Q3" } else { "1.5" }.to_owned()));
            let reasons = [Reason { code, parameters: parameters.collect() }];
            let said = [Language::Indonesian, Language::English].map(|language| sentences(&reasons, &PERCENT, Words(language)));
            let [id, en] = said.map(|said| said.concat());
            assert_eq!(id.is_empty(), en.is_empty(), "{code:?}");
            assert!(id.is_empty() || id != en, "{code:?}");
            assert!(!format!("{id}{en}").contains("1.5") || en.contains("1.5%"), "{code:?}: {id} {en}");
            assert!(!id.contains("2022-Q3") && !en.contains("2022-Q3"), "{code:?}: {id} {en}");
        }
    }
}
