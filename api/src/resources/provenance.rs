//! The source of a fact. It is stored in the form in which it is shown, and the public sees it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::crud::members::stored_as_json;

/// The source of a fact, and how certain the fact is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// Who published the source.
    #[schema(max_length = 200, example = "Katada.id")]
    pub publisher: Option<String>,
    /// The title of the publication.
    #[schema(max_length = 500)]
    pub title: Option<String>,
    /// The address at which the source can be read.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub url: Option<String>,
    /// The day on which the source was published. A measurement counts for `as_of` from this day on.
    #[schema(max_length = 10, example = "2022-10-04")]
    pub date: Option<NaiveDate>,
    /// A quotation of the source.
    #[schema(max_length = 5000)]
    pub quote: Option<String>,
    /// How the fact follows from the source.
    pub basis: Option<Basis>,
}

/// How a fact follows from its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// The source states it.
    Stated,
    /// It is inferred from the source.
    Inferred,
    /// It is computed from other facts, or made up to illustrate.
    Derived,
}

entity::labels! { Basis {
    Stated: "Stated by the source", "Dinyatakan sumber";
    Inferred: "Inferred from the source", "Disimpulkan dari sumber";
    Derived: "Computed from other figures", "Diturunkan dari angka lain";
} }

stored_as_json!(Provenance);

impl Provenance {
    /// Reads the source of a fact from a row.
    pub fn of(stored: Option<&Value>) -> Option<Self> {
        stored.and_then(|value| Self::deserialize(value).ok())
    }

    /// Converts it into the form that a row stores.
    pub fn stored(provenance: Option<&Self>) -> Option<Value> {
        provenance.and_then(|provenance| serde_json::to_value(provenance).ok())
    }
}
