//! The scoreboard: how each OPD carries out its part of the masterplan in a quarter, ranked.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};
use entity::rules::bands::Band;
use entity::rules::explanation::Explanation;
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
use crate::http::problem::ApiResult;
use crate::resources::action_plans::{PlannedAction, planned};
use crate::store::scope::{Scope, of_masterplan};
use crate::store::snapshots::{AsOf, Since};
use crate::store::visible::Thing;

/// What a scoreboard is asked with.
#[derive(Clone, Debug)]
pub struct ScoreboardRequest {
    /// Only what belongs to this masterplan.
    pub masterplan: Option<String>,
    /// The year.
    pub year: i32,
    /// The quarter, 1 to 4.
    pub quarter: u8,
    /// The day, as of whose end it holds.
    pub as_of: AsOf,
}

/// How OPDs carry out their part of the masterplan, by what was known on a day.
#[derive(Serialize, ToSchema)]
pub struct Scoreboard {
    /// The day, as of whose end this holds.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The year of the actions.
    #[schema(minimum = 1900, maximum = 2199, example = 2022)]
    year: i32,
    /// The quarter up to whose end they are looked at.
    #[schema(minimum = 1, maximum = 4, example = 3)]
    quarter: u8,
    /// The masterplan it is about; null for all.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// One row an OPD, by rank, then by code: all that are active, and any other that something is counted for. What it counts
    /// is the OPD's own, not that of the OPDs below it.
    #[schema(max_items = 10000)]
    rows: Vec<ScoreboardRow>,
}

/// How one OPD carries out its part.
#[derive(Clone, Serialize, ToSchema)]
pub struct ScoreboardRow {
    /// The OPD.
    #[schema(max_length = 64, example = "DINKES")]
    pub opd: String,
    /// Its name.
    #[schema(max_length = 200)]
    name: String,
    /// Its place by `renaksi.achievement`, the greatest first. Equal ones share a place and leave the next ones empty; null
    /// without an achievement.
    #[schema(minimum = 1, maximum = 2147483647)]
    pub rank: Option<u32>,
    /// The programmes that it leads.
    programmes_led: ProgrammesLed,
    /// Its actions of the year.
    renaksi: Renaksi,
    /// Its reports on actions for the quarter.
    reports: ReportCounts,
    /// The KPIs that it reports.
    kpis: KpiCounts,
    /// Findings that are not done: those it has to mend, or, where no OPD is named, those of programmes that it leads.
    #[schema(minimum = 0, maximum = 2147483647)]
    findings_open: u32,
    /// How progress, what is expected, achievement and band were computed.
    explanation: Explanation,
}

/// Programmes that an OPD leads on the day.
#[derive(Clone, Default, Serialize, ToSchema)]
pub struct ProgrammesLed {
    /// All, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647)]
    total: u32,
    /// Those that run.
    #[schema(minimum = 0, maximum = 2147483647)]
    running: u32,
}

/// The progress of an OPD's actions against their targets, by their weights, up to the end of the quarter.
#[derive(Clone, Serialize, ToSchema)]
pub struct Renaksi {
    /// Percent: the weighted mean of cumulative realisation ÷ target of the year × 100, each at most 100. Only what is verified counts. 100.00
    /// only where all are realised, 0.00 only where nothing is. Null without actions.
    progress: Option<Percent>,
    /// Percent that should be realised by then: the weighted mean of cumulative target ÷ target of the year × 100.
    expected: Option<Percent>,
    /// Progress ÷ expected × 100, from the exact means: below 100 where the progress is less than what was expected. Null where nothing
    /// was expected yet.
    achievement: Option<Percent>,
    /// Of the achievement (Permendagri 86/2017): `very_high` from 91, `high` from 76, `medium` from 66, `low` above 50, else `very_low`.
    band: Option<Band>,
    /// The actions by their state at the end of the quarter, or on the day where that comes earlier, by what was verified up to the quarter.
    actions: ActionCounts,
}

