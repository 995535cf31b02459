//! What the charts read of the public answers with figures.

use chrono::NaiveDate;
use entity::kpi::UnitKind;
use entity::rules::bands::Band;
use entity::rules::kpi::{Direction, Standing};
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::period::{Frequency, Period};
use rust_decimal::Decimal;
use serde::Deserialize;

/// Of the summary of the masterplan.
#[derive(Clone, Debug, Deserialize)]
pub struct Summary {
    /// The day as of whose end it holds.
    pub as_of: NaiveDate,
    /// The masterplan that is counted; none if all are.
    pub masterplan: Option<String>,
    /// All programmes.
    pub totals: Counts,
    /// The programmes of each dimension.
    pub dimensions: Vec<Dimension>,
}

/// How many programmes there are, and how many run.
#[derive(Clone, Debug, Deserialize)]
pub struct Counts {
    /// All of them.
    pub planned: u32,
    /// Those that run.
    pub running: u32,
    /// Their share in percent.
    pub running_percent: Option<Decimal>,
    /// All of them, by status.
    pub by_status: Statuses,
}

/// The programmes of a dimension.
#[derive(Clone, Debug, Deserialize)]
pub struct Dimension {
    /// Its name in Indonesian.
    pub name: String,
    /// Its name in English.
    pub name_en: Option<String>,
    /// How many there are.
    #[serde(flatten)]
    pub counts: Counts,
}

/// The number of programmes in each status.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct Statuses {
    /// Those that have not started.
    pub planned: u32,
    /// Those that run.
    pub running: u32,
    /// Those that are suspended.
    pub suspended: u32,
    /// Those that are completed.
    pub completed: u32,
    /// Those that were cancelled.
    pub cancelled: u32,
}

impl Statuses {
    /// The order in which charts show them: what is done first.
    pub const ORDER: [ProgrammeStatus; 5] = [
        ProgrammeStatus::Completed,
        ProgrammeStatus::Running,
        ProgrammeStatus::Suspended,
        ProgrammeStatus::Planned,
        ProgrammeStatus::Cancelled,
    ];

    /// The number of those in a status.
    pub fn of(&self, status: ProgrammeStatus) -> u32 {
        match status {
            ProgrammeStatus::Planned => self.planned,
            ProgrammeStatus::Running => self.running,
            ProgrammeStatus::Suspended => self.suspended,
            ProgrammeStatus::Completed => self.completed,
            ProgrammeStatus::Cancelled => self.cancelled,
        }
    }

    /// Each status with its number, in the order in which charts show them.
    pub fn in_order(self) -> impl Iterator<Item = (ProgrammeStatus, u32)> {
        Self::ORDER.into_iter().map(move |status| (status, self.of(status)))
    }
}

/// Of the timeline.
#[derive(Clone, Debug, Deserialize)]
pub struct Timeline {
    /// Its last day.
    pub as_of: NaiveDate,
    /// The masterplan that is counted; none if all are.
    pub masterplan: Option<String>,
    /// The periods in their order.
    pub steps: Vec<Step>,
}

/// The programmes at the end of a period.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// The period.
    pub period: Period,
    /// How many there are.
    pub total: u32,
    /// How many are in each status.
    pub by_status: Statuses,
}

/// Of the scoreboard.
#[derive(Clone, Debug, Deserialize)]
pub struct Scoreboard {
    /// The day as of whose end it holds.
    pub as_of: NaiveDate,
    /// The year of the actions.
    pub year: i32,
    /// The quarter up to whose end they count.
    pub quarter: u8,
    /// The masterplan that is counted; none if all are.
    pub masterplan: Option<String>,
    /// The OPDs, the best first.
    pub rows: Vec<Opd>,
}

/// The row of an OPD.
#[derive(Clone, Debug, Deserialize)]
pub struct Opd {
    /// Its name.
    pub name: String,
    /// Its rank; none without an achievement.
    pub rank: Option<u32>,
    /// The programmes that it leads.
    pub programmes_led: Led,
    /// Its actions.
    pub renaksi: Renaksi,
}

/// The programmes that an OPD leads.
#[derive(Clone, Debug, Deserialize)]
pub struct Led {
    /// All of them.
    pub total: u32,
    /// Those that run.
    pub running: u32,
}

/// How an OPD carries out its actions.
#[derive(Clone, Debug, Deserialize)]
pub struct Renaksi {
    /// How much of the year's targets is realised, in percent.
    pub progress: Option<Decimal>,
    /// How much was to be realised by the end of the quarter, in percent.
    pub expected: Option<Decimal>,
    /// The one in percent of the other.
    pub achievement: Option<Decimal>,
    /// The band of the achievement.
    pub band: Option<Band>,
    /// The actions.
    pub actions: Actions,
}

/// The actions of an OPD.
#[derive(Clone, Debug, Deserialize)]
pub struct Actions {
    /// All of them.
    pub total: u32,
}

/// Of the standing of a KPI.
#[derive(Clone, Debug, Deserialize)]
pub struct KpiStanding {
    /// The name of the KPI.
    pub name: String,
    /// The direction in which it should move.
    pub direction: Direction,
    /// How often it is measured.
    pub frequency: Frequency,
    /// The day as of whose end it holds.
    pub as_of: NaiveDate,
    /// The standing.
    pub standing: Standing,
}

/// Of the series of a KPI.
#[derive(Clone, Debug, Deserialize)]
pub struct KpiSeries {
    /// The unit of the values.
    pub unit: Unit,
    /// The value from which the KPI starts.
    pub baseline: Option<Point>,
    /// The targets, in the order of their periods.
    pub targets: Vec<Point>,
    /// The verified values, in the order of their periods.
    pub actuals: Vec<Point>,
}

/// The unit of a KPI.
#[derive(Clone, Debug, Deserialize)]
pub struct Unit {
    /// Its kind.
    pub kind: UnitKind,
    /// What it is called.
    pub label: Option<String>,
}

/// A value at the end of a period.
#[derive(Clone, Debug, Deserialize)]
pub struct Point {
    /// The period.
    pub period: Period,
    /// The value.
    pub value: Decimal,
    /// The day from which it counts, if it is a measurement.
    #[serde(default)]
    pub known_on: Option<NaiveDate>,
}
