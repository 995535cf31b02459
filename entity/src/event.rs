//! Audit events: one change of one row each, with the row before and after. Rows are only ever added, in the transaction of the
//! change. The events by which one request created many reports are one row, see [`crate::rules::batch`].

use sea_orm::entity::prelude::*;

/// One row of `event`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// The number of the event, in the order of appending.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// The identifier, a UUIDv7; of a batch that of its first event.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// When the change was made.
    pub at: DateTimeUtc,
    /// The kind of resource that changed, such as `programme`.
    pub resource: String,
    /// The code or id of the resource; empty in a batch.
    pub key: String,
    /// What happened: `created`, `updated`, `deleted`, or a verb of the resource.
    pub action: String,
    /// The version of the row after the change.
    pub version: i32,
    /// The kind of actor: `user`, `client` or `system`.
    pub actor_kind: String,
    /// Who made the change.
    pub actor_id: String,
    /// The identifier of the request that made the change.
    pub request_id: Option<String>,
    /// The network address from which the change was made.
    pub address: Option<String>,
    /// The resource before the change, as the API shows it.
    pub before: Option<Json>,
    /// The resource after the change, as the API shows it.
    pub after: Option<Json>,
    /// The SHA-256 of the canonical form; null in events that an earlier version of the service wrote. In a batch the hashes of its
    /// events, one after the other.
    pub content_hash: Option<Vec<u8>>,
    /// The identifier of the first event about the same resource, where that one lies in a batch; null in the batch itself.
    pub first_event: Option<Uuid>,
    /// How many events the row holds: 1, or those of a batch.
    pub events: i32,
    /// What the events of a batch do not have in common, compressed; null in a row that is one event.
    pub batch: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
