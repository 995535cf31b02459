//! `/v1/evaluations`

pub mod findings;
pub mod follow_ups;

use std::collections::BTreeSet;

use chrono::{NaiveDate, SecondsFormat};
use entity::value::code::Code;
use entity::{evaluation, evaluation_dimension};
use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::references::{self, Target};
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::HoldEvaluations;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::listing::{Field, Kind};
use crate::store::transaction::WriteTransaction;

/// A meeting that evaluates a masterplan, with what it was told.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The masterplan that is evaluated.
    pub masterplan: Code,
    /// The day of the meeting.
    #[schema(max_length = 10)]
    pub held_on: NaiveDate,
    /// Where it is held.
    #[schema(max_length = 300)]
    pub venue: Option<String>,
    /// Who chairs it.
    #[schema(max_length = 300)]
    pub chair: Option<String>,
    /// What came of it.
    #[schema(max_length = 10000)]
    pub summary: Option<String>,
    /// What the meeting was told, each dimension once; `/v1/reconciliation` shows it beside what is recorded.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub reported_counts: Vec<ReportedCount>,
    /// Whether the public sees it, with its findings and, once it is closed, its record.
    #[serde(default)]
    pub published: bool,
    /// Where the facts come from.
    pub provenance: Option<Provenance>,
}

/// What a meeting was told of the programmes of a dimension.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportedCount {
    /// The dimension.
    pub dimension: Code,
    /// Programmes that the masterplan holds.
    #[schema(minimum = 0, maximum = 1000000, example = 10)]
    pub planned: u32,
    /// Those that run; not more than are planned.
    #[schema(minimum = 0, maximum = 1000000, example = 8)]
    pub running: u32,
}

impl ReportedCount {
    /// Out of a row.
    pub fn all_of(row: &evaluation::Model) -> Vec<Self> {
        serde_json::from_value(row.reported_counts.clone()).unwrap_or_default()
    }
}

