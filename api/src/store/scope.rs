//! Over which rows something is computed.

use sea_orm::sea_query::{Expr, SimpleExpr, Value};

use super::kind::{Kind, Scope};
use super::snapshots::AsOf;

impl Scope {
    /// The name that tells kept answers apart.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Published => "published",
        }
    }

    /// The SQL condition on `row`, a resource as it was at the end of a day.
    pub fn shows(self, kind: &Kind, row: &str, as_of: AsOf) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::Published => kind.was_public(row, as_of),
        }
    }

    /// The same for the rows of its table, as they are now.
    pub fn shows_now(self, kind: &Kind) -> SimpleExpr {
        match self {
            Self::All => Expr::cust("TRUE"),
            Self::Published => kind.visible(),
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
