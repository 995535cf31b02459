//! The scoreboard: how each OPD carries out its part of the masterplan in a quarter, ranked.

use crate::resources::evaluations;
use crate::resources::evaluations::findings;
use crate::resources::opds;
use crate::resources::programmes;
use crate::store::kind::{BeforeFirst, Scope};
use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use entity::rules::bands::Band;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::ranking::rank;
use entity::rules::renaksi::{self, ActionPlan, ActionState};
use entity::rules::timeliness::{self, Timeliness};
use entity::value::decimal::Percent;
use entity::value::period::{Frequency, Period};
use sea_orm::{ConnectionTrait, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::{ActionCounts, KpiCounts};
use super::standing;
use super::summary::{must_know, of_actions, programme_counts};
use crate::http::language::Language;
use crate::http::problem::ApiResult;
use crate::resources::action_plans::{PlannedAction, planned};
use crate::resources::explanation::{Explanation, InLanguage};
use crate::store::scope::of_masterplan;
use crate::store::snapshots::AsOf;

/// The request for a scoreboard.
#[derive(Clone, Debug)]
pub struct ScoreboardRequest {
    /// Only rows that belong to this masterplan are counted.
    pub masterplan: Option<String>,
    /// The year of the actions.
    pub year: i32,
    /// The quarter, 1 to 4.
    pub quarter: u8,
    /// The day as of whose end the scoreboard is computed.
    pub as_of: AsOf,
}

impl ScoreboardRequest {
    /// The scoreboard of all masterplans for the last quarter that ended before the end of a day.
    pub fn latest(as_of: AsOf) -> Self {
        let (year, quarter) = last_ended(as_of.day);
        Self { masterplan: None, year, quarter, as_of }
    }
}

/// How well the OPDs carry out their part of the masterplan, by what was known on a day.
#[derive(Serialize, ToSchema)]
pub struct Scoreboard {
    /// The day as of whose end the figures hold.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The year of the actions.
    #[schema(minimum = 1900, maximum = 2199, example = 2022)]
    year: i32,
    /// The quarter up to whose end the actions and their reports are counted.
    #[schema(minimum = 1, maximum = 4, example = 3)]
    quarter: u8,
    /// The masterplan that is counted; null if all are.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// One row for each OPD, by rank and then by code: all OPDs that are active, and every other OPD for which something is
    /// counted. The figures of an OPD are its own, without those of the OPDs below it.
    #[schema(max_items = 10000)]
    rows: Vec<ScoreboardRow>,
}

/// How well one OPD carries out its part of the masterplan.
#[derive(Clone, Serialize, ToSchema)]
pub struct ScoreboardRow {
    /// The code of the OPD.
    #[schema(max_length = 64, example = "DINKES")]
    pub opd: String,
    /// The name of the OPD.
    #[schema(max_length = 200)]
    name: String,
    /// The rank of the OPD by `renaksi.achievement`, the greatest first. OPDs with equal achievements share a rank and leave the
    /// next ones empty. Null for an OPD without an achievement.
    #[schema(minimum = 1, maximum = 2147483647)]
    pub rank: Option<u32>,
    /// The programmes that the OPD leads.
    programmes_led: ProgrammesLed,
    /// The actions of the OPD in the year.
    renaksi: Renaksi,
    /// The reports of the OPD on its actions for the quarter.
    reports: ReportCounts,
    /// The KPIs that the OPD reports.
    kpis: KpiCounts,
    /// The number of findings that are not done: those that the OPD has to resolve and, of the findings that name no OPD, those
    /// about a programme that it leads.
    #[schema(minimum = 0, maximum = 2147483647)]
    findings_open: u32,
    /// How the progress, the expected progress, the achievement and the band were computed.
    explanation: Explanation,
}

impl InLanguage for Scoreboard {
    fn speak(&mut self, language: Language) {
        self.rows.iter_mut().for_each(|row| row.speak(language));
    }
}

impl InLanguage for ScoreboardRow {
    fn speak(&mut self, language: Language) {
        self.explanation.speak(language);
    }
}

/// The programmes that an OPD leads on the day.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct ProgrammesLed {
    /// The number of all these programmes, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647)]
    total: u32,
    /// The number of those that are running.
    #[schema(minimum = 0, maximum = 2147483647)]
    running: u32,
}

/// The progress of the actions of an OPD against their targets up to the end of the quarter, weighted by the actions' weights.
#[derive(Clone, Serialize, ToSchema)]
pub struct Renaksi {
    /// The progress in percent: the weighted mean of cumulative realisation ÷ target of the year × 100, each at most 100. Only
    /// verified realisation counts. It is 100.00 only if every action is realised in full, and 0.00 only if nothing is realised.
    /// Null if there are no actions.
    progress: Option<Percent>,
    /// The progress that is expected by the end of the quarter, in percent: the weighted mean of cumulative target ÷ target of
    /// the year × 100.
    expected: Option<Percent>,
    /// The achievement in percent: progress ÷ expected × 100, computed from the exact means, so that it is below 100 whenever the
    /// progress is less than expected. Null if nothing was expected yet.
    achievement: Option<Percent>,
    /// The performance band of the achievement (Permendagri 86/2017): `very_high` from 91, `high` from 76, `medium` from 66,
    /// `low` above 50, else `very_low`.
    band: Option<Band>,
    /// The number of actions in each state at the end of the quarter, or on the day if that is earlier, by what was verified up
    /// to the quarter.
    actions: ActionCounts,
}

