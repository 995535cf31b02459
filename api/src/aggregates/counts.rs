//! How many things have which status, standing or state: what several figures show.

use chrono::NaiveDate;
use entity::rules::finding::{self, FindingState};
use entity::rules::kpi::Standing;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::renaksi::ActionState;
use entity::value::decimal::Percent;
use serde::Serialize;
use utoipa::ToSchema;

/// How many programmes.
#[derive(Clone, Default, Serialize, ToSchema)]
#[schema(as = ProgrammeCounts)]
pub struct Counts {
    /// Programmes that the masterplan holds on that day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 40)]
    pub planned: u32,
    /// Those that run.
    #[schema(minimum = 0, maximum = 2147483647, example = 35)]
    pub running: u32,
    /// Running ÷ planned × 100; 100.00 only where all run, 0.00 only where none does. Over several groups it is the ratio of the sums, never the mean of their shares. Null where nothing is planned.
    pub running_percent: Option<Percent>,
    /// How many have each status.
    pub by_status: StatusCounts,
}

/// How many programmes have each status.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct StatusCounts {
    /// Not begun.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub planned: u32,
    /// Under way.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub running: u32,
    /// Halted for now.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub suspended: u32,
    /// Done.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub completed: u32,
    /// Given up.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub cancelled: u32,
}

/// How many KPIs have each standing.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct KpiCounts {
    /// All KPIs.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub total: u32,
    /// How many have each standing.
    pub by_standing: StandingCounts,
}

/// How many KPIs have each standing.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct StandingCounts {
    /// The final target is met.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub achieved: u32,
    /// At least 0.95 of the way that should be done by now.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub on_track: u32,
    /// At least 0.60 of it.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub at_risk: u32,
    /// Less.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub off_track: u32,
    /// Moved away from the target.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub regressed: u32,
    /// No verified measurement, or no target.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub no_data: u32,
}

impl Counts {
    /// Counts programmes of a status.
    pub fn add(&mut self, status: ProgrammeStatus, number: u32) {
        self.planned += number;
        *self.by_status.of(status) += number;
        self.running = self.by_status.running;
        self.running_percent = Percent::share(self.running.into(), self.planned.into());
    }
}

impl StatusCounts {
    /// How many have the status.
    pub fn of(&mut self, status: ProgrammeStatus) -> &mut u32 {
        match status {
            ProgrammeStatus::Planned => &mut self.planned,
            ProgrammeStatus::Running => &mut self.running,
            ProgrammeStatus::Suspended => &mut self.suspended,
            ProgrammeStatus::Completed => &mut self.completed,
            ProgrammeStatus::Cancelled => &mut self.cancelled,
        }
    }
}

impl KpiCounts {
    /// Counts a KPI.
    pub fn add(&mut self, standing: Standing) {
        self.total += 1;
        let count = match standing {
            Standing::Achieved => &mut self.by_standing.achieved,
            Standing::OnTrack => &mut self.by_standing.on_track,
            Standing::AtRisk => &mut self.by_standing.at_risk,
            Standing::OffTrack => &mut self.by_standing.off_track,
            Standing::Regressed => &mut self.by_standing.regressed,
            Standing::NoData => &mut self.by_standing.no_data,
        };
        *count += 1;
    }
}

/// How many actions have each state.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct ActionCounts {
    /// All actions.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub total: u32,
    /// Nothing is realised, and nothing is due.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub not_started: u32,
    /// As far as they should be.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub on_track: u32,
    /// Their day has passed, or they are behind the target of the last quarter that ended.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub late: u32,
    /// The year's target is reached and verified.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub done: u32,
}

/// How many findings have each state.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct FindingCounts {
    /// Nobody has taken them up.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub open: u32,
    /// Being mended.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub in_progress: u32,
    /// Mended.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub done: u32,
    /// Of those that are not mended: their day has passed.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub overdue: u32,
}

impl ActionCounts {
    /// Counts an action.
    pub fn add(&mut self, state: ActionState) {
        self.total += 1;
        let count = match state {
            ActionState::NotStarted => &mut self.not_started,
            ActionState::OnTrack => &mut self.on_track,
            ActionState::Late => &mut self.late,
            ActionState::Done => &mut self.done,
        };
        *count += 1;
    }
}

impl FindingCounts {
    /// Counts findings of a state that are due on the same day, as they stand on `today`.
    pub fn add(&mut self, state: FindingState, due_on: Option<NaiveDate>, today: NaiveDate, number: u32) {
        let count = match state {
            FindingState::Open => &mut self.open,
            FindingState::InProgress => &mut self.in_progress,
            FindingState::Done => &mut self.done,
        };
        *count += number;
        if finding::is_overdue(due_on, state, today) {
            self.overdue += number;
        }
    }
}
