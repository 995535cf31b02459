//! `/v1/programmes/{code}/coverage`: the villages a programme reaches. What is recorded of a village is never changed,
//! only followed by what came later.

use std::collections::BTreeMap;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::coverage::{self, CoverageStatus};
use entity::region::RegionLevel;
use entity::rules::coverage::{Arrival, Entry, arrival};
use entity::value::code::Code;
use entity::{masterplan, programme, region};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::auth::permissions::{EditProgrammes, Permission, ReadAll};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::page::Page;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::kpis::coverage_method;
use crate::resources::openapi::{filter_parameters, page_parameters};
use crate::resources::references::{Target, unknown};
use crate::resources::schemas;
use crate::store::access::{Access, retry};
use crate::store::days::read_as_of;
use crate::store::listing::{Field, Kind, Listing};
use crate::store::transaction::{AuditEvent, WriteTransaction};

const PATH: &str = "/v1/programmes/{code}/coverage";
/// How many years before its masterplan a village may have been reached.
const YEARS_BEFORE: i32 = 10;
const REGION: Field = Field::sort("region", Kind::Code);
const FIELDS: &[Field] = &[REGION, Field::filter("status", Kind::Choice(&["planned", "built"]))];

/// What a programme has in a village from a day on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageInput {
    /// The village.
    region: Code,
    /// What is there from then on.
    status: CoverageStatus,
    /// The first day on which it holds; today where it is left out. It may lie in the past, not before what was recorded of
    /// the village last, not in the future, and not more than ten years before the masterplan.
    #[schema(max_length = 10)]
    effective_on: Option<NaiveDate>,
}

/// What a programme has in a village, as it was recorded.
#[derive(Serialize, ToSchema)]
pub struct Coverage {
    /// The programme.
    #[schema(max_length = 64, example = "SV-01")]
    programme: String,
    /// The village.
    #[schema(max_length = 64, example = "52.08.04.2006")]
    region: String,
    /// The name of the village.
    #[schema(max_length = 200, example = "Senaru")]
    region_name: String,
    /// What is there.
    status: CoverageStatus,
    /// The first day on which it held.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
    /// Who recorded it.
    #[schema(max_length = 254)]
    recorded_by: String,
    /// When it was recorded.
    #[schema(max_length = 35)]
    recorded_at: DateTime<Utc>,
}

impl Coverage {
    fn of(row: &coverage::Model, region_name: &str) -> Self {
        Self {
            programme: row.programme.clone(),
            region: row.region.clone(),
            region_name: region_name.to_owned(),
            status: row.status,
            effective_on: row.effective_on,
            recorded_by: row.recorded_by.clone(),
            recorded_at: row.recorded_at,
        }
    }
}

async fn put_coverage(
    access: Access<EditProgrammes>,
    request: HttpRequest,
    code: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    access
        .write(retry, async |transaction: &WriteTransaction| {
            // Locked: what is recorded of one programme takes turns.
            let programme = transaction.locked::<programme::Entity>(code.clone()).await?;
            let programme = programme.ok_or_else(|| ApiError::not_found("programme", &code))?;
            transaction.must_cover(&programme.lead_opd).await?;
            let input: CoverageInput = body.read()?;
            let village = village(&transaction.db, &input.region).await?;
            let entry = Entry { status: input.status, effective_on: input.effective_on.unwrap_or(transaction.today) };
            must_be_a_day_of_the_past(entry.effective_on, first_day(transaction, &programme).await?, transaction.today)?;
            let known = recorded(&transaction.db, &code, Some(&village.code)).await?;
            let last = known.last();
            match arrival(&known.iter().map(entry_of).collect::<Vec<_>>(), entry) {
                Arrival::Known(position) => Answer::ok(&Coverage::of(&known[position], &village.name)),
                Arrival::TooEarly => Err(too_early(last)),
                Arrival::News => {
                    let row = record(transaction, &code, &village, last, entry).await?;
                    coverage_method::recount(transaction, &row).await?;
                    let place = format!("{}?region={}", request.path(), village.code);
                    Answer::created(&place, &Coverage::of(&row, &village.name))
                }
            }
        })
        .await
}