/// How punctual the reports on actions were for the quarter. Each report is due on the 10th of the month after the quarter.
#[derive(Clone, Serialize, ToSchema)]
pub struct ReportCounts {
    /// The number of reports that were submitted or whose due day has passed: `on_time` + `late` + `missing`. It is 0 before the
    /// quarter has ended.
    #[schema(minimum = 0, maximum = 2147483647)]
    due: u32,
    /// The number of reports that were first submitted by their due day.
    #[schema(minimum = 0, maximum = 2147483647)]
    on_time: u32,
    /// The number of reports that were first submitted after their due day.
    #[schema(minimum = 0, maximum = 2147483647)]
    late: u32,
    /// The number of reports that were not submitted although their due day has passed.
    #[schema(minimum = 0, maximum = 2147483647)]
    missing: u32,
}

/// The last quarter that ended before the end of a day, with its year.
pub fn last_ended(day: NaiveDate) -> (i32, u8) {
    let current = Period::containing(Frequency::Quarterly, day);
    match Period::from_index(Frequency::Quarterly, current.index() - 1) {
        Some(Period::Quarter(year, quarter)) => (year, quarter),
        _ => (day.year(), 1),
    }
}

/// The counts of one OPD.
#[derive(Default)]
struct Figures {
    led: ProgrammesLed,
    plans: Vec<ActionPlan>,
    actions: ActionCounts,
    timeliness: Vec<Timeliness>,
    kpis: KpiCounts,
    findings_open: u32,
}

/// The rows of a scoreboard, with the actions from which they were computed.
pub(super) struct Board {
    pub rows: Vec<ScoreboardRow>,
    pub actions: Vec<PlannedAction>,
}

/// Computes the scoreboard with at most eight statements, whatever the number of rows.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, asked: ScoreboardRequest) -> ApiResult<Scoreboard> {
    if let Some(code) = &asked.masterplan {
        must_know(db, scope, code).await?;
    }
    let Board { rows, .. } = board(db, scope, &asked, None).await?;
    Ok(Scoreboard { as_of: asked.as_of.day, year: asked.year, quarter: asked.quarter, masterplan: asked.masterplan, rows })
}

/// Computes the rows. The OPD named by `also` has a row even if nothing is counted for it.
pub(super) async fn board(
    db: &impl ConnectionTrait,
    scope: Scope,
    asked: &ScoreboardRequest,
    also: Option<&str>,
) -> ApiResult<Board> {
    let (plan, as_of) = (asked.masterplan.as_deref(), asked.as_of);
    let mut figures: HashMap<String, Figures> = HashMap::new();
    for ((opd, status), number) in programme_counts(db, scope, plan, as_of, "lead_opd").await? {
        let led = &mut figures.entry(opd).or_default().led;
        led.total += number;
        led.running += if status == ProgrammeStatus::Running { number } else { 0 };
    }
    let (condition, values) = of_actions(scope, plan, as_of, asked.year);
    let actions = planned(db, as_of, &condition, values).await?;
    for action in &actions {
        let own = figures.entry(action.opd.clone()).or_default();
        own.plans.push(action.plan);
        own.actions.add(asked.state(action));
        own.timeliness.push(asked.timeliness(scope, action, asked.quarter));
    }
    for (opd, standing) in standing::all(db, scope, plan, as_of).await? {
        figures.entry(opd).or_default().kpis.add(standing);
    }
    for (opd, number) in open_findings(db, scope, plan, as_of).await? {
        figures.entry(opd).or_default().findings_open = number;
    }
    let opds = opds(db, scope, as_of).await?.into_iter();
    let rows = opds.filter(|opd| opd.stands || also == Some(&opd.code) || figures.contains_key(&opd.code)).collect::<Vec<_>>();
    let rows = rows.into_iter().map(|opd| row(figures.remove(&opd.code).unwrap_or_default(), opd, asked)).collect();
    Ok(Board { rows: ranked(rows), actions })
}

impl ScoreboardRequest {
    /// The plan of an action, with what was verified of it up to the quarter.
    pub(super) fn up_to_quarter(&self, action: &PlannedAction) -> ActionPlan {
        let mut plan = action.plan;
        plan.realisation.iter_mut().skip(self.quarter.into()).for_each(|later| *later = None);
        plan
    }

    /// The state of an action right after the end of the quarter, or on the day if that is earlier.
    fn state(&self, action: &PlannedAction) -> ActionState {
        renaksi::state(&self.up_to_quarter(action), self.judged_on())
    }

