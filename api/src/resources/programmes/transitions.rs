//! `/v1/programmes/{code}/transitions`: the history of a programme's status, and the only way in which it changes.

use crate::http::language::Noun;
use crate::resources::programmes;
use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use entity::rules::programme_status::{self, IllegalMove, ProgrammeStatus};
use entity::{programme, status_change};
use sea_orm::ActiveModelTrait;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::Programme;
use crate::auth::permissions::{EditProgrammes, Permission, ReadAll};
use crate::crud::parameters::page_parameters;
use crate::crud::schemas;
use crate::crud::typed::touch;
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::kind::{Audited, Field, Recorded, ValueType};
use crate::store::listing::Listing;
use crate::store::snapshots;
use crate::store::transaction::{AuditEvent, WriteTransaction};

const PATH: &str = "/v1/programmes/{code}/transitions";
const SEQ: Field = Field::sort("seq", ValueType::Integer);

/// The body of a request that changes the status of a programme.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTransition {
    /// The new status.
    to: ProgrammeStatus,
    /// The first day on which the new status holds; today if absent. It may lie in the past, but not before the previous
    /// transition, and not in the future.
    #[schema(max_length = 10)]
    effective_on: Option<NaiveDate>,
    /// The reason for the change.
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

/// A change of the status of a programme, as it was recorded.
#[derive(Serialize, ToSchema)]
pub struct Transition {
    /// The identifier of the transition, a UUIDv7.
    #[schema(max_length = 36)]
    id: Uuid,
    /// The code of the programme.
    #[schema(max_length = 64, example = "SG-09")]
    programme: String,
    /// The number of the transition within the programme, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    seq: i32,
    /// The status before the change; null for the first entry.
    from: Option<ProgrammeStatus>,
    /// The status after the change.
    to: ProgrammeStatus,
    /// The first day on which the new status holds.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
    /// The reason for the change.
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// Who recorded the transition.
    #[schema(max_length = 254)]
    recorded_by: String,
    /// When the transition was recorded.
    #[schema(max_length = 35)]
    recorded_at: DateTime<Utc>,
}

impl From<&status_change::Model> for Transition {
    fn from(row: &status_change::Model) -> Self {
        Self {
            id: row.id,
            programme: row.programme.clone(),
            seq: row.seq,
            from: row.from_status,
            to: row.to_status,
            effective_on: row.effective_on,
            reason: row.reason.clone(),
            recorded_by: row.recorded_by.clone(),
            recorded_at: row.recorded_at,
        }
    }
}

async fn create_transition(
    access: Access<EditProgrammes>,
    request: HttpRequest,
    code: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let path = request.path().to_owned();
    access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = transaction
                .locked::<programme::Entity>(code.clone())
                .await?
                .ok_or_else(|| ApiError::not_found(&programmes::KIND, &code))?;
            transaction.must_cover(&row.lead_opd).await?;
            let new: NewTransition = body.read()?;
            let recorded = apply(transaction, row, new.to, new.effective_on.unwrap_or(transaction.today), new.reason).await?;
            Answer::created(&path, &Transition::from(&recorded))
        })
        .await
}

/// Moves a programme to another status and records the transition.
pub async fn apply(
    transaction: &WriteTransaction,
    row: programme::Model,
    to: ProgrammeStatus,
    effective_on: NaiveDate,
    reason: Option<String>,
) -> ApiResult<status_change::Model> {
    let from = row.status;
    programme_status::check(from, to).map_err(|illegal| {
        ApiError::new(codes::ILLEGAL_TRANSITION)
            .detail(illegal.to_string(), in_indonesian(&illegal))
            .member("allowed", json!(illegal.allowed))
    })?;
    let previous = last(&transaction.db, &row.code).await?;
    let seq = previous.as_ref().map_or(1, |previous| previous.seq + 1);
    // The first entry only says when the programme was entered, so what happened before that day can still be recorded.
    let earliest = previous.filter(|previous| previous.from_status.is_some()).map(|previous| previous.effective_on);
    must_be_in_order(effective_on, earliest, transaction.today)?;
    let entry = entry(transaction, &row.code, seq, Some(from), to, effective_on, reason);
    touch::<Programme>(transaction, row, "transitioned", |row| row.status = Set(to)).await?;
    append(transaction, std::slice::from_ref(&entry)).await?;
    Ok(entry)
}

/// Writes entries of status histories, with an event for each.
pub async fn append(transaction: &WriteTransaction, entries: &[status_change::Model]) -> ApiResult<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = entries.iter().map(|entry| entry.clone().into_active_model().reset_all());
    status_change::Entity::insert_many(rows).exec_without_returning(&transaction.db).await?;
    record(transaction, "created", entries).await
}

