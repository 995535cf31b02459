//! The summary: programmes planned and running, overall and for each dimension, KPIs by standing, actions and findings by state,
//! and the OPDs that signed the joint commitment, as of any day.

use crate::resources::actions;
use crate::resources::commitments;
use crate::resources::dimensions;
use crate::resources::evaluations;
use crate::resources::evaluations::findings;
use crate::resources::masterplans;
use crate::resources::opds;
use crate::resources::programmes;
use crate::store::kind::{BeforeFirst, Scope};
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
use crate::store::scope::of_masterplan;
use crate::store::snapshots::AsOf;

/// The state of a masterplan at the end of a day.
#[derive(Serialize, ToSchema)]
pub struct Summary {
    /// The day as of whose end the figures hold.
    #[schema(max_length = 10, example = "2022-10-04")]
    as_of: NaiveDate,
    /// The masterplan that is counted; null if all are.
    #[schema(max_length = 64)]
    masterplan: Option<String>,
    /// The counts of all programmes.
    totals: Counts,
    /// The counts of the programmes of each dimension, in the order of the dimensions' positions.
    #[schema(max_items = 1000)]
    dimensions: Vec<DimensionCounts>,
    /// The counts of the KPIs.
    kpis: KpiCounts,
    /// The counts of the actions of the year of that day, as of the day.
    actions: ActionCounts,
    /// The counts of the findings of all evaluations.
    findings: FindingCounts,
    /// The OPDs that signed the joint commitment, which belongs to no masterplan.
    commitment: Signed,
}

/// Which OPDs signed the joint commitment.
#[derive(Serialize, ToSchema)]
#[schema(as = CommitmentSigned)]
pub struct Signed {
    /// The number of OPDs that are active.
    #[schema(minimum = 0, maximum = 2147483647)]
    opds: u32,
    /// The number of OPDs that signed a commitment by that day; a commitment without a date counts from the day on which it was
    /// entered.
    #[schema(minimum = 0, maximum = 2147483647)]
    signed: u32,
    /// The codes of the OPDs that signed, in alphabetical order.
    #[schema(max_items = 10000)]
    signatories: Vec<String>,
}

/// The counts of the programmes of one dimension.
#[derive(Serialize, ToSchema)]
pub struct DimensionCounts {
    /// The code of the dimension.
    #[schema(max_length = 64, example = "governance")]
    dimension: String,
    /// The name of the dimension in Indonesian.
    #[schema(max_length = 200)]
    name: String,
    /// The name of the dimension in English.
    #[schema(max_length = 200)]
    name_en: Option<String>,
    /// The number of programmes that the masterplan contains on the day, whatever their status.
    #[schema(minimum = 0, maximum = 2147483647, example = 10)]
    planned: u32,
    /// The number of those programmes that are running.
    #[schema(minimum = 0, maximum = 2147483647, example = 8)]
    running: u32,
    /// The share of planned programmes that run, in percent: running ÷ planned × 100, rounded to two decimals. It is 100.00 only
    /// if all run and 0.00 only if none does. Null if no programme is planned.
    running_percent: Option<Percent>,
    /// The number of programmes in each status.
    by_status: StatusCounts,
}

/// A dimension, and whether it has a row even if nothing is counted for it.
pub(super) struct Heading {
    pub(super) code: String,
    pub(super) name: String,
    pub(super) name_en: Option<String>,
    pub(super) stands: bool,
}

/// Computes the summary with at most ten statements, whatever the number of rows.
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