/// When the reports on actions for the quarter came. Each is due on the 10th of the month after it.
#[derive(Clone, Serialize, ToSchema)]
pub struct ReportCounts {
    /// Those that came, or whose day has passed: `on_time` + `late` + `missing`. None before the quarter has ended.
    #[schema(minimum = 0, maximum = 2147483647)]
    due: u32,
    /// First handed in by their day.
    #[schema(minimum = 0, maximum = 2147483647)]
    on_time: u32,
    /// First handed in after their day.
    #[schema(minimum = 0, maximum = 2147483647)]
    late: u32,
    /// Not handed in, and their day has passed.
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

/// What is counted for one OPD.
#[derive(Default)]
struct Figures {
    led: ProgrammesLed,
    plans: Vec<ActionPlan>,
    actions: ActionCounts,
    timeliness: Vec<Timeliness>,
    kpis: KpiCounts,
    findings_open: u32,
}

/// The rows of a scoreboard with the actions they were computed from.
pub(super) struct Board {
    pub rows: Vec<ScoreboardRow>,
    pub actions: Vec<PlannedAction>,
}

/// Computes the scoreboard: at most eight statements, whatever the number of rows.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, asked: ScoreboardRequest) -> ApiResult<Scoreboard> {
    if let Some(code) = &asked.masterplan {
        must_know(db, scope, code).await?;
    }
    let Board { rows, .. } = board(db, scope, &asked, None).await?;
    Ok(Scoreboard { as_of: asked.as_of.day, year: asked.year, quarter: asked.quarter, masterplan: asked.masterplan, rows })
}

/// The rows; the OPD that is named `also` stands among them even where nothing is counted for it.
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
    /// The plan of an action with what was verified of it up to the quarter.
    pub(super) fn up_to_quarter(&self, action: &PlannedAction) -> ActionPlan {
        let mut plan = action.plan;
        plan.realisation.iter_mut().skip(self.quarter.into()).for_each(|later| *later = None);
        plan
    }

    /// The state of an action when the quarter had just ended, or on the day where that comes earlier.
    pub(super) fn state(&self, action: &PlannedAction) -> ActionState {
        let end = Period::Quarter(self.year, self.quarter).end();
        renaksi::state(&self.up_to_quarter(action), end.succ_opt().unwrap_or(end).min(self.as_of.day))
    }

    /// How the report on an action for a quarter stands on the day. Of what was handed in the public sees only what was verified;
    /// what waits for that is no missing report either.
    pub(super) fn timeliness(&self, scope: Scope, action: &PlannedAction, quarter: u8) -> Timeliness {
        let at = usize::from(quarter) - 1;
        let (handed_in_on, is_verified) = (action.handed_in_on[at], action.plan.realisation[at].is_some());
        if scope == Scope::Published && handed_in_on.is_some() && !is_verified {
            return Timeliness::NotDue;
        }
        timeliness::timeliness(self.year, quarter, handed_in_on, self.as_of.day)
    }
}

/// An OPD, and whether it stands among the rows even where nothing is counted for it.
struct Heading {
    code: String,
    name: String,
    stands: bool,
}

async fn opds(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<Heading>> {
    let (ever, made, shown) = (as_of.opds(Since::Ever), as_of.opds(Since::Made), scope.shows(Thing::Opd, "o", as_of));
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
    let (shown, of_plan) = (scope.shows(Thing::Finding, "f", as_of), of_masterplan("e", masterplan, &mut values));
    // Who leads a programme that is not shown has nothing to mend that is.
    let led = scope.shows(Thing::Programme, "p", as_of);
    let (findings, evaluations, programmes) = (as_of.findings(), as_of.evaluations(), as_of.programmes());
    let sql = format!(
        "SELECT COALESCE(f.opd, p.lead_opd) AS mends, COUNT(*) AS number FROM {findings} f \
         JOIN {evaluations} e ON e.code = f.evaluation LEFT JOIN {programmes} p ON p.code = f.programme AND {led} \
         WHERE f.state <> 'done' AND {shown} AND {of_plan} GROUP BY COALESCE(f.opd, p.lead_opd)"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let counts = rows.iter().map(|row| {
        // A finding about no OPD and no programme is nobody's.
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
        explanation: of.explanation,
    }
}

/// The rows with their places, by these and by code; those without a place last.
fn ranked(mut rows: Vec<ScoreboardRow>) -> Vec<ScoreboardRow> {
    let achievements = rows.iter().map(|row| row.renaksi.achievement.map(Percent::inner)).collect::<Vec<_>>();
    for (row, place) in rows.iter_mut().zip(rank(&achievements)) {
        row.rank = place;
    }
    // They come by code, and sorting keeps that.
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
