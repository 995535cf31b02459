//! Webhooks: addresses to which events are sent.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `webhook`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// The identifier, a UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The URL to which messages are sent.
    pub url: String,
    /// The purpose of the webhook.
    pub description: Option<String>,
    /// The events that are sent, as a list of patterns such as `programme.*`.
    pub event_types: Json,
    /// Whether events are sent.
    pub active: bool,
    /// Why no events are sent.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when no events are sent.
    pub disabled_at: Option<DateTimeUtc>,
    /// The secret with which messages are signed, as its receiver has it. Signing needs the secret itself, so it is not hashed.
    pub secret: String,
    /// The previous secret.
    pub previous_secret: Option<String>,
    /// Until when messages are signed with the previous secret, too.
    pub previous_secret_until: Option<DateTimeUtc>,
    /// The position in the feed after which events are sent.
    pub after_position: i64,
    /// When the first attempt was made of those that have all failed since.
    pub failing_since: Option<DateTimeUtc>,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

/// Why a webhook is disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Somebody disabled it.
    Paused,
    /// The receiver answered with 410.
    Gone,
    /// All attempts failed for three days.
    Failing,
}

crate::labels! { DisabledReason {
    Paused: "Paused", "Dijeda";
    Gone: "The address is gone", "Alamat sudah tidak ada";
    Failing: "Deliveries kept failing", "Pengiriman terus gagal";
} }

impl Model {
    /// Whether messages are signed with the previous secret as well.
    pub fn previous_secret_at(&self, instant: DateTimeUtc) -> Option<&str> {
        self.previous_secret.as_deref().filter(|_| self.previous_secret_until.is_some_and(|until| until > instant))
    }

    /// The patterns of the events that are sent.
    pub fn patterns(&self) -> Vec<String> {
        serde_json::from_value(self.event_types.clone()).unwrap_or_default()
    }
}

impl ActiveModelBehavior for ActiveModel {}