/// Deletes the status history of a programme that is deleted, with an event for each entry.
pub async fn remove(transaction: &WriteTransaction, code: &str) -> ApiResult<()> {
    let of_programme = status_change::Column::Programme.eq(code);
    let entries = status_change::Entity::find().filter(of_programme.clone()).order_by_asc(status_change::Column::Seq);
    record(transaction, "deleted", &entries.all(&transaction.db).await?).await?;
    status_change::Entity::delete_many().filter(of_programme).exec(&transaction.db).await?;
    Ok(())
}

/// What the audit log tells of status histories.
pub static AUDITED: Audited = Audited::new("transition", Noun::new("transition", "perubahan status"))
    .actions(&["created", "deleted", "imported"])
    .recorded(|| Recorded::of::<TransitionFact>(TransitionFact::example()).named("Transition"))
    .writes(&["status_change", "programme"]);

async fn record(transaction: &WriteTransaction, action: &str, entries: &[status_change::Model]) -> ApiResult<()> {
    let keys = entries.iter().map(trail_key).collect::<Vec<_>>();
    let audit_events = entries.iter().zip(&keys).map(|(entry, key)| {
        let fact = Some(in_trail(entry));
        let (before, after) = if action == "deleted" { (fact, None) } else { (None, fact) };
        AuditEvent { of: &AUDITED, key, action, version: entry.seq, before, after, first_event: None }
    });
    transaction.record_all(audit_events).await
}

/// The key of an entry in the audit log.
pub fn trail_key(entry: &status_change::Model) -> String {
    format!("{}/{}", entry.programme, entry.seq)
}

