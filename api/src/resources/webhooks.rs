//! A webhook, as answers and events show it. The module `webhooks` has its operations, and sends the messages.

use chrono::{DateTime, Utc};
use entity::webhook::DisabledReason;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Array, ArrayBuilder, Object, ObjectBuilder, SchemaType, Type};

use crate::http::language::Noun;
use crate::store::kind::{Audited, Recorded};

/// What the audit log tells of webhooks.
pub static AUDITED: Audited = Audited::new("webhook", Noun::new("webhook", "webhook"))
    .about_accounts(&["created", "updated", "disabled", "rotated", "deleted"])
    .recorded(|| Recorded::of::<Webhook>(example()).without(SECRET));

/// The member with the secret, which only few answers have.
pub const SECRET: &str = "secret";

/// A webhook: an address to which events are sent.
#[derive(Serialize, ToSchema)]
pub struct Webhook {
    /// The identifier, a UUIDv7.
    #[schema(max_length = 36)]
    id: String,
    /// The URL to which messages are sent.
    #[schema(max_length = 2000)]
    url: String,
    /// The purpose of the webhook.
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// The events that are sent.
    #[schema(min_items = 1, max_items = 100, schema_with = event_types)]
    event_types: Vec<String>,
    /// Whether events are sent.
    active: bool,
    /// Why no events are sent: somebody disabled the webhook (`paused`), its receiver answered with 410 (`gone`), or all attempts
    /// of three days failed (`failing`).
    disabled_reason: Option<DisabledReason>,
    /// Since when no events are sent.
    #[schema(max_length = 35)]
    disabled_at: Option<DateTime<Utc>>,
    /// Until when messages are signed with the previous secret, too.
    #[schema(max_length = 35)]
    previous_secret_until: Option<DateTime<Utc>>,
    /// The secret. Only the answer that created it has this member, and a replay of that answer does not. A client that missed
    /// the secret has to rotate it.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
    /// The version: it grows by one with every write.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// When it was created.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When it was last changed.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
}

impl From<&entity::webhook::Model> for Webhook {
    fn from(row: &entity::webhook::Model) -> Self {
        Self {
            id: row.id.clone(),
            url: row.url.clone(),
            description: row.description.clone(),
            event_types: row.patterns(),
            active: row.active,
            disabled_reason: row.disabled_reason,
            disabled_at: row.disabled_at,
            previous_secret_until: row.previous_secret_until,
            secret: None,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn event_types() -> Array {
    let about = "The events that are sent: `*` for all, all of a kind (`programme.*`), or one action (`measurement.verified`).";
    ArrayBuilder::new().items(pattern()).min_items(Some(1)).max_items(Some(100)).description(Some(about)).build()
}

/// The schema of what a webhook subscribes to.
pub fn pattern() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .max_length(Some(129))
        .pattern(Some(r"^(\*|[a-z_]+\.(\*|[a-z_]+))$"))
        .examples(["programme.*"])
        .build()
}

/// An example of a webhook.
pub fn example() -> Value {
    json!({
        "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "url": "https://sistem.example.go.id/renaksi", "description": "Dasbor kabupaten",
        "event_types": ["programme.*", "measurement.verified"], "active": true, "disabled_reason": null, "disabled_at": null,
        "previous_secret_until": null, "version": 1, "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
    })
}
