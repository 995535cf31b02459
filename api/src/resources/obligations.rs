//! `/v1/me/obligations`: the reports that an OPD still owes.

use crate::resources::opds;
use std::collections::{BTreeSet, HashMap};

use actix_web::HttpRequest;
use chrono::{Months, NaiveDate};
use entity::measurement::{self, ReportState};
use entity::rules::obligations::{due_on, owed_periods};
use entity::value::period::Period;
use entity::{action, action_report, kpi};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Statement,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::reporting::review_state::ReviewState;
use super::reporting::{Report as _, ReportKind};
use crate::auth::permissions::{KnowOneself, Permission};
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{Cursor, DEFAULT_LIMIT, LARGEST_LIMIT, Page, texts};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::Parameters;
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::Access;

/// How far back missing periods are listed. Older ones are a matter for an evaluation, not for a reminder.
const LOOK_BACK: Months = Months::new(36);

/// The condition on measurements that may still be submitted.
const OPEN: &str = "latest AND state IN ('draft', 'returned')";

/// The last revision for a period.
type Reported = (Period, ReviewState);

/// A report that an OPD still owes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Obligation {
    /// Why the report is owed: `missing` (a period ended without a report), `draft` (it was not submitted yet) or `returned` (it
    /// has to be corrected).
    #[schema(max_length = 16, example = "missing")]
    kind: &'static str,
    /// The kind of report: `measurement` or `action_report`.
    report: ReportKind,
    /// The code of the KPI, for a measurement.
    #[schema(max_length = 64)]
    kpi: Option<String>,
    /// The name of the KPI, for a measurement.
    #[schema(max_length = 300)]
    kpi_name: Option<String>,
    /// The identifier of the action, for an action report.
    #[schema(max_length = 36)]
    action: Option<String>,
    /// The title of the action, for an action report.
    #[schema(max_length = 500)]
    action_title: Option<String>,
    /// The code of the OPD that has to report.
    #[schema(max_length = 64)]
    opd: String,
    /// The period to report; for an action it is a quarter of its year.
    #[schema(max_length = 7, example = "2022-Q3")]
    period: String,
    /// The day on which the report is due: the 10th of the month after the period.
    #[schema(max_length = 10)]
    due_on: NaiveDate,
    /// Whether that day has passed.
    overdue: bool,
    /// The reviewer's reason for returning the report: what has to be corrected.
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// The version of the report; null if there is none.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
}

async fn list_obligations(access: Access<KnowOneself>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
    let wanted = parameters.read("opd", ("a code", "kode"), |text| entity::value::code::Code::parse(text).ok());
    let limits = ("a number from 1 to 200", "angka dari 1 sampai 200");
    let in_range = |text: &str| text.parse().ok().filter(|limit| (1..=LARGEST_LIMIT).contains(limit));
    let limit = parameters.read("limit", limits, in_range).unwrap_or(DEFAULT_LIMIT);
    let (cursor, count) = (parameters.text("cursor"), parameters.flag("count").unwrap_or_default());
    parameters.finish()?;
    let (db, own) = (access.store.db(), access.actor().bound_to()?);
    let opd = wanted.map(|code| code.to_string()).or_else(|| own.map(str::to_owned));
    let of_opds = match &opd {
        Some(opd) => {
            let (below, above) = branch(db, opd).await?;
            if own.is_some_and(|own| own != opd && !above.contains(own)) {
                return Err(ApiError::new(codes::OUTSIDE_OWN_OPD));
            }
            Some(below)
        }
        None => None,
    };
    let all = obligations(db, of_opds.as_ref(), access.store.calendar().today()).await?;
    page(all, &format!("obligations of {opd:?}"), limit, cursor, count)?.answer(request.path(), request.query_string())
}

/// The codes of an OPD and those below it, and of those above it. It takes one statement.
async fn branch(db: &impl ConnectionTrait, opd: &str) -> ApiResult<(BTreeSet<String>, BTreeSet<String>)> {
    let sql = "WITH RECURSIVE below(code) AS (SELECT code FROM opd WHERE code = $1 \
               UNION SELECT opd.code FROM opd JOIN below ON opd.parent = below.code), \
               above(code) AS (SELECT parent FROM opd WHERE code = $1 \
               UNION SELECT opd.parent FROM opd JOIN above ON opd.code = above.code WHERE opd.parent IS NOT NULL) \
               SELECT code, 1 AS is_below FROM below UNION ALL SELECT code, 0 FROM above WHERE code IS NOT NULL";
    let rows = db.query_all_raw(Statement::from_sql_and_values(db.get_database_backend(), sql, [opd.into()])).await?;
    let (mut below, mut above) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let is_below: i32 = row.try_get("", "is_below")?;
        if is_below == 1 { &mut below } else { &mut above }.insert(row.try_get("", "code")?);
    }
    if below.is_empty() { Err(ApiError::not_found(&opds::KIND, opd)) } else { Ok((below, above)) }
}

