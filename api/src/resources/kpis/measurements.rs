//! `/v1/kpis/{code}/measurements`
//!
//! A measurement is kept in revisions. A verified one is never overwritten: writing it again adds a revision, so that
//! figures of past days stay as they were.

pub mod wire_types;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::NaiveDate;
use entity::measurement::{self, ReportState};
use entity::value::period::Period;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, ModelTrait, QueryFilter, QueryOrder};
use serde_json::{Map, Value, json};

use self::wire_types::{Measurement, MeasurementInput};
use super::{period_of, require, value_faults};
use crate::auth::permissions::{Permission, ReadAll, Report};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::{Preconditions, entity_tag};
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::describe::{filter_parameters, page_parameters};
use crate::resources::history::{self, Entry};
use crate::resources::provenance::Provenance;
use crate::resources::wire;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Happening, Retry};
use crate::store::listing::{Field, Kind, Listing};

const LIST: &str = "/v1/kpis/{code}/measurements";
const ONE: &str = "/v1/kpis/{code}/measurements/{period}";
const HISTORY: &str = "/v1/kpis/{code}/measurements/{period}/history";
const PERIOD_END: Field = Field::sort("period_end", Kind::Date);
const STATES: &[&str] = &["draft", "submitted", "verified", "returned"];
const FIELDS: &[Field] = &[Field::filter("state", Kind::Choice(STATES))];

fn etag(row: &measurement::Model) -> String {
    entity_tag(row.version, row.created_at)
}

fn key_of(kpi: &str, period: &str) -> String {
    format!("{kpi}/{period}")
}

async fn latest(db: &impl ConnectionTrait, kpi: &str, period: &str) -> ApiResult<Option<measurement::Model>> {
    let rows =
        measurement::Entity::find().filter(measurement::Column::Kpi.eq(kpi)).filter(measurement::Column::Period.eq(period));
    Ok(rows.filter(measurement::Column::Latest.eq(true)).one(db).await?)
}

async fn list_measurements(
    access: Access<ReadAll>,
    request: HttpRequest,
    code: Path<String>,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, &format!("{code}/measurements"), FIELDS, "period_end", PERIOD_END, false);
    parameters.finish()?;
    let db = access.store.db();
    let rows = measurement::Entity::find()
        .filter(measurement::Column::Kpi.eq(code.as_str()))
        .filter(measurement::Column::Latest.eq(true));
    let page = listing.page(db, rows, |row| Ok(json!(Measurement::from(row)))).await?;
    if page.data.is_empty() {
        require(db, &code).await?;
    }
    page.answer(request.path(), request.query_string())
}

