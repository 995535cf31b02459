//! `/v1/commitments`

use chrono::NaiveDate;
use entity::value::code::Code;
use serde_json::{Value, json};

use super::opds;
use super::programmes::repeated;
use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::Resource;
use crate::crud::typed::kind_of;
use crate::http::problem::FieldError;
use crate::store::kind::{BeforeFirst, Changes, Kind, Link, Names, Own};

/// The kind. Figures tell the public who signed.
pub static KIND: Kind = kind_of::<Commitment>(Names {
    one: "commitment",
    many: "commitments",
    spoken: "commitment",
    plural: "commitments",
    indonesian: "komitmen",
    schema: "Commitment",
    about: "The joint commitment to the Smart City, with the OPDs that signed it.",
})
.with_ids()
.public(Own::Always)
.without_feed()
.with_snapshots(BeforeFirst::AsMade)
.changes(Changes::Everything);

members! {
    /// A joint commitment to the Smart City, as OPDs signed it.
    pub struct Commitment of commitment by id {
        /// The title of the commitment.
        #[schema(min_length = 1, max_length = 300, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub title: String = column.sort().label("Title", "Judul", "Judul komitmen."),
        /// The day on which it was signed.
        #[schema(max_length = 10)]
        pub signed_on: Option<NaiveDate> = column.sort().label("Signed on", "Ditandatangani pada", "Tanggal penandatanganan."),
        /// The address at which the document can be read.
        #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
        pub document_url: Option<String> = column.label("Document", "Dokumen", "Alamat dokumen."),
        /// The OPDs that signed it.
        #[serde(default)]
        #[schema(max_items = 1000)]
        pub signatories: Vec<Code> = column
            .refers(&opds::KIND)
            .linked(Link::new("commitment_signatory", "commitment", "opd").by_id())
            .label("Signatories", "Penanda tangan", "OPD yang menandatangani."),
    }
}

impl Resource for Commitment {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();

    fn example() -> Value {
        json!({
            "id": "0183a0c4-6f00-7d2e-9d6b-5c1f6a3b7e10", "title": "Komitmen bersama pelaksanaan Smart City Kabupaten Lombok Utara",
            "signed_on": "2022-10-04", "signatories": ["DISKOMINFO", "DINKES", "DLH"],
        })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.title]
    }

    fn field_errors(&self) -> Vec<FieldError> {
        repeated("/signatories", &self.signatories)
    }
}
