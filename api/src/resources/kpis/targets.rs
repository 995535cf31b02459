//! `/v1/kpis/{code}/targets`

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::kpi_target::{self, TargetKind};
use entity::value::decimal::Decimal;
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, ModelTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{self as kpis, against_direction, period_of, require, value_field_errors};
use crate::auth::permissions::{EditCatalogue, Permission, ReadAll};
use crate::crud::parameters::page_parameters;
use crate::crud::schemas;
use crate::crud::{history, recorded};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Noun;
use crate::http::operation::Operation;
use crate::http::precondition::{Preconditions, Tagged, entity_tag};
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::provenance::Provenance;
use crate::store::access::{Access, retry};
use crate::store::kind::{Audited, BeforeFirst, Changes, Field, Member, PublicPart, Recorded, Stored, ValueType};
use crate::store::listing::Listing;
use crate::store::retry::Retry;
use crate::store::snapshots::AsOf;
use crate::store::transaction::{AuditEvent, WriteTransaction};

/// What the audit log tells of targets.
pub static AUDITED: Audited = Audited::new("kpi_target", Noun::new("target", "target"))
    .changes(Changes::DayByDay)
    .with_snapshots(BeforeFirst::Absent)
    .recorded(|| Recorded::of::<KpiTarget>(example()))
    .public_part(PublicPart { of: &kpis::KIND, members: &["kpi", "period", "value", "kind", "provenance"], only: None });

/// Where targets refer to their KPI.
pub const STORED: Stored =
    Stored { to: &kpis::KIND, resource: "kpi_target", table: "kpi_target", column: "kpi", name: "period", only: None };

/// The targets as they were at the end of a day, to stand behind `FROM`.
pub fn as_of(day: AsOf) -> String {
    const COLUMNS: [Member; 4] = [
        Member::new("kpi", ValueType::Code, false, &[]),
        Member::new("period", ValueType::Text, false, &[]),
        Member::new("value", ValueType::Decimal, false, &[]),
        Member::new("kind", ValueType::Text, false, &[]),
    ];
    day.table(AUDITED.name, "target", COLUMNS.iter(), BeforeFirst::Absent)
}

const LIST: &str = "/v1/kpis/{code}/targets";
const ONE: &str = "/v1/kpis/{code}/targets/{period}";
const HISTORY: &str = "/v1/kpis/{code}/targets/{period}/history";
const PERIOD_END: Field = Field::sort("period_end", ValueType::Date);

/// The body of a request that sets a target.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KpiTargetInput {
    /// The value to reach, in the unit of the KPI. It lies within the bounds of the KPI and not on the wrong side of its
    /// baseline.
    value: Decimal,
    /// How binding the target is; `commitment` if this member is absent.
    #[serde(default = "commitment")]
    kind: TargetKind,
    /// The source of the target.
    provenance: Option<Provenance>,
}

fn commitment() -> TargetKind {
    TargetKind::Commitment
}

/// A target of a KPI for one period.
#[derive(Serialize, ToSchema)]
pub struct KpiTarget {
    /// The code of the KPI.
    #[schema(max_length = 64, example = "STUNTING")]
    kpi: String,
    /// The period at whose end the value is to be reached.
    #[schema(max_length = 7, example = "2024")]
    period: String,
    /// The value to reach, in the unit of the KPI.
    value: Decimal,
    /// How binding the target is.
    kind: TargetKind,
    /// The source of the target.
    provenance: Option<Provenance>,
    /// The version of the target: it grows by one with every write.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// The entity tag: what `If-Match` takes to change this.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(required = true, min_length = 3, max_length = 128, example = "\"1-5ea2bd2b24c80\"")]
    etag: String,
    /// When the target was first set.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When the target was last changed.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
}

impl Tagged for KpiTarget {
    fn tagged(self, etag: String) -> Self {
        Self { etag, ..self }
    }
}

