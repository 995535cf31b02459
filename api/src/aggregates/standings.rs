//! The standings of all KPIs, one row each: a list over what [`super::standing`] computes.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Data;
use chrono::NaiveDate;
use entity::rules::kpi::{Direction, Standing};
use entity::rules::spbe::SpbePredicate;
use entity::value::decimal::{Decimal, Percent};
use entity::value::period::Frequency;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::examples;
use super::routes::request::FigureRequest;
use super::standing::{self, ApplicableTarget, Belonging, DataAge, KpiStanding, PeriodValue, Projected, TargetValue};
use crate::auth::permissions::{Permission, ReadAll};
use crate::crud::parameters::{list_parameters, words};
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::operation::Operation;
use crate::http::page::{Page, texts};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Parameters;
use crate::http::representation::Selection;
use crate::http::schema;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::resources::kpis::Unit;
use crate::store::access::{Access, Public};
use crate::store::figure_cache::FigureCache;
use crate::store::kind::{Field, Scope, ValueType};
use crate::store::listing::Listing;
use crate::store::snapshots::AsOf;
use crate::tabular::asked::AskedCsv;
use crate::tabular::columns::{LazyTabular, Lines, Tabular, lazily_with_csv, with_csv};
use crate::tabular::stream::{self, ALL_ROWS};

/// The standing of a KPI at the end of a day, as a row of a list: without its explanation, and with what the KPI belongs to.
#[derive(Serialize, ToSchema)]
#[schema(as = KpiStandingRow)]
struct Row {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// The name of the KPI.
    #[schema(max_length = 300)]
    name: String,
    /// The code of the masterplan that the KPI belongs to.
    #[schema(required = true, max_length = 64)]
    masterplan: Option<String>,
    /// The code of the dimension that the KPI serves; null for the public if the dimension was removed since.
    #[schema(required = true, max_length = 64)]
    dimension: Option<String>,
    /// The code of the programme that the KPI measures; null if there is none, and for the public if the programme is hidden.
    #[schema(required = true, max_length = 64)]
    programme: Option<String>,
    /// The code of the OPD that reports the KPI; null for the public if the OPD was removed since.
    #[schema(required = true, max_length = 64)]
    opd: Option<String>,
    /// The unit of the values.
    unit: Unit,
    /// The direction in which the KPI should move.
    direction: Direction,
    /// How often the KPI is measured.
    frequency: Frequency,
    /// The day as of whose end the figures hold.
    #[schema(max_length = 10)]
    as_of: NaiveDate,
    /// The value from which the KPI starts.
    #[schema(required = true)]
    baseline: Option<PeriodValue>,
    /// The latest verified value that was known on that day, of a period that has begun by then.
    #[schema(required = true)]
    latest: Option<PeriodValue>,
    /// The target that applies to the period of the latest value, or to the period of the day if there is no value.
    #[schema(required = true)]
    target: Option<ApplicableTarget>,
    /// All targets, in the order of their periods.
    #[schema(max_items = 3600)]
    targets: Vec<TargetValue>,
    /// The achievement in percent, as in SAKIP; see the standing of one KPI.
    #[schema(required = true)]
    achievement: Option<Percent>,
    /// The share of the whole way that is done, in percent; see the standing of one KPI.
    #[schema(required = true)]
    progress: Option<Percent>,
    /// The standing; see the standing of one KPI.
    standing: Standing,
    /// The projection: the rate from the baseline to the latest value, continued in a straight line.
    #[schema(required = true)]
    projected: Option<Projected>,
    /// The change that is still needed in each period, in the unit of the KPI.
    #[schema(required = true)]
    required_pace: Option<Decimal>,
    /// The predicate of the latest value, for the SPBE index; null for other KPIs.
    #[schema(required = true)]
    predicate: Option<SpbePredicate>,
    /// The predicate of the applicable target, for the SPBE index; null for other KPIs.
    #[schema(required = true)]
    target_predicate: Option<SpbePredicate>,
    /// How old the data is.
    age: DataAge,
}

