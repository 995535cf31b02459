//! `/v1/programmes/{code}/coverage`: the villages that a programme reaches. An entry about a village is never changed; a later
//! entry follows it.

use super::coverage_entries::{entry_of, recorded};
use crate::http::language::Noun;
use crate::resources::programmes;
use crate::resources::regions;
use crate::store::kind::{Audited, Field, Recorded, Stored};
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
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::auth::permissions::{EditProgrammes, Permission, ReadAll};
use crate::crud::parameters::{filter_parameters, page_parameters};
use crate::crud::references::unknown;
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::page::{Page, texts};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::kpis::coverage_method;
use crate::store::access::{Access, retry};
use crate::store::days::read_as_of;
use crate::store::kind::ValueType;
use crate::store::listing::Listing;
use crate::store::transaction::{AuditEvent, WriteTransaction};

const PATH: &str = "/v1/programmes/{code}/coverage";
/// How many years before its masterplan a programme may have reached a village.
const YEARS_BEFORE: i32 = 10;
const REGION: Field = Field::sort("region", ValueType::Code);
const FIELDS: &[Field] = &[REGION, Field::filter("status", ValueType::Choice(&["planned", "built"]))];

/// The body of a request that records the coverage of a village.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageInput {
    /// The Kemendagri code of the village.
    region: Code,
    /// The coverage of the village from that day on: `planned` or `built`.
    status: CoverageStatus,
    /// The first day on which the entry holds; today if absent. It may lie in the past, but not before the previous entry about
    /// the village, not in the future, and not more than ten years before the masterplan.
    #[schema(max_length = 10)]
    effective_on: Option<NaiveDate>,
}

/// An entry about the coverage of a village by a programme.
#[derive(Serialize, ToSchema)]
pub struct Coverage {
    /// The code of the programme.
    #[schema(max_length = 64, example = "SV-01")]
    programme: String,
    /// The Kemendagri code of the village.
    #[schema(max_length = 64, example = "52.08.04.2006")]
    region: String,
    /// The name of the village.
    #[schema(max_length = 200, example = "Senaru")]
    region_name: String,
    /// The coverage of the village: `planned` or `built`.
    status: CoverageStatus,
    /// The first day on which the entry holds.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
    /// Who recorded the entry.
    #[schema(max_length = 254)]
    recorded_by: String,
    /// When the entry was recorded.
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
            // The programme is locked, so that entries about it are recorded one after the other.
            let programme = transaction.locked::<programme::Entity>(code.clone()).await?;
            let programme = programme.ok_or_else(|| ApiError::not_found(&programmes::KIND, &code))?;
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
    let region = region.ok_or_else(|| ApiError::invalid(vec![unknown("/region".into(), &regions::KIND, code)]))?;
    if region.level != RegionLevel::Village {
        let (en, id) = (format!("`{code}` is not a village."), format!("`{code}` bukan desa atau kelurahan."));
        return Err(ApiError::field_error("/region", "not_a_village", en, id));
    }
    Ok(region)
}

/// The first day that can be recorded. Villages may have been reached before the masterplan, but only within a bounded number of
/// years.
async fn first_day(transaction: &WriteTransaction, programme: &programme::Model) -> ApiResult<NaiveDate> {
    let masterplan = masterplan::Entity::find_by_id(&programme.masterplan).one(&transaction.db).await?;
    let year = masterplan.and_then(|plan| plan.start_year).unwrap_or_else(|| transaction.today.year());
    Ok(NaiveDate::from_ymd_opt(year - YEARS_BEFORE, 1, 1).unwrap_or(transaction.today))
}

fn must_be_a_day_of_the_past(day: NaiveDate, first: NaiveDate, today: NaiveDate) -> ApiResult<()> {
    let field_error = |code: &'static str, en: String, id: String| Err(ApiError::field_error("/effective_on", code, en, id));
    if day > today {
        field_error(
            "in_the_future",
            format!("The day must not be after today, {today}."),
            format!("Hari ini tidak boleh setelah {today}, yaitu hari sekarang."),
        )
    } else if day < first {
        field_error(
            "outside_range",
            format!("The day must not be before {first}."),
            format!("Harinya tidak boleh sebelum {first}."),
        )
    } else {
        Ok(())
    }
}

fn too_early(last: Option<&coverage::Model>) -> ApiError {
    let day = last.map(|last| last.effective_on.to_string()).unwrap_or_default();
    let en = format!(
        "The day must not be before that of the previous entry, {day}. A built village can be planned again only \
        from a later day."
    );
    let id = format!(
        "Harinya tidak boleh sebelum catatan terakhir, {day}. Desa yang sudah terbangun hanya dapat direncanakan lagi sejak hari \
         berikutnya."
    );
    ApiError::field_error("/effective_on", "before_previous", en, id)
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
        of: &AUDITED,
        key: &format!("{programme}/{}", village.code),
        action: if last.is_some() { "updated" } else { "created" },
        version: row.seq,
        before: last.map(show),
        after: Some(show(&row)),
        first_event: None,
    };
    transaction.record(audit_event).await?;
    Ok(row)
}

