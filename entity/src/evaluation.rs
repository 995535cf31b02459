//! A meeting that evaluated the masterplan, and what it was told.

use sea_orm::entity::prelude::*;

/// One row of `evaluation`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation")]
pub struct Model {
    /// The identifier: it never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan that was evaluated.
    pub masterplan: String,
    /// The day of the meeting.
    pub held_on: Date,
    /// Where it was held.
    pub venue: Option<String>,
    /// Who chaired it.
    pub chair: Option<String>,
    /// What came of it.
    pub summary: Option<String>,
    /// What the meeting was told: programmes planned and running of each dimension, as the API takes it.
    pub reported_counts: Json,
    /// Whether the public sees it.
    pub published: bool,
    /// Where the facts come from, as the API takes it.
    pub provenance: Option<Json>,
    /// When it was closed: nothing of it changes any more.
    pub closed_at: Option<DateTimeUtc>,
    /// Who closed it.
    pub closed_by: Option<String>,
    /// SHA-256 of its record, in hexadecimal.
    pub record_sha256: Option<String>,
    /// SHA-256 of the record that the public sees, in hexadecimal.
    pub public_record_sha256: Option<String>,
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
