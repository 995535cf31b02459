//! The form of a message and its signature, after Standard Webhooks: <https://www.standardwebhooks.com>.

use actix_web::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use entity::{webhook, webhook_delivery};
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::DatabaseConnection;
use serde::Serialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;
use utoipa::ToSchema;

use crate::feed::reading::{self, FeedQuery};
use crate::feed::schemas::{FEED_EVENT, WEBHOOK_EVENT_TYPE, feed_example, webhook_event_type};
use crate::feed::wire_types::FeedEvent;
use crate::http::operation::Operation;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::schema;
use crate::http::schema::reference;

/// The type of a message that only tests whether messages arrive.
pub const PING: &str = "webhook.ping";
/// The prefix of a secret.
const PREFIX: &str = "whsec_";

/// The body of a message about an event.
#[derive(Serialize)]
struct WebhookEventMessage {
    r#type: String,
    timestamp: DateTime<Utc>,
    data: FeedEvent,
}

/// The body of a message that only tests whether messages arrive.
#[derive(Serialize, ToSchema)]
struct WebhookPingMessage {
    /// The type of the message.
    #[schema(max_length = 16)]
    r#type: &'static str,
    /// When the ping was requested.
    #[schema(max_length = 35)]
    timestamp: DateTime<Utc>,
    /// The webhook that was pinged.
    data: PingedWebhook,
}

/// The webhook that was pinged.
#[derive(Serialize, ToSchema)]
struct PingedWebhook {
    /// The id of the webhook.
    #[schema(max_length = 36, format = Uuid)]
    webhook: String,
}

/// The schemas of messages.
pub fn schemas() -> Map<String, Value> {
    let mut schemas = schema::components::<WebhookPingMessage>();
    schemas["WebhookPingMessage"]["properties"]["type"] =
        json!({ "type": "string", "const": PING, "description": "The type of the message." });
    let event = json!({
        "type": "object", "required": ["type", "timestamp", "data"], "additionalProperties": false,
        "description": "A message about an event.",
        "properties": {
            "type": reference(WEBHOOK_EVENT_TYPE),
            "timestamp": { "type": "string", "format": "date-time", "maxLength": 35, "description": "When the change was made." },
            "data": reference(FEED_EVENT),
        },
    });
    let message = json!({
        "description": "The body of a message that is sent to a webhook. `type` tells an event from a ping.",
        "oneOf": [reference("WebhookEventMessage"), reference("WebhookPingMessage")],
    });
    schemas.extend([
        ("WebhookEventMessage".to_owned(), event),
        ("WebhookMessage".to_owned(), message),
        (WEBHOOK_EVENT_TYPE.to_owned(), webhook_event_type()),
    ]);
    schemas
}

/// A new secret, of 256 random bits.
pub fn fresh_secret() -> String {
    format!("{PREFIX}{}", STANDARD.encode(rand::random::<[u8; 32]>()))
}

/// The body of a delivery, which is the same in each attempt. `None` if the event no longer exists.
pub async fn body(db: &DatabaseConnection, delivery: &webhook_delivery::Model) -> ApiResult<Option<String>> {
    let Some(position) = delivery.position else {
        let data = PingedWebhook { webhook: delivery.webhook.clone() };
        let ping = WebhookPingMessage { r#type: PING, timestamp: delivery.created_at, data };
        return serde_json::to_string(&ping).map(Some).map_err(ApiError::unexpected);
    };
    let asked = FeedQuery { limit: 1, ..FeedQuery::all(position - 1) };
    let entry = reading::read(db, &asked).await?.into_iter().find(|entry| entry.position == position);
    let message = entry.map(|entry| {
        let (r#type, timestamp) = (delivery.event_type.clone(), entry.event.at);
        serde_json::to_string(&WebhookEventMessage { r#type, timestamp, data: FeedEvent::from(&entry) })
    });
    message.transpose().map_err(ApiError::unexpected)
}

/// The header `webhook-signature`: one signature with each valid secret, the present secret first.
pub fn signatures(webhook: &webhook::Model, id: &str, at: DateTime<Utc>, body: &str) -> ApiResult<String> {
    let secrets = [Some(webhook.secret.as_str()), webhook.previous_secret_at(at)];
    let signed = secrets.into_iter().flatten().map(|secret| signature(secret, id, at.timestamp(), body));
    signed
        .collect::<Option<Vec<_>>>()
        .map(|signed| signed.join(" "))
        .ok_or_else(|| ApiError::unexpected("no secret of a webhook"))
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// The request that a receiver gets and the answers that it may give, for the member `webhooks` of the document.
pub fn described() -> Value {
    let example = json!({ "type": "programme.updated", "timestamp": "2022-10-04T01:00:00Z", "data": feed_example() });
    let about = "A message to your address, signed as Standard Webhooks describes; `docs/webhooks.md` shows how to verify it. \
        The same message, with the same `webhook-id`, may arrive more than once, and messages may arrive out of order.";
    let operation = Operation::new(Method::POST, "/", "receive_webhook_message", "webhooks", "Receive an event", about);
    let text = |length: u32, pattern: &str| json!({ "type": "string", "maxLength": length, "pattern": pattern });
    let seconds = json!({ "type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991_i64 });
    let operation = [400, 406, 500, 503].into_iter().fold(operation, Operation::without).public();
    let mut described = operation
        .parameter(
            "header",
            "webhook-id",
            true,
            text(36, "^[0-9a-f-]+$"),
            "The id of the event, which is the same in each attempt.",
        )
        .parameter(
            "header",
            "webhook-timestamp",
            true,
            seconds,
            "The time of this attempt, in seconds since 1970-01-01T00:00:00Z.",
        )
        .parameter(
            "header",
            "webhook-signature",
            true,
            text(200, "^v1,[ -~]+$"),
            "One signature, or two signatures separated by a space.",
        )
        .answers_nothing(204, "The message was received. Any status from 200 to 299 says so.")
        .answers_nothing(410, "The receiver wants no more messages, so the webhook is disabled.")
        .object;
    let schema = json!({ "$ref": "#/components/schemas/WebhookMessage" });
    described["requestBody"] =
        json!({ "required": true, "content": { "application/json": { "schema": schema, "example": example } } });
    json!({ "event": { "post": described } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_is_signed_alike() {
        let (secret, id) = ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek");
        let signed = signature(secret, id, 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, other) = (fresh_secret(), fresh_secret());
        assert_ne!(one, other);
        let key = STANDARD.decode(one.strip_prefix(PREFIX).unwrap_or_default()).unwrap_or_default();
        assert!((24..=64).contains(&key.len()));
    }
}
