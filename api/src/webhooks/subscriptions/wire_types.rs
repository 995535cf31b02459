//! Webhooks as requests and answers have them, and the descriptions of their operations.

use actix_web::http::Method;
use chrono::{DateTime, Utc};
use entity::webhook::{self, DisabledReason};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{FIELDS, HISTORY, LIST, ONE, ROTATE};
use crate::auth::permissions::{ManageWebhooks, Permission};
use crate::http::operation::Operation;
use crate::http::schema;
use crate::resources::clients::Rotation;
use crate::resources::describe::{filter_parameters, page_parameters};
use crate::resources::history::Entry;
use crate::resources::wire;

/// What a client sends to be told of events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// Where messages are sent: `https` on the public internet, unless the service is set up otherwise.
    #[schema(min_length = 1, max_length = 2000, example = "https://sistem.example.go.id/renaksi")]
    pub url: String,
    /// What it is for.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// Of which events it is told: `*`, all of a kind (`programme.*`), or one action (`measurement.verified`).
    #[schema(min_items = 1, max_items = 100, schema_with = patterns)]
    pub event_types: Vec<String>,
    /// Whether it is told of events.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
}

/// What a client sends to change a webhook: only what is named changes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookPatch {
    /// Where messages are sent.
    #[schema(min_length = 1, max_length = 2000)]
    pub url: Option<String>,
    /// What it is for; null removes it.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// Of which events it is told.
    #[schema(schema_with = patterns)]
    pub event_types: Option<Vec<String>>,
    /// Whether it is told of events: of those from then on.
    pub active: Option<bool>,
}

/// An address that is told of events.
#[derive(Serialize, ToSchema)]
pub(super) struct Webhook {
    /// UUIDv7.
    #[schema(max_length = 36)]
    id: String,
    /// Where messages are sent.
    #[schema(max_length = 2000)]
    url: String,
    /// What it is for.
    #[schema(max_length = 1000)]
    description: Option<String>,
    /// Of which events it is told.
    #[schema(schema_with = patterns)]
    event_types: Vec<String>,
    /// Whether it is told of events.
    active: bool,
    /// Why not: somebody switched it off (`paused`), its receiver answered 410 (`gone`), or all attempts of three days failed (`failing`).
    disabled_reason: Option<DisabledReason>,
    /// Since when not.
    #[schema(max_length = 35)]
    disabled_at: Option<DateTime<Utc>>,
    /// Until when messages are signed with the secret before the last rotation too.
    #[schema(max_length = 35)]
    previous_secret_until: Option<DateTime<Utc>>,
    /// The secret: only in the answer that made it, and not in a replay of that answer. Who missed it rotates.
    #[schema(max_length = 128)]
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// Counts the writes.
    #[schema(minimum = 1, maximum = 2147483647)]
    version: i32,
    /// When it was made.
    #[schema(max_length = 35)]
    created_at: DateTime<Utc>,
    /// When it was last written.
    #[schema(max_length = 35)]
    updated_at: DateTime<Utc>,
}

impl From<&webhook::Model> for Webhook {
    fn from(row: &webhook::Model) -> Self {
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

fn yes() -> bool {
    true
}

fn patterns() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, SchemaType, Type};
    let pattern = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .max_length(Some(129))
        .pattern(Some(r"^(\*|[a-z_]+\.(\*|[a-z_]+))$"))
        .examples(["programme.*"]);
    let about = "Of which events it is told: `*`, all of a kind (`programme.*`), or one action (`measurement.verified`).";
    ArrayBuilder::new().items(pattern).min_items(Some(1)).max_items(Some(100)).description(Some(about)).build()
}

fn example() -> Value {
    json!({
        "id": "01929e3c-7b3a-7c1e-8000-4b5a2f0c9d11", "url": "https://sistem.example.go.id/renaksi", "description": "Dasbor kabupaten",
        "event_types": ["programme.*", "measurement.verified"], "active": true, "disabled_reason": null, "disabled_at": null,
        "previous_secret_until": null, "version": 1, "created_at": "2022-10-04T01:00:00Z", "updated_at": "2022-10-04T01:00:00Z",
    })
}

