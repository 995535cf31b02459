//! One change of one row, with what was before and after. Rows are only ever added, in the transaction of the change.

use sea_orm::entity::prelude::*;

/// One row of `event`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "event")]
pub struct Model {
    /// Order of appending.
    #[sea_orm(primary_key)]
    pub seq: i64,
    /// UUIDv7.
    #[sea_orm(unique)]
    pub id: Uuid,
    /// When it happened.
    pub at: DateTimeUtc,
    /// Which kind of thing changed, such as `programme`.
    pub resource: String,
    /// Which one: its code or id.
    pub key: String,
    /// What happened: `created`, `updated`, `deleted`, or a verb of the resource.
    pub action: String,
    /// Version of the row afterwards.
    pub version: i32,
    /// `user`, `client` or `system`.
    pub actor_kind: String,
    /// Who did it.
    pub actor_id: String,
    /// The request that did it.
    pub request_id: Option<String>,
    /// From which network address.
    pub address: Option<String>,
    /// The thing before, as the API shows it.
    pub before: Option<Json>,
    /// The thing afterwards.
    pub after: Option<Json>,
}

impl ActiveModelBehavior for ActiveModel {}
