//! `/v1/kpis/{code}/measurements`
//!
//! A measurement is kept in revisions. A verified one is never overwritten: writing it again adds a revision, so that
//! figures of past days stay as they were.

pub mod review;
pub mod wire_types;

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::NaiveDate;
use entity::measurement::{self, ReportState};
use entity::value::period::Period;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, ModelTrait, QueryFilter, QueryOrder,
};
use serde_json::{Map, Value, json};

use self::wire_types::{Measurement, MeasurementInput};
use super::{period_of, require, value_faults};
use crate::auth::permissions::{Permission, ReadAll, Report};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Text;
use crate::http::operation::Operation;
use crate::http::precondition::{Preconditions, entity_tag};
use crate::http::problem::{ApiError, ApiResult, Fault, codes};
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

/// The entity tag, over all revisions of a period.
pub fn etag(row: &measurement::Model) -> String {
    entity_tag(row.version, row.created_at)
}

/// What the trail calls a measurement.
pub fn key_of(kpi: &str, period: &str) -> String {
    format!("{kpi}/{period}")
}

/// The last revision of a period.
pub async fn latest(db: &impl ConnectionTrait, kpi: &str, period: &str) -> ApiResult<Option<measurement::Model>> {
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
            let mut faults = value_faults(&kpi, period, "/period", input.value, "/value");
            let is_correction = before.as_ref().is_some_and(|row| row.state == ReportState::Verified);
            faults.extend((is_correction && input.reason.is_none()).then(reason_required));
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
    let frozen = before.filter(|row| row.state == ReportState::Verified);
    let mut row = drafted(change, kpi, period, before, input);
    if change.origin.actor.reports_are_verified() {
        row.state = ReportState::Verified;
        count(change, &mut row).await?;
    }
    if let Some(old) = frozen {
        let mut old: measurement::ActiveModel = old.clone().into();
        old.latest = Set(false);
        old.update(&change.db).await?;
    }
    let is_update = before.is_some() && frozen.is_none();
    let row = row.into_active_model().reset_all();
    let row = if is_update { row.update(&change.db).await? } else { row.insert(&change.db).await? };
    record(change, written_action(before), before, Some(&row)).await?;
    Ok(row)
}

/// What writing over `before` is called in the trail.
pub fn written_action(before: Option<&measurement::Model>) -> &'static str {
    match before {
        None => "created",
        Some(row) if row.state == ReportState::Verified => "revised",
        Some(_) => "updated",
    }
}

/// The fault of a correction without a reason.
pub fn reason_required() -> Fault {
    let text = Text::new("A verified value is corrected for a reason.", "Nilai terverifikasi dikoreksi dengan alasan.");
    Fault::at("/reason", "required", text)
}

/// The row that reporting `input` over `before` makes: not handed in yet. What was returned stays so, with what the
/// reviewer said, until it is.
pub fn drafted(
    change: &Change,
    kpi: &str,
    period: Period,
    before: Option<&measurement::Model>,
    input: MeasurementInput,
) -> measurement::Model {
    let frozen = before.filter(|row| row.state == ReportState::Verified);
    let returned = before.filter(|row| row.state == ReportState::Returned);
    // A correction that is still being written keeps its reason.
    let reason = input.reason.or_else(|| before.filter(|_| frozen.is_none()).and_then(|row| row.reason.clone()));
    measurement::Model {
        kpi: kpi.to_owned(),
        period: period.to_string(),
        revision: before.map_or(1, |row| if frozen.is_some() { row.revision + 1 } else { row.revision }),
        period_end: period.end(),
        value: input.value,
        note: input.note,
        evidence: json!(input.evidence),
        source_updated_at: input.source_updated_at,
        provenance: Provenance::stored(input.provenance.as_ref()),
        state: if returned.is_some() { ReportState::Returned } else { ReportState::Draft },
        known_on: None,
        latest: true,
        leads: false,
        reason: reason.filter(|_| before.is_some_and(|row| row.revision > 1) || frozen.is_some()),
        reported_by: change.origin.actor.name.clone(),
        submitted_by: None,
        submitted_at: None,
        return_reason: returned.and_then(|row| row.return_reason.clone()),
        returned_by: returned.and_then(|row| row.returned_by.clone()),
        verified_by: None,
        verified_at: None,
        version: before.map_or(1, |row| row.version + 1),
        created_at: before.filter(|_| frozen.is_none()).map_or(change.now, |row| row.created_at),
        updated_at: change.now,
    }
}

/// Makes a verified row count: from which day, and whether it leads its KPI then.
async fn count(change: &Change, row: &mut measurement::Model) -> ApiResult<()> {
    let stated = Provenance::of(row.provenance.as_ref()).and_then(|provenance| provenance.date);
    let known_on = known_on(row.revision, stated, change.today);
    row.leads = takes_the_lead(change, &row.kpi, known_on, row.period_end, row.revision).await?;
    row.known_on = Some(known_on);
    row.verified_by = Some(change.origin.actor.name.clone());
    row.verified_at = Some(change.now);
    Ok(())
}

/// Writes the first value of a period.
pub async fn write_first(change: &Change, kpi: &str, period: &str, input: MeasurementInput) -> ApiResult<measurement::Model> {
    write(change, kpi, period_of(period)?, None, input).await
}

/// From which day a value counts: the day its source gives, else today. A correction counts from today, so that what
/// was answered for earlier days stays.
pub fn known_on(revision: i32, stated: Option<NaiveDate>, today: NaiveDate) -> NaiveDate {
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

/// Appends to the trail.
pub async fn record(
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
        "Creates (201) or changes (200) the value of one period, as a `draft` that counts once it was submitted and somebody else verified it. \
         A verified value is never overwritten: writing it again adds a `revision`, which names its `reason`; until that is verified itself the \
         value before stays in force.",
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
    review::mount(table);
}
