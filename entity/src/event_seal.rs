//! The position of an event in the feed, and where a block of events ends the hash that links it to all events before it. A row is
//! written once. A batch of events has one row, and as many positions as it has events.

use sea_orm::entity::prelude::*;

/// One row of `event_seal`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_seal")]
pub struct Model {
    /// The position in the feed, from 1 and without gaps; of a batch that of its last event.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The number of the event or batch.
    #[sea_orm(unique)]
    pub seq: i64,
    /// The kind of resource that changed, as the event names it.
    pub resource: String,
    /// Whether the public may see the event, or one of the batch.
    pub public: bool,
    /// The hash of the block, in hexadecimal, if the event is the last of its block; otherwise empty.
    pub hash: String,
    /// How many events it is about: 1, or those of a batch.
    pub events: i32,
    /// Which events of a batch the public may see, a bit for each from the lowest of the first byte on; null where it may see all or
    /// none.
    pub public_events: Option<Vec<u8>>,
}

impl ActiveModelBehavior for ActiveModel {}
