//! Where a fact comes from. It is stored as it is shown, and shown to the public.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// Where a fact comes from, and how sure it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Who published it.
    #[schema(max_length = 200, example = "Katada.id")]
    pub publisher: Option<String>,
    /// Title of the publication.
    #[schema(max_length = 500)]
    pub title: Option<String>,
    /// Where it can be read.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub url: Option<String>,
    /// When it was published. A measurement counts for `as_of` from this day on.
    #[schema(max_length = 10, example = "2022-10-04")]
    pub date: Option<NaiveDate>,
    /// The words of the source.
    #[schema(max_length = 5000)]
    pub quote: Option<String>,
    /// How the fact follows from the source.
    pub basis: Option<Basis>,
}

/// How a fact follows from its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source says so.
    Stated,
    /// A reading of the source.
    Inferred,
    /// Computed from other facts, or made to illustrate.
    Derived,
}

impl Provenance {
    /// Out of a row.
    pub fn of(stored: Option<&Value>) -> Option<Self> {
        stored.and_then(|value| serde_json::from_value(value.clone()).ok())
    }

    /// Into a row.
    pub fn stored(provenance: Option<&Self>) -> Option<Value> {
        provenance.and_then(|provenance| serde_json::to_value(provenance).ok())
    }
}
