//! `/v1/quick-wins`

use chrono::NaiveDate;
use entity::rules::programme_status::ProgrammeStatus;
use entity::value::code::Code;
use serde_json::{Value, json};

use super::association::PROGRAMME;
use super::provenance::Provenance;
use super::{dimensions, opds, programmes};
use crate::auth::permissions::EditProgrammes;
use crate::crud::members::members;
use crate::crud::resource::{Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::store::kind::{Kind, Names, Own};

/// The kind.
pub static KIND: Kind = kind_of::<QuickWin>(Names {
    one: "quick_win",
    many: "quick-wins",
    spoken: "Quick Win",
    plural: "Quick Wins",
    indonesian: "Quick Win",
    schema: "QuickWin",
    about: "A Quick Win is what a dimension can show first; each dimension has one.",
})
.public(Own::Published);

members! {
    /// A Quick Win: what a dimension can show first.
    pub struct QuickWin of quick_win by code {
        /// The dimension it stands for.
        pub dimension: Code = column.refers(&dimensions::KIND).filter().public().label("Dimension", "Dimensi", "Dimensi yang diwakilinya."),
        /// The programme behind it.
        pub programme: Option<Code> = column.refers(&programmes::KIND).filter().public().label("Programme", "Program", "Program di baliknya."),
        /// The OPD that carries it out.
        pub opd: Code = column.refers(&opds::KIND).filter().public().label("OPD", "OPD", "OPD pelaksana."),
        /// The name of the Quick Win.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama Quick Win."),
        /// What it does.
        #[schema(max_length = 10000)]
        pub description: Option<String> = column.public().label("Description", "Deskripsi", "Apa yang dilakukannya."),
        /// The status of the Quick Win: a new one is `planned` where this is absent.
        #[serde(default = "planned")]
        pub status: ProgrammeStatus = column.sort().public().label("Status", "Status", "Status; yang baru `planned` bila tidak disebut."),
        /// The day on which it started.
        #[schema(max_length = 10)]
        pub started_on: Option<NaiveDate> = column.sort().public().label("Started on", "Mulai", "Tanggal mulai."),
        /// What came of it.
        #[schema(max_length = 10000)]
        pub outcome: Option<String> = column.public().label("Outcome", "Hasil", "Hasilnya."),
        /// Whether the public sees it: a new one only where this is `true`.
        #[serde(default)]
        pub published: bool = column.filter().label("Published", "Diterbitkan", "Apakah publik dapat melihatnya; yang baru hanya bila `true`."),
        /// Where the facts come from.
        pub provenance: Option<Provenance> = column.public().label("Provenance", "Sumber", "Asal keterangan ini."),
    }
}

fn planned() -> ProgrammeStatus {
    ProgrammeStatus::Planned
}

impl Resource for QuickWin {
    const KIND: &'static Kind = &KIND;
    type Write = EditProgrammes;
    type ReadOnly = ();
    type Computed = ();
    const HOOKS: Hooks<Self> = Hooks::NONE.attached_to(&programmes::KIND, &PROGRAMME);

    fn example() -> Value {
        json!({
            "code": "QW-SV", "dimension": "environment", "programme": "SV-02", "opd": "DLH", "name": "PJS (Pelayanan Jemput Sampah)",
            "status": "running", "published": true,
            "provenance": { "publisher": "Katada.id", "date": "2022-10-04", "basis": "stated" },
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.description.as_deref().unwrap_or_default()]
    }

    fn owner(&self) -> Option<&str> {
        Some(&self.opd)
    }
}
