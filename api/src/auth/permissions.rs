//! Who may do what, on one screen. A permission is a type: a handler names it in its signature.

use entity::client::Scope;
use sea_orm::ActiveEnum;

use super::actor::Actor;
use entity::user::Role::{self, Admin, Operator, Verifier, Viewer};

/// Something that some roles may do.
pub trait Permission: 'static {
    /// The roles that may.
    const ROLES: &'static [Role];
    /// The scope with which a client may; none where clients may not.
    const SCOPE: Option<Scope>;

    /// The roles by name, for the document.
    fn role_names() -> Vec<String> {
        let scope = Self::SCOPE.map(|scope| format!("clients with `{}`", scope.name()));
        Self::ROLES.iter().map(ActiveEnum::to_value).chain(scope).collect()
    }

    /// Whether `actor` may.
    fn allows(actor: &Actor) -> bool {
        match &actor.scopes {
            Some(scopes) => Self::SCOPE.is_some_and(|scope| scopes.contains(&scope)),
            None => Self::ROLES.contains(&actor.role),
        }
    }
}

macro_rules! scope {
    () => {
        None
    };
    ($scope:ident) => {
        Some(Scope::$scope)
    };
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: [$($role:ident),+] $(or clients with $scope:ident)?;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Permission for $name {
                const ROLES: &'static [Role] = &[$($role),+];
                const SCOPE: Option<Scope> = scope!($($scope)?);
            }
        )*
    };
}

permissions! {
    /// Read everything that is not about accounts.
    ReadAll: [Admin, Verifier, Operator, Viewer] or clients with Read;
    /// Set up masterplans, dimensions, OPDs, regions, KPIs with their targets, and awards.
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
    ManageUsers: [Admin];
    /// Manage the systems that report.
    ManageClients: [Admin];
}
