//! The scorecard of an OPD: its row of the scoreboard, and the data from which the row was computed.

use crate::resources::actions;
use crate::resources::dimensions;
use crate::resources::evaluations;
use crate::resources::evaluations::findings;
use crate::resources::opds;
use crate::resources::programmes;
use crate::store::kind::{BeforeFirst, Scope};
use std::collections::HashMap;

use chrono::NaiveDate;
use entity::rules::finding::{self, FindingState};
use entity::rules::obligations::due_on;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::renaksi::{self, ActionPlan, ActionState};
use entity::rules::timeliness::Timeliness;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Period;
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ConnectionTrait, QueryResult, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::scoreboard::{Board, ScoreboardRequest, ScoreboardRow, board};
use super::standing::{self, KpiStanding};
use crate::http::language::Language;
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::action_plans::PlannedAction;
use crate::resources::explanation::{InLanguage, Reason};

/// The greatest number of entries of each list.
const MOST: usize = 1000;

/// How well one OPD carries out its part of the masterplan, with the data from which that was computed.
#[derive(Serialize, ToSchema)]
pub struct Scorecard {
    /// The day as of whose end the figures hold.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The year of the actions.
    #[schema(minimum = 1900, maximum = 2199, example = 2022)]
    year: i32,
    /// The quarter up to whose end the actions and their reports are counted.
    #[schema(minimum = 1, maximum = 4, example = 3)]
    quarter: u8,
    /// The row of the OPD on the scoreboard.
    row: ScoreboardRow,
    /// The number of OPDs that have a rank: all that have an achievement.
    #[schema(minimum = 0, maximum = 2147483647)]
    ranked: u32,
    /// The programmes that the OPD leads, by code; at most 1,000.
    #[schema(max_items = 1000)]
    programmes: Vec<LedProgramme>,
    /// The actions of the OPD in the year, the oldest first; at most 1,000.
    #[schema(max_items = 1000)]
    actions: Vec<ScorecardAction>,
    /// The KPIs that the OPD reports, by code; at most 1,000.
    #[schema(max_items = 1000)]
    kpis: Vec<KpiStanding>,
    /// The findings that the OPD has to resolve and that are not done, the oldest first; at most 1,000.
    #[schema(max_items = 1000)]
    findings: Vec<OpenFinding>,
}

impl InLanguage for Scorecard {
    fn speak(&mut self, language: Language) {
        self.row.speak(language);
        self.kpis.iter_mut().for_each(|kpi| kpi.speak(language));
        self.actions.iter_mut().flat_map(|action| &mut action.reasons).for_each(|reason| reason.speak(language));
    }
}

/// A programme that an OPD leads.
#[derive(Serialize, ToSchema)]
pub struct LedProgramme {
    /// The code of the programme.
    #[schema(max_length = 64, example = "SV-01")]
    code: String,
    /// The name of the programme.
    #[schema(max_length = 300)]
    name: String,
    /// The code of the dimension that the programme serves; null for the public if the dimension was removed since.
    #[schema(max_length = 64)]
    dimension: Option<String>,
    /// The status of the programme on the day.
    status: ProgrammeStatus,
}

/// The cumulative targets of an action, one for each quarter.
#[derive(Serialize, ToSchema)]
pub struct QuarterTargets {
    /// The target for the end of March.
    q1: Decimal,
    /// The target for the end of June.
    q2: Decimal,
    /// The target for the end of September.
    q3: Decimal,
    /// The target for the end of the year.
    q4: Decimal,
}

/// The cumulative realisation of an action at the end of each quarter that has a verified report.
#[derive(Serialize, ToSchema)]
pub struct QuarterRealisation {
    /// The realisation by the end of March.
    q1: Option<Decimal>,
    /// The realisation by the end of June.
    q2: Option<Decimal>,
    /// The realisation by the end of September.
    q3: Option<Decimal>,
    /// The realisation by the end of the year.
    q4: Option<Decimal>,
}

/// An action of an OPD.
#[derive(Serialize, ToSchema)]
pub struct ScorecardAction {
    /// The identifier of the action.
    #[schema(max_length = 36)]
    id: String,
    /// The code of the programme that the action serves.
    #[schema(max_length = 64)]
    programme: String,
    /// What is to be done.
    #[schema(max_length = 300)]
    title: String,
    /// The unit in which the output of the action is counted.
    #[schema(max_length = 64)]
    output_unit: Option<String>,
    /// The weight of the action among the others.
    weight: Decimal,
    /// The day by which the whole action is to be done.
    #[schema(max_length = 10)]
    due_on: Option<NaiveDate>,
    /// The cumulative targets of the action, counted from the beginning of the year.
    targets: QuarterTargets,
    /// The cumulative realisation that was verified on the day, up to the quarter.
    realisation: QuarterRealisation,
    /// The share of the year's target that is realised up to the quarter, in percent.
    progress: Percent,
    /// The state of the action at the end of the quarter, or on the day if that is earlier.
    state: ActionState,
    /// Why the action is in this state, and how its progress was computed.
    #[schema(max_items = 10)]
    reasons: Vec<Reason>,
    /// The reports on the action for the four quarters.
    #[schema(max_items = 4)]
    reports: Vec<ScorecardReport>,
}

