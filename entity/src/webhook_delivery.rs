//! Messages for webhooks, with their results.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One row of `webhook_delivery`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_delivery")]
pub struct Model {
    /// The identifier, a UUIDv7.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The identifier of the webhook.
    pub webhook: String,
    /// The position of the event in the feed; none for a ping.
    pub position: Option<i64>,
    /// The `webhook-id`: the id of the event, which is the same in each attempt.
    pub message_id: String,
    /// The type of the event, such as `programme.updated`.
    pub event_type: String,
    /// The status of the delivery.
    pub status: DeliveryStatus,
    /// The number of attempts that were made.
    pub attempts: i32,
    /// When the message was first sent, since the delivery was created or last requested again.
    pub first_attempt_at: Option<DateTimeUtc>,
    /// When the message was last sent.
    pub last_attempt_at: Option<DateTimeUtc>,
    /// When the message is sent next.
    pub next_attempt_at: Option<DateTimeUtc>,
    /// Until when the delivery is leased to the process that is sending it.
    pub leased_until: Option<DateTimeUtc>,
    /// The HTTP status of the last answer.
    pub response_status: Option<i32>,
    /// The beginning of the body of the last answer.
    pub response_excerpt: Option<String>,
    /// Why the last attempt got no answer.
    pub error: Option<String>,
    /// When the row was created.
    pub created_at: DateTimeUtc,
}

/// The status of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum, Serialize, Deserialize, ToSchema)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)", rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// The message is sent now or later.
    Pending,
    /// The receiver answered with a status from 200 to 299.
    Delivered,
    /// The message is not sent any more.
    Failed,
}

crate::labels! { DeliveryStatus {
    Pending: "Pending", "Menunggu";
    Delivered: "Delivered", "Terkirim";
    Failed: "Failed", "Gagal";
} }

impl ActiveModelBehavior for ActiveModel {}
