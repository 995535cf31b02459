//! Who may do what, on one screen. A permission is a type: a handler names it in its signature.

use entity::client::Scope;
use sea_orm::ActiveEnum;

use super::actor::Actor;
use entity::user::Role::{self, Admin, Operator, Verifier, Viewer};

/// Something that some roles may do.
pub trait Permission: 'static {
    /// The roles that may.
    const ROLES: &'static [Role];
    /// Which clients may.
    const CLIENTS: Clients;
    /// Whether writes with it take turns, as those of accounts do.
    const TAKES_TURNS: bool = false;

    /// The roles by name, for the document.
    fn role_names() -> Vec<String> {
        let clients = match Self::CLIENTS {
            Clients::None => None,
            Clients::With(scope) => Some(format!("clients with `{}`", scope.name())),
            Clients::All => Some("clients".to_owned()),
        };
        Self::ROLES.iter().map(ActiveEnum::to_value).chain(clients).collect()
    }

    /// Whether `actor` may.
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

/// Which of the systems that report may do something.
#[derive(Clone, Copy, Debug)]
pub enum Clients {
    /// None.
    None,
    /// Those with a scope.
    With(Scope),
    /// All.
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

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident),+] $(or clients with $scope:ident)? $(, $one:ident at a time)?;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Permission for $name {
                const ROLES: &'static [Role] = &[$($role),+];
                const CLIENTS: Clients = clients!($($scope)?);
                const TAKES_TURNS: bool = takes_turns!($($one)?);
            }
        )*
    };
}

permissions! {
    /// Ask who one is and what one owes.
    KnowOneself: [Admin, Verifier, Operator, Viewer] or clients with All;
    /// Read everything that is not about accounts.
    ReadAll: [Admin, Verifier, Operator, Viewer] or clients with Read;
    /// Set up masterplans, dimensions, OPDs, regions, KPIs with their targets, awards, commitments and the council.
    EditCatalogue: [Admin];
    /// Write programmes and Quick Wins; an operator or client those of its own OPD and below.
    EditProgrammes: [Admin, Operator] or clients with ProgrammesWrite;
    /// Report measurements; an operator or client for KPIs of its own OPD and below.
    Report: [Admin, Verifier, Operator] or clients with MeasurementsWrite;
    /// Set up action plans; an operator or client those of its own OPD and below.
    EditActions: [Admin, Operator] or clients with ActionsWrite;
    /// Report on actions; an operator or client those of its own OPD and below.
    ReportActions: [Admin, Verifier, Operator] or clients with ActionsWrite;
    /// Hold evaluations, note what they find, and close them.
    HoldEvaluations: [Admin, Verifier];
    /// Tell what was done about a finding; an operator of its own OPD and below.
    FollowUp: [Admin, Verifier, Operator];
    /// Write surveys; an operator those of its own OPD and below.
    EditSurveys: [Admin, Operator];
    /// Verify what was reported, or send it back.
    Review: [Admin, Verifier];
    /// Manage the people who log in.
    ManageUsers: [Admin], one at a time;
    /// Manage the systems that report.
    ManageClients: [Admin], one at a time;
    /// Manage who is told of events.
    ManageWebhooks: [Admin];
}
