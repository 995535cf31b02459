//! Events as answers and streams show them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::crud::history::Entry;

/// Where an event stands in the feed.
#[derive(Serialize, ToSchema)]
pub struct Place {
    /// The position of the event in the feed, counted from 1 without gaps.
    #[schema(minimum = 1, maximum = 9007199254740991i64, example = 42)]
    pub(super) position: i64,
    /// The SHA-256 of what the event says, in hexadecimal: see `docs/chain.md`.
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    pub(super) hash: String,
}

/// A change, at its position in the feed.
#[derive(Serialize)]
pub struct FeedEvent {
    /// Where it stands.
    #[serde(flatten)]
    pub(super) place: Place,
    /// The change that the event records.
    #[serde(flatten)]
    pub(super) entry: Entry,
}

/// A change of something published, at its position in the feed.
#[derive(Serialize, ToSchema)]
pub struct PublicEvent {
    /// The position of the event in the feed. Positions grow; changes that are not public leave gaps.
    #[schema(minimum = 1, maximum = 9007199254740991i64, example = 42)]
    pub(super) position: i64,
    /// The identifier of the event.
    #[schema(max_length = 36)]
    pub(super) id: Uuid,
    /// When the change was made.
    #[schema(max_length = 35)]
    pub(super) at: DateTime<Utc>,
    /// The kind of resource, such as `programme`.
    #[schema(max_length = 64, example = "programme")]
    pub(super) resource: String,
    /// An opaque identifier that all events of the same resource share. It tells readers who know the resource from earlier
    /// events which one was withdrawn or deleted.
    #[schema(max_length = 36)]
    pub(super) thing: Uuid,
    /// The code or id of the resource; null in all its events if the resource is no longer public.
    #[schema(max_length = 200, example = "SV-01")]
    pub(super) key: Option<String>,
    /// What happened: `published`, `withdrawn`, `updated`, or a verb of the resource such as `transitioned`.
    #[schema(max_length = 64, example = "updated")]
    pub(super) action: String,
    /// The resource after the change, as the public sees it. Null if the resource is gone, and in all its events if it is no
    /// longer public. References in it to what is not public are null.
    #[schema(value_type = Option<Object>)]
    pub(super) data: Option<Value>,
}