/// What the audit log tells of coverage.
pub static AUDITED: Audited = Audited::new("coverage", Noun::new("coverage", "cakupan"))
    .actions(&["created", "updated", "imported"])
    .recorded(|| Recorded::of::<Coverage>(example()));

/// Where coverage refers to villages.
pub const STORED: Stored =
    Stored { to: &regions::KIND, resource: "coverage", table: "coverage", column: "region", name: "programme", only: None };

/// A request for the coverage of a programme: for each village the last entry that holds at the end of a day.
struct AskedCoverage {
    listing: Listing,
    programme: String,
    as_of: NaiveDate,
}

impl AskedCoverage {
    fn read(mut parameters: Parameters, programme: &str, today: NaiveDate) -> ApiResult<Self> {
        let as_of = read_as_of(&mut parameters, today).unwrap_or(today);
        let name = format!("{programme}/coverage as of {as_of}");
        let listing = Listing::read(&mut parameters, &name, FIELDS, REGION.name, REGION, false);
        parameters.finish()?;
        Ok(Self { listing, programme: programme.to_owned(), as_of })
    }

    /// The rows of a page with the names of their villages, and the page to which they belong. It takes two statements.
    async fn rows(self, db: &impl ConnectionTrait) -> ApiResult<(Vec<(coverage::Model, String)>, Page)> {
        use coverage::Column;
        let rows =
            coverage::Entity::find().filter(Column::Programme.eq(self.programme)).filter(Column::EffectiveOn.lte(self.as_of));
        let (rows, page) = self.listing.only(Expr::cust(is_last_on(self.as_of))).rows(db, rows).await?;
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

/// The SQL condition under which an entry is the last about its village that holds at the end of a day.
pub fn is_last_on(day: NaiveDate) -> String {
    format!(
        "NOT EXISTS (SELECT 1 FROM coverage l WHERE l.programme = coverage.programme AND l.region = coverage.region \
         AND l.seq > coverage.seq AND l.effective_on <= '{day}')"
    )
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
        return Err(ApiError::not_found(&programmes::KIND, &code));
    }
    let data = texts(rows.iter().map(|(row, name)| Coverage::of(row, name)))?;
    Page { data, ..page }.answer(request.path(), request.query_string())
}

/// Adds the parameters of the list.
fn list_parameters(operation: Operation) -> Operation {
    let day = json!({ "type": "string", "format": "date", "maxLength": 10, "example": "2022-10-04" });
    let operation =
        operation.query("as_of", day, "The day as of whose end the coverage is shown, not after today; without it, today.");
    page_parameters(FIELDS.iter().fold(operation, filter_parameters), &[REGION.name], REGION.name)
}

fn example() -> Value {
    json!({
        "programme": "SV-01", "region": "52.08.04.2006", "region_name": "Senaru", "status": "built", "effective_on": "2022-12-20",
        "recorded_by": "operator.dlh@demo.invalid", "recorded_at": "2022-12-21T01:00:00Z",
    })
}

/// Adds the routes of the coverage.
pub fn mount(table: &mut Table) {
    let put = Operation::new(
        Method::PUT,
        PATH,
        "put_coverage",
        "programmes",
        "Record the coverage of a village",
        "Records what a programme has in a village from a day on (201). An entry is never changed; a later entry follows it. \
         Recording the same again changes nothing (200). A KPI of the programme whose `method` is `coverage` counts the built \
         villages: its measurements from the period of the entry to the present one are reported and submitted together with the \
         entry, in the name of the actor who recorded it.",
    );
    let list = Operation::get(
        PATH,
        "list_coverage",
        "programmes",
        "List the villages that a programme reaches",
        "The coverage of each village by the programme, as of the end of a day.",
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
                .answers::<Coverage>(201, "The entry that was recorded.", Some(example()), &["Location", "Idempotent-Replayed"])
                .answers::<Coverage>(
                    200,
                    "The same entry was recorded before; nothing changed.",
                    Some(example()),
                    &["Idempotent-Replayed"],
                ),
            put_coverage,
        )
        .on(
            list_parameters(list.roles(&ReadAll::role_names()))
                .problems(&[404])
                .with_schemas(schema::components::<Coverage>())
                .with_schemas(Map::<String, Value>::from_iter([("CoveragePage".to_owned(), page)]))
                .answers_schema(
                    200,
                    "One page of the coverage.",
                    json!({ "$ref": "#/components/schemas/CoveragePage" }),
                    Some(page_example),
                    &["Link"],
                ),
            list_coverage,
        );
}
