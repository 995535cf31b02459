//! `/v1/evaluations`

pub mod findings;
pub mod follow_ups;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use entity::evaluation;
use entity::value::code::Code;
use sea_orm::ActiveValue::Set;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::{dimensions, masterplans};
use crate::auth::permissions::HoldEvaluations;
use crate::crud::members::{FromRow, Parts, members, read_members};
use crate::crud::resource::{Closable, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::{ApiError, ApiResult, FieldError, codes};
use crate::store::kind::{BeforeFirst, Changes, Field, Kind, Link, Names, Own, PartColumn, ValueType};

/// The dimensions that a meeting was told of, by which lists can be filtered.
const TOLD: Link = Link::new("evaluation_dimension", "evaluation", "dimension");

/// The kind.
pub static KIND: Kind = kind_of::<Evaluation>(Names {
    one: "evaluation",
    many: "evaluations",
    spoken: "evaluation",
    plural: "evaluations",
    indonesian: "evaluasi",
    schema: "Evaluation",
    about: "Meetings that evaluate the masterplan: what they were told, and, once closed, the figures of the day for ever.",
})
.filters(&[Field::linked("dimension", TOLD)])
.public_with(Own::Published, "masterplan")
.with_snapshots(BeforeFirst::Absent)
.changes(Changes::Everything)
.actions(&["created", "updated", "closed", "deleted", "imported"])
.writes(&["evaluation_record"]);

members! {
    /// A meeting that evaluates a masterplan, with what it was told.
    pub struct Evaluation of evaluation by code {
        /// The masterplan that is evaluated.
        pub masterplan: Code = column.refers(&masterplans::KIND).sort().public().label("Masterplan", "Masterplan", "Masterplan yang dievaluasi."),
        /// The day of the meeting.
        #[schema(max_length = 10)]
        pub held_on: NaiveDate = column.sort().public().label("Held on", "Diselenggarakan pada", "Hari rapat."),
        /// The place where it is held.
        #[schema(max_length = 300)]
        pub venue: Option<String> = column.public().label("Venue", "Tempat", "Tempat rapat."),
        /// The person who chairs it.
        #[schema(max_length = 300)]
        pub chair: Option<String> = column.public().label("Chair", "Pimpinan", "Pimpinan rapat."),
        /// What came of it.
        #[schema(max_length = 10000)]
        pub summary: Option<String> = column.public().label("Summary", "Ringkasan", "Hasil rapat."),
        /// What the meeting was told, each dimension once; `/v1/reconciliation` shows it beside what is recorded.
        #[serde(default)]
        #[schema(max_items = 100)]
        pub reported_counts: Vec<ReportedCount> =
            parts.refers(&dimensions::KIND)
            .in_entries("dimension", TOLD).public().label("Reported counts", "Jumlah yang dilaporkan", "Jumlah program yang dilaporkan kepada rapat, per dimensi."),
        /// Whether the public sees it, with its findings and, once it is closed, its record.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
        /// Where the facts come from.
        pub provenance: Option<Provenance> = column.public().label("Provenance", "Sumber", "Asal keterangan ini."),
    }
}

read_members! {
    /// What closing writes of an evaluation.
    #[derive(Default)]
    pub struct EvaluationClosing {
        /// Whether it is closed. What is closed never changes.
        pub state: EvaluationState = json.public().label("State", "Keadaan", "Yang sudah ditutup tidak pernah berubah."),
        /// When it was closed; null while it is open.
        #[schema(max_length = 35)]
        pub closed_at: Option<DateTime<Utc>> = value.sort().public().label("Closed at", "Ditutup pada", "Waktu penutupan; null selama terbuka."),
        /// SHA-256 of the record for those who log in; null while it is open.
        #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
        pub record_sha256: Option<String> = value.label("Hash of the record", "Hash rekaman", "SHA-256 rekaman; null selama terbuka."),
        /// SHA-256 of the public record; null while it is open.
        #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
        pub public_record_sha256: Option<String> = value.public().label("Hash of the public record", "Hash rekaman publik", "SHA-256 rekaman publik; null selama terbuka."),
    }
}

/// Whether an evaluation is closed.
#[derive(Clone, Copy, Default, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvaluationState {
    /// It may still change.
    #[default]
    Open,
    /// It never changes.
    Closed,
}

entity::labels! { EvaluationState {
    Open: "Open", "Terbuka";
    Closed: "Closed", "Ditutup";
} }

impl FromRow<evaluation::Model> for EvaluationClosing {
    fn from_row(row: &evaluation::Model) -> Self {
        Self {
            state: if row.closed_at.is_some() { EvaluationState::Closed } else { EvaluationState::Open },
            closed_at: row.closed_at,
            record_sha256: row.record_sha256.clone(),
            public_record_sha256: row.public_record_sha256.clone(),
        }
    }
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
        Parts::load(row)
    }
}

impl Parts<evaluation::Entity> for Vec<ReportedCount> {
    const COLUMNS: &'static [PartColumn] = &[PartColumn { name: "reported_counts", part: "", value: ValueType::Json }];

    // What stands in a row was checked when it was written.
    fn load(row: &evaluation::Model) -> Self {
        Self::deserialize(&row.reported_counts).unwrap_or_default()
    }

    fn store(self, row: &mut evaluation::ActiveModel) {
        row.reported_counts = Set(json!(self));
    }
}

impl Resource for Evaluation {
    const KIND: &'static Kind = &KIND;
    type Write = HoldEvaluations;
    type ReadOnly = EvaluationClosing;
    type Computed = ();
    const HOOKS: Hooks<Self> = Hooks::NONE.closable();

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

    fn search(&self) -> Vec<&str> {
        [&self.venue, &self.chair, &self.summary].into_iter().flatten().map(String::as_str).collect()
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let mut seen = BTreeSet::new();
        let field_errors = self.reported_counts.iter().enumerate().flat_map(|(index, count)| {
            let again = (!seen.insert(count.dimension.as_str())).then(|| {
                let text = Text::new("It stands here twice.", "Tercantum dua kali.");
                FieldError::at(format!("/reported_counts/{index}/dimension"), "not_unique", text)
            });
            let more = (count.running > count.planned).then(|| {
                let text = Text::new("More run than are planned.", "Yang berjalan lebih banyak daripada yang direncanakan.");
                FieldError::at(format!("/reported_counts/{index}/running"), "too_large", text)
            });
            again.into_iter().chain(more).collect::<Vec<_>>()
        });
        field_errors.collect()
    }
}

impl Closable for Evaluation {
    fn must_be_open(row: &evaluation::Model) -> ApiResult<()> {
        must_be_open(row)
    }
}

/// 409 where an evaluation is closed.
pub fn must_be_open(row: &evaluation::Model) -> ApiResult<()> {
    let Some(at) = row.closed_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true)) else { return Ok(()) };
    Err(ApiError::new(codes::CLOSED)
        .detail(format!("`{}` was closed at {at}.", row.code), format!("`{}` ditutup pada {at}.", row.code)))
}
