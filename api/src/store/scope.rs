//! Over which rows something is computed.

use sea_orm::sea_query::Value;

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

    /// The SQL condition on a `published` column.
    pub fn condition(self, table: &str) -> String {
        match self {
            Self::All => "TRUE".to_owned(),
            Self::Published => format!("{table}.published = TRUE"),
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
