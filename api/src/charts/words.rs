//! The words, numbers and dates of charts in Indonesian and English.

use chrono::{Datelike, NaiveDate};
use entity::kpi::UnitKind;
use entity::rules::bands::Band;
use entity::rules::kpi::{Direction, Standing};
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::period::{Frequency, Period};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::figures::{Statuses, Unit};
use crate::http::language::Language;

const MONTHS_ID: [&str; 12] =
    ["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September", "Oktober", "November", "Desember"];
const MONTHS_EN: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const SHORT_ID: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"];
const SHORT_EN: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const ROMAN: [&str; 4] = ["I", "II", "III", "IV"];

/// The words of a language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words(pub Language);

impl Words {
    /// One of two texts: in Indonesian or in English.
    pub fn of<T>(self, id: T, en: T) -> T {
        match self.0 {
            Language::Indonesian => id,
            Language::English => en,
        }
    }

    /// A decimal number as it is written, with as many decimals as it has but for zeros at its end.
    pub fn number(self, value: Decimal) -> String {
        let text = value.normalize().abs().to_string();
        let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
        let (thousands, point) = self.of((".", ","), (",", "."));
        let mut written = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index).is_multiple_of(3) {
                written.push_str(thousands);
            }
            written.push(digit);
        }
        if !decimals.is_empty() {
            written.push_str(point);
            written.push_str(decimals);
        }
        if value.is_sign_negative() && !value.is_zero() { format!("−{written}") } else { written }
    }

    /// A large number in a few digits, such as `1,25 miliar`; others as they are.
    pub fn compact(self, value: Decimal) -> String {
        let names = [
            (Decimal::from(1_000_000_000_000_i64), self.of("triliun", "trillion")),
            (Decimal::from(1_000_000_000), self.of("miliar", "billion")),
            (Decimal::from(1_000_000), self.of("juta", "million")),
        ];
        match names.into_iter().find(|(unit, _)| *unit <= value.abs()) {
            Some((unit, name)) => format!("{}\u{a0}{name}", self.number((value / unit).round_dp(2))),
            None => self.number(value.round_dp(4)),
        }
    }

    /// A number of things.
    pub fn count(self, number: u32) -> String {
        self.number(number.into())
    }

    /// A percentage.
    pub fn percent(self, value: Decimal) -> String {
        format!("{}{}", self.number(value), self.of("\u{a0}%", "%"))
    }

    /// A value in a unit, as a chart writes it beside a point.
    pub fn value(self, value: Decimal, unit: &Unit) -> String {
        if unit.kind == UnitKind::Percent { self.percent(value.round_dp(4)) } else { self.compact(value) }
    }

    /// A value in a unit, in full.
    pub fn value_in_full(self, value: Decimal, unit: &Unit) -> String {
        match (unit.kind, &unit.label) {
            (UnitKind::Percent, _) => self.percent(value),
            (UnitKind::Currency, Some(label)) => format!("{label}\u{a0}{}", self.number(value)),
            (UnitKind::PercentagePoint, None) => {
                format!("{} {}", self.number(value), self.of("poin persentase", "percentage points"))
            }
            // An index has no unit; its label only says that it is one.
            (UnitKind::Index, _) | (_, None) => self.number(value),
            (_, Some(label)) => format!("{} {label}", self.number(value)),
        }
    }

    /// A day, such as `4 Oktober 2022`.
    pub fn day(self, day: NaiveDate) -> String {
        let month = self.of(MONTHS_ID, MONTHS_EN)[usize::try_from(day.month0()).unwrap_or_default()];
        format!("{}\u{a0}{month} {}", day.day(), day.year())
    }

    /// A period in a sentence.
    pub fn period(self, period: Period) -> String {
        match period {
            Period::Year(year) => year.to_string(),
            Period::Half(year, half) => self.of(format!("semester {half} {year}"), format!("half-year {half} of {year}")),
            Period::Quarter(year, quarter) => {
                self.of(format!("triwulan {} {year}", roman(quarter)), format!("Q{quarter} {year}"))
            }
            Period::Month(year, month) => format!("{} {year}", one_of(self.of(MONTHS_ID, MONTHS_EN), month)),
        }
    }

    /// A period on an axis.
    pub fn short_period(self, period: Period) -> String {
        match period {
            Period::Year(year) => year.to_string(),
            Period::Half(year, half) => self.of(format!("S{half} {year}"), format!("H{half} {year}")),
            Period::Quarter(year, quarter) => self.of(format!("Tw {} {year}", roman(quarter)), format!("Q{quarter} {year}")),
            Period::Month(year, month) => format!("{} {year}", one_of(self.of(SHORT_ID, SHORT_EN), month)),
        }
    }

    /// The end of each period of a frequency.
    pub fn end_of_each(self, frequency: Frequency) -> &'static str {
        match frequency {
            Frequency::Yearly => self.of("akhir setiap tahun", "the end of each year"),
            Frequency::Semesterly => self.of("akhir setiap semester", "the end of each half-year"),
            Frequency::Quarterly => self.of("akhir setiap triwulan", "the end of each quarter"),
            Frequency::Monthly => self.of("akhir setiap bulan", "the end of each month"),
        }
    }

    /// The status of programmes.
    pub fn status(self, status: ProgrammeStatus) -> &'static str {
        match status {
            ProgrammeStatus::Planned => self.of("belum dimulai", "not started"),
            ProgrammeStatus::Running => self.of("berjalan", "running"),
            ProgrammeStatus::Suspended => self.of("ditangguhkan", "suspended"),
            ProgrammeStatus::Completed => self.of("selesai", "completed"),
            ProgrammeStatus::Cancelled => self.of("dibatalkan", "cancelled"),
        }
    }

    /// The statuses that there are programmes in, with their numbers: `35 berjalan, 5 belum dimulai`.
    pub fn statuses(self, counts: Statuses) -> String {
        let shown = counts.in_order().filter(|(_, number)| *number > 0);
        shown.map(|(status, number)| format!("{} {}", self.count(number), self.status(status))).collect::<Vec<_>>().join(", ")
    }

    /// A number of programmes.
    pub fn programmes(self, number: u32) -> String {
        format!("{} {}", self.count(number), self.of("program", if number == 1 { "programme" } else { "programmes" }))
    }

    /// The performance band.
    pub fn band(self, band: Band) -> &'static str {
        match band {
            Band::VeryHigh => self.of("sangat tinggi", "very high"),
            Band::High => self.of("tinggi", "high"),
            Band::Medium => self.of("sedang", "medium"),
            Band::Low => self.of("rendah", "low"),
            Band::VeryLow => self.of("sangat rendah", "very low"),
        }
    }

    /// The standing of a KPI.
    pub fn standing(self, standing: Standing) -> &'static str {
        match standing {
            Standing::Achieved => self.of("target akhir tercapai", "final target met"),
            Standing::OnTrack => self.of("sesuai jalur", "on track"),
            Standing::AtRisk => self.of("berisiko", "at risk"),
            Standing::OffTrack => self.of("tertinggal", "off track"),
            Standing::Regressed => self.of("menjauh dari target", "moving away from the target"),
            Standing::NoData => self.of("belum dapat dinilai", "cannot be judged yet"),
        }
    }

    /// Which direction is better.
    pub fn direction(self, direction: Direction) -> &'static str {
        match direction {
            Direction::Increase => self.of("makin tinggi makin baik", "higher is better"),
            Direction::Decrease => self.of("makin rendah makin baik", "lower is better"),
        }
    }

    /// The line below a chart: where its figures come from, and of which day they are.
    pub fn source(self, as_of: NaiveDate, masterplan: Option<&str>) -> String {
        let day = self.day(as_of);
        let source = self.of(
            format!("Sumber: Renaksi, data publik yang terverifikasi. Keadaan {day}."),
            format!("Source: Renaksi, public and verified data. As of {day}."),
        );
        masterplan.map_or(source.clone(), |code| format!("{source} Masterplan: {code}."))
    }
}