/// What the audit log shows of an entry. The event itself says who recorded it and when.
#[derive(Serialize, ToSchema)]
struct TransitionFact {
    /// The code of the programme.
    #[schema(max_length = 64, example = "SG-09")]
    programme: String,
    /// The number of the transition within the programme, from 1.
    #[schema(minimum = 1, maximum = 2147483647)]
    seq: i32,
    /// The status before the change; null for the first entry.
    from: Option<ProgrammeStatus>,
    /// The status after the change.
    to: ProgrammeStatus,
    /// The first day on which the new status holds.
    #[schema(max_length = 10)]
    effective_on: NaiveDate,
    /// The reason for the change.
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

impl TransitionFact {
    fn example() -> Value {
        json!({
            "programme": "SG-09", "seq": 2, "from": "planned", "to": "running", "effective_on": "2022-10-04", "reason": null,
        })
    }
}

/// An entry as the audit log shows it.
pub fn in_trail(entry: &status_change::Model) -> Value {
    json!(TransitionFact {
        programme: entry.programme.clone(),
        seq: entry.seq,
        from: entry.from_status,
        to: entry.to_status,
        effective_on: entry.effective_on,
        reason: entry.reason.clone(),
    })
}

fn in_indonesian(IllegalMove { from, to, allowed }: &IllegalMove) -> String {
    let next = match allowed {
        [] => "status itu bersifat akhir".to_owned(),
        allowed => format!("yang mungkin: {}", allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
    };
    format!("Program berstatus {from} tidak dapat menjadi {to}; {next}.")
}

/// 409 for a programme that figures of past days count: one whose status changed, or that existed at the end of a past day. A
/// programme that was only entered today can be deleted.
pub async fn must_not_be_counted(transaction: &WriteTransaction, code: &str) -> ApiResult<()> {
    let moved = last(&transaction.db, code).await?.is_some_and(|last| last.from_status.is_some());
    if moved || snapshots::was_there(&transaction.db, transaction.today, "programme", code).await? {
        return Err(ApiError::new(codes::CONFLICT).detail(
            "Figures of past days count this programme by its status history. Change its status to `cancelled` instead.",
            "Angka hari-hari lalu menghitung program ini menurut riwayat statusnya. Ubah statusnya menjadi `cancelled`.",
        ));
    }
    Ok(())
}

fn must_be_in_order(effective_on: NaiveDate, earliest: Option<NaiveDate>, today: NaiveDate) -> ApiResult<()> {
    if effective_on > today {
        return Err(ApiError::field_error(
            "/effective_on",
            "in_the_future",
            format!("The day must not be after today, {today}."),
            format!("Harinya tidak boleh setelah hari ini, {today}."),
        ));
    }
    match earliest {
        Some(earliest) if effective_on < earliest => Err(ApiError::field_error(
            "/effective_on",
            "before_previous",
            format!("The day must not be before that of the previous transition, {earliest}."),
            format!("Harinya tidak boleh sebelum transisi sebelumnya, {earliest}."),
        )),
        _ => Ok(()),
    }
}

/// Records that a new programme is planned.
pub async fn begin(transaction: &WriteTransaction, code: &str, start_date: Option<NaiveDate>) -> ApiResult<()> {
    append(transaction, &[beginning(transaction, code, start_date)]).await
}

/// The first entry of a new programme: `planned` from the day on which the programme starts, if that day has come, otherwise from
/// today.
pub fn beginning(transaction: &WriteTransaction, code: &str, start_date: Option<NaiveDate>) -> status_change::Model {
    let effective_on = start_date.filter(|start| *start <= transaction.today).unwrap_or(transaction.today);
    entry(transaction, code, 1, None, ProgrammeStatus::Planned, effective_on, None)
}

fn entry(
    transaction: &WriteTransaction,
    code: &str,
    seq: i32,
    from: Option<ProgrammeStatus>,
    to: ProgrammeStatus,
    effective_on: NaiveDate,
    reason: Option<String>,
) -> status_change::Model {
    status_change::Model {
        id: Uuid::now_v7(),
        programme: code.to_owned(),
        seq,
        from_status: from,
        to_status: to,
        effective_on,
        reason,
        recorded_by: transaction.origin.actor.name.clone(),
        recorded_at: transaction.now,
    }
}

async fn last(db: &impl ConnectionTrait, code: &str) -> ApiResult<Option<status_change::Model>> {
    let rows = status_change::Entity::find().filter(status_change::Column::Programme.eq(code));
    Ok(rows.order_by_desc(status_change::Column::Seq).one(db).await?)
}

async fn list_transitions(
    access: Access<ReadAll>,
    request: HttpRequest,
    code: Path<String>,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, &format!("{code}/transitions"), &[], "seq", SEQ, false);
    parameters.finish()?;
    let db = access.store.db();
    let rows = status_change::Entity::find().filter(status_change::Column::Programme.eq(code.as_str()));
    let page = listing.page(db, rows, |row| Ok(Transition::from(row))).await?;
    if page.data.is_empty() && programme::Entity::find_by_id(code.clone()).one(db).await?.is_none() {
        return Err(ApiError::not_found(&programmes::KIND, &code));
    }
    page.answer(request.path(), request.query_string())
}

/// Adds the routes of the transitions.
pub fn mount(table: &mut Table) {
    let example = json!({ "to": "running", "effective_on": "2022-11-01", "reason": "Anggaran perubahan disetujui" });
    let create = Operation::new(
        Method::POST,
        PATH,
        "create_transition",
        "programmes",
        "Change the status of a programme",
        "Records a change of a programme's status. The possible changes are `planned → running → completed`, `planned` or \
         `running → suspended → running`, and `planned`, `running` or `suspended → cancelled`. Any other change is refused with \
         409, and `allowed` lists the statuses that can follow. A recorded transition is never changed, so figures of past days \
         stay as they were.",
    );
    let list = Operation::get(
        PATH,
        "list_transitions",
        "programmes",
        "Status history of a programme",
        "Every status that the programme had, with the day from which it held; the oldest first.",
    );
    let page = schemas::page(json!({ "$ref": "#/components/schemas/Transition" }));
    let recorded = json!({
        "id": "01929e3c-8a01-7d40-9a3e-0d7a5b1c2e33", "programme": "SG-09", "seq": 2, "from": "planned", "to": "running",
        "effective_on": "2022-11-01", "reason": "Anggaran perubahan disetujui", "recorded_by": "admin@demo.invalid",
        "recorded_at": "2022-11-02T01:00:00Z",
    });
    table
        .on(
            create
                .roles(&EditProgrammes::role_names())
                .takes::<NewTransition>(example)
                .retryable()
                .problems(&[404])
                .answers::<Transition>(
                    201,
                    "The transition that was recorded.",
                    Some(recorded),
                    &["Location", "Idempotent-Replayed"],
                ),
            create_transition,
        )
        .on(
            page_parameters(list.roles(&ReadAll::role_names()), &["seq"], "seq")
                .problems(&[404])
                .with_schemas(schema::components::<Transition>())
                .with_schemas(Map::<String, Value>::from_iter([("TransitionPage".to_owned(), page)]))
                .answers_schema(
                    200,
                    "One page of the transitions.",
                    json!({ "$ref": "#/components/schemas/TransitionPage" }),
                    None,
                    &["Link"],
                ),
            list_transitions,
        );
}
