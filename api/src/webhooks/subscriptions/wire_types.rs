//! The forms of webhooks in requests and answers, and the descriptions of their operations.

use chrono::{DateTime, Utc};
use entity::webhook;
use sea_orm::ActiveValue::Set;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::permissions::ManageWebhooks;
use crate::http::operation::Operation;
use crate::kinds;
use crate::resources::accounts::{Account, Secret, describe};
use crate::resources::webhooks::{AUDITED, SECRET, Webhook, example, pattern};
use crate::store::kind::{Audited, Field, Names, ValueType};
use crate::webhooks::message::fresh_secret;

/// The body of a request that creates a webhook.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWebhook {
    /// The URL to which messages are sent: `https` and on the public internet, unless the service is configured otherwise.
    #[schema(min_length = 1, max_length = 2000, example = "https://sistem.example.go.id/renaksi")]
    pub url: String,
    /// The purpose of the webhook.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// The events that are sent: `*` for all, all of a kind (`programme.*`), or one action (`measurement.verified`).
    #[schema(min_items = 1, max_items = 100, schema_with = patterns)]
    pub event_types: Vec<String>,
    /// Whether events are sent; `true` if absent.
    #[serde(default = "yes")]
    pub active: bool,
}

/// The body of a request that changes a webhook. Only the members in it change.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WebhookPatch {
    /// The URL to which messages are sent.
    #[schema(min_length = 1, max_length = 2000, nullable = false)]
    pub url: Option<String>,
    /// The purpose of the webhook; null removes it.
    #[schema(max_length = 1000)]
    pub description: Option<String>,
    /// The events that are sent.
    #[schema(schema_with = patterns)]
    pub event_types: Option<Vec<String>>,
    /// Whether events are sent; after `true`, events from then on are sent.
    #[schema(nullable = false)]
    pub active: Option<bool>,
}

fn yes() -> bool {
    true
}

fn patterns() -> utoipa::openapi::schema::Array {
    use utoipa::openapi::schema::ArrayBuilder;
    let kinds = kinds::fed().map(|of| format!("`{}`: {}", of.name, of.actions.join(", "))).collect::<Vec<_>>();
    let about = format!(
        "The events that are sent: `*` for all, all of a kind (`programme.*`), or one action (`measurement.verified`). A pattern \
         that can never match is refused (`unknown_event_type`). The actions of each kind are: {}.",
        kinds.join("; ")
    );
    ArrayBuilder::new().items(pattern()).min_items(Some(1)).max_items(Some(100)).description(Some(about)).build()
}

impl Account for Webhook {
    const NAMES: Names = Names {
        one: "webhook",
        many: "webhooks",
        spoken: "webhook",
        plural: "webhooks",
        indonesian: "webhook",
        schema: "Webhook",
        about: "A webhook: an address to which events are sent.",
    };
    const AUDITED: &'static Audited = &AUDITED;
    const ABOUT_ALL: &'static str = "The webhooks: addresses to which events are sent.";
    const TAG: &'static str = "webhooks";
    const ONE: &'static str = "/v1/webhooks/{id}";
    const FIELDS: &'static [Field] = &[Field::filter("active", ValueType::Flag), Field::sort("created_at", ValueType::Instant)];
    const SORT: Field = Field::sort("id", ValueType::Code);
    const SEARCHES: &'static str = "the addresses and descriptions of webhooks";
    type Entity = webhook::Entity;
    type Manage = ManageWebhooks;

    fn example() -> Value {
        example()
    }

    fn key(id: &str) -> Option<String> {
        Some(id.to_owned())
    }

    fn id(row: &webhook::Model) -> String {
        row.id.clone()
    }
}

impl Secret for Webhook {
    const MEMBER: &'static str = SECRET;
    const SECRET_EXAMPLE: &'static str = "whsec_Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCB0byB1c2U=";

    fn fresh() -> String {
        fresh_secret()
    }

    fn replace(row: &mut webhook::ActiveModel, before: &webhook::Model, fresh: &str, until: DateTime<Utc>) {
        row.previous_secret = Set(Some(before.secret.clone()));
        row.previous_secret_until = Set(Some(until));
        row.secret = Set(fresh.to_owned());
    }
}

pub(super) fn create() -> Operation {
    let new = json!({
        "url": "https://sistem.example.go.id/renaksi", "description": "Dasbor kabupaten",
        "event_types": ["programme.*", "measurement.verified"],
    });
    let about = "From now on, every event of these types is sent to the address, signed as Standard Webhooks describes. Each \
        message is sent at least once, and not always in order. The answer shows the secret, this once.";
    describe::create::<Webhook, NewWebhook>(about, new, describe::example_with_secret::<Webhook>())
}

pub(super) fn update() -> Operation {
    let about = "Only the members in the body change. While a webhook is not active, nothing is sent to it, and what happens in \
        the meantime is not sent later: read that from `/v1/events`.";
    describe::update::<Webhook, WebhookPatch>(about, json!({ "active": true }))
}

pub(super) fn delete() -> Operation {
    describe::delete::<Webhook>("Nothing more is sent to the webhook. Its deliveries are deleted with it; its history stays.")
}

pub(super) fn rotate() -> Operation {
    let about = "The answer shows the new secret, this once. For `grace_seconds`, each message carries two signatures, one with each secret.";
    describe::rotate::<Webhook>("/v1/webhooks/{id}/rotate-secret", "rotate_webhook_secret", about)
}
