//! The summary: programmes planned and running, overall and for each dimension, KPIs by standing, actions and findings by
//! state, and who signed the joint commitment, as of any day.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, NaiveDate};
use entity::masterplan;
use entity::rules::finding::FindingState;
use entity::rules::programme_status::ProgrammeStatus;
use entity::rules::renaksi;
use entity::value::decimal::Percent;
use sea_orm::sea_query::Value;
use sea_orm::{ActiveEnum, ConnectionTrait, EntityTrait, QueryResult, Statement};
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::{ActionCounts, Counts, FindingCounts, KpiCounts, StatusCounts};
use super::standing;
use crate::http::problem::{ApiError, ApiResult};
use crate::resources::action_plans::planned;
use crate::store::scope::{Scope, of_masterplan};
use crate::store::snapshots::{AsOf, Since};
use crate::store::visible::Thing;

/// The state of a masterplan at the end of a day.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// The day, as of whose end this holds.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The masterplan it is about; null for all.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// All programmes.
    totals: Counts,
    /// The programmes of each dimension, in the order of their positions.
    #[schema(max_items = 1000)]
    dimensions: Vec<DimensionCounts>,
    /// The KPIs.
    kpis: KpiCounts,
    /// The actions of the year of the day, as they stand on it.
    actions: ActionCounts,
    /// The findings of all evaluations.
    findings: FindingCounts,
    /// Who signed the joint commitment; it belongs to no masterplan.
    commitment: Signed,
}

/// Which OPDs signed the joint commitment.
#[derive(Serialize, ToSchema)]
#[schema(as = CommitmentSigned)]
pub struct Signed {
    /// OPDs that are active.
    #[schema(minimum = 0, maximum = 2147483647)]
    opds: u32,
    /// OPDs that signed one, by the day it was signed on, or by the day it was entered where that is not known.
    #[schema(minimum = 0, maximum = 2147483647)]
    signed: u32,
    /// Their codes, in order.
    #[schema(max_items = 10000)]
    signatories: Vec<String>,
}

/// How many programmes of a dimension.
#[derive(Serialize, ToSchema)]
pub struct DimensionCounts {
    /// The dimension.
    #[schema(max_length = 64, example = "governance")]
    dimension: String,
    /// Its name in Indonesian.
    #[schema(max_length = 200)]
    name: String,
    /// Its name in English.
    #[schema(max_length = 200)]
    name_en: Option<String>,
    /// Programmes that the masterplan holds on that day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 10)]
    planned: u32,
    /// Those that run.
    #[schema(minimum = 0, maximum = 2147483647, example = 8)]
    running: u32,
    /// Running ÷ planned × 100; 100.00 only where all run, 0.00 only where none does. Null where nothing is planned.
    running_percent: Option<Percent>,
    /// How many have each status.
    by_status: StatusCounts,
}

/// A dimension, and whether it stands among the rows even where nothing is counted for it.
pub(super) struct Heading {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) name_en: Option<String>,
    pub(super) stands: bool,
}

/// Computes the summary: at most ten statements, whatever the number of rows.
pub async fn compute(db: &impl ConnectionTrait, scope: Scope, masterplan: Option<String>, as_of: AsOf) -> ApiResult<Summary> {
    if let Some(code) = &masterplan {
        must_know(db, scope, code).await?;
    }
    let plan = masterplan.as_deref();
    let counts = programme_counts(db, scope, plan, as_of, "dimension").await?;
    let mut totals = Counts::default();
    for ((_, status), number) in &counts {
        totals.add(*status, *number);
    }
    let rows = dimensions(db, scope, as_of).await?.into_iter();
    let rows = rows.map(|row| (row.stands, of_dimension(row, &counts))).filter(|(stands, row)| *stands || row.planned > 0);
    let dimensions = rows.map(|(_, row)| row).collect();
    let mut kpis = KpiCounts::default();
    for (_, standing) in standing::all(db, scope, plan, as_of).await? {
        kpis.add(standing);
    }
    let actions = action_counts(db, scope, plan, as_of).await?;
    let findings = finding_counts(db, scope, plan, as_of).await?;
    let commitment = signed(db, scope, as_of).await?;
    Ok(Summary { as_of: as_of.day, masterplan, totals, dimensions, kpis, actions, findings, commitment })
}

