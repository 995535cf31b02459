//! The evidence for a report.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A document that proves a report.
#[derive(Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The title of the document.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub title: String,
    /// The address at which the document can be read.
    #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
    pub url: Option<String>,
    /// The SHA-256 of the document, in hexadecimal.
    #[schema(max_length = 64, pattern = r"^[0-9a-f]{64}$")]
    pub sha256: Option<String>,
}
