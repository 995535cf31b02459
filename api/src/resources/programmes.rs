//! `/v1/programmes`

pub mod coverage;
pub mod coverage_entries;
mod lists;
mod progress;
pub mod transitions;

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, Utc};
use entity::programme;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::code::Code;
use entity::value::decimal::{Decimal, Percent};
use sea_orm::ActiveValue::Set;
use serde_json::{Value, json};

use super::provenance::Provenance;
use super::{dimensions, masterplans, opds, regions};
use crate::auth::permissions::EditProgrammes;
use crate::crud::members::{FromRow, members, read_members};
use crate::crud::resource::{AfterWrite, BeforeDelete, BeforeInsert, Hooks, NewRow, Resource};
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::{ApiResult, FieldError};
use crate::store::kind::{BeforeFirst, Kind, Link, Names, Own};
use crate::store::transaction::WriteTransaction;

/// The kind. Past days count one as it was made where it was made later: whether it was there its status history tells.
pub static KIND: Kind = kind_of::<Programme>(Names {
    one: "programme",
    many: "programmes",
    spoken: "programme",
    plural: "programmes",
    indonesian: "program",
    schema: "Programme",
    about: "The programmes of the masterplan, each led by one OPD and serving one dimension.",
})
.public_with(Own::Published, "masterplan")
.with_snapshots(BeforeFirst::AsMade)
.actions(&["created", "updated", "transitioned", "deleted", "imported"]);