async fn get_measurement(
    access: Access<ReadAll>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let row = latest(access.store.db(), &path.0, &path.1).await?;
    let row = row.ok_or_else(|| ApiError::not_found("measurement", &key_of(&path.0, &path.1)))?;
    Ok(Answer::ok(&Measurement::from(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn put_measurement(
    access: Access<Report>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let (code, text) = path.into_inner();
    access
        .change(retry, async |change: &Change| {
            // Locked: writes of one KPI take turns, and its frequency cannot change meanwhile.
            let kpi =
                change.locked::<entity::kpi::Entity>(code.clone()).await?.ok_or_else(|| ApiError::not_found("KPI", &code))?;
            change.must_cover(&kpi.opd).await?;
            let period = period_of(&text)?;
            let before = latest(&change.db, &code, &text).await?;
            match &before {
                Some(row) => preconditions.must_match(&etag(row))?,
                None => preconditions.must_allow_creation()?,
            }
            let input: MeasurementInput = body.read()?;
            let faults = value_faults(&kpi, period, "/period", input.value, "/value");
            if !faults.is_empty() {
                return Err(ApiError::invalid(faults));
            }
            let row = write(change, &code, period, before.as_ref(), input).await?;
            let shown = Measurement::from(&row);
            let location = format!("/v1/kpis/{code}/measurements/{text}");
            let answer = if before.is_some() { Answer::ok(&shown)? } else { Answer::created(&location, &shown)? };
            Ok(answer.etag(&etag(&row)))
        })
        .await
}

/// Writes a value: the first, over one that does not count yet, or as a new revision of one that does.
async fn write(
    change: &Change,
    kpi: &str,
    period: Period,
    before: Option<&measurement::Model>,
    input: MeasurementInput,
) -> ApiResult<measurement::Model> {
    let counts = change.origin.actor.reports_are_verified();
    let frozen = before.filter(|row| row.state == ReportState::Verified);
    let provenance = Provenance::stored(input.provenance.as_ref());
    let revision = before.map_or(1, |row| if frozen.is_some() { row.revision + 1 } else { row.revision });
    let stated = input.provenance.and_then(|provenance| provenance.date);
    let who = change.origin.actor.name.clone();
    let known_on = counts.then(|| known_on(revision, stated, change.today));
    let leads = match known_on {
        Some(known_on) => takes_the_lead(change, kpi, known_on, period.end(), revision).await?,
        None => false,
    };
    let row = measurement::ActiveModel {
        kpi: Set(kpi.to_owned()),
        period: Set(period.to_string()),
        revision: Set(revision),
        period_end: Set(period.end()),
        value: Set(input.value),
        note: Set(input.note),
        evidence: Set(json!(input.evidence)),
        source_updated_at: Set(input.source_updated_at),
        provenance: Set(provenance),
        state: Set(if counts { ReportState::Verified } else { ReportState::Draft }),
        known_on: Set(known_on),
        latest: Set(true),
        leads: Set(leads),
        reported_by: Set(who.clone()),
        verified_by: Set(counts.then_some(who)),
        verified_at: Set(counts.then_some(change.now)),
        version: Set(before.map_or(1, |row| row.version + 1)),
        created_at: Set(before.filter(|_| frozen.is_none()).map_or(change.now, |row| row.created_at)),
        updated_at: Set(change.now),
    };
    if let Some(old) = frozen {
        let mut old: measurement::ActiveModel = old.clone().into();
        old.latest = Set(false);
        old.update(&change.db).await?;
    }
    let row = if before.is_some() && frozen.is_none() { row.update(&change.db).await? } else { row.insert(&change.db).await? };
    let action = match (before, frozen) {
        (None, _) => "created",
        (Some(_), None) => "updated",
        (Some(_), Some(_)) => "revised",
    };
    record(change, action, before, Some(&row)).await?;
    Ok(row)
}

/// Writes the first value of a period.
pub async fn write_first(change: &Change, kpi: &str, period: &str, input: MeasurementInput) -> ApiResult<measurement::Model> {
    write(change, kpi, period_of(period)?, None, input).await
}

/// From which day a value counts: the day its source gives, else today. A correction counts from today, so that what
/// was answered for earlier days stays.
fn known_on(revision: i32, stated: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
    stated.filter(|date| revision == 1 && *date <= today).unwrap_or(today)
}

/// Whether a value that is about to count from `known_on` on leads its KPI then. Those of that day and after it that it
/// comes after no longer do. To be called for every value that is verified, before its row is written.
async fn takes_the_lead(
    change: &Change,
    kpi: &str,
    known_on: NaiveDate,
    period_end: NaiveDate,
    revision: i32,
) -> ApiResult<bool> {
    use measurement::Column;
    // As the index spells it, which a parameter would keep from being used.
    let leading = measurement::Entity::find().filter(Column::Kpi.eq(kpi)).filter(Expr::cust("leads"));
    let before = leading.clone().filter(Column::KnownOn.lte(known_on)).order_by_desc(Column::KnownOn).one(&change.db).await?;
    if before.is_some_and(|row| (row.period_end, row.revision) > (period_end, revision)) {
        return Ok(false);
    }
    let after = leading.filter(Column::KnownOn.gte(known_on)).order_by_asc(Column::KnownOn);
    while let Some(row) = after.clone().one(&change.db).await? {
        if (row.period_end, row.revision) > (period_end, revision) {
            break;
        }
        let mut overtaken: measurement::ActiveModel = row.into();
        overtaken.leads = Set(false);
        overtaken.update(&change.db).await?;
    }
    Ok(true)
}

async fn delete_measurement(
    access: Access<Report>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let (code, period) = path.into_inner();
    access
        .change(Retry::default(), async |change: &Change| {
            let kpi =
                change.locked::<entity::kpi::Entity>(code.clone()).await?.ok_or_else(|| ApiError::not_found("KPI", &code))?;
            change.must_cover(&kpi.opd).await?;
            let row = latest(&change.db, &code, &period).await?;
            let row = row.ok_or_else(|| ApiError::not_found("measurement", &key_of(&code, &period)))?;
            preconditions.must_match(&etag(&row))?;
            if row.state != ReportState::Draft {
                return Err(
                    ApiError::new(codes::CONFLICT).detail("Only a draft can be deleted.", "Hanya draf yang dapat dihapus.")
                );
            }
            restore_previous(change, &row).await?;
            record(change, "deleted", Some(&row), None).await?;
            row.delete(&change.db).await?;
            Ok(Answer::nothing())
        })
        .await
}

/// A deleted draft of a correction leaves the verified revision below it as the latest.
async fn restore_previous(change: &Change, row: &measurement::Model) -> ApiResult<()> {
    let id = (row.kpi.clone(), row.period.clone(), row.revision - 1);
    if let Some(previous) = measurement::Entity::find_by_id(id).one(&change.db).await? {
        let mut previous: measurement::ActiveModel = previous.into();
        previous.latest = Set(true);
        // The entity tag moves on, so that who saw the draft does not take this for it.
        previous.version = Set(row.version + 1);
        previous.update(&change.db).await?;
    }
    Ok(())
}

async fn record(
    change: &Change,
    action: &str,
    before: Option<&measurement::Model>,
    after: Option<&measurement::Model>,
) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let version = after.map_or(row.version + 1, |row| row.version);
    let show = |row: &measurement::Model| json!(Measurement::from(row));
    let key = key_of(&row.kpi, &row.period);
    change
        .record(Happening {
            resource: "measurement",
            key: &key,
            action,
            version,
            before: before.map(show),
            after: after.map(show),
        })
        .await
}

async fn measurement_history(
    access: Access<ReadAll>,
    request: HttpRequest,
    path: Path<(String, String)>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(access.store.db(), &request, parameters, "measurement", &key_of(&path.0, &path.1)).await
}

/// Mounts the measurements.
pub fn mount(table: &mut Table) {
    let (readers, writers) = (ReadAll::role_names(), Report::role_names());
    let shown = Measurement::example();
    let page = Map::<String, Value>::from_iter([(
        "MeasurementPage".to_owned(),
        wire::page(json!({ "$ref": "#/components/schemas/Measurement" })),
    )]);
    let list = Operation::get(
        LIST,
        "list_measurements",
        "kpis",
        "Measurements of a KPI",
        "The latest revision of each period, in the order of the periods.",
    );
    let get = Operation::get(ONE, "get_measurement", "kpis", "Measurement of a KPI for one period", "Its latest revision.");
    let put = Operation::new(
        Method::PUT,
        ONE,
        "put_measurement",
        "kpis",
        "Report a measurement",
        "Creates (201) or changes (200) the value of one period. What an admin or verifier writes counts at once; what an operator writes is a \
         `draft`. A verified value is never overwritten: writing it again adds a `revision`, and figures of past days stay as they were.",
    );
    let delete = Operation::new(
        Method::DELETE,
        ONE,
        "delete_measurement",
        "kpis",
        "Delete a draft",
        "Only a draft can be deleted: 409 otherwise.",
    );
    let past = Operation::get(
        HISTORY,
        "list_measurement_history",
        "kpis",
        "History of a measurement",
        "Who wrote what, the oldest first.",
    );
    let filter = filter_parameters(list.roles(&readers), &FIELDS[0]);
    table
        .on(
            page_parameters(filter, &["period_end"], "period_end")
                .problems(&[404])
                .with_schemas(schema::components::<Measurement>())
                .with_schemas(page)
                .answers_schema(200, "One page.", json!({ "$ref": "#/components/schemas/MeasurementPage" }), None, &["Link"]),
            list_measurements,
        )
        .on(
            get.roles(&readers).conditional().problems(&[404]).answers::<Measurement>(200, "It.", Some(shown.clone()), &["ETag"]),
            get_measurement,
        )
        .on(
            put.roles(&writers)
                .guarded()
                .takes::<MeasurementInput>(json!({ "value": "22.9", "note": "Disampaikan pada evaluasi 4 Oktober 2022" }))
                .retryable()
                .problems(&[404])
                .answers::<Measurement>(201, "Created.", Some(shown.clone()), &["ETag", "Location", "Idempotent-Replayed"])
                .answers::<Measurement>(200, "Changed.", Some(shown), &["ETag", "Idempotent-Replayed"]),
            put_measurement,
        )
        .on(delete.roles(&writers).guarded().problems(&[404, 409]).answers_nothing(204, "Deleted."), delete_measurement)
        .on(Entry::describe_list(past.roles(&readers)), measurement_history);
}
