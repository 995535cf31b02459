//! `/v1/dimensions`

use serde_json::{Value, json};

use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::Resource;
use crate::crud::typed::kind_of;
use crate::store::kind::{BeforeFirst, Kind, Names, Own};

/// The kind.
pub static KIND: Kind = kind_of::<Dimension>(Names {
    one: "dimension",
    many: "dimensions",
    spoken: "dimension",
    plural: "dimensions",
    indonesian: "dimensi",
    schema: "Dimension",
    about: "The dimensions of the smart city; each programme, Quick Win and KPI serves one.",
})
.sorted_by("position")
.public(Own::Always)
.with_snapshots(BeforeFirst::AsMade);

members! {
    /// A dimension of the smart city.
    pub struct Dimension of dimension by code {
        /// The name in Indonesian.
        #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama dalam bahasa Indonesia."),
        /// The name in English.
        #[schema(max_length = 200)]
        pub name_en: Option<String> = column.public().label("Name in English", "Nama Inggris", "Nama dalam bahasa Inggris."),
        /// The place of the dimension among the others, from 1.
        #[schema(minimum = 1, maximum = 1000)]
        pub position: i32 = column.sort().public().label("Position", "Urutan", "Urutan di antara dimensi lain, mulai 1."),
        /// What the dimension covers.
        #[schema(max_length = 10000)]
        pub description: Option<String> = column.public().label("Description", "Deskripsi", "Cakupan dimensi."),
    }
}

impl Resource for Dimension {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();

    fn example() -> Value {
        json!({ "code": "governance", "name": "Smart Governance", "name_en": "Smart Governance", "position": 1, "description": "Tata kelola pemerintahan" })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.name_en.as_deref().unwrap_or_default(), self.description.as_deref().unwrap_or_default()]
    }
}
