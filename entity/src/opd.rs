//! An OPD (organisasi perangkat daerah): a regional government agency, one node of a tree without cycles.

use sea_orm::entity::prelude::*;

/// One row of `opd`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opd")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// Full name.
    pub name: String,
    /// Short name.
    pub short_name: Option<String>,
    /// The OPD above it.
    pub parent: Option<String>,
    /// Who heads it.
    pub head_name: Option<String>,
    /// The head's office.
    pub head_title: Option<String>,
    /// Contact address; not public.
    pub email: Option<String>,
    /// Contact number; not public.
    pub phone: Option<String>,
    /// Its site.
    pub website: Option<String>,
    /// Whether it still exists.
    pub active: bool,
    /// Lower-cased text that `q=` looks through.
    pub search: String,
    /// Counts the writes; clients see it in the ETag.
    pub version: i32,
    /// When the row was made.
    pub created_at: DateTimeUtc,
    /// When the row was last written.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