fn example_with_secret() -> Value {
    let mut shown = example();
    shown["secret"] = json!("whsec_Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCB0byB1c2U=");
    shown
}

pub(super) fn operation(method: Method, path: &str, id: &str, summary: &str, about: &str) -> Operation {
    Operation::new(method, path, id, "webhooks", summary, about).roles(&ManageWebhooks::role_names())
}

pub(super) fn list() -> Operation {
    let page = Map::<String, Value>::from_iter([(
        "WebhookPage".to_owned(),
        wire::page(json!({ "$ref": "#/components/schemas/Webhook" })),
    )]);
    let list = operation(Method::GET, LIST, "list_webhooks", "List webhooks", "The addresses that are told of events.");
    let q = json!({ "type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$" });
    let list = FIELDS.iter().fold(list, filter_parameters).query("q", q, "Searches addresses and descriptions.");
    page_parameters(list, &["id", "created_at"], "id")
        .with_schemas(schema::components::<Webhook>())
        .with_schemas(page)
        .answers_schema(200, "One page.", json!({ "$ref": "#/components/schemas/WebhookPage" }), None, &["Link"])
}

pub(super) fn create() -> Operation {
    let new = json!({
        "url": "https://sistem.example.go.id/renaksi", "description": "Dasbor kabupaten",
        "event_types": ["programme.*", "measurement.verified"],
    });
    let about = "From now on every event of these types is sent to the address, signed as Standard Webhooks says, at least once and not \
                 always in order. The answer shows the secret, once.";
    operation(Method::POST, LIST, "create_webhook", "Create a webhook", about)
        .takes::<NewWebhook>(new)
        .retryable()
        .answers::<Webhook>(201, "Created.", Some(example_with_secret()), &["ETag", "Location", "Idempotent-Replayed"])
}

pub(super) fn get() -> Operation {
    operation(Method::GET, ONE, "get_webhook", "Get a webhook", "An address that is told of events.")
        .conditional()
        .problems(&[404])
        .answers::<Webhook>(200, "It.", Some(example()), &["ETag"])
}

pub(super) fn update() -> Operation {
    let about = "Only what the body names changes. While it is not active nothing is sent, and what happens meanwhile is not sent later: \
                 read that from `/v1/events`.";
    operation(Method::PATCH, ONE, "update_webhook", "Change a webhook", about)
        .guarded()
        .body(
            "WebhookPatch",
            schema::input::<WebhookPatch>(),
            json!({ "active": true }),
            &["application/merge-patch+json", "application/json"],
        )
        .problems(&[404])
        .answers::<Webhook>(200, "Changed.", Some(example()), &["ETag"])
}

pub(super) fn delete() -> Operation {
    let about = "Nothing more is sent to it. Its deliveries go with it; its history stays.";
    operation(Method::DELETE, ONE, "delete_webhook", "Delete a webhook", about)
        .guarded()
        .problems(&[404])
        .answers_nothing(204, "Deleted.")
}

pub(super) fn rotate() -> Operation {
    let about =
        "The answer shows the new secret, once. For `grace_seconds` each message carries two signatures, one with each secret.";
    operation(Method::POST, ROTATE, "rotate_webhook_secret", "Replace a webhook's secret", about)
        .takes::<Rotation>(json!({ "grace_seconds": 86400 }))
        .retryable()
        .problems(&[404])
        .answers::<Webhook>(200, "Replaced.", Some(example_with_secret()), &["ETag", "Idempotent-Replayed"])
}

pub(super) fn past() -> Operation {
    let about = "Who changed it, the oldest first. Secrets are not in it.";
    Entry::describe_list(operation(Method::GET, HISTORY, "list_webhook_history", "History of a webhook", about))
}