/// The dimensions in the order of their positions. A dimension that was created after the day may still have programmes by then,
/// because these can be dated back.
pub(super) async fn dimensions(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<Heading>> {
    let (ever, made) =
        (as_of.counting(&dimensions::KIND, BeforeFirst::AsMade), as_of.counting(&dimensions::KIND, BeforeFirst::Absent));
    let shown = scope.shows(&dimensions::KIND, "d", as_of);
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

/// 404 for a masterplan that does not exist or is not public.
pub async fn must_know(db: &impl ConnectionTrait, scope: Scope, code: &str) -> ApiResult<()> {
    let row = masterplan::Entity::find_by_id(code).one(db).await?;
    let is_draft = |row: &masterplan::Model| row.status == masterplan::MasterplanStatus::Draft;
    match row {
        Some(row) if scope == Scope::All || !is_draft(&row) => Ok(()),
        _ => Err(ApiError::not_found(&masterplans::KIND, code)),
    }
}

/// How many programmes of each group, such as each `dimension`, had each status at the end of a day. The status of a programme is
/// the last entry of its history that was in effect.
pub(super) async fn programme_counts(
    db: &impl ConnectionTrait,
    scope: Scope,
    masterplan: Option<&str>,
    as_of: AsOf,
    group: &str,
) -> ApiResult<BTreeMap<(String, ProgrammeStatus), u32>> {
    let (mut values, programmes): (Vec<Value>, _) = (vec![as_of.day.into()], as_of.of(&programmes::KIND));
    let (shown, of_plan) = (scope.shows(&programmes::KIND, "p", as_of), of_masterplan("p", masterplan, &mut values));
    let sql = format!(
        "SELECT {group}, status, COUNT(*) AS number FROM (SELECT p.{group}, \
           (SELECT s.to_status FROM status_change s WHERE s.programme = p.code AND s.effective_on <= $1 \
            ORDER BY s.seq DESC LIMIT 1) AS status \
           FROM {programmes} p WHERE {shown} AND {of_plan}) known GROUP BY {group}, status"
    );
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, values)).await?;
    let counts = rows.iter().map(|row| {
        // A programme without a status on that day did not exist yet.
        let Some(status) = row.try_get::<Option<String>>("", "status")? else { return Ok(None) };
        let number: i64 = row.try_get("", "number")?;
        let group = (row.try_get("", group)?, ProgrammeStatus::try_from_value(&status)?);
        Ok(Some((group, u32::try_from(number).unwrap_or(u32::MAX))))
    });
    counts.filter_map(Result::transpose).collect()
}

/// The SQL condition for the actions `a` that figures count, with parameters from $1 on.
pub(super) fn of_actions(scope: Scope, masterplan: Option<&str>, as_of: AsOf, year: i32) -> (String, Vec<Value>) {
    let mut values: Vec<Value> = vec![year.into()];
    let of_plan = match masterplan {
        None => "TRUE".to_owned(),
        Some(_) => {
            let of_plan = of_masterplan("p", masterplan, &mut values);
            format!("a.programme IN (SELECT p.code FROM {} p WHERE {of_plan})", as_of.of(&programmes::KIND))
        }
    };
    (format!("a.year = $1 AND {} AND {of_plan}", scope.shows(&actions::KIND, "a", as_of)), values)
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
    let (shown, of_plan) = (scope.shows(&findings::KIND, "f", as_of), of_masterplan("e", masterplan, &mut values));
    let (findings, evaluations) = (as_of.of(&findings::KIND), as_of.of(&evaluations::KIND));
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

/// The OPDs that signed: a commitment counts from the day on which it was signed, or from the day on which it was entered if that
/// is not known.
async fn signed(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Signed> {
    let backend = db.get_database_backend();
    let (ever, made) =
        (as_of.counting(&commitments::KIND, BeforeFirst::AsMade), as_of.counting(&commitments::KIND, BeforeFirst::Absent));
    let shown = scope.shows(&commitments::KIND, "c", as_of);
    let sql = format!(
        "SELECT c.signatories FROM {ever} c WHERE c.signed_on <= $1 AND {shown} \
         UNION ALL SELECT c.signatories FROM {made} c WHERE c.signed_on IS NULL AND {shown}"
    );
    let mut signatories = BTreeSet::new();
    for row in db.query_all_raw(Statement::from_sql_and_values(backend, sql, [as_of.day.into()])).await? {
        let codes: serde_json::Value = row.try_get("", "signatories")?;
        signatories.extend(codes.as_array().into_iter().flatten().filter_map(|code| code.as_str().map(str::to_owned)));
    }
    let (ever, made, shown) = (
        as_of.counting(&opds::KIND, BeforeFirst::AsMade),
        as_of.counting(&opds::KIND, BeforeFirst::Absent),
        scope.shows(&opds::KIND, "o", as_of),
    );
    let active = format!("o.active AND o.code IN (SELECT m.code FROM {made} m)");
    let sql = format!("SELECT o.code, {active} AS active FROM {ever} o WHERE {shown}");
    let rows = db.query_all_raw(Statement::from_string(backend, sql)).await?;
    let known = rows.iter().map(|row| Ok((row.try_get("", "code")?, row.try_get("", "active")?)));
    let known = known.collect::<ApiResult<BTreeMap<String, bool>>>()?;
    // An OPD that was removed since is named only to those who log in.
    signatories.retain(|code| scope == Scope::All || known.contains_key(code));
    let opds = known.values().filter(|active| **active).count();
    let signed = u32::try_from(signatories.len()).unwrap_or(u32::MAX);
    Ok(Signed { opds: u32::try_from(opds).unwrap_or(u32::MAX), signed, signatories: signatories.into_iter().collect() })
}
