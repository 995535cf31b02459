//! The head of the feed. The table has one row.

use sea_orm::entity::prelude::*;

/// One row of `feed_head`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "feed_head")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i32,
    /// The position of the last event that is sealed; 0 before the first.
    pub position: i64,
    /// The hash of that event.
    pub hash: String,
    /// Everything that was appended before this is sealed: on PostgreSQL a transaction number, on SQLite an event number.
    pub horizon: i64,
    /// Whether batches of events may be written: whether no replica runs that does not know them.
    pub batches: bool,
}

impl ActiveModelBehavior for ActiveModel {}
