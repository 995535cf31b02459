//! `/v1/evaluations/{code}/findings/{id}/follow-ups`: what was done about a finding, and the only way its state changes.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::rules::finding::{self as rule, FindingState, IllegalMove};
use entity::{finding, programme};
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::findings::Finding;
use crate::auth::permissions::{FollowUp as MayFollowUp, Permission};
use crate::http::answer::Answer;
use crate::http::body::JsonBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::operation::Operation;
use crate::http::precondition::Preconditions;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::NoParameters;
use crate::http::table::Table;
use crate::resources::crud::{present, touch};
use crate::resources::resource::{Stamp, show_example};
use crate::resources::schemas;
use crate::store::access::{Access, retry};
use crate::store::transaction::WriteTransaction;

const PATH: &str = "/v1/evaluations/{code}/findings/{id}/follow-ups";

/// The most follow-ups of one finding: they are read with it.
pub const MOST_FOLLOW_UPS: usize = 1000;

/// What was done about a finding.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFollowUp {
    /// What was done.
    #[schema(min_length = 1, max_length = 10000, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    text: String,
    /// The state that the finding moves to; it stays where it is without it.
    state: Option<FindingState>,
}

/// What was done about a finding, as it is kept with it.
#[derive(Clone, Serialize, Deserialize)]
pub struct FollowUp {
    by: String,
    /// When it was told.
    pub at: DateTime<Utc>,
    /// What was done.
    pub text: String,
    /// The state that the finding moved to.
    pub state: Option<FindingState>,
}

impl FollowUp {
    /// Those of a finding, the oldest first.
    pub fn all_of(row: &finding::Model) -> ApiResult<Vec<Self>> {
        serde_json::from_value(row.follow_ups.clone()).map_err(ApiError::unexpected)
    }
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
            let row = row.ok_or_else(|| ApiError::not_found("finding", &id))?;
            must_concern(transaction, &row).await?;
            preconditions.must_match_if_given(&Stamp::of::<Finding>(&row)?.etag())?;
            let row = add(transaction, row, body.read()?).await?;
            let (shown, etag) = present::<Finding>(transaction, row).await?;
            let location = format!("/v1/evaluations/{code}/findings/{id}");
            Answer::created(&location, &shown).map(|answer| answer.etag(&etag))
        })
        .await
}

/// 403 unless the actor may write for the OPD that has to mend the finding, or for the one that leads its programme. What
/// names neither is followed up by those who are bound to no OPD.
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
        .detail("The finding is about another OPD.", "Temuan ini tentang perangkat daerah lain."))
}

async fn add(transaction: &WriteTransaction, row: finding::Model, new: NewFollowUp) -> ApiResult<finding::Model> {
    let state = new.state.unwrap_or(row.state);
    if let Some(to) = new.state {
        rule::check(row.state, to).map_err(|illegal| illegal_move(&illegal))?;
    }
    let mut follow_ups = FollowUp::all_of(&row)?;
    if follow_ups.len() >= MOST_FOLLOW_UPS {
        return Err(ApiError::new(codes::CONFLICT).detail(
            format!("A finding has at most {MOST_FOLLOW_UPS} follow-ups."),
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

/// Mounts the follow-ups.
pub fn mount(table: &mut Table) {
    let about = "Adds to what was done, and may move the finding: `open` and `in_progress` to each other or to `done`, `done` back to \
                 `in_progress`. Any other move is a 409 whose `allowed` lists what can follow. An operator follows up what its own OPD \
                 and those below it have to mend, or what is about a programme that they lead; what names no OPD and no programme is \
                 followed up by the others. It goes on after the evaluation was closed: the record keeps what was known then.";
    let create = Operation::new(Method::POST, PATH, "create_follow_up", "evaluations", "Follow a finding up", about);
    let example = json!({ "text": "Kontrak pembangunan TPS3R Desa Sokong ditandatangani", "state": "in_progress" });
    let reference = json!({ "$ref": format!("#/components/schemas/{}", schemas::names::<Finding>().shown) });
    let mut after = show_example::<Finding>();
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
            .with_schemas(schemas::shown::<Finding>())
            .answers_schema(201, "The finding, afterwards. `Location` is its path.", reference, Some(after), &headers),
        create_follow_up,
    );
}