impl From<(Belonging, KpiStanding)> for Row {
    fn from((of, standing): (Belonging, KpiStanding)) -> Self {
        Self {
            kpi: standing.kpi,
            name: standing.name,
            masterplan: of.masterplan,
            dimension: of.dimension,
            programme: of.programme,
            opd: of.opd,
            unit: standing.unit,
            direction: standing.direction,
            frequency: standing.frequency,
            as_of: standing.as_of,
            baseline: standing.baseline,
            latest: standing.latest,
            target: standing.target,
            targets: standing.targets,
            achievement: standing.achievement,
            progress: standing.progress,
            standing: standing.standing,
            projected: standing.projected,
            required_pace: standing.required_pace,
            predicate: standing.predicate,
            target_predicate: standing.target_predicate,
            age: standing.age,
        }
    }
}

/// What the list can be filtered and sorted by.
const FIELDS: &[Field] = &[
    Field::sort("kpi", ValueType::Code),
    Field::sort("name", ValueType::Text),
    Field::sort("standing", ValueType::Choice(Standing::WORDS)),
    Field::sort_nullable("masterplan", ValueType::Code),
    Field::sort_nullable("dimension", ValueType::Code),
    Field::sort_nullable("programme", ValueType::Code),
    Field::sort_nullable("opd", ValueType::Code),
    Field::filter("direction", ValueType::Choice(Direction::WORDS)),
    Field::filter("frequency", ValueType::Choice(Frequency::WORDS)),
    Field::sort_nullable("achievement", ValueType::Decimal),
    Field::sort_nullable("progress", ValueType::Decimal),
    Field::sort_nullable("required_pace", ValueType::Decimal),
    Field::sort_nullable("periods", ValueType::Integer),
    Field::sort_nullable("due_on", ValueType::Date),
    Field::filter("stale", ValueType::Flag),
];

/// Members of `age` that the list can be filtered or sorted by.
const OF_AGE: [&str; 3] = ["periods", "due_on", "stale"];

const KEY: Field = Field::sort("kpi", ValueType::Code);
const NAME: &str = "KpiStandingRow";
const PATH: &str = "/standings";

/// All rows, in the order of the codes.
pub(crate) async fn all(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf) -> ApiResult<Vec<Value>> {
    let rows = standing::of_all(db, scope, as_of).await?.into_iter().map(|both| serde_json::to_value(Row::from(both)));
    rows.collect::<Result<Vec<_>, _>>().map_err(ApiError::unexpected)
}

/// Reads one page: two statements, whatever the number of KPIs.
async fn page(db: &impl ConnectionTrait, scope: Scope, as_of: AsOf, listing: &Listing, selection: &Selection) -> ApiResult<Page> {
    let rows = all(db, scope, as_of).await?;
    let (shown, page) =
        listing.page_of(&rows, value_of, |row| ["kpi", "name"].map(|name| row[name].as_str().unwrap_or_default()).join("\n"))?;
    let picked = shown.into_iter().map(|row| {
        let members = row.as_object().into_iter().flatten().filter(|(name, _)| selection.has(name));
        Value::Object(members.map(|(name, value)| (name.clone(), value.clone())).collect())
    });
    Ok(Page { data: texts(picked)?, ..page })
}

/// The value of a field of a row.
fn value_of<'a>(row: &'a Value, field: &Field) -> &'a Value {
    let place = if OF_AGE.contains(&field.name) { row.get("age") } else { Some(row) };
    place.and_then(|place| place.get(field.name)).unwrap_or(&Value::Null)
}

/// The names of the members of a row.
fn members() -> Vec<String> {
    let own = schema::components::<Row>().remove(NAME).unwrap_or_default();
    own["properties"].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

async fn answer(asked: FigureRequest, request: &HttpRequest, mut parameters: Parameters, is_csv: bool) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, request.path().trim_start_matches("/v1/"), FIELDS, KEY.name, KEY, true);
    let listing = if is_csv { listing.pages_of(ALL_ROWS, None) } else { listing };
    let selection = Selection::read(&mut parameters, &members());
    let day = asked.read_as_of(&mut parameters);
    parameters.finish()?;
    let as_of = asked.as_of(day).await?;
    let (path, query) = (request.path().to_owned(), request.query_string().to_owned());
    asked
        .answer_with(as_of.is_past(), (as_of.day, is_csv, query.clone()), move |store, scope| async move {
            page(store.db(), scope, as_of, &listing, &selection).await?.answer(&path, &query)
        })
        .await
}

