//! `/v1/quick-wins`

use chrono::NaiveDate;
use entity::quick_win;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::code::Code;
use sea_orm::ActiveValue::{NotSet, Set};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::provenance::Provenance;
use super::references::Target;
use super::resource::{Names, Reference, Resource, code};
use crate::auth::permissions::EditProgrammes;
use crate::store::listing::{Field, Kind};

/// A Quick Win: what a dimension can show first.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuickWin {
    /// The dimension it stands for.
    pub dimension: Code,
    /// The programme behind it.
    pub programme: Option<Code>,
    /// The OPD that carries it out.
    pub opd: Code,
    /// Its name.
    #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
    pub name: String,
    /// What it does.
    #[schema(max_length = 10000)]
    pub description: Option<String>,
    /// Where it stands.
    #[serde(default = "planned")]
    pub status: ProgrammeStatus,
    /// When it started.
    #[schema(max_length = 10)]
    pub started_on: Option<NaiveDate>,
    /// What came of it.
    #[schema(max_length = 10000)]
    pub outcome: Option<String>,
    /// Whether the public sees it: a new one only where this is `true`.
    #[serde(default)]
    pub published: bool,
    /// Where the facts come from.
    pub provenance: Option<Provenance>,
}

fn planned() -> ProgrammeStatus {
    ProgrammeStatus::Planned
}

impl Resource for QuickWin {
    const NAMES: Names = Names {
        one: "quick_win",
        many: "quick-wins",
        spoken: "Quick Win",
        plural: "Quick Wins",
        about: "A Quick Win is what a dimension can show first; each dimension has one.",
    };
    const FIELDS: &'static [Field] = &[
        Field::filter("dimension", Kind::Code),
        Field::filter("programme", Kind::Code),
        Field::filter("opd", Kind::Code),
        Field::sort("status", Kind::Choice(&["planned", "running", "suspended", "completed", "cancelled"])),
        Field::sort_nullable("started_on", Kind::Date),
        Field::filter("published", Kind::Flag),
        Field::sort("name", Kind::Text),
    ];
    const REFERENCES: &'static [Reference] = &[
        Reference::one("dimension", Target::Dimension),
        Reference::one("programme", Target::Programme),
        Reference::one("opd", Target::Opd),
    ];
    type Entity = quick_win::Entity;
    type Write = EditProgrammes;

    fn example() -> Value {
        json!({
            "code": "QW-SV", "dimension": "environment", "programme": "SV-02", "opd": "DLH", "name": "PJS (Pelayanan Jemput Sampah)",
            "status": "running", "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "stated" },
        })
    }

    fn of(row: &quick_win::Model) -> Self {
        Self {
            dimension: code(&row.dimension),
            programme: row.programme.as_deref().map(code),
            opd: code(&row.opd),
            name: row.name.clone(),
            description: row.description.clone(),
            status: row.status,
            started_on: row.started_on,
            outcome: row.outcome.clone(),
            published: row.published,
            provenance: Provenance::of(row.provenance.as_ref()),
        }
    }

    fn into_row(self) -> quick_win::ActiveModel {
        quick_win::ActiveModel {
            dimension: Set(self.dimension.to_string()),
            programme: Set(self.programme.map(|code| code.to_string())),
            opd: Set(self.opd.to_string()),
            name: Set(self.name),
            description: Set(self.description),
            status: Set(self.status),
            started_on: Set(self.started_on),
            outcome: Set(self.outcome),
            published: Set(self.published),
            provenance: Set(Provenance::stored(self.provenance.as_ref())),
            code: NotSet,
            search: NotSet,
            version: NotSet,
            created_at: NotSet,
            updated_at: NotSet,
        }
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }
}