async fn village(db: &impl ConnectionTrait, code: &str) -> ApiResult<region::Model> {
    let region = region::Entity::find_by_id(code).one(db).await?;
    let region = region.ok_or_else(|| ApiError::invalid(vec![unknown("/region".into(), Target::Region, code)]))?;
    if region.level != RegionLevel::Village {
        let (en, id) = (format!("`{code}` is no village."), format!("`{code}` bukan desa atau kelurahan."));
        return Err(ApiError::field_error("/region", "not_a_village", en, id));
    }
    Ok(region)
}

/// The first day that can be recorded: what stood there before the masterplan, but not before anybody remembers.
async fn first_day(transaction: &WriteTransaction, programme: &programme::Model) -> ApiResult<NaiveDate> {
    let masterplan = masterplan::Entity::find_by_id(&programme.masterplan).one(&transaction.db).await?;
    let year = masterplan.and_then(|plan| plan.start_year).unwrap_or_else(|| transaction.today.year());
    Ok(NaiveDate::from_ymd_opt(year - YEARS_BEFORE, 1, 1).unwrap_or(transaction.today))
}

fn must_be_a_day_of_the_past(day: NaiveDate, first: NaiveDate, today: NaiveDate) -> ApiResult<()> {
    let field_error = |code: &'static str, en: String, id: String| Err(ApiError::field_error("/effective_on", code, en, id));
    if day > today {
        field_error("in_the_future", format!("Not after today, {today}."), format!("Tidak setelah hari ini, {today}."))
    } else if day < first {
        field_error("outside_range", format!("Not before {first}."), format!("Tidak sebelum {first}."))
    } else {
        Ok(())
    }
}

fn too_early(last: Option<&coverage::Model>) -> ApiError {
    let day = last.map(|last| last.effective_on.to_string()).unwrap_or_default();
    let en = format!("Not before what was recorded last, from {day} on; what is built is planned again only from a later day.");
    let id = format!(
        "Tidak sebelum catatan terakhir, sejak {day}; yang sudah terbangun hanya dapat direncanakan lagi sejak hari berikutnya."
    );
    ApiError::field_error("/effective_on", "before_previous", en, id)
}

/// What was recorded for a programme, of one village or of all: of each village the oldest first.
pub async fn recorded(db: &impl ConnectionTrait, programme: &str, village: Option<&str>) -> ApiResult<Vec<coverage::Model>> {
    use coverage::Column;
    let mut rows = coverage::Entity::find().filter(Column::Programme.eq(programme));
    if let Some(village) = village {
        rows = rows.filter(Column::Region.eq(village));
    }
    Ok(rows.order_by_asc(Column::Region).order_by_asc(Column::Seq).all(db).await?)
}

/// A row as the rule takes it.
pub fn entry_of(row: &coverage::Model) -> Entry {
    Entry { status: row.status, effective_on: row.effective_on }
}

async fn record(
    transaction: &WriteTransaction,
    programme: &str,
    village: &region::Model,
    last: Option<&coverage::Model>,
    entry: Entry,
) -> ApiResult<coverage::Model> {
    let row = coverage::ActiveModel {
        programme: Set(programme.to_owned()),
        region: Set(village.code.clone()),
        seq: Set(last.map_or(1, |last| last.seq + 1)),
        status: Set(entry.status),
        effective_on: Set(entry.effective_on),
        recorded_by: Set(transaction.origin.actor.name.clone()),
        recorded_at: Set(transaction.now),
    };
    let row = row.insert(&transaction.db).await?;
    let show = |row: &coverage::Model| json!(Coverage::of(row, &village.name));
    let audit_event = AuditEvent {
        resource: "coverage",
        key: &format!("{programme}/{}", village.code),
        action: if last.is_some() { "updated" } else { "created" },
        version: row.seq,
        before: last.map(show),
        after: Some(show(&row)),
    };
    transaction.record(audit_event).await?;
    Ok(row)
}

/// What a client asks of the coverage of a programme: the last entry of each village that holds at the end of a day.
pub struct AskedCoverage {
    listing: Listing,
    programme: String,
    /// The day.
    pub as_of: NaiveDate,
}

impl AskedCoverage {
    /// Reads `as_of`, the filters and the page.
    pub fn read(mut parameters: Parameters, programme: &str, today: NaiveDate) -> ApiResult<Self> {
        let as_of = read_as_of(&mut parameters, today).unwrap_or(today);
        let name = format!("{programme}/coverage as of {as_of}");
        let listing = Listing::read(&mut parameters, &name, FIELDS, REGION.name, REGION, false);
        parameters.finish()?;
        Ok(Self { listing, programme: programme.to_owned(), as_of })
    }

