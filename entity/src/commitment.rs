//! Joint commitments that OPDs signed.

use sea_orm::entity::prelude::*;

/// One row of `commitment`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "commitment")]
pub struct Model {
    /// The identifier, a UUIDv7. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    /// The title of the commitment.
    pub title: String,
    /// The day on which it was signed, if that is known.
    pub signed_on: Option<Date>,
    /// The address at which the document can be read.
    pub document_url: Option<String>,
    /// The codes of the OPDs that signed, in the order in which they are shown; `commitment_signatory` holds the references.
    pub signatories: Json,
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