fn roman(quarter: u8) -> &'static str {
    one_of(ROMAN, quarter)
}

fn one_of<const N: usize>(names: [&'static str; N], number: u8) -> &'static str {
    usize::from(number).checked_sub(1).and_then(|at| names.get(at)).copied().unwrap_or_default()
}

/// A decimal number, near enough to be drawn.
pub fn near(value: Decimal) -> f64 {
    value.to_f64().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        let (id, en) = (Words(Language::Indonesian), Words(Language::English));
        let of = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!((id.percent(of("87.50")), en.percent(of("87.50"))), ("87,5\u{a0}%".into(), "87.5%".into()));
        assert_eq!((id.number(of("-1234567.80")), en.number(of("1234567.80"))), ("−1.234.567,8".into(), "1,234,567.8".into()));
        assert_eq!((id.number(of("0")), id.number(of("-0.00")), id.number(of("999"))), ("0".into(), "0".into(), "999".into()));
        assert_eq!((id.compact(of("1250000000")), en.compact(of("999999"))), ("1,25\u{a0}miliar".into(), "999,999".into()));
        assert_eq!(id.period(Period::Quarter(2022, 3)), "triwulan III 2022");
        assert_eq!(id.day("2022-10-04".parse().unwrap()), "4\u{a0}Oktober 2022");
    }
}
