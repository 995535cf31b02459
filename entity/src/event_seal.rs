//! The position of an event in the feed, and where a block of events ends the hash that links it to all events before it. A row is
//! written once.

use sea_orm::entity::prelude::*;

/// One row of `event_seal`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_seal")]
pub struct Model {
    /// The position in the feed, from 1 and without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The event.
    #[sea_orm(unique)]
    pub seq: i64,
    /// The kind of resource that changed, as the event names it.
    pub resource: String,
    /// Whether the public may see the event.
    pub public: bool,
    /// The hash of the block, in hexadecimal, if the event is the last of its block; otherwise empty.
    pub hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