impl Resource for Evaluation {
    const NAMES: Names = Names {
        one: "evaluation",
        many: "evaluations",
        spoken: "evaluation",
        plural: "evaluations",
        about: "Meetings that evaluate the masterplan: what they were told, and, once closed, the figures of the day for ever.",
    };
    const FIELDS: &'static [Field] = &[
        Field::sort("masterplan", Kind::Code),
        Field::sort("held_on", Kind::Date),
        Field::sort_nullable("closed_at", Kind::Instant),
        Field::linked("dimension", ("evaluation_dimension", "evaluation", "dimension")),
        Field::filter("published", Kind::Flag),
    ];
    const REFERENCES: &'static [Reference] = &[Reference::one("masterplan", Target::Masterplan)];
    type Entity = evaluation::Entity;
    type Write = HoldEvaluations;

    fn example() -> Value {
        json!({
            "code": "EVAL-2022-10-04", "masterplan": "KLU-SC", "held_on": "2022-10-04", "venue": "Aula Kantor Bupati",
            "chair": "H. Djohan Sjamsu, Bupati Lombok Utara", "published": true,
            "reported_counts": [
                { "dimension": "governance", "planned": 10, "running": 8 }, { "dimension": "branding", "planned": 4, "running": 4 },
                { "dimension": "economy", "planned": 9, "running": 8 }, { "dimension": "living", "planned": 6, "running": 5 },
                { "dimension": "society", "planned": 7, "running": 7 }, { "dimension": "environment", "planned": 4, "running": 3 },
            ],
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "stated" },
        })
    }

    fn of(row: &evaluation::Model) -> Self {
        Self {
            masterplan: code(&row.masterplan),
            held_on: row.held_on,
            venue: row.venue.clone(),
            chair: row.chair.clone(),
            summary: row.summary.clone(),
            reported_counts: ReportedCount::all_of(row),
            published: row.published,
            provenance: Provenance::of(row.provenance.as_ref()),
        }
    }

    fn into_row(self) -> evaluation::ActiveModel {
        evaluation::ActiveModel {
            masterplan: Set(self.masterplan.to_string()),
            held_on: Set(self.held_on),
            venue: Set(self.venue),
            chair: Set(self.chair),
            summary: Set(self.summary),
            reported_counts: Set(json!(self.reported_counts)),
            published: Set(self.published),
            provenance: Set(Provenance::stored(self.provenance.as_ref())),
            closed_at: NotSet,
            closed_by: NotSet,
            record_sha256: NotSet,
            public_record_sha256: NotSet,
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        [&self.venue, &self.chair, &self.summary].into_iter().flatten().map(String::as_str).collect()
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let mut seen = BTreeSet::new();
        let field_errors = self.reported_counts.iter().enumerate().flat_map(|(index, told)| {
            let again = (!seen.insert(told.dimension.as_str())).then(|| {
                let text = Text::new("It stands here twice.", "Tercantum dua kali.");
                FieldError::at(format!("/reported_counts/{index}/dimension"), "not_unique", text)
            });
            let more = (told.running > told.planned).then(|| {
                let text = Text::new("More run than are planned.", "Yang berjalan lebih banyak daripada yang direncanakan.");
                FieldError::at(format!("/reported_counts/{index}/running"), "too_large", text)
            });
            again.into_iter().chain(more).collect::<Vec<_>>()
        });
        field_errors.collect()
    }

    fn read_only(row: Option<&evaluation::Model>) -> Map<String, Value> {
        let closed_at = row.and_then(|row| row.closed_at);
        let hash = |of: fn(&evaluation::Model) -> &Option<String>| json!(row.and_then(|row| of(row).as_ref()));
        Map::from_iter([
            ("state".to_owned(), json!(if closed_at.is_some() { "closed" } else { "open" })),
            ("closed_at".to_owned(), json!(closed_at)),
            ("record_sha256".to_owned(), hash(|row| &row.record_sha256)),
            ("public_record_sha256".to_owned(), hash(|row| &row.public_record_sha256)),
        ])
    }

    fn read_only_schema() -> Map<String, Value> {
        let hash = |about: &str| json!({ "type": ["string", "null"], "minLength": 64, "maxLength": 64, "pattern": "^[0-9a-f]{64}$", "readOnly": true, "description": about });
        let state = json!({ "type": "string", "enum": ["open", "closed"], "readOnly": true, "description": "What is closed never changes." });
        let closed_at = json!({
            "type": ["string", "null"], "format": "date-time", "maxLength": 35, "readOnly": true,
            "description": "When it was closed; null while it is open.",
        });
        Map::from_iter([
            ("state".to_owned(), state),
            ("closed_at".to_owned(), closed_at),
            ("record_sha256".to_owned(), hash("SHA-256 of the record for those who log in; null while it is open.")),
            ("public_record_sha256".to_owned(), hash("SHA-256 of the public record; null while it is open.")),
        ])
    }

    async fn check(&self, transaction: &WriteTransaction, _key: &str, _before: Option<&evaluation::Model>) -> ApiResult<()> {
        let told = self.reported_counts.iter().map(|told| told.dimension.to_string()).collect::<Vec<_>>();
        let known = Target::Dimension.existing(&transaction.db, &told.iter().cloned().collect()).await?;
        let missing = told.iter().enumerate().filter(|(_, dimension)| !known.contains(*dimension));
        let pointer = |index| format!("/reported_counts/{index}/dimension");
        let field_errors = missing
            .map(|(index, dimension)| references::unknown(pointer(index), Target::Dimension, dimension))
            .collect::<Vec<_>>();
        if field_errors.is_empty() { Ok(()) } else { Err(ApiError::invalid(field_errors)) }
    }

    async fn after_write(&self, transaction: &WriteTransaction, code: &str, created: bool) -> ApiResult<()> {
        use evaluation_dimension::{ActiveModel, Column, Entity};
        if !created {
            Entity::delete_many().filter(Column::Evaluation.eq(code)).exec(&transaction.db).await?;
        }
        let links = self
            .reported_counts
            .iter()
            .map(|told| ActiveModel { evaluation: Set(code.to_owned()), dimension: Set(told.dimension.to_string()) });
        if !self.reported_counts.is_empty() {
            Entity::insert_many(links).exec_without_returning(&transaction.db).await?;
        }
        Ok(())
    }

    async fn must_be_open(_change: &WriteTransaction, row: &evaluation::Model) -> ApiResult<()> {
        must_be_open(row)
    }
}

/// 409 where an evaluation is closed.
pub fn must_be_open(row: &evaluation::Model) -> ApiResult<()> {
    let Some(at) = row.closed_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)) else { return Ok(()) };
    Err(ApiError::new(codes::CLOSED)
        .detail(format!("`{}` was closed at {at}.", row.code), format!("`{}` ditutup pada {at}.", row.code)))
}
