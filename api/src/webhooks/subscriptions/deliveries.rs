//! `/v1/webhooks/{id}/deliveries`: the messages that were sent to a webhook, with their results; and messages on demand.

use actix_web::HttpRequest;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use entity::webhook_delivery::DeliveryStatus;
use entity::{webhook, webhook_delivery};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::auth::permissions::ManageWebhooks;
use crate::crud::parameters::{filter_parameters, page_parameters};
use crate::crud::schemas;
use crate::http::answer::Answer;
use crate::http::body::OptionalBody;
use crate::http::idempotency::IdempotencyKey;
use crate::http::language::Noun;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult, codes};
use crate::http::query::{NoParameters, Parameters};
use crate::http::schema;
use crate::http::table::Table;
use crate::resources::accounts::describe::operation;
use crate::resources::accounts::{locked, missing};
use crate::resources::webhooks::Webhook;
use crate::store::access::{Access, retry};
use crate::store::kind::{Field, ValueType};
use crate::store::listing::Listing;
use crate::store::transaction::WriteTransaction;
use crate::webhooks::dispatch::delivery;
use crate::webhooks::message::PING;

const LIST: &str = "/v1/webhooks/{id}/deliveries";
const REDELIVER: &str = "/v1/webhooks/{id}/deliveries/{delivery}/redeliver";
const PING_ONE: &str = "/v1/webhooks/{id}/ping";
const ID: Field = Field::sort("id", ValueType::Code);
const STATUSES: &[&str] = &["pending", "delivered", "failed"];
const FIELDS: &[Field] = &[
    Field::filter("status", ValueType::Choice(STATUSES)),
    Field::filter("event_type", ValueType::Text),
    Field::filter("message_id", ValueType::Code),
    Field::sort("created_at", ValueType::Instant),
];

/// A message for a webhook, with its result.
#[derive(Serialize, ToSchema)]
pub struct WebhookDelivery {
    /// The identifier of the delivery, a UUIDv7.
    #[schema(max_length = 36)]
    id: String,
    /// The identifier of the webhook.
    #[schema(max_length = 36)]
    webhook: String,
    /// The `webhook-id` of the message: the id of the event, which is the same in each attempt.
    #[schema(max_length = 36)]
    message_id: String,
    /// The type of the event, such as `programme.updated`; `webhook.ping` for a ping.
    #[schema(max_length = 129, example = "programme.updated")]
    event_type: String,
    /// The position of the event in the feed; null for a ping.
    #[schema(minimum = 1, maximum = 9007199254740991i64)]
    position: Option<i64>,
    /// The status: `pending`, `delivered` (the receiver answered with a status from 200 to 299) or `failed` (no further attempt
    /// is made).
    status: DeliveryStatus,
    /// The number of attempts that were made.
    #[schema(minimum = 0, maximum = 2147483647)]
    attempts: i32,
    /// When the last attempt was made.
    #[schema(max_length = 35)]
    last_attempt_at: Option<DateTime<Utc>>,
    /// When the next attempt is made; null if there is none.
    #[schema(max_length = 35)]
    next_attempt_at: Option<DateTime<Utc>>,
    /// The HTTP status of the last answer.
    #[schema(minimum = 100, maximum = 999)]
    response_status: Option<i32>,
    /// The beginning of the body of the last answer.
    #[schema(max_length = 1000)]
    response_excerpt: Option<String>,
    /// Why the last attempt got no answer.
    #[schema(max_length = 1000)]
    error: Option<String>,
    /// When the delivery was created.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
}

impl From<webhook_delivery::Model> for WebhookDelivery {
    fn from(row: webhook_delivery::Model) -> Self {
        Self {
            id: row.id,
            webhook: row.webhook,
            message_id: row.message_id,
            event_type: row.event_type,
            position: row.position,
            status: row.status,
            attempts: row.attempts,
            last_attempt_at: row.last_attempt_at,
            next_attempt_at: row.next_attempt_at,
            response_status: row.response_status,
            response_excerpt: row.response_excerpt,
            error: row.error,
            created_at: row.created_at,
        }
    }
}

async fn list_deliveries(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    id: Path<String>,
    mut parameters: Parameters,
) -> ApiResult<Answer> {
    let listing = Listing::read(&mut parameters, &format!("webhooks/{id}/deliveries"), FIELDS, "-id", ID, false);
    parameters.finish()?;
    access.now().await?;
    let db = access.store.db();
    webhook::Entity::find_by_id(id.clone()).one(db).await?.ok_or_else(|| missing::<Webhook>(&id))?;
    let rows = webhook_delivery::Entity::find().filter(webhook_delivery::Column::Webhook.eq(id.as_str()));
    let page = listing.page(db, rows, |row| Ok(json!(WebhookDelivery::from(row.clone())))).await?;
    page.answer(request.path(), request.query_string())
}