impl From<&kpi_target::Model> for KpiTarget {
    fn from(row: &kpi_target::Model) -> Self {
        Self {
            kpi: row.kpi.clone(),
            period: row.period.clone(),
            value: row.value,
            kind: row.kind,
            provenance: Provenance::of(row.provenance.as_ref()),
            version: row.version,
            etag: String::new(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn etag(row: &kpi_target::Model) -> String {
    entity_tag(row.version, row.created_at)
}

/// A target as answers show it.
fn shown(row: &kpi_target::Model) -> KpiTarget {
    KpiTarget::from(row).tagged(etag(row))
}

fn key_of(kpi: &str, period: &str) -> String {
    format!("{kpi}/{period}")
}

async fn list_targets(
    access: Access<ReadAll>,
    request: HttpRequest,
    code: Path<String>,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, &format!("{code}/targets"), &[], "period_end", PERIOD_END, false);
    parameters.finish()?;
    let db = access.store.db();
    let rows = kpi_target::Entity::find().filter(kpi_target::Column::Kpi.eq(code.as_str()));
    let page = listing.page(db, rows, |row| Ok(shown(row))).await?;
    if page.data.is_empty() {
        require(db, &code).await?;
    }
    page.answer(request.path(), request.query_string())
}

async fn get_target(
    access: Access<ReadAll>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let row = kpi_target::Entity::find_by_id(path.clone()).one(access.store.db()).await?;
    let row = row.ok_or_else(|| ApiError::not_found(AUDITED.noun, &key_of(&path.0, &path.1)))?;
    Ok(Answer::ok(&shown(&row))?.etag(&etag(&row)).unless_known(&preconditions))
}

async fn put_target(
    access: Access<EditCatalogue>,
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
        .write(retry, async |transaction: &WriteTransaction| {
            // The KPI is locked, so that its frequency, direction, baseline and bounds cannot change in the meantime.
            let kpi = transaction
                .locked::<entity::kpi::Entity>(code.clone())
                .await?
                .ok_or_else(|| ApiError::not_found(&kpis::KIND, &code))?;
            let period = period_of(&text)?;
            let before = kpi_target::Entity::find_by_id((code.clone(), text.clone())).one(&transaction.db).await?;
            match &before {
                Some(row) => preconditions.must_match(&etag(row))?,
                None => preconditions.must_allow_creation()?,
            }
            let input: KpiTargetInput = body.read()?;
            let mut field_errors = value_field_errors(kpi.scale(), period, "/period", input.value, "/value");
            // A target that was set before this rule existed may still change in its other members.
            let stays = before.as_ref().is_some_and(|row| row.value == input.value);
            field_errors.extend(against_direction(&kpi, input.value, "/value").filter(|_| !stays));
            if !field_errors.is_empty() {
                return Err(ApiError::invalid(field_errors));
            }
            let row = write(transaction, &code, &text, before.as_ref(), input).await?;
            let shown = shown(&row);
            let location = format!("/v1/kpis/{code}/targets/{text}");
            let answer = if before.is_some() { Answer::ok(&shown)? } else { Answer::created(&location, &shown)? };
            Ok(answer.etag(&etag(&row)))
        })
        .await
}

/// Writes a target with its event.
pub async fn write(
    transaction: &WriteTransaction,
    kpi: &str,
    period: &str,
    before: Option<&kpi_target::Model>,
    input: KpiTargetInput,
) -> ApiResult<kpi_target::Model> {
    let row = kpi_target::ActiveModel {
        kpi: Set(kpi.to_owned()),
        period: Set(period.to_owned()),
        period_end: Set(period_of(period)?.end()),
        value: Set(input.value),
        kind: Set(input.kind),
        provenance: Set(Provenance::stored(input.provenance.as_ref())),
        version: Set(before.map_or(1, |row| row.version + 1)),
        created_at: Set(before.map_or(transaction.now, |row| row.created_at)),
        updated_at: Set(transaction.now),
    };
    let row = if before.is_some() { row.update(&transaction.db).await? } else { row.insert(&transaction.db).await? };
    record(transaction, if before.is_some() { "updated" } else { "created" }, before, Some(&row)).await?;
    Ok(row)
}

async fn delete_target(
    access: Access<EditCatalogue>,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
) -> ApiResult<Answer> {
    let id = path.into_inner();
    access
        .write(Retry::default(), async |transaction: &WriteTransaction| {
            let row = transaction.locked::<kpi_target::Entity>(id.clone()).await?;
            let row = row.ok_or_else(|| ApiError::not_found(AUDITED.noun, &key_of(&id.0, &id.1)))?;
            preconditions.must_match(&etag(&row))?;
            record(transaction, "deleted", Some(&row), None).await?;
            row.delete(&transaction.db).await?;
            Ok(Answer::nothing())
        })
        .await
}

async fn record(
    transaction: &WriteTransaction,
    action: &str,
    before: Option<&kpi_target::Model>,
    after: Option<&kpi_target::Model>,
) -> ApiResult<()> {
    let Some(row) = after.or(before) else { return Ok(()) };
    let version = after.map_or(row.version + 1, |row| row.version);
    let show = |row: &kpi_target::Model| json!(KpiTarget::from(row));
    let key = key_of(&row.kpi, &row.period);
    transaction
        .record(AuditEvent {
            of: &AUDITED,
            key: &key,
            action,
            version,
            before: before.map(show),
            after: after.map(show),
            first_event: None,
        })
        .await
}

async fn target_history(
    access: Access<ReadAll>,
    request: HttpRequest,
    path: Path<(String, String)>,
    parameters: Parameters,
) -> ApiResult<Answer> {
    history::answer(&access, &request, parameters, &AUDITED, &key_of(&path.0, &path.1)).await
}

/// An example of a target, from the real case.
fn example() -> Value {
    json!({
        "kpi": "STUNTING", "period": "2024", "value": "14", "kind": "aspiration", "provenance": null,
        "version": 1, "etag": "\"1-5ea2bd2b24c80\"", "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
    })
}

/// Adds the routes of the targets.
pub fn mount(table: &mut Table) {
    let (readers, writers) = (ReadAll::role_names(), EditCatalogue::role_names());
    let shown = example();
    let page = Map::<String, Value>::from_iter([(
        "KpiTargetPage".to_owned(),
        schemas::page(json!({ "$ref": "#/components/schemas/KpiTarget" })),
    )]);
    let list = Operation::get(
        LIST,
        "list_kpi_targets",
        "kpis",
        "Targets of a KPI",
        "The targets of a KPI, in the order of their periods.",
    );
    let get = Operation::get(
        ONE,
        "get_kpi_target",
        "kpis",
        "Get the target of a KPI for one period",
        "The target of a KPI for one period: the value to reach at its end.",
    );
    let put = Operation::new(
        Method::PUT,
        ONE,
        "put_kpi_target",
        "kpis",
        "Set the target of a KPI for one period",
        "Creates (201) or replaces (200) the target of one period. The period must have the frequency of the KPI, and may lie in \
         the future. The value must fit the unit of the KPI and lie within its bounds. A target on the wrong side of the \
         baseline is refused (`against_direction`): below the baseline if the KPI should increase, above it if the KPI should \
         decrease.",
    );
    let delete = Operation::new(
        Method::DELETE,
        ONE,
        "delete_kpi_target",
        "kpis",
        "Delete the target of a KPI for one period",
        "Deletes the target of one period. Its history stays.",
    );
    let past = Operation::get(
        HISTORY,
        "list_kpi_target_history",
        "kpis",
        "History of a target of a KPI",
        "Who set or changed the target and when, the oldest change first.",
    );
    let [get, put, delete, past] = [get, put, delete, past].map(|operation| {
        let (schema, about) = kpis::period_parameter();
        operation.path_parameter("period", schema, about)
    });
    table
        .on(
            page_parameters(list.roles(&readers), &["period_end"], "period_end")
                .problems(&[404])
                .with_schemas(schema::components::<KpiTarget>())
                .with_schemas(page)
                .answers_schema(
                    200,
                    "One page of the targets.",
                    json!({ "$ref": "#/components/schemas/KpiTargetPage" }),
                    None,
                    &["Link"],
                ),
            list_targets,
        )
        .on(
            get.roles(&readers).conditional().problems(&[404]).answers::<KpiTarget>(
                200,
                "The target of the KPI for the period.",
                Some(shown.clone()),
                &["ETag"],
            ),
            get_target,
        )
        .on(
            put.roles(&writers)
                .guarded()
                .takes::<KpiTargetInput>(json!({ "value": "14", "kind": "aspiration" }))
                .retryable()
                .problems(&[404])
                .answers::<KpiTarget>(201, "The new target.", Some(shown.clone()), &["ETag", "Location", "Idempotent-Replayed"])
                .answers::<KpiTarget>(200, "The target after it was replaced.", Some(shown), &["ETag", "Idempotent-Replayed"]),
            put_target,
        )
        .on(delete.roles(&writers).guarded().problems(&[404]).answers_nothing(204, "The target was deleted."), delete_target)
        .on(recorded::describe_history(past.roles(&readers), &AUDITED), target_history);
}