/// All reports that are owed, in the order of their due days. It takes five statements.
async fn obligations(db: &impl ConnectionTrait, opds: Option<&BTreeSet<String>>, today: NaiveDate) -> ApiResult<Vec<Obligation>> {
    let from = today.checked_sub_months(LOOK_BACK).unwrap_or(today);
    let mut all = measurements(db, opds, from, today).await?;
    all.extend(action_reports(db, opds, from, today).await?);
    all.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(all)
}

fn order(obligation: &Obligation) -> (NaiveDate, &str, &str, &str) {
    let of = obligation.kpi.as_deref().or(obligation.action.as_deref()).unwrap_or_default();
    (obligation.due_on, obligation.report.name(), of, &obligation.period)
}

fn of_opds<C: ColumnTrait>(column: C, opds: Option<&BTreeSet<String>>) -> Condition {
    opds.map(|opds| column.is_in(opds.iter().cloned())).into_iter().fold(Condition::all(), Condition::add)
}

/// The measurements that are owed. It takes three statements.
async fn measurements(
    db: &impl ConnectionTrait,
    opds: Option<&BTreeSet<String>>,
    from: NaiveDate,
    today: NaiveDate,
) -> ApiResult<Vec<Obligation>> {
    use measurement::Column;
    let kpis = kpi::Entity::find().filter(of_opds(kpi::Column::Opd, opds)).all(db).await?;
    let of_kpis = measurement::Entity::find().filter(Column::Kpi.is_in(kpis.iter().map(|kpi| kpi.code.clone())));
    let recent = Column::Period.gte(Period::text_from(from)).and(Column::PeriodEnd.gte(from));
    let recent = of_kpis.clone().filter(Column::Latest.eq(true)).filter(recent);
    // Written as the index spells it.
    let open = of_kpis.filter(Expr::cust(OPEN)).filter(Column::PeriodEnd.lt(from));
    let mut rows = recent.all(db).await?;
    rows.extend(open.all(db).await?);
    rows.sort_by_key(|row| row.period_end);
    let mut reported: HashMap<String, Vec<Reported>> = HashMap::new();
    for row in rows {
        if let Ok(period) = Period::parse(&row.period) {
            reported.entry(row.kpi.clone()).or_default().push((period, row.review_state()));
        }
    }
    let owed = kpis.iter().flat_map(|kpi| {
        let baseline = kpi.baseline_period.as_deref().and_then(|period| Period::parse(period).ok());
        let begun = baseline.map_or_else(|| kpi.created_at.date_naive(), Period::end);
        let periods = owed_periods(kpi.frequency, Ord::max(begun, from), today);
        let reports = reported.remove(&kpi.code).unwrap_or_default();
        owed(&kpi.opd, periods, reports, today).map(|owed| Obligation {
            report: ReportKind::Measurement,
            kpi: Some(kpi.code.clone()),
            kpi_name: Some(kpi.name.clone()),
            ..owed
        })
    });
    Ok(owed.collect())
}

/// The reports on actions that are owed: one for each quarter of an action's year. It takes two statements.
async fn action_reports(
    db: &impl ConnectionTrait,
    opds: Option<&BTreeSet<String>>,
    from: NaiveDate,
    today: NaiveDate,
) -> ApiResult<Vec<Obligation>> {
    use action_report::Column;
    let actions = action::Entity::find().filter(of_opds(action::Column::Opd, opds));
    let ids = actions.clone().select_only().column(action::Column::Id).into_query();
    let rows = action_report::Entity::find().filter(Column::Action.in_subquery(ids)).filter(Column::Latest.eq(true));
    let actions = actions.all(db).await?;
    let years = actions.iter().map(|action| (action.id.as_str(), action.year)).collect::<HashMap<_, _>>();
    let quarter = |year, quarter| u8::try_from(quarter).map(|quarter| Period::Quarter(year, quarter)).ok();
    let mut reported: HashMap<String, Vec<Reported>> = HashMap::new();
    for row in rows.order_by_asc(Column::Quarter).all(db).await? {
        if let Some(period) = years.get(row.action.as_str()).and_then(|year| quarter(*year, row.quarter)) {
            reported.entry(row.action.clone()).or_default().push((period, row.review_state()));
        }
    }
    let owed = actions.iter().flat_map(|action| {
        let quarters = (1..=4).map(|quarter| Period::Quarter(action.year, quarter));
        let periods = quarters.filter(|period| from <= period.end() && period.end() < today).collect();
        owed(&action.opd, periods, reported.remove(&action.id).unwrap_or_default(), today).map(|owed| Obligation {
            report: ReportKind::ActionReport,
            action: Some(action.id.clone()),
            action_title: Some(action.title.clone()),
            ..owed
        })
    });
    Ok(owed.collect())
}

