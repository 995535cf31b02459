//! Counts of programmes by status, KPIs by standing, and actions and findings by state, which several figures show.

use chrono::NaiveDate;
use entity::rules::finding::{self, FindingState};
use entity::rules::kpi::Standing;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::renaksi::ActionState;
use entity::value::decimal::Percent;
use serde::Serialize;
use utoipa::ToSchema;

/// How many programmes are planned and running.
#[derive(Clone, Default, Serialize, ToSchema)]
#[schema(as = ProgrammeCounts)]
pub struct Counts {
    /// The number of programmes that the masterplan contains on the day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 40)]
    pub planned: u32,
    /// The number of those programmes that are running.
    #[schema(minimum = 0, maximum = 2147483647, example = 35)]
    pub running: u32,
    /// The share of planned programmes that run, in percent: running ÷ planned × 100, rounded to two decimals. It is 100.00 only
    /// if all run and 0.00 only if none does. Over several groups it is the ratio of the sums, never the mean of the shares. Null
    /// if no programme is planned.
    pub running_percent: Option<Percent>,
    /// The number of programmes in each status.
    pub by_status: StatusCounts,
}

/// The number of programmes in each status.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct StatusCounts {
    /// Programmes that have not started.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub planned: u32,
    /// Programmes that are running.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub running: u32,
    /// Programmes that are suspended for the time being.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub suspended: u32,
    /// Programmes that are completed.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub completed: u32,
    /// Programmes that were cancelled.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub cancelled: u32,
}

/// The number of KPIs in each standing.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct KpiCounts {
    /// The number of all KPIs.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub total: u32,
    /// The number of KPIs in each standing.
    pub by_standing: StandingCounts,
}

/// The number of KPIs in each standing.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct StandingCounts {
    /// KPIs whose latest value meets the final target.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub achieved: u32,
    /// KPIs that have covered at least 0.95 of the way that they should have covered by now.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub on_track: u32,
    /// KPIs that have covered at least 0.60 of that way, but less than 0.95.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub at_risk: u32,
    /// KPIs that have covered less than 0.60 of that way.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub off_track: u32,
    /// KPIs that have moved away from the target.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub regressed: u32,
    /// KPIs without a verified measurement or without a target.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub no_data: u32,
}

impl Counts {
    /// Adds programmes in a status.
    pub fn add(&mut self, status: ProgrammeStatus, number: u32) {
        self.planned += number;
        *self.by_status.of(status) += number;
        self.running = self.by_status.running;
        self.running_percent = Percent::share(self.running.into(), self.planned.into());
    }
}

impl StatusCounts {
    /// The number of programmes in the status.
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
    /// Adds a KPI.
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

/// The number of actions in each state.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct ActionCounts {
    /// The number of all actions.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub total: u32,
    /// Actions of which nothing is realised and nothing is due.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub not_started: u32,
    /// Actions that have reached what was due by now.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub on_track: u32,
    /// Actions whose due day has passed, or that are behind the target of the last quarter that ended.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub late: u32,
    /// Actions whose target for the year is reached and verified.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub done: u32,
}

/// The number of findings in each state.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct FindingCounts {
    /// Findings on which nobody has begun to work.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub open: u32,
    /// Findings that are being resolved.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub in_progress: u32,
    /// Findings that are resolved.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub done: u32,
    /// Findings that are not resolved although their due day has passed; they are counted in their state, too.
    #[schema(minimum = 0, maximum = 2147483647)]
    pub overdue: u32,
}

impl ActionCounts {
    /// Adds an action.
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
    /// Adds findings in a state that are due on the same day, as of `today`.
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