async fn list_standings(
    access: Access<ReadAll>,
    request: HttpRequest,
    cache: Data<FigureCache>,
    preconditions: Preconditions,
    parameters: Parameters,
) -> ApiResult<Answer> {
    answer(FigureRequest::new(access.store, Scope::All, cache, &request, preconditions), &request, parameters, false).await
}

async fn list_public_standings(
    table: &LazyTabular,
    public: Public,
    request: HttpRequest,
    cache: Data<FigureCache>,
    preconditions: Preconditions,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let asked_csv = AskedCsv::read(&mut parameters, &request);
    let asked = FigureRequest::new(public.store, Scope::Published, cache, &request, Preconditions::default());
    let answer = answer(asked, &request, parameters, asked_csv.is_some()).await?;
    let answer = match asked_csv {
        None => answer.public().header("Vary", "Accept"),
        Some(csv) => {
            // A wrong one was refused already.
            let selection = Selection::read(&mut Parameters::parse(request.query_string())?, &members());
            stream::figure(&request, table, csv, &selection, &answer)?
        }
    };
    Ok(answer.unless_known(&preconditions))
}

const ABOUT: &str = "One row for each KPI: everything that the standing of one KPI says but its explanation, and what the KPI belongs \
    to. KPIs that were created after the day of `as_of` are not in the list.\n\nA page at a time, in a stable order.";

fn example() -> Value {
    let mut row = examples::standing();
    if let Some(members) = row.as_object_mut() {
        members.remove("explanation");
        let belonging = [("masterplan", "KLU-SC"), ("dimension", "living"), ("programme", "SL-01"), ("opd", "DINKES")];
        members.extend(belonging.map(|(name, code)| (name.to_owned(), json!(code))));
    }
    row
}

fn described(operation: Operation) -> Operation {
    let mut schemas = schema::components::<Row>();
    let page = format!("{NAME}Page");
    schemas.extend(Map::from_iter([(page.clone(), schemas::page(reference(NAME)))]));
    let example = json!({ "data": [example()], "page": { "next_cursor": null, "limit": 50 } });
    list_parameters(operation, FIELDS, KEY.name, true)
        .query(
            "fields",
            words(&members()),
            "Only these members of the answer, and no others: the parameter repeated, or a comma-separated list.",
        )
        .query(
            "as_of",
            json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" }),
            "The day as of whose end the figures are computed, not after today; without it, today. Every day before the first of \
             which anything is recorded is answered like the day before that one.",
        )
        .conditional()
        .with_schemas(schemas)
        .answers_schema(200, "A page of standings.", reference(&page), Some(example), &["ETag", "Link"])
}

fn described_private() -> Operation {
    let list = Operation::get(&format!("/v1{PATH}"), "list_standings", "figures", "List the standings of the KPIs", ABOUT);
    described(list.roles(&ReadAll::role_names()))
}

fn described_public() -> Operation {
    let about = format!(
        "{ABOUT} It is computed from public and verified data only; for a past day from what was public then and is public now. What \
         is hidden is null, and nothing is found by it. No login is needed."
    );
    let path = format!("/v1/public{PATH}");
    let list = Operation::get(&path, "list_public_standings", "public", "List the standings of the KPIs (public)", &about);
    described(list.public())
}

/// Adds the route.
pub fn mount(table: &mut Table) {
    table.lazily(Method::GET, &format!("/v1{PATH}"), described_private, list_standings);
}

/// The public route, with its table.
pub(crate) fn public_table() -> (Operation, Tabular) {
    with_csv(described_public(), Lines::Rows)
}

/// Adds the public route.
pub fn mount_public(table: &mut Table) {
    let (describe, tabular) = lazily_with_csv(described_public, Lines::Rows);
    let path = format!("/v1/public{PATH}");
    table.lazily(Method::GET, &path, describe, move |public: Public, request, cache, preconditions, parameters| {
        let tabular = Arc::clone(&tabular);
        async move { list_public_standings(&tabular, public, request, cache, preconditions, parameters).await }
    });
}
