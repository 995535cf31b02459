//! The place of an event in the feed, and the hash that ties it to all before it. A row is written once.

use sea_orm::entity::prelude::*;

/// One row of `event_seal`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event_seal")]
pub struct Model {
    /// The place in the feed, from 1 and without gaps.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// The event.
    #[sea_orm(unique)]
    pub seq: i64,
    /// Which kind of thing changed, as the event says it.
    pub resource: String,
    /// Whether everybody may see that it happened.
    pub public: bool,
    /// SHA-256 over the hash before and the event, in hexadecimal.
    pub hash: String,
}

impl ActiveModelBehavior for ActiveModel {}
