//! Every permission, with the roles that have it, on one screen. A permission is a type that a handler names in its signature.

use entity::client::Scope;
use sea_orm::ActiveEnum;

use super::actor::Actor;
use entity::user::Role::{self, Admin, Operator, Verifier, Viewer};

/// Something that some roles may do.
pub trait Permission: 'static {
    /// The roles that have the permission.
    const ROLES: &'static [Role];
    /// The clients that have the permission.
    const CLIENTS: Clients;
    /// Whether writes with this permission take turns, as those about accounts do.
    const TAKES_TURNS: bool = false;
    /// Whether all who have the permission are answered the same, whoever they are.
    const SAME_FOR_ALL: bool = false;

    /// The names of the roles, for the document.
    fn role_names() -> Vec<String> {
        let clients = match Self::CLIENTS {
            Clients::None => None,
            Clients::With(scope) => Some(format!("clients with `{}`", scope.name())),
            Clients::All => Some("clients".to_owned()),
        };
        Self::ROLES.iter().map(ActiveEnum::to_value).chain(clients).collect()
    }

    /// Whether `actor` has the permission.
    fn allows(actor: &Actor) -> bool {
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

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident),+] $(or clients with $scope:ident)? $(, $one:ident at a time)? $(and all get the $same:ident)?;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Permission for $name {
                const ROLES: &'static [Role] = &[$($role),+];
                const CLIENTS: Clients = clients!($($scope)?);
                const TAKES_TURNS: bool = takes_turns!($($one)?);
                const SAME_FOR_ALL: bool = same_for_all!($($same)?);
            }
        )*
    };
}

permissions! {
    /// Ask who one is, and which reports one still owes.
    KnowOneself: [Admin, Verifier, Operator, Viewer] or clients with All;
    /// Read everything that is not about accounts.
    ReadAll: [Admin, Verifier, Operator, Viewer] or clients with Read and all get the same;
    /// Manage masterplans, dimensions, OPDs, regions, KPIs with their targets, awards, commitments and the council.
    EditCatalogue: [Admin];
    /// Write programmes and Quick Wins; an operator or a client only those of its own OPD and the OPDs below it.
    EditProgrammes: [Admin, Operator] or clients with ProgrammesWrite;
    /// Report measurements; an operator or a client only for KPIs of its own OPD and the OPDs below it.
    Report: [Admin, Verifier, Operator] or clients with MeasurementsWrite;
    /// Write action plans; an operator or a client only those of its own OPD and the OPDs below it.
    EditActions: [Admin, Operator] or clients with ActionsWrite;
    /// Report on actions; an operator or a client only on those of its own OPD and the OPDs below it.
    ReportActions: [Admin, Verifier, Operator] or clients with ActionsWrite;
    /// Write evaluations and their findings, and close evaluations.
    HoldEvaluations: [Admin, Verifier];
    /// Add follow-ups to findings; an operator only to those of its own OPD and the OPDs below it.
    FollowUp: [Admin, Verifier, Operator];
    /// Write surveys; an operator only those of its own OPD and the OPDs below it.
    EditSurveys: [Admin, Operator];
    /// Verify reports, or return them.
    Review: [Admin, Verifier];
    /// Manage the people who log in.
    ManageUsers: [Admin], one at a time;
    /// Manage the systems that report.
    ManageClients: [Admin], one at a time;
    /// Manage the webhooks.
    ManageWebhooks: [Admin];
}