    /// The rows of a page with the names of their villages, and the page that they are to be put in. Two statements.
    pub async fn rows(self, db: &impl ConnectionTrait) -> ApiResult<(Vec<(coverage::Model, String)>, Page)> {
        use coverage::Column;
        let later = format!(
            "NOT EXISTS (SELECT 1 FROM coverage l WHERE l.programme = coverage.programme AND l.region = coverage.region \
             AND l.seq > coverage.seq AND l.effective_on <= '{}')",
            self.as_of,
        );
        let rows =
            coverage::Entity::find().filter(Column::Programme.eq(self.programme)).filter(Column::EffectiveOn.lte(self.as_of));
        let (rows, page) = self.listing.only(Expr::cust(later)).rows(db, rows).await?;
        let villages = region::Entity::find().filter(region::Column::Code.is_in(rows.iter().map(|row| row.region.clone())));
        let names = villages.all(db).await?.into_iter().map(|village| (village.code, village.name));
        let names = names.collect::<BTreeMap<_, _>>();
        let named = rows.into_iter().map(|row| {
            let name = names.get(&row.region).cloned().unwrap_or_default();
            (row, name)
        });
        Ok((named.collect(), page))
    }
}

async fn list_coverage(
    access: Access<ReadAll>,
    request: HttpRequest,
    code: Path<String>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    let db = access.store.db();
    let (rows, page) = AskedCoverage::read(parameters, &code, access.store.calendar().today())?.rows(db).await?;
    if rows.is_empty() && programme::Entity::find_by_id(code.clone()).one(db).await?.is_none() {
        return Err(ApiError::not_found("programme", &code));
    }
    let data = rows.iter().map(|(row, name)| json!(Coverage::of(row, name))).collect();
    Page { data, ..page }.answer(request.path(), request.query_string())
}

/// Adds the parameters of the list.
pub fn list_parameters(operation: Operation) -> Operation {
    let day = json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" });
    let operation = operation.query("as_of", day, "As of the end of this day, which is not after today; today without it.");
    page_parameters(FIELDS.iter().fold(operation, filter_parameters), &[REGION.name], REGION.name)
}

fn example() -> Value {
    json!({
        "programme": "SV-01", "region": "52.08.04.2006", "region_name": "Senaru", "status": "built", "effective_on": "2022-12-20",
        "recorded_by": "operator.dlh@demo.invalid", "recorded_at": "2022-12-21T01:00:00Z",
    })
}

/// Mounts the coverage.
pub fn mount(table: &mut Table) {
    let put = Operation::new(
        Method::PUT,
        PATH,
        "put_coverage",
        "programmes",
        "Record what a programme has in a village",
        "What was recorded of a village is never changed, only followed by what holds from a later day on (201); the same again changes nothing \
         (200). A KPI of the programme whose `method` is `coverage` counts the built villages: its measurements, from the period of the entry \
         to that of today, are reported and handed in with it, in the name of whoever recorded it.",
    );
    let list = Operation::get(
        PATH,
        "list_coverage",
        "programmes",
        "Villages that a programme reaches",
        "What the programme has in each village at the end of a day.",
    );
    let page = schemas::page(json!({ "$ref": "#/components/schemas/Coverage" }));
    let page_example = json!({ "data": [example()], "page": { "next_cursor": null, "limit": 50 } });
    let given = json!({ "region": "52.08.04.2006", "status": "built", "effective_on": "2022-12-20" });
    table
        .on(
            put.roles(&EditProgrammes::role_names())
                .takes::<CoverageInput>(given)
                .retryable()
                .problems(&[404])
                .answers::<Coverage>(201, "Recorded.", Some(example()), &["Location", "Idempotent-Replayed"])
                .answers::<Coverage>(200, "It was recorded before.", Some(example()), &["Idempotent-Replayed"]),
            put_coverage,
        )
        .on(
            list_parameters(list.roles(&ReadAll::role_names()))
                .problems(&[404])
                .with_schemas(schema::components::<Coverage>())
                .with_schemas(Map::<String, Value>::from_iter([("CoveragePage".to_owned(), page)]))
                .answers_schema(
                    200,
                    "One page.",
                    json!({ "$ref": "#/components/schemas/CoveragePage" }),
                    Some(page_example),
                    &["Link"],
                ),
            list_coverage,
        );
}
