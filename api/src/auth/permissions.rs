//! Every permission, with the roles that have it, on one screen. A permission is a type that a handler names in its signature.

use std::borrow::Cow;

use entity::client::Scope;
use entity::user::Role::{self, Admin, Operator, Verifier, Viewer};
use sea_orm::ActiveEnum;
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::actor::Actor;
use crate::http::operation::Allowed;
use crate::http::schema::{Word, words};

/// Something that some roles may do.
pub trait Permission: 'static {
    /// The permission in the document, and in what an account is told about itself.
    const NAME: PermissionName;
    /// The roles that have the permission.
    const ROLES: &'static [Role];
    /// The clients that have the permission.
    const CLIENTS: Clients;
    /// Whether writes with this permission take turns, as those about accounts do.
    const TAKES_TURNS: bool = false;
    /// Whether all who have the permission are answered the same, whoever they are.
    const SAME_FOR_ALL: bool = false;
    /// Whether somebody has the permission who must set up one-time codes first.
    const WITHOUT_TOTP: bool = false;

    /// The permission and the names of the roles, for the document.
    fn role_names() -> Allowed {
        let clients = match Self::CLIENTS {
            Clients::None => None,
            Clients::With(scope) => Some(format!("clients with `{}`", scope.name())),
            Clients::All => Some("clients".to_owned()),
        };
        let roles = Self::ROLES.iter().map(ActiveEnum::to_value).chain(clients).collect();
        Allowed { permission: Self::NAME.word(), roles }
    }

    /// Whether `actor` has the permission.
    fn allows(actor: &Actor) -> bool {
        if actor.login.must_set_up_totp && !Self::WITHOUT_TOTP {
            return false;
        }
        match &actor.scopes {
            Some(scopes) => match Self::CLIENTS {
                Clients::None => false,
                Clients::With(scope) => scopes.contains(&scope),
                Clients::All => true,
            },
            None => Self::ROLES.contains(&actor.role),
        }
    }
}

/// The clients that have a permission.
#[derive(Clone, Copy, Debug)]
pub enum Clients {
    /// No client.
    None,
    /// The clients with a scope.
    With(Scope),
    /// Every client.
    All,
}

macro_rules! clients {
    () => {
        Clients::None
    };
    (All) => {
        Clients::All
    };
    ($scope:ident) => {
        Clients::With(Scope::$scope)
    };
}

macro_rules! takes_turns {
    () => {
        false
    };
    (one) => {
        true
    };
}

macro_rules! same_for_all {
    () => {
        false
    };
    (same) => {
        true
    };
}

macro_rules! without_totp {
    () => {
        false
    };
    (without) => {
        true
    };
}

macro_rules! permissions {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident($en:literal, $id:literal): [$($role:ident),+] $(or clients with $scope:ident)? $(, $one:ident at a time)?
            $(and all get the $same:ident)? $(even $without:ident codes)?;
    )*) => {
        $(
            $(#[doc = $doc])+
            pub struct $name;

            impl Permission for $name {
                const NAME: PermissionName = PermissionName::$name;
                const ROLES: &'static [Role] = &[$($role),+];
                const CLIENTS: Clients = clients!($($scope)?);
                const TAKES_TURNS: bool = takes_turns!($($one)?);
                const SAME_FOR_ALL: bool = same_for_all!($($same)?);
                const WITHOUT_TOTP: bool = without_totp!($($without)?);
            }
        )*

        /// A permission, as a word.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum PermissionName {
            $($(#[doc = $doc])+ $name,)*
        }

        impl PermissionName {
            /// The permissions that `actor` has.
            pub fn held_by(actor: &Actor) -> Vec<Self> {
                [$(($name::allows(actor), Self::$name)),*].into_iter().filter_map(|(held, name)| held.then_some(name)).collect()
            }

            fn described() -> Vec<Word> {
                vec![$(Word { word: Self::$name.word(), en: $en, id: $id, about: concat!($($doc),+) }),*]
            }
        }
    };
}

impl PermissionName {
    /// The word.
    pub fn word(self) -> String {
        json!(self).as_str().unwrap_or_default().to_owned()
    }
}

impl PartialSchema for PermissionName {
    fn schema() -> RefOr<Schema> {
        words("Something that an account may do; each operation names the permission that it needs.", &Self::described())
    }
}

impl ToSchema for PermissionName {
    fn name() -> Cow<'static, str> {
        "Permission".into()
    }
}

