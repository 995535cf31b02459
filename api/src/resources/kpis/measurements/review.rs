//! `/v1/kpis/{code}/measurements/{period}/submit`, `/verify` and `/return`: the review of one measurement.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use entity::measurement;
use entity::rules::review::{Step, allowed};
use sea_orm::ActiveModelTrait;
use sea_orm::IntoActiveModel;
use serde_json::json;

use super::wire_types::{Measurement, ReturnInput};
use super::{count, etag, key_of, latest, record};
use crate::auth::permissions::{Permission, Report, Review};
use crate::http::answer::Answer;
use crate::http::body::{JsonBody, OptionalBody};
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::change::{Change, Retry};

const SUBMIT: &str = "/v1/kpis/{code}/measurements/{period}/submit";
const VERIFY: &str = "/v1/kpis/{code}/measurements/{period}/verify";
const RETURN: &str = "/v1/kpis/{code}/measurements/{period}/return";

async fn submit_measurement(
    access: Access<Report>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    step(access, path.into_inner(), preconditions, retry, Step::Submit, None).await
}

async fn verify_measurement(
    access: Access<Review>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    step(access, path.into_inner(), preconditions, retry, Step::Verify, None).await
}

async fn return_measurement(
    access: Access<Review>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    step(access, path.into_inner(), preconditions, retry, Step::Return, Some(body)).await
}

async fn step<P: Permission>(
    access: Access<P>,
    (code, period): (String, String),
    preconditions: Preconditions,
    retry: Retry,
    step: Step,
    body: Option<JsonBody>,
) -> ApiResult<Answer> {
    access
        .change(retry, async |change: &Change| {
            let row = waiting(change, &code, &period).await?;
            preconditions.must_match_if_given(&etag(&row))?;
            let reason = body.map(|body| body.read::<ReturnInput>()).transpose()?.map(|input| input.reason);
            let row = take(change, row, step, reason).await?;
            Ok(Answer::ok(&Measurement::from(&row))?.etag(&etag(&row)))
        })
        .await
}

/// The last revision of a period, kept from others until the commit: what is written of one KPI takes turns.
pub async fn waiting(change: &Change, code: &str, period: &str) -> ApiResult<measurement::Model> {
    let kpi = change.locked::<entity::kpi::Entity>(code.to_owned()).await?.ok_or_else(|| ApiError::not_found("KPI", code))?;
    change.must_cover(&kpi.opd).await?;
    let row = latest(&change.db, code, period).await?;
    row.ok_or_else(|| ApiError::not_found("measurement", &key_of(code, period)))
}

/// Takes one step of the review.
pub async fn take(
    change: &Change,
    before: measurement::Model,
    step: Step,
    reason: Option<String>,
) -> ApiResult<measurement::Model> {
    let Some(state) = step.from(before.state) else { return Err(illegal(&before, step)) };
    let actor = &change.origin.actor.name;
    if step == Step::Verify && before.submitted_by.as_ref() == Some(actor) {
        return Err(ApiError::new(codes::OWN_REPORT));
    }
    let mut row = before.clone();
    row.state = state;
    row.version += 1;
    row.updated_at = change.now;
    match step {
        Step::Submit => hand_in(change, &mut row),
        Step::Verify => count(change, &mut row).await?,
        Step::Return => {
            row.return_reason = reason;
            row.returned_by = Some(actor.clone());
        }
    }
    let row = row.into_active_model().reset_all().update(&change.db).await?;
    record(change, step.done(), Some(&before), Some(&row)).await?;
    Ok(row)
}

/// Notes who handed a row in.
pub fn hand_in(change: &Change, row: &mut measurement::Model) {
    row.submitted_by = Some(change.origin.actor.name.clone());
    row.submitted_at = Some(change.now);
    row.return_reason = None;
    row.returned_by = None;
}

fn illegal(row: &measurement::Model, step: Step) -> ApiError {
    use sea_orm::ActiveEnum;
    let (state, step, next) = (row.state.to_value(), step.name(), allowed(row.state));
    let or_none = |none: &str| if next.is_empty() { none.to_owned() } else { next.join(", ") };
    ApiError::new(codes::ILLEGAL_TRANSITION)
        .detail(
            format!("What is {state} cannot be taken through `{step}`; possible now: {}.", or_none("nothing")),
            format!("Laporan berstatus {state} tidak dapat menjalani `{step}`; yang mungkin: {}.", or_none("tidak ada")),
        )
        .member("allowed", json!(next))
}

/// Mounts the steps.
pub fn mount(table: &mut Table) {
    let step =
        |path: &str, id: &str, summary: &str, about: &str| Operation::new(Method::POST, path, id, "reviews", summary, about);
    let submit = step(
        SUBMIT,
        "submit_measurement",
        "Hand a measurement in",
        "`draft` or `returned` becomes `submitted`, and waits for the reviewer. With `If-Match` only if nothing changed since.",
    );
    let verify = step(
        VERIFY,
        "verify_measurement",
        "Verify a measurement",
        "`submitted` becomes `verified`: it counts from now on. Nobody verifies what they submitted: 403 `own_report`.",
    );
    let back = step(
        RETURN,
        "return_measurement",
        "Send a measurement back",
        "`submitted` becomes `returned`, with the reason. The OPD mends it and hands it in again.",
    );
    let finish = |operation: Operation, roles: &[String]| {
        let operation = operation.roles(roles).retryable().if_match().problems(&[404]);
        operation.answers::<Measurement>(200, "It, afterwards.", Some(Measurement::example()), &["ETag", "Idempotent-Replayed"])
    };
    let reason = json!({ "reason": "Angka belum memuat data bulan September" });
    table
        .on(finish(submit.may_take_nothing(), &Report::role_names()), submit_measurement)
        .on(finish(verify.may_take_nothing(), &Review::role_names()), verify_measurement)
        .on(finish(back.takes::<ReturnInput>(reason), &Review::role_names()), return_measurement);
}
