//! Over which rows something is computed.

use sea_orm::sea_query::{Expr, SimpleExpr, Value};

use super::snapshots::AsOf;
use super::visible::Thing;

/// All rows, or only those that the public sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For those who log in.
    All,
    /// For everybody.
    Published,
}

impl Scope {
    /// The name that tells kept answers apart.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Published => "published",
        }
    }

    /// The SQL condition on `row`, a thing as it was at the end of a day.
    pub fn shows(self, thing: Thing, row: &str, as_of: AsOf) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::Published => thing.was_public(row, as_of),
        }
    }

    /// The same for the rows of its table, as they are now.
    pub fn shows_now(self, thing: Thing) -> SimpleExpr {
        match self {
            Self::All => Expr::cust("TRUE"),
            Self::Published => thing.visible(),
        }
    }
}

/// The SQL condition on the masterplan; adds its parameter to `values`.
pub fn of_masterplan(table: &str, masterplan: Option<&str>, values: &mut Vec<Value>) -> String {
    match masterplan {
        None => "TRUE".to_owned(),
        Some(code) => {
            values.push(code.into());
            format!("{table}.masterplan = ${}", values.len())
        }
    }
}
