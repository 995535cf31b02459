//! Evaluations: meetings that evaluated a masterplan, with the counts that were reported to them.

use sea_orm::entity::prelude::*;

/// One row of `evaluation`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation")]
pub struct Model {
    /// The code that identifies the row. It never changes.
    #[sea_orm(primary_key, auto_increment = false)]
    pub code: String,
    /// The masterplan that was evaluated.
    pub masterplan: String,
    /// The day of the meeting.
    pub held_on: Date,
    /// The place where the meeting was held.
    pub venue: Option<String>,
    /// The person who chaired the meeting.
    pub chair: Option<String>,
    /// A summary of the results of the meeting.
    pub summary: Option<String>,
    /// The counts of programmes that the meeting was told for each dimension, as JSON in the form that the API takes.
    pub reported_counts: Json,
    /// Whether the row is published, so that it can be read without a login.
    pub published: bool,
    /// The source of the facts, as JSON in the form that the API takes.
    pub provenance: Option<Json>,
    /// When the evaluation was closed; since then it cannot be changed.
    pub closed_at: Option<DateTimeUtc>,
    /// Who closed the evaluation.
    pub closed_by: Option<String>,
    /// The SHA-256 of its record, in hexadecimal.
    pub record_sha256: Option<String>,
    /// The SHA-256 of its public record, in hexadecimal.
    pub public_record_sha256: Option<String>,
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