    /// The day on which actions are judged: that after the quarter, or that of the request if it is earlier.
    pub(super) fn judged_on(&self) -> NaiveDate {
        let end = Period::Quarter(self.year, self.quarter).end();
        end.succ_opt().unwrap_or(end).min(self.as_of.day)
    }

    /// The timeliness of the report on an action for a quarter, as of the day. For the public, a submitted report counts only
    /// once it is verified; until then it is not counted as missing either.
    pub(super) fn timeliness(&self, scope: Scope, action: &PlannedAction, quarter: u8) -> Timeliness {
        let at = usize::from(quarter) - 1;
        let (handed_in_on, is_verified) = (action.handed_in_on[at], action.plan.realisation[at].is_some());
        if scope == Scope::Published && handed_in_on.is_some() && !is_verified {
            return Timeliness::NotDue;
        }
        timeliness::timeliness(self.year, quarter, handed_in_on, self.as_of.day)
    }
}

/// An OPD, and whether it has a row even if nothing is counted for it.
struct Heading {
    code: String,
    name: String,
    stands: bool,
}

async fn opds(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<Heading>> {
    let (ever, made, shown) = (
        as_of.counting(&opds::KIND, BeforeFirst::AsMade),
        as_of.counting(&opds::KIND, BeforeFirst::Absent),
        scope.shows(&opds::KIND, "o", as_of),
    );
    let sql = format!(
        "SELECT o.code, o.name, o.active AND o.code IN (SELECT m.code FROM {made} m) AS stands FROM {ever} o WHERE {shown} ORDER BY o.code"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    rows.iter()
        .map(|row| {
            let [code, name] = [row.try_get("", "code")?, row.try_get("", "name")?];
            Ok(Heading { code, name, stands: row.try_get("", "stands")? })
        })
        .collect()
}

async fn open_findings(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
) -> ApiResult<BTreeMap<String, u32>> {
    let mut values = Vec::new();
    let (shown, of_plan) = (scope.shows(&findings::KIND, "f", as_of), of_masterplan("e", masterplan, &mut values));
    // An OPD whose programme is not shown to the public has no public finding about it to resolve.
    let led = scope.shows(&programmes::KIND, "p", as_of);
    let (findings, evaluations, programmes) =
        (as_of.of(&findings::KIND), as_of.of(&evaluations::KIND), as_of.of(&programmes::KIND));
    let sql = format!(
        "SELECT COALESCE(f.opd, p.lead_opd) AS mends, COUNT(*) AS number FROM {findings} f \
         JOIN {evaluations} e ON e.code = f.evaluation LEFT JOIN {programmes} p ON p.code = f.programme AND {led} \
         WHERE f.state <> 'done' AND {shown} AND {of_plan} GROUP BY COALESCE(f.opd, p.lead_opd)"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let counts = rows.iter().map(|row| {
        // A finding that names neither an OPD nor a programme belongs to no OPD.
        let Some(opd) = row.try_get::<Option<String>>("", "mends")? else { return Ok(None) };
        let number: i64 = row.try_get("", "number")?;
        Ok(Some((opd, u32::try_from(number).unwrap_or(u32::MAX))))
    });
    counts.filter_map(Result::transpose).collect()
}

fn row(figures: Figures, opd: Heading, asked: &ScoreboardRequest) -> ScoreboardRow {
    let of = renaksi::opd_progress(&figures.plans, asked.year, asked.quarter);
    let reports = figures.timeliness.into_iter().collect::<timeliness::ReportCounts>();
    ScoreboardRow {
        opd: opd.code,
        name: opd.name,
        rank: None,
        programmes_led: figures.led,
        renaksi: Renaksi {
            progress: of.progress,
            expected: of.expected,
            achievement: of.achievement,
            band: of.band,
            actions: figures.actions,
        },
        reports: ReportCounts { due: reports.due, on_time: reports.on_time, late: reports.late, missing: reports.missing },
        kpis: figures.kpis,
        findings_open: figures.findings_open,
        explanation: of.explanation.into(),
    }
}

/// The rows with their ranks, by rank and then by code. Rows without a rank come last.
fn ranked(mut rows: Vec<ScoreboardRow>) -> Vec<ScoreboardRow> {
    let achievements = rows.iter().map(|row| row.renaksi.achievement.map(Percent::inner)).collect::<Vec<_>>();
    for (row, place) in rows.iter_mut().zip(rank(&achievements)) {
        row.rank = place;
    }
    // The rows come in the order of their codes, and the sort is stable.
    rows.sort_by_key(|row| row.rank.unwrap_or(u32::MAX));
    rows
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_quarter_has_ended_on_the_day_after_it() {
        let of = |day: &str| last_ended(day.parse().unwrap());
        assert_eq!(of("2022-10-04"), (2022, 3));
        assert_eq!(of("2022-09-30"), (2022, 2));
        assert_eq!(of("2022-01-01"), (2021, 4));
        assert_eq!(of("2022-03-31"), (2021, 4));
    }
}
