//! `/v1/opds`

use entity::opd;
use entity::value::code::Code;
use serde_json::{Value, json};

use crate::auth::permissions::EditCatalogue;
use crate::crud::members::members;
use crate::crud::resource::{Check, Hooks, Resource};
use crate::crud::typed::kind_of;
use crate::http::problem::{ApiError, ApiResult};
use crate::store::kind::{BeforeFirst, Kind, Names, Own};
use crate::store::transaction::WriteTransaction;

/// The kind.
pub static KIND: Kind = kind_of::<Opd>(Names {
    one: "opd",
    many: "opds",
    spoken: "OPD",
    plural: "OPDs",
    indonesian: "OPD",
    schema: "Opd",
    about: "OPD (organisasi perangkat daerah): the regional government agencies that lead programmes and report KPIs. They form a tree.",
})
.public(Own::Always)
.with_snapshots(BeforeFirst::AsMade);

members! {
    /// An OPD (organisasi perangkat daerah): a regional government agency.
    pub struct Opd of opd by code {
        /// The full name of the OPD.
        #[schema(min_length = 1, max_length = 200, pattern = r"^[^\u0000]*[^\s\u0000][^\u0000]*$")]
        pub name: String = column.sort().public().label("Name", "Nama", "Nama lengkap."),
        /// The short name.
        #[schema(max_length = 64)]
        pub short_name: Option<String> = column.public().label("Short name", "Nama singkat", "Nama singkat."),
        /// The OPD above it.
        pub parent: Option<Code> = column.refers(&KIND).filter().public().label("Parent", "Induk", "OPD di atasnya."),
        /// The name of its head.
        #[schema(max_length = 200)]
        pub head_name: Option<String> = column.public().label("Head", "Kepala", "Nama kepala OPD."),
        /// The office of its head.
        #[schema(max_length = 200)]
        pub head_title: Option<String> = column.public().label("Office of the head", "Jabatan kepala", "Jabatan kepala OPD."),
        /// The e-mail address to write to. Never public.
        #[schema(max_length = 254, pattern = r"^[^@\s\u0000]+@[^@\s\u0000]+$")]
        pub email: Option<String> = column.label("E-mail", "Surel", "Alamat surel. Tidak pernah ditampilkan kepada publik."),
        /// The phone number to call. Never public.
        #[schema(max_length = 40, pattern = r"^[0-9+() .-]+$")]
        pub phone: Option<String> = column.label("Phone", "Telepon", "Nomor telepon. Tidak pernah ditampilkan kepada publik."),
        /// The address of its web site.
        #[schema(max_length = 2000, pattern = r"^https?://[^\s\u0000]+$")]
        pub website: Option<String> = column.public().label("Web site", "Situs web", "Alamat situs web."),
        /// Whether the OPD still exists: a new one does where this is absent.
        #[serde(default = "yes")]
        pub active: bool = column.filter().public().label("Active", "Aktif", "Apakah OPD masih ada."),
    }
}

fn yes() -> bool {
    true
}

impl Resource for Opd {
    const KIND: &'static Kind = &KIND;
    type Write = EditCatalogue;
    type ReadOnly = ();
    type Computed = ();
    const HOOKS: Hooks<Self> = Hooks::NONE.check();

    fn example() -> Value {
        json!({ "code": "PKM-KAYANGAN", "name": "Puskesmas Kayangan", "parent": "DINKES", "active": true })
    }

    fn search(&self) -> Vec<&str> {
        vec![&self.name, self.short_name.as_deref().unwrap_or_default()]
    }
}

impl Check for Opd {
    /// The tree has no cycle: nothing stands below itself. Two moves at once could make one, so they take turns.
    async fn check(&self, transaction: &WriteTransaction, code: &str, before: Option<&opd::Model>) -> ApiResult<()> {
        let Some(parent) = &self.parent else { return Ok(()) };
        if before.is_some_and(|before| before.parent.as_deref() == Some(parent.as_str())) {
            return Ok(());
        }
        transaction.lock("the tree of OPDs").await?;
        if parent.as_str() == code || transaction.is_below(parent, code).await? {
            return Err(ApiError::field_error(
                "/parent",
                "cycle",
                format!("`{parent}` is `{code}` itself or stands below it."),
                format!("`{parent}` adalah `{code}` sendiri atau berada di bawahnya."),
            ));
        }
        Ok(())
    }
}