/// 409 for a webhook that is not active.
async fn must_be_active(transaction: &WriteTransaction, id: &str) -> ApiResult<()> {
    let row = locked::<Webhook>(transaction, id).await?;
    if row.active {
        return Ok(());
    }
    Err(ApiError::new(codes::CONFLICT).detail("The webhook is not active.", "Webhook ini tidak aktif."))
}

async fn redeliver(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    ids: Path<(String, String)>,
    _: NoParameters,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    let (webhook, id) = ids.into_inner();
    access
        .write(retry, async |transaction: &WriteTransaction| {
            must_be_active(transaction, &webhook).await?;
            let row = transaction.locked::<webhook_delivery::Entity>(id.clone()).await?.filter(|row| row.webhook == webhook);
            let mut row = row.ok_or_else(|| ApiError::not_found(Noun::new("delivery", "pengiriman"), &id))?.into_active_model();
            row.status = Set(DeliveryStatus::Pending);
            // The three days begin again.
            (row.next_attempt_at, row.first_attempt_at) = (Set(Some(transaction.now)), Set(None));
            Answer::json(StatusCode::ACCEPTED, &WebhookDelivery::from(row.update(&transaction.db).await?))
        })
        .await
}

async fn ping(
    access: Access<ManageWebhooks>,
    request: HttpRequest,
    id: Path<String>,
    _: NoParameters,
    key: IdempotencyKey,
    body: OptionalBody,
) -> ApiResult<Answer> {
    let retry = retry(&request, key, &body.fingerprint);
    access
        .write(retry, async |transaction: &WriteTransaction| {
            must_be_active(transaction, &id).await?;
            let row = delivery(&id, None, Uuid::now_v7(), PING.to_owned(), transaction.now).into_active_model();
            Answer::json(StatusCode::ACCEPTED, &WebhookDelivery::from(row.insert(&transaction.db).await?))
        })
        .await
}

fn example() -> Value {
    json!({
        "id": "01929e3c-8a01-7d40-9a3e-0d7a5b1c2e33", "webhook": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11",
        "message_id": "01929e3c-89f0-7b12-8b1f-5a0c3d2e1f44", "event_type": "programme.updated", "position": 42, "status": "pending",
        "attempts": 2, "last_attempt_at": "2022-10-04T01:00:05Z", "next_attempt_at": "2022-10-04T01:00:35Z", "response_status": 503,
        "response_excerpt": "Sedang dalam pemeliharaan", "error": null, "created_at": "2022-10-04T01:00:00Z",
    })
}

/// Adds the routes of the deliveries.
pub(super) fn mount(table: &mut Table) {
    let page = Map::<String, Value>::from_iter([(
        "WebhookDeliveryPage".to_owned(),
        schemas::page(json!({ "$ref": "#/components/schemas/WebhookDelivery" })),
    )]);
    let about = "The messages of the last 30 days with their results, the newest first. A message is sent until the receiver \
        answers with a status from 200 to 299: again after 5 and 30 seconds, 2, 10 and 30 minutes, 2, 6, 12 and 24 hours, for \
        three days.";
    let list = operation::<Webhook>(Method::GET, LIST, "list_webhook_deliveries", "List the deliveries of a webhook", about)
        .problems(&[404]);
    let list = page_parameters(FIELDS.iter().fold(list, filter_parameters), &["id", "created_at"], "-id");
    let about = "Sends the message again now, and retries for another three days; its `webhook-id` stays the same.";
    let again = operation::<Webhook>(Method::POST, REDELIVER, "redeliver_webhook_delivery", "Deliver a message again", about);
    let about =
        "Sends a message of the type `webhook.ping`, to test whether messages arrive. Its result is shown among the deliveries.";
    let ping_one = operation::<Webhook>(Method::POST, PING_ONE, "ping_webhook", "Ping a webhook", about);
    let asked = |operation: Operation| {
        let operation = operation.may_take_nothing().retryable().problems(&[404, 409]);
        operation.answers::<WebhookDelivery>(
            202,
            "The delivery that was scheduled; its message is being sent.",
            Some(example()),
            &["Idempotent-Replayed"],
        )
    };
    let shown = json!({ "$ref": "#/components/schemas/WebhookDeliveryPage" });
    let list = list.with_schemas(schema::components::<WebhookDelivery>()).with_schemas(page);
    table
        .on(list.answers_schema(200, "One page of the deliveries.", shown, None, &["Link"]), list_deliveries)
        .on(asked(again), redeliver)
        .on(asked(ping_one), ping);
}
