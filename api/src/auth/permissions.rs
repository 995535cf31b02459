//! Who may do what, on one screen. A permission is a type: a handler names it in its signature.

use sea_orm::ActiveEnum;

use entity::user::Role::{self, Admin, Operator, Verifier, Viewer};

/// Something that some roles may do.
pub trait Permission: 'static {
    /// The roles that may.
    const ROLES: &'static [Role];

    /// The roles by name, for the document.
    fn role_names() -> Vec<String> {
        Self::ROLES.iter().map(ActiveEnum::to_value).collect()
    }
}

macro_rules! permissions {
    ($($(#[$doc:meta])* $name:ident: $($role:ident),+;)*) => {
        $(
            $(#[$doc])*
            pub struct $name;

            impl Permission for $name {
                const ROLES: &'static [Role] = &[$($role),+];
            }
        )*
    };
}

permissions! {
    /// Read everything that is not about accounts.
    ReadAll: Admin, Verifier, Operator, Viewer;
    /// Set up masterplans, dimensions, OPDs, regions, KPIs with their targets, and awards.
    EditCatalogue: Admin;
    /// Write programmes and Quick Wins; an operator those of its own OPD and below.
    EditProgrammes: Admin, Operator;
    /// Report measurements; an operator for KPIs of its own OPD and below.
    Report: Admin, Verifier, Operator;
    /// Manage the people who log in.
    ManageUsers: Admin;
}
