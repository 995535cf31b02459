//! The joint commitment that OPDs signed.

use sea_orm::entity::prelude::*;

/// One row of `commitment`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commitment")]
pub struct Model {
    /// The identifier, a UUIDv7: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was signed; unknown for some.
    pub signed_on: Option<Date>,
    /// Where the document can be read.
    pub document_url: Option<String>,
    /// Codes of the OPDs that signed, as shown; `commitment_signatory` holds the references.
    pub signatories: Json,
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
