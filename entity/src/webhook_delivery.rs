//! A message for a webhook, and what became of it.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `webhook_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// For which webhook.
    pub webhook: String,
    /// The place of the event in the feed; a ping has none.
    pub position: Option<i64>,
    /// The `webhook-id`, the same in each attempt: the id of the event.
    pub message_id: String,
    /// What happened, such as `programme.updated`.
    pub event_type: String,
    /// How far it got.
    pub status: DeliveryStatus,
    /// How often it was sent.
    pub attempts: i32,
    /// When it was first sent, since it was made or last asked for again.
    pub first_attempt_at: Option<DateTimeUtc>,
    /// When it was last sent.
    pub last_attempt_at: Option<DateTimeUtc>,
    /// When it is sent next.
    pub next_attempt_at: Option<DateTimeUtc>,
    /// Until when it belongs to the process that is sending it.
    pub leased_until: Option<DateTimeUtc>,
    /// The HTTP status of the last answer.
    pub response_status: Option<i32>,
    /// How the body of the last answer began.
    pub response_excerpt: Option<String>,
    /// Why the last attempt got no answer.
    pub error: Option<String>,
    /// When the row was made.
    pub created_at: DateTimeUtc,
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// It is sent now or later.
    Pending,
    /// The receiver answered 2xx.
    Delivered,
    /// It is not sent any more.
    Failed,
}

impl ActiveModelBehavior for ActiveModel {}