/// Whether the report on an action for one quarter came on time.
#[derive(Serialize, ToSchema)]
pub struct ScorecardReport {
    /// The quarter, 1 to 4.
    #[schema(minimum = 1, maximum = 4)]
    quarter: u8,
    /// The day on which the report is due: the 10th of the month after the quarter.
    #[schema(max_length = 10)]
    due_on: NaiveDate,
    /// The day on which the report was first submitted; the public sees it once the report is verified.
    #[schema(max_length = 10)]
    handed_in_on: Option<NaiveDate>,
    /// Whether a report for the quarter is verified on the day.
    verified: bool,
    /// The timeliness of the report on the day.
    timeliness: Timeliness,
}

/// A finding that is not done.
#[derive(Serialize, ToSchema)]
pub struct OpenFinding {
    /// The identifier of the finding.
    #[schema(max_length = 36)]
    id: String,
    /// The code of the evaluation.
    #[schema(max_length = 64)]
    evaluation: String,
    /// The code of the programme that the finding is about; null if it is about none, and for the public if that programme is not
    /// public.
    #[schema(max_length = 64)]
    programme: Option<String>,
    /// The text of the finding.
    #[schema(max_length = 10000)]
    text: String,
    /// The recommendation of the evaluation.
    #[schema(max_length = 10000)]
    recommendation: Option<String>,
    /// The day by which the finding is to be resolved.
    #[schema(max_length = 10)]
    due_on: Option<NaiveDate>,
    /// The state of the finding.
    state: FindingState,
    /// Whether that day has passed.
    overdue: bool,
}

/// Computes the scorecard with twelve statements, whatever the number of rows.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, opd: &str, asked: ScoreboardRequest) -> ApiResult<Scorecard> {
    let Board { rows, actions } = board(db, scope, &asked, Some(opd)).await?;
    let ranked = rows.iter().filter(|row| row.rank.is_some()).count();
    let row = rows.into_iter().find(|row| row.opd == opd).ok_or_else(|| ApiError::not_found(&opds::KIND, opd))?;
    let programmes = led_programmes(db, scope, opd, &asked).await?;
    let titles = titles(db, scope, opd, &asked).await?;
    let own = actions.iter().filter(|action| action.opd == opd).take(MOST);
    let actions = own.filter_map(|action| Some(action_of(scope, &asked, action, titles.get(&action.id)?.clone()))).collect();
    let mut kpis = standing::of_opd(db, scope, opd, asked.as_of).await?;
    kpis.truncate(MOST);
    let findings = open_findings(db, scope, opd, &asked).await?;
    let ScoreboardRequest { year, quarter, as_of, .. } = asked;
    let ranked = u32::try_from(ranked).unwrap_or(u32::MAX);
    Ok(Scorecard { as_of: as_of.day, year, quarter, row, ranked, programmes, actions, kpis, findings })
}

async fn rows(db: &impl ConnectionTrait, sql: String, values: Vec<Value>) -> ApiResult<Vec<QueryResult>> {
    let sql = format!("{sql} LIMIT {MOST}");
    Ok(db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?)
}

async fn led_programmes(
    db: &impl ConnectionTrait,
    scope: Scope,
    opd: &str,
    asked: &ScoreboardRequest,
) -> ApiResult<Vec<LedProgramme>> {
    let (programmes, shown) = (asked.as_of.of(&programmes::KIND), scope.shows(&programmes::KIND, "p", asked.as_of));
    let (dimensions, served) =
        (asked.as_of.counting(&dimensions::KIND, BeforeFirst::AsMade), scope.shows(&dimensions::KIND, "d", asked.as_of));
    let sql = format!(
        "SELECT code, name, dimension, status FROM (SELECT p.code, p.name, \
           (SELECT d.code FROM {dimensions} d WHERE d.code = p.dimension AND {served}) AS dimension, \
           (SELECT s.to_status FROM status_change s WHERE s.programme = p.code AND s.effective_on <= $1 \
            ORDER BY s.seq DESC LIMIT 1) AS status \
         FROM {programmes} p WHERE p.lead_opd = $2 AND {shown}) led WHERE status IS NOT NULL ORDER BY code"
    );
    let rows = rows(db, sql, vec![asked.as_of.day.into(), opd.into()]).await?;
    rows.iter()
        .map(|row| {
            let [code, name] = [row.try_get("", "code")?, row.try_get("", "name")?];
            Ok(LedProgramme {
                code,
                name,
                dimension: row.try_get("", "dimension")?,
                status: ProgrammeStatus::try_from_value(&row.try_get("", "status")?)?,
            })
        })
        .collect()
}

