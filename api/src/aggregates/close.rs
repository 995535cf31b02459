//! `/v1/evaluations/{code}/close`: freezes the figures of the day of the meeting for ever.

use crate::resources::evaluations;
use crate::store::kind::Scope;
use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Path;
use chrono::{DateTime, NaiveDate, Utc};
use entity::masterplan::MasterplanStatus;
use entity::{evaluation, evaluation_record, masterplan};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, EntityTrait};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::record::{self, EvaluationRecord};
use crate::auth::permissions::{HoldEvaluations, Permission};
use crate::crud::handlers::answer;
use crate::crud::members::Written;
use crate::crud::typed::writes_of;
use crate::crud::typed::{present, touch};
use crate::http::answer::Answer;
use crate::http::body::OptionalBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::resources::evaluations::{Evaluation, must_be_open};
use crate::store::access::{Access, retry};
use crate::store::clock::now;
use crate::store::transaction::{Store, WriteTransaction};

const PATH: &str = "/v1/evaluations/{code}/close";

/// The records to be frozen, one for those who log in and one for the public, with the version of the evaluation for which they
/// were computed.
struct Frozen {
    version: i32,
    at: DateTime<Utc>,
    all: EvaluationRecord,
    published: EvaluationRecord,
}

async fn close_evaluation(
    access: Access<HoldEvaluations>,
    request: HttpRequest,
    code: Path<String>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    // The figures are computed before the transaction and from one snapshot: they agree with each other, and no writer waits for
    // them.
    let frozen = freeze(&access.store, &code).await?;
    access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = transaction.locked::<evaluation::Entity>(code.clone()).await?;
            let row = row.ok_or_else(|| ApiError::not_found(&evaluations::KIND, &code))?;
            preconditions.must_match_if_given(&Evaluation::stamp(&row).etag())?;
            must_be_closable(&transaction.db, &row, transaction.today).await?;
            let frozen = frozen.filter(|frozen| frozen.version == row.version).ok_or_else(changed_meanwhile)?;
            let row = close(transaction, row, frozen).await?;
            let shown = present::<Evaluation>(transaction, row).await?;
            Ok(answer(StatusCode::OK, &request, &*shown))
        })
        .await
}

/// The figures of an evaluation, if it can be closed. If it cannot, the transaction finds out why and answers with the reason.
async fn freeze(store: &Store, code: &str) -> ApiResult<Option<Frozen>> {
    let (db, today) = (store.snapshot().await?, store.calendar().today());
    let Some(row) = evaluation::Entity::find_by_id(code).one(&db).await? else { return Ok(None) };
    if must_be_closable(&db, &row, today).await.is_err() {
        return Ok(None);
    }
    let at = now();
    let all = record::compute(&db, Scope::All, &row, today, at).await?;
    let published = record::compute(&db, Scope::Published, &row, today, at).await?;
    Ok(Some(Frozen { version: row.version, at, all, published }))
}

/// 409 if an evaluation is closed already, has not been held yet, or evaluates a masterplan that is still a draft.
async fn must_be_closable(db: &impl ConnectionTrait, row: &evaluation::Model, today: NaiveDate) -> ApiResult<()> {
    must_be_open(row)?;
    if row.held_on > today {
        return Err(ApiError::new(codes::CONFLICT).detail(
            format!("The meeting is held on {}: there are no figures to freeze before that day.", row.held_on),
            format!("Rapat baru diadakan pada {}: sebelum hari itu belum ada angka yang dapat dibekukan.", row.held_on),
        ));
    }
    let plan = masterplan::Entity::find_by_id(row.masterplan.clone()).one(db).await?;
    if plan.is_none_or(|plan| plan.status == MasterplanStatus::Draft) {
        return Err(ApiError::new(codes::CONFLICT).detail(
            format!("The masterplan `{}` is a draft: nothing of it is public yet.", row.masterplan),
            format!("Masterplan `{}` masih berupa draf: belum ada bagiannya yang terbuka untuk publik.", row.masterplan),
        ));
    }
    Ok(())
}

fn changed_meanwhile() -> ApiError {
    ApiError::new(codes::CONFLICT)
        .detail("The evaluation was changed at the same moment.", "Evaluasi ini diubah pada saat yang sama.")
}

async fn close(transaction: &WriteTransaction, row: evaluation::Model, frozen: Frozen) -> ApiResult<evaluation::Model> {
    let all = keep(transaction, &row.code, Scope::All, &frozen.all).await?;
    let published = keep(transaction, &row.code, Scope::Published, &frozen.published).await?;
    touch::<Evaluation>(transaction, row, "closed", |row| {
        row.closed_at = Set(Some(frozen.at));
        row.closed_by = Set(Some(transaction.origin.actor.name.clone()));
        row.record_sha256 = Set(Some(all));
        row.public_record_sha256 = Set(Some(published));
    })
    .await
}

/// Writes a record once and returns the hash of its bytes.
async fn keep(transaction: &WriteTransaction, code: &str, scope: Scope, record: &EvaluationRecord) -> ApiResult<String> {
    let content = serde_json::to_string(record).map_err(ApiError::unexpected)?;
    let sha256 = hex::encode(Sha256::digest(&content));
    let row = evaluation_record::ActiveModel {
        evaluation: Set(code.to_owned()),
        audience: Set(scope.name().to_owned()),
        content: Set(content),
        sha256: Set(sha256.clone()),
    };
    evaluation_record::Entity::insert(row).exec_without_returning(&transaction.db).await?;
    Ok(sha256)
}

/// Adds the route.
pub fn mount(table: &mut Table) {
    let about = "Freezes the figures of the day of the meeting (summary, scoreboard, standings of the KPIs, reconciliation) and \
        the findings as they are now into a record. There are two records: one for those who log in, and one that holds only \
        what is published. `record_sha256` and `public_record_sha256` are the SHA-256 of the bytes that `…/record` and its \
        public counterpart answer from then on. Closing cannot be undone: a closed evaluation refuses every change with 409 \
        `closed`, so publish it first. Its findings can still be followed up. The answer is 409 `conflict` before the day of the \
        meeting and while the masterplan is a draft.";
    let close = Operation::new(Method::POST, PATH, "close_evaluation", "evaluations", "Close an evaluation", about);
    let described = writes_of::<Evaluation>().described();
    let mut after = described.shown_example();
    after["state"] = json!("closed");
    after["closed_at"] = json!("2022-10-05T02:00:00Z");
    after["record_sha256"] = json!("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
    after["public_record_sha256"] = json!("60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752");
    table.on(
        close
            .roles(&HoldEvaluations::role_names())
            .retryable()
            .if_match()
            .problems(&[404])
            .may_take_nothing()
            .with_schemas(described.shown())
            .answers_schema(
                200,
                "The closed evaluation, with the hashes of its records.",
                reference(&described.name),
                Some(after),
                &["ETag", "Idempotent-Replayed"],
            ),
        close_evaluation,
    );
}
