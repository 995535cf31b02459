//! The rows of a file, as it has them: what only the service writes may be left out.

use std::marker::PhantomData;

use chrono::{DateTime, NaiveDate, Utc};
use entity::coverage::CoverageStatus;
use entity::kpi_target::TargetKind;
use entity::measurement::ReportState;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::code::Code;
use entity::value::decimal::Decimal;
use entity::value::period::Period;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::resources::provenance::Provenance;
use crate::resources::reporting::evidence::Evidence;

/// An entry of the status history of a programme. The rows of a programme stand in their order; each begins where the one
/// before it ends.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Transition {
    pub(super) programme: Code,
    pub(super) to: ProgrammeStatus,
    pub(super) effective_on: NaiveDate,
    #[schema(max_length = 2000)]
    pub(super) reason: Option<String>,
    pub(super) id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) recorded_by: Option<String>,
    pub(super) recorded_at: Option<DateTime<Utc>>,
}

/// An entry of what a programme has in a region. The rows of a programme and region stand in their order.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CoverageEntry)]
pub(super) struct Coverage {
    pub(super) programme: Code,
    pub(super) region: Code,
    pub(super) status: CoverageStatus,
    pub(super) effective_on: NaiveDate,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) recorded_by: Option<String>,
    pub(super) recorded_at: Option<DateTime<Utc>>,
}

/// A target of a KPI.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TargetEntry)]
pub(super) struct Target {
    pub(super) kpi: Code,
    pub(super) period: Period,
    pub(super) value: Decimal,
    pub(super) kind: TargetKind,
    pub(super) provenance: Option<Provenance>,
    #[schema(minimum = 1, maximum = 2147483647)]
    pub(super) version: Option<i32>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// A frozen record of a closed evaluation, byte by byte.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FrozenRecord)]
pub(super) struct EvaluationRecord {
    pub(super) evaluation: Code,
    #[schema(pattern = "^(all|published)$", max_length = 9)]
    pub(super) audience: String,
    pub(super) content: String,
    #[schema(pattern = "^[0-9a-f]{64}$", max_length = 64)]
    pub(super) sha256: String,
}

/// A revision of a measurement. Those of a period stand in their order; only the last may not count yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeasurementRevision)]
pub(super) struct Measurement {
    pub(super) kpi: Code,
    pub(super) period: Period,
    #[schema(minimum = 1, maximum = 2147483647)]
    pub(super) revision: Option<i32>,
    pub(super) value: Decimal,
    #[schema(max_length = 5000)]
    pub(super) note: Option<String>,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) evidence: Vec<Evidence>,
    pub(super) source_updated_at: Option<DateTime<Utc>>,
    pub(super) provenance: Option<Provenance>,
    pub(super) state: Option<ReportState>,
    pub(super) known_on: Option<NaiveDate>,
    #[schema(max_length = 2000)]
    pub(super) reason: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) reported_by: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) submitted_by: Option<String>,
    pub(super) submitted_at: Option<DateTime<Utc>>,
    #[schema(max_length = 2000)]
    pub(super) return_reason: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) returned_by: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) verified_by: Option<String>,
    pub(super) verified_at: Option<DateTime<Utc>>,
    #[schema(minimum = 1, maximum = 2147483647)]
    pub(super) version: Option<i32>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// A revision of a report on an action. Those of a quarter stand in their order; only the last may not count yet.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ActionReportRevision)]
pub(super) struct ActionReport {
    #[schema(max_length = 36)]
    pub(super) action: Code,
    #[schema(minimum = 1, maximum = 4)]
    pub(super) quarter: i32,
    #[schema(minimum = 1, maximum = 2147483647)]
    pub(super) revision: Option<i32>,
    pub(super) realisation: Decimal,
    #[schema(max_length = 10000)]
    pub(super) narrative: Option<String>,
    #[schema(max_length = 10000)]
    pub(super) obstacles: Option<String>,
    #[serde(default)]
    #[schema(max_items = 20)]
    pub(super) evidence: Vec<Evidence>,
    pub(super) source_updated_at: Option<DateTime<Utc>>,
    pub(super) state: Option<ReportState>,
    pub(super) handed_in_on: Option<NaiveDate>,
    pub(super) known_on: Option<NaiveDate>,
    #[schema(max_length = 2000)]
    pub(super) reason: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) reported_by: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) submitted_by: Option<String>,
    pub(super) submitted_at: Option<DateTime<Utc>>,
    #[schema(max_length = 2000)]
    pub(super) return_reason: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) returned_by: Option<String>,
    #[schema(min_length = 1, max_length = 254)]
    pub(super) verified_by: Option<String>,
    pub(super) verified_at: Option<DateTime<Utc>>,
    #[schema(minimum = 1, maximum = 2147483647)]
    pub(super) version: Option<i32>,
    pub(super) created_at: Option<DateTime<Utc>>,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// The rows of a resource.
pub(super) struct ResourceRows<R>(pub(super) PhantomData<R>);
