//! `/v1/masterplans`

use entity::masterplan::MasterplanStatus;
use entity::value::code::Code;
use serde_json::{Value, json};

use super::regions;
use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::Resource;
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::store::kind::{BeforeFirst, Kind, Names, Own};

/// The kind. What is dated back belongs to a masterplan that was entered later, so past days count it as it was made.
pub static KIND: Kind = kind_of::<Masterplan>(Names {
    one: "masterplan",
    many: "masterplans",
    spoken: "masterplan",
    plural: "masterplans",
    indonesian: "masterplan",
    schema: "Masterplan",
    about: "A masterplan is the document that the smart-city programmes of a regency belong to.",
})
.public(Own::NotDraft)
.with_snapshots(BeforeFirst::AsMade);

members! {
    /// A masterplan: the document that the smart-city programmes of a regency belong to.
    pub struct Masterplan of masterplan by code {
        /// The title of the masterplan.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub title: String = column.sort().public().label("Title", "Judul", "Judul masterplan."),
        /// The regency, by its Kemendagri code.
        pub region: Code = column.refers(&regions::KIND).filter().public().label("Region", "Wilayah", "Kabupaten, dengan kode Kemendagri."),
        /// The regulation (Perbup) that the masterplan rests on.
        #[schema(max_length = 500)]
        pub legal_basis: Option<String> = column.public().label("Legal basis", "Dasar hukum", "Peraturan (Perbup) yang mendasari masterplan."),
        /// The first year of the masterplan.
        #[schema(minimum = 1900, maximum = 2199)]
        pub start_year: Option<i32> = column.sort().public().label("First year", "Tahun awal", "Tahun pertama masterplan."),
        /// The last year of the masterplan; not before the first.
        #[schema(minimum = 1900, maximum = 2199)]
        pub end_year: Option<i32> = column.sort().public().label("Last year", "Tahun akhir", "Tahun terakhir masterplan; tidak sebelum tahun pertama."),
        /// The status of the masterplan. The public does not see a draft, nor what belongs to one.
        pub status: MasterplanStatus = column.sort().public().label("Status", "Status", "Status masterplan. Draf tidak terlihat oleh publik."),
        /// What the masterplan is about.
        #[schema(max_length = 10000)]
        pub description: Option<String> = column.public().label("Description", "Deskripsi", "Isi pokok masterplan."),
    }
}

impl Resource for Masterplan {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();

    fn example() -> Value {
        json!({
            "code": "KLU-SC", "title": "Masterplan Smart City Kabupaten Lombok Utara", "region": "52.08",
            "legal_basis": "Peraturan Bupati (nomor tidak disebut dalam sumber)", "status": "active",
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.title, self.description.as_deref().unwrap_or_default()]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let ends_early = matches!((self.start_year, self.end_year), (Some(start), Some(end)) if end < start);
        let text = || Text::new("It ends before it starts.", "Berakhir sebelum dimulai.");
        ends_early.then(|| FieldError::at("/end_year", "before_start", text())).into_iter().collect()
    }
}