permissions! {
    /// Ask who one is, and which reports one still owes.
    KnowOneself("Know one's own account", "Mengetahui akun sendiri"): [Admin, Verifier, Operator, Viewer] or clients with All even without codes;
    /// Change one's own password, and set up one-time codes.
    ManageOwnAccount("Manage one's own account", "Mengelola akun sendiri"): [Admin, Verifier, Operator, Viewer], one at a time even without codes;
    /// Read everything that is not about accounts.
    ReadAll("Read everything", "Membaca semua data"): [Admin, Verifier, Operator, Viewer] or clients with Read and all get the same;
    /// Manage masterplans, dimensions, OPDs, regions, KPIs with their targets, awards, commitments and the council.
    EditCatalogue("Manage the catalogue", "Mengelola katalog"): [Admin];
    /// Write programmes and Quick Wins; an operator or a client only those of its own OPD and the OPDs below it.
    EditProgrammes("Write programmes", "Menulis program"): [Admin, Operator] or clients with ProgrammesWrite;
    /// Report measurements; an operator or a client only for KPIs of its own OPD and the OPDs below it.
    Report("Report measurements", "Melaporkan capaian indikator"): [Admin, Verifier, Operator] or clients with MeasurementsWrite;
    /// Write action plans; an operator or a client only those of its own OPD and the OPDs below it.
    EditActions("Write action plans", "Menulis rencana aksi"): [Admin, Operator] or clients with ActionsWrite;
    /// Report on actions; an operator or a client only on those of its own OPD and the OPDs below it.
    ReportActions("Report on actions", "Melaporkan renaksi"): [Admin, Verifier, Operator] or clients with ActionsWrite;
    /// Write evaluations and their findings, and close evaluations.
    HoldEvaluations("Hold evaluations", "Menyelenggarakan evaluasi"): [Admin, Verifier];
    /// Add follow-ups to findings; an operator only to those of its own OPD and the OPDs below it.
    FollowUp("Follow up findings", "Menindaklanjuti temuan"): [Admin, Verifier, Operator];
    /// Write surveys; an operator only those of its own OPD and the OPDs below it.
    EditSurveys("Write surveys", "Menulis survei"): [Admin, Operator];
    /// Verify reports, or return them.
    Review("Review reports", "Memverifikasi laporan"): [Admin, Verifier];
    /// Manage the people who log in.
    ManageUsers("Manage users", "Mengelola pengguna"): [Admin], one at a time;
    /// Manage the systems that report.
    ManageClients("Manage clients", "Mengelola klien"): [Admin], one at a time;
    /// Manage the webhooks.
    ManageWebhooks("Manage webhooks", "Mengelola webhook"): [Admin];
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::actor::Login;

    #[test]
    fn who_must_set_up_one_time_codes_reaches_only_the_own_account() {
        let admin = Actor::system("test");
        assert!(PermissionName::held_by(&admin).contains(&PermissionName::ManageUsers));
        let limited = Actor { login: Login { family: None, must_set_up_totp: true }, ..admin };
        assert_eq!(PermissionName::held_by(&limited), [PermissionName::KnowOneself, PermissionName::ManageOwnAccount]);
    }

    #[test]
    fn a_permission_is_a_word() {
        assert_eq!(PermissionName::EditProgrammes.word(), "edit_programmes");
    }
}