/// The dimensions in the order of their positions. One that was made after the day may have programmes by then: these are
/// dated back.
pub(super) async fn dimensions(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<Heading>> {
    let (ever, made) = (as_of.dimensions(Since::Ever), as_of.dimensions(Since::Made));
    let shown = scope.shows(Thing::Dimension, "d", as_of);
    let sql = format!(
        "SELECT d.code, d.name, d.name_en, d.code IN (SELECT m.code FROM {made} m) AS stands FROM {ever} d \
         WHERE {shown} ORDER BY d.position, d.code"
    );
    let rows = db.query_all_raw(Statement::from_string(db.get_database_backend(), sql)).await?;
    let heading = |row: &QueryResult| {
        let [code, name] = [row.try_get("", "code")?, row.try_get("", "name")?];
        Ok(Heading { code, name, name_en: row.try_get("", "name_en")?, stands: row.try_get("", "stands")? })
    };
    rows.iter().map(heading).collect()
}

fn of_dimension(row: Heading, counts: &BTreeMap<(String, ProgrammeStatus), u32>) -> DimensionCounts {
    let mut own = Counts::default();
    for ((_, status), number) in counts.iter().filter(|((dimension, _), _)| *dimension == row.code) {
        own.add(*status, *number);
    }
    DimensionCounts {
        dimension: row.code,
        name: row.name,
        name_en: row.name_en,
        planned: own.planned,
        running: own.running,
        running_percent: own.running_percent,
        by_status: own.by_status,
    }
}

/// 404 for a masterplan that is not there, or not public.
pub async fn must_know(db: &impl ConnectionTrait, scope: Scope, code: &str) -> ApiResult<()> {
    let row = masterplan::Entity::find_by_id(code).one(db).await?;
    let is_draft = |row: &masterplan::Model| row.status == masterplan::MasterplanStatus::Draft;
    match row {
        Some(row) if scope == Scope::All || !is_draft(&row) => Ok(()),
        _ => Err(ApiError::not_found("masterplan", code)),
    }
}

/// How many programmes of each group, such as each `dimension`, had each status at the end of a day: of each programme the
/// last entry of its history that was in effect.
pub(super) async fn programme_counts(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
    group: &str,
) -> ApiResult<BTreeMap<(String, ProgrammeStatus), u32>> {
    let (mut values, programmes): (Vec<Value>, _) = (vec![as_of.day.into()], as_of.programmes());
    let (shown, of_plan) = (scope.shows(Thing::Programme, "p", as_of), of_masterplan("p", masterplan, &mut values));
    let sql = format!(
        "SELECT {group}, status, COUNT(*) AS number FROM (SELECT p.{group}, \
           (SELECT s.to_status FROM status_change s WHERE s.programme = p.code AND s.effective_on <= $1 \
            ORDER BY s.seq DESC LIMIT 1) AS status \
           FROM {programmes} p WHERE {shown} AND {of_plan}) known GROUP BY {group}, status"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let counts = rows.iter().map(|row| {
        // Without a status on that day the programme was not there yet.
        let Some(status) = row.try_get::<Option<String>>("", "status")? else { return Ok(None) };
        let number: i64 = row.try_get("", "number")?;
        let group = (row.try_get("", group)?, ProgrammeStatus::try_from_value(&status)?);
        Ok(Some((group, u32::try_from(number).unwrap_or(u32::MAX))))
    });
    counts.filter_map(Result::transpose).collect()
}

/// The SQL condition on the actions `a` that figures count, with parameters from $1 on.
pub(super) fn of_actions(scope: Scope, masterplan: Option<&str>, as_of: AsOf, year: i32) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![year.into()];
    let of_plan = match masterplan {
        None => "TRUE".to_owned(),
        Some(_) => {
            let of_plan = of_masterplan("p", masterplan, &mut values);
            format!("a.programme IN (SELECT p.code FROM {} p WHERE {of_plan})", as_of.programmes())
        }
    };
    (format!("a.year = $1 AND {} AND {of_plan}", scope.shows(Thing::Action, "a", as_of)), values)
}

async fn action_counts(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
) -> ApiResult<ActionCounts> {
    let (condition, values) = of_actions(scope, masterplan, as_of, as_of.day.year());
    let mut counts = ActionCounts::default();
    for action in planned(db, as_of, &condition, values).await? {
        counts.add(renaksi::state(&action.plan, as_of.day));
    }
    Ok(counts)
}

async fn finding_counts(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
) -> ApiResult<FindingCounts> {
    let mut values = Vec::new();
    let (shown, of_plan) = (scope.shows(Thing::Finding, "f", as_of), of_masterplan("e", masterplan, &mut values));
    let (findings, evaluations) = (as_of.findings(), as_of.evaluations());
    let sql = format!(
        "SELECT f.state, f.due_on, COUNT(*) AS number FROM {findings} f JOIN {evaluations} e ON e.code = f.evaluation \
         WHERE {shown} AND {of_plan} GROUP BY f.state, f.due_on"
    );
    let mut counts = FindingCounts::default();
    for row in db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await? {
        let state = FindingState::try_from_value(&row.try_get("", "state")?)?;
        let number: i64 = row.try_get("", "number")?;
        counts.add(state, row.try_get("", "due_on")?, as_of.day, u32::try_from(number).unwrap_or(u32::MAX));
    }
    Ok(counts)
}

/// Who signed: a commitment holds from the day it was signed on, or from the day it was entered where that is not known.
async fn signed(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Signed> {
    let backend = db.get_database_backend();
    let (ever, made) = (as_of.commitments(Since::Ever), as_of.commitments(Since::Made));
    let shown = scope.shows(Thing::Commitment, "c", as_of);
    let sql = format!(
        "SELECT c.signatories FROM {ever} c WHERE c.signed_on <= $1 AND {shown} \
         UNION ALL SELECT c.signatories FROM {made} c WHERE c.signed_on IS NULL AND {shown}"
    );
    let mut signatories = BTreeSet::new();
    for row in db.query_all_raw(Statement::from_sql_and_values(backend, sql, [as_of.day.into()])).await? {
        let codes: serde_json::Value = row.try_get("", "signatories")?;
        signatories.extend(codes.as_array().into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)));
    }
    let (ever, made, shown) = (as_of.opds(Since::Ever), as_of.opds(Since::Made), scope.shows(Thing::Opd, "o", as_of));
    let active = format!("o.active AND o.code IN (SELECT m.code FROM {made} m)");
    let sql = format!("SELECT o.code, {active} AS active FROM {ever} o WHERE {shown}");
    let rows = db.query_all_raw(Statement::from_string(backend, sql)).await?;
    let known = rows.iter().map(|row| Ok((row.try_get("", "code")?, row.try_get("", "active")?)));
    let known = known.collect::<ApiResult<BTreeMap<String, bool>>>()?;
    // Who was removed since is told only to those who log in.
    signatories.retain(|code| scope == Scope::All || known.contains_key(code));
    let opds = known.values().filter(|active| **active).count();
    let signed = u32::try_from(signatories.len()).unwrap_or(u32::MAX);
    Ok(Signed { opds: u32::try_from(opds).unwrap_or(u32::MAX), signed, signatories: signatories.into_iter().collect() })
}