members! {
    /// A programme of the masterplan. Its `status` changes only through its transitions.
    pub struct Programme of programme by code {
        /// The masterplan it belongs to.
        pub masterplan: Code = column.refers(&masterplans::KIND).sort().public().label("Masterplan", "Masterplan", "Masterplan yang memuatnya."),
        /// The dimension it serves.
        pub dimension: Code = column.refers(&dimensions::KIND).sort().public().label("Dimension", "Dimensi", "Dimensi yang dilayaninya."),
        /// The name of the programme.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama program."),
        /// What the programme does.
        #[schema(max_length = 10000)]
        pub description: Option<String> = column.public().label("Description", "Deskripsi", "Apa yang dilakukan program."),
        /// The OPD that leads it.
        pub lead_opd: Code = column.refers(&opds::KIND).sort().public().label("Lead OPD", "OPD pemimpin", "OPD yang memimpinnya."),
        /// The OPDs that support it: none in a new one where this is absent.
        #[serde(default)]
        #[schema(max_items = 100)]
        pub supporting_opds: Vec<Code> = column
            .refers(&opds::KIND)
            .linked(Link::new("programme_supporting_opd", "programme", "opd"))
            .public()
            .label("Supporting OPDs", "OPD pendukung", "OPD yang mendukungnya; yang baru tanpa pendukung bila tidak disebut."),
        /// The day on which it starts. A new programme counts as planned from this day, if it is not in the future, else from today.
        #[schema(max_length = 10)]
        pub start_date: Option<NaiveDate> = column.sort().public().label("Start date", "Tanggal mulai", "Tanggal mulai program."),
        /// The day on which it ends; not before it starts.
        #[schema(max_length = 10)]
        pub end_date: Option<NaiveDate> = column.sort().public().label("End date", "Tanggal selesai", "Tanggal selesai; tidak sebelum mulai."),
        /// The budget in rupiah; not negative.
        pub budget: Option<Decimal> = column.sort().public().label("Budget", "Anggaran", "Anggaran dalam rupiah; tidak negatif."),
        /// The source of the funds, such as `APBD 2022`.
        #[schema(max_length = 200)]
        pub funding_source: Option<String> = column.public().label("Funding source", "Sumber dana", "Sumber dana, misalnya `APBD 2022`."),
        /// The regions it works in: none in a new one where this is absent.
        #[serde(default)]
        #[schema(max_items = 1000)]
        pub regions: Vec<Code> = column
            .refers(&regions::KIND)
            .linked(Link::new("programme_region", "programme", "region"))
            .public()
            .label("Regions", "Wilayah", "Wilayah kerjanya; yang baru tanpa wilayah bila tidak disebut."),
        /// When the source system last changed it: an older row that is pushed changes nothing.
        #[schema(max_length = 35)]
        pub source_updated_at: Option<DateTime<Utc>> =
            column.label("Changed at the source", "Diubah di sumber", "Waktu perubahan terakhir di sistem sumber."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
        /// Where the facts come from.
        pub provenance: Option<Provenance> = column.public().label("Provenance", "Sumber", "Asal keterangan ini."),
    }
}

read_members! {
    /// What only transitions write of a programme.
    pub struct ProgrammeState {
        /// The status of today. Only a transition changes it.
        pub status: ProgrammeStatus = value.sort().public().label("Status", "Status", "Status hari ini; hanya berubah melalui transisi."),
    }
}

impl Default for ProgrammeState {
    fn default() -> Self {
        Self { status: ProgrammeStatus::Planned }
    }
}

impl FromRow<programme::Model> for ProgrammeState {
    fn from_row(row: &programme::Model) -> Self {
        Self { status: row.status }
    }
}

read_members! {
    /// What is computed of a programme.
    pub struct ProgrammeProgress {
        /// Percent of its action plan that is done: the weighted mean of cumulative verified realisation ÷ target of the year × 100, each
        /// at most 100, over all its actions. Null without actions.
        pub progress: Option<Percent> = value.public().label("Progress", "Kemajuan", "Persentase rencana aksi yang telah terlaksana; null tanpa rencana aksi."),
    }
}

impl Resource for Programme {
    const KIND: &'static Kind = &KIND;
    type Write = EditProgrammes;
    type ReadOnly = ProgrammeState;
    type Computed = ProgrammeProgress;
    const HOOKS: Hooks<Self> = Hooks::NONE.before_insert().after_write().before_delete().compute().read_whole();

    fn example() -> Value {
        json!({
            "code": "SV-01", "masterplan": "KLU-SC", "dimension": "environment",
            "name": "TPS3R: Tempat Pengolahan Sampah Reduce, Reuse, Recycle", "lead_opd": "DLH", "published": true, "progress": "57.14",
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "inferred" },
        })
    }

    fn computed_of_new() -> Value {
        json!({ "progress": null })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.lead_opd)
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let mut field_errors = Vec::new();
        if matches!((self.start_date, self.end_date), (Some(start), Some(end)) if end < start) {
            field_errors.push(FieldError::at(
                "/end_date",
                "before_start",
                Text::new("It ends before it starts.", "Berakhir sebelum dimulai."),
            ));
        }
        if self.budget.is_some_and(|budget| budget.inner().is_sign_negative()) {
            field_errors.push(FieldError::at("/budget", "too_small", Text::new("Not below 0.", "Tidak boleh di bawah 0.")));
        }
        field_errors.extend(repeated("/supporting_opds", &self.supporting_opds));
        field_errors.extend(repeated("/regions", &self.regions));
        field_errors
    }
}

impl BeforeInsert for Programme {
    fn before_insert(row: &mut NewRow<Self>) {
        row.status = Set(ProgrammeStatus::Planned);
    }
}

impl BeforeDelete for Programme {
    async fn before_delete(transaction: &WriteTransaction, code: &str) -> ApiResult<()> {
        transitions::must_not_be_counted(transaction, code).await?;
        transitions::remove(transaction, code).await
    }
}

impl AfterWrite for Programme {
    async fn after_write(&self, transaction: &WriteTransaction, code: &str, created: bool) -> ApiResult<()> {
        if created { transitions::begin(transaction, code, self.start_date).await } else { Ok(()) }
    }
}

/// The field errors of codes that stand in a list twice.
pub fn repeated(pointer: &str, codes: &[Code]) -> Vec<FieldError> {
    let mut seen = BTreeSet::new();
    let again = codes.iter().enumerate().filter(|(_, code)| !seen.insert(code.as_str()));
    let text = || Text::new("It stands here twice.", "Tercantum dua kali.");
    again.map(|(index, _)| FieldError::at(format!("{pointer}/{index}"), "not_unique", text())).collect()
}