/// The reports that are owed about one KPI or action: one for each of `periods`, and those that are not submitted.
fn owed(opd: &str, periods: Vec<Period>, reported: Vec<Reported>, today: NaiveDate) -> impl Iterator<Item = Obligation> {
    let obligation = |kind, period: Period, reason, version| Obligation {
        kind,
        report: ReportKind::Measurement,
        kpi: None,
        kpi_name: None,
        action: None,
        action_title: None,
        opd: opd.to_owned(),
        period: period.to_string(),
        due_on: due_on(period),
        overdue: due_on(period) < today,
        reason,
        version,
    };
    let missing = periods.into_iter().filter(|period| !reported.iter().any(|(known, _)| known == period));
    let missing = missing.map(|period| obligation("missing", period, None, None));
    let open = reported.iter().filter_map(|(period, review_state)| {
        let kind = match review_state.state {
            ReportState::Draft => "draft",
            ReportState::Returned => "returned",
            ReportState::Submitted | ReportState::Verified => return None,
        };
        Some(obligation(kind, *period, review_state.return_reason.clone(), Some(review_state.version)))
    });
    missing.chain(open).collect::<Vec<_>>().into_iter()
}

fn page(all: Vec<Obligation>, list: &str, limit: u64, cursor: Option<String>, count: bool) -> ApiResult<Page> {
    let key = |obligation: &Obligation| {
        let (due, report, of, period) = order(obligation);
        vec![json!(due), json!(report), json!(of), json!(period)]
    };
    let text = |values: &[Value]| values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    let total = count.then_some(all.len() as u64);
    let after = cursor.map(|cursor| Cursor::read(list, &cursor)).transpose()?.map(|values| text(&values));
    let rest = all.into_iter().filter(|one| after.as_ref().is_none_or(|after| text(&key(one)) > *after)).collect::<Vec<_>>();
    let has_more = rest.len() as u64 > limit;
    let shown = rest.into_iter().take(limit as usize).collect::<Vec<_>>();
    let next_cursor = shown.last().filter(|_| has_more).map(|last| Cursor::write(list, &key(last)));
    Ok(Page { data: texts(shown)?, next_cursor, limit, total })
}

/// Adds the route.
pub fn mount(table: &mut Table) {
    let limit = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT });
    let cursor = json!({ "type": "string", "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]*$" });
    let list = Operation::get(
        "/v1/me/obligations",
        "list_obligations",
        "identity",
        "List the reports that I still owe",
        "The reports that are owed by the OPD to which the token is bound and the OPDs below it, or by all OPDs if the token is \
         bound to none: measurements for periods of the last 36 months that have ended, reports on actions for quarters that \
         have ended, drafts that were not submitted, and reports that were returned. Each has its due day; the most urgent come \
         first.",
    );
    let owed = json!({
        "kind": "missing", "report": "measurement", "kpi": "STUNTING", "kpi_name": "Prevalensi stunting", "action": null,
        "action_title": null, "opd": "DINKES", "period": "2022", "due_on": "2023-01-10", "overdue": false, "reason": null,
        "version": null,
    });
    let example = json!({ "data": [owed], "page": { "next_cursor": null, "limit": 50 } });
    let page = Map::<String, Value>::from_iter([(
        "ObligationPage".to_owned(),
        schemas::page(json!({ "$ref": "#/components/schemas/Obligation" })),
    )]);
    table.on(
        list.roles(&KnowOneself::role_names())
            .query(
                "opd",
                schemas::code_schema(),
                "Only reports of this OPD and the OPDs below it. An account that is bound to an OPD may name one that lies below it.",
            )
            .query("limit", limit, "The greatest number of rows on a page.")
            .query("cursor", cursor, "The `next_cursor` of the previous page.")
            .query("count", json!({ "type": "boolean" }), "Adds the number of all rows as `page.total`.")
            .problems(&[404])
            .with_schemas(schema::components::<Obligation>())
            .with_schemas(page)
            .answers_schema(200, "One page of the reports that are owed.", json!({ "$ref": "#/components/schemas/ObligationPage" }), Some(example), &["Link"]),
        list_obligations,
    );
}
