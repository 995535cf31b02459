//! `/v1/council-members`

use chrono::NaiveDate;
use entity::council_member::CouncilRole;
use serde_json::{Value, json};

use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::Resource;
use crate::crud::typed::kind_of;
use crate::http::language::Text;
use crate::http::problem::FieldError;
use crate::store::kind::{Kind, Names};

/// The kind. The public does not see it, and no figure counts it.
pub static KIND: Kind = kind_of::<CouncilMember>(Names {
    one: "council_member",
    many: "council-members",
    spoken: "council member",
    plural: "council members",
    indonesian: "anggota dewan",
    schema: "CouncilMember",
    about: "The Smart City council: who sits in it, as what, from when until when.",
})
.with_ids();

members! {
    /// A member of the Smart City council.
    pub struct CouncilMember of council_member by id {
        /// The name of the person.
        #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().label("Name", "Nama", "Nama orang."),
        /// The office of the person outside of the council.
        #[schema(max_length = 300)]
        pub position: Option<String> = column.label("Position", "Jabatan", "Jabatan di luar dewan."),
        /// The role of the person in the council.
        pub role: CouncilRole = column.sort().label("Role", "Peran", "Peran dalam dewan."),
        /// The first day of the term.
        #[schema(max_length = 10)]
        pub since: Option<NaiveDate> = column.sort().label("Since", "Sejak", "Hari pertama masa jabatan."),
        /// The last day of the term; not before the first.
        #[schema(max_length = 10)]
        pub until: Option<NaiveDate> = column.sort().label("Until", "Sampai", "Hari terakhir masa jabatan; tidak sebelum hari pertama."),
    }
}

impl Resource for CouncilMember {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();

    fn example() -> Value {
        json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e20", "name": "H. Djohan Sjamsu", "position": "Bupati Lombok Utara",
            "role": "chair",
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.position.as_deref().unwrap_or_default()]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        let ends_early = matches!((self.since, self.until), (Some(since), Some(until)) if until < since);
        let text = || Text::new("It ends before it starts.", "Berakhir sebelum dimulai.");
        ends_early.then(|| FieldError::at("/until", "before_start", text())).into_iter().collect()
    }
}
