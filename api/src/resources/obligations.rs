//! `/v1/me/obligations`: what an OPD still owes.

use std::collections::{BTreeSet, HashMap};

use actix_web::HttpRequest;
use chrono::{Months, NaiveDate};
use entity::kpi;
use entity::measurement::{self, Column, ReportState};
use entity::rules::obligations::{due_on, owed_periods};
use entity::value::period::Period;
use sea_orm::sea_query::ExprTrait;
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, Statement};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::wire;
use crate::auth::permissions::{Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{Cursor, DEFAULT_LIMIT, LARGEST_LIMIT, Page};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::Parameters;
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::Access;

/// How far back missing periods are listed: what is older is for an evaluation, not for a reminder.
const LOOK_BACK: Months = Months::new(36);

/// Something that an OPD still owes.
#[derive(Debug, Serialize, ToSchema)]
pub struct Obligation {
    /// `missing`: a period ended without a value. `draft`: not handed in yet. `returned`: to be mended.
    #[schema(max_length = 16, example = "missing")]
    kind: &'static str,
    /// The KPI.
    #[schema(max_length = 64)]
    kpi: String,
    /// Its name.
    #[schema(max_length = 300)]
    kpi_name: String,
    /// The OPD that reports it.
    #[schema(max_length = 64)]
    opd: String,
    /// The period.
    #[schema(max_length = 7)]
    period: String,
    /// When it is due: the 10th of the month after the period.
    #[schema(max_length = 10)]
    due_on: NaiveDate,
    /// Whether that day has passed.
    overdue: bool,
    /// What the reviewer wants mended.
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// The version of the report; null where there is none.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: Option<i32>,
}

async fn list_obligations(access: Access<ReadAll>, request: HttpRequest, mut parameters: Parameters) -> ApiResult<Answer> {
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

/// The codes of an OPD and those below it, and of those above it. One statement.
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
    if below.is_empty() { Err(ApiError::not_found("opd", opd)) } else { Ok((below, above)) }
}

/// Everything owed, in the order of the days it is due. Two statements.
async fn obligations(db: &impl ConnectionTrait, opds: Option<&BTreeSet<String>>, today: NaiveDate) -> ApiResult<Vec<Obligation>> {
    let of_opds = opds.map(|opds| kpi::Column::Opd.is_in(opds.iter().cloned()));
    let kpis = kpi::Entity::find().filter(of_opds.into_iter().fold(Condition::all(), Condition::add)).all(db).await?;
    let from = today.checked_sub_months(LOOK_BACK).unwrap_or(today);
    let rows = measurement::Entity::find()
        .filter(Column::Kpi.is_in(kpis.iter().map(|kpi| kpi.code.clone())))
        .filter(Column::Latest.eq(true))
        .filter(Column::PeriodEnd.gte(from).or(Column::State.is_in([ReportState::Draft, ReportState::Returned])))
        .order_by_asc(Column::PeriodEnd);
    let mut reported: HashMap<&str, Vec<measurement::Model>> = HashMap::new();
    let codes = kpis.iter().map(|kpi| (kpi.code.as_str(), kpi)).collect::<HashMap<_, _>>();
    for row in rows.all(db).await? {
        if let Some((code, _)) = codes.get_key_value(row.kpi.as_str()) {
            reported.entry(code).or_default().push(row);
        }
    }
    let none = Vec::new();
    let mut all =
        kpis.iter().flat_map(|kpi| owed(kpi, reported.get(kpi.code.as_str()).unwrap_or(&none), from, today)).collect::<Vec<_>>();
    all.sort_by(|one, other| order(one).cmp(&order(other)));
    Ok(all)
}

fn order(obligation: &Obligation) -> (NaiveDate, &str, &str) {
    (obligation.due_on, &obligation.kpi, &obligation.period)
}

/// What is owed of one KPI.
fn owed(kpi: &kpi::Model, reported: &[measurement::Model], from: NaiveDate, today: NaiveDate) -> Vec<Obligation> {
    let obligation = |kind, period: Period, reason: Option<String>, version: Option<i32>| Obligation {
        kind,
        kpi: kpi.code.clone(),
        kpi_name: kpi.name.clone(),
        opd: kpi.opd.clone(),
        period: period.to_string(),
        due_on: due_on(period),
        overdue: due_on(period) < today,
        reason,
        version,
    };
    let baseline = kpi.baseline_period.as_deref().and_then(|period| Period::parse(period).ok());
    let begun = baseline.map_or_else(|| kpi.created_at.date_naive(), Period::end);
    let known = reported.iter().map(|row| row.period.as_str()).collect::<BTreeSet<_>>();
    let missing = owed_periods(kpi.frequency, Ord::max(begun, from), today).into_iter();
    let missing = missing
        .filter(|period| !known.contains(period.to_string().as_str()))
        .map(|period| obligation("missing", period, None, None));
    let open = reported.iter().filter_map(|row| {
        let kind = match row.state {
            ReportState::Draft => "draft",
            ReportState::Returned => "returned",
            ReportState::Submitted | ReportState::Verified => return None,
        };
        Some(obligation(kind, Period::parse(&row.period).ok()?, row.return_reason.clone(), Some(row.version)))
    });
    missing.chain(open).collect()
}

fn page(all: Vec<Obligation>, list: &str, limit: u64, cursor: Option<String>, count: bool) -> ApiResult<Page> {
    let key = |obligation: &Obligation| {
        let (due, kpi, period) = order(obligation);
        vec![json!(due), json!(kpi), json!(period)]
    };
    let text = |values: &[Value]| values.iter().map(|value| value.as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>();
    let total = count.then_some(all.len() as u64);
    let after = cursor.map(|cursor| Cursor::read(list, &cursor)).transpose()?.map(|values| text(&values));
    let rest = all.into_iter().filter(|one| after.as_ref().is_none_or(|after| text(&key(one)) > *after)).collect::<Vec<_>>();
    let has_more = rest.len() as u64 > limit;
    let shown = rest.into_iter().take(limit as usize).collect::<Vec<_>>();
    let next_cursor = shown.last().filter(|_| has_more).map(|last| Cursor::write(list, &key(last)));
    Ok(Page { data: shown.iter().map(|one| json!(one)).collect(), next_cursor, limit, total })
}

/// Mounts it.
pub fn mount(table: &mut Table) {
    let limit = json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT });
    let cursor = json!({ "type": "string", "maxLength": 4096, "pattern": "^[A-Za-z0-9_-]*$" });
    let list = Operation::get(
        "/v1/me/obligations",
        "list_obligations",
        "identity",
        "What I still owe",
        "Of the OPD that the token is bound to and those below it, or of all where it is bound to none: periods of the last 36 months that ended without a value, drafts that were \
         not handed in, and reports that were returned, each with the day it is due; the most urgent first.",
    );
    let page = Map::<String, Value>::from_iter([(
        "ObligationPage".to_owned(),
        wire::page(json!({ "$ref": "#/components/schemas/Obligation" })),
    )]);
    table.on(
        list.roles(&ReadAll::role_names())
            .query(
                "opd",
                wire::code_schema(),
                "Only this OPD and those below it. Who is bound to an OPD may ask for those below it.",
            )
            .query("limit", limit, "The page size.")
            .query("cursor", cursor, "`next_cursor` of the page before.")
            .query("count", json!({ "type": "boolean" }), "Adds `page.total`.")
            .problems(&[404])
            .with_schemas(schema::components::<Obligation>())
            .with_schemas(page)
            .answers_schema(200, "One page.", json!({ "$ref": "#/components/schemas/ObligationPage" }), None, &["Link"]),
        list_obligations,
    );
}
