//! A webhook: an address that is told of events.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `webhook`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Where messages are sent.
    pub url: String,
    /// What it is for.
    pub description: Option<String>,
    /// Of which events it is told: a list of patterns such as `programme.*`.
    pub event_types: Json,
    /// Whether it is told of events.
    pub active: bool,
    /// Why not.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when not.
    pub disabled_at: Option<DateTimeUtc>,
    /// What messages are signed with, as its receiver has it. Signing needs it, so it is no hash.
    pub secret: String,
    /// The secret before it.
    pub previous_secret: Option<String>,
    /// Until when messages are signed with the secret before it too.
    pub previous_secret_until: Option<DateTimeUtc>,
    /// It is told of what stands after this place in the feed.
    pub after_position: i64,
    /// When the first of the attempts was made that all failed.
    pub failing_since: Option<DateTimeUtc>,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

/// Why a webhook is not told of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Somebody switched it off.
    Paused,
    /// The receiver answered 410.
    Gone,
    /// All attempts failed for three days.
    Failing,
}

impl Model {
    /// Whether messages are signed with the secret before the present one too.
    pub fn previous_secret_at(&self, instant: DateTimeUtc) -> Option<&str> {
        self.previous_secret.as_deref().filter(|_| self.previous_secret_until.is_some_and(|until| until > instant))
    }

    /// The patterns of the events that it is told of.
    pub fn patterns(&self) -> Vec<String> {
        serde_json::from_value(self.event_types.clone()).unwrap_or_default()
    }
}

impl ActiveModelBehavior for ActiveModel {}
