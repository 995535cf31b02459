//! `/v1/evaluations/{code}/findings/{id}/follow-ups`: what was done about a finding, and the only way its state changes.

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Path;
use entity::rules::finding::{self as rule, FindingState, IllegalMove};
use entity::{finding, programme};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::findings::{self, Finding, FollowUp, MOST_FOLLOW_UPS};
use crate::auth::permissions::{FollowUp as MayFollowUp, Permission};
use crate::crud::handlers::answer;
use crate::crud::members::Written;
use crate::crud::typed::writes_of;
use crate::crud::typed::{present, touch};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::schema::reference;
use crate::http::table::Table;
use crate::store::access::{Access, retry};
use crate::store::transaction::WriteTransaction;

const PATH: &str = "/v1/evaluations/{code}/findings/{id}/follow-ups";

/// The body of a request that reports what was done about a finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFollowUp {
    /// What was done about the finding.
    #[schema(min_length = 1, max_length = 10000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    text: String,
    /// The state to which the finding moves; without it, the finding stays in its state.
    state: Option<FindingState>,
}

async fn create_follow_up(
    access: Access<MayFollowUp>,
    request: HttpRequest,
    path: Path<(String, String)>,
    _: NoParameters,
    preconditions: Preconditions,
    key: IdempotencyKey,
    body: JsonBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let (code, id) = path.into_inner();
    access
        .write(retry, async |transaction: &WriteTransaction| {
            let row = transaction.locked::<finding::Entity>(id.clone()).await?.filter(|row| row.evaluation == code);
            let row = row.ok_or_else(|| ApiError::not_found(&findings::KIND, &id))?;
            must_concern(transaction, &row).await?;
            if let Err(refused) = preconditions.must_match_if_given(&Finding::stamp(&row).etag()) {
                // The answer names the tag that reading it gives.
                preconditions.must_match_if_given(&present::<Finding>(transaction, row).await?.etag())?;
                return Err(refused);
            }
            let row = add(transaction, row, body.read()?).await?;
            let shown = present::<Finding>(transaction, row).await?;
            let location = format!("/v1/evaluations/{code}/findings/{id}");
            Ok(answer(StatusCode::CREATED, &request, &*shown).header("Location", &location))
        })
        .await
}

/// 403 unless the actor may write for the OPD that has to resolve the finding, or for the OPD that leads its programme. A finding
/// that names neither is followed up by those who are bound to no OPD.
async fn must_concern(transaction: &WriteTransaction, row: &finding::Model) -> ApiResult<()> {
    let Some(own) = transaction.covered().await? else { return Ok(()) };
    let lead = match &row.programme {
        Some(code) => programme::Entity::find_by_id(code.clone()).one(&transaction.db).await?.map(|row| row.lead_opd),
        None => None,
    };
    if [&row.opd, &lead].into_iter().flatten().any(|opd| own.contains(opd)) {
        return Ok(());
    }
    Err(ApiError::new(codes::OUTSIDE_OWN_OPD)
        .detail("This finding concerns another OPD.", "Temuan ini menyangkut perangkat daerah lain."))
}

async fn add(transaction: &WriteTransaction, row: finding::Model, new: NewFollowUp) -> ApiResult<finding::Model> {
    let state = new.state.unwrap_or(row.state);
    if let Some(to) = new.state {
        rule::check(row.state, to).map_err(|illegal| illegal_move(&illegal))?;
    }
    let mut follow_ups = FollowUp::all_of(&row);
    if follow_ups.len() >= MOST_FOLLOW_UPS {
        return Err(ApiError::new(codes::CONFLICT).detail(
            format!("A finding can have at most {MOST_FOLLOW_UPS} follow-ups."),
            format!("Temuan memiliki paling banyak {MOST_FOLLOW_UPS} tindak lanjut."),
        ));
    }
    follow_ups.push(FollowUp {
        by: transaction.origin.actor.name.clone(),
        at: transaction.now,
        text: new.text,
        state: new.state,
    });
    touch::<Finding>(transaction, row, "followed_up", |row| {
        row.state = Set(state);
        row.follow_ups = Set(json!(follow_ups));
    })
    .await
}

fn illegal_move(illegal: &IllegalMove) -> ApiError {
    let IllegalMove { from, to, allowed } = illegal;
    let instead = allowed.iter().map(|state| state.as_str()).collect::<Vec<_>>().join(" atau ");
    ApiError::new(codes::ILLEGAL_TRANSITION)
        .detail(illegal.to_string(), format!("Temuan berstatus {from} tidak dapat menjadi {to}; yang mungkin: {instead}."))
        .member("allowed", json!(allowed))
}

/// Adds the routes of the follow-ups.
pub fn mount(table: &mut Table) {
    let about = "Adds a follow-up to a finding, and can move the finding: from `open` or `in_progress` to each other or to \
        `done`, and from `done` back to `in_progress`. Any other move is refused with 409, and `allowed` lists the possible \
        ones. An operator may follow up findings that its own OPD or one below it has to resolve, and findings about a programme \
        that one of these leads. Findings that name neither an OPD nor a programme are followed up by the other roles. \
        Follow-ups can be added after the evaluation was closed; its record keeps what was known then.";
    let create = Operation::new(Method::POST, PATH, "create_follow_up", "evaluations", "Add a follow-up to a finding", about);
    let example = json!({ "text": "Kontrak pembangunan TPS3R Desa Sokong ditandatangani", "state": "in_progress" });
    let described = writes_of::<Finding>().described();
    let mut after = described.shown_example();
    let follow_up = json!({ "by": "operator.dlh@demo.invalid", "at": "2022-10-10T01:00:00Z", "text": example["text"], "state": "in_progress" });
    after["state"] = json!("in_progress");
    after["follow_ups"] = json!([follow_up]);
    let headers = ["ETag", "Location", "Idempotent-Replayed"];
    table.on(
        create
            .roles(&MayFollowUp::role_names())
            .takes::<NewFollowUp>(example)
            .retryable()
            .if_match()
            .problems(&[404])
            .with_schemas(described.shown())
            .answers_schema(
                201,
                "The finding with the new follow-up. `Location` is the path of the finding.",
                reference(&described.name),
                Some(after),
                &headers,
            ),
        create_follow_up,
    );
}