/// The members of an action that are shown but not computed with: its programme, title and unit.
type Title = (String, String, Option<String>);

/// The titles of an OPD's actions of the year, by id.
async fn titles(
    db: &impl ConnectionTrait,
    scope: Scope,
    opd: &str,
    asked: &ScoreboardRequest,
) -> ApiResult<HashMap<String, Title>> {
    let (actions, shown) = (asked.as_of.of(&actions::KIND), scope.shows(&actions::KIND, "a", asked.as_of));
    let sql = format!(
        "SELECT a.id, a.programme, a.title, a.output_unit FROM {actions} a \
         WHERE a.opd = $1 AND a.year = $2 AND {shown} ORDER BY a.id"
    );
    let rows = rows(db, sql, vec![opd.into(), asked.year.into()]).await?;
    let title = |row: &QueryResult| {
        let title = (row.try_get("", "programme")?, row.try_get("", "title")?, row.try_get("", "output_unit")?);
        Ok((row.try_get("", "id")?, title))
    };
    rows.iter().map(title).collect()
}

fn action_of(
    scope: Scope,
    asked: &ScoreboardRequest,
    action: &PlannedAction,
    (programme, title, output_unit): Title,
) -> ScorecardAction {
    let plan @ ActionPlan { weight, due_on, targets, realisation, .. } = asked.up_to_quarter(action);
    let explained = renaksi::explain(&plan, asked.judged_on());
    let shown = |value| Decimal::computed(value, Decimal::DECIMAL_PLACES as u32);
    let [q1, q2, q3, q4] = targets.map(shown);
    let targets = QuarterTargets { q1, q2, q3, q4 };
    let [q1, q2, q3, q4] = realisation.map(|value| value.map(shown));
    ScorecardAction {
        id: action.id.clone(),
        programme,
        title,
        output_unit,
        weight: shown(weight),
        due_on,
        targets,
        realisation: QuarterRealisation { q1, q2, q3, q4 },
        progress: explained.progress,
        state: explained.state,
        reasons: explained.explanation.reasons.into_iter().map(Reason::from).collect(),
        reports: (1..=4).map(|quarter| report_of(scope, asked, action, quarter)).collect(),
    }
}

fn report_of(scope: Scope, asked: &ScoreboardRequest, action: &PlannedAction, quarter: u8) -> ScorecardReport {
    let at = usize::from(quarter) - 1;
    let verified = action.plan.realisation[at].is_some();
    ScorecardReport {
        quarter,
        due_on: due_on(Period::Quarter(asked.year, quarter)),
        handed_in_on: action.handed_in_on[at].filter(|_| verified || scope == Scope::All),
        verified,
        timeliness: asked.timeliness(scope, action, quarter),
    }
}

async fn open_findings(
    db: &impl ConnectionTrait,
    scope: Scope,
    opd: &str,
    asked: &ScoreboardRequest,
) -> ApiResult<Vec<OpenFinding>> {
    let as_of = asked.as_of;
    let (findings, evaluations, programmes) =
        (as_of.of(&findings::KIND), as_of.of(&evaluations::KIND), as_of.of(&programmes::KIND));
    let (shown, led) = (scope.shows(&findings::KIND, "f", as_of), scope.shows(&programmes::KIND, "p", as_of));
    let sql = format!(
        "SELECT f.id, f.evaluation, p.code AS programme, f.text, f.recommendation, f.due_on, f.state \
         FROM {findings} f JOIN {evaluations} e ON e.code = f.evaluation LEFT JOIN {programmes} p ON p.code = f.programme AND {led} \
         WHERE COALESCE(f.opd, p.lead_opd) = $1 AND f.state <> 'done' AND {shown} ORDER BY f.id"
    );
    let finding = |row: &QueryResult| {
        let [id, evaluation, text] = [row.try_get("", "id")?, row.try_get("", "evaluation")?, row.try_get("", "text")?];
        let (state, due_on) = (FindingState::try_from_value(&row.try_get("", "state")?)?, row.try_get("", "due_on")?);
        let (programme, recommendation) = (row.try_get("", "programme")?, row.try_get("", "recommendation")?);
        let overdue = finding::is_overdue(due_on, state, as_of.day);
        Ok(OpenFinding { id, evaluation, programme, text, recommendation, due_on, state, overdue })
    };
    rows(db, sql, vec![opd.into()]).await?.iter().map(finding).collect()
}
