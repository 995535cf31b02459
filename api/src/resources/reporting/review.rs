//! `…/submit`, `…/verify` and `…/return`: the steps of the review of one report.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use entity::rules::review::{Step, allowed};
use sea_orm::{ActiveEnum, ActiveModelTrait};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::flow::place_in;
use super::flow::{etag, hand_in, record, shown, verify, waiting};
use super::review_state::ReviewState;
use super::{Report, ReportKey};
use crate::auth::permissions::{Permission, Review};
use crate::http::answer::Answer;
use crate::http::body::{JsonBody, OptionalBody};
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::{Allowed, Operation};
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::retry::Retry;
use crate::store::transaction::WriteTransaction;

/// The body of a request that returns a report.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnInput {
    /// The reason: what the OPD has to correct.
    #[schema(min_length = 1, max_length = 2000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub reason: String,
}

/// A step of the review that has a handler of its own.
trait ReviewAction: 'static {
    const STEP: Step;
}

struct Submit;
struct Verify;

impl ReviewAction for Submit {
    const STEP: Step = Step::Submit;
}

impl ReviewAction for Verify {
    const STEP: Step = Step::Verify;
}

/// The body of a request that submits or verifies has no members.
async fn act<R: Report, P: Permission, W: ReviewAction>(
    access: Access<P>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    step::<R, P>(access, place_in(path), preconditions, retry, W::STEP, None).await
}

async fn send_back<R: Report>(
    access: Access<Review>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    step::<R, Review>(access, place_in(path), preconditions, retry, Step::Return, Some(body)).await
}

async fn step<R: Report, P: Permission>(
    access: Access<P>,
    place: ReportKey,
    preconditions: Preconditions,
    retry: Retry,
    step: Step,
    body: Option<JsonBody>,
) -> ApiResult<Answer> {
    access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = waiting::<R>(transaction, &place).await?;
            preconditions.must_match_if_given(&etag(&row))?;
            let reason = body.map(|body| body.read::<ReturnInput>()).transpose()?.map(|input| input.reason);
            let row = apply(transaction, row, step, reason).await?;
            Ok(Answer::ok(&shown(&row))?.etag(&etag(&row)))
        })
        .await
}

/// Takes one step of the review.
pub async fn apply<R: Report>(transaction: &WriteTransaction, before: R, step: Step, reason: Option<String>) -> ApiResult<R> {
    let old = before.review_state();
    let Some(state) = step.from(old.state) else { return Err(illegal(&old, step)) };
    let actor = &transaction.origin.actor.name;
    if step == Step::Verify && old.is_work_of(&transaction.origin.actor) {
        return Err(ApiError::new(codes::OWN_REPORT));
    }
    let mut row = before.clone();
    row.set_review_state(ReviewState { state, version: old.version + 1, updated_at: transaction.now, ..old });
    match step {
        Step::Submit => hand_in(transaction, &mut row),
        Step::Verify => verify(transaction, &mut row).await?,
        Step::Return => {
            row.set_review_state(ReviewState { return_reason: reason, returned_by: Some(actor.clone()), ..row.review_state() })
        }
    }
    let row = row.into_active_model().reset_all().update(&transaction.db).await?;
    record(transaction, step.done(), Some(&before), Some(&row)).await?;
    Ok(row)
}

fn illegal(review_state: &ReviewState, step: Step) -> ApiError {
    let (state, step, next) = (review_state.state.to_value(), step.name(), allowed(review_state.state));
    let or_none = |none: &str| if next.is_empty() { none.to_owned() } else { next.join(", ") };
    ApiError::new(codes::ILLEGAL_TRANSITION)
        .detail(
            format!("A report that is `{state}` cannot take the step `{step}`; the possible steps are: {}.", or_none("none")),
            format!(
                "Laporan berstatus `{state}` tidak dapat menjalani langkah `{step}`; langkah yang mungkin: {}.",
                or_none("tidak ada")
            ),
        )
        .member("allowed", json!(next))
}

/// Adds the routes of the steps.
pub fn mount<R: Report>(table: &mut Table) {
    let describe = |step: Step, summary: &str, about: &str| {
        let (path, part, kind) = (R::WORDS.path, R::WORDS.part, R::KIND.name());
        let path = format!("{path}/{{{part}}}/{}", step.name());
        let (schema, about_part) = (R::WORDS.part_parameter)();
        Operation::new(Method::POST, &path, &format!("{}_{kind}", step.name()), "reviews", summary, about)
            .path_parameter(part, schema, about_part)
    };
    let a = R::WORDS.a;
    let submit = describe(
        Step::Submit,
        &format!("Submit {a}"),
        "Submits the report for review: `draft` or `returned` becomes `submitted`. With `If-Match` this happens only if nothing \
         changed since the report was read.",
    );
    let verify = describe(
        Step::Verify,
        &format!("Verify {a}"),
        "Verifies the report: `submitted` becomes `verified`, and the report counts from now on. Nobody verifies a report that \
         they wrote or submitted (403 `own_report`).",
    );
    let back = describe(
        Step::Return,
        &format!("Return {a}"),
        "Returns the report with a reason: `submitted` becomes `returned`. The OPD corrects the report and submits it again.",
    );
    let finish = |operation: Operation, roles: &Allowed| {
        let operation = operation.roles(roles).retryable().if_match().problems(&[404]);
        operation.answers::<R::Shown>(200, "The report after the step.", Some(R::example()), &["ETag", "Idempotent-Replayed"])
    };
    let reason = json!({ "reason": "Angka belum memuat data bulan September" });
    table
        .on(finish(submit.may_take_nothing(), &R::May::role_names()), act::<R, R::May, Submit>)
        .on(finish(verify.may_take_nothing(), &Review::role_names()), act::<R, Review, Verify>)
        .on(finish(back.takes::<ReturnInput>(reason), &Review::role_names()), send_back::<R>);
}
