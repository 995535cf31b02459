//! OPDs (organisasi perangkat daerah): regional government agencies, which form a tree without cycles.

use sea_orm::entity::prelude::*;

/// One row of `opd`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "opd")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The full name of the OPD.
    pub name: String,
    /// The short name of the OPD.
    pub short_name: Option<String>,
    /// The OPD above this one.
    pub parent: Option<String>,
    /// The name of the head of the OPD.
    pub head_name: Option<String>,
    /// The office of the head of the OPD.
    pub head_title: Option<String>,
    /// The e-mail address of the OPD, which is not public.
    pub email: Option<String>,
    /// The telephone number of the OPD, which is not public.
    pub phone: Option<String>,
    /// The website of the OPD.
    pub website: Option<String>,
    /// Whether the OPD still exists.
    pub active: bool,
    /// The text that the search parameter `q` looks through, in lower case.
    pub search: String,
    /// The version of the row: it grows by one with every write, and clients see it in the `ETag`.
    pub version: i32,
    /// When the row was created.
    pub created_at: DateTimeUtc,
    /// When the row was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
